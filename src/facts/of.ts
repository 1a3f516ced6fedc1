/**
 * Device-tree nodes: properties, cells, and the name the kernel gives a platform device made of one. Devicetree Specification 0.4
 * (2.3 standard properties), Linux drivers/of/address.c and platform.c
 */

import { valueOf } from "../base/reading.ts";
import type { Root } from "../root/root.ts";

/** A node on the way down from the tree's root. */
export interface OfNode {
  readonly root: Root;
  /** Directory of the node: /sys/firmware/devicetree/base/soc@0 */
  readonly directory: string;
  /** Name with unit address; "" for the tree's root. */
  readonly fullName: string;
  readonly parent: OfNode | undefined;
  /** Names in the directory: properties and children. */
  readonly names: ReadonlySet<string>;
}

/** Strings one property may hold that is read here; a compatible has up to ten. */
const STRING_LIMIT = 256;
/** Bytes of a property that is interpreted; the longest `ranges` in use has 1 KiB. */
const PROPERTY_LIMIT = 64 * 1024;
/** As the kernel: addresses of at most four cells. */
const CELL_LIMIT = 4;

/** A string list: NUL after each. */
export function splitStrings(text: string): readonly string[] {
  return text.split("\0", STRING_LIMIT).filter((one) => one !== "");
}

/** Node name without unit address. */
export function nodeName(fullName: string): string {
  const at = fullName.indexOf("@");
  return at < 0 ? fullName : fullName.slice(0, at);
}

/** A property's strings, undefined when the node has no such property or it cannot be read. */
export function strings(node: OfNode, name: string): readonly string[] | undefined {
  if (!node.names.has(name)) return undefined;
  const text = valueOf(node.root.text(`${node.directory}/${name}`));
  return text === undefined ? undefined : splitStrings(text);
}

/**
 * As the kernel names it: the first address of `reg`, translated to the processor's view, and the node's name (fdab0000.npu); without
 * an address the node's full name, below whatever names its parents (32300000.remoteproc:glink-edge).
 */
export function platformName(node: OfNode): string {
  const parts: string[] = [];
  for (let here = node; here.parent !== undefined; here = here.parent) {
    const address = translatedAddress(here);
    if (address !== undefined) return [`${address.toString(16)}.${nodeName(here.fullName)}`, ...parts].join(":");
    parts.unshift(here.fullName);
  }
  return parts.join(":");
}

/** First address of a node seen from the processor; undefined when there is none or a bus on the way does not map it. */
export function translatedAddress(node: OfNode): bigint | undefined {
  const reg = cells(node, "reg");
  if (reg === undefined || node.parent === undefined) return undefined;
  const width = busCells(node.parent);
  if (width === undefined || reg.length < width.address) return undefined;
  let address: bigint | undefined = number(reg, 0, width.address);
  for (let bus: OfNode = node.parent; bus.parent !== undefined && address !== undefined; bus = bus.parent) {
    address = throughRanges(bus, address, bus.parent);
  }
  return address;
}

interface Cells {
  readonly address: number;
  readonly size: number;
}

// Linux looks further up when a bus does not say, and needs sizes: addresses of an I2C bus (no sizes) are no memory.
function busCells(bus: OfNode): Cells | undefined {
  const address = inherited(bus, "#address-cells");
  const size = inherited(bus, "#size-cells");
  return address >= 1 && address <= CELL_LIMIT && size >= 1 && size <= CELL_LIMIT ? { address, size } : undefined;
}

function inherited(bus: OfNode, property: string): number {
  for (let node: OfNode | undefined = bus; node !== undefined; node = node.parent) {
    const value = cells(node, property)?.[0];
    if (value !== undefined) return value;
  }
  return 1;
}

// [address in the bus][address above][size] per entry; empty ranges: both are the same; none: the bus is not visible from above.
function throughRanges(bus: OfNode, address: bigint, above: OfNode): bigint | undefined {
  const ranges = cells(bus, "ranges");
  const [inner, outer] = [busCells(bus), busCells(above)];
  if (ranges === undefined || inner === undefined || outer === undefined) return undefined;
  if (ranges.length === 0) return address;
  const step = inner.address + outer.address + inner.size;
  for (let i = 0; i + step <= ranges.length; i += step) {
    const start = number(ranges, i, inner.address);
    const size = number(ranges, i + inner.address + outer.address, inner.size);
    if (address >= start && address - start < size) {
      return BigInt.asUintN(64, number(ranges, i + inner.address, outer.address) + (address - start));
    }
  }
  return undefined;
}

function cells(node: OfNode, name: string): readonly number[] | undefined {
  return node.names.has(name) ? cellsOf(node.root, `${node.directory}/${name}`) : undefined;
}

/** A property's file as 32-bit numbers; undefined when it cannot be read or is none. */
export function cellsOf(root: Root, path: string): readonly number[] | undefined {
  const bytes = valueOf(root.slice(path, 0, PROPERTY_LIMIT));
  if (bytes === undefined || bytes.length % 4 !== 0) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(i * 4));
}

// Of three or four cells (PCI, buses with flags) the last two are the number.
function number(values: readonly number[], at: number, count: number): bigint {
  let result = 0n;
  for (let i = at; i < at + count; i++) result = BigInt.asUintN(64, (result << 32n) | BigInt(values[i] ?? 0));
  return result;
}
