/** Which model is meant: a file where there is one of that name, else one that is known by it. */

import { existsSync } from "node:fs";
import { FileError, UsageError } from "../base/errors.ts";
import { describeBuilt, describeFile, isModel, noModelSentence } from "../inspect/describe.ts";
import type { Inspection } from "../inspect/inspection.ts";
import type { Model } from "../model/graph.ts";
import type { Assumptions } from "./assume.ts";
import { findKnown, nearKnown } from "./find-known.ts";
import type { KnownModel } from "./known.ts";

export interface Subject {
  readonly subject: Model | KnownModel;
  readonly name: string;
  /** What the name itself asks for: "mobilenet v1 224 quant". */
  readonly asked: Assumptions;
  /** For commands that convert it. */
  readonly path: string;
  readonly inspection: () => Inspection;
}

/** Throws UsageError with the nearest names, or FileError. */
export function subjectOf(word: string): Subject {
  if (existsSync(word)) {
    const described = describeFile(word);
    if (!isModel(described)) throw new FileError(word, noModelSentence(described));
    const { model, inspection } = described;
    return { subject: model, name: inspection.file.name, asked: {}, path: word, inspection: () => inspection };
  }
  const found = findKnown(word);
  if (found !== undefined) {
    const { known, input, precision } = found;
    const path = `${known.id}.onnx`;
    return {
      subject: known,
      name: known.id,
      asked: {
        ...(input === undefined ? {} : { input: [input[1], input[2]] }),
        ...(precision === undefined ? {} : { precision }),
      },
      path,
      inspection: () => describeBuilt(known.build({}), path),
    };
  }
  if (/[/\\]|\.\w{2,12}$/.test(word)) throw new FileError(word, "no such file");
  const near = nearKnown(word, 5).map(({ id }) => id);
  throw new UsageError(
    `"${word}" is no file, and no model of that name is known; ` +
      (near.length === 0 ? "" : `near it: ${near.join(", ")}; `) +
      `accelctl rank --list names all`,
  );
}
