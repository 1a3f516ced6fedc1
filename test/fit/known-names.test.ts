/** Names that benchmarks and compilers' logs give models: each finds the model it means, or none. */

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { decisionsOf } from "../../src/fit/decisions.ts";
import { findKnown, squash } from "../../src/fit/find-known.ts";
import { measuredOf } from "../../src/fit/time/measured.ts";
import { costOf } from "../../src/model/cost.ts";

const measured = (["measured.json", "measured-ai-hub.json", "measured-ncnn.json"] as const).flatMap(measuredOf);
const decisions =
  decisionsOf(JSON.parse(readFileSync(new URL("../../data/fit/decisions.json", import.meta.url), "utf8"))) ?? [];
const published = [...new Set([...measured, ...decisions].map(({ model }) => model))];

/** Published names that mean another network than the one known by that name, and what it is. */
const others: Readonly<Record<string, string>> = {
  albert_base_v2_hf: "its layers share one set of weights, which are counted once",
  MobileNetv1: "RDK Model Zoo's has half of the channels",
  yolov3: "AI Hub's is YOLOv3-tiny",
  zero_dce: "Hailo's operations are those of the paper's layers, its parameters are not",
  zero_dce_pp: "as Zero-DCE",
};

describe("names of published rows", () => {
  it("find a network with the parameters that the row publishes, or are known to mean another", () => {
    const wrong: string[] = [];
    const seen = new Set<string>();
    for (const { model, params_m, ops_g } of measured) {
      const found = params_m === undefined || seen.has(model) ? undefined : findKnown(model)?.known;
      if (found === undefined || params_m === undefined || Object.hasOwn(others, model)) continue;
      seen.add(model);
      // A network that its inputs' size chooses is held against its figures elsewhere.
      if (found.published.some(({ parameters }) => parameters !== undefined && near(parameters / 1e6, params_m)))
        continue;
      const { parameters = 0, macs = 0 } = costOf(found.build({}));
      const like = near(parameters / 1e6, params_m) || (ops_g !== undefined && near((2 * macs) / 1e9, ops_g));
      if (!like) wrong.push(`${model}: ${params_m} million, ${found.id} has ${(parameters / 1e6).toFixed(2)}`);
    }
    expect(wrong).toEqual([]);
  });

  it("keep what tells one model from another: only sizes, precisions and makers of files are taken off", () => {
    const taken = published.flatMap((name) => {
      const known = findKnown(name)?.known;
      if (known === undefined) return [];
      const own = [known.id, known.name, ...known.aliases].map(squash);
      const asked = squash(name);
      if (own.includes(asked)) return [];
      const size =
        /^(?:coco)?(?:10)?(?:\d{2,4}x\d{2,4}|\d{3}|fp16|int8|uint8|quant(?:ized)?|w8a(?:8|16)(?:mixed(?:fp|int)16)?)*$/;
      const plain = own.some((one) => {
        const at = asked.indexOf(one);
        return at >= 0 && /^(?:timm|torchvision)?$/.test(asked.slice(0, at)) && size.test(asked.slice(at + one.length));
      });
      return plain ? [] : [`${name}: ${known.id}`];
    });
    expect(taken).toEqual([]);
  });

  it("do not take for a size what is part of a name", () => {
    expect(findKnown("timm_ghostnet_100")).toEqual({ known: findKnown("ghostnet_100")?.known });
    expect(findKnown("ghostnet 100")?.input).toBeUndefined();
    expect(findKnown("regnetx_800mf")?.known.id).toBe("regnetx_800mf");
  });

  it("do not take for a file what is a network of its own", () => {
    expect(findKnown("mobilenet_edgetpu")?.known.id).toBe("mobilenet_edgetpu");
    expect(findKnown("mobilenet_v2_edgetpu")).toBeUndefined();
    expect(findKnown("mobilenet_v2_1.0_224_quant_edgetpu.tflite")?.known.id).toBe("mobilenet_v2");
    expect(findKnown("efficientnet-edgetpu-S_quant_edgetpu.tflite")?.known.id).toBe("efficientnet_edgetpu_s");
  });

  it("are those of the parts where a model runs in parts, in either spelling", () => {
    for (const [part, id] of [
      ["OpusMTEncoder", "opus_mt_encoder"],
      ["OpusMTDecoder", "opus_mt_decoder"],
    ] as const) {
      expect(findKnown(`opus_mt_en_zh / ${part}`)?.known.id).toBe(id);
      expect(findKnown(`opus_mt_en_zh (${part})`)?.known.id).toBe(id);
    }
    expect(findKnown("mobilesam (MobileSAMDecoder)")?.known.id).toBe("mobilesam_decoder");
  });

  it("say eight bits for weights of eight bits, whatever a few layers have", () => {
    expect(findKnown("mobilenet_v2 w8a16_mixed_fp16")?.precision).toBe("int8");
    expect(findKnown("mobilenet_v2 w8a16")?.precision).toBe("int8");
    expect(findKnown("mobilenet_v2 fp16")?.precision).toBe("float16");
  });
});

/** Parameters are counted alike; heads and classes differ. */
function near(made: number, told: number): boolean {
  return made / told > 0.75 && made / told < 1.4;
}
