/**
 * What-if: the model or the devices as they would be. A known model is built anew; of a file types and sizes are exchanged, which is what
 * its conversion would do to them, and each such step is said in a sentence.
 */

import { CannotError, UsageError } from "../base/errors.ts";
import { elementBits, elementsOf, type ElementType, type Graph, type Model, type Tensor } from "../model/graph.ts";
import { opKind } from "../model/ops.ts";
import { schemeOf } from "../model/quantization.ts";
import type { BuildOptions, KnownModel } from "./known.ts";
import { resizeGraph } from "./resize.ts";
import type { Device } from "./time/estimate.ts";

export type Precision = NonNullable<BuildOptions["precision"]>;

export interface Assumptions {
  readonly precision?: Precision;
  readonly batch?: number;
  /** [height, width] of the pictures that go in. */
  readonly input?: readonly [number, number];
  readonly link?: NonNullable<Device["link"]>["kind"];
}

/** Rates at which a link carries tensors; of USB and PCI Express what is left of the signalling rate after their own framing. */
export const links: Readonly<Record<"usb2" | "usb3" | "pcie", { bytes_per_s: number; source: string }>> = {
  usb2: { bytes_per_s: 40e6, source: "USB 2.0: 480 Mbit/s signalled, some 40 MB/s of bulk transfer left" },
  usb3: { bytes_per_s: 400e6, source: "USB 3.0: 5 Gbit/s signalled with 8b/10b, some 400 MB/s of bulk transfer left" },
  pcie: { bytes_per_s: 450e6, source: "PCI Express 2.0 x1: 5 GT/s with 8b/10b, some 450 MB/s left after headers" },
};

type Asked = { readonly [K in keyof Assumptions]?: Assumptions[K] | undefined };

export type Dialect = NonNullable<BuildOptions["dialect"]>;

/** A file with other types and sizes. Throws CannotError where the file is for its own sizes alone. */
export function assume(
  file: Model,
  { precision, batch, input }: Asked,
): { readonly model: Model; readonly assumed: readonly string[] } {
  const assumed: string[] = [];
  let model = file;
  if (input !== undefined || batch !== undefined) {
    model = changed(model, resizeGraph(mainOf(model), { input, batch }));
    if (batch !== undefined) assumed.push(`batch of ${batch}`);
    if (input !== undefined)
      assumed.push(`input of ${input.join("x")}: sizes behind it follow by each operator's stride`);
  }
  if (precision !== undefined) {
    const { kind } = schemeOf(model) ?? {};
    const had = kind === undefined ? "" : `; the file is ${kind}`;
    model = changed(model, withPrecision(mainOf(model), precision));
    assumed.push(precision === "int8" ? `int8, weights with a scale for each channel${had}` : `${precision}${had}`);
  }
  return { model, assumed };
}

/** The file as its quantised form would be, where it is of floats; undefined where it is quantised, or cannot be. */
export function asInteger(file: Model): Model | undefined {
  const { kind } = schemeOf(file) ?? {};
  if (kind === "full integer" || kind === "qdq" || kind === "integer operators") return undefined;
  const graph = file.graphs[file.main ?? 0];
  if (graph === undefined || graph.nodes.length === 0 || file.targets.length > 0) return undefined;
  return changed(file, withPrecision(graph, "int8"));
}

export function buildKnown(known: KnownModel, { precision, batch, input }: Asked, dialect: Dialect): Model {
  if (input !== undefined && known.input[1] === 1 && known.input[2] > 1 && input[0] !== 1) {
    throw new UsageError(`${known.id} takes no pictures: its input is of ${known.input.join("x")}`);
  }
  return known.build({
    dialect,
    ...(input === undefined ? {} : { input: [known.input[0], input[0], input[1]] }),
    ...(batch === undefined ? {} : { batch }),
    ...(precision === undefined ? {} : { precision }),
  });
}

/** Of a known model: all of it is built so. */
export const saysOf = ({ precision, batch, input }: Asked): readonly string[] => [
  ...(precision === undefined ? [] : [precision]),
  ...(batch === undefined ? [] : [`batch of ${batch}`]),
  ...(input === undefined ? [] : [`input of ${input.join("x")}`]),
];

export function assumeDevices(
  devices: readonly Device[],
  { link }: Asked,
): { readonly devices: readonly Device[]; readonly assumed: readonly string[] } {
  if (link === undefined) return { devices, assumed: [] };
  return { devices: devices.map((device) => linked(device, link)), assumed: [linkSays(link, devices)] };
}

