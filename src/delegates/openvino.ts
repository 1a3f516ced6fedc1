/**
 * OpenVINO through its C API, from wherever the user has it: Intel's CPU, GPU and NPU. Options are OpenVINO's properties, passed on as
 * they are (CACHE_DIR keeps compiled models there, INFERENCE_PRECISION_HINT, PERFORMANCE_HINT ...); DEVICE replaces the device's name
 * by another of OpenVINO's own (AUTO, HETERO:NPU,CPU), and is held to what was asked for by what OpenVINO says it executes on.
 */

import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { CannotError, FileError } from "../base/errors.ts";
import type { Delegate, OpenOptions, Placement, Session } from "./delegate.ts";
import { loadOpenVino, type Ov, type Pointer } from "./openvino/api.ts";
import { availableDevices, describeDevice, deviceFor, familyOf, releaseOf } from "./openvino/devices.ts";
import { find } from "./openvino/find.ts";
import { Runner } from "./openvino/runner.ts";
import { readPorts } from "./openvino/tensor.ts";

/** The option that names OpenVINO's device; the rest are properties. */
const DEVICE = "DEVICE";

const delegate: Delegate = {
  id: "openvino",
  name: "OpenVINO",
  formats: ["onnx", "openvino-ir", "tflite", "tensorflow-savedmodel", "openvino-npu-blob"],
  devices: ["cpu", "intel-npu", "intel-gpu"],
  verified:
    "vendor's library: OpenVINO 2026.4.1 on x86-64, CPU; the same code opened and ran models with 2024.6.0 and 2025.4.0; " +
    "GPU, NPU and compiled blobs of the NPU not run",
  sources: [
    "https://github.com/openvinotoolkit/openvino/tree/master/src/bindings/c/include/openvino/c",
    "https://docs.openvino.ai/2026/openvino-workflow/running-inference/inference-devices-and-modes.html",
  ],
  manual: {
    install: [
      {
        command: "pip install openvino",
        brings: "the library with its plugins for CPU, GPU and NPU, in a Python environment that is found",
      },
    ],
    library: "libopenvino_c.so, with its plugins beside it",
    options: [
      { name: DEVICE, says: "another of OpenVINO's own device names: AUTO, HETERO:NPU,CPU" },
      { name: "CACHE_DIR", says: "a folder that keeps compiled models" },
      { name: "*", says: "OpenVINO's properties: PERFORMANCE_HINT, INFERENCE_PRECISION_HINT, NUM_STREAMS, ..." },
    ],
  },
  find,
  supports(model, device) {
    if (model.format === "openvino-npu-blob" && !device.startsWith("intel-npu"))
      return "it is compiled for Intel's NPU";
    const graph = model.graphs[model.main ?? 0];
    const texts = graph?.inputs.some((at) => graph.tensors[at]?.type === "string");
    return texts === true ? "it takes texts, which OpenVINO is not given here" : undefined;
  },
  async probe(options) {
    const { ov, core } = await load(options);
    const available = await availableDevices(ov, core);
    return available.map((id) => describeDevice(ov, core, id, available));
  },
  async open(model, options) {
    const { ov, core } = await load(options);
    const available = await availableDevices(ov, core);
    const asked = deviceFor(options.device, available, ov.version);
    const { [DEVICE]: device = asked, ...given } = options.options ?? {};
    const properties = new Map(Object.entries(given));
    if (options.threads !== undefined && asked === "CPU")
      properties.set("INFERENCE_NUM_THREADS", String(options.threads));
    if (options.profile === true) properties.set("PERF_COUNT", "YES");
    const compiled = await compile(ov, core, model, device, properties);
    try {
      // AUTO puts a device in brackets that computes until another is ready.
      const text = propertyOf(ov, compiled, "EXECUTION_DEVICES");
      const executing = text?.split(/[\s,()]+/).filter((part) => part !== "");
      const placement = placementOf(executing, asked, device, options.device);
      const precision = propertyOf(ov, compiled, "INFERENCE_PRECISION_HINT");
      const rounded = precision === "bf16" || precision === "f16" ? `, where it may round to ${precision}` : "";
      const says = `${placement.says}${rounded}`;
      return sessionOf(ov, compiled, { ...placement, says }, executing?.join("+") ?? device, options);
    } catch (error) {
      ov.free("ov_compiled_model_free", compiled);
      throw error;
    }
  },
};
export default delegate;

interface Loaded {
  readonly ov: Ov;
  /** OpenVINO's own word for the plugins it knows; one for each library, kept. */
  readonly core: Pointer;
}

const cores = new Map<Ov, Promise<Pointer>>();

