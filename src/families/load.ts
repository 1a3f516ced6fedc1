/**
 * Families by id. Here all of them are at hand; in the bundled command line tools/build.mjs puts a file of the same two functions in
 * this one's place that evaluates a family's file when it is first asked for: a list of one device needs one family, not fifty.
 */

import type { Family } from "./family.ts";
import { families } from "./index.ts";

export function loadFamily(id: string): Family | undefined {
  return families.find((family) => family.id === id);
}

/** All families in the catalogue's order. */
export function allFamilies(): readonly Family[] {
  return families;
}
