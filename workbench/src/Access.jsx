// A pane that says how each field shows to the caller, for the purpose at the top of the page.

import { useEffect, useState } from "react";
import { useSession } from "./context.js";

const WORDS = { CLEAR: "clear", DENIED: "no", MASKED: "masked" };

function Access() {
  const { state } = useSession();
  const fields = useFields();
  const types = Object.entries(Object.groupBy(fields ?? [], ({ coordinate }) => coordinate.split(".")[0]));
  return (
    <section aria-label="Access" className="access">
      <h2>Access</h2>
      <p className="hint">
        {state.person
          ? `What ${state.person.username} reads for ${state.purpose}: of their own data, and of other people's.`
          : "Nobody is signed in: only what is public."}
      </p>
      {fields?.length === 0 && <p>The API does not say.</p>}
      {types.map(([type, entries]) => (
        <table key={type}>
          <thead>
            <tr>
              <th scope="col">{type}</th>
              <th scope="col">Own</th>
              <th scope="col">Others&rsquo;</th>
            </tr>
          </thead>
          <tbody>{entries.map((entry) => <Field entry={entry} key={entry.coordinate} />)}</tbody>
        </table>
      ))}
    </section>
  );
}

function Field({ entry }) {
  return (
    <tr>
      <th scope="row">
        <code>{entry.coordinate.split(".")[1]}</code>
        <span>{breakable(entry.label)}</span>
      </th>
      {[entry.own, entry.others].map((decision, index) => (
        <td className={decision?.outcome.toLowerCase()} key={index} title={decision?.remedy ?? decision?.rule}>
          {decision ? WORDS[decision.outcome] : "–"}
        </td>
      ))}
    </tr>
  );
}

/** A label that may be broken after its dots. */
const breakable = (label) => label.replaceAll(".", ".\u200b");

/** Null until they are known. */
function useFields() {
  const { session, state } = useSession();
  const [fields, setFields] = useState(null);
  useEffect(() => {
    let current = true;
    session.fields().then((found) => current && setFields(found), () => {});
    return () => {
      current = false;
    };
  }, [session, state.person?.username, state.purpose]);
  return fields;
}

function Icon() {
  return (
    <svg aria-hidden="true" fill="none" height="1em" stroke="currentColor" strokeWidth="1.5" viewBox="0 0 14 14">
      <path d="M7 1 2 3v3.5C2 9.5 4.2 12 7 13c2.8-1 5-3.5 5-6.5V3zM4.8 7l1.7 1.7 3-3.2" />
    </svg>
  );
}

export const ACCESS_PLUGIN = { content: Access, icon: Icon, title: "Access" };
