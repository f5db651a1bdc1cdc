// Who is signed in, for which purpose they act, and the requests made for them.
//
// Tokens are in HttpOnly cookies: no script sees them. An access token holds for minutes, so the session is
// refreshed shortly before it ends: an introspection by somebody whose token has just ended would not
// fail, but show the schema that nobody may use.

import { Kind, parse } from "graphql";
import { isUnauthenticated, post } from "./api.js";
import { usePasskey } from "./passkeys.js";

const PERSON = "user { username fullName } expiresIn errors { code message }";
const SECOND = "secondFactor { challenge kinds passkeyOptions }";
const SIGN_IN = `mutation SignIn($input: SignInInput!) { signIn(input: $input) { ${PERSON} ${SECOND} } }`;
const COMPLETE = `mutation CompleteSignIn($input: CompleteSignInInput!) { completeSignIn(input: $input) { ${PERSON} } }`;
const BEGIN_PASSKEY = "mutation BeginPasskeySignIn { beginPasskeySignIn { challenge options errors { message } } }";
const WITH_PASSKEY = `mutation SignInWithPasskey($input: PasskeySignInInput!) {
  signInWithPasskey(input: $input) { ${PERSON} }
}`;
const BEGIN_STEP_UP = "mutation BeginStepUp { beginStepUp { challenge kinds passkeyOptions errors { message } } }";
const STEP_UP = "mutation StepUp($input: StepUpInput!) { stepUp(input: $input) { expiresIn errors { message } } }";
const REFRESH = `mutation RefreshSession { refreshSession { ${PERSON} } }`;
const SIGN_OUT = "mutation SignOut { signOut { ended } }";
const MY_ACCESS = "query MyAccess { myAccess { roles purposes } }";
const DECISION = "{ outcome reason rule remedy }";
const FIELDS = `query MyFields { myAccess { purpose fields { coordinate label own ${DECISION} others ${DECISION} } } }`;
const REPORT = `query Report($document: String!, $operationName: String) {
  explainAccess(document: $document, operationName: $operationName) {
    entries { coordinate use label own ${DECISION} others ${DECISION} }
  }
}`;
const PURPOSES = "query Purposes { purposes { key name description refusal } }";
const EARLY = 20_000; // milliseconds before its end at which a token is renewed
const RUNS = 50; // requests whose answers can still be explained
const REMEMBERED = "fieldward:purpose";

const NOBODY = { person: null, roles: [], purposes: [] };

export class Session {
  #listeners = new Set();
  #runs = new Map();
  #renewAt = Infinity;
  #renewing = null;
  #state = { ...NOBODY, phase: "loading", notices: [], purpose: null };

  subscribe = (listener) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  snapshot = () => this.#state;

  /** Find out whether the browser holds a session, and read the registry of purposes. */
  async start() {
    const [notices, refreshed] = await Promise.all([post({ query: PURPOSES }), post({ query: REFRESH })]);
    this.#set({ notices: notices.data?.purposes ?? [] });
    await this.#take(refreshed.data?.refreshSession);
  }

  /** Resolves to {}, to a sentence in `problem`, or to the `secondFactor` that is wanted as well. */
  async signIn(login, password) {
    const answer = await post({ query: SIGN_IN, variables: { input: { login, password, cookie: true } } });
    const secondFactor = answer.data?.signIn?.secondFactor;
    return secondFactor ? { secondFactor } : this.#signedIn(answer, "signIn");
  }

