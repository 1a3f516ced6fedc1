/** Text that people bring: kernel logs, messages to explain, harvests, command lines. */

import { gzipSync } from "node:zlib";

import { breakages } from "../../../src/breakages/index.ts";
import { explainText } from "../../../src/breakages/explain.ts";
import { matchLines, matchLog } from "../../../src/breakages/match.ts";
import { render } from "../../../src/commands/explain.ts";
import { parseKernelLog, readKernelLog } from "../../../src/facts/klog.ts";
import { readKernelConfig } from "../../../src/facts/kernel-config.ts";
import { families } from "../../../src/families/index.ts";
import { plainTerminal } from "../../../src/print/terminal.ts";
import { harvestView, parseHarvest } from "../../../src/review/harvest.ts";
import { kernelSide } from "../../../src/review/kernel-side.ts";
import { noControls } from "../check.ts";
import { below, mutateBytes, mutateJson, mutateText, oddities, pick, type Random } from "../mutate.ts";
import { buildRoot } from "../seeds/change.ts";
import { config, log, release } from "../seeds/machine.ts";
import { contentOf, realFiles } from "../seeds/real.ts";
import type { Target } from "../target.ts";

const lines = log.trim().split("\n");
const messages = lines.map((line) => line.slice(15));
/** The same log in every form that people have it. */
const forms: readonly ((message: string, i: number) => string)[] = [
  (m, i) => `[    ${i}.000001] ${m}`,
  (m, i) => `6,${i},${i}000000,-;${m}\n SUBSYSTEM=pci\n DEVICE=+pci:0000:00:0b.0`,
  (m, i) => `Mar  5 10:11:${10 + (i % 50)} host kernel: [    ${i}.5] ${m}`,
  (m) => `2024-03-05T10:11:12.123456+01:00 host kernel: ${m}`,
  (m) => `[Tue Mar  5 10:11:12 2024] ${m}`,
  (m) => `kern  :err   : [    1.000000] ${m}`,
  (m) => `<3>${m}`,
  (m, i) => JSON.stringify({ MESSAGE: m, PRIORITY: "3", _TRANSPORT: "kernel", __MONOTONIC_TIMESTAMP: `${i}000` }),
  (m, i) => JSON.stringify({ MESSAGE: [...Buffer.from(m)], PRIORITY: i, _TRANSPORT: "kernel" }),
  (m, i) => `__CURSOR=s=${i}\n__MONOTONIC_TIMESTAMP=${i}\nPRIORITY=3\n_TRANSPORT=kernel\nMESSAGE=${m}\n`,
];

function logText(random: Random): string {
  const real = realFiles("machines/text", /\.txt$/);
  if (real.length > 0 && random() < 0.3) {
    const text = Buffer.from(contentOf(pick(random, real))).toString();
    return mutateText(text.slice(0, 100_000), random);
  }
  const form = pick(random, forms);
  const said = messages.filter(() => random() < 0.7).map((m, i) => form(random() < 0.2 ? mutateText(m, random) : m, i));
  return mutateText(`${said.join("\n")}\n`, random);
}

export const logs: Target = {
  name: "kernel logs",
  share: 4,
  make: (random) => {
    const text = logText(random);
    return {
      input: text,
      run: () => {
        matchLog(parseKernelLog(text));
        matchLines(parseKernelLog(text));
        const items = [{ path: pick(random, ["/dev/kmsg", "/var/log/dmesg", "/var/log/kern.log"]), content: text }];
        readKernelLog(buildRoot({ items, notes: "" }, "directory", true));
      },
    };
  },
};

/** Pieces that make expressions backtrack: long runs of what a class or a star takes, ended by what it does not. */
const runs = [
  " ",
  "a",
  "0",
  "_",
  "-",
  ".",
  ":",
  "/",
  "a ",
  "0.",
  "a:",
  "\t",
  "=",
  "(",
  "0x",
  "x=",
  ": ",
  "failed ",
  "error ",
];

function literalOf(random: Random): string {
  const patterns = pick(random, breakages).patterns;
  return patterns.length === 0 ? "" : pick(random, pick(random, patterns).has);
}

function hostile(random: Random): string {
  const part = (): string => {
    const kind = random();
    if (kind < 0.3) return pick(random, runs).repeat(below(random, 3000));
    // What lets a line through to an expression, and then much that it may take.
    if (kind < 0.5) return literalOf(random) + pick(random, runs).repeat(below(random, 500)) + literalOf(random);
    if (kind < 0.6) return pick(random, messages).slice(0, below(random, 200));
    return kind < 0.8 ? pick(random, oddities) : mutateText(pick(random, messages), random);
  };
  return Array.from({ length: 1 + below(random, 6) }, part).join(random() < 0.5 ? " " : "\n");
}

export const explanations: Target = {
  name: "explain",
  share: 4,
  make: (random) => {
    const text = random() < 0.5 ? hostile(random) : mutateText(pick(random, messages), random);
    return {
      input: text,
      run: () => {
        noControls("explain", render("file", explainText(text), plainTerminal));
      },
    };
  },
};

export const configurations: Target = {
  name: "kernel config",
  share: 2,
  make: (random) => {
    const text = mutateText(config.repeat(1 + below(random, 5)), random);
    const packed = random() < 0.5;
    const content = packed ? mutateBytes(gzipSync(text), random) : Buffer.from(text);
    return {
      input: content,
      run: () => {
        const path = packed ? "/proc/config.gz" : `/boot/config-${release}`;
        const set = readKernelConfig(buildRoot({ items: [{ path, content }], notes: "" }, "directory", true), release);
        if (set.state !== "read") return;
        set.value.get("DRM_ACCEL");
        JSON.stringify([...set.value]);
        set.value.get("__proto__");
      },
    };
  },
};

const harvest = {
  schema: 1,
  release: "7.3.4-fuzz",
  arch: "x86_64",
  package: "linux-image-7.3.4-fuzz",
  config: { DRM_ACCEL: "y", DRM_ACCEL_IVPU: "m", DRM_ACCEL_ROCKET: "n" },
  modules: [
    {
      name: "intel_vpu",
      file: "kernel/drivers/accel/ivpu/intel_vpu.ko",
      licence: "GPL",
      intree: true,
      aliases: "pci:8086:7d1d of:N*T*Crockchip,rk3588-rknn-core",
      firmware: { "intel/vpu/": "vpu_37xx_v1.bin vpu_40xx_v1.bin" },
      depends: "drm drm_shmem_helper",
    },
  ],
};

export const harvests: Target = {
  name: "harvests",
  share: 1,
  make: (random) => {
    const text = mutateJson(harvest, random);
    return {
      input: text,
      run: () => {
        JSON.stringify(kernelSide(harvestView(parseHarvest(text, "fuzzed"), "fuzzed"), families));
      },
    };
  },
};
