/**
 * Which of the five states one driver is in on one kernel: not in this version, configured off, shipped, built in, loaded. What
 * the kernel's own files say (loaded, modules.dep, configuration) counts before what the catalogue knows of its version:
 * distributions take drivers back into old kernels, and leave new ones out. "bound" is the device's word, not ours.
 */

import type { Evidence, KernelState } from "../base/finding.ts";
import { valueOf, type Reading } from "../base/reading.ts";
import { describeSource } from "../base/source.ts";
import type { Facts } from "../facts/facts.ts";
import { compareReleases, type KernelConfig } from "../facts/kernel.ts";
import { blockedBy, outOfTree, readBuiltinSeen, type ModprobeRule, type ModuleIndex } from "../facts/modules.ts";
import type { DriverSpec } from "../families/family.ts";

/** The part of the facts a driver's state is read from: a kernel that does not run has no `loaded`. */
export type DriverFacts = Pick<Facts, "root" | "release" | "config" | "moduleIndex" | "loaded" | "modprobe">;

export interface DriverState {
  readonly state: KernelState;
  readonly evidence: readonly Evidence[];
  /** Why the state is no better, in half a sentence. */
  readonly because?: string;
  /** Symbol that would have to be set, with CONFIG_: the driver's own, or the one it needs. */
  readonly symbol?: string;
  /** Path below the module directory. */
  readonly file?: string;
  /** The module comes from outside the kernel tree (updates/, extra/, taint O). */
  readonly outOfTree?: boolean;
  /** modules.dep lists it and the file is not there. */
  readonly fileMissing?: boolean;
  /** modprobe will not load it by alias. */
  readonly blocked?: ModprobeRule;
  /** Symbols its route needs that are written as not set though the driver is there: amdgpu without HSA_AMD computes nothing. */
  readonly needsOff?: readonly string[];
  /** Modules of `with` that are neither loaded, built in nor shipped. */
  readonly without?: readonly string[];
}

/** Symbols that had another name in earlier releases: evidence of an older kernel's configuration stands under the old one. */
const formerSymbols: Readonly<Record<string, readonly string[]>> = {
  // drivers/misc/habanalabs until 6.2
  DRM_ACCEL_HABANALABS: ["HABANA_AI"],
};

/** Symbols that name an architecture: one that is not written is no setting somebody could flip. */
const architectures: ReadonlySet<string> = new Set([
  "X86",
  "X86_64",
  "ARM",
  "ARM64",
  "RISCV",
  "PPC64",
  "S390",
  "LOONGARCH",
]);

/** All but "bound": whether a device is bound is seen at the device. */
export function readDriverState(facts: DriverFacts, driver: DriverSpec): DriverState {
  const module = driver.module;
  if (module === undefined || driver.origin === "none") return { state: "not needed", evidence: [] };
  const found =
    stateOfLoaded(facts, driver, module) ??
    stateOfBuiltin(facts, module) ??
    stateOfFile(facts, driver, module) ??
    stateOfConfig(facts, driver, module) ??
    stateOfRelease(facts, driver, module);
  return { ...found, ...needsOff(facts, driver, found.state), ...companions(facts, driver), ...blocked(facts, module) };
}

function stateOfLoaded(facts: DriverFacts, driver: DriverSpec, module: string): DriverState | undefined {
  const loaded = facts.loaded;
  const own = valueOf(loaded)?.get(module);
  if (own === undefined) return undefined;
  const foreign = otherDriver(facts, driver, module);
  if (foreign !== undefined) return foreign;
  const taint = valueOf(own.taint) ?? "";
  return {
    state: "loaded",
    evidence: [{ seen: loaded.from, says: taint === "" ? module : `${module} (${taint})` }],
    ...(taint.includes("O") ? { outOfTree: true } : {}),
  };
}

function stateOfBuiltin(facts: DriverFacts, module: string): DriverState | undefined {
  const index = valueOf(facts.moduleIndex);
  const listed = index?.builtin(module);
  if (listed?.state === "read" && listed.value) {
    return { state: "built in", evidence: [{ seen: listed.from, says: module }] };
  }
  if (facts.loaded.state !== "read") return undefined;
  const seen = readBuiltinSeen(facts.root, module);
  return seen.state === "read" ? { state: "built in", evidence: [{ seen: seen.from, says: seen.value }] } : undefined;
}