async function load(options: { readonly library?: string }): Promise<Loaded> {
  const found = find(options);
  if (found.state !== "read") {
    const from = found.why === undefined ? found.from : `${found.from}: ${found.why}`;
    throw new CannotError(`OpenVINO is not here (${from}): pip install openvino, or name its libopenvino_c.so`);
  }
  const ov = loadOpenVino(found.value.library);
  let core = cores.get(ov);
  if (core === undefined) cores.set(ov, (core = ov.pointerAsync("ov_core_create")));
  return { ov, core: await core };
}

/** Throws FileError for a model that cannot be read, CannotError for one that the device does not take. */
async function compile(
  ov: Ov,
  core: Pointer,
  path: string,
  device: string,
  properties: ReadonlyMap<string, string>,
): Promise<Pointer> {
  if (isNpuBlob(path)) return importBlob(ov, core, path, device);
  let model: Pointer;
  try {
    // A SavedModel is the folder that this file lies in.
    const read = basename(path) === "saved_model.pb" ? dirname(path) : path;
    model = await ov.pointerAsync("ov_core_read_model", core, read, null);
  } catch (error) {
    throw error instanceof CannotError ? new FileError(path, error.message, undefined, { cause: error }) : error;
  }
  try {
    return await ov.compile(core, model, device, properties);
  } catch (error) {
    if (!(error instanceof CannotError)) throw error;
    throw new CannotError(`${path} on ${device}: ${error.message}`, { cause: error });
  } finally {
    ov.free("ov_model_free", model);
  }
}

/** Compiled for the NPU: an ELF, or one with OpenVINO's own end. No model that is read begins or ends so. */
function isNpuBlob(path: string): boolean {
  let file: number;
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return false;
  try {
    file = openSync(path, "r");
  } catch (cause) {
    throw new FileError(path, "it cannot be opened", undefined, { cause });
  }
  try {
    const { size } = fstatSync(file);
    const [start, end] = [Buffer.alloc(4), Buffer.alloc(5)];
    if (size < 64) return false;
    readSync(file, start, 0, start.length, 0);
    readSync(file, end, 0, end.length, size - end.length);
    return start.toString("latin1") === "\x7fELF" || end.toString("latin1") === "OVNPU";
  } finally {
    closeSync(file);
  }
}

async function importBlob(ov: Ov, core: Pointer, path: string, device: string): Promise<Pointer> {
  const content = await readFile(path);
  try {
    return await ov.pointerAsync("ov_core_import_model", core, content, content.length, device);
  } catch (error) {
    if (!(error instanceof CannotError)) throw error;
    throw new CannotError(`${path} on ${device}: ${error.message}`, { cause: error });
  }
}

/** A property of a compiled model; undefined where its device has no such. */
function propertyOf(ov: Ov, compiled: Pointer, name: string): string | undefined {
  try {
    return ov.text(ov.pointer("ov_compiled_model_get_property", compiled, name));
  } catch (error) {
    if (error instanceof CannotError) return undefined;
    throw error;
  }
}

/** Throws CannotError where it executes on something else than what was asked for. */
function placementOf(executing: readonly string[] | undefined, asked: string, device: string, word: string): Placement {
  if (executing === undefined) {
    return { device: word, says: `OpenVINO compiled the model for ${device} and does not say what executes it` };
  }
  // "GPU" is "GPU.0" where there is one.
  const isAsked = (id: string): boolean =>
    id === asked || (familyOf(id) === familyOf(asked) && !(id.includes(".") && asked.includes(".")));
  const taken = executing.filter(isAsked).length;
  if (taken === 0 || (device === asked && taken < executing.length)) {
    throw new CannotError(
      `${word}: OpenVINO was asked for ${device} and executes on ${executing.join(" and ") || "nothing"}`,
    );
  }
  const all = device === asked ? "the whole model" : "the model";
  return { device: word, says: `OpenVINO compiled ${all} for ${device} and executes it on ${executing.join(" and ")}` };
}

function sessionOf(
  ov: Ov,
  compiled: Pointer,
  placement: Placement,
  by: string,
  { lending, profile }: OpenOptions,
): Session {
  const inputs = readPorts(ov, compiled, "input");
  const outputs = readPorts(ov, compiled, "output");
  const spansBy = profile === true ? by : undefined;
  const runner = new Runner({ ov, compiled, inputs, outputs, lending, spansBy });
  const runs = new Set<Promise<unknown>>();
  let closed = false;
  return {
    inputs,
    outputs,
    version: releaseOf(ov.version),
    placement,
    run(values) {
      if (closed) return Promise.reject(new CannotError("the session is closed"));
      const running = runner.run(values);
      const settled = running.catch(() => undefined).finally(() => runs.delete(settled));
      runs.add(settled);
      return running;
    },
    async close() {
      if (closed) return;
      closed = true;
      await Promise.all(runs);
      runner.release();
      ov.free("ov_compiled_model_free", compiled);
    },
  };
}
