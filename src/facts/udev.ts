/** udev rules that set group or mode of accelerator nodes. udev(7): directories, order, syntax */

import { firstRead, map, valueOf, type Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";
import { aliasMatches } from "./alias.ts";

export interface UdevRule {
  readonly file: string;
  readonly line: number;
  /** The whole rule, continuation lines joined. */
  readonly text: string;
  readonly group?: string;
  readonly mode?: string;
  /** The rule gives the node to whoever sits at the machine: TAG+="uaccess". */
  readonly uaccess: boolean;
}

/** A file hides those of its name in later directories. */
const DIRECTORIES = [
  "/etc/udev/rules.d",
  "/run/udev/rules.d",
  "/usr/local/lib/udev/rules.d",
  "/usr/lib/udev/rules.d",
  "/lib/udev/rules.d",
];
/** A distribution with everything has some 300 files; the longest (hwdb aside) some 3,000 lines. */
const FILE_LIMIT = 2_000;
const LINE_LIMIT = 20_000;
const RULE_LIMIT = 16 * 1024;

/** Key, operator and value of one term: ATTRS{idVendor}=="1a6e" */
const TERM = /([A-Z_]{1,32})(?:\{[^{}"]{0,128}\})?\s{0,8}(==|!=|\+=|-=|:=|=)\s{0,8}[ei]?"((?:[^"\\]|\\.){0,512})"/g;

/**
 * Rules that match on any of `words` (SUBSYSTEM values, KERNEL names or globs, vendor ids) and that set GROUP, MODE or uaccess, in
 * the order udev applies them: the last one to set a thing wins.
 */
export function findUdevRules(root: Root, words: readonly string[]): Reading<readonly UdevRule[]> {
  const files = new Map<string, string>();
  const lists = DIRECTORIES.map((directory) => {
    const list = root.list(directory);
    for (const name of valueOf(list) ?? []) {
      if (name.endsWith(".rules") && !files.has(name) && files.size < FILE_LIMIT)
        files.set(name, `${directory}/${name}`);
    }
    return list;
  });
  return map(firstRead(lists, "/usr/lib/udev/rules.d"), () => {
    const names = [...files.keys()].sort();
    return names.flatMap((name) => {
      const file = files.get(name) ?? name;
      const text = valueOf(root.text(file));
      return text === undefined ? [] : parseRules(text, file, words);
    });
  });
}

function parseRules(text: string, file: string, words: readonly string[]): UdevRule[] {
  const rules: UdevRule[] = [];
  let joined = "";
  let start = 0;
  for (const [index, line] of text.split("\n", LINE_LIMIT).entries()) {
    if (joined === "") start = index + 1;
    if (joined === "" && /^\s*#/.test(line)) continue;
    if (line.endsWith("\\") && joined.length < RULE_LIMIT) {
      joined += line.slice(0, -1);
      continue;
    }
    const rule = parseRule((joined + line).trim().slice(0, RULE_LIMIT), words);
    if (rule) rules.push({ file, line: start, ...rule });
    joined = "";
  }
  return rules;
}

function parseRule(text: string, words: readonly string[]): Omit<UdevRule, "file" | "line"> | undefined {
  let [named, uaccess] = [false, false];
  let group: string | undefined;
  let mode: string | undefined;
  for (const [, key = "", operator = "", value = ""] of text.matchAll(TERM)) {
    if (operator === "==") named ||= words.some((word) => names(value, word));
    else if (operator === "!=") continue;
    else if (key === "GROUP") group = value;
    else if (key === "MODE") mode = value;
    else if (key === "TAG" && operator === "+=" && value === "uaccess") uaccess = true;
  }
  if (!named || (group === undefined && mode === undefined && !uaccess)) return undefined;
  return {
    text,
    ...(group === undefined ? {} : { group }),
    ...(mode === undefined ? {} : { mode }),
    uaccess,
  };
}

/** Does one of a value's alternatives ("accel|habanalabs", "renderD*") mean this word, or this glob? "*" alone means nothing. */
function names(value: string, word: string): boolean {
  return value.split("|").some((alternative) => {
    if (alternative === word) return true;
    const literal = alternative.search(/[*?[]/);
    return literal < 0 ? aliasMatches(word, alternative) : literal >= 2 && aliasMatches(alternative, word);
  });
}
