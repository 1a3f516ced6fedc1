/**
 * The CPU as an accelerator: model and the instruction sets that matter to inference. /proc/cpuinfo,
 * Documentation/arch/{x86/cpuinfo,arm64/cpu-feature-registers,riscv/uabi}.rst, arch/s390/kernel/processor.c
 */

import { absent, chain, malformed, read, type Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";
import { coreName } from "./cpu-cores.ts";

export interface Cpu {
  /** The kernel's model name; on Arm the kinds of core with their counts: "4 × Cortex-A76, 4 × Cortex-A55". */
  readonly model: Reading<string>;
  /** Online logical processors. */
  readonly threads: number;
  /**
   * Flags, Features or the isa string, split; spelled as the kernel does. Of RISC-V: the base (rv64), the single letters, the
   * z and s extensions. Only what every processor has.
   */
  readonly flags: ReadonlySet<string>;
}

/** Lines of /proc/cpuinfo that are looked at; each architecture has a few of them. */
const FIELD =
  /^(processor|# processors|model name|Model Name|flags|Features|features|isa|hart isa|uarch|cpu|machine|CPU implementer|CPU part)(?:\t| )*:[ \t]*(.*)$/gm;

export function readCpu(root: Root): Reading<Cpu> {
  return chain(root.text("/proc/cpuinfo"), parseCpu);
}

/** /proc/cpuinfo of any architecture. */
export function parseCpu(text: string, from: string): Reading<Cpu> {
  const seen = new Map<string, string>();
  const sets = new Set<string>();
  const cores = new Map<string, number>();
  let threads = 0;
  let implementer = "";
  for (const [, key = "", value = ""] of text.matchAll(FIELD)) {
    if (key === "processor") threads++;
    else if (key === "CPU implementer") implementer = value.trim();
    else if (key === "CPU part") count(cores, coreName(implementer, value.trim()));
    else if (SETS.has(key)) sets.add(value);
    if (!seen.has(key)) seen.set(key, value.trim());
  }
  // s390 writes "processor 0: version = ..." lines and says the count on its own line.
  const said = Number(seen.get("# processors"));
  if (Number.isSafeInteger(said) && said > 0) threads = said;
  if (threads === 0) return malformed(from, "no processor in it");
  return read({ model: model(seen, cores, from), threads, flags: flagsOf([...sets]) }, from);
}

const SETS = new Set(["flags", "Features", "features", "isa", "hart isa"]);

function model(seen: ReadonlyMap<string, string>, cores: ReadonlyMap<string, number>, from: string): Reading<string> {
  if (cores.size === 1) return read([...cores.keys()].join(""), from);
  if (cores.size > 1) return read([...cores].map(([name, of]) => `${of} × ${name}`).join(", "), from);
  // POWER names its processor "cpu"; RISC-V the microarchitecture, s390 the machine type.
  for (const key of ["model name", "Model Name", "cpu", "uarch"]) {
    const name = seen.get(key);
    if (name !== undefined && name !== "") return read(name, from);
  }
  const machine = /\bmachine = (\w{1,8})/.exec(seen.get("machine") ?? "")?.[1] ?? seen.get("machine");
  return machine === undefined || machine === "" ? absent(from, "no model name in it") : read(machine, from);
}

/** The common part of each processor's set: a thread may run on any of them. Nearly always there is one set only. */
function flagsOf(sets: readonly string[]): ReadonlySet<string> {
  const [first = new Set<string>(), ...others] = sets.map((set) => new Set(splitSet(set)));
  for (const flag of first) if (others.some((other) => !other.has(flag))) first.delete(flag);
  return first;
}

function splitSet(set: string): string[] {
  const text = set.trim();
  const isa = /^(rv(?:32|64|128))([a-z]*)(?:_(.*))?$/.exec(text);
  if (!isa) return text === "" ? [] : text.split(/\s+/);
  const [, base = "", letters = "", long = ""] = isa;
  // Without an underscore before it, the first long extension follows the letters: rv64imafdczicsr.
  const start = letters.search(/[zsx]/);
  const single = start < 0 ? letters : letters.slice(0, start);
  const joined = start < 0 ? [] : [letters.slice(start)];
  return [base, ...Array.from(single), ...joined, ...long.split("_").filter((name) => name !== "")];
}

function count(cores: Map<string, number>, name: string): void {
  cores.set(name, (cores.get(name) ?? 0) + 1);
}
