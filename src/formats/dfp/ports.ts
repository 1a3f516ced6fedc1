/** Ports of a dataflow program: what the module takes and gives, version 6's dictionaries and version 5's fields made one. */

import type { Cursor } from "../../base/bytes.ts";
import type { ElementType, Integrity, Tensor } from "../../model/graph.ts";
import { error, plain, word } from "../sealed/parts.ts";
import type { Dict, Value } from "./mxpack.ts";

export interface Port {
  readonly tensor: Tensor;
  /** Which of the program's models it is of. */
  readonly model: number;
}

/** PortInfo.format: what travels over the port. */
const formats: readonly (readonly [name: string, type: ElementType])[] = [
  ["GBF80", "block"],
  ["RGB888", "uint8"],
  ["RGB565", "unknown"],
  ["YUV422", "unknown"],
  ["BF16", "bfloat16"],
  ["FP32", "float32"],
  ["YUY2", "unknown"],
];
/** The top bit of a port's first byte in version 5. */
const ACTIVE = 0x80;

function tensor(name: string, format: number, shape: readonly number[], integrity: Integrity[]): Tensor {
  const [spelled, type] = formats[format] ?? [`format ${format}`, "unknown"];
  if (shape.some((size) => !(size > 0))) {
    integrity.push(error("shape/impossible", `${plain(name, 80)}: [${shape.join(", ")}]`));
  }
  return { name: plain(name, 128), type, ...(type === "unknown" || type === "block" ? { spelled } : {}), shape };
}

const isDict = (value: Value | undefined): value is Dict => value instanceof Map;
const number = (value: Value | undefined): number | undefined =>
  typeof value === "boolean" ? Number(value) : typeof value === "number" ? value : undefined;

/** inport_info, outport_info: a dictionary per port; only the active ones have more than their number. */
export function portsOfList(list: Value | undefined, integrity: Integrity[]): Port[] {
  if (!Array.isArray(list)) return [];
  return (list as readonly Value[]).flatMap((port) => {
    if (!isDict(port)) {
      integrity.push(error("port/malformed", "a port is described by something that is no dictionary"));
      return [];
    }
    if (number(port.get("active")) !== 1) return [];
    const packing = port.get("packing_format");
    const shape = port.get("mxa_shape");
    const name = port.get("layer_name");
    const values = Array.isArray(shape) ? (shape as readonly Value[]).map((size) => number(size) ?? 0) : [];
    if (values.length !== 4) integrity.push(error("port/malformed", "the shape of a port has not four sizes"));
    const format = isDict(packing) ? number(packing.get("as_int")) : undefined;
    return [
      {
        tensor: tensor(typeof name === "string" ? name : "", format ?? -1, values, integrity),
        model: number(port.get("model_index")) ?? 0,
      },
    ];
  });
}

/** Fields of versions 3 to 5: inputs also say how colours become numbers, outputs which channels are none. */
export function readPorts(cursor: Cursor, count: number, side: "input" | "output", integrity: Integrity[]): Port[] {
  const found: Port[] = [];
  for (let index = 0; index < count; index++) {
    if ((cursor.u8() & ACTIVE) === 0) continue;
    cursor.skip(2); // port set, chip
    const model = cursor.u8();
    const name = word(cursor.take(cursor.u16()));
    const format = cursor.u8();
    if (side === "input") cursor.skip(1 + 4 + 4); // range conversion: on, shift, scale
    const shape = [cursor.u16(), cursor.u16(), cursor.u16(), cursor.u32()];
    if (side === "output" && cursor.u8() === 1) {
      cursor.skip(2 + 2 + 2 + 4);
      cursor.skip(2 * cursor.u16());
    }
    found.push({ tensor: tensor(name, format, shape, integrity), model });
  }
  return found;
}