  /** The second step: `proof` holds the challenge, and a code, a recovery code or a passkey. As `signIn`; `ended`:
   *  the challenge is over, and one has to begin again. */
  async completeSignIn(proof) {
    const answer = await post({ query: COMPLETE, variables: { input: { ...proof, cookie: true } } });
    const ended = answer.data?.completeSignIn?.errors?.some(({ code }) => code === "CHALLENGE_ENDED");
    return { ended, ...(await this.#signedIn(answer, "completeSignIn")) };
  }

  /** Without user name and password. As `signIn`; rejects when nobody uses a passkey. */
  async signInWithPasskey() {
    const begun = await post({ query: BEGIN_PASSKEY });
    const { challenge, options } = begun.data?.beginPasskeySignIn ?? {};
    if (!options) return { problem: problemOf(begun, "beginPasskeySignIn") };
    const input = { challenge, passkey: await usePasskey(options), cookie: true };
    return this.#signedIn(await post({ query: WITH_PASSKEY, variables: { input } }), "signInWithPasskey");
  }

  /** What a fresh proof may be: `{ kinds, challenge, passkeyOptions }`, no kinds when the password is enough; or
   *  a sentence in `problem`. */
  async beginStepUp() {
    const answer = await this.#post({ query: BEGIN_STEP_UP }, { purpose: "ACCOUNT" });
    const problem = problemOf(answer, "beginStepUp");
    return problem ? { problem } : answer.data.beginStepUp;
  }

  /** Resolves to null, or to what went wrong in a sentence. */
  async stepUp(input) {
    const answer = await this.#post({ query: STEP_UP, variables: { input } }, { purpose: "ACCOUNT" });
    const problem = problemOf(answer, "stepUp");
    if (!problem) this.#renewAt = renewal(answer.data.stepUp.expiresIn);
    return problem;
  }

  async signOut() {
    await this.#renewed();
    await post({ query: SIGN_OUT });
    sessionStorage.removeItem(REMEMBERED);
    this.#leave();
  }

  choose(purpose) {
    sessionStorage.setItem(REMEMBERED, purpose);
    this.#set({ purpose });
  }

  /** GraphiQL's fetcher. */
  send = async (request, { headers } = {}) => {
    const { purpose } = this.#state;
    request = { ...request, operationName: nameIn(request) };
    const answer = await this.#post(request, { purpose, headers });
    if (request.operationName !== "IntrospectionQuery") this.#remember(answer, { request, purpose, headers });
    return answer;
  };

  /** What the policy says of each field of the request that was answered with `text`; [] when it does not say. */
  async report(text) {
    const run = this.#runs.get(text);
    if (!run) return [];
    const { query: document, operationName } = run.request;
    const variables = { document, operationName };
    const answer = await this.#post({ query: REPORT, operationName: "Report", variables }, run);
    return answer.data?.explainAccess?.entries ?? [];
  }

  /** Whether sending the request that was answered with `text` again does nothing twice. */
  mayRepeat(text) {
    const run = this.#runs.get(text);
    return Boolean(run) && (!JSON.parse(text).data || isQuery(run.request));
  }

  /** What the policy says of every field for the purpose in force. */
  async fields() {
    const answer = await this.#post({ query: FIELDS }, { purpose: this.#state.purpose });
    return answer.data?.myAccess?.fields ?? [];
  }

  /** Send one request with a token that holds. */
  async #post(request, options) {
    await this.#renewed();
    const answer = await post(request, options);
    if (!this.#state.person || !isUnauthenticated(answer) || options.headers?.Authorization) return answer;
    // Ended from elsewhere: by signing out in another tab, or by an administrator.
    await this.#renewed({ now: true });
    return this.#state.person ? post(request, options) : answer;
  }

  /** GraphiQL keeps answers as indented text; by that text the request is found again. */
  #remember(answer, run) {
    this.#runs.set(JSON.stringify(answer, null, 2), run);
    if (this.#runs.size > RUNS) this.#runs.delete(this.#runs.keys().next().value);
  }

  /** Renew the access token when it is about to end; one request however many wait for it. */
  #renewed({ now = false } = {}) {
    if (!this.#state.person || (!now && Date.now() < this.#renewAt)) return null;
    this.#renewing ??= post({ query: REFRESH })
      .then((answer) => this.#take(answer.data?.refreshSession))
      .finally(() => {
        this.#renewing = null;
      });
    return this.#renewing;
  }

  async #signedIn(answer, field) {
    const problem = problemOf(answer, field);
    if (problem) return { problem };
    sessionStorage.removeItem(REMEMBERED);
    await this.#take(answer.data[field]);
    return {};
  }

  async #take(payload) {
    if (!payload?.expiresIn) {
      this.#leave();
      return;
    }
    this.#renewAt = renewal(payload.expiresIn);
    const { roles, purposes } = await this.#access();
    const remembered = sessionStorage.getItem(REMEMBERED);
    const purpose = purposes.includes(remembered) ? remembered : usual(purposes, roles);
    this.#set({ person: payload.user, phase: "in", purpose, purposes, roles });
  }

  async #access() {
    const answer = await post({ query: MY_ACCESS });
    const everything = this.#state.notices.map((notice) => notice.key);
    return answer.data?.myAccess ?? { roles: [], purposes: everything };
  }

  #leave() {
    this.#renewAt = Infinity;
    this.#runs.clear();
    this.#set({ ...NOBODY, phase: "out", purpose: null });
  }

  #set(change) {
    this.#state = { ...this.#state, ...change };
    this.#listeners.forEach((listener) => listener());
  }
}

/** What went wrong in a mutation, in a sentence, or null. */
function problemOf(answer, field) {
  const errors = answer.data?.[field]?.errors ?? answer.errors ?? [];
  return errors[0]?.message ?? (answer.data?.[field] ? null : "That did not work.");
}

const renewal = (seconds) => Date.now() + seconds * 1000 - EARLY;

/** The operation's name, if the document has it: GraphiQL notices an edit a moment late. */
function nameIn({ query, operationName }) {
  try {
    const operations = parse(query).definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
    return operations.some(({ name }) => name?.value === operationName) ? operationName : undefined;
  } catch {
    return operationName; // the API says what is wrong with the document
  }
}

function isQuery({ query, operationName }) {
  return parse(query).definitions.every(
    ({ name, operation }) => operation === undefined || operation === "query" || name?.value !== operationName,
  );
}

/** Staff begin with what their role is for, everybody else with their own account. */
function usual(purposes, roles) {
  return (roles.length && purposes.find((purpose) => purpose !== "ACCOUNT")) || purposes[0] || null;
}
