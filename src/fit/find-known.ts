/**
 * A known model by the name people and benchmarks give it. Case and everything but letters and digits do not count; what is said
 * behind the name about input size, precision, format or data set is split off: "MobileNet v1 1.0 224 quant" is mobilenet_v1 of
 * 224x224 in int8.
 */

import type { BuildOptions, KnownModel } from "./known.ts";
import { all } from "./known/index.ts";

export interface FoundKnown {
  readonly known: KnownModel;
  /** [channels, height, width] the name asks for. */
  readonly input?: readonly [number, number, number];
  readonly precision?: NonNullable<BuildOptions["precision"]>;
}

/** Longer names are no names of models. */
const NAME_LIMIT = 200;

export function findKnown(name: string, among: readonly KnownModel[] = all): FoundKnown | undefined {
  if (name.length > NAME_LIMIT) return undefined;
  const names = namesOf(among);
  const whole = names.get(squash(name));
  if (whole) return { known: whole };
  const words = wordsOf(name);
  const said = words.map(aside);
  const before = countOf(said);
  const behind = countOf([...said].reverse());
  // As few words as will do are taken off: "timm ghostnet 100" is the timm of ghostnet_100, not a ghostnet of 100x100.
  for (let off = 1; off <= before + behind && off < words.length; off++)
    for (let front = Math.max(0, off - behind); front <= Math.min(off, before); front++) {
      const end = words.length - (off - front);
      const known = names.get(words.slice(front, end).join(""));
      if (known === undefined) continue;
      // What stands behind the name first, the last word before others.
      const told = [...said.slice(end).reverse(), ...said.slice(0, front)];
      const precision = told.find((one) => one?.precision !== undefined)?.precision;
      const dropped = [...words.slice(0, front), ...words.slice(end)];
      // MobileNet-EdgeTPU is no MobileNet; a file that was quantised and compiled for one is.
      if (dropped.includes("edgetpu") && precision === undefined) return undefined;
      return found(known, told.find((one) => one?.size !== undefined)?.size, precision);
    }
  return undefined;
}

/** Words from the first on that may be taken off. */
function countOf(said: readonly ReturnType<typeof aside>[]): number {
  const first = said.findIndex((one) => one === undefined);
  return first < 0 ? said.length : first;
}

/** Known models whose names are closest to what was asked for, at most `most`. */
export function nearKnown(name: string, most = 3, among: readonly KnownModel[] = all): readonly KnownModel[] {
  const asked = pairsOf(squash(name.slice(0, NAME_LIMIT)));
  const scored = among.map((known) => {
    const scores = [known.id, known.name, ...known.aliases].map((one) => likeness(asked, pairsOf(squash(one))));
    return { known, score: Math.max(...scores) };
  });
  return scored
    .filter(({ score }) => score >= 0.5)
    .sort((a, b) => b.score - a.score || (a.known.id < b.known.id ? -1 : 1))
    .slice(0, most)
    .map(({ known }) => known);
}

/** What is compared of a name. */
export const squash = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]+/g, "");

type Size = readonly [number, number];

const precisions: Readonly<Record<string, NonNullable<BuildOptions["precision"]>>> = {
  int8: "int8",
  uint8: "int8",
  i8: "int8",
  quant: "int8",
  quantized: "int8",
  quantised: "int8",
  ptq: "int8",
  qat: "int8",
  w8a8: "int8",
  // Activations of sixteen bits: their weights are what can be built of them.
  w8a16: "int8",
  float16: "float16",
  fp16: "float16",
  half: "float16",
  float32: "float32",
  float: "float32",
  fp32: "float32",
};

/** Words that change nothing of the layers. */
const nothing: ReadonlySet<string> = new Set([
  "tflite",
  "onnx",
  "ncnn",
  "hailo",
  "edgetpu",
  "vela",
  "rknn",
  "hef",
  "imagenet",
  "in1k",
  "coco",
  "voc",
  "pretrained",
  "torchvision",
  "timm",
  "keras",
  "model",
  "opset",
  "nv12",
]);

function aside(word: string): { readonly precision?: FoundKnown["precision"]; readonly size?: Size } | undefined {
  const precision = Object.hasOwn(precisions, word) ? precisions[word] : undefined;
  if (precision !== undefined) return { precision };
  if (nothing.has(word) || /^opset\d{1,2}$/.test(word)) return {};
  const [, height, width] = /^(\d{2,4})(?:x(\d{2,4}))?(?:x[134])?(?:px)?$/.exec(word) ?? [];
  if (height === undefined) return undefined;
  const size: Size = [Number(height), Number(width ?? height)];
  return size.every((one) => one >= 32 && one <= 4096) ? { size } : undefined;
}

function found(known: KnownModel, size: Size | undefined, precision: FoundKnown["precision"]): FoundKnown {
  const [channels, height, width] = known.input;
  const other = size !== undefined && (size[0] !== height || size[1] !== width);
  return {
    known,
    ...(other ? { input: [channels, ...size] as const } : {}),
    ...(precision === undefined ? {} : { precision }),
  };
}

const wordsOf = (name: string): string[] =>
  name
    .toLowerCase()
    // Of a few layers only: "w8a16_mixed_fp16".
    .replace(/_mixed_(?:fp|int)16\b/, "")
    .split(/[^a-z0-9.]+/)
    // A point is part of a number ("1.0") and ends a word otherwise ("mobilenet.tflite").
    .flatMap((word) => word.split(/(?<!\d)\.|\.(?!\d)/))
    .map(squash)
    .filter((word) => word !== "");

const held = new WeakMap<readonly KnownModel[], ReadonlyMap<string, KnownModel>>();

function namesOf(among: readonly KnownModel[]): ReadonlyMap<string, KnownModel> {
  let names = held.get(among);
  if (names === undefined) {
    const made = new Map<string, KnownModel>();
    for (const known of among)
      for (const one of [known.id, known.name, ...known.aliases]) {
        const key = squash(one);
        if (!made.has(key)) made.set(key, known);
      }
    held.set(among, (names = made));
  }
  return names;
}

/** Pairs of letters that stand side by side: names that share most of them are alike (Dice's coefficient). */
const pairsOf = (text: string): ReadonlySet<string> =>
  new Set(Array.from({ length: Math.max(0, text.length - 1) }, (_, i) => text.slice(i, i + 2)));

function likeness(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let both = 0;
  for (const pair of a) if (b.has(pair)) both++;
  return a.size + b.size === 0 ? 0 : (2 * both) / (a.size + b.size);
}
