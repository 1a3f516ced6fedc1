/** Options of verbs that show outputs: how they are read, named, drawn and written. */

import { UsageError } from "../base/errors.ts";
import type { Picture } from "../session/annotate.ts";
import { annotate } from "../session/annotate.ts";
import { headChoices, type About, type Placed } from "../session/interpret.ts";
import { readLabels, type Labels } from "../session/labels.ts";
import { readAll } from "../session/read-outputs.ts";
import { BOXES, TOP, type RunResult } from "../session/result.ts";
import { writeOutputs, writeWhole } from "../session/write.ts";
import { encoderOf } from "../media/encode.ts";
import type { Port } from "../delegates/delegate.ts";
import type { Value } from "../delegates/value.ts";
import { option, type Invocation, type OptionSpec } from "./command.ts";

const MOST = 100_000;

export const outputOptions: readonly OptionSpec[] = [
  {
    name: "labels",
    value: "FILE",
    says: "names of classes: a line each, JSON or .pbtxt; the model's own when not given",
  },
  { name: "top", value: "N", says: `scores and classes shown (${TOP}), boxes (${BOXES}); 0 for none` },
  {
    name: "head",
    value: "ID",
    choices: headChoices,
    says: "how to read boxes, points or classes of pixels: auto by evidence, none, or a head by name",
  },
  { name: "min-score", value: "0..1", says: "lowest score of boxes that are shown; the head's own when not given" },
  { name: "annotate", value: "FILE", says: "draw what was read onto the picture that was given: .png or .jpg" },
  { name: "out", value: "PATH", says: "write the outputs: a folder of .npy, or one .npz" },
  { name: "raw", says: "with --out: raw bytes instead of .npy" },
];

/** Asked for before anything runs, so that a wrong word costs nothing. */
export interface OutputWishes {
  readonly labels?: Labels;
  readonly top?: number;
  readonly head: string;
  readonly score?: number;
  readonly annotate?: { readonly path: string; readonly encode: ReturnType<typeof encoderOf> };
  readonly out?: string;
  readonly raw: boolean;
}

/** Throws UsageError, and FileError or CannotError for the file of labels. */
export function outputWishes(invocation: Invocation): OutputWishes {
  const [labels, top, head, score] = ["labels", "top", "head", "min-score"].map((name) => option(invocation, name));
  const [picture, out] = [option(invocation, "annotate"), option(invocation, "out")];
  const raw = invocation.options["raw"] === true;
  if (top !== undefined && (!/^\d{1,6}$/.test(top) || Number(top) > MOST)) {
    throw new UsageError(`--top takes a whole number up to ${MOST}; not "${top}"`);
  }
  if (score !== undefined && !(/^\d*\.?\d+$/.test(score) && Number(score) <= 1)) {
    throw new UsageError(`--min-score takes a number from 0 to 1; not "${score}"`);
  }
  if (raw && out === undefined) throw new UsageError("--raw says how --out writes; give --out a folder");
  return {
    head: head ?? "auto",
    raw,
    ...(labels === undefined ? {} : { labels: readLabels(labels) }),
    ...(top === undefined ? {} : { top: Number(top) }),
    ...(score === undefined ? {} : { score: Number(score) }),
    ...(picture === undefined ? {} : { annotate: { path: picture, encode: encoderOf(picture) } }),
    ...(out === undefined ? {} : { out }),
  };
}

export interface OutputsGiven {
  readonly outputs: ReadonlyMap<string, Value>;
  readonly ports: readonly Port[];
  readonly inputs: ReadonlyMap<string, Value>;
  readonly model: About["model"] & { readonly labels?: readonly string[] };
  readonly file: string;
  /** The picture that was given, and how it came into the model's input. */
  readonly picture?: Picture & { readonly placed: Placed };
}

/** Reads, draws and writes; gives the result's part. */
export function outputsOf(
  wishes: OutputWishes,
  given: OutputsGiven,
): Pick<RunResult, "outputs" | "read" | "maybe" | "annotated"> {
  const { outputs, ports, inputs, model, file, picture } = given;
  const labels = wishes.labels ?? model.labels;
  const about: About = {
    model,
    file,
    ports,
    inputs,
    head: wishes.top === 0 ? "none" : wishes.head,
    most: wishes.top ?? BOXES,
    ...(labels === undefined ? {} : { labels }),
    ...(wishes.score === undefined ? {} : { score: wishes.score }),
    ...(picture === undefined ? {} : { placed: picture.placed }),
  };
  if (wishes.annotate !== undefined && picture === undefined) {
    throw new UsageError("--annotate draws onto the picture that was given, and none was: give one with --input");
  }
  if (wishes.out !== undefined) writeOutputs(wishes.out, outputs, wishes.raw ? "raw" : "npy");
  const { map, ...told } = readAll(outputs, about, wishes.top);
  if (wishes.annotate !== undefined && picture !== undefined) {
    const read = told.read === undefined ? undefined : { report: told.read, ...(map === undefined ? {} : { map }) };
    const drawn = annotate(picture, read, told.outputs.find(({ top }) => top !== undefined)?.top);
    writeWhole(wishes.annotate.path, wishes.annotate.encode(drawn));
  }
  return { ...told, ...(wishes.annotate === undefined ? {} : { annotated: wishes.annotate.path }) };
}
