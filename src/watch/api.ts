/** Watching for programs: `for await (const sample of watch())`. */

import { openRoot } from "../root/open.ts";
import type { Root } from "../root/root.ts";
import { isMeant } from "./choose.ts";
import type { Sample } from "./sample.ts";
import { samplesOf, type PaceOptions } from "./stream.ts";
import { openWatch, type WatchOptions } from "./watch.ts";

export interface WatchSettings extends PaceOptions, Pick<WatchOptions, "query" | "processes" | "vendor"> {
  /** Ids, addresses, nodes or families, or patterns of one; absent: every device. */
  readonly devices?: readonly string[];
  /** The machine; absent: this one. */
  readonly root?: Root;
}

/** Samples of the accelerators of a machine, one a second unless said otherwise; ends by `count`, `signal`, or by leaving the loop. */
export async function* watch(settings: WatchSettings = {}): AsyncGenerator<Sample, void, undefined> {
  const { devices = [], root, query, processes, vendor, ...pace } = settings;
  const opened = openWatch(root ?? openRoot(), {
    ...(query === undefined ? {} : { query }),
    ...(processes === undefined ? {} : { processes }),
    ...(vendor === undefined ? {} : { vendor }),
    ...(devices.length === 0 ? {} : { only: (device) => isMeant(device, devices) }),
  });
  try {
    yield* samplesOf(opened, pace);
  } finally {
    opened.close();
  }
}
