/** Fit: one model on many devices, as plain JSON that others rely on (docs/fit.schema.json). Made by fitOn(); printed by `accelctl fit`. */

import type { ConversionReport } from "../inspect/inspection.ts";
import type { Model } from "../model/graph.ts";
import {
  asInteger,
  assume,
  assumeDevices,
  buildKnown,
  saysOf,
  type Assumptions,
  type Dialect,
  type Precision,
} from "./assume.ts";
import { doubtsOf, factsOf, isKnown } from "./describe.ts";
import type { KnownModel } from "./known.ts";
import { asQuark } from "./quark.ts";
import { place, type Placed, type Placement, type Prerequisite } from "./place.ts";
import type { Answer, Confidence, ModelView, Target } from "./target.ts";
import { all as everyTarget } from "./targets/index.ts";
import { estimate, type Device, type Estimate, type Named } from "./time/estimate.ts";
import { wattsOf } from "./time/power.ts";
import { viewOf, type View } from "./view.ts";

export const FIT_SCHEMA = 1;

export type FitPlacement = Omit<Placement, "nodes"> & {
  readonly nodes?: readonly FitNode[];
  /** What the counts hold for, where the model is refused as it is: "quantised to int8". What it lacks stands in `prerequisites`. */
  readonly once?: string;
  /** Of a known model: in whose operators it was placed. Numbers of nodes are of that graph. */
  readonly as?: Dialect;
};

/** What becomes of a node. */
export interface FitNode {
  /** Its index in the graph. */
  readonly node: number;
  /** As the file spells it, and the shared name where that differs. */
  readonly op: string;
  readonly shared?: string;
  readonly name?: string;
  readonly takes: Answer["takes"];
  /** Number of its partition, "cpu", or "melted" into a neighbour. */
  readonly where: number | "cpu" | "melted";
  /** Of one that is refused, or that the documents leave open. */
  readonly rule?: string;
  readonly because?: string;
  /** Taken by the rules and yet on the CPU. */
  readonly left?: string;
}

export interface FitRow {
  /** Id of time/devices; its family and chip of the catalogue. */
  readonly device: string;
  readonly name: string;
  readonly family: string;
  readonly chip?: string;
  /** The device is in the machine that was looked at. */
  readonly here: boolean;
  /** Placement by each target of it, the best first; without nodes unless asked for. */
  readonly placements: readonly FitPlacement[];
  readonly estimate: Estimate;
  readonly watts?: { readonly value: number; readonly source: string };
}

export interface FitTarget {
  readonly id: string;
  readonly name: string;
  readonly tool: string;
  readonly version: string;
  readonly confidence: Confidence;
  readonly sources: readonly string[];
}

export interface FitReport {
  readonly schema: typeof FIT_SCHEMA;
  readonly model: {
    readonly name: string;
    /** "file", or "known": its layers from the paper. */
    readonly from: "file" | "known";
    /** Of a known model: the paper. */
    readonly source?: string;
    readonly input: readonly (readonly (number | string | null)[])[];
    readonly operators: number;
    readonly macs?: number;
    readonly parameters?: number;
    readonly precision?: string;
    /** What was asked to be otherwise: --precision, --batch, --input, --link. */
    readonly assumed: readonly string[];
  };
  readonly rows: readonly FitRow[];
  /** Of the placements in `rows`: which compiler or delegate, in which version, how well its rules are known. */
  readonly targets: readonly FitTarget[];
  /** What would make of this file one that a device takes, where few devices were asked about. */
  readonly conversions?: readonly ConversionReport[];
  /** Cycles, absurd shapes, unknown operators: what makes an answer worth less, a sentence each. */
  readonly findings: readonly string[];
}

