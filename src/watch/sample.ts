/**
 * Sample: what a machine's accelerators do at one moment, as plain JSON: the line that `accelctl watch --json` prints, the frame that
 * `top` and the page draw, and what /metrics is made of. A metric without a value says why and is never 0.
 */

export const SAMPLE_SCHEMA = 1;

export interface Sample {
  readonly schema: typeof SAMPLE_SCHEMA;
  /** Counts up from 0 within one watch. */
  readonly sequence: number;
  /** Wall clock, ISO 8601 with milliseconds, UTC. */
  readonly at: string;
  /** Since the sample before; null of the first. */
  readonly elapsed_seconds: number | null;
  /** What reading all of it took here. */
  readonly took_seconds: number;
  readonly devices: readonly DeviceSample[];
}

export interface DeviceSample {
  /** As the report's DeviceReport.id. */
  readonly id: string;
  readonly name: string;
  /** Catalogue id; absent when no family claims the device. */
  readonly family?: string;
  readonly bus: string;
  readonly address: string;
  readonly driver?: string;
  /** Runtime power state in the kernel's words: active, suspended, unsupported; null where it is not told. */
  readonly power_state: string | null;
  readonly metrics: readonly Metric[];
  /** Who has it open or computes on it; null where this user may not see. */
  readonly processes: readonly ProcessUse[] | null;
  /** Why `processes` is null or may lack some, for people. */
  readonly processes_because?: string;
}

export type Metric = KnownMetric | UnknownMetric;

interface AnyMetric {
  /** Ends in its unit: busy_ratio, power_watts, temperature_celsius, clock_hertz, memory_bytes, throttle_count (docs/metrics.md). */
  readonly name: string;
  /** Which of several: "core 0", "edge", "compute". */
  readonly part?: string;
  /** Path or request it comes from. */
  readonly from: string;
}

export interface KnownMetric extends AnyMetric {
  readonly value: number;
}

export interface UnknownMetric extends AnyMetric {
  readonly value: null;
  /**
   * asleep: reading would wake the device, ask for it (--query); first: a rate needs two samples; denied: see `says` for what it needs;
   * absent: this driver or kernel does not have it; uncaptured: the capture holds no such thing; malformed: there, and makes no sense.
   */
  readonly why: "asleep" | "first" | "denied" | "absent" | "uncaptured" | "malformed";
  /** One sentence for people. */
  readonly says: string;
}

export interface ProcessUse {
  readonly pid: number;
  readonly command: string;
  readonly user?: string;
  /** fdinfo: the driver counts what it does; open: it has the node open, which is all that can be told. */
  readonly how: "fdinfo" | "open" | "vendor's library";
  readonly metrics: readonly Metric[];
}
