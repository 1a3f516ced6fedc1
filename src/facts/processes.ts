/** Which process holds which node: /proc/PID/fd links, and DRM's fdinfo where the driver fills it. Documentation/gpu/drm-usage-stats.rst */

import type { Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";

export interface Holder {
  readonly pid: number;
  readonly command: string;
  readonly node: string;
  readonly fd: number;
  /** drm-* keys of fdinfo, as written. */
  readonly usage: ReadonlyMap<string, string>;
}

/** Holders of any of `nodes`. `blind` counts processes that could not be looked into (other users', without root). */
export function readHolders(
  root: Root,
  nodes: readonly string[],
): Reading<{ readonly holders: readonly Holder[]; readonly blind: number }> {
  void root;
  void nodes;
  throw new Error("facts/processes");
}
