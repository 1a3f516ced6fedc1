/**
 * LiteRT's C API as a table of functions, driven by koffi. Signatures and structs: litert/c/*.h of google-ai-edge/LiteRT at f674577 (after
 * v2.2.0; Apache-2.0), run against libLiteRt.so of ai_edge_litert 2.3.0. Structs are written as bytes: the headers call them stable.
 */

import { CannotError } from "../../../base/errors.ts";
import { loadKoffi, type Koffi } from "../../../base/koffi.ts";
import { firstLine, sentenceOf, type KoffiFunction, type Pointer } from "../api.ts";

type Library = ReturnType<Koffi["load"]>;

/** All answer a LiteRtStatus (0: went well) but those that destroy. What a function gives comes by its last parameter. */
const functions = {
  LiteRtCreateEnvironment: "int %(int count, const void *options, void *made)",
  LiteRtDestroyEnvironment: "void %(void *environment)",
  LiteRtGetNumAccelerators: "int %(void *environment, void *count)",
  LiteRtGetAccelerator: "int %(void *environment, size_t index, void *accelerator)",
  LiteRtGetAcceleratorName: "int %(void *accelerator, void *name)",
  LiteRtCreateModelFromFile: "int %(void *environment, const char *path, void *made)",
  LiteRtDestroyModel: "void %(void *model)",
  LiteRtGetModelSubgraph: "int %(void *model, size_t index, void *graph)",
  LiteRtGetNumModelSignatures: "int %(void *model, void *count)",
  LiteRtGetModelSignature: "int %(void *model, size_t index, void *signature)",
  LiteRtGetSignatureSubgraph: "int %(void *signature, void *graph)",
  LiteRtGetNumSignatureInputs: "int %(void *signature, void *count)",
  LiteRtGetNumSignatureOutputs: "int %(void *signature, void *count)",
  LiteRtGetSignatureInputTensorByIndex: "int %(void *signature, size_t index, void *tensor)",
  LiteRtGetSignatureOutputTensorByIndex: "int %(void *signature, size_t index, void *tensor)",
  LiteRtGetTensorName: "int %(void *tensor, void *name)",
  LiteRtGetTensorIndex: "int %(void *tensor, void *index)",
  LiteRtGetRankedTensorType: "int %(void *tensor, void *type)",
  LiteRtCreateOptions: "int %(void *made)",
  LiteRtDestroyOptions: "void %(void *options)",
  LiteRtSetOptionsHardwareAccelerators: "int %(void *options, int set)",
  LiteRtCreateOpaqueOptions: "int %(const char *name, void *payload, void *destructor, void *made)",
  LiteRtAddOpaqueOptions: "int %(void *options, void *opaque)",
  LiteRtCreateCompiledModel: "int %(void *environment, void *model, void *options, void *made)",
  LiteRtDestroyCompiledModel: "void %(void *compiled)",
  LiteRtCompiledModelIsFullyAccelerated: "int %(void *compiled, void *fully)",
  LiteRtCompiledModelGetErrorMessages: "int %(void *compiled, void *text)",
  LiteRtCompiledModelClearErrors: "int %(void *compiled)",
  LiteRtCompiledModelResizeInputTensor:
    "int %(void *compiled, size_t signature, size_t input, const void *dims, size_t count)",
  LiteRtGetCompiledModelInputTensorLayout: "int %(void *compiled, size_t signature, size_t input, void *layout)",
  LiteRtGetCompiledModelOutputTensorLayouts:
    "int %(void *compiled, size_t signature, size_t count, void *layouts, bool allocate)",
  LiteRtGetCompiledModelInputBufferRequirements: "int %(void *compiled, size_t signature, size_t input, void *needs)",
  LiteRtGetCompiledModelOutputBufferRequirements: "int %(void *compiled, size_t signature, size_t output, void *needs)",
  LiteRtGetTensorBufferRequirementsBufferSize: "int %(void *needs, void *size)",
  LiteRtGetNumTensorBufferRequirementsSupportedBufferTypes: "int %(void *needs, void *count)",
  LiteRtGetTensorBufferRequirementsSupportedTensorBufferType: "int %(void *needs, int index, void *type)",
  LiteRtCreateTensorBufferFromHostMemory:
    "int %(const void *type, void *memory, size_t size, void *deallocator, void *made)",
  LiteRtCreateManagedTensorBufferFromRequirements:
    "int %(void *environment, const void *type, void *needs, void *made)",
  LiteRtLockTensorBuffer: "int %(void *buffer, void *memory, int mode)",
  LiteRtUnlockTensorBuffer: "int %(void *buffer)",
  LiteRtDestroyTensorBuffer: "void %(void *buffer)",
  LiteRtRunCompiledModel:
    "int %(void *compiled, size_t signature, size_t ins, void *inputs, size_t outs, void *outputs)",
  LiteRtCompiledModelGetProfiler: "int %(void *compiled, void *profiler)",
  LiteRtStartProfiler: "int %(void *profiler)",
  LiteRtStopProfiler: "int %(void *profiler)",
  LiteRtResetProfiler: "int %(void *profiler)",
  LiteRtGetNumProfilerEvents: "int %(void *profiler, void *count)",
  LiteRtGetProfilerEvents: "int %(void *profiler, int count, void *events)",
  // Not called: came with the environment as LiteRtCreateModelFromFile's first parameter (2.1.6), which no symbol tells by itself.
  LiteRtCreateModelFromFd: "int %(void *environment, int fd, size_t offset, size_t size, void *made)",
} as const satisfies Readonly<Record<string, string>>;

