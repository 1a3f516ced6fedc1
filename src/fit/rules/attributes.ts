/** Constraints of what only some operators have: fused activations, axes, attributes. */

import type { Constraint } from "../target.ts";
import type { View } from "../view.ts";
import { constraint } from "./constraint.ts";

/** Fused activations, as TFLite spells them; NONE is always taken. */
export const activations = (
  allowed: readonly string[],
  says = `fused activation must be ${allowed.join(", ")}`,
): Constraint =>
  constraint(
    "activation",
    says,
    ({ activation }) => activation === undefined || activation === "NONE" || allowed.includes(activation),
    ({ activation }) => activation ?? "",
  );

export const noActivation = (says = "fused activation is not supported"): Constraint => activations([], says);

/** Axis of an operator that names one, counted from the front. */
export const axis = (allowed: (axis: number, rank: number) => boolean, says: string): Constraint =>
  constraint(
    "axis",
    says,
    (view) => {
      const at = axisOf(view);
      const length = view.inShape?.length;
      return at === undefined || length === undefined ? undefined : allowed(at, length);
    },
    (view) => `axis ${axisOf(view) ?? ""}`,
  );

/** An attribute "axis" from the front; undefined where there is none or the rank is open. */
export function axisOf({ node, inShape }: View): number | undefined {
  const said = node.attributes["axis"];
  if (typeof said !== "number") return undefined;
  return said >= 0 ? said : inShape === undefined ? undefined : said + inShape.length;
}

/** An attribute is one of the values; where the file leaves it out it is `absent`. */
export const attribute = (
  name: string,
  allowed: readonly (number | string | boolean)[],
  says = `${name} must be ${allowed.join(" or ")}`,
  absent?: number | string | boolean,
): Constraint =>
  constraint(
    name,
    says,
    ({ node }) => {
      const value = node.attributes[name] ?? absent;
      return value === undefined ? undefined : allowed.some((one) => one === value);
    },
    ({ node }) => `${name} ${String(node.attributes[name] ?? absent ?? "")}`,
  );
