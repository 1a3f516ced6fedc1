/** Layer driver: which of the five states the kernel's driver is in, and whether it drives this device. */

import type { Evidence, Finding, KernelState, Layer, Remedy } from "../base/finding.ts";
import { valueOf } from "../base/reading.ts";
import { shellWord } from "../base/shell.ts";
import type { DkmsState } from "../facts/dkms.ts";
import type { Device } from "../devices/device.ts";
import { compareReleases } from "../facts/kernel.ts";
import type { DriverSpec, Packages } from "../families/family.ts";
import { globMatches } from "../families/match.ts";
import { known, seen, unseen, type RouteContext } from "./context.ts";
import { isFileMissing, readDriverState } from "./driver-state.ts";
import { installRemedy, packageOfModules } from "./remedy.ts";

// Drivers that hold a device for a virtual machine or for nobody; the hardware is not at fault.
const keepers = new Set(["vfio-pci", "pci-stub", "xen-pciback", "uio_pci_generic", "igb_uio"]);

export function bindsOf(driver: DriverSpec): readonly string[] {
  return driver.binds ?? (driver.module === undefined ? [] : [driver.module]);
}

const spell = (name: string): string => name.replaceAll("-", "_");

export function judgeDriver(context: RouteContext): Layer {
  const { device, route, facts } = context;
  const { driver } = route;
  const is = driver.module ?? "none needed";
  const base = { name: "driver", is, openness: driver.openness } as const;
  if (driver.module === undefined && driver.origin !== "none") {
    return {
      ...base,
      is: "unnamed vendor driver",
      status: device.driver.state === "read" ? "ok" : "unknown",
      evidence: [known(route.says, driver.source)],
    };
  }
  if (driver.module === undefined) {
    return {
      ...base,
      openness: "none",
      status: "unneeded",
      kernelState: "not needed",
      evidence: [known(route.says, driver.source)],
    };
  }
  if (device.driver.state === "read") {
    const bound = device.driver.value;
    if (bindsOf(driver).some((name) => spell(name) === spell(bound))) {
      const evidence = [seen(device.driver.from, bound)];
      const rival = rivalNode(context) ?? rivalLicence(context);
      if (rival !== undefined) {
        return {
          ...base,
          status: "missing",
          kernelState: "unknown",
          evidence: [...evidence, seen(rival, "another driver of this name is bound")],
        };
      }
      // One route for two drivers (i915 and xe): the one that is at work gives its name.
      const other = context.family.routes.find((one) => one.driver.module === spell(bound))?.driver.module;
      return { ...base, is: other ?? is, status: "ok", kernelState: "bound", evidence };
    }
    const state = readDriverState(facts, driver);
    return {
      ...base,
      // A rival that works is not a fault of this route; it merely is not the one in use.
      status: keepers.has(bound) ? "faulty" : "missing",
      kernelState: state.state,
      evidence: [seen(device.driver.from, bound), ...state.evidence],
    };
  }
  const state = readDriverState(facts, driver);
  if (!takes(driver, device)) {
    const words = device.ids["compatible"] ?? "";
    return {
      ...base,
      status: "faulty",
      kernelState: state.state,
      evidence: [seen(`/sys/firmware/devicetree/base${device.ofNode ?? ""}/compatible`, words), ...state.evidence],
    };
  }
  const evidence: Evidence[] = [unseen(device.driver), ...state.evidence];
  if (device.driver.state !== "absent") {
    const status = state.state === "not in this kernel" || state.state === "configured off" ? "missing" : "unknown";
    return { ...base, status, kernelState: state.state, evidence };
  }
  const tried = state.state === "loaded" || state.state === "built in";
  return { ...base, status: tried ? "faulty" : "missing", kernelState: state.state, evidence };
}

/** Does the driver's table hold what the device tree calls this node? Vendor and mainline bindings of one chip differ. */
function takes(driver: DriverSpec, device: Device): boolean {
  const words = device.ids["compatible"]?.split(" ");
  return driver.compatibles === undefined || words === undefined || words.some((w) => driver.compatibles?.includes(w));
}

/**
 * Two drivers may share a name (Arm's ethosu stack and mainline's). The node tells which one is bound: if a node of another
 * route with the same driver name is there and none of this route's, this one is not it.
 */