export type LitertFunction = keyof typeof functions;

/** LiteRtStatus, litert_common.h. */
const statuses: Readonly<Record<number, string>> = {
  1: "ErrorInvalidArgument",
  2: "ErrorMemoryAllocationFailure",
  3: "ErrorRuntimeFailure",
  4: "ErrorMissingInputTensor",
  5: "ErrorUnsupported",
  6: "ErrorNotFound",
  7: "ErrorTimeoutExpired",
  8: "ErrorWrongVersion",
  9: "ErrorUnknown",
  10: "ErrorAlreadyExists",
  100: "Cancelled",
  500: "ErrorFileIO",
  501: "ErrorInvalidFlatbuffer",
  502: "ErrorDynamicLoading",
  503: "ErrorSerialization",
  504: "ErrorCompilation",
  1000: "ErrorIndexOOB",
  1001: "ErrorInvalidIrType",
  1002: "ErrorInvalidGraphInvariant",
  1003: "ErrorGraphModification",
  1500: "ErrorInvalidToolConfig",
  2000: "LegalizeNoMatch",
  2001: "ErrorInvalidLegalization",
  3000: "PatternNoMatch",
  3001: "InvalidTransformation",
  4000: "ErrorUnsupportedRuntimeVersion",
  4001: "ErrorUnsupportedCompilerVersion",
  4002: "ErrorIncompatibleByteCodeVersion",
  5000: "ErrorUnsupportedOpShapeInferer",
  5001: "ErrorShapeInferenceFailed",
};

/** As LiteRtGetStatusString() has it, which the library does not export. */
export const statusName = (status: number): string => `kLiteRtStatus${statuses[status] ?? ` ${status}`}`;

export interface Litert {
  readonly koffi: Koffi;
  /** Held: koffi unloads a library when its handle is collected. */
  readonly library: Library;
  readonly path: string;
  readonly get: (name: LitertFunction) => KoffiFunction;
  /** Throws CannotError with `what` and the status where it did not go well. */
  readonly must: (what: string, name: LitertFunction, ...parameters: unknown[]) => void;
  /** What the function gives by its last parameter; throws as must(). */
  readonly made: (what: string, name: LitertFunction, ...parameters: unknown[]) => Pointer;
  /** Status, on a thread of its own. */
  readonly callAsync: (name: LitertFunction, ...parameters: unknown[]) => Promise<number>;
  /** Address of free(3), for what LiteRT is to free; and the call. */
  readonly free: { readonly address: Pointer; readonly call: (at: Pointer) => void };
  /** A copy of the text that free() frees. */
  readonly copied: (text: string) => Pointer;
  readonly text: (at: Pointer) => string;
}

