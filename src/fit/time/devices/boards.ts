/** Devices of which a handful of rows is published: calibrated together, each with its own speed and all with one shape. */

import type { Device } from "../estimate.ts";

const one = (
  id: string,
  name: string,
  family: string,
  kind: Device["class"],
  targets: readonly string[],
  rest: Partial<Device>,
): Device => ({ id, name, family, class: kind, targets, pool: "others", aliases: [name], ...rest });

const float = "unless quantized" as const;

const int8 = (tops: number, source: string): NonNullable<Device["macs"]> => ({
  value: (tops * 1e12) / 2,
  precision: "int8",
  source,
});

export default [
  one("a311d", "Amlogic A311D (Khadas VIM3 NPU)", "verisilicon", "MAC array", ["vx-delegate"], {
    chip: "amlogic",
    macs: int8(5, "github.com/flappyjet/npu-toolbox README.md: 5 TOPS int8"),
  }),
  one("imx8mp", "NXP i.MX 8M Plus (VIPNano-SI+)", "verisilicon", "MAC array", ["vx-delegate"], { chip: "imx8mp" }),
  one("sl1680", "Synaptics SL1680", "verisilicon", "MAC array", [], {}),
  {
    id: "vs680",
    name: "Synaptics VS680",
    family: "verisilicon",
    class: "MAC array",
    targets: [],
    macs: int8(6.75, "github.com/SoCXin/VS680: 6.75 TOPS at int8"),
  },
  {
    id: "stm32mp25",
    name: "STM32MP25 (VeriSilicon VIP)",
    family: "verisilicon",
    chip: "vip",
    class: "MAC array",
    targets: ["stm32mp25"],
    macs: int8(1.2, "wiki.st.com STM32MP2_NPU_description: 1.2 TOPS at 800 MHz, 8-bit models only"),
  },
  one("memryx-mx3", "MemryX MX3 (i7-13700 host)", "memryx", "dataflow", [], {
    chip: "mx3",
    macs: int8(
      24,
      "developer.memryx.com/specs: 6 TOPS a chip at 1 GHz, in the one way that it computes; four on a module",
    ),
  }),
  one("axera-ax650", "AXERA AX650N/AX8850N", "axera", "MAC array", ["axera-ax650"], {
    chip: "ax650",
    macs: int8(18, "jas-hacks.blogspot.com/2024/09: AX650N delivers 72.0 TOPS@INT4 and 18.0 TOPS@INT8"),
  }),
  ...(
    [
      ["axera-ax630c", "AXERA AX630C", 3.2],
      ["axera-ax620q", "AXERA AX620Q", 2.4],
    ] as const
  ).map(([id, name, tops]): Device => ({
    id,
    name,
    family: "axera",
    class: "MAC array",
    targets: ["axera-ax620e"],
    macs: int8(tops, `github.com/AXERA-TECH/ax-samples benchmark: ${tops}T beside its times, of models in int8`),
    aliases: [name],
  })),
  ...(
    [
      ["rzv2h", "Renesas RZ/V2H (DRP-AI3)", 8],
      ["rzv2n", "Renesas RZ/V2N (DRP-AI3)", 4],
    ] as const
  ).map(([id, name, tops]): Device => ({
    id,
    name,
    family: "renesas-drpai",
    class: "MAC array",
    targets: [],
    macs: int8(tops, `github.com/renesas-rz System Stabilization Guide: ${tops} dense TOPS; its translator makes int8`),
    aliases: [name],
  })),
  one("ncs-usb2", "Movidius NCS (USB2)", "movidius", "vector DSP", [], { chip: "myriad-2", float: "always" }),
  one("ncs-usb3", "Movidius NCS (USB3)", "movidius", "vector DSP", [], { chip: "myriad-2", float: "always" }),
  one("ncs2-usb2", "Intel NCS2 (USB2)", "movidius", "vector DSP", [], { chip: "myriad-x", float: "always" }),
  one("ncs2-usb3", "Intel NCS2 (USB3)", "movidius", "vector DSP", [], { chip: "myriad-x", float: "always" }),
  one("intel-npu-core-ultra", "Intel NPU (Core Ultra)", "intel-npu", "MAC array", ["openvino-npu"], { float }),
  one("intel-npu5-386h", "Intel NPU5 (Core Ultra 9 386H)", "intel-npu", "MAC array", ["openvino-npu"], {
    chip: "ptl",
    float,
    aliases: ["Intel NPU5 (Core Ultra 9 386H, Windows 11)"],
  }),
  ...[
    "Intel Arc A310",
    "Intel Arc A380",
    "Intel Arc A750",
    "Intel HD 630 iGPU",
    "Intel Iris Xe iGPU",
    "Intel N100 iGPU",
    "Intel N150 iGPU",
    "Intel UHD 730 iGPU",
    "Intel UHD 770 iGPU",
  ].map((name) =>
    one(name.toLowerCase().replace(" igpu", "").replaceAll(" ", "-"), name, "intel-gpu", "SIMT", [], {
      float,
    }),
  ),
  ...["GTX 1070", "RTX 3050", "RTX 3070", "RTX 5060 Ti", "Tesla P40"].map((name) =>
    one(`nvidia-${name.toLowerCase().replaceAll(" ", "-")}`, `NVIDIA ${name}`, "nvidia", "SIMT", ["tensorrt"], {
      float,
      aliases: [name],
    }),
  ),
  one("jetson-nano-tensorrt", "Jetson Nano, TensorRT", "nvidia", "SIMT", ["tensorrt"], {
    chip: "tegra",
    float,
    aliases: ["Jetson Nano | TensorRT", "Jetson Nano TensorRT"],
  }),
  one("jetson-nano-tensorflow", "Jetson Nano, TensorFlow", "nvidia", "SIMT", [], {
    chip: "tegra",
    float,
    aliases: ["Jetson Nano | TensorFlow"],
  }),
  one("jetson-orin-tensorrt", "Jetson Orin, TensorRT", "nvidia", "SIMT", ["tensorrt"], {
    chip: "tegra",
    float,
    aliases: ["Jetson Orin TensorRT"],
  }),
  ...["AMD 780M", "AMD 9060XT 16G"].map((name) =>
    one(name.toLowerCase().replaceAll(" ", "-"), name, "amd-rocm", "SIMT", [], { chip: "gpu", float }),
  ),
  ...["Apple M1", "Apple M3 Pro", "Apple M4"].map((name) =>
    one(
      `${name.toLowerCase().replaceAll(" ", "-")}-coreml`,
      `${name}, Core ML`,
      "apple-ane",
      "MAC array",
      ["ort-coreml"],
      {
        float: "always",
        aliases: [name],
      },
    ),
  ),
  ...["Raspberry Pi 3, Model B+", "Raspberry Pi 4", "Raspberry Pi 5"].flatMap((name) => {
    const id = name.toLowerCase().replace(", model b+", "b-plus").replaceAll(" ", "-");
    return [
      one(`${id}-tflite`, `${name}, TensorFlow Lite`, "cpu", "CPU", ["xnnpack-tflite"], {
        chip: "arm64",
        float,
        aliases: [`${name} | TensorFlow Lite`],
      }),
      one(`${id}-tensorflow`, `${name}, TensorFlow`, "cpu", "CPU", [], {
        chip: "arm64",
        float: "always",
        aliases: [`${name} | TensorFlow`],
      }),
    ];
  }),
  ...[
    ["jetson-nano-cpu-ncnn", "Jetson Nano (ncnn)"],
    ["raspberry-pi-4-ncnn", "Raspberry Pi 4 @1950 (ncnn CPU)"],
    ["raspberry-pi-5-ncnn", "Raspberry Pi 5 @2900 (ncnn CPU)"],
    ["rock-5-ncnn", "Rock 5 RK3588 (ncnn CPU)"],
  ].map(([id = "", name = ""]) => one(id, name, "cpu", "CPU", [], { chip: "arm64", float })),
  one("desktop-cpu-tflite", "64-bit Intel Xeon of Coral's page, TensorFlow Lite", "cpu", "CPU", ["xnnpack-tflite"], {
    chip: "x86",
    float,
    aliases: ["Desktop CPU (Coral page footnote 1)"],
  }),
  one("cortex-a53-tflite", "Cortex-A53 of Coral's Dev Board, TensorFlow Lite", "cpu", "CPU", ["xnnpack-tflite"], {
    chip: "arm64",
    float,
    aliases: ["Embedded CPU (Coral page footnote 2)"],
  }),
] satisfies readonly Device[];
