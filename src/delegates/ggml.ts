/**
 * ggml and llama.cpp through their C API: language models in GGUF, a text in and a text out, on whatever back ends lie with the library
 * (CPU, Vulkan, CUDA, HIP, Hexagon). Weights are mapped from the file. Scores come from the library, tokens are drawn here, so that the
 * same prompt and seed give the same text.
 */

import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { CannotError, FileError } from "../base/errors.ts";
import { absent, read, type Reading } from "../base/reading.ts";
import { installing } from "../base/package.ts";
import { openModelFile } from "../formats/file.ts";
import gguf from "../formats/gguf.ts";
import type { Integrity, Model } from "../model/graph.ts";
import type { Delegate, FindOptions, Found, OpenOptions, Session } from "./delegate.ts";
import { loadLlama, type Llama, type Pointer } from "./ggml/api.ts";
import {
  candidateFor,
  chooseDevice,
  devices,
  listDevices,
  seen,
  usualThreads,
  type GgmlDevice,
} from "./ggml/devices.ts";
import { candidates, NPM, type Candidate } from "./ggml/find.ts";
import { BATCH, type Loaded } from "./ggml/generate.ts";
import { sessionOf } from "./ggml/session.ts";
import { CONTEXT, generateSettings, loadSettings } from "./ggml/settings.ts";

/** More layers than any model has: all of them. */
const ALL_LAYERS = 9999;
/** llama.cpp rounds a context up to a multiple of this. */
const CONTEXT_STEP = 256;

const delegate: Delegate = {
  id: "ggml",
  name: "ggml (llama.cpp)",
  formats: ["gguf"],
  devices,
  verified:
    "vendor's library: llama.cpp v0.5.0 (@node-llama-cpp/linux-x64 3.22.1) on x86-64, CPU; its revisions b5640, b6431, b7347, b7836, b8121, b8179, " +
    "b8390, b10068, b10361 and v0.4.0 likewise; an NVIDIA H200 over Vulkan (linux-x64-vulkan 3.22.1): the same tokens as on the CPU; other devices: signatures and names checked against its headers, not run",
  sources: [
    "https://github.com/ggml-org/llama.cpp/blob/master/include/llama.h",
    "https://github.com/ggml-org/llama.cpp/blob/master/ggml/include/ggml-backend.h",
  ],
  ...(NPM === undefined ? {} : { npm: NPM }),
  manual: {
    install: [
      {
        command: "npm install --ignore-scripts @node-llama-cpp/linux-x64@3.22.1",
        brings: "the CPU (on arm64: linux-arm64)",
      },
      {
        command: "npm install --ignore-scripts @node-llama-cpp/linux-x64-vulkan@3.22.1",
        brings: "GPUs that Vulkan reaches; -cuda for NVIDIA's own way",
      },
      {
        command: "sudo apt install libllama0",
        brings: "Debian's and Ubuntu's, with back ends such as libggml0-backend-vulkan",
      },
    ],
    library: "libllama.so, with libggml and the back ends beside it",
    plugin: "a back end of ggml: libggml-NAME.so",
    options: [
      { name: "max_tokens", says: "tokens to generate at most (64)" },
      {
        name: "temperature, top_k, top_p, seed",
        says: "how a token is drawn (0, 40, 0.95, 0); temperature 0 takes the most probable one",
      },
      {
        name: "chat, system, chat_template",
        says: "yes puts the prompt into the model's chat template, or another, after a system message; messages takes a list of them as JSON",
      },
      { name: "stop", says: "texts that end the answer, as a list in JSON" },
      { name: "context", says: "tokens that prompt and answer may have together (the model's own, up to 4096)" },
      { name: "gpu_layers", says: "layers for the device (all)" },
    ],
  },
  find: (options) => {
    const found = locate(options, "cpu");
    if (found.state !== "read") return found;
    const { library, version } = found.value;
    return read({ library, ...(version === undefined ? {} : { version }) } satisfies Found, library);
  },
  supports: (model, device) =>
    objection(model) ?? (devices.includes(device.replace(/:\d+$/, "")) ? undefined : `ggml has no word for ${device}`),
  probe: async (options) => {
    const llama = loadLlama(libraryFor(options, "cpu"));
    return (await listDevices(llama, dirname(llama.path), options.plugin)).map(seen);
  },
  open: async (model, options) => {
    const settings = options.options ?? {};
    const wanted = loadSettings(settings);
    generateSettings(settings);
    if (wanted.gpu_layers !== undefined && options.device === "cpu") {
      throw new CannotError("ggml: gpu_layers goes with another device than cpu");
    }
    const library = libraryFor(options, options.device);
    check(model);
    // OpenVINO's back end has one device, and is told by this variable which, before it is loaded.
    if (options.device.startsWith("intel-npu")) process.env["GGML_OPENVINO_DEVICE"] ??= "NPU";
    const llama = loadLlama(library);
    const device = chooseDevice(await listDevices(llama, dirname(llama.path), options.plugin), options.device);
    return oneAtATime(() => open(llama, model, device, wanted, options));
  },
};
export default delegate;

