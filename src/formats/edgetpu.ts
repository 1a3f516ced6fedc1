/**
 * TFLite compiled for Google's Edge TPU: operators that fit became one custom operator, whose options hold a DarwiNN package (a
 * flatbuffer, DWN1) with the chip's instructions and parameters; the others stay on the CPU.
 * google-coral/libedgetpu executable/executable.fbs, tflite/custom_op_data.cc (keys of the options), api/runtime_version.h.
 */

import { FileError } from "../base/errors.ts";
import { model, type Integrity, type Model, type Section } from "../model/graph.ts";
import type { ModelFile } from "./file.ts";
import type { Format } from "./format.ts";
import { readTfliteModel } from "./tflite.ts";
import { executableType, fields } from "./tflite/darwinn-schema.ts";
import { flexBytes, readFlexMap } from "./tflite/flexbuffer.ts";
import { hasCustomCode, type CustomOperator } from "./tflite/read.ts";
import { carve } from "./tflite/sections.ts";
import { FlatBuffer, type Extent, type Table } from "./wire/flatbuffer.ts";

const CODE = "edgetpu-custom-op";
/** A package holds two, of parameters and of execution; co-compiled ones no more. */
const EXECUTABLE_LIMIT = 1024;
const STREAM_LIMIT = 65_536;
const LAYER_LIMIT = 65_536;
/** The compiler writes one operator; a graph of several chips' parts a few. */
const PACKAGE_LIMIT = 256;

const format: Format = {
  id: "edgetpu-tflite",
  name: "Edge TPU compiled TFLite",
  vendor: "Google Coral",
  extensions: [".tflite"],
  marks: [{ at: 4, is: "TFL3" }],
  shows: "partly",
  matches: (file) => (hasCustomCode(file, [CODE]) ? 3 : 0),
  read: readEdgeTpu,
  sources: [
    "https://github.com/google-coral/libedgetpu/blob/master/executable/executable.fbs",
    "https://github.com/google-coral/libedgetpu/blob/master/tflite/custom_op_data.cc",
  ],
  checked: {
    files: 42,
    says: "files of google-coral/test_data and one of MediaPipe, of three releases of the compiler; co-compiled, pipelined, with operators left on the CPU",
  },
};
export default format;

/** What one executable of a package holds. */
interface Executable {
  readonly type: string;
  readonly chip: string | undefined;
  readonly batch: number;
  readonly scratch: number;
  readonly token: bigint;
  readonly cycles: number;
  readonly code: readonly Extent[];
  readonly parameters: Extent | undefined;
  readonly narrow: number;
}

interface Package {
  readonly runtime: number;
  readonly compiler: string | undefined;
  readonly identifier: string | undefined;
  readonly chipId: number;
  readonly executables: readonly Executable[];
}

function readEdgeTpu(file: ModelFile): Model {
  const { model: base, tflite } = readTfliteModel(file, format.id, [CODE]);
  const integrity: Integrity[] = [...base.integrity];
  const packages: Package[] = [];
  for (const custom of tflite.customs.filter(({ code }) => code === CODE).slice(0, PACKAGE_LIMIT)) {
    try {
      packages.push(...readPackages(file, custom));
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      const says = `the Edge TPU package cannot be read: ${error.message.replace(/^.*?: (offset \w+: )?/, "")}`;
      integrity.push({ severity: "error", rule: "package/broken", says, offset: error.offset ?? 0 });
    }
  }
  const executables = packages.flatMap((one) => one.executables);
  const compiler = packages.map((one) => one.compiler).find((version) => version !== undefined && version !== "");
  // "cl/" with nothing after it: the compiler was built without its change number.
  const version = compiler === undefined || compiler === "cl/" ? undefined : compiler;
  const runtime = Math.max(0, ...packages.map((one) => one.runtime));
  const chips = [...new Set(executables.flatMap((one) => one.chip ?? []))];
  const onCpu = tflite.graphs.flatMap((graph) => graph.nodes).filter((node) => node.spelled !== CODE);
  return model(format.id, {
    ...base,
    sealed: true,
    producer: { name: "edgetpu_compiler", ...(version === undefined ? {} : { version }) },
    targets: (chips.length > 0 ? chips : ["Edge TPU"]).map((says) => ({ family: "coral", says })),
    requires: [
      ...base.requires,
      ...(runtime > 0 ? [{ what: "Edge TPU runtime", relation: "at least", version: String(runtime) } as const] : []),
    ],
    metadata: {
      ...base.metadata,
      ...describe(packages, executables),
      cpu_operators: String(onCpu.length),
    },
    sections: carve(base.sections, executables.flatMap(sectionsOf)),
    integrity,
    unseen: [
      ...base.unseen,
      `which operators run on the Edge TPU: they are instructions of the chip now${onCpu.length > 0 ? `; ${onCpu.length} ${onCpu.length === 1 ? "operator stays" : "operators stay"} on the CPU` : ""}`,
    ],
  });
}

