/**
 * ONNX Runtime through its C API, out of the library that the npm package onnxruntime-node ships, or any other build by path. The
 * embedded default for ONNX on the CPU: only the CPU provider is enabled, so nothing can fall back without a word.
 */

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { CannotError, FileError } from "../base/errors.ts";
import { absent, read, type Reading } from "../base/reading.ts";
import type { Delegate, FindOptions, Found, OpenOptions, Session } from "./delegate.ts";
import { loadOrt, type Ort, type Pointer } from "./onnxruntime/api.ts";
import { Runner } from "./onnxruntime/runner.ts";
import { readPorts } from "./onnxruntime/tensor.ts";

const PACKAGE = "onnxruntime-node";
/** OrtLoggingLevel: what goes wrong comes back as a status; the library would print it a second time, in colours. */
const FATAL_ONLY = 4;
/** OrtDeviceAllocator, OrtMemTypeDefault. */
const [DEVICE_ALLOCATOR, DEFAULT_MEMORY] = [0, 0];

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
  supports: () => undefined,
  open: async (model, options) => {
    const found = find(options);
    if (found.state !== "read") {
      throw new CannotError(`ONNX Runtime is not here (${found.from}): npm install --ignore-scripts ${PACKAGE}`);
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
  return read({ library: path, version, embedded: true }, path);
}

async function open(ort: Ort, model: string, { threads, lending }: OpenOptions): Promise<Session> {
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
  const runner = new Runner({ ort, session, memory, allocator }, inputs, outputs, lending);
  let closed: Promise<void> | undefined;
  return {
    inputs,
    outputs,
    version: ort.version,
    placement: { device: "cpu", says: "the session was made with ONNX Runtime's CPU provider and no other" },
    run: (values) =>
      closed === undefined ? runner.run(values) : Promise.reject(new CannotError("the session is closed")),
    close: () => (closed ??= close()),
  };

  async function close(): Promise<void> {
    await runner.drained();
    runner.release();
    ort.release("ReleaseSession", session);
    ort.release("ReleaseMemoryInfo", memory);
    ort.release("ReleaseEnv", env);
  }
}
