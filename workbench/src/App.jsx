// The page: who is asking and what for at the top, GraphiQL beneath, its answers explained.

import { DOC_EXPLORER_PLUGIN } from "@graphiql/plugin-doc-explorer";
import { HISTORY_PLUGIN } from "@graphiql/plugin-history";
import { GraphiQL } from "graphiql";
import { useMemo, useSyncExternalStore } from "react";
import { ACCESS_PLUGIN } from "./Access.jsx";
import { SessionContext } from "./context.js";
import { EXAMPLES_PLUGIN } from "./Examples.jsx";
import { WELCOME } from "./examples.js";
import { Explanation } from "./Explanation.jsx";
import { storage } from "./storage.js";
import { TopBar } from "./TopBar.jsx";

// Constant: GraphiQL opens the first plugin again whenever it is given another list.
const PLUGINS = [EXAMPLES_PLUGIN, ACCESS_PLUGIN, HISTORY_PLUGIN];
const NARROW = "(max-width: 720px)";

export function App({ demo, session }) {
  const state = useSyncExternalStore(session.subscribe, session.snapshot);
  return (
    <SessionContext.Provider value={{ demo, session, state }}>
      <TopBar />
      {state.phase === "loading" ? (
        <p className="loading" role="status">Opening the workbench…</p>
      ) : (
        <Workbench session={session} person={state.person} purpose={state.purpose} />
      )}
    </SessionContext.Provider>
  );
}

function Workbench({ session, person, purpose }) {
  // GraphiQL reads the schema anew when it is given another fetcher: the schema is that of role and purpose.
  const fetcher = useMemo(
    () => (request, options) => session.send(request, options),
    [session, person?.username, purpose],
  );
  const narrow = useMemo(() => matchMedia(NARROW).matches, []);
  return (
    <main className="bench">
      <GraphiQL
        defaultQuery={WELCOME}
        fetcher={fetcher}
        inputValueDeprecation
        plugins={PLUGINS}
        referencePlugin={DOC_EXPLORER_PLUGIN}
        schemaDescription
        shouldPersistHeaders={false}
        showPersistHeadersSettings={false}
        storage={storage}
        visiblePlugin={narrow ? undefined : EXAMPLES_PLUGIN}
      >
        <GraphiQL.Logo>
          <span />
        </GraphiQL.Logo>
        <GraphiQL.Footer>
          <Explanation />
        </GraphiQL.Footer>
      </GraphiQL>
    </main>
  );
}
