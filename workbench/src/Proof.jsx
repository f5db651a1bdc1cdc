// Proving who one is: by password, by a code of an app, by a recovery code, or by a passkey.

import { useEffect, useState } from "react";
import { supportsPasskeys, usePasskey } from "./passkeys.js";

const TEXTS = {
  PASSWORD: { label: "Password", other: "Use the password" },
  TOTP: { label: "Code from your authenticator app", other: "Use a code from the app" },
  RECOVERY_CODE: { label: "Recovery code", other: "Use a recovery code" },
};
const INPUTS = {
  PASSWORD: { autoComplete: "current-password", name: "password", type: "password" },
  TOTP: { autoComplete: "one-time-code", inputMode: "numeric", maxLength: 10, name: "code" },
  RECOVERY_CODE: { autoCapitalize: "none", autoComplete: "off", name: "recoveryCode", spellCheck: false },
};

/** `kinds` are the ways that there are, best first; `prove(proof)` resolves to null, or to what went wrong. */
export function Proof({ action, kinds, passkeyOptions, prove }) {
  const passkeys = kinds.includes("PASSKEY") && Boolean(passkeyOptions) && supportsPasskeys();
  const typed = kinds.filter((kind) => kind in INPUTS);
  const [chosen, choose] = useState(typed[0]);
  const [problem, setProblem] = useState(null);
  const [busy, setBusy] = useState(false);

  async function attempt(make) {
    setBusy(true);
    setProblem(null);
    try {
      setProblem(await prove(await make()));
    } catch (error) {
      setProblem(error.name === "NotAllowedError" ? "No passkey was used." : "That did not work. Try again.");
    } finally {
      setBusy(false);
    }
  }

  function submit(event) {
    event.preventDefault();
    const form = event.target;
    attempt(async () => Object.fromEntries(new FormData(form))).finally(() => form.reset());
  }

  return (
    <>
      {passkeys && (
        <button
          className={typed.length ? "way" : "primary way"}
          disabled={busy}
          onClick={() => attempt(async () => ({ passkey: await usePasskey(passkeyOptions) }))}
          type="button"
        >
          Use a passkey
        </button>
      )}
      {chosen && (
        <form key={chosen} onSubmit={submit}>
          <label htmlFor="proof">{TEXTS[chosen].label}</label>
          <Focused id="proof" required {...INPUTS[chosen]} />
          <button className="primary" disabled={busy} type="submit">{busy ? "One moment…" : action}</button>
        </form>
      )}
      <p className="problem" role="alert">{problem}</p>
      <p className="others">
        {typed.filter((kind) => kind !== chosen).map((kind) => (
          <button className="link" disabled={busy} key={kind} onClick={() => choose(kind)} type="button">
            {TEXTS[kind].other}
          </button>
        ))}
      </p>
    </>
  );
}

/** A field that has the focus when it appears. */
function Focused({ id, ...rest }) {
  useEffect(() => document.getElementById(id)?.focus(), [id]);
  return <input id={id} {...rest} />;
}
