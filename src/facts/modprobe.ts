/**
 * What modprobe was told: modprobe.d(5), and the kernel's own words for it on the command line (module_blacklist=,
 * initcall_blacklist=, modprobe.blacklist= of kmod, MODULE.PARAMETER=). Documentation/admin-guide/kernel-parameters.txt
 */

import { firstRead, read, valueOf, type Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";

/** What modprobe.d or the command line says about one module. */
export interface ModprobeRule {
  /** "initcall" is initcall_blacklist: `module` is then the name of a function built into the kernel. */
  readonly kind: "blacklist" | "install" | "options" | "softdep" | "alias" | "initcall";
  readonly module: string;
  /** What is said about it: the command of install, the words of options, the pattern of alias; "" for blacklist. */
  readonly says: string;
  /** File, or /proc/cmdline. */
  readonly file: string;
}

/** First wins where two hold a file of the same name. */
const directories = [
  "/etc/modprobe.d",
  "/run/modprobe.d",
  "/usr/local/lib/modprobe.d",
  "/usr/lib/modprobe.d",
  "/lib/modprobe.d",
];

/** All of /etc/modprobe.d, /run/modprobe.d, /usr/lib/modprobe.d, /lib/modprobe.d, plus module_blacklist= and modprobe.blacklist= of the command line. */
export function readModprobe(root: Root): Reading<readonly ModprobeRule[]> {
  const lists = directories.map((directory) => root.list(directory));
  const files = new Map<string, string>();
  lists.forEach((list, i) => {
    for (const name of valueOf(list) ?? []) {
      if (name.endsWith(".conf") && !files.has(name)) files.set(name, `${directories[i] ?? ""}/${name}`);
    }
  });
  const rules = [...files.keys()].sort().flatMap((name) => {
    const file = files.get(name) ?? "";
    return parseModprobe(valueOf(root.text(file)) ?? "", file);
  });
  const cmdline = root.text("/proc/cmdline");
  if (cmdline.state === "read") rules.push(...parseCommandLine(cmdline.value, cmdline.from));
  // An installation has at least one of the directories; where none could be looked at and the command line neither, we know nothing.
  if (rules.length === 0 && cmdline.state !== "read" && lists.every((list) => list.state !== "read")) {
    const first = firstRead(lists, "/etc/modprobe.d");
    if (first.state !== "read" && first.state !== "absent") return first;
  }
  return read(rules, "/etc/modprobe.d");
}

/** Will modprobe refuse to load this module by its alias, and by whose word? An `install` of false or true counts. */
export function blockedBy(rules: readonly ModprobeRule[], module: string): ModprobeRule | undefined {
  return rules.find(
    (rule) =>
      rule.module === module &&
      (rule.kind === "blacklist" || (rule.kind === "install" && /^(\/usr)?(\/bin\/)?(false|true|:)\b/.test(rule.says))),
  );
}

function parseModprobe(text: string, file: string): ModprobeRule[] {
  const rules: ModprobeRule[] = [];
  for (const line of text.replace(/\\\r?\n/g, " ").split("\n")) {
    const [kind, first, ...rest] = line.trim().split(/\s+/);
    if (kind === undefined || kind.startsWith("#") || first === undefined) continue;
    if (kind === "blacklist") rules.push({ kind, module: spelled(first), says: "", file });
    else if (kind === "install" || kind === "options" || kind === "softdep") {
      rules.push({ kind, module: spelled(first), says: rest.join(" "), file });
    } else if (kind === "alias" && rest[0] !== undefined) {
      rules.push({ kind, module: spelled(rest[0]), says: first, file });
    }
  }
  return rules;
}

function parseCommandLine(text: string, file: string): ModprobeRule[] {
  const rules: ModprobeRule[] = [];
  for (const word of text.trim().split(/\s+/)) {
    const [key = "", ...rest] = word.split("=");
    const value = rest.join("=");
    if (key === "module_blacklist" || key === "modprobe.blacklist") {
      for (const name of listed(value)) rules.push({ kind: "blacklist", module: spelled(name), says: key, file });
    } else if (key === "initcall_blacklist") {
      for (const name of listed(value)) rules.push({ kind: "initcall", module: name, says: key, file });
    } else {
      const dot = key.indexOf(".");
      if (dot > 0 && rest.length > 0) {
        const parameter = key.slice(dot + 1);
        rules.push({ kind: "options", module: spelled(key.slice(0, dot)), says: `${parameter}=${value}`, file });
      }
    }
  }
  return rules;
}

const listed = (value: string): string[] => value.split(",").filter((name) => name !== "");

/** Names may be written with "-" anywhere; the kernel says "_". */
export function spelled(name: string): string {
  return name.replaceAll("-", "_");
}