/** Keys 4 and 7 of the options' map: the first package, and those for other chips. */
function readPackages(file: ModelFile, { options }: CustomOperator): Package[] {
  if (options === undefined) throw new FileError(file.name, "the operator has no options", 0);
  const map = readFlexMap(file, options);
  const extent = map && flexBytes(map, "4");
  if (extent === undefined) throw new FileError(file.name, "the operator's options have no package", options.at);
  return readPackage(file, extent, 0);
}

function readPackage(file: ModelFile, { at, count }: Extent, depth: number): Package[] {
  const buffer = new FlatBuffer(file, { offset: at, length: count });
  if (buffer.identifier() !== "DWN1") buffer.fail("a package without its identifier DWN1", at + 4);
  const root = buffer.root();
  const f = fields.Package;
  const inner = root.vector(f.serialized_multi_executable, 1);
  const chips = root.tables(f.multi_chip_package, PACKAGE_LIMIT, "packages").flatMap((table) => {
    const nested = table.vector(fields.SerializedPackage.serialized_package, 1);
    return nested === undefined || depth > 0 ? [] : readPackage(file, nested, depth + 1);
  });
  return [
    {
      runtime: root.i32(f.min_runtime_version),
      compiler: root.string(f.compiler_version),
      identifier: root.string(f.model_identifier),
      chipId: root.i32(f.virtual_chip_id),
      executables: inner === undefined ? [] : readExecutables(file, inner),
    },
    ...chips,
  ];
}

function readExecutables(file: ModelFile, { at, count }: Extent): Executable[] {
  const outer = new FlatBuffer(file, { offset: at, length: count });
  const strings = outer.root().offsets(fields.MultiExecutable.serialized_executables, EXECUTABLE_LIMIT, "executables");
  return strings.map((start) => {
    const length = outer.u32(start);
    outer.check(start + 4, length, "executable");
    return readExecutable(new FlatBuffer(file, { offset: start + 4, length }).root());
  });
}

function readExecutable(table: Table): Executable {
  const f = fields.Executable;
  const type = table.i16(f.type);
  for (const side of [f.input_layers, f.output_layers]) table.tables(side, LAYER_LIMIT, "layers");
  const cycles = Number(table.i64(f.estimated_cycles_64bit));
  return {
    type: executableType[type] ?? `type ${type}`,
    chip: table.string(f.chip),
    batch: table.i32(f.batch_size),
    scratch: table.i32(f.scratch_size_bytes),
    token: table.u64(f.parameter_caching_token),
    cycles: cycles === 0 ? table.i32(f.estimated_cycles) : cycles,
    code: table
      .tables(f.instruction_bitstreams, STREAM_LIMIT, "instruction streams")
      .flatMap((stream) => stream.vector(fields.InstructionBitstream.bitstream, 1) ?? []),
    parameters: table.vector(f.parameters, 1),
    narrow: table.i32(f.used_narrow_memory_bytes_per_tile),
  };
}

function describe(packages: readonly Package[], executables: readonly Executable[]): Record<string, string> {
  const sum = (list: readonly Executable[], bytes: (one: Executable) => number): number =>
    list.reduce((total, one) => total + bytes(one), 0);
  const parameters = (one: Executable): number => one.parameters?.count ?? 0;
  const caching = executables.filter((one) => one.type === "PARAMETER_CACHING");
  const running = executables.filter((one) => one.type !== "PARAMETER_CACHING");
  const cycles = sum(running, (one) => one.cycles);
  const tokens = [...new Set(executables.map((one) => one.token).filter((token) => token !== 0n))];
  const all: Record<string, string | undefined> = {
    compiler_version: packages.map((one) => one.compiler).find((text) => text !== undefined),
    min_edgetpu_runtime: packages.map((one) => one.runtime).join(", "),
    model_identifier: packages.map((one) => one.identifier ?? "").find((text) => text !== ""),
    virtual_chip_id: packages.some((one) => one.chipId !== 0)
      ? packages.map((one) => one.chipId).join(", ")
      : undefined,
    executables: executables.map((one) => one.type).join(", "),
    batch_size: [...new Set(running.map((one) => one.batch))].join(", "),
    // Cached parameters stay in the chip's SRAM between inferences; the others are sent again for each.
    parameters_on_chip_bytes: String(sum(caching, parameters)),
    parameters_off_chip_bytes: String(sum(running, parameters)),
    parameter_caching_token: tokens.length > 0 ? tokens.map((token) => token.toString(16)).join(", ") : undefined,
    instruction_bytes: String(sum(executables, (one) => one.code.reduce((total, { count }) => total + count, 0))),
    scratch_bytes: String(sum(running, (one) => one.scratch)),
    estimated_cycles: cycles > 0 ? String(cycles) : undefined,
  };
  const out: Record<string, string> = {};
  for (const [key, value] of Object.entries(all))
    if (value !== undefined && value !== "") out[key] = value.slice(0, 4096);
  return out;
}

function sectionsOf(one: Executable): Section[] {
  const name = one.type.toLowerCase().replace("_", " ");
  const code = one.code.map(
    ({ at, count }) => ({ name: `instructions, ${name}`, kind: "code", offset: at, bytes: count }) as const,
  );
  if (one.parameters === undefined) return code;
  const { at, count } = one.parameters;
  return [...code, { name: `parameters, ${name}`, kind: "weights", offset: at, bytes: count }];
}
