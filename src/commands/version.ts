/** accelctl version */

import { version } from "../version.ts";
import type { Command } from "./command.ts";

const command: Command = {
  name: "version",
  summary: "print the version",
  usage: "",
  says: "Prints the version of accelctl and of Node.",
  options: [],
  examples: [],
  run(invocation) {
    invocation.out(`accelctl ${version} (node ${process.versions.node})\n`);
    return 0;
  },
};
export default command;