const NO_SUCH_FILE = "no such file";

/** Of a shipped module: modules.dep lists it, and the evidence holds that its file is gone. */
export function isFileMissing(evidence: readonly Evidence[]): boolean {
  return evidence.some((one) => "seen" in one && one.says === NO_SUCH_FILE && one.seen.includes("/lib/modules/"));
}

function stateOfFile(facts: DriverFacts, driver: DriverSpec, module: string): DriverState | undefined {
  const index = valueOf(facts.moduleIndex);
  const file = index?.file(module);
  if (index === undefined || file?.state !== "read") return undefined;
  const foreign = otherDriver(facts, driver, module);
  if (foreign !== undefined) return foreign;
  const gone = valueOf(index.present(module)) === false;
  return {
    state: "shipped as a module",
    evidence: [
      { seen: file.from, says: file.value },
      ...(gone ? [{ seen: `${index.directory}/${file.value}`, says: NO_SUCH_FILE }] : []),
    ],
    file: file.value,
    ...(outOfTree(file.value) ? { outOfTree: true } : {}),
    ...(gone ? { fileMissing: true, because: "modules.dep lists it and the file is gone" } : {}),
  };
}

/** A vendor's driver may have the name of the mainline one (ethosu): a file below drivers/accel is never the vendor's. */
function otherDriver(facts: DriverFacts, driver: DriverSpec, module: string): DriverState | undefined {
  if (driver.origin === "mainline") return undefined;
  const file = valueOf(facts.moduleIndex)?.file(module);
  if (file?.state !== "read" || !file.value.startsWith("kernel/drivers/accel/")) return undefined;
  return {
    state: "not in this kernel",
    evidence: [{ seen: file.from, says: file.value }],
    because: `its ${module} is the mainline driver of that name`,
  };
}

function stateOfConfig(facts: DriverFacts, driver: DriverSpec, module: string): DriverState | undefined {
  const config = facts.config;
  const symbol = driver.config?.symbol;
  if (config.state !== "read" || symbol === undefined) return undefined;
  const written = [symbol, ...(formerSymbols[symbol] ?? [])].find((name) => config.value.has(name));
  const listed = valueOf(facts.moduleIndex)?.file(module);
  if (written !== undefined) {
    const value = config.value.get(written) ?? "";
    const evidence = [{ seen: config.from, says: line(written, value) }];
    if (value === "y") {
      // What is built in is listed. A driver from outside whose symbol only names what it rests on is not there by that.
      const unlisted = driver.origin !== "mainline" && valueOf(facts.moduleIndex)?.builtin(module).state === "read";
      return unlisted ? undefined : { state: "built in", evidence };
    }
    if (value === "n") {
      return { state: "configured off", evidence, symbol: `CONFIG_${written}`, because: line(written, value) };
    }
    // =m and not in modules.dep: some distributions put rarer drivers into a package of their own.
    return listed !== undefined && isUnlisted(listed)
      ? {
          state: "not in this kernel",
          evidence: [...evidence, { seen: listed.from, says: `${module} is not listed` }],
          because: "built as a module, but its file is not installed",
        }
      : { state: "shipped as a module", evidence };
  }
  // A driver that is built outside the tree has no symbol in this kernel's configuration, whatever that kernel is.
  if (driver.origin !== "mainline") return undefined;
  const outside = outsideVersions(facts.release, driver);
  if (outside !== undefined) return { ...outside, evidence: [...outside.evidence, unwritten(config, symbol)] };
  const needs = driver.config?.needs ?? [];
  const arch = needs.find((need) => architectures.has(need) && config.value.get(need) === undefined);
  if (arch !== undefined) {
    return {
      state: "not in this kernel",
      evidence: [{ seen: config.from, says: `CONFIG_${arch} is not written` }],
      because: `it is for ${arch} kernels only`,
    };
  }
  const off = needs.find((need) => config.value.get(need) === "n");
  if (off !== undefined) {
    return {
      state: "configured off",
      evidence: [{ seen: config.from, says: line(off, "n") }, unwritten(config, symbol)],
      symbol: `CONFIG_${off}`,
      because: `CONFIG_${symbol} needs CONFIG_${off}, which is off`,
    };
  }
  // A need that is not written either is out of reach of whoever configures this kernel: another platform's, mostly.
  const unoffered = needs.find((need) => !config.value.has(need));
  return {
    state: "not in this kernel",
    evidence: [
      unwritten(config, symbol),
      ...(unoffered === undefined ? [] : [{ seen: config.from, says: `CONFIG_${unoffered} is not written` }]),
    ],
    because:
      unoffered === undefined
        ? `this configuration does not offer CONFIG_${symbol}: another architecture, or a symbol it depends on is off`
        : `CONFIG_${symbol} needs CONFIG_${unoffered}, which this configuration does not offer`,
  };
}

