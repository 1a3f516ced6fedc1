/** Starts the page. */

import { render } from "preact";
import { App } from "./app.tsx";
import "./style.css";

const at = document.getElementById("app");
if (at !== null) render(<App />, at);