export interface FitOptions extends Assumptions {
  /** What the model is called; of a file its name. */
  readonly name?: string;
  /** Ids of devices that are in the machine. */
  readonly here?: ReadonlySet<string>;
  /** Keep what becomes of each node. */
  readonly nodes?: boolean;
  /** For a line each: without the nearest measurements, bound and costly nodes, and without targets behind one that takes all. */
  readonly brief?: boolean;
  /** False: the power of devices is not looked up. */
  readonly watts?: boolean;
  /** Only by these targets. */
  readonly targets?: ReadonlySet<string>;
}

/** Where a model would run on each device, how fast, and why not. Pure; nothing is loaded or asked. */
export function fitOn(subject: Model | KnownModel, devices: readonly Device[], options: FitOptions = {}): FitReport {
  const { devices: asked, assumed } = assumeDevices(devices, options);
  const shapes = shapesOf(subject, options);
  const here = options.here ?? new Set<string>();
  const used = new Map<string, Target>();
  const named: Named = {
    ...(isKnown(subject) ? { name: subject.id } : {}),
    ...(options.brief === undefined ? {} : { brief: options.brief }),
  };
  const rows = asked.map((device): FitRow => {
    const judged: Judged[] = [];
    for (const target of targetsOf(device, options.targets)) {
      used.set(target.id, target);
      judged.push(judge(target, shapes));
      // Nothing behind it can be better.
      if (options.brief === true && judged.at(-1)?.placement.fits === "whole") break;
    }
    const order = [...judged].sort((a, b) => rankOf(a.placement) - rankOf(b.placement));
    const best = order[0];
    const by = best?.by ?? shapes.plain(undefined);
    const timed = timedBy(device, order) ?? best;
    const watts = options.watts === false ? undefined : wattsOf(device);
    return {
      device: device.id,
      name: device.name,
      family: device.family,
      ...(device.chip === undefined ? {} : { chip: device.chip }),
      here: here.has(device.id),
      placements: order.map((one) => told(one, options.nodes === true)),
      estimate: estimateOf(device, timed?.by ?? by, timed?.placement, named),
      ...(watts === undefined ? {} : { watts }),
    };
  });
  const { model } = shapes.plain(undefined);
  return {
    schema: FIT_SCHEMA,
    model: { ...factsOf(shapes.main, subject, options.name), assumed: [...shapes.assumed, ...assumed] },
    rows,
    targets: [...used.values()].map(({ id, name, tool, version, confidence, sources }) => ({
      id,
      name,
      tool,
      version,
      confidence,
      sources,
    })),
    findings: [...doubtsOf(shapes.main), ...(model.findings ?? [])],
  };
}

/** The graph that answers are about: the file's with what was assumed, or a known model's in the operators of `as`. */
export const graphOf = (subject: Model | KnownModel, options: FitOptions, as: Dialect = "onnx"): Model =>
  isKnown(subject) ? buildKnown(subject, options, as) : assume(subject, options).model;

interface Judge {
  readonly views: readonly View[];
  readonly model: ModelView;
  /** A target serves many devices, and answers once. */
  readonly placed: Map<string, Placement>;
  /** Of a known model. */
  readonly dialect?: Dialect;
}

function judgeOf(given: Model, dialect?: Dialect): Judge {
  const { views, model } = viewOf(given);
  return { views, model, placed: new Map(), ...(dialect === undefined ? {} : { dialect }) };
}

/** The same model in the forms that targets want: of a file as it is and as its conversion would be, of a known one in each dialect. */
interface Shapes {
  readonly main: Model;
  readonly known: boolean;
  readonly assumed: readonly string[];
  readonly plain: (target: Target | undefined) => Judge;
  /** Undefined where it is quantised already, or cannot be, or was asked for otherwise. */
  readonly integer: (target: Target) => Judge | undefined;
}

