/** Sophgo (Bitmain) Sophon TPUs: PCIe cards, SoC boards, and the small TPU of CV18xx and SG200x. */

import { fact, type Source } from "../base/source.ts";
import { of, pci, type Family } from "./family.ts";

const sophon: Source = { cited: "https://github.com/sophgo/libsophon@06c7ffe driver, bmlib", seen: "2026-11-25" };
const sysfs: Source = { cited: "https://github.com/sophgo/libsophon@06c7ffe driver/bm_attr.c", seen: "2026-11-25" };
const procfs: Source = { cited: "https://github.com/sophgo/libsophon@06c7ffe driver/bm_debug.c", seen: "2026-11-25" };
const mlir: Source = { cited: "https://github.com/sophgo/tpu-mlir", seen: "2026-11-22" };
const pciids: Source = { cited: "https://github.com/pciutils/pciids@c1c12547", seen: "2026-11-22" };
const box: Source = {
  cited: "https://intl.sienovo.cn/blog/139362634",
  says: "Sophgo BM1684: 17.6 TOPS at INT8 precision; 2.2 TFLOPS at FP32",
  seen: "2026-11-25",
};
const cvi: Source = {
  cited: "sophgo/osdrv cvi-tpu driver, public copies",
  says: "compatible cvitek,tpu, driver cvi-tpu, node /dev/cvi-tpu0",
  seen: "2026-11-25",
};
const later: Source = { cited: "later bm_soc_drv.c, public copies", says: "cvitek,tpu is BM1688", seen: "2026-11-25" };
const sg2002: Source = { cited: "https://github.com/SoCXin/SG2002", says: "1 TOPS@INT8", seen: "2026-11-25" };
const sg2000: Source = {
  cited: "https://github.com/lupyuen2/wip-nuttx/commit/150643ecbfd5e897b3b216c63272c5de8d864cae",
  says: "SG2000: TPU: 0.5 TOPS INT8",
  seen: "2026-11-25",
};

const runtime = {
  libraries: ["libbmlib.so.0", "libbmrt.so*"],
  name: "libsophon",
  openness: "mixed",
  licence: "Apache-2.0 and BSD",
  source: sophon,
} as const;
const delegate = {
  id: "vendor",
  name: "BMRuntime",
  libraries: ["libbmrt.so*"],
  openness: "mixed",
  source: sophon,
} as const;
const models = [{ format: "bmodel", compiler: "TPU-MLIR", openness: "open" }] as const;
const firmware = {
  files: [
    { path: "bm1684x_firmware.bin", chips: ["bm1684x"], source: sophon },
    { path: "bm1684_tcm_firmware.bin", chips: ["bm1684"], source: sophon },
    { path: "bm1684_ddr_firmware.bin", chips: ["bm1684"], source: sophon },
  ],
  openness: "closed",
} as const;

