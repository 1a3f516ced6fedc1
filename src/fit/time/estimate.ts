/**
 * Estimate: how long one inference takes on a device, as a median and an interval that holds for eight models of ten. Of two kinds:
 * what the maker would publish, and what others would measure (1.0 to 1.6 times as long); which is meant stands beside it.
 */

import type { Placement } from "../place.ts";
import type { View } from "../view.ts";
import type { ModelView } from "../target.ts";
import { estimateByClass } from "./class-estimate.ts";
import { estimateOf, rowsOn } from "./estimate-of.ts";
import type { PoolId } from "./pools.ts";
import { carriedBy } from "./link.ts";
import { traitsOf, type Traits } from "./traits.ts";
import { estimateByVela } from "./vela-device.ts";
import { weigh } from "./cost.ts";

/** A class of hardware that one form of model describes. */
export type Class = "systolic array" | "MAC array" | "dataflow" | "vector DSP" | "SIMT" | "CPU";

/** What is known of a device to estimate with. One file per device in time/devices/ or a row of a table there. */
export interface Device {
  /** Of the benchmarks and of --for: "hailo-8", "rk3588-1core", "coral-usb3". */
  readonly id: string;
  readonly name: string;
  /** Family and chip of the catalogue. */
  readonly family: string;
  readonly chip?: string;
  readonly class: Class;
  /** Targets (targets/) by which it is reached, the best first. */
  readonly targets: readonly string[];
  /** MACs per second at the precision it computes in; undefined where nobody says. */
  readonly macs?: { readonly value: number; readonly precision: string; readonly source: string };
  readonly bandwidth?: { readonly bytes_per_s: number; readonly source: string };
  readonly onchip?: { readonly bytes: number; readonly source: string };
  readonly link?: {
    readonly kind: "usb2" | "usb3" | "pcie" | "shared memory";
    readonly bytes_per_s: number;
    readonly source: string;
  };
  /** What its rows were measured over, where it stands behind another. */
  readonly measuredLink?: NonNullable<Device["link"]>;
  readonly watts?: { readonly value: number; readonly source: string };
  /** Spellings of published rows; "NAME | RUNTIME" where the runtime tells it from another device of that name. */
  readonly aliases?: readonly string[];
  /** Devices that are calibrated together (pools.ts); absent: no rows. */
  readonly pool?: PoolId;
  /** What the rows of a benchmark's table call it, where that is not its id. */
  readonly measuredAs?: string;
  /** How it is meant where it was measured in several ways, as rows have it: "qnn_dlc", "4 threads". */
  readonly how?: string;
  /** It computes in floating point unless the model is quantised, when it is stored in 16 bits, or always. Absent: integers, whatever the model's types. */
  readonly float?: "unless quantized" | "when half" | "always";
  /** Chips of one design, by which a chip that nobody measured is told; absent: those of its family. */
  readonly line?: string;
}

export interface Nearest {
  readonly model: string;
  readonly device: string;
  readonly ms: number;
  readonly says: string;
  readonly source: string;
}

export interface Estimate {
  readonly device: string;
  /** "fitted": from this device's published rows; "class": from its class and its peak; "none": nothing carries a number. */
  readonly from: "fitted" | "class" | "none";
  readonly kind: "maker" | "independent";
  readonly median_ms?: number;
  /** Holds for 80 of 100 models. */
  readonly low_ms?: number;
  readonly high_ms?: number;
  readonly bound?: "compute" | "memory" | "link" | "cpu" | "overhead";
  readonly millijoules?: { readonly low: number; readonly high: number; readonly source: string };
  /** Nodes that cost most, at most three, with their share of the median. */
  readonly costly: readonly { readonly node: number; readonly op: string; readonly share: number }[];
  /** Rows it was fitted to, and its error when each model was left out. */
  readonly basis?: {
    readonly rows: number;
    readonly median_error: number;
    readonly p90_error: number;
    readonly held: number;
  };
  /** Where `from` is "class": of which, and whose measurements it rests on: the device's own, those of its line, of its class. */
  readonly byClass?: {
    readonly class: Class;
    readonly rests: "device" | "line" | "class";
    readonly rows: number;
    readonly devices: readonly string[];
    readonly lines: readonly string[];
  };
  readonly nearest: readonly Nearest[];
  /** What is not in it, what was assumed, why there is none. */
  readonly says: readonly string[];
}

/** What a model is called, where that is known: its family's rows then tell more of it than others'. */
export interface Named {
  readonly name?: string;
  /** Without what a table of a hundred devices has no room for: the nearest measurements, the bound, the nodes that cost most. */
  readonly brief?: boolean;
}

