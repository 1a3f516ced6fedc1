/** Tenstorrent Wormhole and Blackhole: open out-of-tree driver tt-kmd, open runtimes; sysfs and hwmon telemetry. */

import { fact, type Source } from "../base/source.ts";
import { pci, type DriverSpec, type Family, type FirmwareSpec, type NodeSpec } from "./family.ts";

const counters: Source = {
  cited: "https://github.com/tenstorrent/tt-kmd@4af71921 docs/sysfs-attributes.md",
  says: "Counts events in units of 32 byte flits.",
  seen: "2026-11-25",
};
const kmd: Source = {
  cited: "https://github.com/tenstorrent/tt-kmd",
  says: "@4af71921 (2026-07-16) enumerate.h, module.c:64-71, telemetry.c:225-253, blackhole.c:393-425, wormhole.c:373-385, docs/sysfs-attributes.md, udev-50-tenstorrent.rules",
  seen: "2026-11-22",
};
const umd: Source = {
  cited: "https://github.com/tenstorrent/tt-umd",
  says: "@3ed9cb6d (2026-08-21) device/CMakeLists.txt, device/hugepage.cpp",
  seen: "2026-11-22",
};
const metal: Source = { cited: "https://github.com/tenstorrent/tt-metal", seen: "2026-11-22" };
const xla: Source = { cited: "https://github.com/tenstorrent/tt-xla", says: "pjrt_plugin_tt.so", seen: "2026-11-25" };
const mlir: Source = { cited: "https://github.com/tenstorrent/tt-mlir", says: "@19c86fca", seen: "2026-11-22" };
const systemFirmware: Source = { cited: "https://docs.tenstorrent.com/tt-system-firmware/", seen: "2026-11-25" };
const compatibility: Source = {
  cited: "https://docs.tenstorrent.com/tt-vscode-toolkit/version-compat/",
  seen: "2026-11-25",
};
const cards: Source = { cited: "https://docs.tenstorrent.com/aibs/wormhole/specifications.html", seen: "2026-11-25" };
const hardware: Source = { cited: "https://docs.tenstorrent.com/pybuda/latest/hardware.html", seen: "2026-11-25" };
const tools: Source = {
  cited: "https://github.com/tenstorrent/tt-system-tools",
  says: "@d0da83e debian/control",
  seen: "2026-11-22",
};
const pypi: Source = { cited: "https://pypi.org/project/ttnn/", seen: "2026-11-25" };
const pciids: Source = {
  cited: "https://github.com/pciutils/pciids",
  says: "@c1c12547 (2026-08-22)",
  seen: "2026-11-22",
};
const blackholeCards: Source = {
  cited: "https://docs.tenstorrent.com/_sources/aibs/blackhole/specifications.md.txt",
  says: "p100a: 28 GB GDDR6, 448 GB/sec; p150a, p150b: 32 GB GDDR6, 512 GB/sec; TBP (Total Board Power) 300W",
  seen: "2026-11-25",
};
const p150: Source = {
  cited: "https://huggingface.co/blog/codys12/diy-qb",
  says: "Each card can hold 32GB of GDDR6, and perform 774 FLOPS of FP8",
  seen: "2026-11-25",
};

const driver: DriverSpec = {
  module: "tenstorrent",
  origin: "out-of-tree",
  openness: "open",
  licence: "GPL-2.0-only",
  repository: "https://github.com/tenstorrent/tt-kmd",
  packages: {
    vendor: {
      says: "tenstorrent-dkms, a .deb of the release page (README: kernels 5.4 to 6.18; its CI builds up to 7.1); elsewhere make dkms",
      link: "https://github.com/tenstorrent/tt-kmd/releases",
    },
  },
  source: kmd,
};

const firmware: FirmwareSpec = {
  files: [],
  elsewhere: "in the card's own flash, written by tt-flash",
  openness: "mixed",
  packages: { vendor: { says: "tt-flash with a firmware bundle", link: "https://github.com/tenstorrent/tt-flash" } },
};

const node: NodeSpec = {
  // Numbers only: by-id/ beside them holds links. The driver makes at most 32 by default.
  paths: ["/dev/tenstorrent/?", "/dev/tenstorrent/??"],
  class: "tenstorrent",
  mode: "0666",
  rule: 'SUBSYSTEM=="tenstorrent"',
  source: kmd,
};

