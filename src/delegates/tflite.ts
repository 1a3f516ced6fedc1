/**
 * TFLite through its C API: the library that the npm package tfjs-tflite-node ships, any other by path, with XNNPACK on the CPU or the
 * external delegate of a device's maker. The embedded default for TFLite on the CPU. A library that speaks LiteRT: tflite/litert.ts.
 */

import { existsSync } from "node:fs";
import { basename } from "node:path";
import { CannotError, FileError } from "../base/errors.ts";
import { installing } from "../base/package.ts";
import type { Reading } from "../base/reading.ts";
import type { Delegate, Found, OpenOptions, Placement, ProbeOptions, Seen, Session } from "./delegate.ts";
import { loadTflite, silently, Words, type Pointer, type Tflite } from "./tflite/api.ts";
import { delegatedFamilies } from "./tflite/devices.ts";
import { findLibrary, findLitert, findTflite, NPM } from "./tflite/find.ts";
import { isLitert } from "./tflite/litert/api.ts";
import { openLitert, probeLitert } from "./tflite/litert.ts";
import { checkModel, formats, refusal, type Checked } from "./tflite/model.ts";
import { knowsLayout, watch, type Watch } from "./tflite/plan.ts";
import { loadPlugin } from "./tflite/plugin.ts";
import { Runner } from "./tflite/runner.ts";
import { readPorts } from "./tflite/tensor.ts";
import { findWasm, openWasm } from "./tflite/wasm.ts";

const delegate: Delegate = {
  id: "tflite",
  name: "TensorFlow Lite",
  formats,
  devices: ["cpu", ...Object.keys(delegatedFamilies)],
  verified:
    "vendor's library: TFLite 2.9.0 of tfjs-tflite-node 0.0.2 on x86-64, CPU, with XNNPACK; external delegates: one compiled by the tests from the public ABI, none of a device's maker; LiteRT 2.3.0 (ai_edge_litert) on x86-64, CPU; its NPU and GPU: documents, not run",
  sources: [
    "https://github.com/tensorflow/tensorflow/blob/v2.9.0/tensorflow/lite/c/c_api.h",
    "https://github.com/tensorflow/tensorflow/blob/v2.9.0/tensorflow/lite/c/common.h",
    "https://github.com/google-ai-edge/LiteRT/blob/main/tflite/core/c/common.h",
    "https://github.com/tensorflow/tensorflow/blob/v2.9.0/tensorflow/lite/delegates/external/external_delegate.h",
    "https://github.com/google-ai-edge/LiteRT/tree/v2.2.0/litert/c",
  ],
  npm: NPM,
  manual: {
    install: [
      {
        command: "npm install --ignore-scripts tfjs-tflite-node@0.0.2",
        brings: "TFLite 2.9 with XNNPACK on x86-64 and arm64; the default, and host of external delegates",
      },
      {
        command: "npm install --ignore-scripts @litertjs/core@2.5",
        brings: "newer operators, and every other architecture: the CPU only, three to five times slower",
      },
      {
        command: "pip install ai-edge-litert==2.3.0",
        brings: "LiteRT on x86-64 and arm64: newer operators, and quantised models several times quicker on the CPU",
      },
      {
        command: "sudo apt install libtensorflow-lite2.14.1",
        brings: "TFLite 2.14 of Debian sid, built without XNNPACK",
      },
    ],
    library: "a TFLite library with the C API (libtensorflowlite_c.so), or LiteRT's (libLiteRt.so)",
    plugin: "the external delegate of a device's maker: libteflon.so, libedgetpu.so.1, libvx_delegate.so, ...",
    options: [
      { name: "*", says: "the external delegate's own; TFLite's CPU takes none" },
      { name: "kernel_mode", says: "of LiteRT on the CPU: delegate (XNNPACK, the default), builtin or reference" },
      { name: "Accelerator", says: "of LiteRT on a device: npu (the default) or gpu" },
      {
        name: "DispatchLibraryDir",
        says: "of LiteRT: where the NPU's libLiteRtDispatch_*.so lies; or give it by --plugin",
      },
      { name: "CompilerPluginLibraryDir", says: "of LiteRT: where the NPU's libLiteRtCompilerPlugin_*.so lies" },
      { name: "CompilerCacheDir", says: "of LiteRT: where it keeps what it compiled for the NPU" },
      { name: "RuntimeLibraryDir", says: "of LiteRT: where libLiteRt*Accelerator.so of GPUs lie; beside its library" },
    ],
  },
  find,
  supports: refusal,
  byRoute: (plugin) => ({ plugin }),
  probe: (options) => Promise.resolve().then(() => probe(options)),
  open: (model, options) => Promise.resolve().then(() => open(model, options)),
};
export default delegate;

