/** HEF files in code: the messages of hef.proto by number, and the four headers with their checksums. */

import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { xxh3 } from "../../../src/formats/hef/xxh3.ts";
import { bytes, concat, double, float, int, message, varint, type Piece } from "../../support/protobuf.ts";

export interface Layer {
  readonly name: string;
  readonly out?: boolean;
  readonly shape: readonly [number, number, number];
  readonly scales?: readonly number[];
  readonly zeros?: readonly number[];
  readonly pad?: number;
  readonly transposed?: boolean;
  readonly nms?: { readonly classes: number; readonly boxes: number; readonly defused?: boolean };
  /** 0 between host and chip; 1 from context to context. */
  readonly connection?: number;
}

const packedDoubles = (field: number, values: readonly number[]): Piece =>
  bytes(field, new Uint8Array(Float64Array.from(values).buffer));

const layerInfo = (field: number, { name, shape, scales = [0.5], zeros = [128], transposed, nms }: Layer): Piece =>
  message(
    field,
    bytes(1, name),
    message(
      2,
      ...shape.flatMap((size, index) => [int(1 + index * 2, size), int(2 + index * 2, size)]),
      int(12, 1),
      ...(nms === undefined
        ? []
        : [
            message(
              11,
              message(
                1,
                int(2, nms.classes),
                int(3, nms.boxes),
                int(4, 8),
                int(5, nms.defused === true ? 1 : 0),
                int(7, 2),
              ),
            ),
          ]),
    ),
    message(3, float(1, zeros[0] ?? 0), float(2, scales[0] ?? 0), packedDoubles(5, zeros), packedDoubles(6, scales)),
    bytes(5, `/${name}`),
    ...(transposed === true ? [int(6, 1)] : []),
  );

export const edge = (layer: Layer): Piece =>
  message(
    2,
    ...(layer.out === true ? [int(1, 1)] : []),
    layerInfo(3, layer),
    message(5, bytes(2, "context_0"), int(3, layer.connection ?? 0)),
    ...(layer.pad === undefined ? [] : [int(7, layer.pad)]),
  );

/** Two layers that share a channel. */
export const mux = (out: boolean, ...layers: readonly Layer[]): Piece =>
  message(
    2,
    int(1, out ? 1 : 0),
    int(2, 1),
    message(4, bytes(1, "mux"), ...layers.map((layer) => message(5, layerInfo(1, layer)))),
  );

/** An image in two planes. */
export const planes = (name: string, ...layers: readonly Layer[]): Piece =>
  message(
    2,
    int(2, 2),
    message(
      8,
      bytes(1, name),
      ...layers.map((layer) => message(3, layerInfo(1, layer))),
      int(4, 480),
      int(5, 640),
      int(6, 3),
    ),
  );

export const context = (edges: readonly Piece[], operations: readonly Piece[] = []): Piece =>
  message(3, ...operations.map((piece) => bytes(2, piece)), message(3, bytes(1, "context_0"), ...edges));

/** An operation: its trigger, and actions by their number in the oneof. */
export const operation = (...actions: readonly (readonly [number, Piece])[]): Piece =>
  concat([message(1, int(1, 7)), ...actions.map(([kind, body]) => message(2, int(1, 1), bytes(kind, body)))]);

export const writeWords = (length: number): readonly [number, Piece] => [
  3,
  bytes(1, new Uint8Array(length).fill(0xcc)),
];
export const pointTo = (offset: number, length: number): readonly [number, Piece] => [
  16,
  concat([int(1, offset), int(2, length)]),
];
export const enableCluster = (cluster: number): readonly [number, Piece] => [8, concat([int(1, 3), int(2, cluster)])];

export interface GroupParts {
  readonly name: string;
  readonly preliminary?: readonly Piece[];
  readonly contexts?: readonly Piece[];
  readonly order?: readonly string[];
  readonly more?: readonly Piece[];
}

/** A network group, or the core op in it. */
export const groupFields = ({ name, preliminary = [], contexts = [], order = [], more = [] }: GroupParts): Piece =>
  concat([
    message(1, bytes(1, name), double(4, 1234.5), int(5, 2), double(6, 0.002), int(8, 5_000_000)),
    message(2, ...preliminary.map((piece) => bytes(1, piece))),
    ...contexts,
    ...order.map((one) => bytes(4, one)),
    bytes(6, name),
    ...more,
  ]);

export interface HefParts {
  readonly arch?: number;
  readonly compiler?: string;
  readonly sdk?: readonly [number, number, number];
  readonly extensions?: readonly number[];
  readonly groups: readonly Piece[];
  readonly resources?: readonly { readonly name: string; readonly offset: number; readonly bytes: number }[];
  readonly mapping?: number;
}

export const hefMessage = (parts: HefParts): Piece =>
  concat([
    message(
      1,
      int(1, parts.arch ?? 1),
      int(2, 1716711978356),
      ...(parts.compiler === undefined ? [] : [bytes(3, parts.compiler)]),
      int(4, 4),
      ...(parts.sdk === undefined ? [] : [message(5, ...parts.sdk.map((value, index) => int(index + 1, value)))]),
    ),
    ...parts.groups.map((group) => bytes(2, group)),
    bytes(3, new Uint8Array(parts.mapping ?? 20)),
    message(4, int(1, 1)),
    ...(parts.extensions ?? [0, 3, 12, 26]).map((index) => message(5, int(1, index), bytes(2, `extension ${index}`))),
    message(6, int(1, 8), bytes(2, "Multi-network variable batch size")),
    ...(parts.resources ?? []).map(({ name, offset, bytes: length }) =>
      message(7, int(1, offset), int(2, length), bytes(3, name)),
    ),
  ]);

/** Big-endian: numbers are u32, bigints u64. */
const header = (...values: readonly (number | bigint)[]): Uint8Array =>
  concat(
    values.map((value) => {
      const out = Buffer.alloc(typeof value === "bigint" ? 8 : 4);
      if (typeof value === "bigint") out.writeBigUInt64BE(value);
      else out.writeUInt32BE(value);
      return new Uint8Array(out);
    }),
  );

const MAGIC = 0x01484546;
const hash = (body: Uint8Array): bigint => xxh3(body.length, (at, length) => body.subarray(at, at + length));

export function hef0(proto: Piece): Uint8Array {
  const md5 = createHash("md5").update(proto).digest();
  return concat([header(MAGIC, 0, proto.length, 0), new Uint8Array(md5), proto]);
}

export function hef1(proto: Piece, words: Uint8Array): Uint8Array {
  const body = concat([proto, words]);
  return concat([header(MAGIC, 1, proto.length, crc32(body), BigInt(words.length), 0), body]);
}

export function hef2(proto: Piece, words: Uint8Array): Uint8Array {
  const body = concat([proto, words]);
  return concat([header(MAGIC, 2, proto.length, hash(body), BigInt(words.length), 0n, 0n), body]);
}

/** Words begin at a multiple of `align`; `own` gives the message a checksum of its own, as releases 5 do. */
export function hef3(proto: Piece, words: Uint8Array, extra = new Uint8Array(0), own = false, align = 64): Uint8Array {
  const padding = (align - ((56 + proto.length) % align)) % align;
  const body = concat([proto, new Uint8Array(padding), words, extra]);
  const sizes = [BigInt(padding + words.length), padding, BigInt(extra.length), own ? hash(proto) : 0n, 0n];
  return concat([header(MAGIC, 3, proto.length, hash(body), ...sizes), body]);
}

export { bytes, concat, double, int, message, varint };
