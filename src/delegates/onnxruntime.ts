/**
 * ONNX Runtime through its C API, out of the library that the npm package onnxruntime-node ships, or any other build by path. The
 * embedded default for ONNX on the CPU: only the CPU provider is enabled, so nothing can fall back without a word.
 */

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { CannotError, FileError } from "../base/errors.ts";
import { absent, read, type Reading } from "../base/reading.ts";
import type { Dimension, ElementType } from "../model/graph.ts";
import type { Delegate, FindOptions, Found, OpenOptions, Port, Session } from "./delegate.ts";
import { loadOrt, type Ort, type Pointer } from "./onnxruntime/api.ts";
import { elementsOver, lengthOf, type Value } from "./value.ts";

const PACKAGE = "onnxruntime-node";
/** OrtLoggingLevel: what goes wrong comes back as a status; the library would print it a second time, in colours. */
const FATAL_ONLY = 4;
/** OrtDeviceAllocator, OrtMemTypeDefault. */
const [DEVICE_ALLOCATOR, DEFAULT_MEMORY] = [0, 0];
/** A dimension beyond this is no shape but an overflow. */
const RANK_LIMIT = 64;

/** ONNXTensorElementDataType by number. */
const types: readonly (ElementType | undefined)[] = [
  undefined,
  "float32",
  "uint8",
  "int8",
  "uint16",
  "int16",
  "int32",
  "int64",
  "string",
  "bool",
  "float16",
  "float64",
  "uint32",
  "uint64",
  "complex64",
  "complex128",
  "bfloat16",
  "float8e4m3fn",
  "float8e4m3fnuz",
  "float8e5m2",
  "float8e5m2fnuz",
  "uint4",
  "int4",
  "float4e2m1",
];

const delegate: Delegate = {
  id: "onnxruntime",
  name: "ONNX Runtime",
  formats: ["onnx"],
  devices: ["cpu"],
  verified: "vendor's library: onnxruntime-node 1.30.0 on x86-64, CPU",
  sources: [
    "https://github.com/microsoft/onnxruntime/blob/main/include/onnxruntime/core/session/onnxruntime_c_api.h",
    "https://onnxruntime.ai/docs/execution-providers/",
  ],
  find,
  open: async (model, options) => {
    const found = find(options);
    if (found.state !== "read") {
      throw new CannotError(
        `ONNX Runtime is not here (${found.from}): npm install --ignore-scripts ${PACKAGE}, or name a library with --library`,
      );
    }
    return open(loadOrt(found.value.library), model, options);
  },
};
export default delegate;

function find({ library }: FindOptions): Reading<Found> {
  if (library !== undefined) return existsSync(library) ? read({ library }, library) : absent(library);
  const require = createRequire(import.meta.url);
  let manifest: string;
  try {
    manifest = require.resolve(`${PACKAGE}/package.json`);
  } catch {
    return absent(`node_modules/${PACKAGE}`);
  }
  const folder = join(dirname(manifest), "bin/napi-v6", process.platform, process.arch);
  const path = join(folder, "libonnxruntime.so.1");
  if (!existsSync(path)) return absent(path, `${PACKAGE} has no library for ${process.arch}`);
  const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
  return read({ library: path, version }, path);
}

async function open(ort: Ort, model: string, { threads }: OpenOptions): Promise<Session> {
  const env = ort.pointer("CreateEnv", FATAL_ONLY, "accelctl");
  const options = ort.pointer("CreateSessionOptions");
  ort.call("SetSessionLogSeverityLevel", options, FATAL_ONLY);
  if (threads !== undefined) ort.call("SetIntraOpNumThreads", options, threads);
  const opened: [Pointer | null] = [null];
  try {
    await ort.callAsync("CreateSession", env, model, options, opened);
  } catch (error) {
    ort.release("ReleaseEnv", env);
    if (!(error instanceof CannotError)) throw error;
    throw new FileError(
      model,
      error.message.replace(/^ONNX Runtime: (?:Load model from .*? failed:)?/, "ONNX Runtime: "),
    );
  } finally {
    ort.release("ReleaseSessionOptions", options);
  }
  const session = opened[0] ?? 0n;
  const memory = ort.pointer("CreateCpuMemoryInfo", DEVICE_ALLOCATOR, DEFAULT_MEMORY);
  const allocator = ort.pointer("GetAllocatorWithDefaultOptions");
  const inputs = readPorts(ort, session, allocator, "Input");
  const outputs = readPorts(ort, session, allocator, "Output");
  const runs = new Set<Promise<unknown>>();
  let closed = false;
  return {
    inputs,
    outputs,
    version: ort.version,
    proof: { device: "cpu", says: "the session was made with ONNX Runtime's CPU provider and no other" },
    run(values) {
      if (closed) return Promise.reject(new CannotError("the session is closed"));
      const running = runOnce({ ort, session, memory, allocator }, inputs, outputs, values);
      const settled = running.catch(() => undefined).finally(() => runs.delete(settled));
      runs.add(settled);
      return running;
    },
    async close() {
      if (closed) return;
      closed = true;
      await Promise.all(runs);
      ort.release("ReleaseSession", session);
      ort.release("ReleaseMemoryInfo", memory);
      ort.release("ReleaseEnv", env);
    },
  };
}

