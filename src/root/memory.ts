/**
 * A machine held in memory: what archives, captures, pasted text and tests are made of. It knows what it does not know: a lookup
 * that finds nothing is `absent` only below a prefix somebody covered, and `uncaptured` everywhere else.
 */

import { FileError } from "../base/errors.ts";
import { absent, malformed, read, uncaptured, unread, type Reading, type Unread } from "../base/reading.ts";
import { FILE_LIMIT, type Answer, type Ask, type Root, type RootKind, type Stat } from "./root.ts";
import { rootOver, type Tree } from "./tree.ts";

/** File content: text, bytes, or bytes unpacked when first wanted. */
export type Content = string | Uint8Array | (() => Reading<Uint8Array>);

interface Entry {
  stat: Reading<Stat>;
  content?: Content;
  /** Parts of a file of which the whole is not held. */
  slices?: { readonly offset: number; readonly length: number; readonly bytes: Uint8Array }[];
  target?: Reading<string>;
  children?: Set<string>;
  /** Stated names, or why there are none; a directory that only follows from its children has neither. */
  listing?: Reading<readonly string[]> | "children";
}

/** Nodes a tree may hold: the largest captured machine has some 6,000, a whole sysfs 100,000, a distribution 500,000. */
export const ENTRY_LIMIT = 300_000;

/** Collects a machine file by file. Paths are absolute and plain; parents follow by themselves. Later calls replace earlier ones. */
export class TreeBuilder {
  readonly #entries = new Map<string, Entry>();
  readonly #coverage = new Map<string, boolean>();
  readonly #access = new Map<string, Reading<boolean>>();
  readonly #answers = new Map<string, Reading<Answer>>();

  constructor() {
    this.#entries.set("/", { stat: read(directoryStat, "/"), children: new Set() });
  }

  file(path: string, content: Content, stat: Partial<Stat> = {}): this {
    const size =
      stat.size ??
      (typeof content === "string" ? Buffer.byteLength(content) : typeof content === "function" ? 0 : content.length);
    const entry = this.#put(path, { ...fileStat, ...stat, size });
    entry.content = content;
    return this;
  }

  link(path: string, target: string): this {
    const entry = this.#put(path, { ...fileStat, type: "link", mode: 0o777, size: Buffer.byteLength(target) });
    entry.target = read(target, path);
    return this;
  }

  /** A directory, and with it the promise that its listing is complete: the names given, else its children held here. */
  directory(path: string, stat: Partial<Stat> = {}, names?: readonly string[]): this {
    const entry = this.#put(path, { ...directoryStat, ...stat, type: "directory" });
    entry.listing = names === undefined ? "children" : read([...names].sort(), path);
    return this;
  }

  /** A directory whose listing is not held: what is not held in it is uncaptured. */
  passage(path: string, stat: Partial<Stat> = {}): this {
    this.#put(path, { ...directoryStat, ...stat, type: "directory" });
    return this;
  }

  /** A node of any type of which only the stat is known: devices, FIFOs, sockets. */
  node(path: string, stat: Partial<Stat> & Pick<Stat, "type">): this {
    this.#put(path, { mode: 0, uid: 0, gid: 0, size: 0, ...stat });
    return this;
  }

  /** It exists; what is in it was not captured. */
  present(path: string, size = 0): this {
    this.#put(path, { ...fileStat, size });
    return this;
  }

  /** It exists and cannot be read. */
  fails(path: string, state: Unread["state"], why?: string): this {
    const entry = this.#entries.get(path) ?? this.#put(path, fileStat);
    const failure = unread(state, path, why);
    if (entry.stat.state === "read" && entry.stat.value.type === "directory") entry.listing = failure;
    else entry.content = () => failure;
    return this;
  }

  /** Looking at the name itself (lstat) gave this. */
  unknown(path: string, state: Unread["state"], why?: string): this {
    const children = this.#entries.get(path)?.children;
    this.#parents(path);
    this.#entries.set(path, { stat: unread(state, path, why), ...(children === undefined ? {} : { children }) });
    return this;
  }

  slice(path: string, offset: number, length: number, bytes: Uint8Array): this {
    const entry = this.#entries.get(path) ?? this.#put(path, fileStat);
    (entry.slices ??= []).push({ offset, length, bytes });
    return this;
  }

  access(path: string, answer: Reading<boolean>): this {
    this.#access.set(path, answer);
    return this;
  }

  /** A recorded ioctl. Its answer depends on what was passed, so the struct and the buffers are part of the question. */
  answer(path: string, ask: Ask, answer: Reading<Answer>): this {
    this.#answers.set(`${path}\0${askKey(ask)}`, answer);
    return this;
  }

  /** As `answer`, with the key a capture holds. */
  answerByKey(path: string, key: string, answer: Reading<Answer>): this {
    this.#answers.set(`${path}\0${key}`, answer);
    return this;
  }

  /** What is not held below this prefix is absent. The longest prefix decides; "/" is a gap unless covered. */
  covers(prefix: string): this {
    this.#coverage.set(prefix, true);
    return this;
  }

  /** What is not held below this prefix is uncaptured. */
  gap(prefix: string): this {
    this.#coverage.set(prefix, false);
    return this;
  }

  has(path: string): boolean {
    return this.#entries.has(path);
  }

  build(kind: RootKind, name: string): Root {
    return rootOver(this.tree(), { kind, name });
  }