function stateOfRelease(facts: DriverFacts, driver: DriverSpec, module: string): DriverState {
  const index = valueOf(facts.moduleIndex);
  const outside = outsideVersions(facts.release, driver);
  const unlisted = index === undefined ? undefined : notListed(index, module);
  if (unlisted !== undefined) {
    return {
      state: "not in this kernel",
      evidence: [...(outside?.evidence ?? []), unlisted],
      because: outside?.because ?? "neither built in nor shipped as a module",
    };
  }
  // Enterprise kernels keep an old number and take new drivers: their number proves nothing.
  if (outside !== undefined && !/\.el\d|\.amzn|-azure|-aws/.test(facts.release ?? "")) return outside;
  const config = facts.config;
  return {
    state: "unknown",
    evidence: [],
    because:
      config.state === "read"
        ? "its modules could not be looked at"
        : "neither its modules nor its configuration could be looked at",
  };
}

/** Said only when both lists were read: a module may be in either. */
function notListed(index: ModuleIndex, module: string): Evidence | undefined {
  const [file, builtin] = [index.file(module), index.builtin(module)];
  if (!isUnlisted(file) || builtin.state !== "read") return undefined;
  return { seen: file.from, says: `${module} is not listed` };
}

/** Known not to be listed, as against a list that is not there. */
function isUnlisted(file: Reading<string>): boolean {
  return file.state === "absent" && file.why === "not listed";
}

function outsideVersions(release: string | undefined, driver: DriverSpec): DriverState | undefined {
  if (release === undefined || driver.origin !== "mainline") return undefined;
  const source = describeSource(driver.source);
  if (driver.since !== undefined && compareReleases(release, driver.since) < 0) {
    return {
      state: "not in this kernel",
      evidence: [{ known: `in Linux since ${driver.since}, this is ${release}`, source }],
      because: `it came with Linux ${driver.since}`,
    };
  }
  if (driver.until !== undefined && compareReleases(release, driver.until) >= 0) {
    return {
      state: "not in this kernel",
      evidence: [{ known: `in Linux until before ${driver.until}, this is ${release}`, source }],
      because: `it left Linux with ${driver.until}`,
    };
  }
  return undefined;
}

function needsOff(facts: DriverFacts, driver: DriverSpec, state: KernelState): Pick<DriverState, "needsOff"> {
  const there = state === "loaded" || state === "built in" || state === "shipped as a module";
  const config = there ? valueOf(facts.config) : undefined;
  const off = (driver.config?.needs ?? []).filter((need) => config?.get(need) === "n");
  return off.length === 0 ? {} : { needsOff: off };
}

function companions(facts: DriverFacts, driver: DriverSpec): Pick<DriverState, "without"> {
  const index = valueOf(facts.moduleIndex);
  const without = (driver.with ?? []).filter(
    (module) =>
      valueOf(facts.loaded)?.has(module) !== true &&
      index !== undefined &&
      isUnlisted(index.file(module)) &&
      valueOf(index.builtin(module)) === false,
  );
  return without.length === 0 ? {} : { without };
}

function blocked(facts: DriverFacts, module: string): Pick<DriverState, "blocked"> {
  const rule = blockedBy(valueOf(facts.modprobe) ?? [], module);
  return rule === undefined ? {} : { blocked: rule };
}

const line = (symbol: string, value: string): string =>
  value === "n" ? `# CONFIG_${symbol} is not set` : `CONFIG_${symbol}=${value}`;

const unwritten = (config: Reading<KernelConfig>, symbol: string): Evidence => ({
  seen: config.from,
  says: `CONFIG_${symbol} is not written`,
});
