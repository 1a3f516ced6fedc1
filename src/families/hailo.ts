/** Hailo-8, 8L, 10H, 12L, 15: dataflow accelerators, on a Raspberry Pi as AI Kit and AI HAT+. Driver, library and firmware must match exactly. */

import { fact, type Source } from "../base/source.ts";
import { of, pci, type Family } from "./family.ts";

const five: Source = { cited: "https://github.com/hailo-ai/hailort-drivers@45e5fc53 (5.3.0)", seen: "2026-11-22" };
const four: Source = {
  cited: "https://github.com/hailo-ai/hailort-drivers@ce1087bf (branch hailo8, 4.23.0)",
  seen: "2026-11-22",
};
const library: Source = { cited: "https://github.com/hailo-ai/hailort@41a720b9 (5.2.0)", seen: "2026-11-22" };
const integrated: Source = {
  cited: "https://github.com/hailo-ai/hailort-drivers@45e5fc53 linux/integrated_nnc/src/main.c",
  seen: "2026-11-25",
};
const tools: Source = {
  cited:
    "https://github.com/hailo-ai/hailort@41a720b9 hailort/hailortcli/mon_command.cpp, power_measurement_command.cpp",
  seen: "2026-11-25",
};
const pciids: Source = { cited: "https://github.com/pciutils/pciids@c1c12547", seen: "2026-11-22" };
const pi: Source = { cited: "https://github.com/raspberrypi/documentation/pull/3893", seen: "2026-11-22" };

const register: Source = {
  cited: "https://www.theregister.com/2024/04/10/hailo_10h_ai_chip/?td=readmore",
  says: "40 TOPS of INT4 performance, equivalent to 20 TOPS of INT8",
  seen: "2026-11-25",
};
const study: Source = {
  cited: "https://github.com/branes-ai/graphs/blob/main/docs/hardware/hailo_edge_ai.md",
  says: "Hailo-8: 26 TOPS INT8 @ 2.5W; Hailo-10H: 40 TOPS INT4 @ 2.5W (typical)",
  seen: "2026-11-25",
};

const booted = (chip: string, folder: string) =>
  [
    "customer_certificate.bin",
    "scu_fw.bin",
    "u-boot-spl.bin",
    "u-boot-tfa.itb",
    "u-boot-*.dtb.signed",
    "fitImage",
    "image-fs",
  ].map((name) => ({ path: `hailo/${folder}/${name}`, chips: [chip], source: five }));

const runtime = {
  libraries: ["libhailort.so*"],
  name: "HailoRT",
  openness: "open",
  licence: "MIT",
  wheels: ["hailort"],
  source: library,
} as const;
const delegate = {
  id: "hailo",
  name: "HailoRT",
  libraries: ["libhailort.so*"],
  openness: "open",
  source: library,
} as const;
const models = [{ format: "hef", compiler: "Hailo Dataflow Compiler", openness: "closed" }] as const;

