/**
 * TFLite's C API as a table of functions, driven by koffi. Signatures: tensorflow/lite/c/c_api.h of TensorFlow 2.9 (Apache-2.0), as it
 * lies in the npm package tfjs-tflite-node; LiteRT's tflite/core/c/c_api.h has the same. XNNPACK's are of
 * tensorflow/lite/delegates/xnnpack/xnnpack_delegate.h.
 */

import { closeSync, openSync } from "node:fs";
import { CannotError } from "../../base/errors.ts";
import { loadKoffi, type Koffi } from "../../base/koffi.ts";

type Library = ReturnType<Koffi["load"]>;
export type KoffiFunction = ReturnType<Library["func"]>;
/** A pointer of the library; 0n is null. */
export type Pointer = bigint;

/** Name: result and parameters. A status is 0 where all went well. */
const functions = {
  TfLiteVersion: "const char *%()",
  TfLiteModelCreateFromFile: "void *%(const char *path)",
  TfLiteModelDelete: "void %(void *model)",
  TfLiteInterpreterOptionsCreate: "void *%()",
  TfLiteInterpreterOptionsDelete: "void %(void *options)",
  TfLiteInterpreterOptionsSetNumThreads: "void %(void *options, int32_t threads)",
  TfLiteInterpreterOptionsSetErrorReporter: "void %(void *options, void *reporter, void *user)",
  TfLiteInterpreterCreate: "void *%(void *model, void *options)",
  TfLiteInterpreterDelete: "void %(void *interpreter)",
  TfLiteInterpreterModifyGraphWithDelegate: "int %(void *interpreter, void *delegate)",
  TfLiteInterpreterAllocateTensors: "int %(void *interpreter)",
  TfLiteInterpreterInvoke: "int %(void *interpreter)",
  TfLiteInterpreterResizeInputTensor: "int %(void *interpreter, int32_t index, const int *dims, int32_t count)",
  TfLiteInterpreterGetInputTensorCount: "int32_t %(void *interpreter)",
  TfLiteInterpreterGetInputTensor: "void *%(void *interpreter, int32_t index)",
  TfLiteInterpreterGetOutputTensorCount: "int32_t %(void *interpreter)",
  TfLiteInterpreterGetOutputTensor: "void *%(void *interpreter, int32_t index)",
  TfLiteTensorType: "int %(void *tensor)",
  TfLiteTensorNumDims: "int32_t %(void *tensor)",
  TfLiteTensorDim: "int32_t %(void *tensor, int32_t index)",
  TfLiteTensorByteSize: "size_t %(void *tensor)",
  TfLiteTensorData: "void *%(void *tensor)",
  TfLiteTensorName: "const char *%(void *tensor)",
  TfLiteXNNPackDelegateCreate: "void *%(const void *options)",
  TfLiteXNNPackDelegateDelete: "void %(void *delegate)",
} as const satisfies Readonly<Record<string, string>>;

export type TfliteFunction = keyof typeof functions;

/** What may be absent: builds without XNNPACK are met. */
const optional: readonly TfliteFunction[] = ["TfLiteXNNPackDelegateCreate", "TfLiteXNNPackDelegateDelete"];

export interface Tflite {
  readonly koffi: Koffi;
  /** Held: koffi unloads a library when its handle is collected, whatever functions of it are still known. */
  readonly library: Library;
  readonly path: string;
  /** As TfLiteVersion says it. */
  readonly version: string;
  readonly has: (name: TfliteFunction) => boolean;
  readonly get: (name: TfliteFunction) => KoffiFunction;
  readonly pointer: (name: TfliteFunction, ...parameters: unknown[]) => Pointer;
  /** On a thread of its own. */
  readonly callAsync: (name: TfliteFunction, ...parameters: unknown[]) => Promise<unknown>;
  /** real = scale * (stored - zero); a scale of 0: not quantised, or along a dimension. */
  readonly quantization: (tensor: Pointer) => { readonly scale: number; readonly zero: number };
}

const loaded = new Map<string, Tflite>();

/** Loads the library once; it stays. Throws CannotError when it cannot be loaded or is no TFLite. */
export function loadTflite(path: string): Tflite {
  let tflite = loaded.get(path);
  if (tflite === undefined) loaded.set(path, (tflite = bind(path)));
  return tflite;
}