  tree(): Tree {
    const entries = this.#entries;
    const missing = (path: string): Unread => this.#missing(path);
    const tree: Tree = {
      lstat: (path) => entries.get(path)?.stat ?? missing(path),
      readlink: (path) => entries.get(path)?.target ?? missing(path),
      readdir: (path) => {
        const entry = entries.get(path);
        if (entry === undefined) return missing(path);
        const listing = entry.listing;
        if (typeof listing === "object") return listing;
        if (this.#coverage.get(path) === false) return uncaptured(path);
        if (listing === undefined && !this.#covered(path)) return uncaptured(path);
        return read([...(entry.children ?? [])].filter((name) => exists(entries.get(join(path, name)))).sort(), path);
      },
      read: (path, offset, length) => {
        const entry = entries.get(path);
        return entry === undefined ? missing(path) : part(entry, path, offset, length);
      },
      parts: (path) => entries.get(path)?.slices ?? [],
      missing,
      log: (path) => tree.read(path, 0, FILE_LIMIT),
    };
    if (this.#access.size > 0)
      tree.access = (path) => this.#access.get(path) ?? uncaptured(path, "who may open it was not recorded");
    if (this.#answers.size > 0) {
      tree.ask = (path, ask) =>
        this.#answers.get(`${path}\0${askKey(ask)}`) ?? uncaptured(path, `${ask.name} was not asked`);
    }
    return tree;
  }

  #put(path: string, stat: Stat): Entry {
    const before = this.#entries.get(path);
    const entry: Entry = { stat: read(stat, path) };
    if (stat.type === "directory") entry.children = before?.children ?? new Set();
    this.#parents(path);
    this.#entries.set(path, entry);
    return entry;
  }

  #parents(path: string): void {
    if (!path.startsWith("/")) throw new TypeError(`not an absolute path: ${path}`);
    let child = path;
    while (child !== "/") {
      const slash = child.lastIndexOf("/");
      const parent = slash === 0 ? "/" : child.slice(0, slash);
      const name = child.slice(slash + 1);
      let entry = this.#entries.get(parent);
      const known = entry?.children !== undefined;
      if (entry?.children === undefined) {
        // A name of which only a failure is known keeps it; anything else turns out to be a directory.
        const stat = entry !== undefined && entry.stat.state !== "read" ? entry.stat : read(directoryStat, parent);
        entry = { stat, children: new Set() };
        this.#entries.set(parent, entry);
      }
      entry.children?.add(name);
      if (this.#entries.size > ENTRY_LIMIT)
        throw new FileError(path, `more than ${ENTRY_LIMIT} files in one tree; unpack it and give the directory`);
      if (known) return;
      child = parent;
    }
  }

  /** The nearest statement decides: a covered or open prefix, or the listing of a directory that is held. */
  #missing(path: string): Unread {
    const own = this.#entries.get(path)?.stat;
    if (own !== undefined && own.state !== "read") return own;
    for (let child = path; child !== "/";) {
      const slash = child.lastIndexOf("/");
      const parent = slash === 0 ? "/" : child.slice(0, slash);
      const entry = this.#entries.get(parent);
      if (this.#coverage.has(parent)) break;
      if (entry !== undefined) {
        const stat = entry.stat;
        if (stat.state === "absent" || stat.state === "uncaptured") return { ...stat, from: path };
        if (entry.listing === "children") return this.#answerFor(path, true);
        if (typeof entry.listing === "object" && entry.listing.state === "read") {
          return this.#answerFor(path, !entry.listing.value.includes(child.slice(slash + 1)));
        }
        break;
      }
      child = parent;
    }
    return this.#answerFor(path, this.#covered(path));
  }

  #answerFor(path: string, known: boolean): Unread {
    return known ? absent(path) : uncaptured(path);
  }

  #covered(path: string): boolean {
    for (let prefix = path; ;) {
      const covered = this.#coverage.get(prefix);
      if (covered !== undefined) return covered;
      if (prefix === "/" || prefix === "") return false;
      const slash = prefix.lastIndexOf("/");
      prefix = slash === 0 ? "/" : prefix.slice(0, slash);
    }
  }
}

const directoryStat: Stat = { type: "directory", mode: 0o755, uid: 0, gid: 0, size: 0 };
const fileStat: Stat = { type: "file", mode: 0o644, uid: 0, gid: 0, size: 0 };

function exists(entry: Entry | undefined): boolean {
  return entry !== undefined && entry.stat.state !== "absent" && entry.stat.state !== "uncaptured";
}

function part(entry: Entry, path: string, offset: number, length: number): Reading<Uint8Array> {
  const content = entry.content;
  if (content === undefined) return sliced(entry, path, offset, length);
  if (typeof content === "function") {
    const unpacked = content();
    if (unpacked.state !== "read") return unpacked;
    return read(unpacked.value.subarray(offset, offset + length), path);
  }
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  return read(offset === 0 && length >= bytes.length ? bytes : bytes.subarray(offset, offset + length), path);
}

function sliced(entry: Entry, path: string, offset: number, length: number): Reading<Uint8Array> {
  for (const slice of entry.slices ?? []) {
    if (offset >= slice.offset && offset + length <= slice.offset + slice.length) {
      return read(slice.bytes.subarray(offset - slice.offset, offset - slice.offset + length), path);
    }
  }
  if (offset === 0 && length > FILE_LIMIT && entry.stat.state === "read" && entry.stat.value.size > FILE_LIMIT) {
    return malformed(path, "too large");
  }
  return uncaptured(path, "it exists; its content was not captured");
}

function join(directory: string, name: string): string {
  return directory === "/" ? `/${name}` : `${directory}/${name}`;
}

/** One line that tells questions apart: the request and all bytes that went in. */
export function askKey(ask: Ask): string {
  const hex = (bytes: Uint8Array): string =>
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
  const pointers = (ask.pointers ?? []).map((p) => `${p.at}:${p.size}:${p.bytes === undefined ? "" : hex(p.bytes)}`);
  return [ask.name, ask.code.toString(16), hex(ask.input), ...pointers].join(" ");
}