export default {
  id: "tenstorrent",
  vendor: "Tenstorrent",
  name: "Tenstorrent",
  aliases: ["tt"],
  says: "PCIe cards with a mesh of Tensix cores, for inference and training. The whole host stack is open; the driver is out of tree.",
  architecture: "mesh of cores",
  architectureDetail: fact(
    "Tensix cores (five RISC-V processors, a matrix and a vector unit each) on a network on chip",
    hardware,
  ),
  use: "both",
  chips: [
    {
      id: "grayskull",
      name: "Grayskull (e75, e150)",
      matches: [pci("1e52:faca")],
      source: kmd,
    },
    {
      id: "wormhole",
      name: "Wormhole (n150, n300, Galaxy)",
      matches: [pci("1e52:401e")],
      peak: [
        { ops: 262e12, precision: "fp8 (n150)", watts: fact(160, cards), source: cards },
        { ops: 74e12, precision: "fp16 (n150)", watts: fact(160, cards), source: cards },
        { ops: 466e12, precision: "fp8 (n300, two chips)", watts: fact(300, cards), source: cards },
        { ops: 131e12, precision: "fp16 (n300, two chips)", watts: fact(300, cards), source: cards },
      ],
      memory: fact("n150 12 GB, n300 24 GB GDDR6", compatibility),
      source: kmd,
    },
    {
      id: "blackhole",
      name: "Blackhole (p100a, p150, p300, Galaxy)",
      matches: [pci("1e52:b140")],
      cores: fact(140, systemFirmware),
      memory: fact("p100a 28 GB at 448 GB/s, p150 32 GB at 512 GB/s, GDDR6", blackholeCards),
      peak: [{ ops: 774e12, precision: "fp8 (p150)", watts: fact(300, blackholeCards), source: p150 }],
      source: kmd,
    },
  ],
  routes: [
    {
      name: "metalium",
      says: "TT-NN on TT-Metalium, open from the driver to the kernels",
      chips: ["wormhole", "blackhole"],
      driver,
      firmware,
      node,
      runtime: {
        name: "TT-Metalium with tt-umd",
        libraries: ["libtt-umd.so.0"],
        openness: "open",
        licence: "Apache-2.0",
        packages: {
          pypi: [{ name: "ttnn", gives: "TT-NN and TT-Metalium" }],
          vendor: {
            says: "built from source or in Tenstorrent's containers",
            link: "https://github.com/tenstorrent/tt-metal",
          },
        },
        wheels: ["ttnn"],
        source: umd,
      },
      delegate: {
        id: "vendor",
        name: "TT-NN",
        openness: "open",
        packages: { pypi: [{ name: "ttnn" }] },
        source: metal,
      },
      models: [{ format: "ttnn", compiler: "tt-mlir", openness: "open" }],
    },
    {
      name: "pjrt",
      says: "JAX and PyTorch/XLA through tt-xla's PJRT plug-in, compiled by tt-mlir",
      chips: ["wormhole", "blackhole"],
      driver,
      firmware,
      node,
      runtime: {
        name: "tt-xla with tt-umd",
        libraries: ["libtt-umd.so.0"],
        openness: "open",
        licence: "Apache-2.0",
        packages: { vendor: { says: "wheels of tt-xla's releases", link: "https://github.com/tenstorrent/tt-xla" } },
        source: umd,
      },
      delegate: {
        id: "pjrt",
        name: "tt-xla",
        libraries: ["pjrt_plugin_tt.so"],
        openness: "open",
        source: xla,
      },
      models: [
        { format: "stablehlo", compiler: "tt-mlir", openness: "open" },
        { format: "onnx", compiler: "tt-forge and tt-mlir", openness: "open" },
      ],
    },
  ],
  metrics: [
    { name: "clock_hertz", read: "class:tt_aiclk", scale: 1e6, source: kmd },
    { name: "axi_clock_hertz", read: "class:tt_axiclk", scale: 1e6, source: kmd },
    { name: "arc_clock_hertz", read: "class:tt_arcclk", scale: 1e6, source: kmd },
    // Stands still when the card's firmware hangs.
    {
      name: "heartbeat_count",
      read: "class:tt_heartbeat",
      derived: { name: "heartbeats_per_second", how: "rate" },
      source: kmd,
    },
    { name: "thermal_trip_count", read: "class:tt_therm_trip_count", source: kmd },
    // Words of 32 bytes that went through the PCIe tile, of each network on chip; the counters have 32 bits.
    {
      name: "pcie_transfer_bytes",
      read: "class:pcie_perf_counters/*_word_*",
      scale: 32,
      derived: { name: "pcie_transfer_bytes_per_second", how: "rate", wraps_at: 2 ** 37 },
      source: counters,
    },
    { name: "temperature_celsius", read: "hwmon:temp1_input", scale: 0.001, source: kmd },
    { name: "power_watts", read: "hwmon:power1_input", scale: 1e-6, source: kmd },
    { name: "voltage_volts", read: "hwmon:in1_input", scale: 0.001, source: kmd },
    { name: "current_amperes", read: "hwmon:curr1_input", scale: 0.001, source: kmd },
  ],
  traps: [
    "Without its udev rule the node is root only; the rule makes it 0666.",
    "Unless the IOMMU translates, 1 GiB huge pages must be mounted at /dev/hugepages-1G (tenstorrent-hugepages.service of tt-system-tools); with iommu=pt they are needed too.",
    "Present and bound is not working: the ARC firmware must run; tt_heartbeat has to change between two readings.",
    "0xffffffff read from the card means a hung link or network on chip: reset with tt-smi -r; the exit code does not prove that the reset worked.",
    "Grayskull is recognised and no longer supported by the driver.",
    "An n300 is two chips on one card, a Galaxy many; each chip is a device of its own.",
    "The class attribute tt_card_type comes from the board id: 14 n300, 18 n150, 40-42 p150, 43 p100a, 44-46 p300 (hexadecimal).",
    "ttsim, the simulator, is a closed binary and no device.",
    "libtt-umd may be linked statically: a missing library file does not prove a missing runtime.",
  ],
  openness: {
    kernel: "open",
    firmware: "mixed",
    runtime: "open",
    compiler: "open",
    says: "whole host stack open; Blackhole's firmware is open (Zephyr), Wormhole's partly closed",
  },
  maintained: "yes, active",
  verified: [
    {
      how: "real kernel driver",
      says: "tt-kmd 2.10.1-pre built for Debian 7.3.4 amd64 binds an emulated Wormhole and makes /dev/tenstorrent/0; Blackhole's probe fails for want of telemetry",
    },
    { how: "documents", says: "captures of real hardware (Wormhole, Blackhole), read by our tests" },
  ],
  sources: [kmd, umd, metal, xla, mlir, systemFirmware, compatibility, hardware, cards, tools, pypi, pciids],
  unknown: ["peak figures and power of Grayskull", "peak figures of Blackhole from a primary source"],
} as const satisfies Family;
