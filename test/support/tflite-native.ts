/** The bare TensorFlow Lite 2.9 that tfjs-tflite-node ships, by its C API and nothing between: what others are held against. */

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type * as koffiModule from "koffi";

const require = createRequire(import.meta.url);
const folders: Readonly<Record<string, string>> = { x64: "linux_amd64", arm64: "linux_arm64" };

function libraryPath(): string | undefined {
  try {
    const folder = join(
      require.resolve("tfjs-tflite-node/package.json"),
      "../cc_deps",
      folders[process.arch] ?? "none",
    );
    const path = join(folder, "libtensorflowlite_c.so");
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined; // not installed
  }
}

export const nativeTflite = libraryPath();
/** For describe/it titles. */
export const unlessNative = nativeTflite === undefined ? " (skipped: tfjs-tflite-node has no library here)" : "";

export interface Native {
  /** Inputs as bytes in the model's order; outputs likewise. Blocks. */
  run(inputs: readonly Uint8Array[]): Uint8Array[];
  /** Just again, on what was last given. */
  invoke(): void;
  close(): void;
  /** Held: koffi unloads a library when its handle is collected. */
  readonly library: unknown;
}

/** TfLiteXNNPackDelegateOptions: the number of threads, and zeros for the rest. */
const XNNPACK_OPTIONS = 64;

/** Undefined where it refuses the model. With `xnnpack`, which 2.9 does not apply by itself, as far as that takes the model. */
export function openNative(model: string, threads = 1, xnnpack = false): Native | undefined {
  const koffi = require("koffi") as typeof koffiModule;
  const library = koffi.load(nativeTflite ?? "");
  const call = (prototype: string): ((...values: unknown[]) => unknown) => library.func(prototype);
  const handle = call("void *TfLiteModelCreateFromFile(const char *path)")(model);
  const options = call("void *TfLiteInterpreterOptionsCreate()")();
  call("void TfLiteInterpreterOptionsSetNumThreads(void *options, int threads)")(options, threads);
  const interpreter = call("void *TfLiteInterpreterCreate(void *model, void *options)")(handle, options);
  if (interpreter === null || interpreter === 0n) return undefined;
  if (xnnpack) {
    const asked = Buffer.alloc(XNNPACK_OPTIONS);
    asked.writeInt32LE(threads);
    const delegate = call("void *TfLiteXNNPackDelegateCreate(void *options)")(asked);
    call("int TfLiteInterpreterModifyGraphWithDelegate(void *interpreter, void *delegate)")(interpreter, delegate);
  }
  if (call("int TfLiteInterpreterAllocateTensors(void *interpreter)")(interpreter) !== 0) return undefined;
  const count = (which: string): number =>
    Number(call(`int TfLiteInterpreterGet${which}TensorCount(void *i)`)(interpreter));
  const tensors = (which: string): unknown[] => {
    const get = call(`void *TfLiteInterpreterGet${which}Tensor(void *interpreter, int index)`);
    return Array.from({ length: count(which) }, (_, at) => get(interpreter, at));
  };
  const [inputs, outputs] = [tensors("Input"), tensors("Output")];
  const bytes = call("size_t TfLiteTensorByteSize(void *tensor)");
  const fill = call("int TfLiteTensorCopyFromBuffer(void *tensor, void *data, size_t bytes)");
  const take = call("int TfLiteTensorCopyToBuffer(void *tensor, _Out_ void *data, size_t bytes)");
  const invoke = call("int TfLiteInterpreterInvoke(void *interpreter)");
  const done = call("void TfLiteInterpreterDelete(void *interpreter)");
  return {
    run(given) {
      inputs.forEach((tensor, at) => {
        const from = given[at] ?? new Uint8Array(0);
        if (fill(tensor, from, from.length) !== 0)
          throw new Error(`input ${at} has ${String(bytes(tensor))} bytes, not ${from.length}`);
      });
      if (invoke(interpreter) !== 0) throw new Error("Invoke failed");
      return outputs.map((tensor) => {
        const into = Buffer.allocUnsafeSlow(Number(bytes(tensor)));
        take(tensor, into, into.length);
        return into;
      });
    },
    invoke: () => void invoke(interpreter),
    close: () => void done(interpreter),
    library,
  };
}