function rivalNode({ device, family, route }: RouteContext): string | undefined {
  const has = (paths: readonly string[]): string | undefined =>
    device.nodes.find((node) => paths.some((path) => globMatches(path, node.path)))?.path;
  if (route.node === undefined || has(route.node.paths) !== undefined) return undefined;
  for (const other of family.routes) {
    if (other === route || other.node === undefined) continue;
    if (other.node.paths.some((path) => route.node?.paths.includes(path))) continue;
    if (!bindsOf(other.driver).some((name) => bindsOf(route.driver).includes(name))) continue;
    const path = has(other.node.paths);
    if (path !== undefined) return path;
  }
  return undefined;
}

/** NVIDIA's open and closed modules share a name; the loaded one's taint tells: P is set by a proprietary licence only. */
function rivalLicence({ facts, family, route }: RouteContext): string | undefined {
  const { module, openness, origin } = route.driver;
  const twins = family.routes.filter((other) => other.driver.module === module && other.driver.origin === origin);
  if (module === undefined || !twins.some((other) => other.driver.openness !== openness)) return undefined;
  const loaded = valueOf(facts.loaded)?.get(module);
  if (loaded?.taint.state !== "read") return undefined;
  const closed = loaded.taint.value.includes("P");
  return closed === (openness === "closed") ? undefined : loaded.taint.from;
}

/** Silicon that Linux sees and nobody outside its maker can drive. */
export function findNonePublic(device: Device, evidence: readonly Evidence[], maker?: Packages["vendor"]): Finding {
  return {
    rule: "driver/none-public",
    severity: "warning",
    device: device.id,
    says: `no driver for ${device.name} is public: Linux sees it and nothing here can use it`,
    evidence,
    ...(maker === undefined
      ? {}
      : { remedy: { says: maker.says, ...(maker.link === undefined ? {} : { links: [maker.link] }) } }),
  };
}

export function findDriver(context: RouteContext, layer: Layer): Finding | undefined {
  const { device, route, facts } = context;
  const { driver } = route;
  if (driver.module === undefined && driver.origin !== "none" && device.driver.state === "absent") {
    return findNonePublic(device, [unseen(device.driver), ...layer.evidence], driver.packages?.vendor);
  }
  if (layer.status === "ok" || layer.status === "unneeded" || driver.module === undefined) return undefined;
  const base = { device: device.id, route: route.name, evidence: layer.evidence };
  const bound = valueOf(device.driver);
  if (bound !== undefined && keepers.has(bound)) {
    return {
      ...base,
      rule: "driver/held",
      severity: "warning",
      says: `${device.name} is held by ${bound}, for a virtual machine or by hand: ${driver.module} cannot use it here`,
      remedy: releaseRemedy(context, bound, driver.module, layer.kernelState),
    };
  }
  if (bound !== undefined) {
    return {
      ...base,
      rule: "driver/other",
      severity: "note",
      says: `${device.name} is driven by ${bound}; the route "${route.name}" needs ${driver.module}`,
    };
  }
  if (!takes(driver, device)) {
    return {
      ...base,
      rule: "driver/other-binding",
      severity: "error",
      says: `the device tree describes ${device.name} as ${device.ids["compatible"] ?? "?"}, and ${driver.module} takes only ${driver.compatibles?.join(", ") ?? ""}`,
      remedy: { says: `use the device tree that belongs to the kernel ${driver.module} comes from` },
    };
  }
  const state = layer.kernelState ?? "unknown";
  if (state === "unknown" && layer.status === "unknown") return undefined;
  const blacklist = (valueOf(facts.modprobe) ?? []).find(
    (rule) => spell(rule.module) === driver.module && (rule.kind === "blacklist" || /\/(false|true)\b/.test(rule.says)),
  );
  if (blacklist && (state === "shipped as a module" || state === "unknown")) {
    return {
      ...base,
      rule: "driver/blacklisted",
      severity: "error",
      says: `${driver.module} would drive ${device.name} and is kept from loading by ${blacklist.file}`,
      evidence: [
        ...layer.evidence,
        seen(blacklist.file, `${blacklist.kind} ${blacklist.module} ${blacklist.says}`.trim()),
      ],
      remedy: {
        says: `remove that line${blacklist.kind === "install" ? " (it replaces loading by a command)" : ""}, then load the module`,
        commands: [`sudo modprobe ${driver.module}`],
      },
    };
  }
  if (state === "shipped as a module" && isFileMissing(layer.evidence)) return { ...base, ...fileGone(context) };
  if (driver.module === VFIO) return { ...base, ...notGiven(context, state) };
  return { ...base, ...describe(context, state) };
}

