/** Keras: an archive with the sequential model of TensorFlow.js's samples, and weights that only begin as HDF5. */

import { zip } from "../build/zip.ts";
import type { Samples } from "./samples.ts";
import { sequential } from "./tfjs.ts";

export const archive = (config: unknown): Uint8Array =>
  zip([
    { name: "metadata.json", data: JSON.stringify({ keras_version: "3.15.1", date_saved: "2026-11-25@14:18:21" }) },
    { name: "config.json", data: JSON.stringify(config), deflate: true },
    {
      name: "model.weights.h5",
      data: Buffer.concat([Buffer.from("\x89HDF\r\n\x1a\n", "latin1"), Buffer.alloc(400, 1)]),
    },
  ]);

export const samples: Samples = {
  "sequential.keras": () => archive(sequential.modelTopology.model_config),
};
