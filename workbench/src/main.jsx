import "./workers.js";
import { createRoot } from "react-dom/client";
import { App } from "./App.jsx";
import { Session } from "./session.js";

const place = document.getElementById("workbench");
const demo = place.dataset.demo ? JSON.parse(place.dataset.demo) : null;
const session = new Session();

createRoot(place).render(<App demo={demo} session={session} />);
await session.start();
