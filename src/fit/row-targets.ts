/** Which target a row of compile decisions is of: rows name makers' tools and chips in words, targets have ids. */

import type { Target } from "./target.ts";

export interface RowName {
  readonly target: string;
  readonly tool: string;
  readonly tool_version?: string | null;
  /** AMD's rows say in the model's name how it was quantised. */
  readonly model?: string;
}

/** "tool version | target" to ids, the best first; ends of ids may follow. The first row that matches decides. */
const rows: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^vela 4.*ethos-u85/i, ["vela4-u85", "vela-u85", "vela4"]],
  [/^vela.*ethos-u85/i, ["vela-u85", "vela4-u85", "vela"]],
  [/^vela.*nxp.*\|/i, ["vela-nxp", "vela"]],
  [/^vela 4/i, ["vela4", "vela"]],
  [/^vela/i, ["vela"]],
  [/teflon.*(?:rocket|rk3588)/i, ["teflon-rocket"]],
  [/teflon.*ethos/i, ["teflon-ethosu"]],
  [/teflon.*(?:etnaviv|vipnano|vip|verisilicon|imx8|i\.mx ?8|a311d)/i, ["teflon-etnaviv"]],
  [/edgetpu_compiler[^|]* -a\b/i, ["edgetpu-multi", "edgetpu"]],
  [/edge ?tpu/i, ["edgetpu"]],
  [/tidl.*(?:tflite|tfl\b).*am6[27]/i, ["tidl-tflite-am62a", "tidl-tflite"]],
  [/tidl.*(?:tflite|tfl\b)/i, ["tidl-tflite", "tidl"]],
  [/tidl.*am6[27]/i, ["tidl-onnx-am62a", "tidl-onnx", "tidl"]],
  [/tidl/i, ["tidl-onnx", "tidl"]],
  [/vitis ?ai.*bf16/i, ["vitisai-bf16", "vitisai"]],
  [/vitis ?ai.*[ _-]A8W8(?:_|$)/i, ["vitisai-a8w8"]],
  [/vitis ?ai.*[ _-]A16W8(?:_|$)/i, ["vitisai-a16w8"]],
  [/vitis ?ai|xdna|ryzen/i, ["vitisai"]],
  [/coreml/i, ["ort-coreml", "coreml"]],
  [/vsinpu/i, ["ort-vsinpu", "vsinpu"]],
  [/ort nnapi|nnapi ep/i, ["ort-nnapi"]],
  [/nnapi/i, ["tflite-nnapi", "nnapi"]],
  [/(?:ort|onnx ?runtime|ep\b).*xnnpack|xnnpack ep/i, ["ort-xnnpack"]],
  [/executorch.*xnnpack/i, ["executorch-xnnpack", "xnnpack-executorch"]],
  [/xnnpack/i, ["xnnpack-tflite", "tflite-xnnpack"]],
  [/(?:tflite|litert).*gpu|gpu ?delegate/i, ["tflite-gpu"]],
  [/executorch.*vulkan/i, ["vulkan-executorch"]],
  [/executorch.*u85/i, ["ethos-u85-executorch"]],
  [/executorch.*(?:ethos|arm)/i, ["ethos-u55-executorch"]],
  [/qnn.*(?:tflite|litert)|(?:tflite|litert).*qnn/i, ["litert-qualcomm", "qnn-htp"]],
  [/qnn ep|ort.*qnn/i, ["ort-qnn", "qnn-htp"]],
  [/qnn|hexagon|htp/i, ["qnn-htp"]],
  [/openvino ep|ort.*openvino/i, ["ort-openvino", "openvino-npu"]],
  [/openvino|intel npu/i, ["openvino-npu"]],
  [/neutron/i, ["neutron-executorch", "neutron"]],
  [/vx[- ]?delegate|tim-?vx/i, ["vx-delegate", "tim-vx"]],
  [/stedgeai|stm32mp2/i, ["stm32mp25"]],
  [/trt|tensorrt.*dla|dla.*tensorrt|nvidia dla/i, ["nvidia-dla", "tensorrt"]],
  [/tensorrt/i, ["tensorrt"]],
  [/nvdla/i, ["nvdla"]],
  [/rknn.*rk3588/i, ["rknn-rk3588", "rknn"]],
  [/rknn/i, ["rknn-rk3588", "rknn"]],
  [/dfc|hailo/i, ["hailo"]],
  [/axelera|voyager/i, ["axelera"]],
  [/pulsar|axera/i, ["axera"]],
  [/tenstorrent|tt-/i, ["tenstorrent"]],
  [/(?:tflite|litert).*(?:samsung|exynos)/i, ["litert-samsung"]],
  [/samsung|enn\b|exynos/i, ["samsung-exynos", "litert-samsung"]],
  [/mediatek|neuropilot/i, ["litert-mediatek"]],
];

export function targetOfRow(row: RowName, among: readonly Target[]): Target | undefined {
  const exact = among.find((target) => target.id === row.target || target.id === row.tool);
  if (exact) return exact;
  const named = `${row.tool} ${row.tool_version ?? ""} | ${row.target}`;
  const words = (/vitis/i.test(row.tool) ? `${named} | ${row.model ?? ""}` : named).slice(0, WORDS_LIMIT);
  const ids = rows.find(([test]) => test.test(words))?.[1] ?? [];
  for (const id of ids) {
    const found = among.find((target) => target.id === id) ?? among.find((target) => target.id.startsWith(`${id}-`));
    if (found) return found;
  }
  return undefined;
}

const WORDS_LIMIT = 400;
