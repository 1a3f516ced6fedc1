/** Constraints of element types and of quantisation. */

import type { ElementType, Tensor } from "../../model/graph.ts";
import type { Constraint } from "../target.ts";
import { constraint, mapped } from "./constraint.ts";

const typeOf = (tensor: Tensor | undefined): string => tensor?.type ?? "";

/** Type of the first variable input. */
export const inTypes = (allowed: readonly ElementType[], says = `input must be ${allowed.join(", ")}`): Constraint =>
  constraint(
    "type",
    says,
    ({ inType }) => inType && allowed.includes(inType),
    ({ inType }) => inType ?? "",
  );

export const outTypes = (allowed: readonly ElementType[], says = `output must be ${allowed.join(", ")}`): Constraint =>
  constraint(
    "type",
    says,
    ({ outType }) => outType && allowed.includes(outType),
    ({ outType }) => outType ?? "",
  );

/** Types of all that goes in and comes out, but for constants of indexes and shapes, which `except` tells by position. */
export const types = (
  allowed: readonly ElementType[],
  says = `tensors must be ${allowed.join(", ")}`,
  except: readonly number[] = [],
): Constraint =>
  constraint(
    "type",
    says,
    ({ inputs, outputs }) =>
      [...inputs.filter((_, at) => !except.includes(at)), ...outputs].every(
        (tensor) => tensor === undefined || allowed.includes(tensor.type),
      ),
    ({ inputs, outputs }) =>
      [...inputs.filter((_, at) => !except.includes(at)), ...outputs]
        .filter((tensor) => tensor !== undefined && !allowed.includes(tensor.type))
        .map(typeOf)
        .find((type) => type !== "") ?? "",
  );

/** Type of the input at a position, where it is given. */
export const inputType = (
  at: number,
  allowed: readonly ElementType[],
  says = `input ${at} must be ${allowed.join(", ")}`,
): Constraint =>
  constraint(
    "type",
    says,
    ({ inputs }) => mapped(inputs[at]?.type, (it) => allowed.includes(it)) ?? true,
    ({ inputs }) => typeOf(inputs[at]),
  );

export const weightTypes = (
  allowed: readonly ElementType[],
  says = `weights must be ${allowed.join(", ")}`,
): Constraint =>
  constraint(
    "weight type",
    says,
    ({ weights }) => weights && allowed.includes(weights.type),
    ({ weights }) => typeOf(weights),
  );

export const biasTypes = (allowed: readonly ElementType[], says = `bias must be ${allowed.join(", ")}`): Constraint =>
  constraint(
    "bias type",
    says,
    ({ bias }) => bias === undefined || allowed.includes(bias.type),
    ({ bias }) => typeOf(bias),
  );

/** First input and first output of one type. */
export const sameType = (says = "input and output must be of the same type"): Constraint =>
  constraint(
    "type",
    says,
    ({ inType, outType }) => inType && outType && inType === outType,
    ({ inType, outType }) => `${inType ?? ""} to ${outType ?? ""}`,
  );

export const quantized = (says = "must be quantised"): Constraint =>
  constraint(
    "quantization",
    says,
    (view) => view.quantized,
    ({ inType }) => inType ?? "",
  );

export const notQuantized = (says = "must not be quantised"): Constraint =>
  constraint(
    "quantization",
    says,
    (view) => !view.quantized,
    ({ inType }) => inType ?? "",
  );

/** One scale for all weights. Weights without scales hold it too: nothing is per channel. */
export const perTensor = (says = "per-channel quantisation is not supported"): Constraint =>
  constraint(
    "per-channel",
    says,
    ({ perChannel }) => perChannel !== true,
    ({ weights }) => `${weights?.quantization?.scale.length ?? 0} scales`,
  );

export const perChannel = (says = "weights must be quantised per channel"): Constraint =>
  constraint(
    "per-channel",
    says,
    ({ perChannel: it }) => it,
    () => "one scale",
  );

const sameScale = (a: Tensor | undefined, b: Tensor | undefined): boolean | undefined => {
  const [one, other] = [a?.quantization, b?.quantization];
  if (one === undefined && other === undefined) return true;
  if (one === undefined || other === undefined || one.scale.length === 0 || other.scale.length === 0) return undefined;
  return one.scale[0] === other.scale[0] && (one.zeroPoint[0] ?? 0) === (other.zeroPoint[0] ?? 0);
};

/** First variable input and output share scale and zero point. */
export const sameQuantization = (says = "input and output must have the same scale and zero point"): Constraint =>
  constraint("quantization", says, (view) => sameScale(view.inputs[view.constant.indexOf(false)], view.outputs[0]));