function mainOf(model: Model): Graph {
  const graph = model.graphs[model.main ?? 0];
  if (graph === undefined || graph.nodes.length === 0) {
    throw new CannotError("what-if needs a graph, and none can be seen in this file");
  }
  return graph;
}

const changed = (model: Model, graph: Graph): Model => ({
  ...model,
  graphs: model.graphs.map((one, at) => (at === (model.main ?? 0) ? graph : one)),
});

const floats: ReadonlySet<ElementType> = new Set(["float64", "float32", "float16", "bfloat16"]);
const integers: ReadonlySet<ElementType> = new Set(["int8", "uint8", "int16", "int4", "uint4"]);

/** Every tensor of floats (or, back to floats, every quantised one) gets the other type; shapes, indices and masks stay. */
function withPrecision(graph: Graph, precision: Precision): Graph {
  const roles = rolesOf(graph);
  const tensors = graph.tensors.map((tensor, index): Tensor => {
    const stored = integers.has(tensor.type) && tensor.quantization !== undefined;
    const bias = roles[index] === BIAS;
    if (precision === "int8") {
      if (!floats.has(tensor.type)) return tensor;
      const axis = roles[index] === WEIGHTS ? channelAxis(tensor) : undefined;
      const scales = axis === undefined ? 1 : channelsAt(tensor, axis);
      return resized(
        {
          ...tensor,
          quantization: {
            scale: new Array<number>(scales).fill(1),
            zeroPoint: new Array<number>(scales).fill(0),
            ...(axis === undefined ? {} : { axis }),
          },
        },
        bias ? "int32" : "int8",
      );
    }
    const { quantization, ...rest } = tensor;
    if (floats.has(tensor.type)) return resized(tensor, precision);
    return stored || (bias && quantization !== undefined) ? resized(rest, precision) : tensor;
  });
  return { ...graph, tensors };
}

const WEIGHTS = 1;
const BIAS = 2;

function rolesOf(graph: Graph): Uint8Array {
  const roles = new Uint8Array(graph.tensors.length);
  for (const { op, inputs } of graph.nodes) {
    const kind = opKind(op);
    if (kind !== "convolution" && kind !== "matrix") continue;
    inputs.forEach((index, at) => {
      const tensor = graph.tensors[index];
      if (at === 0 || tensor?.data === undefined) return;
      roles[index] = (tensor.shape?.length ?? 0) > 1 ? WEIGHTS : BIAS;
    });
  }
  return roles;
}

/** Scales of a tensor; beyond this they are one. */
const SCALES = 65_536;

/** Filters lead with what they put out, except TFLite's depthwise ones of shape [1, height, width, channels]. */
const channelAxis = ({ shape = [] }: Tensor): number => (shape.length === 4 && shape[0] === 1 ? 3 : 0);

function channelsAt({ shape }: Tensor, axis: number): number {
  const size = shape?.[axis];
  return typeof size === "number" && size > 0 && size <= SCALES ? size : 1;
}

function resized(tensor: Tensor, type: ElementType): Tensor {
  const elements = elementsOf(tensor.shape);
  const bits = elementBits[type];
  if (tensor.data === undefined || elements === undefined || bits === undefined) return { ...tensor, type };
  // The extent of the file is another's now: only the size is told.
  return { ...tensor, type, data: { bytes: Math.ceil((elements * bits) / 8) } };
}

/** A device on a link is moved to another; what shares the processor's memory stays where it is. */
function linked(device: Device, kind: NonNullable<Assumptions["link"]>): Device {
  if (!moves(device) || kind === "shared memory" || device.link?.kind === kind) return device;
  const measured = device.measuredLink ?? device.link;
  return {
    ...device,
    link: { kind, ...links[kind] },
    ...(measured === undefined ? {} : { measuredLink: measured }),
  };
}

const moves = ({ link }: Device): boolean => link !== undefined && link.kind !== "shared memory";

function linkSays(kind: NonNullable<Assumptions["link"]>, devices: readonly Device[]): string {
  if (kind === "shared memory") return "no link: a device behind one cannot be moved into the processor's memory";
  const many = devices.filter(moves).length;
  const stay =
    many === devices.length ? "" : `; ${devices.length - many} of ${devices.length} devices have no link to change`;
  return `link ${kind} (${links[kind].source})${stay}`;
}
