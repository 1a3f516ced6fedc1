/** Vela's estimate made anew against Vela's own table (data/fit/vela-layers.json), as a table of `npm run bench -- fit`. */

import { readFileSync } from "node:fs";
import { velaTable, type VelaLayers } from "../src/fit/evaluate-vela.ts";
import type { Table } from "../src/fit/placement-tables.ts";
import vela from "../src/fit/targets/vela.ts";

export function velaTables(): readonly Table[] {
  const layers = JSON.parse(readFileSync("data/fit/vela-layers.json", "utf8")) as VelaLayers;
  const target = vela.find(({ id }) => id === "vela-nxp");
  return target === undefined ? [] : [velaTable(layers, target)];
}
