/**
 * The mapped inference that an installed NPU firmware takes: told by the firmware itself, or by the release of the package it came with.
 * Releases and their numbers: https://github.com/intel/linux-npu-driver firmware/include/api, tags v1.1.0 to v1.32.0
 */

import { valueOf } from "../base/reading.ts";
import { compareVersions } from "../breakages/locks.ts";
import type { Facts } from "../facts/facts.ts";
import { findFirmware } from "../facts/firmware.ts";
import { npuFirmware, readMappedInference } from "../facts/npu-firmware.ts";
import { readPackageVersion } from "../facts/packages.ts";

/** Release of linux-npu-driver and the number it came with, newest first. */
const releases: Readonly<Record<string, readonly (readonly [release: string, version: string])[]>> = {
  "37xx": [
    ["1.2.0", "7.0"],
    ["1.1.0", "6.2"],
  ],
  "40xx": [
    ["1.24.0", "11.13"],
    ["1.19.0", "11.10"],
    ["1.17.0", "11.9"],
    ["1.16.0", "11.7"],
    ["1.13.0", "11.6"],
    ["1.5.0", "11.4"],
  ],
};

/** What releases from here on came with is not known. */
const UNKNOWN_FROM = "1.33";

/** `generation` as in the firmware's names: 37xx. */
export function findMappedInference(facts: Facts, generation: string): { version: string; from: string } | undefined {
  for (const name of npuFirmware[generation] ?? []) {
    const path = valueOf(findFirmware(facts.root, name, facts.release))?.path;
    const version = path === undefined ? undefined : readMappedInference(facts.root, path);
    if (path !== undefined && version !== undefined) return { version, from: path };
  }
  const installed = valueOf(readPackageVersion(facts.root, "intel-fw-npu"));
  if (installed === undefined || compareVersions(installed, UNKNOWN_FROM) >= 0) return undefined;
  const row = releases[generation]?.find(([first]) => compareVersions(installed, first) >= 0);
  return row && { version: row[1], from: `package intel-fw-npu ${installed}` };
}
