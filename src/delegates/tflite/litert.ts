/**
 * LiteRT, TFLite's successor, by its own C API (libLiteRt.so, of the Python package ai_edge_litert or a distribution): current operators
 * and XNNPACK also for quantised models. It knows no external delegates; NPUs come by dispatch libraries, GPUs by libLiteRt*Accelerator.so.
 */

import { basename } from "node:path";
import { CannotError, FileError } from "../../base/errors.ts";
import type { Dimension } from "../../model/graph.ts";
import type { OpenOptions, Placement, Port, Seen, Session } from "../delegate.ts";
import { elementBytes } from "../value.ts";
import type { Pointer } from "./api.ts";
import { litertVersion } from "./find.ts";
import { loadLitert, statusName, takeWords, type Litert } from "./litert/api.ts";
import {
  acceleratorOf,
  accelerators,
  count,
  createEnvironment,
  createOptions,
  isWhole,
  whyUnread,
  type Accelerator,
  type Environment,
} from "./litert/environment.ts";
import { LAYOUT, Place, shapeFrom, words } from "./litert/memory.ts";
import { watchSpans } from "./litert/profile.ts";
import { allocate, LitertRunner, type Ready } from "./litert/runner.ts";
import type { Checked } from "./model.ts";
import { types, unique } from "./tensor.ts";

/** What LiteRT registers on this machine. Throws CannotError where the library is none or too old. */
export function probeLitert(library: string): readonly Seen[] {
  const environment = createEnvironment(loadLitert(library), 0, {});
  const version = litertVersion(library);
  const facts = { library, ...(environment.said === "" ? {} : { says: environment.said }) };
  const name = `LiteRT${version === undefined ? "" : ` ${version}`}`;
  const seen = environment.names.map((id): Seen =>
    id === CPU ? { id, name, device: "cpu", facts } : { id, name: id },
  );
  environment.destroy();
  return seen;
}

/** Its accelerator for the CPU by its own name. */
const CPU = "CpuAccelerator";

/**
 * Opens a model that checkModel() went over. Of `options`: `threads` (1); of OpenOptions.options on the CPU kernel_mode (delegate,
 * builtin, reference), on devices Accelerator (npu, gpu), DispatchLibraryDir, CompilerPluginLibraryDir, CompilerCacheDir and
 * RuntimeLibraryDir. Throws FileError for the model, CannotError
 * for the rest.
 */
export async function openLitert(
  library: string,
  model: string,
  checked: Checked,
  options: OpenOptions,
): Promise<Session> {
  const accelerator = acceleratorOf(options);
  const litert = loadLitert(library);
  const cleanup: (() => void)[] = [];
  try {
    return await openWith(litert, model, checked, accelerator, options, cleanup);
  } catch (error) {
    for (const free of cleanup.reverse()) free();
    throw error;
  }
}

async function openWith(
  litert: Litert,
  path: string,
  checked: Checked,
  accelerator: Accelerator,
  options: OpenOptions,
  cleanup: (() => void)[],
): Promise<Session> {
  const environment = createEnvironment(litert, accelerators[accelerator], options);
  cleanup.push(environment.destroy);
  const model = slot();
  const read = litert.get("LiteRtCreateModelFromFile")(environment.at, path, model) as number;
  if (read !== 0) throw new FileError(path, `LiteRT does not take it: ${whyUnread(litert, path)}`);
  cleanup.push(() => void (litert.get("LiteRtDestroyModel")(valueOf(model)) as unknown));
  const asked = createOptions(litert, accelerator, options);
  cleanup.push(() => void (litert.get("LiteRtDestroyOptions")(asked) as unknown));
  const made = slot();
  const status = await litert.callAsync("LiteRtCreateCompiledModel", environment.at, valueOf(model), asked, made);
  if (status !== 0) throw notCompiled(path, accelerator, environment, status);
  const compiled = valueOf(made);
  cleanup.push(() => void (litert.get("LiteRtDestroyCompiledModel")(compiled) as unknown));
  const ready: Ready = { litert, compiled, ...placesOf(litert, environment.at, valueOf(model), path, checked) };
  const { status: allocated } = await allocate(ready);
  // What the file leaves open is 1 so far, which need not make sense: a run says what it is.
  const unmade = allocated !== 0;
  if (unmade && !ready.inputs.some(({ port }) => port.shape.includes(null))) {
    const said = takeWords(litert, compiled);
    throw new FileError(path, `LiteRT: it cannot be prepared: ${said === "" ? statusName(allocated) : said}`);
  }
  takeWords(litert, compiled);
  const profile =
    options.profile === true
      ? watchSpans(litert, compiled, accelerator === "cpu" ? "XNNPACK" : accelerator.toUpperCase())
      : undefined;
  const runner = new LitertRunner({ ...ready, lending: options.lending, profile }, unmade);
  cleanup.push(() => runner.release());
  return sessionOf(litert, ready, runner, placed(litert, compiled, accelerator, checked, options), cleanup);
}