/** Where no native library is, the CPU's is LiteRT's wasm build. */
function find(options: ProbeOptions): Reading<Found> {
  const native = findTflite(options);
  if (native.state === "read" || options.library !== undefined) return native;
  const wasm = findWasm();
  return wasm.state === "read" ? wasm : native;
}

/** What findTflite() finds, or why there is none. */
function locate(options: ProbeOptions): string {
  const found = findTflite(options);
  if (found.state === "read") return found.value.library;
  const why = found.why === undefined ? found.from : `${found.from}: ${found.why}`;
  throw new CannotError(`TFLite is not here (${why}); ${installing(NPM)}`);
}

function probe(options: ProbeOptions): readonly Seen[] {
  const library = locate(options);
  if (isLitert(library)) return probeLitert(library);
  const { version, path, has } = loadTflite(library);
  const xnnpack = has("TfLiteXNNPackDelegateCreate") ? "yes" : "no";
  const cpu = { id: "cpu", name: `TFLite ${version}`, device: "cpu", facts: { library: path, xnnpack } };
  if (options.plugin === undefined) return [cpu];
  const { name } = loadPlugin(options.plugin);
  return [cpu, { id: name, name: "external delegate", facts: { library: options.plugin } }];
}

/** kTfLiteApplicationError: of a delegate that was not yet applied, the graph's tensors of dynamic size. */
const DYNAMIC = 3;

/** What is freed in the end, last made first. */
type Cleanup = (() => void)[];

async function open(model: string, options: OpenOptions): Promise<Session> {
  const [family = ""] = options.device.split(":");
  const alone = options.plugin === undefined && family === "cpu";
  const checked = checkModel(model, alone);
  const [option] = Object.keys(options.options ?? {});
  // External delegates need TFLite: only what needs none is left to a LiteRT that happens to be here.
  const plugin = options.plugin ?? delegatedFamilies[family]?.libraries[0];
  const cleanup: Cleanup = [];
  let library: string | undefined;
  try {
    library = locate(plugin === undefined ? options : { ...options, plugin });
    if (isLitert(library)) return await openLitert(library, model, checked, options);
    if (alone && option !== undefined) throw new CannotError(`option "${option}": TFLite's CPU kernels take none`);
    return await openWith(loadTflite(library), model, checked, options, cleanup);
  } catch (error) {
    for (const free of cleanup.reverse()) free();
    // A library that was named is the one that is wanted; the wasm build takes no options either.
    const elsewhere = alone && options.library === undefined && option === undefined;
    if (!elsewhere || !(error instanceof CannotError || error instanceof FileError)) throw error;
    return openElsewhere(model, options, error, library);
  }
}

/** LiteRT's wasm build: on other architectures, and with operators that are newer than the native library's. */
async function openElsewhere(model: string, options: OpenOptions, why: Error, tried?: string): Promise<Session> {
  if (findWasm().state !== "read") throw why;
  const session = await openWasm(model, options).catch(() => {
    throw why; // what the native library says of the model is what others know the words of
  });
  const { placement } = session;
  const because = why.message.replace(`${model}: `, "");
  // It is not loaded here: this may be the caller's process, where only what this project pins is.
  const litert = findLitert(options.environments);
  const quicker = litert === undefined || litert === tried ? "" : `; --library ${litert} would be quicker`;
  const says = `${placement.says}; the native library: ${because}${quicker}`;
  return { ...session, placement: { ...placement, says } };
}

