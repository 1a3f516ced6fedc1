/**
 * ST's STM32MP25 (a VeriSilicon VIP) by X-LINUX-AI: TFLite files by the vx-delegate, offline by stai_mpu's compiler. ST documents which
 * quantisation runs on the NPU and which on the GPU beside it, and publishes no list of operators: the delegate's own decides.
 */

import type { Target } from "../target.ts";
import vx, { operators } from "./vx-delegate.ts";

const PAGE = "https://wiki.st.com/stm32mpu-ecosystem-v5/wiki/STM32MP2_NPU_description";

const [delegate] = vx;

const targets: readonly Target[] =
  delegate === undefined
    ? []
    : [
        {
          ...delegate,
          id: "stm32mp25",
          name: "STM32MP25's NPU",
          tool: "stai_mpu (OpenVX)",
          version: "X-LINUX-AI 6",
          devices: ["stm"],
          formats: ["tflite", "onnx"],
          confidence: "inferred",
          sources: [PAGE, ...delegate.sources],
          operators,
          preconditions: [
            {
              rule: "quantization",
              says: "the NPU runs 8-bit models quantised per tensor, asymmetric",
              holds: ({ scheme }) =>
                scheme === undefined
                  ? undefined
                  : scheme === "full integer" || scheme === "qdq" || scheme === "integer operators",
              found: ({ scheme }) => scheme ?? "",
              else: "warns",
              cure: "quantise the whole model to 8-bit integers, per tensor: a float model runs on the GPU",
              source: PAGE,
            },
            {
              rule: "per-channel",
              says: "a model quantised per channel runs mainly on the GPU",
              holds: ({ granularity }) => (granularity === undefined ? undefined : granularity !== "per channel"),
              else: "warns",
              cure: "quantise weights per tensor",
              source: PAGE,
            },
          ],
        },
      ];

export default targets;
