/**
 * ONNX Runtime through its C API, out of the library that the npm package onnxruntime-node ships, or any other build by path. The
 * embedded default for ONNX on the CPU. For another device it asks the execution provider that is made for it, of those the build has
 * or of a maker's library (`plugin`), and reads back which nodes that took: a provider that is not there, refuses, or takes nothing
 * is an error and no run on the CPU.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { CannotError } from "../base/errors.ts";
import { absent, read, type Reading } from "../base/reading.ts";
import { findPackage, installing } from "../base/package.ts";
import type { Delegate, FindOptions, Found } from "./delegate.ts";
import { loadOrt, type Ort } from "./onnxruntime/api.ts";
import { seen } from "./onnxruntime/devices.ts";
import { deviceWords } from "./onnxruntime/providers.ts";
import { byRoute } from "./onnxruntime/route.ts";
import { openSession } from "./onnxruntime/session.ts";

const PACKAGE = "onnxruntime-node";
/** What to install; of the releases that package.json names, too. */
const NPM = `${PACKAGE}@1.30`;

const delegate: Delegate = {
  id: "onnxruntime",
  name: "ONNX Runtime",
  formats: ["onnx"],
  devices: deviceWords,
  verified:
    "vendor's library on x86-64: onnxruntime-node 1.30.0, onnxruntime 1.32.0 and 1.19.2 on the CPU; onnxruntime-openvino 1.24.1 and 1.23.0 and OpenVINO's " +
    "plugin 1.8.1 on OpenVINO's CPU device; the plugin onnxruntime-ggml 0.2.0; the plugin onnxruntime-ep-webgpu 0.4.0 on an NVIDIA H200 (341 of 341 nodes). Refused in its own words without a device: CUDA, " +
    "TensorRT, the plugin onnxruntime-qnn 2.7.0. Not run, functions from the header: MIGraphX, VitisAI, any NPU",
  sources: [
    "https://github.com/microsoft/onnxruntime/blob/main/include/onnxruntime/core/session/onnxruntime_c_api.h",
    "https://onnxruntime.ai/docs/execution-providers/",
  ],
  npm: NPM,
  manual: {
    install: [
      {
        command: `npm install --ignore-scripts ${NPM}`,
        brings: "the CPU on x86-64 and arm64 with glibc; the default",
      },
      { command: "pip install onnxruntime-ep-webgpu", brings: "GPUs that Vulkan reaches, by --plugin" },
      {
        command: "pip install onnxruntime",
        brings: "another version of the CPU's: capi/libonnxruntime.so.* in the package, by --library",
      },
      {
        command: "pip install onnxruntime-openvino",
        brings: "OpenVINO's provider with its runtime; capi/libonnxruntime.so.*, by --library",
      },
      { command: "pip install onnxruntime-ep-openvino", brings: "OpenVINO's provider alone, by --plugin" },
      { command: "pip install onnxruntime-qnn", brings: "Qualcomm's provider alone, by --plugin" },
    ],
    library: "libonnxruntime.so of any build, from 1.19 on, with its providers beside it",
    plugin: "an execution provider that is made to be registered with any build",
    options: [
      {
        name: "provider",
        says: "the execution provider: CUDA, TensorRT, OpenVINO, VitisAI, MIGraphX, QNN, WebGPU, XNNPACK, or the whole name of a plugin's",
      },
      {
        name: "session.*, optimization.*, ep.*, mlas.*",
        says: "entries of the session, as onnxruntime_session_options_config_keys.h has them",
      },
      { name: "*", says: "the provider's own" },
    ],
  },
  find,
  supports: (_model, device) =>
    deviceWords.includes(device.split(":")[0] ?? "") ? undefined : `no provider of ONNX Runtime is known for ${device}`,
  byRoute,
  probe: async (options) => seen(load(options), options.plugin),
  open: async (model, options) => openSession(load(options), model, options),
};
export default delegate;

function load(options: FindOptions): Ort {
  const found = find(options);
  if (found.state === "read") return loadOrt(found.value.library);
  throw new CannotError(`ONNX Runtime is not here (${found.from}): ${installing(NPM)}`);
}

function find({ library }: FindOptions): Reading<Found> {
  if (library !== undefined) return existsSync(library) ? read({ library }, library) : absent(library);
  const found = findPackage(PACKAGE);
  if (found === undefined) return absent(`node_modules/${PACKAGE}`);
  const { folder, ...version } = found;
  const path = join(folder, "bin/napi-v6", process.platform, process.arch, "libonnxruntime.so.1");
  if (!existsSync(path)) return absent(path, `${PACKAGE} has no library for ${process.arch}`);
  return read({ library: path, ...version, embedded: true }, path);
}