export default {
  id: "hailo",
  vendor: "Hailo",
  name: "Hailo",
  aliases: ["hailo-8", "hailo8l", "hailo-8l", "Raspberry Pi AI Kit", "Raspberry Pi AI HAT+", "Raspberry Pi AI HAT+ 2"],
  says:
    "PCIe and M.2 accelerators for vision and small language models, and the Hailo-15 camera SoC. Open driver and runtime, " +
    "closed firmware and compiler, and an exact version lock between driver, library and firmware.",
  architecture: "dataflow",
  architectureDetail: fact("structure-driven dataflow", library),
  use: "inference",
  chips: [
    {
      id: "hailo8",
      name: "Hailo-8, 8R, 8L",
      matches: [pci("1e60:2864")],
      peak: [
        { ops: 26e12, precision: "int8 (Hailo-8)", watts: fact(2.5, study), source: pi },
        { ops: 13e12, precision: "int8 (Hailo-8L)", source: pi },
      ],
      memory: fact("on-chip only", pi),
      source: four,
    },
    {
      id: "hailo10h",
      name: "Hailo-10H",
      matches: [pci("1e60:45c4"), of("hailo,integrated-nnc,hailo10h2")],
      peak: [
        { ops: 40e12, precision: "int4", source: pi },
        { ops: 20e12, precision: "int8", source: register },
      ],
      watts: fact(2.5, study),
      memory: fact("LPDDR4 on the module", pi),
      source: five,
    },
    {
      id: "hailo12l",
      name: "Hailo-12L (Mars)",
      matches: [pci("1e60:26a2"), of("hailo,integrated-nnc,hailo12l")],
      source: five,
    },
    {
      id: "hailo15l",
      name: "Hailo-15L",
      matches: [pci("1e60:43a2"), of("hailo,integrated-nnc,hailo15l")],
      source: five,
    },
    { id: "hailo15", name: "Hailo-15 SoC", matches: [of("hailo,hailort")], source: five },
  ],
  routes: [
    {
      name: "hailo8",
      says: "4.x driver hailo_pci, HailoRT 4.x, HEF models",
      chips: ["hailo8"],
      driver: {
        module: "hailo_pci",
        // The PCI driver is registered as "hailo": lspci shows that name, lsmod the module's.
        binds: ["hailo"],
        origin: "out-of-tree",
        openness: "open",
        licence: "GPL-2.0",
        repository: "https://github.com/hailo-ai/hailort-drivers (branch hailo8)",
        packages: {
          vendor: { says: "Raspberry Pi OS: hailo-all; elsewhere the DKMS package from hailo.ai", link: pi.cited },
        },
        source: four,
      },
      firmware: {
        files: [{ path: "hailo/hailo8_fw.bin", source: four }],
        openness: "closed",
        packages: {
          vendor: { says: "download_firmware.sh of hailort-drivers; in no distribution's firmware package" },
        },
      },
      node: {
        paths: ["/dev/hailo[0-9]*"],
        class: "hailo_chardev",
        mode: "0666",
        rule: '51-hailo-udev.rules: SUBSYSTEM=="hailo_chardev", MODE="0666"',
        source: four,
      },
      runtime: {
        ...runtime,
        packages: { vendor: { says: "hailo-all on Raspberry Pi OS; the version must equal the driver's" } },
      },
      delegate,
      models,
    },
    {
      name: "hailo1x",
      says: "5.x driver hailo1x_pci, HailoRT 5.x, HEF models",
      chips: ["hailo10h", "hailo12l", "hailo15l"],
      driver: {
        module: "hailo1x_pci",
        binds: ["hailo1x"],
        origin: "out-of-tree",
        openness: "open",
        licence: "GPL-2.0",
        repository: "https://github.com/hailo-ai/hailort-drivers",
        packages: {
          vendor: { says: "Raspberry Pi OS: hailo-h10-all, which cannot coexist with hailo-all", link: pi.cited },
        },
        source: five,
      },
      firmware: {
        files: [
          ...booted("hailo10h", "hailo10h"),
          ...booted("hailo12l", "hailo12l"),
          { path: "hailo/hailo15l_fw.bin", chips: ["hailo15l"], source: five },
        ],
        openness: "closed",
        packages: { vendor: { says: "Raspberry Pi OS: hailo-h10-all brings the Hailo-10H set (5.x)", link: pi.cited } },
      },
      node: { paths: ["/dev/h1x-[0-9]*"], class: "hailo1x", source: five },
      runtime: {
        ...runtime,
        packages: { vendor: { says: "hailo-h10-all on Raspberry Pi OS; the version must equal the driver's" } },
      },
      delegate,
      models,
    },
    {
      name: "integrated",
      says: "the SoC's own driver hailo_integrated_nnc, on Hailo-15 boards",
      chips: ["hailo10h", "hailo12l", "hailo15l", "hailo15"],
      driver: {
        module: "hailo_integrated_nnc",
        binds: ["hailort-core-driver", "hailo_integrated_nnc"],
        origin: "vendor-kernel",
        openness: "open",
        licence: "GPL-2.0",
        repository: "https://github.com/hailo-ai/hailort-drivers",
        source: five,
      },
      firmware: {
        files: [
          { path: "hailo/hailo15_nnc_fw.bin", chips: ["hailo15"], source: five },
          { path: "hailo/hailo15l_nnc_fw.bin", chips: ["hailo15l"], source: five },
          { path: "hailo/mars_nnc_fw.bin", chips: ["hailo12l"], source: five },
        ],
        openness: "closed",
      },
      node: { paths: ["/dev/h1x"], class: "hailo1x_integrated", source: five },
      runtime,
      delegate,
      models,
    },
  ],
  metrics: [
    // Of the NPU inside a Hailo-15: memory of the SoC that its driver holds for transfers.
    {
      name: "memory_bytes",
      part: "transfers",
      read: "class:cma_in_use",
      drivers: ["hailort-core-driver", "hailo_integrated_nnc"],
      source: integrated,
    },
  ],
  untold: {
    says: "its driver has no file for it: hailortcli (monitor, measure-power) asks the firmware",
    source: tools,
  },
  traps: [
    "two branches of one driver: 4.x claims 1e60:2864 only, 5.x claims 45c4, 43a2 and 26a2 only; the wrong one stays unbound",
    'the module is hailo_pci and the driver link says "hailo"; of 5.x hailo1x_pci says "hailo1x"',
    "the PCI class is 0b40 (co-processor), not 1200",
    "libhailort has no stable soname: driver, library and firmware must be of one release, to the last number",
    "a missing firmware file leaves the driver bound and the node there: only the log says it",
    "hailo8_board_cfg.bin and hailo8_fw_cfg.bin are optional; their absence is no fault",
    "the 5.3.0 tree ships no udev rule: /dev/h1x-N is root's until one is written",
  ],
  openness: {
    kernel: "open",
    firmware: "closed",
    runtime: "open",
    compiler: "closed",
    says: "open driver and runtime, closed firmware and compiler, exact version lock",
  },
  maintained: "yes",
  verified: [
    {
      how: "real kernel driver",
      says: "hailo1x_pci 5.3.0 on Debian 7.3.4 probes an emulated 1e60:45c4 and gives up for lack of registers",
    },
    { how: "documents", says: "kernel logs of Hailo-8 and 8L by others" },
  ],
  sources: [five, four, integrated, library, tools, pciids, pi],
  unknown: [
    "power of Hailo-8L, 12L and 15, and throughput of 12L and 15",
    "temperature and power are readable through HailoRT only",
  ],
} as const satisfies Family;
