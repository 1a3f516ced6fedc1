/** ONNX as the onnx package writes it (tools/onnx-samples.py): functions, bodies of loops, sparse and external data, every type. */

import { readFileSync } from "node:fs";
import type { Samples } from "./samples.ts";

const written = JSON.parse(readFileSync(new URL("../onnx-samples.json", import.meta.url), "utf8")) as Record<
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
/** What the package's own checker refuses. */
export const refused: Samples = those(true);