async function openWith(
  tflite: Tflite,
  model: string,
  checked: Checked,
  options: OpenOptions,
  cleanup: Cleanup,
): Promise<Session> {
  if (checked.perChannel !== undefined && /^2\.9\./.test(tflite.version) && options.plugin === undefined) {
    const says = `computes FULLY_CONNECTED with a scale for each channel wrong and without an error (output ${checked.perChannel})`;
    throw new FileError(model, `TFLite ${tflite.version} ${says}`);
  }
  const words = new Words(tflite.koffi);
  cleanup.push(() => words.release());
  const made = tflite.pointer("TfLiteModelCreateFromFile", model);
  if (made === 0n) throw new FileError(model, words.sentence("it is not taken"));
  cleanup.push(() => void (tflite.get("TfLiteModelDelete")(made) as unknown));
  const applied = planFor(tflite, options);
  if (applied !== undefined) cleanup.push(applied.destroy);
  const interpreter = createInterpreter(tflite, model, made, options, words);
  // Before the delegate is destroyed, which it refers to.
  cleanup.push(() => void (tflite.get("TfLiteInterpreterDelete")(interpreter) as unknown));
  const profile = options.profile === true;
  let seen: Watch | undefined;
  let refused: string | undefined;
  if (applied !== undefined) {
    if (knowsLayout(tflite.version)) seen = watch(tflite, applied.delegate, applied.name, profile);
    if (seen !== undefined) cleanup.push(seen.release);
    const status = tflite.get("TfLiteInterpreterModifyGraphWithDelegate")(interpreter, applied.delegate) as number;
    if (status !== 0) {
      const why = status === DYNAMIC ? ": it does not take tensors of dynamic size" : "";
      refused = words.sentence(`${applied.name} was not applied${why}`);
      if (applied.required) throw new CannotError(refused);
    }
  }
  const unmade = (await tflite.callAsync("TfLiteInterpreterAllocateTensors", interpreter)) !== 0;
  // What the file leaves open is 1 so far, which need not make sense: a run says what it is.
  if (unmade && !isOpen(checked)) throw new FileError(model, words.sentence("it cannot be prepared"));
  words.take();
  const placement = placed(tflite, options, checked, applied, refused === undefined ? seen : undefined, refused);
  const inputs = readPorts(tflite, interpreter, "Input", checked.graph);
  const outputs = readPorts(tflite, interpreter, "Output", checked.graph);
  const runner = new Runner({
    tflite,
    interpreter,
    words,
    inputs,
    outputs,
    unmade,
    lending: options.lending,
    spans: profile ? seen?.spans : undefined,
  });
  let closed = false;
  return {
    inputs,
    outputs,
    version: tflite.version,
    placement,
    run(values) {
      return closed ? Promise.reject(new CannotError("the session is closed")) : runner.run(values);
    },
    async close() {
      if (closed) return;
      closed = true;
      await runner.idle();
      for (const free of cleanup.reverse()) free();
    },
  };
}

const isOpen = ({ graph }: Checked): boolean =>
  graph.inputs.some((at) => graph.tensors[at]?.shape?.some((size) => size === null) === true);

function createInterpreter(
  tflite: Tflite,
  path: string,
  model: Pointer,
  { threads }: OpenOptions,
  words: Words,
): Pointer {
  const options = tflite.pointer("TfLiteInterpreterOptionsCreate");
  try {
    tflite.get("TfLiteInterpreterOptionsSetErrorReporter")(options, words.reporter, words.id);
    if (threads !== undefined) tflite.get("TfLiteInterpreterOptionsSetNumThreads")(options, threads);
    const interpreter = tflite.pointer("TfLiteInterpreterCreate", model, options);
    if (interpreter !== 0n) return interpreter;
  } finally {
    tflite.get("TfLiteInterpreterOptionsDelete")(options);
  }
  throw new FileError(path, words.sentence(`version ${tflite.version} does not take it`));
}

interface Applied {
  readonly name: string;
  /** Asked for by the caller: no run without it. */
  readonly required: boolean;
  readonly delegate: Pointer;
  readonly destroy: () => void;
}