const loaded = new Map<string, Litert>();

/** Libraries that were asked, held: unloaded between the question and its use, one would begin anew. */
const asked = new Map<string, { readonly library: Library; readonly litert: boolean }>();

/** Does the library speak LiteRT and not TFLite? Loads it. Throws CannotError when it cannot be loaded. */
export function isLitert(path: string): boolean {
  let known = asked.get(path);
  if (known === undefined) asked.set(path, (known = ask(path)));
  return known.litert;
}

function ask(path: string): { readonly library: Library; readonly litert: boolean } {
  const library = open(loadKoffi(), path);
  const has = (declared: string): boolean => {
    try {
      library.func(declared);
      return true;
    } catch {
      return false;
    }
  };
  const litert = !has("const char *TfLiteVersion()") && has("void LiteRtDestroyEnvironment(void *environment)");
  return { library, litert };
}

/** Loads the library once; it stays. Throws CannotError when it cannot be loaded or is too old. */
export function loadLitert(path: string): Litert {
  let litert = loaded.get(path);
  if (litert === undefined) loaded.set(path, (litert = bind(path)));
  return litert;
}

function open(koffi: Koffi, path: string): Library {
  try {
    return koffi.load(path);
  } catch (cause) {
    const says = firstLine(cause);
    throw new CannotError(says.includes(path) ? says : `${path}: ${says}`, { cause });
  }
}

function bind(path: string): Litert {
  const koffi = loadKoffi();
  const library = open(koffi, path);
  const bound = new Map<LitertFunction, KoffiFunction>();
  for (const [name, declared] of Object.entries(functions) as [LitertFunction, string][]) {
    try {
      bound.set(name, library.func(declared.replace("%", name)));
    } catch (cause) {
      throw new CannotError(`${path} lacks ${name}: LiteRT's C API is spoken as of 2.1.6`, { cause });
    }
  }
  const get = (name: LitertFunction): KoffiFunction => {
    const func = bound.get(name);
    if (func === undefined) throw new CannotError(`${path} lacks ${name}`);
    return func;
  };
  const must: Litert["must"] = (what, name, ...parameters) => {
    const status = get(name)(...parameters) as number;
    if (status !== 0) throw new CannotError(`LiteRT: ${what}: ${name} answers ${statusName(status)}`);
  };
  const c = koffi.load(null);
  const free = c.func("void free(void *at)");
  const duplicate = c.func("void *strdup(const char *text)");
  const symbol = c.func("void *dlsym(void *library, const char *name)");
  return {
    koffi,
    library,
    path,
    get,
    must,
    made(what, name, ...parameters) {
      const out = new BigUint64Array(new ArrayBuffer(8));
      must(what, name, ...parameters, out);
      return out[0] ?? 0n;
    },
    callAsync: (name, ...parameters) =>
      new Promise((done, failed) => {
        get(name).async(...parameters, (error: unknown, result: unknown) => {
          if (error instanceof Error) failed(error);
          else done(result as number);
        });
      }),
    free: { address: symbol(0n, "free") as Pointer, call: (at) => void (free(at) as unknown) },
    copied: (text) => duplicate(text) as Pointer,
    text: (at) => (at === 0n ? "" : (koffi.decode(at, "char", -1) as string)),
  };
}

/** What the runtime adds where it says nothing new. */
const REPEATS = /^Failed to allocate tensors/;

/** What the runtime said of this model since the last time, in one line; "" when it said nothing. */
export function takeWords({ get, free, text }: Litert, compiled: Pointer): string {
  const out = new BigUint64Array(new ArrayBuffer(8));
  if ((get("LiteRtCompiledModelGetErrorMessages")(compiled, out) as number) !== 0) return "";
  const at = out[0] ?? 0n;
  const lines = text(at).split("\n");
  if (at !== 0n) free.call(at);
  get("LiteRtCompiledModelClearErrors")(compiled);
  return sentenceOf(lines.filter((line) => !REPEATS.test(line)));
}
