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
  /** Device-tree patterns by the compatible they name; those of another shape apart. */
  compatibles(): { readonly named: ReadonlyMap<string, readonly Claim[]>; readonly others: readonly Claim[] };
}

/**
 * Does an alias pattern (fnmatch: * ? [..]) match a modalias? Goes back to the last `*` only, and gives up on a pattern that makes
 * it go back more often than any real one does: linear in what it is given.
 */
export function aliasMatches(pattern: string, modalias: string): boolean {
  let [at, from] = [0, 0];
  let [star, resume] = [-1, 0];
  let left = STEPS * (pattern.length + modalias.length);
  while (from < modalias.length) {
    if (--left < 0) return false;
    const element = pattern.charCodeAt(at); // NaN past the end: equals nothing
    let next = -1;
    if (element === STAR) {
      star = at++;
      resume = from;
      continue;
    }
    if (element === QUESTION) next = at + 1;
    else if (element === BRACKET) next = afterSet(pattern, at, modalias.charCodeAt(from));
    else if (element === modalias.charCodeAt(from)) next = at + 1;
    if (next >= 0) {
      at = next;
      from++;
    } else if (star >= 0) {
      at = star + 1;
      from = ++resume;
    } else {
      return false;
    }
  }
  while (pattern.charCodeAt(at) === STAR) at++;
  return at === pattern.length;
}

/** Steps per character; the kernel's patterns need two. */
const STEPS = 8;
const [STAR, QUESTION, BRACKET] = [0x2a, 0x3f, 0x5b];

/** Offset after a [..] that holds the character, -1 when it does not. A bracket that is never closed stands for itself. */
function afterSet(pattern: string, at: number, code: number): number {
  const end = pattern.indexOf("]", at + 2);
  if (end < 0) return code === BRACKET ? at + 1 : -1;
  return inSet(pattern.slice(at + 1, end), code) ? end + 1 : -1;
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

/** Patterns held against one modalias; Intel, with the most PCI ids, has 2,800. */
const MOST_CANDIDATES = 20_000;
/** The kernel builds a modalias in a page, and the longest of 1,700 device trees has 300 characters. */
export const MODALIAS_LIMIT = 1024;

/** Modules whose patterns match, each once: in file order, for a device-tree node in the order of its compatibles. */
export function claimsIn(text: AliasText, modalias: string): readonly string[] {
  const modules = new Set<string>();
  for (const { pattern, module } of candidates(text, modalias).slice(0, MOST_CANDIDATES)) {
    if (!modules.has(module) && aliasMatches(pattern, modalias)) modules.add(module);
  }
  return [...modules];
}

/** All patterns that the kernel's own tools write and that can match this modalias. */
function candidates(text: AliasText, modalias: string): readonly Claim[] {
  const pci = /^pci:v[0-9A-F]{8}d/.exec(modalias);
  if (pci !== null) return [...text.starting(pci[0]), ...text.starting("pci:v*")];
  const usb = /^usb:v[0-9A-F]{4}p/.exec(modalias);
  if (usb !== null) return [...text.starting(usb[0]), ...text.starting("usb:v*")];
  if (modalias.startsWith("of:N")) {
    const { named, others } = text.compatibles();
    const words = compatiblesOf(modalias);
    return [...words.flatMap((word) => named.get(word) ?? []), ...others];
  }
  const bus = /^[a-z0-9_-]{2,}(?=:)/i.exec(modalias)?.[0];
  return bus === undefined ? [] : text.starting(bus);
}

/** Compatibles of one node that are asked about; the longest list in 1,700 device trees has 9. */
const MOST_COMPATIBLES = 32;

/** of:NnpuT(null)Cfsl,imx93-npuCarm,ethos-u65: each starts with C, and a C may also be part of one. */
function compatiblesOf(modalias: string): readonly string[] {
  const parts = modalias
    .slice(modalias.indexOf("T") + 1)
    .split("C")
    .slice(1, MOST_COMPATIBLES + 1);
  return parts.flatMap((part, i) => (i + 1 < parts.length ? [part, `${part}C${parts[i + 1] ?? ""}`] : [part]));
}

/** modules.alias: lines `alias PATTERN MODULE`. */
export function aliasFile(text: string): AliasText {
  return searched({
    starting: (prefix) =>
      everywhere(text, `alias ${prefix}`, (at) => {
        if (at > 0 && text[at - 1] !== "\n") return undefined;
        const end = lineEnd(text, at, "\n");
        const space = text.lastIndexOf(" ", end);
        return space < at + 6 ? undefined : { pattern: text.slice(at + 6, space), module: text.slice(space + 1, end) };
      }),
    of: (module) =>
      everywhere(text, ` ${module}\n`, (at) => {
        const start = text.lastIndexOf("\n", at) + 1;
        return text.startsWith("alias ", start) ? text.slice(start + 6, at) : undefined;
      }),
  });
}

/** modules.builtin.modinfo: NUL-terminated `MODULE.alias=PATTERN` among other keys. */
export function builtinModinfo(text: string): AliasText {
  const value = (at: number): string => text.slice(text.indexOf("=", at) + 1, lineEnd(text, at, "\0"));
  return searched({
    starting: (prefix) =>
      everywhere(text, `.alias=${prefix}`, (at) => ({
        pattern: value(at),
        module: text.slice(text.lastIndexOf("\0", at) + 1, at),
      })),
    of: (module) =>
      everywhere(text, `${module}.alias=`, (at) => (at === 0 || text[at - 1] === "\0" ? value(at) : undefined)),
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
function searched(text: Pick<AliasText, "starting" | "of">): AliasText {
  const [kept, keptOf] = [new Map<string, readonly Claim[]>(), new Map<string, readonly string[]>()];
  let byCompatible: ReturnType<AliasText["compatibles"]> | undefined;
  const starting = (prefix: string) => keep(kept, prefix, () => text.starting(prefix));
  return {
    starting,
    of: (module) => keep(keptOf, module, () => text.of(module)),
    compatibles: () => (byCompatible ??= sortCompatibles(starting("of:N"))),
  };
}

function sortCompatibles(claims: readonly Claim[]): ReturnType<AliasText["compatibles"]> {
  const named = new Map<string, Claim[]>();
  const others: Claim[] = [];
  for (const claim of claims) {
    const word = /^of:N\*T\*C([^*?[]+?)(?:C\*)?$/.exec(claim.pattern)?.[1];
    const known = word === undefined ? others : named.get(word);
    if (known !== undefined) known.push(claim);
    else if (word !== undefined) named.set(word, [claim]);
  }
  return { named, others };
}

function keep<T>(kept: Map<string, T>, key: string, make: () => T): T {
  let value = kept.get(key);
  if (value === undefined) {
    value = make();
    kept.set(key, value);
  }
  return value;
}
