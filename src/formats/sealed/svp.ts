/**
 * OM of HiSilicon's SVP compiler for cameras (Hi35xx): "PICO", a header of eight numbers, parameters, then tagged values that name
 * segments, layers, inputs and outputs, then the compiled stream. Known from https://github.com/lutzroeder/netron source/om.js only.
 */

import { FileError } from "../../base/errors.ts";
import type { Cursor } from "../../base/bytes.ts";
import { model, type Integrity, type Model, type Section, type Tensor } from "../../model/graph.ts";
import type { ModelFile } from "../file.ts";
import { cutShort, error, plain, words } from "./parts.ts";

const HEADER = 32;
/** Layers and ports of one model. */
const ITEM_LIMIT = 100_000;
const RANK_LIMIT = 16;
/** Layer types told in metadata. */
const TYPE_LIMIT = 40;

interface Value {
  readonly tag: number;
  readonly bytes: Uint8Array;
  readonly number: number;
}

export function readSvp(file: ModelFile): Model {
  const cursor = file.cursor(8, 24);
  const size = cursor.u32();
  const [paramBytes, paramAt] = [cursor.u32(), cursor.u32()];
  const streamAt = cursor.skip(4).u32();
  const streamBytes = cursor.u32();
  const integrity: Integrity[] = [...cutShort(file, streamAt + streamBytes, "the compiled stream")];
  const start = paramAt + paramBytes;
  if (paramAt < HEADER || start > streamAt || streamAt > file.size) {
    throw new FileError(file.name, `parameters end at ${start}, the stream begins at ${streamAt}`, 12);
  }
  const inputs: Tensor[] = [];
  const outputs: Tensor[] = [];
  const layers = new Map<string, number>();
  let name = "";
  let segments = 0;
  walk(
    file.cursor(start, streamAt - start),
    ({ tag, bytes }, at) => {
      const inner = (): Cursor => file.cursor(at, bytes.length);
      if (tag === 0x800d) name = text(bytes);
      else if ((tag & 0x1fff) === 0x40) {
        segments++;
        walk(
          inner(),
          (one, within) => {
            const kind = one.tag & 0x1fff;
            if (kind !== 0x50 && kind !== 0x60) return;
            const ports = kind === 0x50 ? inputs : outputs;
            if (ports.length < ITEM_LIMIT)
              ports.push(port(file.cursor(within, one.bytes.length), within, kind === 0x50));
          },
          at,
        );
      } else if ((tag & 0x1fff) === 0x111) {
        walk(
          inner(),
          (one) => {
            if ((one.tag & 0x1fff) !== 0x152) return;
            const type = text(one.bytes);
            layers.set(type, (layers.get(type) ?? 0) + 1);
          },
          at,
        );
      }
    },
    start,
  );
  if (segments === 0) integrity.push(error("graph/empty", "no segment in it", start));
  const sections: Section[] = [
    { name: "header", kind: "metadata", offset: 0, bytes: HEADER },
    { name: "parameters", kind: "weights", offset: paramAt, bytes: paramBytes },
    { name: "description", kind: "metadata", offset: start, bytes: streamAt - start },
    { name: "compiled stream", kind: "code", offset: streamAt, bytes: streamBytes },
  ];
  return model("om", {
    version: "SVP",
    sealed: true,
    producer: { name: "SVP ATC" },
    targets: [{ says: "a HiSilicon SVP NPU (Hi35xx cameras), which one is not said" }],
    inputs,
    outputs,
    metadata: words({
      name,
      segments,
      "size field": size,
      "layer types": [...layers]
        .slice(0, TYPE_LIMIT)
        .map(([type, count]) => (count > 1 ? `${type} x${count}` : type))
        .join(", "),
    }),
    sections,
    integrity,
    unseen: [
      "operators and weights: a stream for the camera's NPU",
      layers.size === 0 ? "names of layers: compiled without debug information" : "how layers connect",
    ],
  });
}

/** Tags of 16 bits; the upper three say how the value is stored. */
function walk(cursor: Cursor, found: (value: Value, at: number) => void, base = 0): void {
  let count = 0;
  while (cursor.left >= 2) {
    if (++count > ITEM_LIMIT) cursor.fail(`more than ${ITEM_LIMIT} tagged values`);
    const tag = cursor.u16();
    const kind = tag >> 13;
    const width = kind === 1 ? 1 : kind === 2 ? 2 : kind === 3 ? 4 : 0;
    if (width > 0) {
      const at = base + cursor.offset;
      const number = width === 1 ? cursor.u8() : width === 2 ? cursor.u16() : cursor.u32();
      found({ tag, bytes: new Uint8Array(0), number }, at);
      continue;
    }
    if (kind < 4 || kind > 6) cursor.fail(`tag 0x${tag.toString(16)} has no known kind of value`);
    const length = kind === 4 ? cursor.u8() : kind === 5 ? cursor.u16() : cursor.u32();
    const at = base + cursor.offset;
    found({ tag, bytes: cursor.take(length), number: 0 }, at);
  }
}

function port(cursor: Cursor, base: number, input: boolean): Tensor {
  let name = "";
  let shape: number[] | undefined;
  walk(
    cursor,
    ({ tag, bytes }) => {
      const kind = tag & 0x1fff;
      if (kind === (input ? 0x58 : 0x66)) name = text(bytes);
      else if (kind === (input ? 0x5a : 0x69) && bytes.length % 4 === 0 && bytes.length <= RANK_LIMIT * 4) {
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        shape = Array.from({ length: bytes.length / 4 }, (_, at) => view.getUint32(at * 4, true));
      }
    },
    base,
  );
  return { name, type: "unknown", ...(shape ? { shape } : {}) };
}

const text = (bytes: Uint8Array): string => plain(Buffer.from(bytes).toString("utf8").replace(/\0.*$/s, ""));