function shapesOf(subject: Model | KnownModel, options: FitOptions): Shapes {
  const judges = new Map<string, Judge | undefined>();
  const once = (key: string, make: () => Model | undefined, dialect?: Dialect): Judge | undefined => {
    if (!judges.has(key)) {
      const made = make();
      judges.set(key, made && judgeOf(made, dialect));
    }
    return judges.get(key);
  };
  if (!isKnown(subject)) {
    const { model, assumed } = assume(subject, options);
    const plain = judgeOf(model);
    return {
      main: model,
      known: false,
      assumed,
      plain: () => plain,
      integer: ({ quark }) =>
        options.precision !== undefined
          ? undefined
          : quark === undefined
            ? once("int8", () => asInteger(model))
            : once(quark, () => asQuark(model, quark)),
    };
  }
  const built = (dialect: Dialect, precision: Precision | undefined): Judge | undefined =>
    once(`${dialect} ${precision ?? ""}`, () => buildKnown(subject, { ...options, precision }, dialect), dialect);
  const main = buildKnown(subject, options, "onnx");
  const first = judgeOf(main, "onnx");
  judges.set(`onnx ${options.precision ?? ""}`, first);
  return {
    main,
    known: true,
    assumed: saysOf(options),
    plain: (target) => (target === undefined ? first : (built(dialectOf(target), options.precision) ?? first)),
    integer: (target) => {
      const { quark } = target;
      if (options.precision !== undefined) return undefined;
      return quark === undefined ? built(dialectOf(target), "int8") : once(quark, () => asQuark(main, quark), "onnx");
    },
  };
}

const dialectOf = ({ names, formats }: Target): Dialect =>
  names === "tflite" || (names === "shared" && !formats.includes("onnx") && formats.includes("tflite"))
    ? "tflite"
    : "onnx";

function placeOnce(by: Judge, target: Target): Placement {
  let placement = by.placed.get(target.id);
  if (placement === undefined) by.placed.set(target.id, (placement = place(by.views, by.model, target)));
  return placement;
}

interface Judged {
  readonly placement: Placement;
  readonly by: Judge;
  readonly once?: string;
}

/**
 * Counts and partitions are those of the model as the target wants it; what it lacks today stays among the prerequisites. A known model
 * is of no type yet: it is judged in the one that the target takes more of. A file is what it is, unless nothing of it is taken.
 */
function judge(target: Target, shapes: Shapes): Judged {
  const plain = shapes.plain(target);
  const asIs = placeOnce(plain, target);
  if (asIs.fits === "whole" || (asIs.fits !== "none" && !shapes.known)) return { placement: asIs, by: plain };
  if (!isOfTypes(asIs)) return { placement: asIs, by: plain };
  const by = shapes.integer(target);
  if (by === undefined) return { placement: asIs, by: plain };
  const then = placeOnce(by, target);
  if (rankOf(then) >= rankOf(asIs)) return { placement: asIs, by: plain };
  return {
    placement: lacking(then, asIs.prerequisites),
    by,
    once: target.quark === undefined ? "quantised to int8" : `quantised by Quark to ${target.quark}`,
  };
}

const lacking = (placement: Placement, prerequisites: Placement["prerequisites"]): Placement => ({
  ...summaryOf(placement),
  // Not spread: they are made when they are asked for.
  get nodes() {
    return placement.nodes;
  },
  prerequisites,
});

function summaryOf(placement: Placement): Omit<Placement, "nodes" | "prerequisites"> {
  const { target, fits, total, taken, cpu, unsure, partitions, share, refusals } = placement;
  return { target, fits, total, taken, cpu, unsure, partitions, share, refusals };
}

/** An Ethos-U is timed as Vela compiles TFLite, whoever takes more of the model in other operators. */
function timedBy({ family }: Device, order: readonly Judged[]): Judged | undefined {
  if (family !== "ethos-u") return undefined;
  return order.find(
    ({ by, placement }) => isReadByVela(by) && targetById(placement.target)?.tool.startsWith("Vela") === true,
  );
}

const isReadByVela = ({ dialect, model }: Judge): boolean => (dialect ?? model.format) === "tflite";

