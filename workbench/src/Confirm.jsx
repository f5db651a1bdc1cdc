// The box that asks for a fresh proof, when the API wants one before it answers.

import { useRef, useState } from "react";
import { createPortal } from "react-dom";
import { useSession } from "./context.js";
import { Proof } from "./Proof.jsx";

/** A button that opens the box. `again` sends the request again, null where that could do something twice;
 *  `wanted`: PASSWORD or SECOND_FACTOR. */
export function Confirm({ again, wanted }) {
  const { session } = useSession();
  const dialog = useRef(null);
  const [begun, setBegun] = useState(null);

  async function open() {
    setBegun(await session.beginStepUp().catch(() => ({ problem: "The API does not answer." })));
    dialog.current.showModal();
  }

  async function prove(proof) {
    const problem = await session.stepUp(proof.passkey ? { ...proof, challenge: begun.challenge } : proof);
    if (problem) return problem;
    dialog.current.close();
    again?.();
    return null;
  }

  return (
    <div className="confirm">
      <button onClick={open} type="button">Confirm it is you</button>
      {createPortal(
        <dialog aria-labelledby="confirm-title" className="sign-in" onClose={() => setBegun(null)} ref={dialog}>
          <div className="title">
            <h2 id="confirm-title">Confirm it is you</h2>
            <button aria-label="Close" className="quiet" onClick={() => dialog.current.close()} type="button">✕</button>
          </div>
          {begun && <Way again={again} begun={begun} prove={prove} wanted={wanted} />}
        </dialog>,
        document.body,
      )}
    </div>
  );
}

function Way({ again, begun, prove, wanted }) {
  if (begun.problem) return <p className="problem" role="alert">{begun.problem}</p>;
  const { kinds, passkeyOptions } = begun;
  const lacking = wanted === "SECOND_FACTOR" && kinds.length === 0;
  return (
    <>
      <p className="hint">
        {lacking
          ? "This needs a second factor, and you have none yet. Confirm with your password, then set one up with the " +
            "mutations enrolTotp and confirmTotp."
          : `It holds for 15 minutes. ${again ? "The request is sent again by itself." : "Then send the request again."}`}
      </p>
      <Proof
        action="Confirm"
        kinds={kinds.length ? kinds : ["PASSWORD"]}
        passkeyOptions={passkeyOptions}
        prove={prove}
      />
    </>
  );
}
