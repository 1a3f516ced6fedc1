/** Constraints of shapes: ranks, sizes, what is constant, broadcasting. */

import { type Tensor, bytesOf } from "../../model/graph.ts";
import type { Constraint } from "../target.ts";
import type { View } from "../view.ts";
import { type Range, both, constraint, mapped, rangeWords, times, within } from "./constraint.ts";

const rankOf = (tensor: Tensor | undefined): number | undefined => tensor?.shape?.length;

const shapeWords = (tensor: Tensor | undefined): string =>
  tensor?.shape?.map((dimension) => dimension ?? "?").join("x") ?? "";

/** Rank of the first variable input. */
export const rank = (range: Range, says = `rank must be ${rangeWords(range)}`): Constraint =>
  constraint(
    "rank",
    says,
    ({ inShape }) => mapped(inShape, (shape) => within(shape.length, range)),
    ({ inShape }) => `rank ${inShape?.length ?? ""}`,
  );

/** Rank of all that goes in and comes out. */
export const everyRank = (range: Range, says = `rank of every tensor must be ${rangeWords(range)}`): Constraint =>
  constraint(
    "rank",
    says,
    ({ inputs, outputs }) => {
      const ranks = [...inputs, ...outputs].filter((tensor) => tensor !== undefined).map(rankOf);
      if (ranks.some((it) => it !== undefined && !within(it, range))) return false;
      return ranks.includes(undefined) ? undefined : true;
    },
    ({ inputs, outputs }) => {
      const tensor = [...inputs, ...outputs].find((one) => mapped(rankOf(one), (it) => !within(it, range)) === true);
      return tensor === undefined ? "" : `${tensor.name} is ${shapeWords(tensor)}`;
    },
  );

/** The first dimension of what goes in is 1. */
export const batchOne = (says = "batch must be 1"): Constraint =>
  constraint(
    "batch",
    says,
    ({ batch }) => mapped(batch, (it) => it === 1),
    ({ batch }) => `batch ${batch ?? ""}`,
  );

export const staticShapes = (says = "shapes must be static"): Constraint =>
  constraint(
    "dynamic",
    says,
    ({ dynamic }) => !dynamic,
    ({ inputs, outputs }) =>
      shapeWords(
        [...inputs, ...outputs].find(
          (tensor) => tensor?.shape?.some((dimension) => typeof dimension !== "number") === true,
        ),
      ),
  );

/** Weights are constants of the file. */
export const constantWeights = (says = "weights must be constant"): Constraint =>
  constraint(
    "constant weights",
    says,
    ({ weights, node }) => weights !== undefined || typeof node.attributes["weight_data_size"] === "number",
  );

/** The input at a position is a constant of the file, or not given. */
export const constantInput = (at: number, says = `input ${at} must be constant`): Constraint =>
  constraint("constant input", says, ({ inputs, constant }) => inputs[at] === undefined || constant[at] === true);

/** Height and width of the image, each. */
export const imageSize = (range: Range, says = `height and width must be ${rangeWords(range)}`): Constraint =>
  constraint(
    "size",
    says,
    ({ inSize }) => both(inSize, (one) => within(one, range)),
    ({ inSize }) => times(inSize),
  );

export const channels = (range: Range, says = `channels must be ${rangeWords(range)}`): Constraint =>
  constraint(
    "channels",
    says,
    ({ inChannels }) => mapped(inChannels, (it) => within(it, range)),
    ({ inChannels }) => `${inChannels ?? ""} channels`,
  );

export const outChannels = (range: Range, says = `output channels must be ${rangeWords(range)}`): Constraint =>
  constraint(
    "channels",
    says,
    ({ outChannels: it }) => mapped(it, (one) => within(one, range)),
    ({ outChannels: it }) => `${it ?? ""} channels`,
  );

/** Each dimension of all that goes in and comes out. */
export const dimensions = (range: Range, says = `dimensions must be ${rangeWords(range)}`): Constraint =>
  constraint(
    "size",
    says,
    ({ inputs, outputs }) => {
      const all = [...inputs, ...outputs].filter((tensor) => tensor !== undefined);
      if (all.some(({ shape }) => shape?.some((one) => typeof one === "number" && !within(one, range)) === true))
        return false;
      return all.every(({ shape }) => shape?.every((one) => typeof one === "number") === true) ? true : undefined;
    },
    ({ inputs, outputs }) =>
      shapeWords(
        [...inputs, ...outputs].find(
          (tensor) => tensor?.shape?.some((one) => typeof one === "number" && !within(one, range)) === true,
        ),
      ),
  );

/** Bytes of what comes out. */
export const outputBytes = (most: number, says = `output must be at most ${most} bytes`): Constraint =>
  constraint(
    "size",
    says,
    ({ outputs }) => mapped(outputs[0] && bytesOf(outputs[0]), (it) => it <= most),
    ({ work }) => `${work.outputBytes ?? ""} bytes`,
  );

const shapesOf = ({ inputs }: View): readonly (readonly number[])[] | undefined => {
  const shapes = inputs.slice(0, 2).map((tensor) => tensor?.shape);
  const known = shapes.filter((shape): shape is number[] => shape?.every((one) => typeof one === "number") === true);
  return known.length === shapes.length ? known : undefined;
};

const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((one, at) => one === b[at]);

const broadcastWords = ({ inputs }: View): string => inputs.slice(0, 2).map(shapeWords).join(" and ");

/** Both operands have the same shape. */
export const noBroadcast = (says = "broadcasting is not supported"): Constraint =>
  constraint("broadcast", says, (view) => mapped(shapesOf(view), ([a = [], b = a]) => sameShape(a, b)), broadcastWords);

/** One operand has the output's shape: the other alone is spread. */
export const oneSidedBroadcast = (says = "only one input may be broadcast"): Constraint =>
  constraint(
    "broadcast",
    says,
    (view) =>
      mapped(shapesOf(view), (shapes) => mapped(view.outShape, (out) => shapes.some((shape) => sameShape(shape, out)))),
    broadcastWords,
  );

/** An operand of one element, or of the same shape. */
export const scalarBroadcast = (says = "only scalars may be broadcast"): Constraint =>
  constraint(
    "broadcast",
    says,
    (view) =>
      mapped(
        shapesOf(view),
        ([a = [], b = a]) => sameShape(a, b) || [a, b].some((shape) => shape.every((one) => one === 1)),
      ),
    broadcastWords,
  );

export const inputCount = (range: Range, says = `number of inputs must be ${rangeWords(range)}`): Constraint =>
  constraint(
    "inputs",
    says,
    ({ node }) => within(node.inputs.filter((input) => input >= 0).length, range),
    ({ node }) => `${node.inputs.length} inputs`,
  );
