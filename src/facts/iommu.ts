/** IOMMU groups and whether there is an IOMMU at all. Documentation/ABI/testing/sysfs-kernel-iommu_groups */

import type { Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";

export interface Iommu {
  /** Names under /sys/class/iommu: dmar0, ivhd0, smmu3.0x... Empty: no IOMMU is active. */
  readonly units: readonly string[];
  /** Group number to member device names. */
  readonly groups: ReadonlyMap<string, readonly string[]>;
}

export function readIommu(root: Root): Reading<Iommu> {
  void root;
  throw new Error("facts/iommu");
}
