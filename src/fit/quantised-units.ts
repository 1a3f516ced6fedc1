/** Operators of a QDQ graph seen without the Q and DQ between them: ONNX Runtime's node units (DQ, operator, Q). */

import type { View } from "./view.ts";

const isQuantisation = ({ spelled }: View): boolean => spelled === "QuantizeLinear" || spelled === "DequantizeLinear";

/** Q and DQ between two operators are two; more is no graph of a quantiser. */
const DEPTH = 4;

/** Who makes an input, behind Q and DQ. */
export function throughQuantisation(view: View, input = 0): View | undefined {
  let before = view.around?.maker(view, input);
  for (let depth = 0; before !== undefined && isQuantisation(before) && depth < DEPTH; depth++)
    before = before.around?.maker(before, 0);
  return before !== undefined && isQuantisation(before) ? undefined : before;
}

/** Who takes the output, behind Q and DQ. */
export function consumed(view: View, depth = 0): readonly View[] {
  const users = view.around?.users(view) ?? [];
  return depth >= DEPTH ? [] : users.flatMap((user) => (isQuantisation(user) ? consumed(user, depth + 1) : [user]));
}

/** Groups as many as channels, told from the filters where shapes are not. */
export function isDepthwiseConv(view: View): boolean {
  if (view.depthwise) return true;
  return view.groups !== undefined && view.groups > 1 && view.weights?.shape?.[1] === 1;
}
