/**
 * KNE: the models of a NEF for KL730 and later, a FlatBuffer of its own: ports with their shapes, cores with their commands and weights.
 * Field numbers: the KneronKNE schema 3.0.7 of Kneron PLUS (kneron_kne_c_reader.h, kne_reader.c), in public copies
 */

import { FileError } from "../../base/errors.ts";
import type { Quantization, Section, Tensor } from "../../model/graph.ts";
import type { ModelFile } from "../file.ts";
import { plain } from "../sealed/parts.ts";
import { FlatBuffer, type Extent, type Table } from "../wire/flatbuffer.ts";
import { MODEL_LIMIT, PORT_LIMIT, scaleOf, typeOf, type Described } from "./models.ts";

const CORE_LIMIT = 65_536;
/** Units of a core inside others: a loop's body in what the schema shows. */
const DEPTH_LIMIT = 8;
const RANK_LIMIT = 16;
const SCALE_LIMIT = 65_536;

export interface Kne {
  readonly version: string;
  readonly compiler: string;
  readonly models: readonly Described[];
  readonly sections: readonly Section[];
}

export function readKne(file: ModelFile, { at, count }: Extent, chip: string): Kne {
  const root = new FlatBuffer(file, { offset: at, length: count }).root();
  const header = root.table(1);
  if (header === undefined) throw new FileError(file.name, "models without a header", root.at);
  const sections: Section[] = [];
  const models = root.tables(2, MODEL_LIMIT, "models").map((model): Described => {
    const head = model.table(0);
    const id = head?.i32(0) ?? 0;
    const ports = (field: number): Tensor[] =>
      head?.tables(field, PORT_LIMIT, "ports").map((one) => tensorOf(one, chip)) ?? [];
    const found = { code: [] as Section[], cpu: 0, cores: 0 };
    for (const core of model.tables(1, CORE_LIMIT, "cores")) readCore(core, id, found, 0);
    sections.push(...found.code);
    const constant = model.vector(2, 1);
    if (constant && constant.count > 0) {
      sections.push({ name: `constants of model ${id}`, kind: "weights", offset: constant.at, bytes: constant.count });
    }
    return { id, inputs: ports(1), outputs: ports(2), ...(found.cpu === 0 ? {} : { cpu: found.cpu }) };
  });
  const schema = header.table(2);
  return {
    version: schema ? `${schema.u32(0)}.${schema.u32(1)}.${schema.u32(2)}` : "",
    compiler: plain(header.string(1) ?? "", 64),
    models,
    sections,
  };
}

/** Core: header, units, parameters (a union: 1 NPU, 2 CPU, 3 loop with the NPU's). */
function readCore(
  core: Table,
  id: number,
  found: { code: Section[]; cpu: number; cores: number },
  depth: number,
): void {
  if (depth > DEPTH_LIMIT || ++found.cores > CORE_LIMIT) core.buffer.fail("too many cores", core.at);
  for (const unit of core.tables(1, CORE_LIMIT, "units")) readCore(unit, id, found, depth + 1);
  const params = core.union(2);
  if (params?.type === 2) found.cpu += params.table.vector(0, 4)?.count ?? 0;
  const npu = params?.type === 1 ? params.table : params?.type === 3 ? params.table.table(2) : undefined;
  for (const [field, name, kind] of [
    [0, "commands", "code"],
    [1, "weights", "weights"],
  ] as const) {
    const part = npu?.vector(field, 1);
    if (part && part.count > 0) {
      found.code.push({ name: `${name} of model ${id}`, kind, offset: part.at, bytes: part.count });
    }
  }
}

function tensorOf(table: Table, chip: string): Tensor {
  const npu = table.i32s(5, RANK_LIMIT, "dimensions");
  // Where each dimension of the ONNX stands among the chip's.
  const order = table.blob(11);
  const shape =
    npu && order !== undefined && order.length > 0 && order.length <= RANK_LIMIT
      ? [...order].map((index) => npu[index] ?? null)
      : npu;
  const quantization = quantizationOf(table.table(7));
  return {
    name: table.string(0) ?? "",
    ...typeOf(table.u8(1), chip),
    ...(shape ? { shape } : {}),
    ...(quantization ? { quantization } : {}),
  };
}

/** Scales are kept as bytes of the type that is told: 9 is float32. */
function quantizationOf(table: Table | undefined): Quantization | undefined {
  const radix = table?.blob(0);
  const scale = table?.blob(1);
  if (!table || !radix || !scale || table.u8(3) !== 9) return undefined;
  if (radix.length > SCALE_LIMIT || scale.length !== radix.length * 4) return undefined;
  const view = new DataView(scale.buffer, scale.byteOffset, scale.byteLength);
  return scaleOf([...radix].map((one, index) => [view.getFloat32(index * 4, true), (one << 24) >> 24]));
}
