/** accelctl list: the one-screen inventory. Reads no log and judges only what its columns need. */

import { listText } from "../print/list.ts";
import { listDevices } from "../review/inventory.ts";
import { flag, type Command } from "./command.ts";
import { environmentsOf, rootOf, rootOptions, toJson } from "./common.ts";

const command: Command = {
  name: "list",
  summary: "one line per accelerator",
  usage: "",
  says: "Prints every accelerator with its address, driver, nodes and verdict. `--json` prints the devices of the report alone.",
  options: [...rootOptions, { name: "json", says: "print the devices as JSON" }],
  examples: [
    { command: "accelctl list", says: "what is in this machine" },
    { command: "accelctl list --json | jq -r '.[].family'", says: "for a script" },
  ],
  run(invocation) {
    const devices = listDevices(rootOf(invocation), { environments: environmentsOf(invocation) });
    invocation.out(flag(invocation, "json") ? toJson(devices) : listText(devices, invocation.terminal));
    return 0;
  },
};
export default command;
