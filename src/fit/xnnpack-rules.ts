/** What XNNPACK's delegate asks of tensors: their types and quantisation, by the places they have in an operator. */

import type { Tensor } from "../model/graph.ts";
import { constraint } from "./rules.ts";
import type { Constraint } from "./target.ts";
import { type Place, activation, rank, scaleOf, tensorAt, valuesOf } from "./tflite-rules.ts";
import type { View } from "./view.ts";

/** XNN_MAX_TENSOR_DIMS of xnnpack.h. */
export const MOST_DIMENSIONS = 6;

export const fused = activation(["NONE", "RELU", "RELU_N1_TO_1", "RELU6"]);

/** Quantised as a whole, by one scale and one zero point. */
export const isPerTensor = (tensor: Tensor): boolean => tensor.quantization?.scale.length === 1;

export const isFloat = ({ type }: Tensor): boolean => type === "float32" || type === "float16";

export const isFloatOr8 = (tensor: Tensor): boolean =>
  isFloat(tensor) || ((tensor.type === "int8" || tensor.type === "uint8") && isPerTensor(tensor));

export const isFloatOrSigned8 = (tensor: Tensor): boolean =>
  isFloat(tensor) || (tensor.type === "int8" && isPerTensor(tensor));

export const isFloat32Or8 = (tensor: Tensor): boolean => tensor.type !== "float16" && isFloatOr8(tensor);

/** Type and quantisation of operands together: what the delegate calls an unsupported type. */
export function kinds(places: readonly Place[], fits: (tensor: Tensor) => boolean): Constraint {
  const wrong = (view: View): Tensor | undefined =>
    places.map((place) => tensorAt(view, place)).find((tensor) => tensor !== undefined && !fits(tensor));
  return constraint(
    "type",
    "unsupported type",
    (view) => wrong(view) === undefined,
    (view) => {
      const tensor = wrong(view);
      const scales = tensor?.quantization?.scale.length;
      return `${tensor?.type ?? "unknown"}${scales === undefined || scales < 2 ? "" : ` with ${scales} scales`}`;
    },
  );
}

export const floats = kinds([0, "out"], isFloat);

export const floatsOr8 = kinds([0, "out"], isFloatOr8);

/** As many dimensions as XNNPACK's tensors have, none of them empty. */
export const shaped = (...places: Place[]): readonly Constraint[] => [
  rank(places, 0, MOST_DIMENSIONS),
  constraint("shape", "invalid num of elements", (view) =>
    places.every((place) => tensorAt(view, place)?.shape?.every((one) => one !== 0) !== false),
  ),
];

/** Scale of the first operand over that of the output, of one 8-bit type. */
export function ratio(places: readonly number[], least: number, most: number, says: string): Constraint {
  const found = (view: View): number | undefined => {
    const tensors = [...places.map((place) => view.inputs[place]), view.outputs[0]];
    const [first] = tensors;
    if (first?.type !== "int8" && first?.type !== "uint8") return undefined;
    if (tensors.some((tensor) => tensor?.type !== first.type)) return undefined;
    const product = places.reduce((value, place) => value * (scaleOf(view.inputs[place]) ?? 1), 1);
    return product / (scaleOf(view.outputs[0]) ?? 1);
  };
  return constraint(
    "scale",
    says,
    (view) => {
      const value = found(view);
      return value === undefined || (value >= least && value < most);
    },
    (view) => String(found(view)),
  );
}

/** Output and inputs have one scale and one zero point. */
export const sameQuantization = (inputs: "all" | "first", only: readonly string[]): Constraint =>
  constraint("scale", "Mismatching quantization across the input and the output", (view) => {
    const out = view.outputs[0];
    if (out === undefined || !only.includes(out.type)) return true;
    const own = (tensor: Tensor | undefined): string =>
      `${tensor?.quantization?.scale[0] ?? 0} ${tensor?.quantization?.zeroPoint[0] ?? 0}`;
    const given = inputs === "all" ? view.inputs : view.inputs.slice(0, 1);
    return given.every((tensor) => own(tensor) === own(out));
  });

export const positive = (place: number): Constraint =>
  constraint(
    "size",
    "size must be positive",
    ({ inputs }) => {
      const values = valuesOf(inputs[place]);
      return values === undefined ? undefined : values.every((one) => one > 0);
    },
    ({ inputs }) => valuesOf(inputs[place])?.join(", ") ?? "",
  );
