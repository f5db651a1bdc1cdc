// Who is signed in, and the purpose of every request.

import { useRef } from "react";
import { Account } from "./Account.jsx";
import { useSession } from "./context.js";
import { SignIn } from "./SignIn.jsx";

export function TopBar() {
  const { session, state } = useSession();
  const dialog = useRef(null);
  return (
    <header className="top">
      <div className="brand">
        <Shield />
        <h1>Fieldward</h1>
      </div>
      <PurposeSelect session={session} state={state} />
      {state.phase === "in" && <Account session={session} state={state} />}
      {state.phase === "out" && (
        <button className="primary" onClick={() => open(dialog.current)} type="button">
          Sign in
        </button>
      )}
      <SignIn dialog={dialog} />
    </header>
  );
}

/** With the first field in focus, and not the button that closes it again. */
function open(dialog) {
  dialog.showModal();
  dialog.querySelector("input").focus();
}

function PurposeSelect({ session, state }) {
  const notice = state.notices.find((each) => each.key === state.purpose);
  return (
    <div className="purpose">
      <label htmlFor="purpose">Purpose</label>
      {state.person ? (
        <>
          <select id="purpose" onChange={(event) => session.choose(event.target.value)} value={state.purpose ?? ""}>
            {state.purposes.map((key) => (
              <option key={key} value={key}>
                {key} · {state.notices.find((each) => each.key === key)?.name}
              </option>
            ))}
          </select>
          <span className="hint">{notice?.description}</span>
        </>
      ) : (
        <select disabled id="purpose">
          <option>{state.phase === "loading" ? "…" : "Sign in to choose one"}</option>
        </select>
      )}
    </div>
  );
}

function Shield() {
  return (
    <svg aria-hidden="true" height="28" viewBox="0 0 32 32" width="28">
      <path className="shield" d="M16 2 4 6.5v8.7C4 22.4 9 27.8 16 30c7-2.2 12-7.6 12-14.8V6.5z" />
      <path className="lines" d="M11 11h10M11 16h6m3.5 0h.5M11 21h10" />
    </svg>
  );
}
