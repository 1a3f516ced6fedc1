/** An encrypted RKNN: its mark, and bytes that say nothing. */

import { bytesOf } from "../../support/sealed.ts";
import type { Samples } from "./samples.ts";

export const samples: Samples = {
  "encrypted.rknn": () =>
    bytesOf(
      "CYPTRKNN",
      Uint8Array.from({ length: 248 }, (_, index) => (index * 197 + 13) & 255),
    ),
};
