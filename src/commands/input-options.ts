/** Options of verbs that run a model: what goes into its inputs, and how pictures and sound become numbers. */

import { existsSync } from "node:fs";
import { UsageError } from "../base/errors.ts";
import type { Port } from "../delegates/delegate.ts";
import type { InputOptions } from "../session/inputs.ts";
import type { PreprocessOptions } from "../session/preprocess.ts";
import { grouped, option, options, type Invocation, type OptionSpec } from "./command.ts";

const RATE_LIMIT = 1_000_000;
const SEED_LIMIT = 0xffff_ffff;

export const inputOptions: readonly OptionSpec[] = grouped("Inputs", [
  {
    name: "input",
    value: "NAME=FILE",
    many: true,
    says:
      "what goes into an input: a picture (JPEG, PNG, BMP; WebP and others with sharp), .wav, .npy, .npz, .pb (ONNX TensorProto), " +
      ".json, .txt, else raw bytes; a number or JSON may stand for FILE; FILE alone goes into the input it suits",
  },
  { name: "shape", value: "NAME=1x3x224x224", many: true, says: "the shape of an input that the model leaves open" },
  { name: "mean", value: "N[,N,N]", says: "pixels go in as (pixel - mean) / std, of pixels 0 to 255" },
  { name: "std", value: "N[,N,N]", says: "see --mean" },
  { name: "layout", value: "ORDER", choices: ["nhwc", "nchw"], says: "where a picture's channels go" },
  { name: "color", value: "ORDER", choices: ["rgb", "bgr", "gray"], says: "the order of a picture's colours" },
  {
    name: "resize",
    value: "HOW",
    choices: ["stretch", "letterbox", "crop"],
    says: "a picture of other proportions is distorted (when nothing is said), bordered or cut",
  },
  { name: "rate", value: "HZ", says: "samples a second that the model wants of sound" },
  { name: "seed", value: "N", says: "make the other inputs from this seed (0 when nothing is said)" },
]);

/** Asked for before anything is opened, so that a wrong word costs nothing. */
export interface InputWishes {
  readonly seed: number;
  readonly preprocess: PreprocessOptions;
}

/** Throws UsageError. The choices have been checked against the options' own. */
export function inputWishes(invocation: Invocation): InputWishes {
  const [mean, std] = [numbers(invocation, "mean"), numbers(invocation, "std")];
  const [layout, color, resize] = ["layout", "color", "resize"].map((name) => option(invocation, name));
  const rate = whole(invocation, "rate", 1, RATE_LIMIT);
  return {
    seed: whole(invocation, "seed", 0, SEED_LIMIT) ?? 0,
    preprocess: {
      ...(mean === undefined ? {} : { mean }),
      ...(std === undefined ? {} : { std }),
      ...(layout === "nhwc" || layout === "nchw" ? { layout } : {}),
      ...(color === "rgb" || color === "bgr" || color === "gray" ? { color } : {}),
      ...(resize === "stretch" || resize === "letterbox" || resize === "crop" ? { resize } : {}),
      ...(rate === undefined ? {} : { rate }),
    },
  };
}

/** `input`: what was typed behind the model, a file without a name. */
export function inputsOf(
  invocation: Invocation,
  ports: readonly Port[],
  input: string | undefined,
): Pick<InputOptions, "files" | "unnamed" | "shapes"> {
  const given = pairs(invocation, "input", ports, (text) => existsSync(text));
  const shapes = pairs(invocation, "shape", ports, () => false);
  const [port, ...more] = ports;
  for (const text of shapes.unnamed) {
    if (port === undefined || more.length > 0) {
      throw new UsageError(`--shape takes NAME=1x3x224x224: the model has ${ports.map(({ name }) => name).join(", ")}`);
    }
    shapes.named.set(port.name, text);
  }
  return {
    files: given.named,
    unnamed: [...(input === undefined ? [] : [input]), ...given.unnamed],
    shapes: new Map([...shapes.named].map(([name, text]) => [name, shapeOf(text)])),
  };
}

/** NAME=VALUE, or a value alone. Names may hold "=": the longest that is an input's counts, and a file may hold one too. */
function pairs(
  invocation: Invocation,
  name: string,
  ports: readonly Port[],
  alone: (text: string) => boolean,
): { readonly named: Map<string, string>; readonly unnamed: readonly string[] } {
  const named = new Map<string, string>();
  const unnamed: string[] = [];
  for (const text of options(invocation, name)) {
    const known = ports
      .map((port) => port.name)
      .filter((own) => text.startsWith(`${own}=`))
      .sort((a, b) => b.length - a.length)[0];
    const at = text.indexOf("=");
    if (known !== undefined) named.set(known, text.slice(known.length + 1));
    else if (at < 0 || alone(text)) unnamed.push(text);
    else named.set(text.slice(0, at), text.slice(at + 1));
  }
  return { named, unnamed };
}

function whole(invocation: Invocation, name: string, least: number, most: number): number | undefined {
  const text = option(invocation, name);
  if (text === undefined) return undefined;
  if (!/^\d{1,10}$/.test(text) || Number(text) < least || Number(text) > most) {
    throw new UsageError(`--${name} takes a whole number up to ${most}; not "${text}"`);
  }
  return Number(text);
}

function numbers(invocation: Invocation, name: string): number[] | undefined {
  const text = option(invocation, name);
  if (text === undefined) return undefined;
  const out = text.split(",").map((word) => (word.trim() === "" ? NaN : Number(word)));
  if (out.some((one) => !Number.isFinite(one) || (name === "std" && one === 0))) {
    throw new UsageError(
      `--${name} takes numbers with commas${name === "std" ? ", none of them 0" : ""}; not "${text}"`,
    );
  }
  return out;
}

function shapeOf(text: string): number[] {
  if (!/^\d{1,9}(?:[x,]\d{1,9})*$/.test(text)) throw new UsageError(`--shape takes NAME=1x3x224x224; not "${text}"`);
  return text.split(/[x,]/).map(Number);
}
