// Who is signed in, for which purpose they act, and the requests made for them.
//
// Tokens are in HttpOnly cookies: no script sees them. An access token holds for minutes, so the session is
// refreshed shortly before it ends: an introspection by somebody whose token has just ended would not
// fail, but show the schema that nobody may use.

import { isUnauthenticated, post } from "./api.js";

const PERSON = "user { username fullName } expiresIn errors { code message }";
const SIGN_IN = `mutation SignIn($input: SignInInput!) { signIn(input: $input) { ${PERSON} } }`;
const REFRESH = `mutation RefreshSession { refreshSession { ${PERSON} } }`;
const SIGN_OUT = "mutation SignOut { signOut { ended } }";
const MY_ACCESS = "query MyAccess { myAccess { roles purposes } }";
const PURPOSES = "query Purposes { purposes { key name description refusal } }";
const EARLY = 20_000; // milliseconds before its end at which a token is renewed
const REMEMBERED = "fieldward:purpose";

const NOBODY = { person: null, roles: [], purposes: [] };

export class Session {
  #listeners = new Set();
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

  /** Resolves to null, or to what went wrong in a sentence. */
  async signIn(login, password) {
    const answer = await post({ query: SIGN_IN, variables: { input: { login, password, cookie: true } } });
    const payload = answer.data?.signIn;
    const problem = (payload?.errors ?? answer.errors)?.[0];
    if (problem) return problem.message;
    sessionStorage.removeItem(REMEMBERED);
    await this.#take(payload);
    return null;
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
    await this.#renewed();
    const answer = await post(request, { purpose: this.#state.purpose, headers });
    if (!this.#state.person || !isUnauthenticated(answer) || headers?.Authorization) return answer;
    // Ended from elsewhere: by signing out in another tab, or by an administrator.
    await this.#renewed({ now: true });
    return this.#state.person ? post(request, { purpose: this.#state.purpose, headers }) : answer;
  };

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

  async #take(payload) {
    if (!payload?.expiresIn) {
      this.#leave();
      return;
    }
    this.#renewAt = Date.now() + payload.expiresIn * 1000 - EARLY;
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
    this.#set({ ...NOBODY, phase: "out", purpose: null });
  }

  #set(change) {
    this.#state = { ...this.#state, ...change };
    this.#listeners.forEach((listener) => listener());
  }
}

/** Staff begin with what their role is for, everybody else with their own account. */
function usual(purposes, roles) {
  return (roles.length && purposes.find((purpose) => purpose !== "ACCOUNT")) || purposes[0] || null;
}
