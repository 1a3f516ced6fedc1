/** Out-of-tree modules under DKMS: what is added, built, installed, for which kernel. dkms(8); /var/lib/dkms */

import type { Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";

export interface DkmsState {
  readonly name: string;
  readonly version: string;
  /** Kernels it was built for (release strings). */
  readonly built: readonly string[];
  /** Module names (BUILT_MODULE_NAME of dkms.conf), empty when the conf cannot be read. */
  readonly modules: readonly string[];
  /** Path of the last failed build's log, when there is one. */
  readonly log: Reading<string>;
}

export function readDkms(root: Root): Reading<readonly DkmsState[]> {
  void root;
  throw new Error("facts/dkms");
}
