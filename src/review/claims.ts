/**
 * Does a module's alias list claim a catalogue match? The match is turned into the modalias its bus would announce, and that is
 * held against the patterns. scripts/mod/file2alias.c, drivers/pci/pci-sysfs.c (modalias_show), drivers/of/device.c
 */

import { aliasMatches } from "../facts/modules.ts";
import type { Match } from "../families/family.ts";

/** The first alias pattern that claims the match, undefined when none does. A CPU is claimed by no module. */
export function claimOf(match: Match, aliases: readonly string[]): string | undefined {
  const samples = modaliasesOf(match);
  return aliases.find((pattern) => samples.some((sample) => aliasMatches(pattern, sample)));
}

/** Modaliases a device of this match could announce: one per class it may have. */
export function modaliasesOf(match: Match): readonly string[] {
  switch (match.bus) {
    case "pci": {
      const [vendor, device] = [match.vendor.toUpperCase(), (match.device ?? "ffff").toUpperCase()];
      const id = `pci:v0000${vendor}d0000${device}sv00000000sd00000000`;
      return (match.classes ?? pciClasses).map((prefix) => {
        const code = prefix.padEnd(6, "0").toUpperCase();
        return `${id}bc${code.slice(0, 2)}sc${code.slice(2, 4)}i${code.slice(4, 6)}`;
      });
    }
    case "usb": {
      const [vendor = "", product = ""] = match.id.toUpperCase().split(":");
      return [`usb:v${vendor}p${product}d0100dc00dsc00dp00ic00isc00ip00in00`];
    }
    case "of":
      // A node may list less specific compatibles after it: both shapes of pattern are asked for.
      return (match.names ?? ["npu"]).flatMap((name) => {
        const node = `of:N${name}T(null)C${match.compatible}`;
        return [node, `${node}Cgeneric`];
      });
    case "platform":
      return [match.modalias.replaceAll("*", "0")];
    case "cpu":
      return [];
  }
}

/** Classes accelerators of one exact id are met with: processing accelerator, co-processor, 3D, display, system, signal, unassigned. */
const pciClasses: readonly string[] = ["1200", "0b40", "0302", "0300", "0380", "0880", "1180", "0480", "ff00"];

/** What an alias pattern stands for, in the spelling people use: 8086:7d1d, rockchip,rk3588-rknn-core. The pattern itself if it is none of these. */
export function describeAlias(pattern: string): string {
  const pci = /^pci:v0000([0-9A-F]{4})d(?:0000([0-9A-F]{4})|\*)sv\*sd\*bc(\*|..)sc(\*|..)i(\*|..)\*?$/.exec(pattern);
  if (pci !== null) {
    const [, vendor = "", device = "*", ...classes] = pci;
    const code = classes.join("").replaceAll("*", "");
    return `${vendor}:${device}`.toLowerCase() + (code === "" ? "" : ` class ${code.toLowerCase()}`);
  }
  const of = /^of:N\*T\*C(.*?)(?:C\*)?$/.exec(pattern)?.[1];
  if (of !== undefined) return of;
  const usb = /^usb:v([0-9A-F]{4})p([0-9A-F]{4})/.exec(pattern);
  return usb === null ? pattern : `${usb[1] ?? ""}:${usb[2] ?? ""}`.toLowerCase();
}
