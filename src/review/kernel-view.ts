/**
 * KernelView: one kernel release as a machine, an image, a package or a harvest shows it. It may run or only be installed; what
 * cannot be looked at stays a Reading. The review's driver layer and `accelctl kernel` read the same view.
 */

import { chain, map, read, uncaptured, valueOf, type Reading } from "../base/reading.ts";
import { CannotError } from "../base/errors.ts";
import { findFirmwareLike, type FirmwareFile } from "../facts/firmware.ts";
import { readKernel, readKernelConfig } from "../facts/kernel.ts";
import { readLoadedModules, readModprobe, readModuleIndex } from "../facts/modules.ts";
import { readModinfo, type Modinfo } from "../facts/modinfo.ts";
import type { Root } from "../root/root.ts";
import type { DriverFacts } from "./driver-state.ts";

export interface KernelView extends DriverFacts {
  /** As the user named it. */
  readonly name: string;
  readonly release: string;
  readonly arch: Reading<string>;
  /** This release is the one that runs on the root. */
  readonly running: boolean;
  modinfo(module: string): Reading<Modinfo>;
  /** Files that a name or pattern stands for. */
  firmware(pattern: string): Reading<readonly FirmwareFile[]>;
}

/** `release` undefined: the running one, else the newest installed. Throws CannotError when there is no kernel in the root. */
export function readKernelView(root: Root, release?: string): KernelView {
  const kernel = valueOf(readKernel(root));
  const booted = kernel?.release.from.startsWith("/proc") === true ? valueOf(kernel.release) : undefined;
  const chosen = release ?? (kernel && valueOf(kernel.release));
  if (chosen === undefined) {
    throw new CannotError(`${root.name}: no kernel in it: neither /proc/version nor a tree in /lib/modules`);
  }
  const installed = (kernel && valueOf(kernel.installed)) ?? [];
  if (release !== undefined && release !== booted && !installed.includes(release)) {
    const known =
      installed.length === 0 ? "no kernel is installed in lib/modules" : `installed: ${installed.join(", ")}`;
    throw new CannotError(`${root.name}: kernel ${release} is not there; ${known}`);
  }
  const running = chosen === booted;
  const index = readModuleIndex(root, chosen);
  const infos = new Map<string, Reading<Modinfo>>();
  return {
    root,
    name: root.name,
    release: chosen,
    running,
    arch:
      running || kernel === undefined
        ? (kernel?.arch ?? uncaptured("/proc/version"))
        : archOf(root, chosen, kernel.arch),
    config: readKernelConfig(root, chosen),
    moduleIndex: index,
    loaded: running ? readLoadedModules(root) : uncaptured("/proc/modules", `${chosen} does not run`),
    modprobe: readModprobe(root),
    modinfo: (module) => {
      const known = infos.get(module);
      if (known !== undefined) return known;
      const info = chain(index, (shipped) =>
        chain(shipped.file(module), (path) => readModinfo(root, `${shipped.directory}/${path}`)),
      );
      infos.set(module, info);
      return info;
    },
    firmware: (pattern) => findFirmwareLike(root, pattern, chosen),
  };
}

/** Another release than the one that runs may be of another architecture: only its own configuration tells. */
function archOf(root: Root, release: string, fallback: Reading<string>): Reading<string> {
  const config = readKernelConfig(root, release);
  const own = chain(config, (symbols, from): Reading<string> => {
    if (symbols.get("X86_64") === "y") return read("x86_64", from);
    return symbols.get("ARM64") === "y" ? read("aarch64", from) : uncaptured(from);
  });
  return own.state === "read" ? own : map(fallback, (arch) => arch);
}
