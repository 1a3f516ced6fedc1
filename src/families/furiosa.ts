/** FuriosaAI Warboy and RNGD: two generations with two drivers and two sets of nodes. */

import { fact, type Source } from "../base/source.ts";
import { pci, type Family } from "./family.ts";

const api: Source = {
  cited: "https://github.com/furiosa-ai/device-api@bc3cabc device-api/src/arch, src/sysfs",
  seen: "2026-11-25",
};
const management: Source = {
  cited: "https://github.com/furiosa-ai/device-api@bc3cabc device-api/src/sysfs.rs, src/hwmon.rs, test_data",
  seen: "2026-11-25",
};
const pciids: Source = { cited: "https://github.com/pciutils/pciids@c1c12547", seen: "2026-11-22" };
const machines: Source = {
  cited: "sysfs and lsmod of Warboy and RNGD hosts, public copies",
  says: "1ed2:0000 driver npu_pdma, 1ed2:0001 driver furiosa_rngd",
  seen: "2026-11-25",
};
const pypi: Source = { cited: "https://pypi.org/project/furiosa-llm/", seen: "2026-11-25" };
const rngd: Source = {
  cited: "https://developer.furiosa.ai/docs-dev/PR-3475/en/overview/rngd.html",
  says: "256 TFLOPS for BF16, 512 TFLOPS for FP8, 512 TOPS for INT8, and 1024 TOPS for INT4; two HBM3 modules, 1.5 TB/s",
  seen: "2026-11-25",
};
const rngdPower: Source = {
  cited: "https://b-lab.team/en/content/ada3ac02-5dd1-4e89-a8cc-48125939458e",
  says: "operating at a Thermal Design Power (TDP) of 180W",
  seen: "2026-11-25",
};
const warboy: Source = {
  cited: "https://furiosa-ai.github.io/docs/latest/en/npu/warboy.html",
  says: "64 TOPS performance and includes 32MB of SRAM; two processing elements; supports the INT8 quantization scheme",
  seen: "2026-11-25",
};

const vendorRuntime = {
  // Sonames were not confirmed in a source: the Python packages show the runtime.
  libraries: [],
  name: "Furiosa runtime",
  openness: "closed",
  licence: "proprietary",
  source: pypi,
} as const;
/** Files of the management device, which says in busname whose it is. */
const managed = ({ class: folder, device }: { readonly class: string; readonly device: string }) =>
  [
    {
      name: "heartbeat_count",
      read: `sys:class/${folder}/${device}/heartbeat`,
      derived: { name: "heartbeats_per_second", how: "rate" },
      owner: "busname",
      source: management,
    },
    {
      name: "transfer_event_count",
      read: `sys:class/${folder}/${device}/atr_error`,
      form: "counts",
      owner: "busname",
      source: management,
    },
  ] as const;
const files = {
  files: [],
  elsewhere: "on the card, updated by FuriosaAI's firmware packages",
  openness: "closed",
} as const;

export default {
  id: "furiosa",
  vendor: "FuriosaAI",
  name: "FuriosaAI Warboy, RNGD",
  says: "PCIe inference cards: Warboy for vision, RNGD for language models.",
  architecture: "dataflow",
  architectureDetail: fact("tensor contraction processor", pypi),
  use: "inference",
  chips: [
    {
      id: "warboy",
      name: "Warboy",
      matches: [pci("1ed2:0000")],
      peak: [{ ops: 64e12, precision: "int8", source: warboy }],
      memory: fact("32 MB of SRAM on the chip", warboy),
      cores: fact(2, warboy),
      source: pciids,
    },
    {
      id: "rngd",
      name: "RNGD",
      matches: [pci("1ed2:0001")],
      peak: [
        { ops: 512e12, precision: "int8", source: rngd },
        { ops: 512e12, precision: "fp8", source: rngd },
        { ops: 256e12, precision: "bf16", source: rngd },
        { ops: 1024e12, precision: "int4", source: rngd },
      ],
      memory: fact("two HBM3 modules, 1.5 TB/s", rngd),
      watts: fact(180, rngdPower),
      source: pciids,
    },
    { id: "rngd-plus", name: "RNGD-Plus", matches: [pci("1ed2:0002")], source: pciids },
    { id: "rngd-s", name: "RNGD-S", matches: [pci("1ed2:2222")], source: pciids },
  ],
  routes: [
    {
      name: "rngd",
      says: "driver furiosa_rngd, Furiosa-LLM",
      chips: ["rngd", "rngd-plus", "rngd-s"],
      driver: {
        module: "furiosa_rngd",
        origin: "out-of-tree",
        openness: "closed",
        packages: { vendor: { says: "FuriosaAI's own apt server" } },
        source: machines,
      },
      firmware: files,
      node: { paths: ["/dev/rngd/npu[0-9]*"], class: "rngd_mgmt", source: api },
      runtime: {
        ...vendorRuntime,
        wheels: ["furiosa-llm"],
        packages: {
          pypi: [{ name: "furiosa-llm" }],
          vendor: { says: "furiosa-smi and furiosa-libsmi for a look at the cards" },
        },
      },
      delegate: { id: "vendor", name: "Furiosa-LLM", openness: "closed", source: pypi },
      models: [],
    },
    {
      name: "warboy",
      says: "driver npu_pdma, Furiosa SDK",
      chips: ["warboy"],
      driver: { module: "npu_pdma", origin: "out-of-tree", openness: "closed", source: machines },
      firmware: files,
      node: { paths: ["/dev/npu[0-9]*pe[0-9]*"], class: "npu_mgmt", source: api },
      runtime: {
        ...vendorRuntime,
        wheels: ["furiosa-sdk", "furiosa-runtime"],
        packages: { pypi: [{ name: "furiosa-sdk" }] },
      },
      delegate: { id: "vendor", name: "Furiosa SDK", openness: "closed", source: api },
      models: [],
    },
  ],
  metrics: [
    // Sensors of hwmon are labelled by the driver: PEAK, NPU_PE0, AMBIENT, RMS_TOTAL of RNGD.
    { name: "temperature_celsius", read: "hwmon:temp1_input", scale: 0.001, source: management },
    { name: "power_watts", read: "hwmon:power1_average", scale: 1e-6, source: management },
    ...managed({ class: "npu_mgmt", device: "npu*_mgmt" }),
    ...managed({ class: "rngd_mgmt", device: "rngd!npu*mgmt" }),
  ],
  traps: [
    "the vendor id is the same for both generations: only the device id tells which driver",
    "of RNGD the class device is called rngd!npuNmgmt; the exclamation mark stands for a slash",
    "a card whose device_state is not good is listed and does not compute",
  ],
  openness: {
    kernel: "closed",
    firmware: "closed",
    runtime: "closed",
    compiler: "closed",
    says: "closed; device-api is open",
  },
  maintained: "yes",
  verified: [{ how: "documents", says: "device-api source and output of others" }],
  sources: [api, management, pciids, machines, pypi],
  unknown: [
    "licence of the drivers",
    "sonames",
    "model file's magic",
    "throughput and power of RNGD-Plus and RNGD-S",
    "power of Warboy",
  ],
} as const satisfies Family;