function locate({ library, environments }: FindOptions, device: string): Reading<Candidate> {
  if (library !== undefined) return existsSync(library) ? read({ library, backends: [] }, library) : absent(library);
  const found = candidateFor(candidates(environments), device.replace(/:\d+$/, ""));
  return found === undefined ? absent("libllama.so") : read(found, found.library);
}

function libraryFor(options: FindOptions, device: string): string {
  const found = locate(options, device);
  if (found.state === "read") return found.value.library;
  const cure = NPM === undefined ? "" : `: ${installing(NPM)}`;
  throw new CannotError(`llama.cpp is not here (${found.from})${cure}`);
}

/** Why llama.cpp would not take it; what it says of an architecture, it says itself. */
function objection(model: Model): string | undefined {
  const broken = brokenAt(model);
  if (broken !== undefined) return broken.says;
  if (model.version?.includes("big-endian") === true) return "it is big-endian, which llama.cpp does not read here";
  if (!model.graphs.some(({ tensors }) => tensors.length > 0)) return "it holds a vocabulary and no weights";
  const architecture = model.metadata["architecture"] ?? "";
  const count = (name: string): number => Number(model.metadata[`${architecture}.${name}`] ?? NaN);
  for (const [name, least, most] of limits) {
    const value = count(name);
    if (value < least || value > most) return `${architecture}.${name} is ${value}, not from ${least} to ${most}`;
  }
  if (count("expert_used_count") > count("expert_count")) return "it uses more experts than it has";
  return undefined;
}

/** Types of tensors are llama.cpp's to know: a newer one reads more than are listed here. */
const brokenAt = ({ integrity }: Model): Integrity | undefined =>
  integrity.find(({ severity, rule }) => severity === "error" && rule !== "tensor/type");

/** What llama.cpp asserts of a model instead of refusing it (LLAMA_MAX_LAYERS, LLAMA_MAX_EXPERTS), and a context that no model has. */
const limits: readonly (readonly [name: string, least: number, most: number])[] = [
  ["block_count", 1, 512],
  ["expert_count", 0, 1024],
  ["context_length", 1, 0x7fff_ffff],
];

/** The file is read here first: llama.cpp ends the process over some of what can be wrong with one. */
function check(path: string): void {
  const file = openModelFile(path);
  try {
    if (gguf.matches(file) === 0) throw new FileError(path, "it is no GGUF");
    const model = gguf.read(file);
    const says = objection(model);
    if (says !== undefined) throw new FileError(path, says, brokenAt(model)?.offset);
  } finally {
    file.close();
  }
}

let loading: Promise<unknown> = Promise.resolve();

/** What the library says while it loads is one log for all: one load after the other. */
function oneAtATime<T>(act: () => Promise<T>): Promise<T> {
  const done = loading.then(act);
  loading = done.catch(() => undefined);
  return done;
}

