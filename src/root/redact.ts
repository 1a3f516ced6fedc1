/**
 * Takes the owner out of a capture and leaves the machine in: serial numbers, MAC and IP addresses, host and user names, UUIDs of
 * disks and machine. The same original gives the same replacement throughout, so that "the card of line 3 is the card of line 9"
 * stays true. First everything is searched for such words (identities.ts), then each word found is replaced wherever it stands:
 * in contents, links, listings, paths, log lines, answers of drivers.
 *
 * A word that is also a word of the hardware (a host called "rocket") is replaced only where it can be nothing but the name.
 */

import type { CapturePath, CapturePaths, Failure } from "./capture.ts";
import { isEntry } from "./capture.ts";
import { findIdentities, KINDS, type Identity, type IdentityKind, type Names } from "./identities.ts";

export interface Redaction {
  readonly paths: Map<string, CapturePath | Failure>;
  /** The same replacements in another text, for comparing reports made before and after. */
  readonly apply: (text: string) => string;
  /** What was replaced, in one sentence; undefined when nothing was. */
  readonly note: string | undefined;
}

/** `names` are user and host names known from elsewhere: who runs this, on what. */
export function redact(paths: CapturePaths, names: Names = { users: [], hosts: [] }): Redaction {
  const identities = findIdentities(paths, names);
  const replacer = createReplacer(identities);
  const redacted = new Map<string, CapturePath | Failure>();
  for (const [path, entry] of paths) {
    const renamed = replacer.text(path, path);
    redacted.set(renamed, isEntry(entry) ? replaceEntry(entry, path, replacer) : replaceFailure(entry, path, replacer));
  }
  const counts = KINDS.map((kind) => ({
    kind,
    count: new Set(identities.filter((i) => i.kind === kind).map((i) => i.by)).size,
  }));
  const said = counts.filter(({ count }) => count > 0).map(({ kind, count }) => `${count} ${PLURALS[kind]}`);
  return {
    paths: new Map([...redacted].sort(([a], [b]) => (a < b ? -1 : 1))),
    apply: (text) => replacer.text(text, ""),
    note: said.length === 0 ? undefined : `replaced throughout: ${said.join(", ")}`,
  };
}

const PLURALS: Readonly<Record<IdentityKind, string>> = {
  serial: "serial number(s)",
  mac: "MAC address(es)",
  host: "host name(s)",
  user: "user name(s)",
  ipv4: "IPv4 address(es)",
  ipv6: "IPv6 address(es)",
  uuid: "UUID(s)",
  id: "machine id(s)",
  label: "label(s)",
};

interface Replacer {
  text(text: string, path: string): string;
  /** Same length: offsets in binary files go on pointing at what they did. */
  bytes(bytes: Buffer, path: string): Buffer;
}

function replaceEntry(entry: CapturePath, path: string, replacer: Replacer): CapturePath {
  const text = (value: string): string => replacer.text(value, path);
  const packed = (value: string): string => replacer.bytes(Buffer.from(value, "base64"), path).toString("base64");
  const hex = (value: string): string => replacer.bytes(Buffer.from(value, "hex"), path).toString("hex");
  const failed = (value: { readonly failed: Failure }): { failed: Failure } => ({
    failed: replaceFailure(value.failed, path, replacer),
  });
  const { names, target, text: content, base64, slices, asks, access } = entry;
  return {
    ...entry,
    ...(names === undefined ? {} : { names: isNames(names) ? names.map(text) : failed(names) }),
    ...(target === undefined ? {} : { target: text(target) }),
    ...(content === undefined ? {} : { text: text(content) }),
    ...(base64 === undefined ? {} : { base64: packed(base64) }),
    ...(entry.failed === undefined ? {} : { failed: replaceFailure(entry.failed, path, replacer) }),
    ...(slices === undefined ? {} : { slices: slices.map((slice) => ({ ...slice, base64: packed(slice.base64) })) }),
    ...(typeof access === "object" ? { access: failed(access) } : {}),
    ...(asks === undefined
      ? {}
      : {
          asks: Object.fromEntries(
            Object.entries(asks).map(([key, answer]) => [key, "failed" in answer ? failed(answer) : answer.map(hex)]),
          ),
        }),
  };
}

function isNames(names: NonNullable<CapturePath["names"]>): names is readonly string[] {
  return Array.isArray(names);
}

function replaceFailure(failure: Failure, path: string, replacer: Replacer): Failure {
  return typeof failure === "string" ? failure : [failure[0], replacer.text(failure[1], path)];
}

function createReplacer(identities: readonly Identity[]): Replacer {
  const everywhere = new Map<string, Identity>();
  const inPlace: Identity[] = [];
  for (const identity of identities) {
    if (identity.everywhere) everywhere.set(identity.word.toLowerCase(), identity);
    else inPlace.push(identity);
  }
  const words = [...everywhere.values()]
    .map(({ word }) => word)
    .sort((a, b) => b.length - a.length || (a < b ? -1 : 1));
  // Not inside a longer word: "anna" is not in "annapurna". Addresses end where no further digit or colon follows.
  const pattern =
    words.length === 0
      ? undefined
      : new RegExp(`(?<![A-Za-z0-9])(?:${words.map(escape).join("|")})(?![A-Za-z0-9])`, "gi");
  const byOf = (found: string): string => everywhere.get(found.toLowerCase())?.by ?? found;
  const text = (value: string, path: string): string => {
    let result = value;
    for (const identity of inPlace) result = replaceInPlace(result, path, identity);
    return pattern === undefined ? result : result.replace(pattern, byOf);
  };
  return {
    text,
    bytes: (bytes, path) => {
      const before = bytes.toString("latin1");
      let after = before;
      for (const { where, word, by } of inPlace) {
        if (where.has(path) && after.includes(word)) after = after.replaceAll(word, sized(by, word.length));
      }
      if (pattern !== undefined) after = after.replace(pattern, (found) => sized(byOf(found), found.length));
      return after === before ? bytes : Buffer.from(after, "latin1");
    },
  };
}

/** Places where a word can only be the owner's. */
function replaceInPlace(text: string, path: string, { kind, word, by, where }: Identity): string {
  if (where.has(path)) return text.replaceAll(new RegExp(`(?<![A-Za-z0-9])${escape(word)}(?![A-Za-z0-9])`, "g"), by);
  if (!text.includes(word)) return text;
  const w = escape(word);
  let result = text;
  for (const place of PLACES[kind] ?? []) {
    result = result.replace(new RegExp(place.replace("WORD", w), "gm"), (found: string) => found.replace(word, by));
  }
  return result;
}

const END = "(?![A-Za-z0-9_.-])";
const PLACES: Readonly<Partial<Record<IdentityKind, readonly string[]>>> = {
  host: [
    `^[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} WORD `,
    `^[0-9]{4}-[0-9]{2}-[0-9]{2}T[^ ]+ WORD `,
    `Hostname set to <WORD>`,
    `[hH]ost ?[nN]ame[=: ]+WORD${END}`,
    `_HOSTNAME=WORD$`,
    `@WORD${END}`,
  ],
  user: [`/home/WORD${END}`, `/run/media/WORD${END}`, `\\buser(?:name)?[=: ]+WORD${END}`, `\\bWORD@`],
  serial: [`(?:[sS]erial ?(?:[nN]umber)?|S/N|SN)\\s*[:=#]\\s*WORD${END}`],
};

function sized(by: string, length: number): string {
  return by.length >= length ? by.slice(by.length - length) : by.padEnd(length, "x");
}

function escape(word: string): string {
  return word.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
