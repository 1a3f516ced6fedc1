/** NXP eIQ Neutron: the NPU of i.MX95. NXP's own kernel drives it; a driver for mainline has been posted. */

import { fact, type Source } from "../base/source.ts";
import { of, type Family } from "./family.ts";

const kernel: Source = { cited: "https://github.com/nxp-imx/linux-imx drivers/staging/neutron", seen: "2026-11-25" };
const posted: Source = {
  cited:
    "series 'accel: Add Neutron' on dri-devel: Documentation/devicetree/bindings/npu/nxp,imx95-neutron.yaml, not merged in 7.3",
  seen: "2026-11-25",
};
const guide: Source = { cited: "NXP i.MX Machine Learning User's Guide", seen: "2026-11-22" };
const delegate: Source = { cited: "https://github.com/nxp-imx/tflite-neutron-delegate", seen: "2026-11-22" };
const machine: Source = {
  cited: "captured machine arm64-vendor-7.3",
  says: "an emulated device tree spells it fsl,imx95-neutron-npu; no public source does",
  seen: "2026-11-25",
};
const toradex: Source = {
  cited: "https://www.toradex.cn/de/blog/imx95-npu-next-gen-ai-performance",
  says: "NXP's Neutron NPU (2.0 TOPS)",
  seen: "2026-11-25",
};
const eetimes: Source = {
  cited: "https://simmtester.com/News/IndustryArticle/24946",
  says: "a general-purpose matrix-multiplication accelerator",
  seen: "2026-11-25",
};

export default {
  id: "nxp-neutron",
  vendor: "NXP",
  name: "NXP eIQ Neutron",
  aliases: ["neutron"],
  says: "NPU of i.MX95 processors (and of MCX controllers without Linux). Models are converted for it ahead of time.",
  architecture: "MAC array",
  architectureDetail: fact("matrix multiplication accelerator", eetimes),
  use: "inference",
  chips: [
    {
      id: "imx95",
      name: "i.MX95 Neutron-S",
      matches: [
        of("fsl,imx95-neutron"),
        of("nxp,imx95-neutron"),
        of("fsl,imx95-neutron-npu"),
        of("fsl,imx95", { hint: true }),
      ],
      peak: [{ ops: 2e12, precision: "unstated", source: toradex }],
      source: kernel,
    },
  ],
  routes: [
    {
      name: "neutron",
      says: "NXP's kernel driver, closed driver library, TFLite delegate",
      driver: {
        module: "neutron",
        origin: "vendor-kernel",
        openness: "open",
        licence: "GPL-2.0",
        repository: "https://github.com/nxp-imx/linux-imx",
        packages: { vendor: { says: "NXP's kernel; mainline 7.3 has no driver and no node for it" } },
        source: kernel,
      },
      firmware: { files: [{ path: "NeutronFirmware.elf", source: guide }], openness: "closed" },
      node: { paths: ["/dev/neutron*"], class: "neutron", source: kernel },
      runtime: {
        libraries: ["libNeutronDriver.so"],
        name: "Neutron driver library",
        openness: "closed",
        licence: "proprietary",
        packages: { vendor: { says: "in NXP's Yocto image" } },
        source: guide,
      },
      delegate: {
        id: "tflite",
        name: "Neutron delegate",
        libraries: ["libneutron_delegate.so"],
        openness: "open",
        source: delegate,
      },
      models: [{ format: "neutron-tflite", compiler: "neutron-converter", openness: "closed" }],
    },
  ],
  traps: [
    "i.MX95's mainline device tree has no NPU node: the silicon is there and Linux does not know",
    "an unconverted TFLite model runs on the CPU without a word",
  ],
  openness: {
    kernel: "open",
    firmware: "closed",
    runtime: "closed",
    compiler: "closed",
    says: "vendor kernel with open source, closed firmware, library and converter",
  },
  maintained: "yes",
  verified: [{ how: "documents", says: "vendor kernel source and guide; never run" }],
  sources: [kernel, posted, guide, delegate, machine],
  unknown: [
    "of which numbers the throughput is told",
    "power",
    "mode of the node: root's unless the image says otherwise",
  ],
} as const satisfies Family;
