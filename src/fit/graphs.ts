/** Skeletons of data/fit/graphs by the name of their model; one is opened when someone asks for it. */

import type { Model } from "../model/graph.ts";
import { squash } from "./find-known.ts";
import { modelOfSkeleton, type Skeleton } from "./skeleton.ts";
import { dataOf } from "./time/data.ts";

let files: ReadonlyMap<string, string> | undefined;

/** The graph of a model that benchmarks name so; case and all but letters and digits do not count. */
export function findSkeleton(name: string): Model | undefined {
  files ??= new Map(
    Object.entries(dataOf<Record<string, string>>("graphs/index.json")).map(([one, file]) => [squash(one), file]),
  );
  const file = files.get(squash(name));
  return file === undefined ? undefined : modelOfSkeleton(dataOf<Skeleton>(`graphs/${file}`));
}
