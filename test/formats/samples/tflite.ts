/** TFLite as the schema's own code writes it (tools/tflite-samples.py): every options table, signatures, sparse and outside data. */

import { readFileSync } from "node:fs";
import type { Samples } from "./samples.ts";

const written = JSON.parse(readFileSync(new URL("../tflite-samples.json", import.meta.url), "utf8")) as Record<
  string,
  string
>;

const those = (broken: boolean): Samples =>
  Object.fromEntries(
    Object.entries(written)
      .filter(([name]) => name.startsWith("broken-") === broken)
      .map(([name, base64]) => [name, () => new Uint8Array(Buffer.from(base64, "base64"))]),
  );

export const samples: Samples = those(false);
/** What contradicts itself. */
export const broken: Samples = those(true);
