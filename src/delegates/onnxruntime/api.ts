/**
 * ONNX Runtime's C API as a table of functions, driven by koffi. OrtApi is a struct of function pointers that only ever grows at its
 * end: a number is the function's place in it, from onnxruntime_c_api.h of API version 24 (MIT,
 * https://github.com/microsoft/onnxruntime/blob/main/include/onnxruntime/core/session/onnxruntime_c_api.h); the same in 19 and 23.
 */

import type * as koffiModule from "koffi";
import { CannotError } from "../../base/errors.ts";
import { loadKoffi } from "../../base/koffi.ts";

export type Koffi = typeof koffiModule;
type KoffiFunction = ReturnType<ReturnType<Koffi["load"]>["func"]>;
/** A pointer of the library; 0n is null. */
export type Pointer = bigint;

/** API version of which every function below was looked up; it is 1.19's, and newer libraries serve it too. */
const VERSION = 19;

/** Name: [place, parameters]. All return a status, but those that release something. */
const functions = {
  GetErrorMessage: [2, "const char *", "void *status"],
  CreateEnv: [3, "void *", "int level, const char *id, _Out_ void **out"],
  CreateSession: [7, "void *", "void *env, const char *path, void *options, _Out_ void **out"],
  Run: [
    9,
    "void *",
    "void *session, void *options, void *input_names, void *inputs, size_t input_count, void *output_names, size_t output_count, void *outputs",
  ],
  CreateSessionOptions: [10, "void *", "_Out_ void **out"],
  SetSessionLogSeverityLevel: [22, "void *", "void *options, int level"],
  SetIntraOpNumThreads: [24, "void *", "void *options, int threads"],
  SessionGetInputCount: [30, "void *", "void *session, _Out_ size_t *out"],
  SessionGetOutputCount: [31, "void *", "void *session, _Out_ size_t *out"],
  SessionGetInputTypeInfo: [33, "void *", "void *session, size_t index, _Out_ void **out"],
  SessionGetOutputTypeInfo: [34, "void *", "void *session, size_t index, _Out_ void **out"],
  SessionGetInputName: [36, "void *", "void *session, size_t index, void *allocator, _Out_ void **out"],
  SessionGetOutputName: [37, "void *", "void *session, size_t index, void *allocator, _Out_ void **out"],
  CreateTensorAsOrtValue: [48, "void *", "void *allocator, int64_t *shape, size_t rank, int type, _Out_ void **out"],
  CreateTensorWithDataAsOrtValue: [
    49,
    "void *",
    "void *memory, void *data, size_t bytes, int64_t *shape, size_t rank, int type, _Out_ void **out",
  ],
  IsTensor: [50, "void *", "void *value, _Out_ int *out"],
  GetTensorMutableData: [51, "void *", "void *value, _Out_ void **out"],
  FillStringTensor: [52, "void *", "void *value, const char **texts, size_t count"],
  GetStringTensorDataLength: [53, "void *", "void *value, _Out_ size_t *out"],
  GetStringTensorContent: [54, "void *", "void *value, void *bytes, size_t length, size_t *offsets, size_t count"],
  CastTypeInfoToTensorInfo: [55, "void *", "void *info, _Out_ void **out"],
  GetTensorElementType: [60, "void *", "void *info, _Out_ int *out"],
  GetDimensionsCount: [61, "void *", "void *info, _Out_ size_t *out"],
  GetDimensions: [62, "void *", "void *info, int64_t *dims, size_t count"],
  GetSymbolicDimensions: [63, "void *", "void *info, _Out_ const char **names, size_t count"],
  GetTensorTypeAndShape: [65, "void *", "void *value, _Out_ void **out"],
  CreateCpuMemoryInfo: [69, "void *", "int allocator, int memory, _Out_ void **out"],
  AllocatorFree: [76, "void *", "void *allocator, void *pointer"],
  GetAllocatorWithDefaultOptions: [78, "void *", "_Out_ void **out"],
  ReleaseEnv: [92, "void", "void *env"],
  ReleaseStatus: [93, "void", "void *status"],
  ReleaseMemoryInfo: [94, "void", "void *info"],
  ReleaseSession: [95, "void", "void *session"],
  ReleaseValue: [96, "void", "void *value"],
  ReleaseTypeInfo: [98, "void", "void *info"],
  ReleaseTensorTypeAndShapeInfo: [99, "void", "void *info"],
  ReleaseSessionOptions: [100, "void", "void *options"],
} as const satisfies Readonly<Record<string, readonly [place: number, result: string, parameters: string]>>;

export type OrtFunction = keyof typeof functions;

