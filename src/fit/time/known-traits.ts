/** Traits of models whose layers are known (known/), by the name that a benchmark gives them. */

import type { Traits } from "./traits.ts";

export function knownTraits(
  _name: string,
  _input: string,
  _published: { readonly params_m?: number; readonly ops_g?: number },
): Traits | undefined {
  return undefined;
}
