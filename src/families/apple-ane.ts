/** Apple Neural Engine on Asahi Linux: a reverse-engineered driver outside the kernel, which needs a device-tree node few kernels have. */

import { fact, type Source } from "../base/source.ts";
import { of, type Family } from "./family.ts";

const driver: Source = { cited: "https://github.com/eiln/ane@0dcea997", seen: "2026-11-22" };
const asahi: Source = { cited: "https://github.com/AsahiLinux/linux/pull/159", seen: "2026-11-22" };
const nodes: Source = { cited: "https://github.com/AsahiLinux/linux/pull/584", seen: "2026-11-22" };
const steps: Source = { cited: "https://github.com/allbilly/ane", seen: "2026-11-25" };
const generic: Source = {
  cited: "public device-tree readers for Asahi",
  says: "compatible list apple,<soc>-ane followed by apple,ane",
  seen: "2026-11-25",
};
const udev: Source = { cited: "Debian udev 257.13: 50-udev-default.rules, SUBSYSTEM accel", seen: "2026-11-22" };
const m1: Source = {
  cited: "https://www.macrumors.com/2020/11/10/apple-announces-m1-chip-for-the-mac/",
  says: "can process 11 trillion operations per second",
  seen: "2026-11-25",
};

export default {
  id: "apple-ane",
  vendor: "Apple",
  name: "Apple Neural Engine",
  aliases: ["ane"],
  says:
    "NPU of Apple's M-series chips, under Asahi Linux. The driver was reverse engineered, is not upstream and knows M1-class chips; " +
    "models must pass through Apple's compiler on macOS.",
  architecture: "MAC array",
  architectureDetail: fact("tiled MAC array fed by fixed-function task descriptors", driver),
  use: "inference",
  chips: [
    {
      id: "t8103",
      name: "Neural Engine of M1",
      matches: [of("apple,t8103-ane")],
      peak: [{ ops: 11e12, precision: "unstated", source: m1 }],
      source: driver,
    },
    { id: "t6000", name: "Neural Engine of M1 Pro, Max, Ultra", matches: [of("apple,t6000-ane")], source: driver },
    { id: "ane", name: "Apple Neural Engine", matches: [of("apple,ane")], source: generic },
  ],
  routes: [
    {
      name: "ane",
      says: "eiln's ane driver and libane; models compiled on macOS and converted by anecc",
      chips: ["t8103", "t6000"],
      driver: {
        module: "ane",
        origin: "out-of-tree",
        openness: "open",
        licence: "Dual MIT/GPL",
        repository: "https://github.com/eiln/ane",
        packages: {
          vendor: {
            says: "none in Debian or Fedora; build it, steps kept up to date in allbilly/ane",
            link: steps.cited,
          },
        },
        source: driver,
      },
      node: {
        paths: ["/dev/accel/accel*"],
        class: "accel",
        drmName: "ane",
        group: "render",
        mode: "0660",
        source: udev,
      },
      runtime: {
        // libane is a static library: only the Python binding is a file one can look for.
        libraries: ["libane_python.so"],
        name: "libane",
        openness: "open",
        licence: "MIT",
        source: driver,
      },
      delegate: { id: "vendor", name: "libane programs and Python binding", openness: "open", source: driver },
      models: [
        { format: "anec", compiler: "anecc over Apple's CoreML compiler (macOS)", openness: "mixed" },
        { format: "hwx", compiler: "Apple's CoreML compiler (macOS)", openness: "closed" },
      ],
    },
  ],
  traps: [
    "the module loads without a device-tree node and then makes no /dev/accel node: the tree must have one",
    "the driver's match table holds t8103 and t6000 only: M2 and later are not driven by it",
    "there is no libane.so; the library is static",
    "Debian's arm64 kernels have ARCH_APPLE off, and DRM_ACCEL off before 7.3",
  ],
  openness: {
    kernel: "open",
    firmware: "none",
    runtime: "open",
    compiler: "closed",
    says: "open, not upstream; Apple's firmware is bypassed; the compiler is Apple's",
  },
  maintained: "stalled since 2023; community work goes on in allbilly/ane",
  verified: [{ how: "documents", says: "source and issue threads; never run" }],
  sources: [driver, asahi, nodes, steps, generic, udev],
  unknown: ["throughput under this driver, and of later chips", "power"],
} as const satisfies Family;