function sessionOf(
  { path }: Litert,
  { inputs, outputs }: Ready,
  runner: LitertRunner,
  placement: Placement,
  cleanup: (() => void)[],
): Session {
  let closing: Promise<void> | undefined;
  return {
    inputs: inputs.map(({ port }) => port),
    outputs: outputs.map(({ port }) => port),
    version: `LiteRT ${litertVersion(path) ?? "2.1.6 or newer"}`,
    placement,
    run(values) {
      return closing === undefined ? runner.run(values) : Promise.reject(new CannotError("the session is closed"));
    },
    close() {
      return (closing ??= runner.idle().then(() => {
        for (const free of cleanup.reverse()) free();
      }));
    },
  };
}

function notCompiled(path: string, accelerator: Accelerator, { said }: Environment, status: number): Error {
  const why = `${statusName(status)}${said === "" ? "" : `; ${said}`}`;
  if (accelerator === "cpu") return new FileError(path, `LiteRT does not compile it: ${why}`);
  return new CannotError(`LiteRT does not compile ${path} for the ${accelerator.toUpperCase()}: ${why}`);
}

function placed(
  litert: Litert,
  compiled: Pointer,
  accelerator: Accelerator,
  { nodes }: Checked,
  { device, options: { kernel_mode: mode = "delegate" } = {} }: OpenOptions,
): Placement {
  const version = litertVersion(litert.path);
  const runtime = `LiteRT${version === undefined ? "" : ` ${version}`} (${basename(litert.path)})`;
  const whole = isWhole(litert, compiled);
  const all = `its ${nodes} node${nodes === 1 ? "" : "s"}`;
  if (accelerator === "cpu") {
    const some = whole ? "XNNPACK took all of them" : "XNNPACK took not all of them, how many is not told";
    const xnnpack = mode === "delegate" ? some : `by its ${mode} kernels`;
    return { device, says: `${runtime} runs ${all} on the CPU; ${xnnpack}`, nodes: { all: nodes, taken: nodes } };
  }
  const name = accelerator.toUpperCase();
  if (whole) return { device, says: `${runtime} gave ${all} to the ${name}`, nodes: { all: nodes, taken: nodes } };
  return { device, says: `${runtime} gave the ${name} not all of ${all}; how many, if any, is not told` };
}

type Which = "Input" | "Output";

/** The signature of the first graph: LiteRT keeps its ports in the graph's order. A file without any is given one. */
function placesOf(
  litert: Litert,
  environment: Pointer,
  model: Pointer,
  path: string,
  checked: Checked,
): Pick<Ready, "signature" | "inputs" | "outputs"> {
  const graph = litert.made("no graph", "LiteRtGetModelSubgraph", model, 0);
  const signatures = count(litert, "its signatures are not told", "LiteRtGetNumModelSignatures", model);
  for (let signature = 0; signature < signatures; signature++) {
    const at = litert.made("no signature", "LiteRtGetModelSignature", model, signature);
    if (litert.made("no graph", "LiteRtGetSignatureSubgraph", at) !== graph) continue;
    const places = (which: Which): Place[] =>
      portsOf(litert, at, which, checked).map((port, index) => new Place(litert, environment, port, index));
    return { signature, inputs: places("Input"), outputs: places("Output") };
  }
  throw new CannotError(`${path}: none of its signatures is of its first graph, and LiteRT runs signatures`);
}

/** Types and shapes as LiteRT has them, names as it has them too, scales and what is open as the file has them. */
function portsOf(litert: Litert, signature: Pointer, which: Which, { graph }: Checked): Port[] {
  const what = `its ${which.toLowerCase()}s are not told`;
  const ports = count(litert, what, `LiteRtGetNumSignature${which}s`, signature);
  const indexes = which === "Input" ? graph.inputs : graph.outputs;
  const names = new Set<string>();
  const ranked = words(1 + LAYOUT.words);
  return Array.from({ length: ports }, (_, at): Port => {
    const tensor = litert.made(what, `LiteRtGetSignature${which}TensorByIndex`, signature, at);
    const name = unique(litert.text(litert.made(what, "LiteRtGetTensorName", tensor)), at, names);
    const index = Number(litert.made(what, "LiteRtGetTensorIndex", tensor));
    if (index !== indexes[at]) throw new CannotError(`LiteRT has tensor ${index} for ${which.toLowerCase()} "${name}"`);
    litert.must(`the type of "${name}" is not told`, "LiteRtGetRankedTensorType", tensor, ranked);
    const type = types[ranked[0] ?? 0] ?? "unknown";
    if (elementBytes(type) === undefined) {
      throw new CannotError(`${which.toLowerCase()} "${name}" is of ${type}, which is not given to LiteRT here`);
    }
    const { shape: known, quantization } = graph.tensors[index] ?? {};
    const now = shapeFrom(ranked, 1);
    const shape = now.map((size, axis): Dimension => (size < 0 || known?.[axis] === null ? null : size));
    const scale = quantization?.scale.length === 1 ? (quantization.scale[0] ?? 0) : 0;
    return {
      name,
      type,
      shape,
      ...(scale === 0 ? {} : { quantization: { scale, zero: quantization?.zeroPoint[0] ?? 0 } }),
    };
  });
}

/** Where a function puts the pointer it gives, on whatever thread. */
const slot = (): BigUint64Array<ArrayBuffer> => new BigUint64Array(new ArrayBuffer(8));
const valueOf = (given: BigUint64Array): Pointer => given[0] ?? 0n;