export interface Ort {
  readonly koffi: Koffi;
  /** Held: koffi unloads a library when its handle is collected, whatever functions of it are still known. */
  readonly library: ReturnType<Koffi["load"]>;
  /** As GetVersionString says it. */
  readonly version: string;
  /** Calls a function; throws CannotError with the library's words when its status is one. */
  call(name: OrtFunction, ...parameters: unknown[]): void;
  /** Run, called often: bound once. */
  run(...parameters: unknown[]): void;
  /** The same on a thread of its own. */
  callAsync(name: OrtFunction, ...parameters: unknown[]): Promise<void>;
  /** A function with one `out` after its parameters. */
  pointer(name: OrtFunction, ...parameters: unknown[]): Pointer;
  number(name: OrtFunction, ...parameters: unknown[]): number;
  release(name: OrtFunction, pointer: Pointer): void;
}

/** Calls on threads at once; koffi refuses beyond 256 of all libraries in a process. Others wait for one to end. */
const CALLS_LIMIT = 64;
let calls = 0;
const queue: (() => void)[] = [];

const loaded = new Map<string, Ort>();

/** Loads the library once; it stays. Throws CannotError when it cannot be loaded or is no ONNX Runtime. */
export function loadOrt(path: string): Ort {
  let ort = loaded.get(path);
  if (ort === undefined) loaded.set(path, (ort = bind(path)));
  return ort;
}

function bind(path: string): Ort {
  const koffi = loadKoffi();
  let library: ReturnType<Koffi["load"]>;
  let base: Pointer;
  try {
    library = koffi.load(path);
    base = library.func("void *OrtGetApiBase()")() as Pointer;
  } catch (cause) {
    throw new CannotError(`${path}: ${firstLine(cause)}`, { cause });
  }
  const [getApi = 0n, getVersion = 0n] = koffi.decode(base, koffi.array("void *", 2)) as Pointer[];
  const version = (koffi.decode(getVersion, koffi.proto("const char *OrtGetVersionString()")) as () => string)();
  const ask = koffi.decode(getApi, koffi.proto("void *OrtGetApi(uint32_t version)")) as (v: number) => Pointer | null;
  const api = ask(VERSION);
  if (api === null || api === 0n)
    throw new CannotError(`${path}: ONNX Runtime ${version} is too old; 1.19 is the oldest`);
  const bound = new Map<OrtFunction, KoffiFunction>();
  const get = (name: OrtFunction): KoffiFunction => {
    let func = bound.get(name);
    if (func === undefined) {
      const [place, result, parameters] = functions[name];
      const pointer = koffi.decode(api, place * 8, "void *") as Pointer;
      func = koffi.decode(pointer, koffi.proto(`${result} Ort${name}(${parameters})`)) as KoffiFunction;
      bound.set(name, func);
    }
    return func;
  };
  const check = (status: unknown): void => {
    if (status === null || status === 0n) return;
    const says = get("GetErrorMessage")(status) as string;
    get("ReleaseStatus")(status);
    throw new CannotError(`ONNX Runtime: ${oneLine(says)}`);
  };
  const call = (name: OrtFunction, ...parameters: unknown[]): void => check(get(name)(...parameters));
  const run = get("Run");
  return {
    koffi,
    library,
    version,
    call,
    run: (...parameters) => check(run(...parameters)),
    async callAsync(name, ...parameters) {
      if (calls >= CALLS_LIMIT) await new Promise<void>((turn) => queue.push(turn));
      else calls++;
      try {
        const status = await new Promise<unknown>((done, failed) => {
          get(name).async(...parameters, (error: unknown, status: unknown) => {
            if (error instanceof Error) failed(error);
            else done(status);
          });
        });
        check(status);
      } finally {
        const next = queue.shift();
        if (next === undefined) calls--;
        else next();
      }
    },
    pointer(name, ...parameters) {
      const out: [Pointer | null] = [null];
      call(name, ...parameters, out);
      return out[0] ?? 0n;
    },
    number(name, ...parameters) {
      const out: [number | bigint] = [0];
      call(name, ...parameters, out);
      return Number(out[0]);
    },
    release: (name, pointer) => void (get(name)(pointer) as unknown),
  };
}

/** Words enough to look for. */
const SAID = 400;

/** The library's words on one line, without the place in its sources that it puts before them. */
function oneLine(says: string): string {
  const text = says
    .replace(/\/\S+\.cc:\d+ (?:virtual |static )?[^\n]*?\)(?: const)? /g, "")
    .replace(/\s+/g, " ")
    .trim();
  return text.length > SAID ? `${text.slice(0, SAID - 1)}…` : text;
}

function firstLine(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return text.split("\n", 1)[0] ?? "";
}
