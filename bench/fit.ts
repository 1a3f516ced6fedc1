/**
 * Fit held against what was seen: placements against real compile and delegate decisions (data/fit/decisions.json). The bars stand in
 * src/fit/placement-tables.ts.
 */

import { readFileSync } from "node:fs";
import { decisionsOf, evaluatePlacement } from "../src/fit/evaluate-placement.ts";
import { placementTables } from "../src/fit/placement-tables.ts";
import { all as targets } from "../src/fit/targets/index.ts";
import { table } from "./_table.ts";
import { velaTables } from "./_vela.ts";

const decisions = decisionsOf(JSON.parse(readFileSync("data/fit/decisions.json", "utf8"))) ?? [];
for (const { title, head, rows } of placementTables(evaluatePlacement(decisions, { targets })))
  table(title, head, rows);

for (const { title, head, rows } of velaTables()) table(title, head, rows);
