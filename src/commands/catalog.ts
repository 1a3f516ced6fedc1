/** accelctl catalog: what is known of hardware, whether or not it is here. */

import { UsageError } from "../base/errors.ts";
import type { Family } from "../families/family.ts";
import { allFamilies } from "../families/load.ts";
import { familyById } from "../families/match.ts";
import { catalogText, familyText } from "../print/catalog.ts";
import { flag, type Command } from "./command.ts";
import { toJson } from "./common.ts";

const command: Command = {
  name: "catalog",
  summary: "print what is known of accelerators: routes, openness, since which kernel, sources",
  usage: "[FAMILY]",
  says:
    "Without FAMILY one line per family. With FAMILY (an id such as hailo, or a part of a name) all of it: chips and ids, routes " +
    "layer by layer with drivers, firmware, nodes, runtimes and model formats, how open each is, how it was verified, and where " +
    "each fact is written. The same data makes docs/hardware.md.",
  options: [{ name: "json", says: "print the catalogue (or one family) as JSON" }],
  examples: [
    { command: "accelctl catalog", says: "all families" },
    { command: "accelctl catalog rockchip", says: "one family" },
  ],
  run(invocation) {
    const [name, ...more] = invocation.args;
    if (more.length > 0) throw new UsageError(`one FAMILY at a time; "${more[0] ?? ""}" is one too many`);
    if (name === undefined) {
      invocation.out(
        flag(invocation, "json") ? toJson(allFamilies()) : catalogText(allFamilies(), invocation.terminal),
      );
      return 0;
    }
    const family = familyById(name) ?? byPart(name);
    invocation.out(flag(invocation, "json") ? toJson(family) : familyText(family, invocation.terminal));
    return 0;
  },
};
export default command;

function byPart(name: string): Family {
  const wanted = name.toLowerCase();
  const found = allFamilies().filter((family) =>
    [
      family.id,
      family.vendor,
      family.name,
      ...(family.aliases ?? []),
      ...family.chips.flatMap((c) => [c.id, c.name]),
    ].some((word) => word.toLowerCase().includes(wanted)),
  );
  const [only, ...others] = found;
  if (only === undefined) throw new UsageError(`no family "${name}"; accelctl catalog lists all`);
  if (others.length > 0) {
    throw new UsageError(`"${name}" fits ${found.map((family) => family.id).join(", ")}; give one of them`);
  }
  return only;
}
