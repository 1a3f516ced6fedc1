/** A whole machine with some of its files changed, reviewed; and single readers on the files that are theirs. */

import { createFacts } from "../../../src/facts/facts.ts";
import { readElf } from "../../../src/facts/elf.ts";
import { readPackageVersion } from "../../../src/facts/packages.ts";
import { readModuleIndex } from "../../../src/facts/modules.ts";
import { readModinfo } from "../../../src/facts/modinfo.ts";
import { families } from "../../../src/families/index.ts";
import { valueOf } from "../../../src/base/reading.ts";
import { diffKernels } from "../../../src/review/kernel-diff.ts";
import { kernelSide } from "../../../src/review/kernel-side.ts";
import { readKernelView } from "../../../src/review/kernel-view.ts";
import { elf, ldCache } from "../../facts/ld-cache-bytes.ts";
import { checkReview } from "../check.ts";
import { below, mutateBytes, mutateText, pick, type Random } from "../mutate.ts";
import { module, modinfo } from "../seeds/elf.ts";
import { buildRoot, changeItems } from "../seeds/change.ts";
import { alias, builtinModinfo, config, dependencies, machine, release, type Item } from "../seeds/machine.ts";
import type { Case, Target } from "../target.ts";

/** Any file of the machine. */
export const sysfs: Target = {
  name: "machine",
  share: 3,
  make: (random) => reviewOf(machine, random),
};

/** As `machine`, where fewer things distract: what lies below these, so that each file is hit often. */
export const parts: readonly Target[] = [
  part("pci and usb", /^\/sys\/(devices\/pci|bus\/(pci|usb))/),
  part("board", /^\/sys\/(firmware|devices\/platform|class\/remoteproc|bus\/platform)|^\/proc\/device-tree/),
  part("nodes", /^\/dev\/|^\/sys\/class|^\/proc\/(self|driver|misc|devices)|^\/etc\/(group|passwd)/),
  part("procfs", /^\/proc/),
  part("packages", /^\/(etc|var|usr|lib\/apk)/),
];

function part(name: string, wanted: RegExp): Target {
  const chosen = machine.filter((item) => wanted.test(item.path));
  const rest = machine.filter((item) => !wanted.test(item.path));
  return { name, share: 2, make: (random) => reviewOf(chosen, random, random() < 0.3 ? rest : []) };
}

function reviewOf(seed: readonly Item[], random: Random, beside: readonly Item[] = []): Case {
  const changed = changeItems(seed, random);
  const kind = pick(random, ["capture", "directory", "archive"] as const);
  const covered = random() < 0.7;
  return {
    input: changed.notes,
    run: () => {
      const root = buildRoot({ ...changed, items: [...beside, ...changed.items] }, kind, covered);
      checkReview(root, random);
      readPackageVersion(root, "intel-driver-compiler-npu");
    },
  };
}

const modules = `/lib/modules/${release}`;
const moduleFiles: readonly Item[] = [
  { path: `${modules}/modules.alias`, content: alias },
  { path: `${modules}/modules.dep`, content: dependencies },
  { path: `${modules}/modules.builtin`, content: "kernel/fs/ext4/ext4.ko\n" },
  { path: `${modules}/modules.builtin.modinfo`, content: builtinModinfo },
  { path: `${modules}/kernel/drivers/accel/rocket/rocket.ko`, content: module(modinfo("rocket")) },
  { path: `/boot/config-${release}`, content: config },
  { path: "/etc/modprobe.d/a.conf", content: "blacklist apex\noptions nvidia a=1 \\\n b\ninstall x /bin/false\n" },
];

const modaliases = [
  "pci:v00008086d00007D1Dsv00001AF4sd00001100bc12sc00i00",
  "of:NnpuT(null)Crockchip,rk3588-rknn-core",
  "usb:v1A6Ep089Ad0100dc00dsc00dp00icFEisc01ip00in00",
  `of:N${"a".repeat(300)}T${"*a".repeat(40)}`,
];

/** What a kernel ships and was built with, asked in every way. */
export const kernel: Target = {
  name: "modules and config",
  share: 3,
  make: (random) => {
    const changed = changeItems(moduleFiles, random);
    const modalias = random() < 0.5 ? pick(random, modaliases) : mutateText(pick(random, modaliases), random);
    return {
      input: `${JSON.stringify(modalias)}\n${changed.notes}`,
      run: () => {
        const root = buildRoot(changed, "directory", true);
        const index = valueOf(readModuleIndex(root, release));
        index?.claims(modalias);
        for (const name of ["intel_vpu", "rocket", "__proto__", "constructor"]) {
          index?.aliases(name);
          index?.needs(name);
          index?.present(name);
          index?.builtin(name);
        }
        const view = readKernelView(root, index === undefined ? undefined : release);
        const facts = createFacts(root, { nodePatterns: [], environments: [], query: false });
        valueOf(facts.modprobe);
        const set = valueOf(facts.config);
        for (const symbol of ["DRM_ACCEL", "ARM64"]) set?.get(symbol);
        if (set !== undefined) [...set].map(([symbol]) => symbol);
        if (random() < 0.2) JSON.stringify([kernelSide(view, families), diffKernels(view, view, families)]);
      },
    };
  },
};

export const ko: Target = {
  name: "modinfo of .ko",
  share: 3,
  make: (random) => {
    const shape = { wide: random() < 0.5, bigEndian: random() < 0.5 };
    const bytes = mutateBytes(module(random() < 0.5 ? modinfo("x") : mutateText(modinfo("x"), random), shape), random);
    return {
      input: bytes,
      run: () => {
        JSON.stringify(
          readModinfo(buildRoot({ items: [{ path: "/x.ko", content: bytes }], notes: "" }, "directory", true), "/x.ko"),
        );
      },
    };
  },
};

const elfSeeds = (random: Random): Uint8Array =>
  elf({
    wide: random() < 0.5,
    bigEndian: random() < 0.5,
    soname: "libx.so.1",
    needed: Array.from({ length: below(random, 5) + 1 }, (_, i) => `lib${i}.so`),
    versions: ["GLIBC_2.34", "GLIBC_2.4", "X_1"],
  });

export const programs: Target = {
  name: "ELF programs",
  share: 3,
  make: (random) => {
    const bytes = mutateBytes(elfSeeds(random), random);
    return {
      input: bytes,
      run: () => {
        JSON.stringify(
          readElf(buildRoot({ items: [{ path: "/x.so", content: bytes }], notes: "" }, "directory", true), "/x.so"),
        );
      },
    };
  },
};

export const loaderCache: Target = {
  name: "ld.so.cache",
  share: 3,
  make: (random) => {
    const libraries = Array.from(
      { length: 1 + below(random, 8) },
      (_, i) => [`lib${i}.so.1`, `/usr/lib/lib${i}.so.1`] as const,
    );
    const format = pick(random, ["old", "new", "both"] as const);
    const bytes = mutateBytes(
      ldCache(libraries, { format, bigEndian: random() < 0.3, unmarked: random() < 0.3 }),
      random,
    );
    const items: Item[] = [
      { path: "/etc/ld.so.cache", content: bytes },
      ...machine.filter(({ path }) => path.startsWith("/usr/lib")),
    ];
    return {
      input: bytes,
      run: () => {
        const facts = createFacts(buildRoot({ items, notes: "" }, "directory", true), {
          nodePatterns: [],
          environments: [],
          query: false,
        });
        JSON.stringify(facts.libraries);
        valueOf(facts.libraries)?.find("lib*.so*");
      },
    };
  },
};
