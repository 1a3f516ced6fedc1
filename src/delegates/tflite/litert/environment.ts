/** What LiteRT is told before it sees a model: where its accelerators' libraries lie, what it may use, how many threads. */

import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { CannotError } from "../../../base/errors.ts";
import type { Koffi } from "../../../base/koffi.ts";
import type { OpenOptions } from "../../delegate.ts";
import { sentenceOf, type Pointer } from "../api.ts";
import { words } from "./memory.ts";
import { statusName, type Litert } from "./api.ts";

/** LiteRtHwAccelerators. */
export const accelerators = { cpu: 1, gpu: 2, npu: 4 } as const;
export type Accelerator = keyof typeof accelerators;

/** LiteRtEnvOptionTag, of what a caller may say by OpenOptions.options: as the header spells it, without its kLiteRtEnvOptionTag. */
const folders: Readonly<Record<string, number>> = {
  CompilerPluginLibraryDir: 0,
  DispatchLibraryDir: 1,
  CompilerCacheDir: 18,
  RuntimeLibraryDir: 22,
};
const [AUTO_REGISTER, SEVERITY] = [24, 25];
/** LiteRtAnyType; LiteRtLogSeverity. */
const [INT, STRING, WARNING, SILENT] = [2, 8, 2, 4];
/** LiteRtEnvOption: tag, type of the value, the value. */
const OPTION = { bytes: 24, type: 8, value: 16 } as const;

/** What an accelerator's maker ships for LiteRT: libLiteRtDispatch_Qualcomm.so. */
const DISPATCH = /^libLiteRtDispatch/;

/** LiteRtCpuKernelMode, as litert_cpu_options.cc spells it: with XNNPACK where it can, TFLite's own kernels, its slow reference. */
const KERNEL_MODES = ["delegate", "builtin", "reference"];

/** Throws CannotError for options that nothing here reads. */
export function acceleratorOf({ device, plugin, options = {} }: OpenOptions): Accelerator {
  if (plugin !== undefined && !DISPATCH.test(basename(plugin))) {
    const says = "takes dispatch libraries (libLiteRtDispatch_*.so) and no external delegates of TFLite";
    throw new CannotError(`${basename(plugin)}: LiteRT's C API ${says}`);
  }
  const cpu = device.split(":")[0] === "cpu";
  const known = cpu ? ["kernel_mode"] : ["Accelerator", ...Object.keys(folders)];
  const other = Object.keys(options).find((name) => !known.includes(name));
  if (other !== undefined) throw new CannotError(`option "${other}": LiteRT is given ${known.join(", ")} here`);
  if (!cpu) {
    const { Accelerator: asked = "npu" } = options;
    if (asked === "gpu" || asked === "npu") return asked;
    throw new CannotError(`option Accelerator: "${asked}" is neither gpu nor npu`);
  }
  if (plugin !== undefined) throw new CannotError(`${basename(plugin)} is for an NPU, and the device asked for is cpu`);
  const { kernel_mode: mode } = options;
  if (mode === undefined || KERNEL_MODES.includes(mode)) return "cpu";
  throw new CannotError(`option kernel_mode: "${mode}" is none of ${KERNEL_MODES.join(", ")}`);
}

export interface Environment {
  readonly at: Pointer;
  /** Names of the accelerators that LiteRT has in it. */
  readonly names: readonly string[];
  /** What it said while it looked for them; "" of the CPU's. */
  readonly said: string;
  readonly destroy: () => void;
}

/** Registers no accelerator but that one, or all (0). Silent where all is the CPU's: errors of a model come by other ways. */
export function createEnvironment(
  litert: Litert,
  set: number,
  { plugin, options = {} }: Partial<OpenOptions>,
): Environment {
  const cpu = set === accelerators.cpu;
  const beside = cpu ? {} : { RuntimeLibraryDir: dirname(litert.path) };
  const dispatch = plugin === undefined ? {} : { DispatchLibraryDir: dirname(plugin) };
  const named: [string, string][] = Object.entries({ ...beside, ...dispatch, ...options });
  const held: Pointer[] = [];
  const given: [tag: number, type: number, value: bigint][] = [[SEVERITY, INT, BigInt(cpu ? SILENT : WARNING)]];
  if (set !== 0) given.push([AUTO_REGISTER, INT, BigInt(set)]);
  for (const [name, value] of named) {
    const tag = folders[name];
    if (tag === undefined) continue;
    const copy = litert.copied(value);
    held.push(copy);
    given.push([tag, STRING, copy]);
  }
  const list = new DataView(new ArrayBuffer(OPTION.bytes * given.length));
  given.forEach(([tag, type, value], at) => {
    list.setInt32(at * OPTION.bytes, tag, true);
    list.setInt32(at * OPTION.bytes + OPTION.type, type, true);
    list.setBigInt64(at * OPTION.bytes + OPTION.value, value, true);
  });
  const bytes = new Uint8Array(list.buffer);
  const create = (): Pointer => litert.made("no environment", "LiteRtCreateEnvironment", given.length, bytes);
  const { result: at, said } = cpu ? { result: create(), said: "" } : overheard(litert.koffi, create);
  return {
    at,
    names: namesOf(litert, at),
    said,
    destroy() {
      litert.get("LiteRtDestroyEnvironment")(at);
      for (const text of held) litert.free.call(text);
    },
  };
}

