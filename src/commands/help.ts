/** accelctl help [VERB] */

import { UsageError } from "../base/errors.ts";
import { commandText, usageText } from "../print/usage.ts";
import type { Command } from "./command.ts";

/** Verbs in the order a newcomer meets them; others follow by name. */
const order = [
  "review",
  "list",
  "explain",
  "inspect",
  "run",
  "bench",
  "delegates",
  "demo",
  "kernel",
  "board",
  "catalog",
  "capture",
];

export async function allCommands(): Promise<Command[]> {
  // The index imports this file too; reached late, when both are whole.
  const { commands } = await import("./index.ts");
  const loaded = await Promise.all(Object.values(commands).map((load) => load()));
  const rank = (name: string): number => (order.includes(name) ? order.indexOf(name) : order.length);
  return loaded
    .filter((command) => !command.name.startsWith("_"))
    .sort((a, b) => rank(a.name) - rank(b.name) || (a.name < b.name ? -1 : 1));
}

const command: Command = {
  name: "help",
  summary: "explain accelctl or one of its verbs",
  usage: "[VERB]",
  says: "Without VERB lists all verbs and exit codes.",
  options: [],
  examples: [],
  async run(invocation) {
    const all = await allCommands();
    const [name] = invocation.args;
    if (name === undefined) {
      invocation.out(usageText(all, invocation.terminal));
      return 0;
    }
    const found = all.find((candidate) => candidate.name === name);
    if (!found) throw new UsageError(`no verb "${name}"; see accelctl help for all verbs`);
    invocation.out(commandText(found, invocation.terminal));
    return 0;
  },
};
export default command;
