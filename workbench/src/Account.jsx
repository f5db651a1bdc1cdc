// The signed-in person: name, roles, purposes, and the way out.

import { useEffect, useRef } from "react";

export function Account({ session, state }) {
  const menu = useRef(null);
  useClosing(menu);
  const { person, purposes, roles } = state;
  const name = person?.fullName || person?.username;
  return (
    <details className="account" ref={menu}>
      <summary aria-label={`Signed in as ${name}`}>
        <span aria-hidden="true" className="avatar">{name?.[0]}</span>
        <span className="name">{person?.username}</span>
        {roles.map((role) => <span className="chip" key={role}>{role}</span>)}
      </summary>
      <div className="menu">
        <p className="who">
          <strong>{name}</strong>
          <span>{person?.username}</span>
        </p>
        <dl>
          <dt>Roles</dt>
          <dd>{roles.length ? roles.join(", ") : "None: own data only"}</dd>
          <dt>May act for</dt>
          <dd>{purposes.join(", ")}</dd>
        </dl>
        <button onClick={() => session.signOut()} type="button">Sign out</button>
      </div>
    </details>
  );
}

/** Close an open `details` on Escape, and when something else is clicked or focused. */
function useClosing(menu) {
  useEffect(() => {
    const leave = (event) => {
      if (event.type === "keydown" ? event.key === "Escape" : !menu.current?.contains(event.target)) {
        menu.current?.removeAttribute("open");
      }
    };
    const kinds = ["keydown", "pointerdown", "focusin"];
    kinds.forEach((kind) => document.addEventListener(kind, leave));
    return () => kinds.forEach((kind) => document.removeEventListener(kind, leave));
  }, [menu]);
}
