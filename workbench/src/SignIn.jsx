// The sign-in box. The answer sets HttpOnly cookies: no token is kept in scripts.

import { useState } from "react";
import { useSession } from "./context.js";
import { supportsPasskeys } from "./passkeys.js";
import { Proof } from "./Proof.jsx";

const ABOUT = {
  subject: "A person, for their own data",
  minor: "A person under age",
  support: "Role SUPPORT",
  analyst: "Role ANALYST",
  privacy: "Role PRIVACY",
  security: "Role SECURITY",
  admin: "Role ADMIN",
};

export function SignIn({ dialog }) {
  const { demo, session } = useSession();
  const [problem, setProblem] = useState(null);
  const [busy, setBusy] = useState(false);
  const [second, setSecond] = useState(null);

  async function attempt(make) {
    setBusy(true);
    setProblem(null);
    try {
      const { problem: wrong, secondFactor } = await make();
      if (secondFactor) setSecond(secondFactor);
      else if (wrong) setProblem(wrong);
      else dialog.current.close();
    } catch (error) {
      setProblem(error.name === "NotAllowedError" ? "No passkey was used." : "The API does not answer.");
    } finally {
      setBusy(false);
    }
  }

  const enter = (login, password) => attempt(() => session.signIn(login, password));

  async function complete(proof) {
    const { ended, problem: wrong } = await session.completeSignIn({ ...proof, challenge: second.challenge });
    if (!ended && wrong) return wrong;
    if (ended) begin(wrong);
    else dialog.current.close();
    return null;
  }

  function begin(said = null) {
    setSecond(null);
    setProblem(said);
  }

  return (
    <dialog aria-labelledby="sign-in-title" className="sign-in" onClose={() => begin()} ref={dialog}>
      <div className="title">
        <h2 id="sign-in-title">{second ? "Your second factor" : "Sign in"}</h2>
        <button aria-label="Close" className="quiet" onClick={() => dialog.current.close()} type="button">✕</button>
      </div>
      {second ? <Proof action="Sign in" prove={complete} {...second} /> : (
        <First attempt={attempt} busy={busy} demo={demo} enter={enter} problem={problem} />
      )}
    </dialog>
  );
}

function First({ attempt, busy, demo, enter, problem }) {
  const { session } = useSession();

  function submit(event) {
    event.preventDefault();
    const form = new FormData(event.target);
    enter(form.get("login"), form.get("password"));
  }

  return (
    <>
      <form onSubmit={submit}>
        <label htmlFor="login">User name or email address</label>
        <input autoCapitalize="none" autoComplete="username" id="login" name="login" required spellCheck={false} />
        <label htmlFor="password">Password</label>
        <input autoComplete="current-password" id="password" name="password" required type="password" />
        <p className="problem" role="alert">{problem}</p>
        <button className="primary" disabled={busy} type="submit">{busy ? "Signing in…" : "Sign in"}</button>
      </form>
      {supportsPasskeys() && (
        <button className="way" disabled={busy} onClick={() => attempt(() => session.signInWithPasskey())} type="button">
          Sign in with a passkey
        </button>
      )}
      {demo && <Demo busy={busy} demo={demo} enter={enter} />}
    </>
  );
}

function Demo({ busy, demo, enter }) {
  return (
    <section aria-labelledby="demo-title" className="demo">
      <h3 id="demo-title">Or try the demo as</h3>
      <ul>
        {demo.people.map((name) => (
          <li key={name}>
            <button disabled={busy} onClick={() => enter(name, demo.password)} type="button">
              <strong>{name}</strong>
              <span>{ABOUT[name]}</span>
            </button>
          </li>
        ))}
      </ul>
      <p className="hint">
        Development only; the password of each is <code>{demo.password}</code>
      </p>
    </section>
  );
}
