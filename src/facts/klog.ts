/** The kernel log: /dev/kmsg cannot be read without leave, so also saved logs. Documentation/ABI/testing/dev-kmsg, journalctl -o export */

import type { Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";

export interface LogLine {
  /** Seconds since boot; undefined when the log has no stamps. */
  readonly seconds: number | undefined;
  /** Without stamp, level and journal prefix: "intel_vpu 0000:00:0b.0: [drm] ..." */
  readonly text: string;
  /** 1-based, in the file it came from. */
  readonly number: number;
}

/** Live: syslog(2) through /dev/kmsg when allowed, else /var/log/dmesg or kern.log. Captures: what was recorded. */
export function readKernelLog(root: Root): Reading<readonly LogLine[]> {
  void root;
  throw new Error("facts/klog");
}

/** dmesg (with or without -T, -x, stamps), journalctl -k (short, export), kmsg records, syslog: one line each, prefix removed. */
export function parseKernelLog(text: string): LogLine[] {
  void text;
  throw new Error("facts/klog");
}
