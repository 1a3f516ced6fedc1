/** accelctl open: the page of a server that runs here already, else the dashboard. */

import type { Command } from "./command.ts";
import { dashboardOptions, serveDashboard } from "./dashboard.ts";

const command: Command = {
  name: "open",
  summary: "open the page of the server that runs here, or start one",
  usage: "",
  says:
    "Opens the page of accelctl's server at --listen where one answers there (accelctl dashboard, accelctl serve), and ends. Where " +
    "none does, or --root names another machine, it is accelctl dashboard.",
  options: dashboardOptions,
  examples: [
    { command: "accelctl open", says: "the page, whether or not it is served already" },
    { command: "accelctl open --listen 127.0.0.1:8000", says: "the page of accelctl serve" },
  ],
  run: (invocation) => serveDashboard(invocation, { reuse: true }),
};
export default command;
