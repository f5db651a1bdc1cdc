// Says in words what a response means for access: what was denied, what was withheld row by row, and
// what would help. Pure: from a response map to a list of notes.

const DENIED = {
  AGE: "The person is below the age for this purpose, and no guardian has agreed.",
  CONSENT: "The person has not agreed to this purpose.",
  PURPOSE: "This purpose does not use this kind of data.",
  REGION: "This person's data is held in another region.",
  RESTRICTED: "The person has restricted the use of their data.",
  ROLE: "Your role does not allow it on this data for this purpose.",
  SCOPE: "The scopes of this token do not cover this kind of data.",
  STEP_UP: "This needs a fresh, stronger sign-in.",
};

const WITHHELD = {
  ...DENIED,
  AGE: "These people are below the age for this purpose.",
  CONSENT: "These people have not agreed to this purpose.",
  RESTRICTED: "These people have restricted the use of their data.",
  ROLE: "Allowed for your own data only: these rows are other people's.",
};

const HELP = {
  CONSENT: "Only the person can change that, with giveConsent.",
  PURPOSE: "Choose another purpose, or leave the field out.",
  ROLE: "Leave the field out, or ask for a purpose that your role may use for it.",
  SCOPE: "Ask for a token with the scope, or leave the field out.",
};

const OTHER = {
  BAD_USER_INPUT: "The request is not well formed.",
  CSRF: "The browser's session cannot be used like this.",
  GRAPHQL_PARSE_FAILED: "This is not GraphQL yet.",
  GRAPHQL_VALIDATION_FAILED: "The document does not fit the schema that you may use.",
  INTERNAL_SERVER_ERROR: "Something went wrong inside; the log has it under this id.",
  LIMIT_EXCEEDED: "The request asks for too much at once.",
  RATE_LIMITED: "Too many requests: wait a little.",
  UNAVAILABLE: "The database does not answer: try again in a moment.",
};

/** What to say of a response: `{ tone: "denied" | "withheld" | "failed" | "fine", title, notes }` or null; a note is
 *  `{ coordinate | title, why, help, reason, times, id }`. */
export function explain(response) {
  if (!response || typeof response !== "object" || !("data" in response || "errors" in response)) return null;
  const errors = response.errors ?? [];
  const withheld = response.extensions?.withheld ?? [];
  const refused = errors.filter((error) => ["FORBIDDEN", "UNAUTHENTICATED"].includes(error.extensions?.code));
  const failed = errors.filter((error) => !refused.includes(error));
  const notes = [...merged(refused.map(denialNote)), ...withheld.map(withheldNote), ...failed.map(failureNote)];
  return { ...heading(response, refused, withheld, failed), notes };
}

function heading(response, refused, withheld, failed) {
  if (refused.some((error) => error.extensions.code === "UNAUTHENTICATED")) {
    return { tone: "denied", title: "Nobody is signed in: nothing was run." };
  }
  if (refused.length) {
    const fields = new Set(refused.map((error) => error.extensions.coordinate)).size;
    const what = fields === 1 ? "1 field was denied" : `${fields} fields were denied`;
    return { tone: "denied", title: response.data ? `${what}, the rest was answered.` : `${what}: nothing was run.` };
  }
  if (failed.length) return { tone: "failed", title: "The request failed." };
  if (withheld.length) return { tone: "withheld", title: "Some values were withheld, row by row." };
  return { tone: "fine", title: "Nothing was denied or withheld." };
}

function denialNote({ message, extensions }) {
  const { code, coordinate, decisionId, reason } = extensions;
  const unknown = code === "UNAUTHENTICATED";
  return {
    coordinate,
    why: unknown ? message : afterColon(message, coordinate) || DENIED[reason],
    help: unknown ? "Sign in at the top of the page." : HELP[reason],
    reason,
    times: 1,
    id: decisionId,
  };
}

/** What the API says of a denial already names the field: what follows is the reason. */
function afterColon(message, coordinate) {
  const rest = message.replace(new RegExp(`^${coordinate} is denied( for \\w+)?[.:]?\\s*`), "");
  return rest && rest !== message ? rest[0].toUpperCase() + rest.slice(1) : message;
}

function withheldNote({ coordinate, count, reason }) {
  return { coordinate, why: WITHHELD[reason] ?? reason, help: HELP[reason], reason, times: count };
}

function failureNote({ message, extensions }) {
  return { title: OTHER[extensions?.code] ?? "Error", why: message, reason: extensions?.code, times: 1 };
}

/** One note per coordinate and reason; a field asked for in several places counts once per place. */
function merged(notes) {
  const found = new Map();
  for (const note of notes) {
    const key = `${note.coordinate} ${note.reason}`;
    const known = found.get(key);
    if (known) known.times += 1;
    else found.set(key, note);
  }
  return [...found.values()];
}
