/** A MediaTek DLA is known by its name alone: any bytes will do. */

import type { Samples } from "./samples.ts";

export const samples: Samples = {
  "net.dla": () => Uint8Array.from({ length: 8192 }, (_, index) => (index * 89 + 7) & 255),
};
