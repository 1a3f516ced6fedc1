/**
 * Constraints that delegates of TFLite put on a node: types, ranks and constness of the operand at a place, version of the operator,
 * activation, scales. Each is a word, the delegate's own sentence and a test that says true, false, or undefined where the file leaves it
 * open. Operands are numbered as in the file; outputs are "out".
 */

import type { ElementType, Tensor } from "../model/graph.ts";
import { constraint } from "./rules.ts";
import type { Constraint, Rule } from "./target.ts";
import { isTflite, type View } from "./view.ts";

/** Number of an input, or the first output. */
export type Place = number | "out";

export const tensorAt = (view: View, place: Place): Tensor | undefined =>
  place === "out" ? view.outputs[0] : view.inputs[place];

const wordOf = (place: Place): string => (place === "out" ? "the output" : `input ${place}`);

/** An input that is not given is not of any type: what is asked of it does not matter. */
const absent = (view: View, place: Place): boolean =>
  place === "out" ? view.outputs.length === 0 : (view.node.inputs[place] ?? -1) < 0;

export const rankOf = (tensor: Tensor | undefined): number | undefined => tensor?.shape?.length;

/** Full shape; undefined where a dimension is open. */
export function shapeOf(tensor: Tensor | undefined): readonly number[] | undefined {
  const shape = tensor?.shape;
  return shape?.every((one): one is number => typeof one === "number") === true ? shape : undefined;
}

export function elementsOfView(tensor: Tensor | undefined): number | undefined {
  return shapeOf(tensor)?.reduce((product, one) => product * one, 1);
}

/** Numbers of a small integer constant: axes, paddings, strides of a slice. */
export const valuesOf = (tensor: Tensor | undefined): readonly number[] | undefined => tensor?.values;

/** Constant in the file, or made of a constant by DEQUANTIZE or DENSIFY alone: what XNNPACK calls quasi-static. */
export function isConstant(view: View, place: number): boolean {
  const tensor = view.inputs[place];
  if (tensor === undefined) return false;
  if (tensor.data !== undefined) return true;
  if (view.constant[place] !== true) return false;
  const maker = view.around?.maker(view, place);
  return maker === undefined || maker.spelled === "DEQUANTIZE" || maker.spelled === "DENSIFY";
}

/** The operands at these places have one of these types. */
export function types(
  places: readonly Place[],
  allowed: readonly ElementType[],
  says = "unsupported type",
): Constraint {
  const wrong = (view: View): Place | undefined =>
    places.find((place) => {
      const type = tensorAt(view, place)?.type;
      return !absent(view, place) && type !== undefined && !allowed.includes(type);
    });
  return constraint(
    "type",
    says,
    (view) => wrong(view) === undefined,
    (view) => {
      const place = wrong(view);
      return place === undefined ? "" : `${tensorAt(view, place)?.type ?? "unknown"} at ${wordOf(place)}`;
    },
  );
}

/** Every variable operand and every output is of one of these types. */
export function everyType(
  allowed: readonly ElementType[],
  says: string,
  outputs: readonly ElementType[] = allowed,
): Constraint {
  const wrong = (view: View): Tensor | undefined =>
    view.inputs.find((tensor) => tensor !== undefined && tensor.data === undefined && !allowed.includes(tensor.type)) ??
    view.outputs.find((tensor) => tensor !== undefined && !outputs.includes(tensor.type));
  return constraint(
    "type",
    says,
    (view) => wrong(view) === undefined,
    (view) => wrong(view)?.type ?? "",
  );
}

export function rank(
  places: readonly Place[],
  least: number,
  most: number,
  says = "unsupported number of shape dimensions",
): Constraint {
  const wrong = (view: View): Place | undefined =>
    places.find((place) => {
      const dimensions = rankOf(tensorAt(view, place));
      return !absent(view, place) && dimensions !== undefined && (dimensions < least || dimensions > most);
    });
  return constraint(
    "rank",
    says,
    (view) => wrong(view) === undefined,
    (view) => {
      const place = wrong(view);
      return place === undefined ? "" : `${rankOf(tensorAt(view, place)) ?? "?"} at ${wordOf(place)}`;
    },
  );
}

