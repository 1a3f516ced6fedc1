/**
 * Format: one kind of model file. Recognised by content before name, read lazily from a ModelFile (weights stay where they are).
 * Files beside this one are formats; the index is generated. Add one: copy safetensors.ts, `npm run generate`, `npm test -- formats`.
 */

import type { Model } from "../model/graph.ts";
import type { ModelFile } from "./file.ts";

/** Bytes at an offset, as Latin-1. */
export interface Mark {
  readonly at: number;
  readonly is: string;
}

export interface Format {
  /** Id as formats.json and the catalogue's routes spell it: tflite, rknn, hef. */
  readonly id: string;
  readonly name: string;
  /** Who defines it. */
  readonly vendor: string;
  /** With the dot, lower case. Only a hint: used where the content has no mark of its own. */
  readonly extensions: readonly string[];
  /** Every file of the format has one of these. Where they are given the reader's code is not loaded for files that have none. */
  readonly marks?: readonly Mark[];
  /** Operators can be seen ("full"), some can ("partly"), or none can ("sealed"). */
  readonly shows: "full" | "partly" | "sealed";
  /**
   * Does the file say that it is this? 0 = no; 1 = only its name and a weak sign do; 2 = a mark of its own; 3 = a mark and a part that
   * tells it from a format it is built on (an Edge TPU operator inside a TFLite). The highest wins. Reads at most what it needs.
   */
  readonly matches: (file: ModelFile) => 0 | 1 | 2 | 3;
  /** Throws FileError with the offset where the file is not whole enough to be described; lesser contradictions are `integrity`. */
  readonly read: (file: ModelFile) => Model;
  /** Where the layout is written. */
  readonly sources: readonly string[];
  /** On how many real files it was checked, and which; 0 says "from documents only". */
  readonly checked: { readonly files: number; readonly says: string };
}
