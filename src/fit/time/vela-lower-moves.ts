/** What Vela makes of operators that only move: reshapes and parts that vanish, paddings, concatenations, transposes, resizes. */

import { isConstant, shapeOf } from "../vela-tensors.ts";
import type { View } from "../view.ts";
import { aliases, constant, volumeOf, type Lowering } from "./vela-lowering.ts";
import { POINT, type Volume } from "./vela-machine.ts";

/** The same memory in another shape, where nobody else reads it and it is Vela's own; else a copy. */
export function reshape(lowering: Lowering, view: View): void {
  const [from = -1] = view.node.inputs;
  const [to = -1] = view.node.outputs;
  const maker = lowering.producer.get(from);
  const shared = (lowering.consumers.get(from)?.length ?? 0) > 1;
  if (shared || maker === undefined || !lowering.taken(maker)) {
    lowering.emit(view, "Memcpy", "copy", lowering.ref(view, 0), lowering.out(view), { linear: true });
    return;
  }
  lowering.alias.set(to, lowering.root(from));
  // What is left is the tensor that the reshape gives.
  lowering.shapes.set(lowering.key(to), volumeOf(shapeOf(view.outputs[0])));
}

/** Consumers read their part themselves where they can. */
export function read(lowering: Lowering, view: View): void {
  const at = view.spelled === "SPLIT" ? 1 : 0;
  const whole = lowering.ref(view, at);
  view.node.outputs.forEach((output, index) => {
    const part = partOf(view, index, whole.shape);
    const list = lowering.consumers.get(output) ?? [];
    const same = String(part) === String(volumeOf(shapeOf(view.outputs[index])));
    const able =
      list.length > 0 &&
      list.every(
        (one) =>
          lowering.taken(one) && !aliases.has(one.spelled) && one.spelled !== "MUL" && one.spelled !== "TRANSPOSE",
      );
    const source = view.node.inputs[at] ?? -1;
    if (able && same && whole.part === undefined && !isConstant(view.inputs[at]))
      lowering.parts.set(output, { from: source, shape: whole.shape, part });
    else lowering.copy(view, { ...whole, part }, lowering.out(view, part, index));
  });
}

export function partOf(view: View, index: number, whole: Volume): Volume {
  const given = volumeOf(shapeOf(view.outputs[index]));
  if (view.spelled !== "UNPACK") return given;
  const axis = view.node.attributes["axis"];
  const shape = [...shapeOf(view.inputs[0])];
  shape[typeof axis === "number" ? (axis < 0 ? axis + shape.length : axis) : 0] = 1;
  return shape.length === 0 ? whole : volumeOf(shape);
}

export function pad(lowering: Lowering, view: View): void {
  const [from = -1] = view.node.inputs;
  const [to = -1] = view.node.outputs;
  const pads = view.inputs[1]?.values ?? [];
  const [left = 0, right = 0] = pads.slice(-4, -2);
  const [top = 0, bottom = 0] = pads.slice(-6, -4);
  const readers = lowering.consumers.get(to) ?? [];
  const melts =
    readers.length > 0 && readers.every((one) => lowering.taken(one) && padsItself(one, top, bottom, left, right));
  if (melts) {
    lowering.melted.set(to, lowering.root(from));
    return;
  }
  const ifm = lowering.ref(view, 0);
  const [, width, depth] = volumeOf(shapeOf(view.outputs[0]));
  const whole = lowering.out(view);
  lowering.copy(view, ifm, { ...whole, part: ifm.shape });
  const bands: readonly Volume[] = [
    [top, width, depth],
    [bottom, width, depth],
    [ifm.shape[0], left, depth],
    [ifm.shape[0], right, depth],
  ];
  for (const band of bands)
    if (band[0] > 0 && band[1] > 0)
      lowering.copy(view, { tensor: `=p${++lowering.own}`, shape: band, bits: ifm.bits }, { ...whole, part: band });
}