type Described = Pick<Finding, "rule" | "severity" | "says"> & { remedy?: Remedy };

/** A kernel's modules may be split over packages, or an image may hold some of them: loading is no cure then. */
function fileGone({ device, route, facts }: RouteContext): Described {
  const module = route.driver.module ?? "";
  const release = facts.release ?? "";
  const from = packageOfModules(facts, release);
  return {
    rule: "driver/file-missing",
    severity: "error",
    says: `${device.name} has no driver: modules.dep lists ${module}, and its file is not installed`,
    remedy: {
      says: `${from === undefined ? "install the package of this kernel's modules again" : `install ${from} again`}, then load ${module}; in an image or initramfs, put the module in`,
      commands: [
        ...(from === undefined ? [] : [`sudo apt install --reinstall ${shellWord(from)}`]),
        `sudo modprobe ${module}`,
      ],
    },
  };
}

/** drivers/accel came with this release. */
const ACCEL_SINCE = "6.2";

/** vfio-pci takes no device by itself, loaded or not: it must be told which. */
const VFIO = "vfio_pci";

function notGiven({ device }: RouteContext, state: KernelState): Described {
  const path = `/sys/bus/pci/devices/${device.address}`;
  return {
    rule: "driver/not-given-to-vfio",
    severity: "error",
    says: `${device.name} is used through vfio-pci, and was not given to it`,
    remedy: {
      says: "vfio-pci takes a device only when told; Google's TPU VM images do this at start",
      commands: [
        ...(state === "loaded" || state === "built in" ? [] : ["sudo modprobe vfio-pci"]),
        `echo vfio-pci | sudo tee ${shellWord(`${path}/driver_override`)}`,
        `echo ${shellWord(device.address)} | sudo tee /sys/bus/pci/drivers_probe`,
      ],
    },
  };
}

function describe(context: RouteContext, state: KernelState): Described {
  const { device, route, facts } = context;
  const { driver } = route;
  const module = driver.module ?? "";
  const release = facts.release;
  // Who looks for a class "accel" or its option in such a kernel looks in vain.
  const before = (first: string): string =>
    route.node?.class === "accel" && release !== undefined && compareReleases(release, first) < 0
      ? `, which has no accel subsystem (since ${first})`
      : "";
  const binder = driver.with?.find((name) => bindsOf(driver).includes(name) && valueOf(facts.loaded)?.has(name));
  const where = release === undefined ? "this kernel" : `kernel ${release}`;
  switch (state) {
    case "shipped as a module":
      if (binder !== undefined) return notTaken(context, binder);
      return {
        rule: "driver/not-loaded",
        severity: "error",
        says: `${device.name} has no driver: ${module} is there and not loaded`,
        remedy: {
          says: "load it; if that stays without effect, read the kernel log",
          commands: [`sudo modprobe ${module}`, `sudo dmesg | grep ${module}`],
        },
      };
    case "loaded":
    case "built in":
      return {
        rule: "driver/probe-failed",
        severity: "error",
        says: `${module} is ${state} and did not take ${device.name}: its probe failed, or it does not know this device`,
        remedy: {
          says: "the kernel log says why",
          commands: [`sudo dmesg | grep -E ${shellWord(`${module}|${device.address}`)}`],
        },
      };
    case "configured off": {
      // The symbol as this kernel writes it: it may have had another name, or be one that the driver needs.
      const symbol = readDriverState(facts, driver).symbol ?? `CONFIG_${driver.config?.symbol ?? "?"}`;
      const never = driver.config?.never;
      return {
        rule: "driver/configured-off",
        severity: "error",
        says: `${where} knows ${module} and was built without it (${symbol} is not set)`,
        remedy: withInstall(
          context,
          `use a kernel with CONFIG_${driver.config?.symbol ?? "?"}=m${never === undefined ? "" : ` (${never})`}`,
        ),
      };
    }
    case "not in this kernel": {
      const dkms = (valueOf(facts.dkms) ?? []).find((one) => one.modules.includes(module));
      if (dkms && release !== undefined && !dkms.built.includes(release)) return dkmsFault(dkms, module, release);
      const since = driver.since;
      if (
        driver.origin === "mainline" &&
        since !== undefined &&
        release !== undefined &&
        compareReleases(release, since) < 0
      ) {
        return {
          rule: "driver/kernel-too-old",
          severity: "error",
          says: `${device.name} needs ${module}, which Linux has since ${since}; this is ${release}${before(ACCEL_SINCE)}`,
          remedy: withInstall(
            context,
            `run Linux ${since} or later with CONFIG_${driver.config?.symbol ?? module.toUpperCase()}`,
          ),
        };
      }
      return {
        rule: "driver/not-in-kernel",
        severity: "error",
        says: `${device.name} needs ${module} (${driver.origin === "mainline" ? "mainline" : driver.origin.replaceAll("-", " ")}), which ${where} does not have`,
        remedy: withInstall(
          context,
          driver.repository === undefined ? `install ${module} for this kernel` : `build ${module} for this kernel`,
        ),
      };
    }
    default:
      return {
        rule: "driver/unbound",
        severity: "warning",
        says: `no driver is bound to ${device.name}; whether this kernel has ${module} could not be read`,
        remedy: withInstall(context, `look for ${module}`),
      };
  }
}

