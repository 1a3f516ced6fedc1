/** Qualcomm Hexagon NPUs, as Qualcomm AI Hub measures its models: a QNN context on the NPU, TFLite or ONNX Runtime around it. */

import type { Device } from "../estimate.ts";

const hexagon = (id: string, name: string, chip: string | undefined, macs?: Device["macs"]): Device => ({
  id,
  name: `${name}, Hexagon NPU`,
  family: "qualcomm",
  ...(chip === undefined ? {} : { chip }),
  class: "vector DSP",
  targets: ["qnn-htp"],
  pool: "ai-hub",
  how: "qnn_dlc",
  float: "unless quantized",
  aliases: [name],
  ...(macs === undefined ? {} : { macs }),
});

const int8 = (tops: number, source: string): NonNullable<Device["macs"]> => ({
  value: (tops * 1e12) / 2,
  precision: "int8",
  source,
});

export default [
  hexagon("galaxy-s25", "Samsung Galaxy S25", "sm8750"),
  hexagon("galaxy-s24", "Samsung Galaxy S24", "sm8650"),
  hexagon("snapdragon-8-elite-gen-5", "Snapdragon 8 Elite Gen 5 QRD", "kaanapali"),
  hexagon(
    "qcs8550",
    "QCS8550 (Proxy)",
    "sm8550",
    int8(48, "qualcomm.com industrial-processors/qcs8550: 48 TOPS INT8, as others cite it"),
  ),
  hexagon("iq-9075", "Dragonwing IQ-9075 EVK", "sa8775p"),
  hexagon(
    "snapdragon-x-elite",
    "Snapdragon X Elite CRD",
    "x1e80100",
    int8(45, "simmtester.com/News/IndustryArticle/25650: up to 45 TOPS of INT8"),
  ),
  hexagon("qcs8275", "QCS8275 (Proxy)", "qcs8300"),
  hexagon("qcs8450", "QCS8450 (Proxy)", "sm8450"),
  hexagon("sa8775p", "SA8775P ADP", "sa8775p"),
  hexagon("sa7255p", "SA7255P ADP", undefined),
  hexagon("sa8295p", "SA8295P ADP", undefined),
  hexagon("snapdragon-7-gen-4", "Snapdragon 7 Gen 4 QRD", undefined),
  hexagon("q-6690", "Dragonwing Q-6690 MTP", undefined),
  hexagon("rb3-gen-2", "Dragonwing RB3 Gen 2 Vision Kit", "sc7280"),
] satisfies readonly Device[];