/** What every device is told of the same views: worked out once. */
interface Seen {
  readonly traits: Traits | undefined;
  readonly quantized: boolean;
  readonly half: boolean;
}

const seen = new WeakMap<readonly View[], Seen>();

function seenOf(views: readonly View[]): Seen {
  let held = seen.get(views);
  if (held === undefined) {
    const quantized = views.some((view) => view.quantized);
    const half = views.some(({ inType }) => inType === "float16" || inType === "bfloat16");
    seen.set(views, (held = { traits: traitsOf(views), quantized, half }));
  }
  return held;
}

/** How long one inference takes; never a number where nothing carries one. */
export function estimate(
  views: readonly View[],
  model: ModelView,
  device: Device,
  placement: Placement | undefined,
  named: Named = {},
): Estimate {
  const { traits } = seenOf(views);
  const kind = "maker";
  const none = (...says: readonly string[]): Estimate => ({
    device: device.id,
    from: "none",
    kind,
    costly: [],
    nearest: [],
    says,
  });
  if (placement?.fits === "none") return none(`${device.name} takes none of it: there is no time to tell`);
  const byVela = estimateByVela(views, device, placement);
  if (byVela !== undefined) return byVela;
  if (traits === undefined) return none("its shapes leave open what it computes, or it multiplies nothing");
  const { float, says } = precisionOf(views, model, device);
  const told = toldOf(views, device, traits, float, named);
  if (told.from === "none") return { ...told, says: [...told.says, ...says] };
  const onCpu = placement?.cpu ?? 0;
  const weighed = named.brief === true && onCpu === 0 ? undefined : weigh(views, device, placement);
  const cpu = weighed?.cpu ?? 0;
  const left = onCpu > 0 || (placement?.unsure ?? 0) > 0;
  return {
    ...told,
    // What stays on the CPU is not in the published times of models that fit whole: the upper end has to hold it.
    ...(onCpu > 0 && told.high_ms !== undefined
      ? { high_ms: told.high_ms * (1 + Math.min(9, cpu / Math.max(0.1, 1 - cpu))) }
      : {}),
    ...(weighed ? { bound: weighed.bound, costly: weighed.costly } : {}),
    says: [
      ...(told.from === "class" ? [...told.says, ...says] : [...says, ...told.says]),
      ...(left ? [leftWords(onCpu, placement?.unsure ?? 0)] : []),
      ...(model.dynamic === true ? ["some of its dimensions are open: told for those that the file states"] : []),
    ],
  };
}

/** Fewer rows of its own tell less than its class does. */
export const HANDFUL = 5;

/** By its own rows; where there is hardly one, by its class; else why neither. */
function toldOf(views: readonly View[], device: Device, traits: Traits, float: boolean, named: Named): Estimate {
  const { name: model, brief = false } = named;
  const rows = rowsOn(device, float);
  const byClass =
    rows >= HANDFUL ? undefined : estimateByClass(views, device, { ops_g: traits.ops_g, float, model, brief });
  if (typeof byClass === "object") return byClass;
  const byRows = estimateOf(device, traits, float, {
    ...(model === undefined ? {} : { model }),
    ...(device.measuredLink === undefined ? {} : { carried: carriedBy(views, device) }),
    brief,
  });
  if (byRows.from !== "none" || byClass === undefined) return byRows;
  const [first = "", ...rest] = byRows.says;
  return { ...byRows, says: [`${first}, and ${byClass}`, ...rest] };
}

const leftWords = (cpu: number, unsure: number): string =>
  [
    ...(cpu > 0 ? [`${cpu} operators stay on the CPU: the upper end allows for them, the median does not`] : []),
    ...(unsure > 0 ? [`of ${unsure} operators nobody says whether they are taken: told as if they were`] : []),
  ].join("; ");

/** What its own types make the device compute in, and what was assumed. */
function precisionOf(
  views: readonly View[],
  model: ModelView,
  device: Device,
): { float: boolean; says: readonly string[] } {
  if (device.float === "always") return { float: true, says: [] };
  const { quantized, half } = seenOf(views);
  if (quantized || /integer|qdq/.test(model.scheme ?? "")) return { float: false, says: [] };
  if (device.float === "unless quantized") return { float: true, says: [] };
  if (device.float === "when half" && half) return { float: true, says: ["computed in float16, as it is stored"] };
  return { float: false, says: ["it is not quantised: told as of int8, to which it must be brought first"] };
}
