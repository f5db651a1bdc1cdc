// Under the result: what was denied or withheld, in words.

import { useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { useEffect, useState } from "react";
import { Confirm } from "./Confirm.jsx";
import { useSession } from "./context.js";
import { explain } from "./explain.js";

const MARK = { denied: "⊘", failed: "!", fine: "✓", withheld: "◐" };
const SHOWN = 20;

export function Explanation() {
  const text = useGraphiQL((state) => state.tabs[state.activeTabIndex]?.response);
  const { session } = useSession();
  const { run } = useGraphiQLActions();
  const found = explain(parsed(text), useReport(text));
  return (
    <section aria-label="Access" aria-live="polite" className={`explanation ${found?.tone ?? "none"}`}>
      {found && (
        <>
          <h2>
            <span aria-hidden="true" className="mark">{MARK[found.tone]}</span>
            {found.title}
          </h2>
          {found.wanted && <Confirm again={session.mayRepeat(text) ? run : null} wanted={found.wanted} />}
          {found.notes.length > 0 && (
            <ul>
              {found.notes.slice(0, SHOWN).map((note, index) => <Note key={index} note={note} />)}
              {found.notes.length > SHOWN && <li>And {found.notes.length - SHOWN} more.</li>}
            </ul>
          )}
        </>
      )}
    </section>
  );
}

/** What the policy says of the request that was answered with `text`; [] until it is known. */
function useReport(text) {
  const { session } = useSession();
  const [report, setReport] = useState({ entries: [], text: null });
  useEffect(() => {
    let current = true;
    if (text) session.report(text).then((entries) => current && setReport({ entries, text }), () => {});
    return () => {
      current = false;
    };
  }, [session, text]);
  return report.text === text ? report.entries : [];
}

function Note({ note }) {
  return (
    <li>
      <div className="what">
        {note.coordinate ? <code>{note.coordinate}</code> : <strong>{note.title}</strong>}
        {note.reason && <span className={note.reason === "MASKED" ? "chip masked" : "chip"}>{note.reason}</span>}
        {note.times > 1 && <span className="times">{note.times} times</span>}
        {note.label && <span className="label">{note.label}</span>}
      </div>
      <p>
        {note.why} {note.help && <span className="help">{note.help}</span>} <Purposes text={note.help} />
      </p>
      {note.id && <p className="id">{note.id}</p>}
    </li>
  );
}

/** Buttons for the purposes that a remedy names and that the caller may act for. */
function Purposes({ text }) {
  const { session, state } = useSession();
  const named = state.purposes.filter((key) => key !== state.purpose && text?.match(`\\bAsk for [A-Z_ or]*\\b${key}\\b`));
  return named.map((key) => (
    <button key={key} onClick={() => session.choose(key)} type="button">
      Use {key}
    </button>
  ));
}

function parsed(text) {
  if (!text) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
