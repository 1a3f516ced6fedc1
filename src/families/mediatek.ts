/** MediaTek APU: MDLA and VPU cores behind the apusys drivers of vendor kernels. Mainline knows its clocks and IOMMU, no more. */

import { fact, type Source } from "../base/source.ts";
import { of, type Family } from "./family.ts";

const genio: Source = { cited: "https://mediatek.gitlab.io/genio/doc/", seen: "2026-11-22" };
const litert: Source = { cited: "https://ai.google.dev/edge/litert/next/mediatek", seen: "2026-11-22" };
const vendor: Source = {
  cited: "MediaTek vendor kernels, public copies: of_device_id tables under drivers/misc/mediatek/apusys",
  seen: "2026-11-25",
};
const posted: Source = {
  cited:
    "Documentation/devicetree/bindings/remoteproc/mediatek,apu-rv.yaml of MediaTek's APU series on linux-mediatek, not merged",
  says: "enum mediatek,mt8192-apusys-rv, mediatek,mt8195-apusys-rv",
  seen: "2026-11-25",
};
const containers: Source = {
  cited: "container recipes for Genio boards, public copies",
  says: "--device /dev/apusys --device /dev/apusys_reviser",
  seen: "2026-11-22",
};
const clocks: Source = {
  kernel: "arch/arm64/boot/dts/mediatek/mt8195.dtsi",
  module: "clk_mt8195_apusys_pll",
  release: "7.3.4",
};
const clock8365: Source = { kernel: "drivers/clk/mediatek", module: "clk_mt8365_apu", release: "7.3.4" };
const genio1200: Source = {
  cited: "https://www.linleygroup.com/newsletters/newsletter_detail.php?num=6464",
  says: "The DLA can deliver 4.8 trillion operations per second (TOPS)",
  seen: "2026-11-25",
};

export default {
  id: "mediatek",
  vendor: "MediaTek",
  name: "MediaTek APU (NeuroPilot)",
  aliases: ["apusys", "apu", "mdla"],
  says: "AI processor of Genio boards and Dimensity phones. It runs on MediaTek's own kernels and libraries only.",
  architecture: "MAC array",
  architectureDetail: fact("fixed-function MDLA cores beside VPU (VLIW) DSPs", genio),
  use: "inference",
  chips: [
    {
      id: "mt8195",
      name: "APU of MT8195, MT8395 (Genio 1200)",
      matches: [of("mediatek,mt8195-apusys-rv"), of("mediatek,mt8195-apusys_pll", { hint: true })],
      peak: [{ ops: 4.8e12, precision: "unstated", source: genio1200 }],
      source: posted,
    },
    { id: "mt8192", name: "APU of MT8192", matches: [of("mediatek,mt8192-apusys-rv")], source: posted },
    {
      id: "mt8365",
      name: "APU of MT8365 (Genio 350)",
      matches: [of("mediatek,mt8365-apu", { hint: true })],
      source: clock8365,
    },
    {
      id: "apusys",
      name: "APU of a vendor kernel",
      matches: [
        of("mediatek,apusys_power"),
        of("mediatek,apusys-power"),
        of("mediatek,apusys_reviser"),
        of("mediatek,apusys_sw_logger", { hint: true }),
        of("mediatek,apu-sw-logger", { hint: true }),
        of("mediatek,mdla"),
        of("mtk,mdla"),
      ],
      // Power, reviser and MDLA nodes are parts of one APU.
      grouped: true,
      source: vendor,
    },
  ],
  routes: [
    {
      name: "neuropilot",
      says: "MediaTek's kernel, closed Neuron libraries, models compiled to DLA",
      driver: {
        module: "apusys",
        origin: "vendor-kernel",
        openness: "open",
        licence: "GPL-2.0",
        packages: {
          vendor: { says: "comes with the board's image; mainline 7.3 has no APU driver", link: genio.cited },
        },
        source: vendor,
      },
      firmware: {
        files: [],
        elsewhere: "loaded by the vendor's boot chain and kernel; file names are not public",
        openness: "closed",
      },
      node: { paths: ["/dev/apusys"], class: "unknown", also: ["/dev/apusys_reviser"], source: containers },
      runtime: {
        libraries: ["libneuron_runtime.so*", "libapusys.so*", "libneuron_adapter.so*"],
        name: "Neuron runtime",
        openness: "closed",
        licence: "proprietary",
        packages: { vendor: { says: "NeuroPilot comes with the board's image", link: genio.cited } },
        source: genio,
      },
      delegate: { id: "tflite", name: "TFLite stable delegate (neuron)", openness: "closed", source: litert },
      models: [
        { format: "mtk-dla", compiler: "ncc-tflite", openness: "closed" },
        { format: "tflite", openness: "open" },
      ],
    },
  ],
  traps: [
    "mediatek,mt8195-apusys_pll and mediatek,mt8365-apu are clocks: they prove the SoC, not a driver",
    "airoha,*-npu (drivers/net/ethernet/airoha) is a network processor, no AI accelerator",
    "mediatek,*-dsp and *-scp_adsp are audio DSPs",
  ],
  openness: { kernel: "open", firmware: "closed", runtime: "closed", compiler: "closed", says: "vendor only" },
  maintained: "yes, by the vendor",
  verified: [{ how: "documents", says: "device-tree strings and container recipes; never run" }],
  sources: [genio, litert, vendor, posted, containers, clocks, clock8365],
  unknown: ["firmware names", "peak throughput but of MT8195", "mode and owner of the nodes", "class of the nodes"],
} as const satisfies Family;