/** The delegate that the device asks for: a plugin's, or XNNPACK on the CPU, which 2.9 does not apply by itself. */
function planFor(tflite: Tflite, options: OpenOptions): Applied | undefined {
  const { device, plugin, options: given = {} } = options;
  const [family = device, index = "0"] = device.split(":");
  const known = delegatedFamilies[family];
  if (family !== "cpu" && known === undefined) throw new CannotError(`TFLite has no delegate for ${family}`);
  if (family === "cpu" && plugin === undefined) return xnnpack(tflite, options.threads);
  const path = plugin ?? known?.libraries.map(findLibrary).find((found) => found !== undefined);
  const at = path ?? known?.paths?.find((candidate) => existsSync(candidate));
  if (at === undefined) {
    const names = known?.libraries.join(" or ") ?? "";
    throw new CannotError(
      names === ""
        ? `no library is known that would be TFLite's delegate for ${family}; name it with --plugin`
        : `TFLite's delegate for ${family}, ${names}, is not on this machine; name it with --plugin`,
    );
  }
  if (index !== "0" && family !== "coral") {
    throw new CannotError(
      `${device}: TFLite's delegate for ${family} takes its first device; which one is not asked for`,
    );
  }
  // libedgetpu's own spelling of the n-th device.
  const chosen: Record<string, string> = index === "0" ? {} : { device: `:${index}` };
  const loaded = loadPlugin(at);
  const made = loaded.create({ ...known?.options, ...chosen, ...given });
  return { name: loaded.name, required: true, delegate: made, destroy: () => loaded.destroy(made) };
}

/** TfLiteXNNPackDelegateOptions of any version: the number of threads, then what is zero where nothing is asked for. */
const XNNPACK_OPTIONS = 256;
/** Libraries that have said so. */
const greeted = new Set<string>();

function xnnpack(tflite: Tflite, threads = 1): Applied | undefined {
  if (!tflite.has("TfLiteXNNPackDelegateCreate") || !tflite.has("TfLiteXNNPackDelegateDelete")) return undefined;
  const options = Buffer.alloc(XNNPACK_OPTIONS);
  options.writeInt32LE(threads);
  const create = (): Pointer => tflite.pointer("TfLiteXNNPackDelegateCreate", options);
  const made = greeted.has(tflite.path) ? create() : silently(tflite.koffi, create);
  greeted.add(tflite.path);
  if (made === 0n) return undefined;
  return {
    name: "XNNPACK",
    required: false,
    delegate: made,
    destroy: () => void (tflite.get("TfLiteXNNPackDelegateDelete")(made) as unknown),
  };
}

function placed(
  tflite: Tflite,
  { device }: OpenOptions,
  { nodes }: Checked,
  applied: Applied | undefined,
  seen: Watch | undefined,
  refused: string | undefined,
): Placement {
  const runtime = `TFLite ${tflite.version} (${basename(tflite.path)})`;
  const plan = seen?.plan();
  const parts = plan?.partitions.filter(({ by }) => by !== "CPU").length ?? 0;
  const told = plan === undefined ? {} : { partitions: plan.partitions };
  const took = `${plan?.nodes.taken ?? 0} of ${plan?.nodes.all ?? nodes} nodes in ${parts} part${parts === 1 ? "" : "s"}`;
  if (applied?.required !== true) {
    const all = plan?.nodes.all ?? nodes;
    const xnnpack =
      applied === undefined
        ? "; this build has no XNNPACK"
        : refused !== undefined
          ? `; ${refused.replace(/^TFLite: /, "")}`
          : plan === undefined
            ? " with XNNPACK"
            : `; XNNPACK took ${parts === 0 ? "none of them" : took}`;
    const says = `${runtime} runs its ${all} node${all === 1 ? "" : "s"} on the CPU${xnnpack}`;
    return { device, says, nodes: { all, taken: all }, ...told };
  }
  const { name } = applied;
  if (plan === undefined) {
    return { device, says: `${runtime} applied ${name}; what it took is not told for this version of TFLite` };
  }
  if (plan.nodes.taken === 0) {
    throw new CannotError(`${name} took none of the model's ${plan.nodes.all} nodes: it would run on the CPU alone`);
  }
  return { device, says: `${runtime} applied ${name}, which took ${took}`, nodes: plan.nodes, ...told };
}
