/** A Cambricon offline model is known by its mark alone; a name and bytes of no known meaning follow it. */

import type { Samples } from "./samples.ts";

const marked = (mark: string): Uint8Array =>
  Buffer.concat([Buffer.from(mark, "latin1"), Buffer.alloc(16), Buffer.from("net.cambricon"), Buffer.alloc(4000, 9)]);

export const samples: Samples = {
  "net.cambricon": () => marked("\x7fMEF"),
  "old.cambricon": () => marked("cambricon_offline"),
};
