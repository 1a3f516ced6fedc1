/** HWX: a header, load commands, one segment with program and weights, two ports, stabs that say their shapes. */

import { bytesOf, field } from "../../support/sealed.ts";
import type { Samples } from "./samples.ts";

export interface Hwx {
  readonly cpu?: number;
  readonly subtype?: number;
  readonly ident?: readonly string[];
  /** Stabs: names of the symbol table. */
  readonly stabs?: readonly string[];
  /** Sections of the segment: name, bytes. */
  readonly sections?: readonly (readonly [string, number])[];
  /** Load commands the header declares beyond those there are. */
  readonly more?: number;
  /** What a section claims beyond its segment. */
  readonly beyond?: number;
}

const u64 = (value: number): Uint8Array => bytesOf(BigInt(value));
const command = (kind: number, body: Uint8Array): Uint8Array => {
  const length = (8 + body.length + 7) & ~7;
  return bytesOf(kind, length, body, new Uint8Array(length - 8 - body.length));
};

const segment = (
  name: string,
  address: number,
  offset: number,
  bytes: number,
  protection: number,
  sections: readonly Uint8Array[] = [],
): Uint8Array =>
  command(
    0x19,
    bytesOf(
      field(name, 16),
      u64(address),
      u64(bytes),
      u64(offset),
      u64(bytes),
      protection,
      protection,
      sections.length,
      0,
      ...sections,
    ),
  );

const section = (name: string, segmentName: string, address: number, bytes: number, offset: number): Uint8Array =>
  bytesOf(field(name, 16), field(segmentName, 16), u64(address), u64(bytes), offset, 0, 0, 0, 0, 0, 0, 0);

const port = (name: string, address: number): Uint8Array => command(6, bytesOf(8 + 12, 0, address, `${name}\0`));

export const stabs = [
  "float16:t5=r1;2;0",
  "int8:t6=r1;1;0",
  "image:t11=ar1;0;1;12=s4096n:ar1;0;3;13=s1024c:ar1;0;8;14=s128h:ar1;0;16;15=s2w:5",
  "scores@output:t16=ar1;0;1;17=s64n:ar1;0;10;18=s64c:6",
];

export function hwx({
  cpu = 0x80,
  subtype = 4,
  ident = ["0001", "zin_ane_compiler v4.2.1", "-t h13", "--fspatial"],
  stabs: names = stabs,
  sections = [
    ["__text", 640],
    ["__const", 320],
  ],
  more = 0,
  beyond = 0,
}: Hwx = {}): Uint8Array {
  const strings = Buffer.from(`\0${names.join("\0")}\0`, "latin1");
  const symbols = Buffer.alloc(names.length * 16);
  const held = sections.reduce((sum, [, bytes]) => sum + bytes, 0);
  // Twice: the first time to know how long the commands are
  const commands = (start: number): Uint8Array[] => {
    let at = start;
    const parts = sections.map(([name, bytes]) => {
      const one = section(name, "__TEXT", at, bytes + beyond, at);
      at += bytes;
      return one;
    });
    return [
      segment("__TEXT", 0x1000, start, held, 5, parts),
      segment("__FVMLIB", 0x30000000, 0, 0, 1),
      segment("__FVMLIB", 0x30004000, 0, 0, 3),
      port("image", 0x30000000),
      port("scores@output", 0x30004000),
      command(8, Buffer.from(`${ident.join("\n")}\0`, "latin1")),
      command(2, bytesOf(start + held, names.length, start + held + symbols.length, strings.length)),
    ];
  };
  const size = commands(0).reduce((sum, one) => sum + one.length, 0);
  const list = commands(32 + size);
  return bytesOf(
    "\xce\xfa\xef\xbe",
    cpu,
    subtype,
    2,
    list.length + more,
    size,
    0,
    0,
    ...list,
    new Uint8Array(held).fill(0x42),
    symbols,
    strings,
  );
}

export const samples: Samples = {
  "h13.hwx": () => hwx(),
  "h16.hwx": () => hwx({ subtype: 7, ident: [] }),
};