/** Of a TFLite file; other formats count operands otherwise, and their converter sees to it. */
export function counts(inputs: readonly [number, number], outputs: readonly [number, number] = [1, 1]): Constraint {
  return constraint(
    "operands",
    "unexpected number of inputs or outputs",
    (view) => !isTflite(view) || (within(view.node.inputs.length, inputs) && within(view.node.outputs.length, outputs)),
    ({ node }) => `${count(node.inputs.length, "input")}, ${count(node.outputs.length, "output")}`,
  );
}

const within = (value: number, [least, most]: readonly [number, number]): boolean => value >= least && value <= most;
const count = (many: number, what: string): string => `${many} ${what}${many === 1 ? "" : "s"}`;

/** The inputs at these places are constant. */
export function constant(
  places: readonly number[],
  says = "expected static read-only tensor",
  word = "constant operand",
): Constraint {
  const wrong = (view: View): number | undefined =>
    places.find((place) => !absent(view, place) && !isConstant(view, place));
  return constraint(
    word,
    says,
    (view) => wrong(view) === undefined,
    (view) => `input ${wrong(view) ?? "?"} varies`,
  );
}

/** Version of the operator in a TFLite file: those of other formats are another thing. */
export function version(least: number, most: number, says = "Operator version not supported"): Constraint {
  return constraint(
    "version",
    says,
    (view) => {
      const { version: own } = view.node;
      return !isTflite(view) || own === undefined || (own >= least && own <= most);
    },
    ({ node }) => `version ${node.version ?? "?"}, ${least === most ? `only ${most}` : `at most ${most}`}`,
  );
}

export function activation(allowed: readonly string[], says = "unsupported fused activation"): Constraint {
  return constraint(
    "activation",
    says,
    (view) => view.activation === undefined || allowed.includes(view.activation),
    (view) => view.activation ?? "",
  );
}

/** An attribute is one of these; absent counts as `otherwise`. */
export function attribute(
  name: string,
  allowed: readonly (number | string | boolean)[],
  otherwise: number | string | boolean,
  says: string,
  word = name,
): Constraint {
  const value = (view: View): unknown => view.node.attributes[name] ?? otherwise;
  return constraint(
    word,
    says,
    (view) => allowed.some((one) => one === value(view)),
    (view) => `${name} ${String(value(view))}`,
  );
}

/** All operands at these places are of one type. */
export function sameType(places: readonly Place[], says = "unsupported mixed types"): Constraint {
  const found = (view: View): (ElementType | undefined)[] =>
    places.filter((place) => !absent(view, place)).map((place) => tensorAt(view, place)?.type);
  return constraint(
    "type",
    says,
    (view) => new Set(found(view).filter((type) => type !== undefined)).size <= 1,
    (view) => found(view).join(", "),
  );
}

/** The one scale of a tensor quantised as a whole. */
export function scaleOf(tensor: Tensor | undefined): number | undefined {
  const scale = tensor?.quantization?.scale;
  return scale?.length === 1 ? scale[0] : undefined;
}

/** The same rule for many operators: names separated by spaces. */
export const listed = (names: string, own: Rule = []): Readonly<Record<string, Rule>> =>
  Object.fromEntries(
    names
      .split(/\s+/)
      .filter((name) => name !== "")
      .map((name): [string, Rule] => [name, own]),
  );

/** No variable operand and no output is of these types. */
export function noType(forbidden: readonly ElementType[], says: string): Constraint {
  const wrong = (view: View): Tensor | undefined =>
    [...view.inputs, ...view.outputs].find((tensor) => tensor !== undefined && forbidden.includes(tensor.type));
  return constraint(
    "type",
    says,
    (view) => wrong(view) === undefined,
    (view) => wrong(view)?.type ?? "",
  );
}

/** float32 activations with 8-bit weights. */
export const notHybrid = (says: string): Constraint =>
  constraint(
    "type",
    says,
    ({ inputs: [data, weights] }) =>
      data?.type !== "float32" || (weights?.type !== "int8" && weights?.type !== "uint8"),
    ({ inputs: [data, weights] }) => `${data?.type ?? "?"} with ${weights?.type ?? "?"} weights`,
  );
