/** Out-of-tree modules under DKMS: what is added, built, installed, for which kernel, and the log of a build that failed. dkms(8); /var/lib/dkms */

import { utf8 } from "../base/bytes.ts";
import { map, valueOf, type Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";

export interface DkmsState {
  readonly name: string;
  readonly version: string;
  /** Kernels it was built for (release strings). */
  readonly built: readonly string[];
  /** Kernels it was built for and installed into. */
  readonly installed: readonly string[];
  /** Module names (BUILT_MODULE_NAME of dkms.conf, else the files built), spelled with "_"; empty when neither can be read. */
  readonly modules: readonly string[];
  /** Path of the last failed build's log, when there is one. */
  readonly log: Reading<string>;
  /** Kernel release that log says it was for. */
  readonly failedFor?: string;
}

const BASE = "/var/lib/dkms";
/** Modules under DKMS on one machine, versions of one, kernels of one version: each some dozens at most. */
const ENTRY_LIMIT = 500;

/** Every module and version under DKMS, sorted. Absent when DKMS never ran here. */
export function readDkms(root: Root): Reading<readonly DkmsState[]> {
  return map(root.list(BASE), (names) =>
    names.slice(0, ENTRY_LIMIT).flatMap((name) => {
      const entries = (valueOf(root.list(`${BASE}/${name}`)) ?? []).slice(0, ENTRY_LIMIT);
      const links = entries.filter((entry) => entry.startsWith("kernel-"));
      return entries
        .filter((entry) => !links.includes(entry) && entry !== "original_module")
        .flatMap((version) => readVersion(root, name, version, links));
    }),
  );
}

function readVersion(root: Root, name: string, version: string, links: readonly string[]): DkmsState[] {
  const directory = `${BASE}/${name}/${version}`;
  const listed = root.list(directory);
  if (listed.state !== "read") return []; // dkms_dbversion and other files beside the versions
  const built: string[] = [];
  const files = new Set<string>();
  for (const kernel of listed.value.slice(0, ENTRY_LIMIT)) {
    if (kernel === "source" || kernel === "build") continue;
    for (const arch of (valueOf(root.list(`${directory}/${kernel}`)) ?? []).slice(0, 20)) {
      const modules = valueOf(root.list(`${directory}/${kernel}/${arch}/module`));
      if (modules === undefined) continue;
      if (!built.includes(kernel)) built.push(kernel);
      for (const file of modules) {
        const module = /^(.+)\.ko(\.(gz|xz|zst))?$/.exec(file)?.[1];
        if (module !== undefined) files.add(module);
      }
    }
  }
  // kernel-RELEASE-ARCH -> VERSION/RELEASE/ARCH
  const installed = links.flatMap((link) => {
    const [linked, release] = (valueOf(root.link(`${BASE}/${name}/${link}`)) ?? "").split("/");
    return linked === version && release !== undefined ? [release] : [];
  });
  const conf = valueOf(root.text(`${directory}/source/dkms.conf`));
  const named = conf === undefined ? [] : builtModules(conf, name);
  // The build directory goes away once a build has succeeded, and its log moves below the kernel's directory.
  const path = `${directory}/build/make.log`;
  const log = map(root.stat(path), () => path);
  const failedFor = madeFor(valueOf(map(root.slice(path, 0, 4096), utf8)) ?? "");
  return [
    {
      name,
      version,
      built,
      installed: [...new Set(installed)],
      modules: (named.length > 0 ? named : [...files]).map((module) => module.replaceAll("-", "_")),
      log,
      ...(failedFor === undefined ? {} : { failedFor }),
    },
  ];
}

/** BUILT_MODULE_NAME[n] of a dkms.conf, which is shell: plain values and $PACKAGE_NAME are understood, the rest left out. */
function builtModules(conf: string, name: string): string[] {
  const packageName = /^[ \t]*PACKAGE_NAME=["']?([\w-]{1,64})["']?[ \t\r]*$/m.exec(conf)?.[1] ?? name;
  const modules: string[] = [];
  for (const [, value = ""] of conf.matchAll(/^[ \t]*BUILT_MODULE_NAME(?:\[\d{1,4}\])?=["']?([^"'\s#]{1,64})["']?/gm)) {
    const resolved = value.replace(/\$\{?PACKAGE_NAME\}?/g, packageName);
    if (/^[\w-]+$/.test(resolved) && !modules.includes(resolved)) modules.push(resolved);
  }
  return modules;
}

/** "DKMS make.log for gasket-1.0 for kernel 6.8.0-31-generic (x86_64)" is its first line. */
function madeFor(log: string): string | undefined {
  return /^DKMS .{0,200}\bfor kernel (\S{1,100})/m.exec(log)?.[1];
}
