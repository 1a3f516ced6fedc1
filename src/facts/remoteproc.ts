/** Remote processors (DSPs, MCUs) and the image each wants. Documentation/ABI/testing/sysfs-class-remoteproc */

import type { Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";

export interface RemoteProcessor {
  /** remoteproc0 */
  readonly name: string;
  readonly path: string;
  readonly label: Reading<string>;
  /** running, offline, crashed ... */
  readonly processorState: Reading<string>;
  readonly firmware: Reading<string>;
  readonly device: Reading<string>;
}

export function readRemoteprocs(root: Root): Reading<readonly RemoteProcessor[]> {
  void root;
  throw new Error("facts/remoteproc");
}
