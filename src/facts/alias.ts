/**
 * Alias patterns: which modules would bind to what a bus announces. scripts/mod/file2alias.c, modules.alias(5), fnmatch(3)
 *
 * modules.alias has 25,000 lines. A question looks only at those whose literal beginning can match: "pci:v00008086d" and "pci:v*"
 * for one PCI function. What was found for a beginning is kept, so the next function of that vendor costs no search.
 */

export interface Claim {
  readonly pattern: string;
  readonly module: string;
}

/** Where alias lines are written: all claims whose pattern starts with `prefix`, in file order. */
export interface AliasText {
  starting(prefix: string): readonly Claim[];
  of(module: string): readonly string[];
}

/** Does an alias pattern (fnmatch: * ? [..]) match a modalias? Goes back to the last `*` only, so never exponential. */
export function aliasMatches(pattern: string, modalias: string): boolean {
  let [at, from] = [0, 0];
  let [star, resume] = [-1, 0];
  while (from < modalias.length) {
    const next = pattern[at] === "*" ? undefined : matchOne(pattern, at, modalias.charCodeAt(from));
    if (pattern[at] === "*") {
      star = at++;
      resume = from;
    } else if (next !== undefined) {
      at = next;
      from++;
    } else if (star >= 0) {
      at = star + 1;
      from = ++resume;
    } else {
      return false;
    }
  }
  while (pattern[at] === "*") at++;
  return at === pattern.length;
}

/** Offset in the pattern after the element that matches one character, undefined when it does not. */
function matchOne(pattern: string, at: number, code: number): number | undefined {
  const element = pattern[at];
  if (element === undefined) return undefined;
  if (element === "?") return at + 1;
  if (element === "[") {
    const end = pattern.indexOf("]", at + 2);
    if (end > 0) return inSet(pattern.slice(at + 1, end), code) ? end + 1 : undefined;
  }
  return pattern.charCodeAt(at) === code ? at + 1 : undefined;
}

function inSet(set: string, code: number): boolean {
  const not = set.startsWith("!") || set.startsWith("^");
  const body = not ? set.slice(1) : set;
  let found = false;
  for (let i = 0; i < body.length && !found; i++) {
    const low = body.charCodeAt(i);
    const ranged = body[i + 1] === "-" && i + 2 < body.length;
    const high = ranged ? body.charCodeAt(i + 2) : low;
    if (ranged) i += 2;
    found = code >= low && code <= high;
  }
  return found !== not;
}

/** Modules whose patterns match, in file order, each once. */
export function claimsIn(text: AliasText, modalias: string): readonly string[] {
  const modules = new Set<string>();
  for (const prefix of beginnings(modalias)) {
    for (const { pattern, module } of text.starting(prefix)) {
      if (!modules.has(module) && aliasMatches(pattern, modalias)) modules.add(module);
    }
  }
  return [...modules];
}

/** Beginnings of all patterns that the kernel's own tools write and that can match this modalias. */
function beginnings(modalias: string): readonly string[] {
  const pci = /^pci:v[0-9A-F]{8}d/.exec(modalias);
  if (pci !== null) return [pci[0], "pci:v*"];
  const usb = /^usb:v[0-9A-F]{4}p/.exec(modalias);
  if (usb !== null) return [usb[0], "usb:v*"];
  const of = /^of:N([^T]*)T([^C]*)(.*)$/s.exec(modalias);
  if (of !== null) {
    const compatibles = [...new Set((of[3] ?? "").split("C").filter((word) => word.length > 2))].slice(
      0,
      MOST_COMPATIBLES,
    );
    return [`of:N${of[1] ?? ""}T`, ...compatibles.map((word) => `of:N*T*C${word}`), "of:N*T*C*"];
  }
  const bus = /^[a-z0-9_-]{2,}(?=:)/i.exec(modalias)?.[0];
  return bus === undefined ? [] : [bus];
}

/** Compatibles of one node that are asked about; the longest list in 1,700 device trees has 9. */
const MOST_COMPATIBLES = 32;

/** modules.alias: lines `alias PATTERN MODULE`. */
export function aliasFile(content: string): AliasText {
  const text = content.startsWith("\n") ? content : `\n${content}`;
  return searched({
    starting: (prefix) =>
      everywhere(text, `\nalias ${prefix}`, (at) => {
        const [, pattern, module] = text.slice(at + 1, lineEnd(text, at + 1, "\n")).split(" ");
        return pattern === undefined || module === undefined ? undefined : { pattern, module };
      }),
    of: (module) =>
      everywhere(text, ` ${module}\n`, (at) => {
        const start = text.lastIndexOf("\n", at) + 1;
        return text.startsWith("alias ", start) ? text.slice(start + 6, at) : undefined;
      }),
  });
}

/** modules.builtin.modinfo: NUL-terminated `MODULE.alias=PATTERN` among other keys. */
export function builtinModinfo(content: string): AliasText {
  const text = content.startsWith("\0") ? content : `\0${content}`;
  const value = (at: number): string => text.slice(text.indexOf("=", at) + 1, lineEnd(text, at, "\0"));
  return searched({
    starting: (prefix) =>
      everywhere(text, `.alias=${prefix}`, (at) => ({
        pattern: value(at),
        module: text.slice(text.lastIndexOf("\0", at) + 1, at),
      })),
    of: (module) => everywhere(text, `\0${module}.alias=`, (at) => value(at + 1)),
  });
}

function everywhere<T>(text: string, needle: string, read: (at: number) => T | undefined): readonly T[] {
  const found: T[] = [];
  for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + 1)) {
    const value = read(at);
    if (value !== undefined) found.push(value);
  }
  return found;
}

function lineEnd(text: string, from: number, end: string): number {
  const at = text.indexOf(end, from);
  return at < 0 ? text.length : at;
}

/** The same beginnings are asked for again and again (pci:v*): keep what they gave. */
function searched(text: AliasText): AliasText {
  const [kept, keptOf] = [new Map<string, readonly Claim[]>(), new Map<string, readonly string[]>()];
  return {
    starting: (prefix) => keep(kept, prefix, () => text.starting(prefix)),
    of: (module) => keep(keptOf, module, () => text.of(module)),
  };
}

function keep<T>(kept: Map<string, T>, key: string, make: () => T): T {
  let value = kept.get(key);
  if (value === undefined) {
    value = make();
    kept.set(key, value);
  }
  return value;
}
