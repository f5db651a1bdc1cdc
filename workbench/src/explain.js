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
  STEP_UP: "This needs a stronger or fresher proof that it is you.",
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
  STEP_UP: "Confirm it is you, then ask again.",
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

/** What to say of a response, with what the policy says of the request's fields (`entries`, see `Session.report`).
 *
 *  `{ tone: "denied" | "withheld" | "failed" | "fine", title, notes, wanted }` or null; a note is
 *  `{ coordinate | title, label, why, help, reason, times, id }`; `wanted` is what would lift a denial right away:
 *  PASSWORD or SECOND_FACTOR. */
export function explain(response, entries = []) {
  if (!response || typeof response !== "object" || !("data" in response || "errors" in response)) return null;
  const errors = response.errors ?? [];
  const withheld = response.extensions?.withheld ?? [];
  const refused = errors.filter((error) => ["FORBIDDEN", "UNAUTHENTICATED"].includes(error.extensions?.code));
  const failed = errors.filter((error) => !refused.includes(error));
  const masked = response.data ? entries.filter(isMasked) : [];
  const notes = [
    ...merged(refused.map(denialNote)),
    ...withheld.map(withheldNote),
    ...(masked.length ? [maskedNote(masked)] : []),
    ...failed.map(failureNote),
  ];
  const wanted = refused.map((error) => error.extensions.wanted).filter(Boolean);
  return {
    ...heading(response, refused, withheld, failed, masked),
    notes: notes.map((note) => enriched(note, entries)),
    wanted: wanted.find((each) => each === "SECOND_FACTOR") ?? wanted[0],
  };
}

/** Add the field's label, and in place of general advice what the policy says would allow it. */
function enriched({ root, ...note }, entries) {
  const known = entries.filter((entry) => entry.coordinate === note.coordinate);
  // What would lift STEP_UP is the button above, whoever's row it is.
  const asked = note.reason && !["MASKED", "STEP_UP"].includes(note.reason);
  const remedy = asked ? remedyOf(known, root) : null;
  return { ...note, label: known[0]?.label, help: remedy || note.help };
}

/** Of one's own row or of other people's, as the request is about; both where it may be about either. */
function remedyOf(entries, root) {
  const [own, others] = ["own", "others"].map((whose) => entries.map((entry) => entry[whose]?.remedy).find(Boolean));
  if (root === "me" || !others) return short(own);
  if (root === "users" || !own || own === others) return short(others);
  return `Other people's: ${short(others)} Your own: ${short(own)}`;
}

/** Without how to name a purpose: a button beside it does. */
const short = (remedy) => remedy?.replace(/: name it with @purpose.*?Data-Purpose\./, ".");

function isMasked({ own, others, use }) {
  return use === "READ" && (others ?? own)?.outcome === "MASKED";
}

function heading(response, refused, withheld, failed, masked) {
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
  if (masked.length) return { tone: "fine", title: "Nothing was denied; some of it is masked." };
  return { tone: "fine", title: "Nothing was denied or withheld." };
}

function denialNote({ message, extensions, path }) {
  const { code, coordinate, decisionId, reason } = extensions;
  const unknown = code === "UNAUTHENTICATED";
  return {
    coordinate,
    why: unknown ? message : (reason === "STEP_UP" ? null : afterColon(message, coordinate)) || DENIED[reason],
    help: unknown ? "Use the button at the top of the page." : HELP[reason],
    reason: unknown ? null : reason,
    root: path?.[0],
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

function maskedNote(entries) {
  const coordinates = [...new Set(entries.map((entry) => entry.coordinate))].join(", ");
  return { coordinate: coordinates, why: "Shown in part: enough to recognise, not to use.", reason: "MASKED", times: 1 };
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
