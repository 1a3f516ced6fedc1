/**
 * A StableHLO program for a plug-in: the options it is compiled with, its ports. CompileOptionsProto of xla/pjrt/proto/
 * compile_options.proto, DeviceAssignmentProto of xla/xla_data.proto (Apache-2.0, https://github.com/openxla/xla), written by hand.
 */

import { readFile } from "node:fs/promises";
import { CannotError, FileError } from "../../base/errors.ts";
import { openModelFile } from "../../formats/file.ts";
import stablehlo from "../../formats/stablehlo.ts";
import type { ElementType, Model } from "../../model/graph.ts";
import type { Port } from "../delegate.ts";
import { structOf, type Pjrt, type Pointer } from "./api.ts";
import type { Client } from "./client.ts";

/** PJRT_Buffer_Type in its order; "unknown" for those that no tensor here is of. */
const order: readonly ElementType[] = [
  "unknown",
  "bool",
  "int8",
  "int16",
  "int32",
  "int64",
  "uint8",
  "uint16",
  "uint32",
  "uint64",
  "float16",
  "float32",
  "float64",
  "bfloat16",
  "complex64",
  "complex128",
  "float8e5m2",
  "float8e4m3fn",
  "unknown",
  "float8e5m2fnuz",
  "float8e4m3fnuz",
];

/** Types below a byte lie one to a byte in XLA's memory on the host: they are not taken. */
export const elementType = (number: bigint): ElementType => order[Number(number & 0xffff_ffffn)] ?? "unknown";
export const typeNumber = (type: ElementType): number => (type === "unknown" ? -1 : order.indexOf(type));

/** Inputs as the file says them: a plug-in does not tell what a program takes. Throws FileError. */
export function readInputs(path: string): Port[] {
  const file = openModelFile(path);
  let model: Model;
  try {
    if (stablehlo.matches(file) === 0) throw new FileError(path, "it is no MLIR, neither text nor bytecode");
    model = stablehlo.read(file);
  } finally {
    file.close();
  }
  const graph = model.graphs[model.main ?? 0];
  if (graph === undefined) throw new FileError(path, "the program has no function to run");
  return graph.inputs.map((at) => {
    const { name = "", type = "unknown", shape = [] } = graph.tensors[at] ?? {};
    return { name, type, shape };
  });
}

/** The compiled program. Throws CannotError in the plug-in's words. */
export async function compile(
  { pjrt, pointer }: Client,
  path: string,
  device: Pointer,
  overrides: Readonly<Record<string, string>>,
): Promise<Pointer> {
  const code = await readFile(path);
  const id = pjrt.call("DeviceDescription_Id", {
    device_description: pjrt.call("Device_GetDescription", { device }).device_description,
  }).id;
  const options = Uint8Array.from(compileOptions(Number(id & 0xffff_ffffn), overrides));
  const format = Buffer.allocUnsafeSlow(4);
  format.write("mlir");
  const own = { code: inPlace(code), options: inPlace(options) };
  const program = structOf("Program", {
    code: pjrt.address(own.code),
    code_size: code.length,
    format: pjrt.address(format),
    format_size: format.length,
  });
  const held = [own, format, program];
  try {
    const { executable } = await pjrt.callAsync("Client_Compile", {
      client: pointer,
      program: pjrt.address(program),
      compile_options: pjrt.address(own.options),
      compile_options_size: options.length,
    });
    return executable;
  } catch (error) {
    if (!(error instanceof CannotError)) throw error;
    throw new CannotError(`${path}: ${error.message}`, { cause: error });
  } finally {
    held.length = 0; // until here
  }
}

/** Memory that stays in its place: not of Node's pool and not in V8's heap. */
function inPlace(bytes: Uint8Array): Buffer {
  const own = Buffer.allocUnsafeSlow(Math.max(1, bytes.length));
  own.set(bytes);
  return own;
}

/** One replica of one partition on this device; `overrides` are XLA's flags by name. */
function compileOptions(device: number, overrides: Readonly<Record<string, string>>): number[] {
  const devices = message(3, [...integer(1, device)]); // computation_devices { replica_device_ids }
  const assignment = message(9, [...integer(1, 1), ...integer(2, 1), ...devices]); // replica and computation count
  const build = message(3, [...integer(1, -1), ...integer(4, 1), ...integer(5, 1), ...assignment]);
  const entries = Object.entries(overrides).flatMap(([name, text]) =>
    message(7, [...string(1, name), ...message(2, overrideValue(text))]),
  );
  return [...build, ...entries];
}

/** OptionOverrideProto: a text, a bool, a whole number or another. */
function overrideValue(text: string): number[] {
  if (text === "true" || text === "false") return integer(2, text === "true" ? 1 : 0);
  if (/^-?\d{1,15}$/.test(text)) return integer(3, Number(text));
  if (text !== "" && Number.isFinite(Number(text))) {
    return [(4 << 3) | 1, ...new Uint8Array(new Float64Array([Number(text)]).buffer)];
  }
  return string(1, text);
}

function varint(value: bigint): number[] {
  const out: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 0x7fn; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80);
  return [...out, Number(rest)];
}
const integer = (field: number, value: number): number[] => [field << 3, ...varint(BigInt(value))];
const message = (field: number, bytes: readonly number[]): number[] => [
  (field << 3) | 2,
  ...varint(BigInt(bytes.length)),
  ...bytes,
];
const string = (field: number, text: string): number[] => message(field, [...Buffer.from(text)]);

/** What it gives, as the plug-in compiled it. Results of a function have no names. */
export function outputPorts(pjrt: Pjrt, executable: Pointer): Port[] {
  const { num_outputs: number } = pjrt.call("Executable_NumOutputs", { executable });
  const count = Number(number);
  const types = pjrt.call("Executable_OutputElementTypes", { executable });
  const shapes = pjrt.call("Executable_OutputDimensions", { executable, num_outputs: number });
  const ranks = pjrt.words(shapes.dim_sizes, count).map(Number);
  const dims = pjrt.words(
    shapes.dims,
    ranks.reduce((sum, rank) => sum + rank, 0),
  );
  const own = pjrt.ints(types.output_types, count);
  let at = 0;
  return ranks.map((rank, index) => {
    const type = elementType(BigInt(own[index] ?? 0));
    const shape = dims.slice(at, (at += rank)).map((size) => Number(BigInt.asIntN(64, size)));
    return { name: `result_${index}`, type, shape };
  });
}