function bind(path: string): Tflite {
  const koffi = loadKoffi();
  const bound = new Map<TfliteFunction, KoffiFunction>();
  let library: Library;
  try {
    library = koffi.load(path);
    for (const [name, declared] of Object.entries(functions) as [TfliteFunction, string][]) {
      try {
        bound.set(name, library.func(declared.replace("%", name)));
      } catch (error) {
        if (!optional.includes(name)) throw error;
      }
    }
  } catch (cause) {
    const says = firstLine(cause);
    throw new CannotError(says.includes(path) ? says : `${path}: ${says}; it is no TFLite with the C API`, { cause });
  }
  const params = koffi.struct({ scale: "float", zero: "int32_t" });
  const get = (name: TfliteFunction): KoffiFunction => {
    const func = bound.get(name);
    if (func === undefined) throw new CannotError(`${path} lacks ${name}`);
    return func;
  };
  return {
    koffi,
    library,
    path,
    version: get("TfLiteVersion")() as string,
    has: (name) => bound.has(name),
    get,
    pointer: (name, ...parameters) => (get(name)(...parameters) as Pointer | null) ?? 0n,
    callAsync: (name, ...parameters) =>
      new Promise((done, failed) => {
        get(name).async(...parameters, (error: unknown, result: unknown) => {
          if (error instanceof Error) failed(error);
          else done(result);
        });
      }),
    quantization: library.func("TfLiteTensorQuantizationParams", params, ["void *"]) as Tflite["quantization"],
  };
}

/** Words enough to look for. */
const SAID = 400;
/** A library that repeats itself is cut short. */
const LINES = 20;
const LINE = 1024;
/** What the runtime adds to a delegate's words, and we say ourselves. */
const RESTORED = "Restored original execution plan";

/** What a library says of one interpreter, until it is asked for. */
export class Words {
  readonly #koffi: Koffi;
  readonly id: number;
  #lines: string[] = [];

  constructor(koffi: Koffi) {
    this.#koffi = koffi;
    this.id = ++ids;
    sinks.set(this.id, this);
  }

  /** For TfLiteInterpreterOptionsSetErrorReporter, with `id` for its user data. */
  get reporter(): Pointer {
    return (reporter ??= makeReporter(this.#koffi));
  }

  add(line: string): void {
    if (this.#lines.length < LINES) this.#lines.push(line.slice(0, LINE));
  }

  /** All since the last time in one line, without places in the library's sources; "" when it said nothing. */
  take(): string {
    const lines = this.#lines;
    this.#lines = [];
    return sentenceOf(lines);
  }

  /** The sentence of an error: the library's words, or that it gave none. */
  sentence(what: string): string {
    const said = this.take();
    return said === "" ? `TFLite: ${what}` : `TFLite: ${what}: ${said}`;
  }

  release(): void {
    sinks.delete(this.id);
  }
}

/** What a library says in lines as one, without places in its sources and what is said twice. */
export function sentenceOf(lines: readonly string[]): string {
  const bare = lines.map((line) =>
    line
      .replace(/^\S+\.(?:cc|h|c|cpp):\d+:? /, "")
      .replace(/ ?See instructions: \S+/, "")
      .replace(/\s+/g, " ")
      .trim()
      .replace(/\.$/, ""),
  );
  const text = [...new Set(bare)].filter((line) => line !== "" && !line.startsWith(RESTORED)).join("; ");
  return text.length > SAID ? `${text.slice(0, SAID - 1)}…` : text;
}

let ids = 0;
const sinks = new Map<number, Words>();
let reporter: Pointer | undefined;

/**
 * void reporter(void *user, const char *format, va_list). Whatever a va_list is, the ABIs of Linux pass it as one pointer-sized word
 * (x86-64: an array; arm64: a struct beyond 16 bytes, by reference; arm, riscv64: a pointer), which vsnprintf(3) takes as it came.
 */
function makeReporter(koffi: Koffi): Pointer {
  const format = koffi.load(null).func("int vsnprintf(void *text, size_t size, void *format, void *arguments)");
  const text = Buffer.allocUnsafeSlow(LINE);
  const report = (user: Pointer | null, pattern: Pointer | null, values: Pointer | null): void => {
    if (pattern === null || pattern === 0n) return;
    const length = format(text, LINE, pattern, values) as number;
    sinks.get(Number(user ?? 0n))?.add(text.toString("utf8", 0, Math.max(0, Math.min(length, LINE - 1))));
  };
  return koffi.register(report, koffi.pointer(koffi.proto("void", ["void *", "void *", "void *"])));
}

/**
 * Calls `act` while standard error leads nowhere: TFLite greets XNNPACK there, past every reporter. For calls of microseconds, once
 * for a library.
 */
export function silently<T>(koffi: Koffi, act: () => T): T {
  const libc = koffi.load(null);
  const [dup, dup2] = [libc.func("int dup(int fd)"), libc.func("int dup2(int from, int to)")];
  const saved = dup(2) as number;
  const nothing = saved < 0 ? -1 : openSync("/dev/null", "w");
  try {
    if (nothing >= 0) dup2(nothing, 2);
    return act();
  } finally {
    if (saved >= 0) dup2(saved, 2);
    for (const fd of [saved, nothing]) if (fd >= 0) closeSync(fd);
  }
}

export function firstLine(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return text.split("\n", 1)[0] ?? "";
}
