/** The machine and its kernel in a few lines, and what of it could not be looked at. */

import { firstRead, map, read, uncaptured, valueOf, type Reading } from "../base/reading.ts";
import type { Facts } from "../facts/facts.ts";
import type { DriverSpec } from "../families/family.ts";
import { allFamilies } from "../families/load.ts";
import { readDriverState } from "./driver-state.ts";
import type { Ability, Blind, KernelReport, MachineReport } from "./report.ts";

export function describeMachine(facts: Facts): MachineReport {
  const { root } = facts;
  const kernel = valueOf(facts.kernel);
  const trim = (text: string): string => text.replaceAll("\0", "").trim();
  const tree = valueOf(facts.deviceTree);
  const dmi = ["sys_vendor", "product_name"].map((name) => map(root.text(`/sys/class/dmi/id/${name}`), trim));
  const [vendor, product] = dmi;
  const model: Reading<string> =
    tree?.model.state === "read"
      ? tree.model
      : product?.state === "read"
        ? read([vendor ? (valueOf(vendor) ?? "") : "", product.value].join(" ").trim(), product.from)
        : firstRead([...(product ? [product] : []), ...(tree ? [tree.model] : [])], "/sys/class/dmi/id/product_name");
  const nothing = uncaptured("/proc/version");
  const confinement = valueOf(facts.confinement);
  return {
    model,
    distribution: map(facts.distro, (distro) => distro.name),
    arch: kernel?.arch ?? nothing,
    cpu: facts.cpu.state === "read" ? facts.cpu.value.model : facts.cpu,
    memory_bytes: facts.memory.state === "read" ? facts.memory.value.totalBytes : facts.memory,
    container: confinement?.container ?? uncaptured("/proc/1/cgroup"),
    virtual: confinement?.virtual ?? uncaptured("/sys/class/dmi/id/sys_vendor"),
  };
}

export function describeKernel(facts: Facts, withAbilities: boolean): KernelReport {
  const kernel = valueOf(facts.kernel);
  const nothing = uncaptured("/proc/version");
  return {
    release: (kernel && valueOf(kernel.release)) ?? null,
    version: kernel?.version ?? nothing,
    taint: kernel?.taint ?? nothing,
    accel: accelFramework(facts),
    ...(withAbilities ? { abilities: listAbilities(facts) } : {}),
  };
}

/** The class exists as soon as drm is loaded with CONFIG_DRM_ACCEL; without drm only the configuration tells. */
function accelFramework(facts: Facts): Reading<boolean> {
  const listed = facts.root.stat("/sys/class/accel");
  if (listed.state === "read") return read(true, listed.from);
  const config = facts.config;
  if (config.state === "read") return read(config.value.get("DRM_ACCEL") === "y", config.from);
  return listed.state === "absent" && facts.root.stat("/sys/class/drm").state === "read"
    ? read(false, "/sys/class/accel")
    : config;
}

/** Every distinct driver of what can be plugged in (PCI, USB), and what this kernel has of it. */
export function listAbilities(facts: Facts): Ability[] {
  const out: Ability[] = [];
  const seen = new Set<string>();
  for (const family of allFamilies()) {
    const buses = new Set(family.chips.flatMap((chip) => chip.matches.map((match) => match.bus)));
    if (!buses.has("pci") && !buses.has("usb")) continue;
    for (const route of family.routes) {
      const { module, origin } = route.driver;
      const key = `${family.id}/${module ?? ""}/${origin}`;
      if (seen.has(key)) continue;
      seen.add(key);
      const base = { family: family.id, route: route.name };
      if (module !== undefined) out.push({ ...base, module, ...stateOf(facts, route.driver) });
      else if (origin === "none") out.push({ ...base, module: "", state: "not needed", evidence: [] });
    }
  }
  return out;
}

function stateOf(facts: Facts, driver: DriverSpec): Pick<Ability, "state" | "evidence"> {
  const { state, evidence } = readDriverState(facts, driver);
  return { state, evidence };
}

/** Questions this report rests on that got no answer. What a machine simply does not have (no USB) is not blindness. */
export function blindSpots(facts: Facts): Blind[] {
  const asked: readonly Reading<unknown>[] = [
    facts.pci,
    facts.usb,
    facts.platform,
    facts.nodes,
    valueOf(facts.kernel)?.release ?? facts.kernel,
    facts.config,
    facts.moduleIndex,
    facts.loaded,
    facts.log,
    facts.libraries,
    facts.user,
    facts.distro,
    firmwareDirectory(facts),
  ];
  const out: Blind[] = [];
  for (const reading of asked) {
    if (reading.state === "read" || reading.state === "absent") continue;
    if (out.some((other) => other.path === reading.from)) continue;
    out.push({ path: reading.from, because: reading.why ?? words[reading.state] });
  }
  return out;
}

const words = {
  denied: "this user may not read it",
  uncaptured: "not captured",
  malformed: "makes no sense",
} as const;

function firmwareDirectory(facts: Facts): Reading<unknown> {
  return facts.root.stat("/lib/firmware");
}
