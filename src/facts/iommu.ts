/** IOMMU groups and whether there is an IOMMU at all. Documentation/ABI/testing/sysfs-kernel-iommu_groups */

import { map, type Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";
import { lazyFields } from "./lazy.ts";
import { listDevices } from "./sysfs.ts";

export interface Iommu {
  /** Names under /sys/class/iommu: dmar0, ivhd0, smmu3.0x... Empty: no IOMMU is active. */
  readonly units: readonly string[];
  /** Group number to member device names. */
  readonly groups: ReadonlyMap<string, readonly string[]>;
}

/** Absent when this kernel is built without IOMMU support. */
export function readIommu(root: Root): Reading<Iommu> {
  return map(listDevices(root, "/sys/class/iommu"), (units) => iommu({ root }, { units }));
}

const GROUPS = "/sys/kernel/iommu_groups";

const iommu = lazyFields<{ readonly root: Root }, Pick<Iommu, "groups">>({
  groups: ({ root }) => {
    const groups = new Map<string, readonly string[]>();
    const numbers = listDevices(root, GROUPS);
    if (numbers.state !== "read") return groups;
    for (const number of [...numbers.value].sort((a, b) => Number(a) - Number(b))) {
      const members = listDevices(root, `${GROUPS}/${number}/devices`);
      if (members.state === "read") groups.set(number, members.value);
    }
    return groups;
  },
});
