/** TI's vision processors: one C7x with its matrix unit, 8 bits, as TI's tables of networks have it. */

import type { Device } from "../estimate.ts";

const c7x = (
  id: string,
  name: string,
  chip: "am62a" | "j721e" | "j721s2",
  aliases: readonly string[],
  rest: Partial<Device> = {},
): Device => ({
  id,
  name,
  family: "ti-tidl",
  chip,
  class: "vector DSP",
  targets: chip === "am62a" ? ["tidl-onnx-am62a", "tidl-tflite-am62a"] : ["tidl-onnx", "tidl-tflite"],
  pool: "ti",
  aliases: [name, ...aliases],
  ...rest,
});

const peak = (tera: number, source: string): Pick<Device, "macs"> => ({
  macs: { value: (tera * 1e12) / 2, precision: "int8", source },
});

export default [
  c7x("tda4vm", "TI TDA4VM (J721E)", "j721e", ["AM68PA", "SK-TDA4VM", "BeagleBone AI-64"]),
  c7x("am62a", "TI AM62A", "am62a", ["SK-AM62A"], peak(2, "ti.com/document-viewer/ja-jp/lit/html/SPRADD2: 2 TOPS")),
  c7x("am67a", "TI AM67A (J722S), one core", "am62a", ["J722S", "BeagleY-AI"]),
  c7x(
    "am68a",
    "TI AM68A (J721S2)",
    "j721s2",
    ["SK-AM68", "TDA4VE"],
    peak(8, "ti.com/tool/PROCESSOR-SDK-AM68A: 8 TOPS"),
  ),
  c7x("am69a", "TI AM69A (J784S4), one core", "j721s2", ["SK-AM69", "TDA4VH"]),
] satisfies readonly Device[];
