/**
 * Report: what a review says, as plain JSON that others rely on (docs/report.schema.json). Made from a Root and nothing else: no
 * clock, no root name, sorted; the same machine gives the same bytes, live or from a capture.
 */

import type { Evidence, Finding, KernelState, Openness, Route } from "../base/finding.ts";
import type { Reading } from "../base/reading.ts";

export const REPORT_SCHEMA = 1;

export interface Report {
  readonly schema: typeof REPORT_SCHEMA;
  readonly machine: MachineReport;
  readonly kernel: KernelReport;
  readonly devices: readonly DeviceReport[];
  /** Accelerators that the device tree describes and switches off. */
  readonly dormant: readonly DeviceReport[];
  readonly findings: readonly Finding[];
  /** What this report cannot speak about, and why. */
  readonly blind: readonly Blind[];
}

export interface Blind {
  readonly path: string;
  readonly because: string;
}

export interface MachineReport {
  /** DMI product or device-tree model. */
  readonly model: Reading<string>;
  readonly distribution: Reading<string>;
  readonly arch: Reading<string>;
  readonly cpu: Reading<string>;
  readonly memory_bytes: Reading<number>;
  readonly container: Reading<string>;
  readonly virtual: Reading<string>;
}

export interface KernelReport {
  /** uname -r; null when it is not known, which `blind` explains. Plain, because everybody's first filter is on it. */
  readonly release: string | null;
  readonly version: Reading<string>;
  readonly taint: Reading<string>;
  /** Is the kernel's accelerator framework there (CONFIG_DRM_ACCEL, class accel)? */
  readonly accel: Reading<boolean>;
  /** Drivers of the catalogue this kernel has or could have; only in reviews that found no accelerator, or when asked for. */
  readonly abilities?: readonly Ability[];
}

export interface Ability {
  readonly family: string;
  readonly route: string;
  readonly module: string;
  readonly state: KernelState;
  readonly evidence: readonly Evidence[];
}

export interface NodeReport {
  readonly path: string;
  readonly class: string;
  /** Octal, as ls and chmod write it. */
  readonly mode: Reading<string>;
  readonly owner: Reading<string>;
  readonly group: Reading<string>;
  /** May the user who asked open it for reading and writing? */
  readonly opens: Reading<boolean>;
  /** What the driver answered to DRM_IOCTL_VERSION. */
  readonly drm?: Reading<{ readonly name: string; readonly version: string }>;
  readonly held_by?: readonly { readonly pid: number; readonly command: string }[];
}

export interface Verdict {
  readonly works: "yes" | "no" | "unknown";
  readonly says: string;
  /** The best route, and the most open one. */
  readonly route?: string;
  readonly most_open?: string;
}

export interface DeviceReport {
  readonly id: string;
  /** Catalogue id; absent when no family claims the device. */
  readonly family?: string;
  readonly chip?: string;
  readonly name: string;
  readonly bus: string;
  readonly address: string;
  readonly ids: Readonly<Record<string, string>>;
  readonly modalias: Reading<string>;
  readonly driver: Reading<string>;
  /** Version of the loaded module, when it has one. */
  readonly driver_version?: Reading<string>;
  readonly nodes: readonly NodeReport[];
  readonly parts: readonly string[];
  readonly virtual_functions: number;
  readonly enabled: boolean;
  readonly because: Evidence;
  readonly link?: LinkReport;
  readonly iommu_group?: Reading<string>;
  /** hwmon devices, devfreq devices and thermal zones that belong to it, by what they are called. */
  readonly sensors?: readonly { readonly kind: string; readonly label: string; readonly path: string }[];
  /** Answers of the device's driver, where it was asked. */
  readonly answers?: Readonly<Record<string, Reading<string | number | boolean>>>;
  readonly openness?: Readonly<Record<"kernel" | "firmware" | "runtime" | "compiler", Openness>>;
  readonly routes: readonly Route[];
  readonly verdict: Verdict;
}

export interface LinkReport {
  readonly speed_transfers: Reading<number>;
  readonly max_speed_transfers: Reading<number>;
  readonly width: Reading<number>;
  readonly max_width: Reading<number>;
}
