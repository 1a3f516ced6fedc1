/** Starts the page. */

import { render } from "preact";
import { takeTokenFromAddress } from "./api.ts";
import { App } from "./app.tsx";
import "./style.css";
import "./parts/parts.css";

takeTokenFromAddress();
const at = document.getElementById("app");
if (at !== null) render(<App />, at);