/** Whether anything that is refused or lacking has to do with types: the rest would stay. */
const isOfTypes = ({ refusals, prerequisites }: Placement): boolean =>
  prerequisites.some(({ met, rule, says }) => met !== "yes" && TYPES.test(`${rule} ${says}`)) ||
  refusals.some(({ rule, because }) => TYPES.test(`${rule} ${because}`));

const TYPES = /type|quanti|float|integer|u?int\d|precision|dtype|scale/i;

const standing = { whole: 0, part: 1, unsure: 2, none: 3 } as const;

/** The more operators are taken, the nearer to 0; a sort keeps the device's own order among equals. */
const rankOf = ({ fits, taken, total }: Pick<Placement, "fits" | "taken" | "total">): number =>
  standing[fits] + (total === 0 ? 0 : 1 - taken / total) * 0.9;

function told({ placement, once, by }: Judged, whole: boolean): FitPlacement {
  return {
    ...summaryOf(placement),
    prerequisites: [...otherFormat(placement.target, by), ...placement.prerequisites],
    ...(whole ? { nodes: placement.nodes.map(nodeOf) } : {}),
    ...(once === undefined ? {} : { once }),
    ...(by.dialect === undefined ? {} : { as: by.dialect }),
  };
}

/** A known model is written as each tool wants it; a file has its format. */
function otherFormat(id: string, { model, dialect }: Judge): readonly Prerequisite[] {
  const target = targetById(id);
  if (dialect !== undefined || target === undefined || target.formats.includes(model.format)) return [];
  const says = `${target.tool} reads ${target.formats.join(", ")}; this is ${model.format}`;
  const cure = "convert it first; what the conversion makes of its operators may differ";
  return [{ rule: "format", says, met: "no", else: "refuses", cure }];
}

const nodeOf = ({ view, answer, where, left }: Placed): FitNode => ({
  node: view.index,
  op: view.spelled,
  ...(view.op === view.spelled ? {} : { shared: view.op }),
  ...(view.node.name === undefined || view.node.name === "" ? {} : { name: view.node.name }),
  takes: answer.takes,
  where,
  ...(answer.takes === "yes" ? {} : { rule: answer.rule, because: answer.because }),
  ...(left === undefined ? {} : { left }),
});

let byId: ReadonlyMap<string, Target> | undefined;

export function targetById(id: string): Target | undefined {
  byId ??= new Map(everyTarget.map((target) => [target.id, target]));
  return byId.get(id);
}

/**
 * Those that the device names, in its order, and those that say they serve its family or chip. A processor or a graphics chip was measured
 * by one runtime: what other runtimes would take of a model has nothing to do with that time.
 */
export function targetsOf(device: Device, only?: ReadonlySet<string>): readonly Target[] {
  let all = reached.get(device);
  if (all === undefined) reached.set(device, (all = reachedBy(device)));
  return only === undefined ? all : all.filter(({ id }) => only.has(id));
}

const reached = new WeakMap<Device, readonly Target[]>();

function reachedBy({ family, chip, targets }: Device): readonly Target[] {
  const named = targets.map(targetById).filter((target) => target !== undefined);
  if (family === "cpu" || family === "gpu") return named;
  const place = chip === undefined ? family : `${family}/${chip}`;
  const serves = ({ devices }: Target): boolean => devices.includes(family) || devices.includes(place);
  return [...named, ...everyTarget.filter((target) => serves(target) && !named.includes(target))];
}

/** What is not taken at all has no time there; what others measured on the device is evidence all the same. */
function estimateOf(device: Device, { views, model }: Judge, placement: Placement | undefined, named: Named): Estimate {
  const none = { device: device.id, from: "none", kind: "maker", costly: [], nearest: [] } as const;
  if (views.length === 0) return { ...none, says: ["the model has no graph that can be seen"] };
  const made = estimate(views, model, device, placement, named);
  if (placement?.fits !== "none" || made.median_ms === undefined) return made;
  return { ...none, kind: made.kind, nearest: made.nearest, says: ["nothing of the model runs on it"] };
}
