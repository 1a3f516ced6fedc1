/**
 * Fit held against what was seen: placements against real compile and delegate decisions (data/fit/decisions.json), Vela's own
 * estimate against its tables, times against published ones, each model left out, answers by class, each chip line left out. The bars
 * stand in src/fit/placement-tables.ts, src/fit/evaluate-latency.ts and src/fit/evaluate-classes.ts.
 */

import { readFileSync } from "node:fs";
import { classTables } from "../src/fit/evaluate-classes.ts";
import { latencyTables } from "../src/fit/evaluate-latency.ts";
import { decisionsOf, evaluatePlacement } from "../src/fit/evaluate-placement.ts";
import { placementTables } from "../src/fit/placement-tables.ts";
import { all as targets } from "../src/fit/targets/index.ts";
import { table } from "./_table.ts";
import { velaTables } from "./_vela.ts";

const decisions = decisionsOf(JSON.parse(readFileSync("data/fit/decisions.json", "utf8"))) ?? [];
const tables = [
  ...placementTables(evaluatePlacement(decisions, { targets })),
  ...velaTables(),
  ...latencyTables(),
  ...classTables(),
];
for (const { title, head, rows } of tables) table(title, head, rows);
