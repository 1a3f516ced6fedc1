/** Files of data/fit, read when they are first needed: from the checkout, or beside the bundle. */

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { CannotError } from "../../base/errors.ts";

const held = new Map<string, unknown>();

/** What tools/fit.mjs wrote: `T` is its own type. */
export function dataOf<T>(name: string): T {
  let value = held.get(name);
  if (value === undefined) {
    const here = dirname(fileURLToPath(import.meta.url));
    const places = [
      `../../../data/fit/${name}`,
      `../../data/fit/${name}`,
      `fit/${name}`,
      `../data/fit/${name}`,
      `data/fit/${name}`,
    ];
    const found = places.map((place) => join(here, place)).find((place) => existsSync(place));
    if (found === undefined) throw new CannotError(`accelctl's data/fit/${name} is not found from ${here}`);
    value = JSON.parse(readFileSync(found, "utf8"));
    held.set(name, value);
  }
  return value as T; // written by tools/fit.mjs
}
