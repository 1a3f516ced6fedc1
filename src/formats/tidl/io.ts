/**
 * TIDL's I/O descriptor (*_tidl_io_1.bin): sTIDL_IOBufDesc_t as it lies in memory, one array per field with a place for every port
 * there could be. It has no mark: its size tells which release's fields it has. Header files itidl_ti.h and itidl_io.h of TI's SDKs
 */

import type { Cursor } from "../../base/bytes.ts";
import { elementBits, type ElementType, type Integrity, type Tensor } from "../../model/graph.ts";
import type { ModelFile } from "../file.ts";
import { error, plain, word } from "../sealed/parts.ts";

const INPUTS = 32;
const NAME = 512;

interface Layout {
  /** Network version of the header that has it. */
  readonly since: string;
  readonly head: number;
  readonly outputs: number;
  /** Places of inputs and outputs are there once per core. */
  readonly cores: number;
  /** Names of the arrays that come before the names, between, and after them. */
  readonly input: readonly string[];
  readonly between: readonly string[];
  readonly output: readonly string[];
  readonly after: readonly string[];
}

const pads = ["padL", "padT", "padR", "padB", "padCh"];
const shown = ["format", "resize", "resizeWidth", "resizeHeight"];
const typed = ["rawType", "type", "zero", "layout", "id", "scale"];

const first: Layout = {
  since: "20230208",
  head: 8,
  outputs: 32,
  cores: 1,
  input: [...shown, "W", "H", "C", "pitch", "N", ...pads, ...typed],
  between: [],
  output: ["W", "H", "C", "pitch", "N", ...pads, "type", "id"],
  after: ["scale", "zero", "layout"],
};
const six = ["W", "H", "C", "D2", "D1", "pitch", "N"];
const second = (cores: number): Layout => ({
  since: "20240401",
  head: 24,
  outputs: 128,
  cores,
  input: [...shown, ...six, ...pads, ...typed],
  between: [],
  output: ["W", "H", "D2", "D1", "C", "pitch", "N", ...pads, "type", "id"],
  after: ["scale", "zero", "layout", "dims"],
});
const third = (cores: number): Layout => ({
  ...second(cores),
  since: "after 20240401",
  between: ["elements"],
  after: ["scale", "zero", "layout", "elements", "dims"],
});

const layouts: readonly Layout[] = [first, ...[1, 2, 4].flatMap((cores) => [second(cores), third(cores)])];

const sizeOf = ({ head, cores, outputs, input, between, output, after }: Layout): number =>
  head +
  cores * INPUTS * (4 * (input.length + between.length) + NAME) +
  cores * outputs * (4 * (output.length + after.length) + NAME);

/** eTIDL_ElementType */
const types: readonly ElementType[] = [
  "uint8",
  "int8",
  "uint16",
  "int16",
  "uint32",
  "int32",
  "float32",
  "uint64",
  "int64",
];

export interface Descriptor {
  readonly since: string;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly cores: number;
}

/** Numbers of inputs and outputs that can be. */
export function countsOf(file: ModelFile): readonly [inputs: number, outputs: number] | undefined {
  const cursor = file.cursor(0, 8);
  const [inputs, outputs] = [cursor.u32(), cursor.u32()];
  return inputs >= 1 && inputs <= INPUTS && outputs >= 1 && outputs <= 128 ? [inputs, outputs] : undefined;
}

/** The layout of this size, if the numbers at its start can be its. */
export function layoutOf(file: ModelFile): Layout | undefined {
  const layout = layouts.find((one) => sizeOf(one) === file.size);
  const counts = countsOf(file);
  if (layout === undefined || counts === undefined || counts[1] > layout.outputs) return undefined;
  if (layout.head > 8) {
    const cursor = file.cursor(8, 16);
    const [cores, virtual, batches, mode] = [cursor.u32(), cursor.u32(), cursor.u32(), cursor.u32()];
    if (cores < 1 || cores > 8 || virtual < 1 || virtual > 8 || batches < 1 || mode > 2) return undefined;
  }
  // The first input has a name of printable characters.
  const name = file.slice(layout.head + 4 * layout.input.length * layout.cores * INPUTS, NAME);
  const nul = name.indexOf(0);
  return nul > 0 && name.subarray(0, nul).every((byte) => byte >= 0x20 && byte !== 0x7f) ? layout : undefined;
}

export function readDescriptor(file: ModelFile, layout: Layout, integrity: Integrity[]): Descriptor {
  const [inputs, outputs] = countsOf(file) ?? [0, 0];
  const cursor = file.cursor(0, file.size).seek(layout.head);
  const side = (fields: readonly string[], after: readonly string[], places: number, count: number): Tensor[] => {
    const found = Array.from({ length: count }, () => new Map<string, number>());
    arrays(cursor, fields, places, found);
    const names = found.map((_, index) =>
      word(cursor.bytes.subarray(cursor.offset + index * NAME, cursor.offset + (index + 1) * NAME)),
    );
    cursor.skip(places * NAME);
    arrays(cursor, after, places, found);
    return found.map((values, index) => tensorOf(names[index] ?? "", values, integrity));
  };
  return {
    since: layout.since,
    inputs: side(layout.input, layout.between, layout.cores * INPUTS, inputs),
    outputs: side(layout.output, layout.after, layout.cores * layout.outputs, outputs),
    cores: layout.head > 8 ? file.cursor(8, 4).u32() : 1,
  };
}

function arrays(
  cursor: Cursor,
  fields: readonly string[],
  places: number,
  found: readonly Map<string, number>[],
): void {
  for (const field of fields) {
    const bytes = cursor.take(4 * places);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (const [index, values] of found.entries()) {
      values.set(field, field === "scale" ? view.getFloat32(4 * index, true) : view.getInt32(4 * index, true));
    }
  }
}

function tensorOf(name: string, values: ReadonlyMap<string, number>, integrity: Integrity[]): Tensor {
  const of = (field: string, otherwise = 1): number => values.get(field) ?? otherwise;
  const code = of("type", -1);
  const type = types[code] ?? "unknown";
  const [N, C, H, W] = [of("N"), of("C"), of("H"), of("W")];
  const leading = of("D1") === 1 && of("D2") === 1 ? [N] : [N, of("D1"), of("D2")];
  const all = of("layout", 0) === 1 ? [...leading, H, W, C] : [...leading, C, H, W];
  // Outputs of later releases say how many dimensions the network gave them.
  const dims = values.get("dims");
  const shape = dims !== undefined && dims > 0 && dims <= all.length ? all.slice(all.length - dims) : all;
  if (all.some((size) => size < 1) || type === "unknown") {
    integrity.push(error("shape/impossible", `${plain(name, 80)}: [${all.join(", ")}] of type ${code}`));
  }
  const scale = of("scale", 0);
  const integer = type !== "float32" && elementBits[type] !== undefined;
  return {
    name: plain(name, 128),
    type,
    ...(type === "unknown" ? { spelled: `type ${code}` } : {}),
    shape,
    // The scale multiplies real values.
    ...(integer && scale > 0 && Number.isFinite(scale)
      ? { quantization: { scale: [1 / scale], zeroPoint: [of("zero", 0)] } }
      : {}),
  };
}
