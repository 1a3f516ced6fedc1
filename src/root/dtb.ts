/**
 * A flattened device tree as a machine of which nothing but the tree is known: each node a directory and each property a file below
 * /sys/firmware/devicetree/base, as a kernel that booted with it would show them. Devicetree Specification 0.4, chapter 5
 *
 *     [header 40 bytes][memory reservations][structure: tokens, 4-aligned][strings: property names]      all numbers big endian
 */

import { Cursor } from "../base/bytes.ts";
import { FileError } from "../base/errors.ts";
import { TreeBuilder } from "./memory.ts";
import type { Root } from "./root.ts";

/** First four bytes of a flattened tree, big endian. */
export const DTB_MAGIC = 0xd00dfeed;

/** As the kernel: it gives up below 64 levels. Boards have up to 11. */
const DEPTH_LIMIT = 64;
/** The largest of the 1,712 trees of Debian 7.3 arm64 has 1,531 nodes and 6,925 properties. */
const NODE_LIMIT = 50_000;
const PROPERTY_LIMIT = 400_000;
/** The specification allows 31 characters; trees use up to 47. */
const NAME_LIMIT = 255;
/** In v16 the header ends before the size of the structure; nothing older is made since 2006. */
const VERSIONS = [16, 17];

const BASE = "/sys/firmware/devicetree/base";

export function isDtb(head: Uint8Array): boolean {
  return head.length >= 4 && new DataView(head.buffer, head.byteOffset, 4).getUint32(0) === DTB_MAGIC;
}

/** The machine a flattened tree describes. Throws FileError, with the offset, for bytes that are none. */
export function openDtb(bytes: Uint8Array, name: string): Root {
  const builder = new TreeBuilder();
  readStructure(readHeader(bytes, name), builder);
  builder.link("/proc/device-tree", BASE);
  return builder.build("device-tree", name);
}

interface Blob {
  /** The tree alone, without what may follow it in the file. */
  readonly cursor: Cursor;
  readonly structure: number;
  readonly structureEnd: number;
  readonly strings: number;
  readonly stringsEnd: number;
}

function readHeader(bytes: Uint8Array, name: string): Blob {
  const whole = new Cursor(bytes, name, { littleEndian: false });
  const magic = whole.u32();
  if (magic !== DTB_MAGIC) whole.fail(`starts with 0x${magic.toString(16)}, a device tree with 0xd00dfeed`, 0);
  const size = whole.u32();
  if (size > bytes.length) whole.fail(`the tree has ${size} bytes, the file ${bytes.length}: it is cut off`, 4);
  const cursor = new Cursor(bytes.subarray(0, size), name, { littleEndian: false, offset: 8 });
  const structure = cursor.u32();
  const strings = cursor.u32();
  cursor.skip(4); // memory reservations
  const version = cursor.u32();
  const readableBy = cursor.u32();
  if (version < 16 || readableBy > 17) {
    cursor.fail(`version ${version}, readable by ${readableBy}; known are ${VERSIONS.join(" and ")}`, 20);
  }
  cursor.skip(4); // boot CPU
  const stringsSize = cursor.u32();
  const structureSize = version >= 17 ? cursor.u32() : size - structure;
  const inside = (start: number, length: number, what: string, at: number): number => {
    if (start > size || length > size - start) {
      cursor.fail(`${what} reach from 0x${start.toString(16)} over ${length} bytes, past the tree's ${size}`, at);
    }
    return start + length;
  };
  if (structure % 4 !== 0) cursor.fail(`structure starts at 0x${structure.toString(16)}, not on 4 bytes`, 8);
  return {
    cursor,
    structure,
    structureEnd: inside(structure, structureSize, "structure tokens", 36),
    strings,
    stringsEnd: inside(strings, stringsSize, "strings", 32),
  };
}

const Token = { beginNode: 1, endNode: 2, property: 3, nop: 4, end: 9 } as const;

interface Level {
  readonly path: string;
  /** Names of properties and nodes in use. */
  readonly names: Set<string>;
}

function readStructure(blob: Blob, builder: TreeBuilder): void {
  const cursor: Cursor = blob.cursor;
  const levels: Level[] = [];
  const strings = new Map<number, string>();
  let nodes = 0;
  let properties = 0;
  cursor.seek(blob.structure);
  for (;;) {
    const at = cursor.offset;
    if (at + 4 > blob.structureEnd) cursor.fail("structure ends without its end token", at);
    const token = cursor.u32();
    const level = levels.at(-1);
    if (token === Token.beginNode) {
      if (level === undefined && nodes > 0) cursor.fail("second root node", at);
      if (++nodes > NODE_LIMIT) cursor.fail(`more than ${NODE_LIMIT} nodes`, at);
      if (levels.length >= DEPTH_LIMIT) cursor.fail(`nodes nested deeper than ${DEPTH_LIMIT}`, at);
      const name = cursor.cstring(NAME_LIMIT);
      cursor.align(4);
      const path = level === undefined ? BASE : `${level.path}/${unused(level, checked(name, blob, at + 4))}`;
      builder.directory(path);
      levels.push({ path, names: new Set() });
    } else if (token === Token.endNode) {
      if (level === undefined) cursor.fail("a node ends that did not begin", at);
      levels.pop();
    } else if (token === Token.property) {
      if (level === undefined) cursor.fail("a property outside of any node", at);
      if (++properties > PROPERTY_LIMIT) cursor.fail(`more than ${PROPERTY_LIMIT} properties`, at);
      const length = cursor.u32();
      const name = propertyName(blob, cursor.u32(), at + 8, strings);
      const value = cursor.take(length);
      cursor.align(4);
      if (level.names.has(name)) continue; // written twice: the first one counts, as for libfdt
      level.names.add(name);
      builder.file(`${level.path}/${name}`, value, { mode: 0o444 });
    } else if (token === Token.end) {
      if (level !== undefined) cursor.fail(`ends inside node ${level.path.slice(BASE.length)}/`, at);
      if (nodes === 0) cursor.fail("has no root node", at);
      return;
    } else if (token !== Token.nop) {
      cursor.fail(`0x${token.toString(16)} is no token`, at);
    }
  }
}

function propertyName(blob: Blob, offset: number, at: number, kept: Map<number, string>): string {
  const known = kept.get(offset);
  if (known !== undefined) return known;
  const start = blob.strings + offset;
  if (start >= blob.stringsEnd) blob.cursor.fail(`property name at 0x${offset.toString(16)} is past the strings`, at);
  const strings = new Cursor(blob.cursor.bytes.subarray(0, blob.stringsEnd), blob.cursor.path, { offset: start });
  const name = checked(strings.cstring(NAME_LIMIT), blob, start);
  kept.set(offset, name);
  return name;
}

// A name becomes one path element; anything else would be another place in the tree.
function checked(name: string, blob: Blob, at: number): string {
  if (name === "" || name === "." || name === ".." || name.includes("/")) {
    throw new FileError(blob.cursor.path, `${JSON.stringify(name.slice(0, 40))} is no name`, at);
  }
  return name;
}

// As the kernel does when a node is named like a property or like a sibling.
function unused(level: Level, name: string): string {
  let free = name;
  for (let i = 1; level.names.has(free); i++) free = `${name}#${i}`;
  level.names.add(free);
  return free;
}
