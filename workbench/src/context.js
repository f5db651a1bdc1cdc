import { createContext, useContext } from "react";

/** `{ demo, session, state }`: the demo sign-ins or null, the session, and a snapshot of it. */
export const SessionContext = createContext(null);

export const useSession = () => useContext(SessionContext);