function namesOf(litert: Litert, environment: Pointer): string[] {
  const what = "its accelerators are not told";
  const count = Number(litert.made(what, "LiteRtGetNumAccelerators", environment));
  return Array.from({ length: count }, (_, at) => {
    const accelerator = litert.made(what, "LiteRtGetAccelerator", environment, at);
    return litert.text(litert.made(what, "LiteRtGetAcceleratorName", accelerator));
  });
}

/** Why LiteRT does not read a model, in its words: they go to standard error and nowhere else, so it reads again. */
export function whyUnread(litert: Litert, path: string): string {
  const environment = createEnvironment(litert, 0, {});
  const out = new BigUint64Array(new ArrayBuffer(8));
  const read = (): number => litert.get("LiteRtCreateModelFromFile")(environment.at, path, out) as number;
  const { result: status, said } = overheard(litert.koffi, read);
  if (status === 0) litert.get("LiteRtDestroyModel")(out[0] ?? 0n);
  environment.destroy();
  return said === "" ? statusName(status) : said;
}

/** The one accelerator and no other: LiteRT refuses to compile where it is not there, instead of leaving all to the CPU. */
export function createOptions(
  litert: Litert,
  accelerator: Accelerator,
  { threads = 1, profile, options: { kernel_mode: mode = "delegate" } = {} }: OpenOptions,
): Pointer {
  const options = litert.made("no options", "LiteRtCreateOptions");
  const set = accelerators[accelerator];
  litert.must("no accelerator", "LiteRtSetOptionsHardwareAccelerators", options, set);
  // TOML, as litert/c/options/litert_cpu_options.cc and litert_runtime_options.cc write it. 2: errors are kept until asked for.
  const texts: [name: string, text: string][] = [
    ["runtime_options_string", `error_reporter_mode = 2\nenable_profiling = ${String(profile === true)}\n`],
  ];
  if (accelerator === "cpu") texts.push(["xnnpack", `num_threads = ${threads}\nkernel_mode = "${mode}"\n`]);
  for (const [name, text] of texts) {
    const { address } = litert.free;
    const opaque = litert.made("no options", "LiteRtCreateOpaqueOptions", name, litert.copied(text), address);
    litert.must("no options", "LiteRtAddOpaqueOptions", options, opaque);
  }
  return options;
}

export const count = (litert: Litert, what: string, name: Parameters<Litert["get"]>[0], of: Pointer): number =>
  Number(litert.made(what, name, of));

/** Is all of the graph with the accelerators that were asked for? */
export function isWhole(litert: Litert, compiled: Pointer): boolean {
  const out = words(1);
  litert.must("what was accelerated is not told", "LiteRtCompiledModelIsFullyAccelerated", compiled, out);
  return (out[0] ?? 0) !== 0;
}

/** What is written to standard error meanwhile: LiteRT tells nowhere else why an accelerator is not there. For short calls. */
function overheard<T>(koffi: Koffi, act: () => T): { readonly result: T; readonly said: string } {
  const libc = koffi.load(null);
  const [dup, dup2] = [libc.func("int dup(int fd)"), libc.func("int dup2(int from, int to)")];
  const folder = mkdtempSync(join(tmpdir(), "accelctl-litert-"));
  const file = join(folder, "said");
  const saved = dup(2) as number;
  const sink = openSync(file, "w", 0o600);
  let result: T;
  try {
    if (saved >= 0) dup2(sink, 2);
    result = act();
  } finally {
    if (saved >= 0) {
      dup2(saved, 2);
      closeSync(saved);
    }
    closeSync(sink);
  }
  const lines = readFileSync(file, "utf8").split("\n");
  rmSync(folder, { recursive: true, force: true });
  return { result, said: sentenceOf(lines.map((line) => line.replace(/^[A-Z]+: (?:\[[^\]]*\] )?/, ""))) };
}
