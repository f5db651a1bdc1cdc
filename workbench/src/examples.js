// Queries to begin with, for each demo sign-in: what it is allowed, and one thing that it is not.

export const WELCOME = `# Ctrl-Enter runs, Ctrl-Space completes. The purpose at the top of the page goes with every request:
# completion and documentation show what your role may use for it.

query Purposes {
  purposes {
    key
    name
    description
    lawfulBasis
    refusal
  }
}
`;

const OWN_DATA = {
  title: "My account",
  about: "Own data, all of it clear.",
  purpose: "ACCOUNT",
  query: `query MyAccount {
  me {
    username
    email
    fullName
    birthDate
    address {
      street
      city
      country
    }
    devices(first: 3) {
      name
      lastSeenAt
    }
  }
}
`,
};

export const EXAMPLES = [
  {
    for: "anybody",
    role: null,
    examples: [
      { title: "The purposes", about: "What data may be used for; public.", query: WELCOME },
      {
        title: "Me, without signing in",
        about: "Denied: nobody is signed in.",
        query: `query WhoAmI {
  me {
    username
    email
  }
}
`,
      },
    ],
  },
  {
    for: "subject",
    role: "SELF",
    examples: [
      OWN_DATA,
      {
        title: "What personalisation sees",
        about: "Own data again, but only what I agreed to.",
        purpose: "PERSONALISATION",
        query: `query Personalised {
  me {
    locale
    country
    preferences {
      theme
      digest
    }
    events(first: 3) {
      kind
      at
    }
  }
}
`,
      },
      {
        title: "Say no to personalisation",
        about: "Holds from the next request on.",
        purpose: "ACCOUNT",
        query: `mutation SayNo {
  withdrawConsent(input: { purpose: PERSONALISATION }) {
    purpose
    given
    errors {
      message
    }
  }
}
`,
      },
    ],
  },
  {
    for: "support",
    role: "SUPPORT",
    examples: [
      {
        title: "People to help",
        about: "Contact is masked for SUPPORT.",
        purpose: "SUPPORT",
        query: `query PeopleToHelp {
  users(first: 5, orderBy: { field: LAST_SEEN_AT, direction: DESC }) {
    nodes {
      username
      fullName
      email
      phone
      country
      locale
      status
    }
  }
}
`,
      },
      {
        title: "A refusal",
        about: "One denied field stops the whole request.",
        purpose: "SUPPORT",
        query: `query BirthDates {
  users(first: 5) {
    nodes {
      username
      birthDate
      lastSeenIp
    }
  }
}
`,
      },
      {
        title: "Nulls in place of a refusal",
        about: "What is allowed comes, the rest is null.",
        purpose: "SUPPORT",
        query: `query AsFarAsAllowed @purpose(is: SUPPORT, onDenied: NULL) {
  users(first: 5) {
    nodes {
      username
      email
      birthDate
    }
  }
}
`,
      },
    ],
  },
  {
    for: "analyst",
    role: "ANALYST",
    examples: [
      {
        title: "What people do",
        about: "Behaviour without names or contact.",
        purpose: "ANALYTICS",
        query: `query WhatPeopleDo {
  users(first: 5, filter: { country: "DE" }) {
    nodes {
      ageBand
      country
      loginCount
      events(first: 3) {
        kind
        at
      }
    }
  }
}
`,
      },
      {
        title: "Looking somebody up by address",
        about: "Denied: a look-up needs the right to read.",
        purpose: "ANALYTICS",
        query: `query ByAddress {
  user(by: { email: "subject@demo.example" }) {
    loginCount
  }
}
`,
      },
    ],
  },
  {
    for: "privacy",
    role: "PRIVACY",
    examples: [
      {
        title: "A request about rights",
        about: "Contact is clear for LEGAL.",
        purpose: "LEGAL",
        query: `query RightsRequest {
  user(by: { username: "subject" }) {
    fullName
    email
    address {
      street
      city
      country
    }
    marketingOptIn
    consents {
      purpose
      given
      at
    }
  }
}
`,
      },
    ],
  },
  {
    for: "security",
    role: "SECURITY",
    examples: [
      {
        title: "Devices of an account",
        about: "Devices are clear, contact is masked.",
        purpose: "SECURITY",
        query: `query Devices {
  user(by: { username: "subject" }) {
    username
    email
    lastSeenIp
    deviceIds
    devices(first: 5) {
      name
      platform
      lastSeenAt
    }
  }
}
`,
      },
    ],
  },
  {
    for: "admin",
    role: "ADMIN",
    examples: [
      {
        title: "Accounts, not people",
        about: "An administrator does not read names or contact.",
        purpose: "ACCOUNT",
        query: `query Accounts {
  users(first: 5) {
    nodes {
      username
      status
      createdAt
      loginCount
    }
  }
}
`,
      },
      {
        title: "A name in someone else's account",
        about: "Own row clear, other people's withheld and counted.",
        purpose: "ACCOUNT",
        query: `query Names {
  users(first: 5) {
    nodes {
      username
      fullName
    }
  }
}
`,
      },
    ],
  },
];