async function open(
  llama: Llama,
  path: string,
  device: GgmlDevice | undefined,
  { context: asked, gpu_layers }: ReturnType<typeof loadSettings>,
  { device: wanted, threads, options = {} }: OpenOptions,
): Promise<Session> {
  const start = performance.now();
  const mark = llama.log.mark;
  // An empty list means the CPU alone.
  const layers = device === undefined ? 0 : (gpu_layers ?? ALL_LAYERS);
  const model = await llama.loadModel(path, device === undefined ? [] : [device.handle], layers);
  if (model === 0n) throw refusal(path, llama.log.error(mark));
  let context: Pointer = 0n;
  try {
    if (
      llama.call("llama_model_has_decoder", model) !== true ||
      llama.call("llama_model_has_encoder", model) === true
    ) {
      throw new CannotError(
        `${path}: an encoder, or a model with one, which ggml's delegate does not run: it generates text`,
      );
    }
    const trained = Number(llama.call("llama_model_n_ctx_train", model));
    const room = asked ?? Math.min(CONTEXT, trained);
    const before = llama.log.mark;
    context = await llama.makeContext(model, { n_ctx: room, n_batch: BATCH, n_ubatch: BATCH });
    if (context === 0n) {
      throw new CannotError(
        `llama.cpp: no context of ${room} tokens: ${llama.log.error(before) ?? "it does not say why"}`,
      );
    }
    const made = Number(llama.call("llama_n_ctx", context));
    if (made < room || made >= room + CONTEXT_STEP) {
      throw new CannotError(
        `llama.cpp ${llama.version}: asked for a context of ${room} tokens, it made one of ${made}`,
      );
    }
    const count = threads ?? usualThreads();
    llama.call("llama_set_n_threads", context, count, count);
    const loaded: Loaded = {
      llama,
      model,
      vocab: llama.call("llama_model_get_vocab", model) as Pointer,
      context,
      room,
      by: device?.id ?? "CPU",
      defers: device !== undefined,
      loadMs: performance.now() - start,
    };
    return sessionOf(loaded, { device: wanted, says: placementWords(llama, model, mark, device, count) }, options);
  } catch (error) {
    if (context !== 0n) llama.call("llama_free", context);
    llama.call("llama_model_free", model);
    throw error;
  }
}

function refusal(path: string, says = "llama.cpp does not say why"): Error {
  const why = says.replace(/^error loading model(?: \w+)?: (?:\w+_\w+: )?/, "");
  // What the machine lacks is not the file's fault.
  return /alloc|out of memory|no backends/i.test(why)
    ? new CannotError(`${path}: llama.cpp: ${why}`)
    : new FileError(path, `llama.cpp: ${why}`);
}

/** In the library's own words where it has some: "offloaded 33/33 layers to GPU" and the file of the CPU's back end. */
function placementWords(
  llama: Llama,
  model: Pointer,
  mark: number,
  device: GgmlDevice | undefined,
  threads: number,
): string {
  const layers = Number(llama.call("llama_model_n_layer", model));
  const backend = llama.log
    .since(0)
    .map((line) => /loaded CPU backend from .*?([^/]+)$/.exec(line)?.[1])
    .findLast((name) => name !== undefined);
  const offloaded = llama.log
    .since(mark)
    .map((line) => /offloaded (\d+\/\d+) layers/.exec(line)?.[1])
    .findLast((part) => part !== undefined);
  const cpu = `${threads} ${threads === 1 ? "thread" : "threads"}${backend === undefined ? "" : ` of ${backend}`}`;
  if (device === undefined) return `llama.cpp was given no device but the CPU: ${layers} layers there, on ${cpu}`;
  const says =
    offloaded === undefined ? "does not say how many layers it put there" : `says that ${offloaded} layers are there`;
  return `llama.cpp was given ${device.id} (${device.name}) and ${says}; the rest is on the CPU, on ${cpu}`;
}
