// Under the result: what was denied or withheld, in words.

import { useGraphiQL } from "@graphiql/react";
import { explain } from "./explain.js";

const MARK = { denied: "⊘", failed: "!", fine: "✓", withheld: "◐" };
const SHOWN = 20;

export function Explanation() {
  const text = useGraphiQL((state) => state.tabs[state.activeTabIndex]?.response);
  const found = explain(parsed(text));
  return (
    <section aria-label="Access" aria-live="polite" className={`explanation ${found?.tone ?? "none"}`}>
      {found && (
        <>
          <h2>
            <span aria-hidden="true" className="mark">{MARK[found.tone]}</span>
            {found.title}
          </h2>
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

function Note({ note }) {
  return (
    <li>
      <div className="what">
        {note.coordinate ? <code>{note.coordinate}</code> : <strong>{note.title}</strong>}
        {note.reason && <span className="chip">{note.reason}</span>}
        {note.times > 1 && <span className="times">{note.times} times</span>}
        {note.id && <span className="id">{note.id}</span>}
      </div>
      <p>
        {note.why} {note.help && <span className="help">{note.help}</span>}
      </p>
    </li>
  );
}

function parsed(text) {
  if (!text) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