export default {
  id: "sophgo",
  vendor: "Sophgo",
  name: "Sophon TPU",
  aliases: ["bitmain", "sophon", "cvitek"],
  says: "TPUs by Bitmain, now Sophgo: PCIe cards and SoC boards (BM168x), and small camera chips (CV18xx, SG200x).",
  architecture: "vector",
  architectureDetail: fact("SIMD lanes", sophon),
  use: "inference",
  chips: [
    {
      id: "bm1682",
      name: "BM1682",
      // Early boards carry Synopsys' vendor id: only together with this device id are they Bitmain's.
      matches: [pci("1e30:1682"), pci("16c3:1682"), of("bitmain,tpu-1682")],
      source: sophon,
    },
    {
      id: "bm1684",
      name: "BM1684",
      matches: [pci("1e30:1684")],
      peak: [
        { ops: 17.6e12, precision: "int8", source: box },
        { ops: 2.2e12, precision: "fp32", source: box },
      ],
      source: sophon,
    },
    // Of a SoC board: the compatible is the same for BM1684 and BM1684X.
    { id: "bm1684-soc", name: "BM1684 or BM1684X SoC", matches: [of("bitmain,tpu-1684")], source: sophon },
    { id: "bm1684x", name: "BM1684X", matches: [pci("1f1c:1686")], source: sophon },
    {
      id: "cvitek",
      name: "CV18xx, SG200x, BM1688",
      matches: [of("cvitek,tpu")],
      peak: [
        { ops: 1e12, precision: "int8 (SG2002)", source: sg2002 },
        { ops: 0.5e12, precision: "int8 (SG2000)", source: sg2000 },
      ],
      source: cvi,
    },
  ],
  routes: [
    {
      name: "pcie",
      says: "driver bmsophon for cards, libsophon, bmodel",
      chips: ["bm1682", "bm1684", "bm1684x"],
      driver: {
        module: "bmsophon",
        binds: ["bmdrv"],
        origin: "out-of-tree",
        openness: "open",
        licence: "GPL-2.0",
        repository: "https://github.com/sophgo/libsophon",
        source: sophon,
      },
      firmware,
      node: { paths: ["/dev/bm-sophon[0-9]*"], class: "bm-sophon", also: ["/dev/bmdev-ctl"], source: sophon },
      runtime: { ...runtime, packages: { vendor: { says: "sophon-libsophon, from Sophgo" } } },
      delegate,
      models,
    },
    {
      name: "soc",
      says: "driver bmtpu of Sophgo's own kernel, libsophon, bmodel",
      chips: ["bm1682", "bm1684-soc", "cvitek"],
      driver: {
        module: "bmtpu",
        binds: ["bm-tpu"],
        origin: "vendor-kernel",
        openness: "open",
        licence: "GPL-2.0",
        repository: "https://github.com/sophgo/libsophon",
        source: sophon,
      },
      firmware: { files: [], elsewhere: "brought by Sophgo's board image", openness: "closed" },
      node: { paths: ["/dev/bm-tpu[0-9]*"], class: "bm-tpu", also: ["/dev/bmdev-ctl"], source: sophon },
      runtime: { ...runtime, packages: { vendor: { says: "sophon-soc-libsophon, from Sophgo" } } },
      delegate,
      models,
    },
    {
      name: "cvitek",
      says: "the cvi-tpu driver of camera chips, cvimodel",
      chips: ["cvitek"],
      driver: {
        module: "soph_tpu",
        binds: ["cvi-tpu"],
        origin: "vendor-kernel",
        openness: "open",
        licence: "GPL-2.0",
        source: cvi,
      },
      node: { paths: ["/dev/cvi-tpu*"], class: "unknown", source: cvi },
      runtime: { libraries: ["libcviruntime.so*"], name: "cviruntime", openness: "mixed", source: cvi },
      delegate: { id: "vendor", name: "cviruntime", openness: "mixed", source: cvi },
      models: [{ format: "cvimodel", compiler: "TPU-MLIR", openness: "open" }],
    },
  ],
  metrics: [
    {
      name: "busy_ratio",
      read: "device:npu_usage",
      form: "usage",
      scale: 0.01,
      drivers: ["bmdrv"],
      source: sysfs,
    },
    // A card may hold several chips; dbdf holds each chip's address.
    {
      name: "clock_hertz",
      read: "proc:bmsophon/card*/bmsophon*/tpu_freq",
      form: "measure",
      scale: 1e6,
      owner: "dbdf",
      drivers: ["bmdrv"],
      source: procfs,
    },
    {
      name: "temperature_celsius",
      part: "chip",
      read: "proc:bmsophon/card*/bmsophon*/chip_temp",
      form: "measure",
      owner: "dbdf",
      drivers: ["bmdrv"],
      source: procfs,
    },
    {
      name: "temperature_celsius",
      part: "board",
      read: "proc:bmsophon/card*/board_temp",
      form: "measure",
      owner: "bmsophon*/dbdf",
      drivers: ["bmdrv"],
      source: procfs,
    },
    {
      name: "power_watts",
      part: "TPU",
      read: "proc:bmsophon/card*/bmsophon*/tpu_power",
      form: "measure",
      owner: "dbdf",
      drivers: ["bmdrv"],
      source: procfs,
    },
    {
      name: "power_watts",
      part: "chip",
      read: "proc:bmsophon/card*/bmsophon*/chip_power",
      form: "measure",
      owner: "dbdf",
      drivers: ["bmdrv"],
      source: procfs,
    },
    {
      name: "power_watts",
      part: "board",
      read: "proc:bmsophon/card*/board_power",
      form: "measure",
      owner: "bmsophon*/dbdf",
      drivers: ["bmdrv"],
      source: procfs,
    },
    {
      name: "voltage_volts",
      part: "TPU",
      read: "proc:bmsophon/card*/bmsophon*/tpu_volt",
      form: "measure",
      scale: 0.001,
      owner: "dbdf",
      drivers: ["bmdrv"],
      source: procfs,
    },
    {
      name: "current_amperes",
      part: "TPU",
      read: "proc:bmsophon/card*/bmsophon*/tpu_cur",
      form: "measure",
      scale: 0.001,
      owner: "dbdf",
      drivers: ["bmdrv"],
      source: procfs,
    },
    {
      name: "clock_max_hertz",
      read: "proc:bmsophon/card*/tpu_maxclk",
      form: "measure",
      scale: 1e6,
      owner: "bmsophon*/dbdf",
      drivers: ["bmdrv"],
      source: procfs,
    },
    {
      name: "clock_min_hertz",
      read: "proc:bmsophon/card*/tpu_minclk",
      form: "measure",
      scale: 1e6,
      owner: "bmsophon*/dbdf",
      drivers: ["bmdrv"],
      source: procfs,
    },
  ],
  traps: [
    "16c3 is Synopsys' vendor id: on early boards only together with device 1682",
    "1e30:2042 is the SG2042's PCIe root complex, no TPU",
    "a bmodel runs on the chip it was compiled for only",
    "SoC boards show no PCI device and may show a generic device tree (linux,dummy-virt): the kernel's name, such as 5.4.217-bm1684, tells",
  ],
  openness: {
    kernel: "open",
    firmware: "closed",
    runtime: "mixed",
    compiler: "open",
    says: "driver, most of the runtime and the compiler are open; outside the kernel",
  },
  maintained: "yes, in China",
  verified: [{ how: "documents", says: "driver source; a board's and a tool's output of others" }],
  sources: [sophon, sysfs, procfs, mlir, pciids, cvi, later],
  unknown: ["power", "throughput of BM1682, BM1684X and BM1688", "mode of the nodes"],
} as const satisfies Family;
