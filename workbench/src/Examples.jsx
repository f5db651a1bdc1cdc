// A pane with queries to begin with; those of the signed-in role are open.

import { useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { useSession } from "./context.js";
import { EXAMPLES, WELCOME } from "./examples.js";

const KNOWN = new Set([WELCOME, ...EXAMPLES.flatMap((group) => group.examples.map((example) => example.query))]);

function Examples() {
  const { session, state } = useSession();
  const load = useLoading(session, state);
  const mine = state.roles.length ? state.roles : [state.person ? "SELF" : null];
  return (
    <section aria-label="Examples" className="examples">
      <h2>Examples</h2>
      {EXAMPLES.map((group) => (
        <details key={`${group.for} ${mine}`} open={mine.includes(group.role)}>
          <summary>
            For <strong>{group.for}</strong>
          </summary>
          <ul>
            {group.examples.map((example) => (
              <li key={example.title}>
                <button onClick={() => load(example)} type="button">
                  <strong>{example.title}</strong>
                  <span>{example.about}</span>
                </button>
              </li>
            ))}
          </ul>
        </details>
      ))}
    </section>
  );
}

/** Put an example into the editor (a new tab when something of one's own is there) and choose its purpose. */
function useLoading(session, state) {
  const editor = useGraphiQL((store) => store.queryEditor);
  const { addTab, setVisiblePlugin } = useGraphiQLActions();
  return ({ purpose, query }) => {
    if (!editor) return;
    const text = editor.getValue();
    if (text.trim() && !KNOWN.has(text)) addTab();
    editor.setValue(query);
    if (purpose && purpose !== state.purpose && state.purposes.includes(purpose)) session.choose(purpose);
    if (matchMedia("(max-width: 720px)").matches) setVisiblePlugin(null);
    editor.focus();
  };
}

function Icon() {
  return (
    <svg aria-hidden="true" fill="none" height="1em" stroke="currentColor" strokeWidth="1.5" viewBox="0 0 14 14">
      <path d="M2 1.5h7l3 3v8H2z M4.5 6h5M4.5 8.5h5" />
    </svg>
  );
}

export const EXAMPLES_PLUGIN = { content: Examples, icon: Icon, title: "Examples" };
