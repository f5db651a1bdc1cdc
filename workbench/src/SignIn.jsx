// The sign-in box. The answer sets HttpOnly cookies: no token is kept in scripts.

import { useState } from "react";
import { useSession } from "./context.js";

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

  async function enter(login, password) {
    setBusy(true);
    setProblem(null);
    try {
      const wrong = await session.signIn(login, password);
      if (wrong) setProblem(wrong);
      else dialog.current.close();
    } catch {
      setProblem("The API does not answer.");
    } finally {
      setBusy(false);
    }
  }

  function submit(event) {
    event.preventDefault();
    const form = new FormData(event.target);
    enter(form.get("login"), form.get("password"));
  }

  return (
    <dialog aria-labelledby="sign-in-title" className="sign-in" onClose={() => setProblem(null)} ref={dialog}>
      <form onSubmit={submit}>
        <div className="title">
          <h2 id="sign-in-title">Sign in</h2>
          <button aria-label="Close" className="quiet" onClick={() => dialog.current.close()} type="button">✕</button>
        </div>
        <label htmlFor="login">User name or email address</label>
        <input autoCapitalize="none" autoComplete="username" id="login" name="login" required spellCheck={false} />
        <label htmlFor="password">Password</label>
        <input autoComplete="current-password" id="password" name="password" required type="password" />
        <p className="problem" role="alert">{problem}</p>
        <button className="primary" disabled={busy} type="submit">{busy ? "Signing in…" : "Sign in"}</button>
      </form>
      {demo && <Demo busy={busy} demo={demo} enter={enter} />}
    </dialog>
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