export function concatenate(lowering: Lowering, view: View): void {
  const whole = lowering.out(view);
  const target = lowering.sums ? lowering.temporary(whole.shape, whole.bits) : whole;
  if (lowering.sums) lowering.shapes.set(target.tensor, lowering.shapes.get(whole.tensor) ?? whole.shape);
  const raw = view.node.attributes["axis"];
  const axis = typeof raw === "number" ? raw : -1;
  view.inputs.forEach((tensor, at) => {
    const shape = [...shapeOf(tensor)];
    if (view.spelled === "PACK") shape.splice(axis < 0 ? axis + shape.length + 1 : axis, 0, 1);
    const part = volumeOf(shape);
    const ifm = lowering.ref(view, at, part);
    const across = part[2] !== whole.shape[2] && part[2] % 16 !== 0;
    lowering.copy(view, ifm, { ...target, part }, across ? { linear: true } : {});
  });
  if (!lowering.sums) return;
  lowering.emit(undefined, "Add", "elementwise", target, whole, { kind: "sum", ifm2: constant(8, "=sum") });
}

export function resize(lowering: Lowering, view: View): void {
  const ifm = lowering.ref(view, 0);
  const out = lowering.out(view);
  const [h, w, d] = ifm.shape;
  const [oh, ow] = out.shape;
  const bilinear = view.spelled === "RESIZE_BILINEAR";
  const corners = view.node.attributes["align_corners"] === true;
  if (h === oh && w === ow)
    return void lowering.alias.set(view.node.outputs[0] ?? -1, lowering.root(view.node.inputs[0] ?? -1));
  if (h === 1 && w === 1)
    return void lowering.emit(view, "Add", "elementwise", constant(8, `=r${++lowering.own}`, out.shape), out, {
      kind: "sum",
      ifm2: ifm,
    });
  if (bilinear && view.node.attributes["half_pixel_centers"] === true) {
    const middle = lowering.temporary(ifm.shape, ifm.bits);
    lowering.copy(view, ifm, middle);
    for (let part = 0; part < 4; part++)
      lowering.emit(
        view,
        "DepthwiseConv2DBias",
        "depthwise",
        middle,
        { ...out, part: ifm.shape },
        { kernel: { ...POINT, h: 2, w: 2 }, weights: 4 * d, biased: true, linear: true },
      );
    return;
  }
  const times = Math.max(1, Math.round(Math.log2(corners ? (oh - 1) / Math.max(1, h - 1) : oh / h)));
  let from = ifm;
  for (let turn = 1; turn < times; turn++) {
    const next = lowering.temporary([from.shape[0] * 2, from.shape[1] * 2, d], ifm.bits);
    lowering.emit(view, bilinear ? "ResizeBilinear" : "ResizeNearestNeighbor", "pool", from, next, {
      upscale: "nearest",
    });
    from = next;
  }
  const reach = 2 ** times;
  lowering.emit(view, bilinear ? "ResizeBilinear" : "ResizeNearestNeighbor", "pool", from, out, {
    upscale: "nearest",
    kernel: bilinear ? { ...POINT, h: reach, w: reach } : POINT,
  });
}

export function transpose(lowering: Lowering, view: View): void {
  const shape = shapeOf(view.inputs[0]);
  const order = view.inputs[1]?.values ?? [];
  let [h, w, d] = volumeOf(shape);
  const last = order.at(-1) === shape.length - 1;
  if (!last) [h, w, d] = h === 1 ? [w, d, 1] : [h, d, 1];
  const from = lowering.ref(view, 0, [h, w, d]);
  const out = lowering.out(view);
  lowering.copy(view, from, { ...out, shape: [h, w, d] }, { linear: true });
}

/** Whether a convolution of VALID padding can do a PAD's work. */
function padsItself(view: View, top: number, bottom: number, left: number, right: number): boolean {
  if (!/^(?:DEPTHWISE_)?CONV_2D$|^AVERAGE_POOL_2D$/.test(view.spelled) || view.padding !== "valid") return false;
  const { kernel = [1, 1], dilation = [1, 1], stride = [1, 1] } = view;
  const h = (kernel[0] - 1) * dilation[0] + 1;
  const w = (kernel[1] - 1) * dilation[1] + 1;
  const [halfH, halfW] = [Math.floor(h / 2), Math.floor(w / 2)];
  if (left > halfW || right > halfW || top > halfH || bottom > halfH) return false;
  const leads = (pad: number, step: number, half: number): boolean => pad === half || half <= step || pad % step === 0;
  return leads(top, stride[0], halfH) && leads(left, stride[1], halfW);
}
