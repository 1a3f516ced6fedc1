/** Libraries in the directories that the user named, and nowhere else: what somebody points at comes before what lies about. */

import { resolve } from "node:path";
import { valueOf } from "../base/reading.ts";
import type { Root } from "../root/root.ts";
import { readLibraries } from "./libraries.ts";

/** Path of the first that matches a pattern of Libraries.find(); undefined where nothing was named or nothing is there. */
export function namedLibrary(root: Root, environments: readonly string[], pattern: string): string | undefined {
  if (environments.length === 0) return undefined;
  const places = environments.map((directory) => resolve(directory));
  // Links are resolved there: a place that is one leads elsewhere.
  const real = places.map((place) => valueOf(root.real(place)) ?? place);
  const found = valueOf(readLibraries(root, places))?.find(pattern);
  if (found === undefined) return undefined;
  return valueOf(found)?.find(({ path }) => [...places, ...real].some((place) => path.startsWith(`${place}/`)))?.path;
}
