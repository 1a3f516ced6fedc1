/**
 * Traits of models whose layers are known (known/), by the name that a benchmark gives them. Where what the row publishes is not what
 * the layers come to, it is another model of that name, and the row's own figures count.
 */

import { viewOf } from "../view.ts";
import { findKnown, type FoundKnown } from "../find-known.ts";
import { modelOf, plainName } from "./architecture.ts";
import { traitsOf, type Traits } from "./traits.ts";

/** Published operations differ by what is counted; beyond these factors it is another model. */
const LEAST = 0.6;
const MOST = 1.7;
const ALIKE = 0.03;

const held = new Map<string, Traits | undefined>();

export function knownTraits(
  name: string,
  input: string,
  published: { readonly params_m?: number; readonly ops_g?: number },
): Traits | undefined {
  const key = `${plainName(name)}|${input}`;
  if (!held.has(key)) held.set(key, build(name, input));
  const traits = held.get(key);
  if (traits === undefined) return undefined;
  const like = (own: number, told: number | undefined, least = LEAST, most = MOST): boolean =>
    told === undefined || (own / told > least && own / told < most);
  const { params_m, ops_g } = published;
  // Operations are counted in many ways, and both are misprinted; that they agree to a few in a hundred is no accident.
  const agrees = ops_g !== undefined && like(traits.ops_g, ops_g, 1 - ALIKE, 1 + ALIKE);
  return agrees || (params_m === undefined ? like(traits.ops_g, ops_g) : like(traits.params_m, params_m))
    ? traits
    : undefined;
}

/** Benchmarks' variants of a known model that change less of its layers than is known of them, and what they do change. */
const variants: readonly (readonly [RegExp, string, Partial<Traits>?])[] = [
  [/^(yolov5[nsmlx])_(?:wo_spp|bbox_decoding_only)$/, "$1"],
  [/^(yolov8[nsmlx])_bbox_decoding_only$/, "$1"],
  [/^(?:face|person)_attr_(resnet_v1_18)$/, "$1"],
  [/^mobilenet v([12]) ssd \(coco.*$/i, "ssd_mobilenet_v$1"],
  [/^mobilenet v2 ssd.*$/i, "ssd_mobilenet_v2"],
  // rknn_model_zoo takes TensorFlow's (nodes sub_7 and logits/semantic): its MobileNet v2 has neither the pyramid nor the decoder.
  [/^deeplab-v3-plus-mobilenet-v2$/, "deeplab_v3_mobilenet_v2"],
  [/^clip_images$/, "clip_vit_b_32_image_encoder"],
  // TI's: ReLU in place of SiLU, poolings of 3x3.
  [/^(yolov5s|yolov7|yolov7_tiny)_lite$/, "$1", { curved: 0 }],
];

function find(name: string): (FoundKnown & { readonly but?: Partial<Traits> }) | undefined {
  const plain = name.replace("⭐", "").trim();
  const other = variants.find(([pattern]) => pattern.test(plain));
  const found = other && findKnown(plain.replace(other[0], other[1]));
  return found === undefined ? findKnown(plain) : { ...found, ...(other?.[2] ? { but: other[2] } : {}) };
}

/** The model a name is of, by its layers where they are known: what is left out together. */
export const groupOf = (name: string): string => modelOf(find(name)?.known.id ?? name);

function build(name: string, input: string): Traits | undefined {
  const found = find(name);
  if (found === undefined) return undefined;
  const size = sizeOf(input, found.known.input) ?? found.input;
  try {
    const traits = traitsOf(viewOf(found.known.build(size === undefined ? {} : { input: size })).views);
    return traits && { ...traits, ...found.but };
  } catch {
    // A size that its layers cannot take: "falls into no whole number of ...".
    return undefined;
  }
}

/** "640x640x3 nv12" or "[1, 3, 480, 480]", where the model takes an image. */
function sizeOf(input: string, own: readonly [number, number, number]): readonly [number, number, number] | undefined {
  const sizes = (input.match(/\d+/g) ?? []).map(Number).filter((size) => size > 4 && size <= 4096);
  const [height, width] = sizes;
  if (height === undefined || sizes.length > 2 || own[1] < 8) return undefined;
  return [own[0], height, width ?? height];
}
