/**
 * A root that passes every question on and keeps what came back, path by path: links, listings, stats, contents, refusals, what may
 * be opened, ioctl answers. What it kept is enough to answer the same questions again, and says nothing about others.
 */

import { map, type Reading, type Unread } from "../base/reading.ts";
import { CannotError } from "../base/errors.ts";
import { askKey } from "./memory.ts";
import type { Answer, Root, Stat } from "./root.ts";
import { rootOver, treeOf, type Tree } from "./tree.ts";

/** All that was asked of one exact path; what was not asked is not there. */
export interface Recorded {
  stat?: Reading<Stat>;
  target?: Reading<string>;
  names?: Reading<readonly string[]>;
  /** Whole content, or why there is none. */
  content?: Reading<Uint8Array>;
  /** Parts of a file of which the whole was not asked. */
  slices?: { readonly offset: number; readonly length: number; readonly bytes: Uint8Array }[];
  access?: Reading<boolean>;
  answers?: Map<string, Reading<Answer>>;
}

export interface Recording {
  readonly root: Root;
  readonly records: ReadonlyMap<string, Recorded>;
}

/** Record a root while something else asks it. */
export function record(source: Root): Recording {
  const tree = treeOf(source);
  if (tree === undefined) throw new CannotError(`${source.name}: this kind of root cannot be recorded`);
  const records = new Map<string, Recorded>();
  const of = (path: string): Recorded => {
    let record = records.get(path);
    if (record === undefined) records.set(path, (record = {}));
    return record;
  };
  const recording: Tree = {
    lstat: (path) => (of(path).stat = tree.lstat(path)),
    // What was answered once is answered so again: a report has one truth, also about memory that is in use.
    readlink: (path) => (of(path).target ??= tree.readlink(path)),
    readdir: (path) => (of(path).names ??= tree.readdir(path)),
    read: (path, offset, length) => {
      const content = of(path).content;
      if (content === undefined) return keep(of(path), offset, length, tree.read(path, offset, length));
      return map(content, (bytes) => bytes.subarray(offset, offset + length));
    },
    missing: (path): Unread => {
      const why = tree.missing(path);
      of(path).stat = why;
      return why;
    },
    access: (path) => (of(path).access ??= source.access(path)),
    ask: (path, ask) => {
      const answers = (of(path).answers ??= new Map<string, Reading<Answer>>());
      const key = askKey(ask);
      const answer = answers.get(key) ?? source.ask(path, ask);
      answers.set(key, answer);
      return answer;
    },
  };
  if (tree.parts !== undefined) recording.parts = (path) => tree.parts?.(path) ?? [];
  if (tree.log !== undefined) {
    recording.log = (path) => (of(path).content ??= tree.log?.(path) ?? tree.missing(path));
  }
  return { root: rootOver(recording, { kind: source.kind, name: source.name }), records };
}

function keep(record: Recorded, offset: number, length: number, got: Reading<Uint8Array>): Reading<Uint8Array> {
  // Fewer bytes than asked for: that was the end of the file.
  if (got.state !== "read" || (offset === 0 && got.value.length < length)) record.content = got;
  else if (record.content?.state !== "read") (record.slices ??= []).push({ offset, length, bytes: got.value });
  return got;
}