function readPorts(ort: Ort, session: Pointer, allocator: Pointer, which: "Input" | "Output"): Port[] {
  const count = ort.number(`SessionGet${which}Count`, session);
  return Array.from({ length: count }, (_, index) => {
    const text = ort.pointer(`SessionGet${which}Name`, session, index, allocator);
    const name = ort.koffi.decode(text, "char", -1) as string;
    ort.call("AllocatorFree", allocator, text);
    const info = ort.pointer(`SessionGet${which}TypeInfo`, session, index);
    // Belongs to `info`; null for sequences and maps.
    const tensor = ort.pointer("CastTypeInfoToTensorInfo", info);
    const port: Port = tensor === 0n ? { name, type: "unknown", shape: [] } : { name, ...readShape(ort, tensor) };
    ort.release("ReleaseTypeInfo", info);
    return port;
  });
}

function readShape(ort: Ort, info: Pointer): { type: ElementType; shape: Dimension[] } {
  const type = types[ort.number("GetTensorElementType", info)] ?? "unknown";
  const rank = Math.min(ort.number("GetDimensionsCount", info), RANK_LIMIT);
  if (rank === 0) return { type, shape: [] };
  const dims = new BigInt64Array(rank);
  ort.call("GetDimensions", info, dims, rank);
  const names: (string | null)[] = Array.from({ length: rank }, () => null);
  ort.call("GetSymbolicDimensions", info, names, rank);
  return {
    type,
    shape: [...dims].map((size, at) => {
      if (size >= 0n) return Number(size);
      const name = names[at];
      return name === null || name === undefined || name === "" ? null : name;
    }),
  };
}

interface Context {
  readonly ort: Ort;
  readonly session: Pointer;
  readonly memory: Pointer;
  readonly allocator: Pointer;
}

async function runOnce(
  context: Context,
  inputs: readonly Port[],
  outputs: readonly Port[],
  values: ReadonlyMap<string, Value>,
): Promise<ReadonlyMap<string, Value>> {
  const { ort, session } = context;
  const unknown = [...values.keys()].find((name) => !inputs.some((port) => port.name === name));
  if (unknown !== undefined) throw new CannotError(`the model has no input "${unknown}"`);
  const given = inputs.filter(({ name }) => values.has(name));
  const made: Pointer[] = [];
  const held: unknown[] = []; // what the library reads while it runs
  const results: (Pointer | null)[] = outputs.map(() => null);
  try {
    for (const { name } of given) {
      const value = values.get(name);
      if (value !== undefined) made.push(makeTensor(context, name, value, held));
    }
    await ort.callAsync(
      "Run",
      session,
      null,
      given.map(({ name }) => name),
      made,
      made.length,
      outputs.map(({ name }) => name),
      outputs.length,
      results,
    );
    return new Map(outputs.map(({ name }, at) => [name, takeTensor(ort, name, results[at] ?? 0n)]));
  } finally {
    held.length = 0;
    for (const pointer of made) ort.release("ReleaseValue", pointer);
    for (const pointer of results) if (pointer !== null && pointer !== 0n) ort.release("ReleaseValue", pointer);
  }
}

function makeTensor({ ort, memory, allocator }: Context, name: string, value: Value, held: unknown[]): Pointer {
  const { type, shape, data } = value;
  const elements = shape.reduce((product, size) => product * size, 1);
  const needed = lengthOf(type, elements);
  if (data.length !== needed) {
    throw new CannotError(
      `input "${name}": ${type} [${shape.join(", ")}] needs ${needed} elements, ${data.length} are given`,
    );
  }
  const dims = BigInt64Array.from(shape, BigInt);
  const number = types.indexOf(type);
  if (!ArrayBuffer.isView(data)) {
    const tensor = ort.pointer("CreateTensorAsOrtValue", allocator, dims, shape.length, types.indexOf("string"));
    ort.call("FillStringTensor", tensor, [...data], data.length);
    return tensor;
  }
  if (number < 0) throw new CannotError(`input "${name}" is of ${type}, which ONNX Runtime is not given here`);
  // Asking for .buffer moves a small array out of V8's heap, where it would not stay in its place.
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  held.push(bytes);
  return ort.pointer("CreateTensorWithDataAsOrtValue", memory, bytes, bytes.length, dims, shape.length, number);
}

function takeTensor(ort: Ort, name: string, pointer: Pointer): Value {
  if (pointer === 0n || ort.number("IsTensor", pointer) !== 1) {
    throw new CannotError(`output "${name}" is no tensor (a sequence or a map), which is not read`);
  }
  const info = ort.pointer("GetTensorTypeAndShape", pointer);
  const { type, shape: open } = readShape(ort, info);
  ort.release("ReleaseTensorTypeAndShapeInfo", info);
  const shape = open.map((size) => (typeof size === "number" ? size : 0));
  const count = shape.reduce((product, size) => product * size, 1);
  if (type === "string") return { type, shape, data: takeStrings(ort, pointer, count) };
  const own = elementsOver(type, new ArrayBuffer(0));
  if (own === undefined) throw new CannotError(`output "${name}" is of ${type}, which is not read`);
  const bytes = lengthOf(type, count) * own.BYTES_PER_ELEMENT;
  const buffer = new ArrayBuffer(bytes);
  if (bytes > 0) {
    const data = ort.pointer("GetTensorMutableData", pointer);
    new Uint8Array(buffer).set(new Uint8Array(ort.koffi.view(data, bytes)));
  }
  return { type, shape, data: elementsOver(type, buffer) ?? own };
}

function takeStrings(ort: Ort, pointer: Pointer, count: number): string[] {
  const length = ort.number("GetStringTensorDataLength", pointer);
  const bytes = Buffer.alloc(Math.max(1, length));
  const offsets = new BigUint64Array(Math.max(1, count));
  ort.call("GetStringTensorContent", pointer, bytes, length, offsets, count);
  return Array.from({ length: count }, (_, at) =>
    bytes.toString("utf8", Number(offsets[at]), at + 1 < count ? Number(offsets[at + 1]) : length),
  );
}
