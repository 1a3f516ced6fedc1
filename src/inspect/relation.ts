/** A requirement's relation in words. */

import type { Requirement } from "../model/graph.ts";

/** "at least 4.14.0", "of the series 5.1.x". */
export function relationWords({ relation, version }: Pick<Requirement, "relation" | "version">): string {
  if (relation === "series") return `of the series ${version}.x`;
  if (relation === "other than") return `of another series than ${version}.x`;
  return `${relation} ${version}`;
}