/** The device is another module's, on which this driver rests (a DSP's remoteproc below fastrpc): that one comes first. */
function notTaken({ device, route }: RouteContext, binder: string): Described {
  return {
    rule: "driver/probe-failed",
    severity: "error",
    says: `${binder} is loaded and did not take ${device.name}: its probe failed, or waits for something; ${route.driver.module ?? ""} comes after it`,
    remedy: {
      says: "the kernel log and the list of deferred devices say why",
      commands: [
        `sudo dmesg | grep -E ${shellWord(`${binder}|${device.address}`)}`,
        "sudo cat /sys/kernel/debug/devices_deferred",
      ],
    },
  };
}

/** The package is there and its module was not built for the kernel that runs: the usual end of a kernel upgrade. */
function dkmsFault(dkms: DkmsState, module: string, release: string): Described {
  const log = valueOf(dkms.log);
  const failed = log !== undefined && (dkms.failedFor === undefined || dkms.failedFor === release);
  return {
    rule: "driver/dkms-not-built",
    severity: "error",
    says: `${module} is under DKMS (${dkms.name} ${dkms.version}) and ${failed ? "failed to build" : "was not built"} for ${release}`,
    remedy: failed
      ? { says: "accelctl explain knows most build errors", commands: [`accelctl explain ${shellWord(log)}`] }
      : {
          says: "install the headers of this kernel and build",
          commands: [
            `sudo apt install ${shellWord(`linux-headers-${release}`)}`,
            `sudo dkms autoinstall -k ${shellWord(release)}`,
          ],
        },
  };
}

/** What to do, then how to get it here; the repository is a link, told once. */
function withInstall({ facts, route }: RouteContext, otherwise: string): Remedy {
  const { module, packages, repository } = route.driver;
  const install = installRemedy(facts, module ?? route.name, packages);
  const links = [...new Set([...(install?.links ?? []), ...(repository === undefined ? [] : [repository])])];
  return {
    says: install ? `${otherwise}; ${install.says}` : otherwise,
    ...(install?.commands ? { commands: install.commands } : {}),
    ...(links.length > 0 ? { links } : {}),
  };
}

function releaseRemedy(context: RouteContext, keeper: string, module: string, state: KernelState | undefined): Remedy {
  const { address } = context.device;
  const cmdline = valueOf(context.facts.kernel)?.cmdline;
  const word =
    cmdline?.state === "read" ? /\b(?:vfio[-_]pci|pci[-_]stub)\.ids=\S+/.exec(cmdline.value)?.[0] : undefined;
  const lacking = state === "not in this kernel" || state === "configured off";
  return {
    says: [
      `to give it back to ${module} (and take it away from the virtual machine)`,
      ...(lacking ? [`${module} is not in this kernel and must be got first`] : []),
      ...(word === undefined
        ? []
        : [`without ${word} on the kernel's command line, or it is taken again at the next boot`]),
    ].join("; "),
    commands: [
      `echo | sudo tee ${shellWord(`/sys/bus/pci/devices/${address}/driver_override`)}`,
      `echo ${shellWord(address)} | sudo tee ${shellWord(`/sys/bus/pci/drivers/${keeper}/unbind`)}`,
      `echo ${shellWord(address)} | sudo tee /sys/bus/pci/drivers_probe`,
    ],
  };
}
