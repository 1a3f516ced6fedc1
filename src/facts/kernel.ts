/**
 * The kernel itself: release, command line, taint, configuration. Documentation/admin-guide/tainted-kernels.rst,
 * Documentation/admin-guide/sysctl/kernel.rst
 */

import {
  absent,
  chain,
  firstRead,
  malformed,
  map,
  parseInteger,
  read,
  valueOf,
  type Reading,
} from "../base/reading.ts";
import type { Root } from "../root/root.ts";
import { readKernelConfig } from "./kernel-config.ts";

export { parseKernelConfig, readKernelConfig, type KernelConfig } from "./kernel-config.ts";

export interface Kernel {
  /** uname -r. In an image without /proc: the newest tree in lib/modules. */
  readonly release: Reading<string>;
  /** x86_64, aarch64 ... */
  readonly arch: Reading<string>;
  readonly version: Reading<string>;
  readonly cmdline: Reading<string>;
  /** Letters of the taint flags, e.g. "PO" = proprietary + out of tree. "" when clean. */
  readonly taint: Reading<string>;
  /** Releases that have a tree in lib/modules, newest first. */
  readonly installed: Reading<readonly string[]>;
}

/** Bit n of /proc/sys/kernel/tainted is letter n; bit 0 clear prints as G, which we leave out. */
const taintLetters = [
  "P",
  "F",
  "S",
  "R",
  "M",
  "B",
  "U",
  "D",
  "A",
  "W",
  "C",
  "I",
  "O",
  "E",
  "L",
  "K",
  "X",
  "T",
  "N",
  "J",
];

/** A name of the kernel's has at most 64 characters: __NEW_UTS_LEN in include/uapi/linux/utsname.h. */
const ONE_WORD = /^\s{0,4}(\S{1,64})\s*$/;

/** Reads what is there; which parts are not is said by each part. */
export function readKernel(root: Root): Reading<Kernel> {
  const banner = root.text("/proc/version");
  const installed = readInstalled(root);
  const release = firstRead(
    (function* () {
      yield chain(root.text("/proc/sys/kernel/osrelease"), (text, from) => matched(ONE_WORD, text, from));
      yield chain(banner, (text, from) => matched(/^Linux version (\S{1,64})(?!\S)/, text, from));
      yield chain(installed, (releases, from) => {
        const newest = releases[0];
        return newest === undefined ? absent(from, "no module tree") : read(newest, from);
      });
    })(),
    "/proc/version",
  );
  return read(
    {
      release,
      arch: readArch(root, banner, release),
      version: firstRead(
        (function* () {
          yield map(root.text("/proc/sys/kernel/version"), (text) => text.trim());
          yield chain(banner, (text, from) => matched(/(#\d.*)$/m, text, from));
        })(),
        "/proc/version",
      ),
      cmdline: map(root.text("/proc/cmdline"), (text) => text.trim()),
      taint: chain(parseInteger(root.text("/proc/sys/kernel/tainted")), (mask, from) => read(letters(mask), from)),
      installed,
    },
    banner.from,
  );
}

/** "7.3.4+deb13-amd64" against "6.18": negative, 0 or positive. Only the leading numbers count. */
export function compareReleases(a: string, b: string): number {
  const numbers = (text: string): number[] => (/^[0-9]+(\.[0-9]+)*/.exec(text)?.[0] ?? "0").split(".").map(Number);
  const [left, right] = [numbers(a), numbers(b)];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function readInstalled(root: Root): Reading<readonly string[]> {
  const lists = [root.list("/lib/modules"), root.list("/usr/lib/modules")];
  const names = new Set(lists.flatMap((list) => valueOf(list) ?? []).filter((name) => /^[0-9]+\.[0-9]/.test(name)));
  return map(firstRead(lists, "/lib/modules"), () =>
    [...names].sort((a, b) => compareReleases(b, a) || (a < b ? 1 : -1)),
  );
}

/**
 * uname -m is a system call; of the files that tell the same, the sysctl (since 6.1) is the kernel's own word, the compiler's
 * name in the banner and the configuration are the build's, and the machine field of a program is only user space's.
 */
function readArch(root: Root, banner: Reading<string>, release: Reading<string>): Reading<string> {
  return firstRead(
    (function* () {
      yield chain(root.text("/proc/sys/kernel/arch"), (text, from) => matched(ONE_WORD, text, from));
      yield chain(banner, (text, from) => {
        const triple = /\b(x86_64|aarch64|riscv64|powerpc64le|s390x|loongarch64|arm)-[a-z-]{0,40}linux/.exec(text)?.[1];
        return triple === undefined
          ? absent(from, "no compiler named in it")
          : read(triple === "powerpc64le" ? "ppc64le" : triple, from);
      });
      if (release.state === "read") {
        yield chain(readKernelConfig(root, release.value), (config, from) => {
          const found = archSymbols.find(([symbol]) => config.get(symbol) === "y");
          return found === undefined ? absent(from, "architecture not recognised") : read(found[1], from);
        });
      }
      for (const program of ["/bin/sh", "/usr/bin/env"]) yield machineOf(root, program);
    })(),
    "/proc/sys/kernel/arch",
  );
}

const archSymbols: readonly (readonly [string, string])[] = [
  ["X86_64", "x86_64"],
  ["ARM64", "aarch64"],
  ["RISCV", "riscv64"],
  ["PPC64", "ppc64le"],
  ["S390", "s390x"],
  ["LOONGARCH", "loongarch64"],
  ["ARM", "armv7l"],
  ["X86_32", "i686"],
];

/** e_machine of ELF files, as numbered in the gABI, to the word of uname -m. */
const elfMachines: Readonly<Record<number, string>> = {
  62: "x86_64",
  183: "aarch64",
  243: "riscv64",
  21: "ppc64le",
  22: "s390x",
  258: "loongarch64",
  40: "armv7l",
  3: "i686",
};

function machineOf(root: Root, program: string): Reading<string> {
  return chain(root.slice(program, 0, 20), (head, from) => {
    if (head.length < 20 || head[0] !== 0x7f || head[1] !== 0x45) return malformed(from, "no ELF file");
    const [low = 0, high = 0] = head[5] === 2 ? [head[19], head[18]] : [head[18], head[19]];
    const machine = elfMachines[low | (high << 8)];
    return machine === undefined ? malformed(from, "architecture not recognised") : read(machine, from);
  });
}

function letters(mask: number): string {
  return taintLetters.filter((_, bit) => Math.floor(mask / 2 ** bit) % 2 === 1).join("");
}

function matched(pattern: RegExp, text: string, from: string): Reading<string> {
  const found = pattern.exec(text)?.[1];
  return found === undefined ? malformed(from, `unexpected: ${text.slice(0, 60).trim()}`) : read(found, from);
}
