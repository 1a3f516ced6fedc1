/** All facts of one machine, each read when first asked for and then kept. Nothing here computes; the readers do. */

import type { Reading } from "../base/reading.ts";
import { valueOf } from "../base/reading.ts";
import type { Root } from "../root/root.ts";
import { readConfinement } from "./container.ts";
import { readCpu } from "./cpu.ts";
import { readDeviceTree } from "./devicetree.ts";
import { readDkms } from "./dkms.ts";
import { readIommu } from "./iommu.ts";
import { readKernel, readKernelConfig, type KernelConfig } from "./kernel.ts";
import { readKernelLog } from "./klog.ts";
import { readLibraries } from "./libraries.ts";
import { readMemory } from "./memory.ts";
import { readLoadedModules, readModprobe, readModuleIndex, type ModuleIndex } from "./modules.ts";
import { readNodes } from "./nodes.ts";
import { readDistro, readWheels } from "./packages.ts";
import { readPci } from "./pci.ts";
import { readPlatform } from "./platform.ts";
import { readRemoteprocs } from "./remoteproc.ts";
import { readSensors } from "./sensors.ts";
import { readUsb } from "./usb.ts";
import { readGroups, readUser } from "./user.ts";

export interface FactsOptions {
  /** Globs of device nodes the catalogue knows beyond the kernel classes. */
  readonly nodePatterns: readonly string[];
  /** Directories of Python environments, node_modules or SDKs the user named. */
  readonly environments: readonly string[];
  /** May questions be asked that wake a device? */
  readonly query: boolean;
}

export type Facts = ReturnType<typeof createFacts>;

export function createFacts(root: Root, options: FactsOptions) {
  const kept = new Map<string, unknown>();
  const once = <T>(key: string, make: () => T): T => {
    if (!kept.has(key)) kept.set(key, make());
    return kept.get(key) as T; // the key is this module's own and always made by the same `make`
  };
  const release = (): string | undefined => {
    const kernel = valueOf(facts.kernel);
    return kernel && valueOf(kernel.release);
  };
  const facts = {
    root,
    options,
    get pci() {
      return once("pci", () => readPci(root));
    },
    get usb() {
      return once("usb", () => readUsb(root));
    },
    get platform() {
      return once("platform", () => readPlatform(root));
    },
    get deviceTree() {
      return once("deviceTree", () => readDeviceTree(root));
    },
    get nodes() {
      return once("nodes", () => readNodes(root, options.nodePatterns));
    },
    get user() {
      return once("user", () => readUser(root));
    },
    get groups() {
      return once("groups", () => readGroups(root));
    },
    get kernel() {
      return once("kernel", () => readKernel(root));
    },
    /** The running kernel's release, or the image's only one. */
    get release() {
      return once("release", release);
    },
    get config(): Reading<KernelConfig> {
      return once("config", () => {
        const running = facts.release;
        return running === undefined
          ? { state: "uncaptured" as const, from: "/proc/version", why: "kernel release unknown" }
          : readKernelConfig(root, running);
      });
    },
    get moduleIndex(): Reading<ModuleIndex> {
      return once("moduleIndex", () => {
        const running = facts.release;
        return running === undefined
          ? { state: "uncaptured" as const, from: "/proc/version", why: "kernel release unknown" }
          : readModuleIndex(root, running);
      });
    },
    get loaded() {
      return once("loaded", () => readLoadedModules(root));
    },
    get modprobe() {
      return once("modprobe", () => readModprobe(root));
    },
    get dkms() {
      return once("dkms", () => readDkms(root));
    },
    get libraries() {
      return once("libraries", () => readLibraries(root, options.environments));
    },
    get wheels() {
      return once("wheels", () => readWheels(root, options.environments));
    },
    get distro() {
      return once("distro", () => readDistro(root));
    },
    get log() {
      return once("log", () => readKernelLog(root));
    },
    get sensors() {
      return once("sensors", () => readSensors(root));
    },
    get remoteprocs() {
      return once("remoteprocs", () => readRemoteprocs(root));
    },
    get iommu() {
      return once("iommu", () => readIommu(root));
    },
    get confinement() {
      return once("confinement", () => readConfinement(root));
    },
    get cpu() {
      return once("cpu", () => readCpu(root));
    },
    get memory() {
      return once("memory", () => readMemory(root));
    },
  };
  return facts;
}
