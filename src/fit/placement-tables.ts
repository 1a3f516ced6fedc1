/** Placement agreement as tables, for `npm run bench -- fit` and `accelctl fit --eval`: a line for each tool, then what was missed. */

import type { Check, PlacementEvaluation, Score } from "./evaluate-placement.ts";

export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Bars of the project: exact counts by tool, what may be left unsure, reasons named. */
export const placementBars = {
  exact: [
    [/vela|teflon|tidl|xnnpack/i, 0.97],
    [/edge ?tpu/i, 0.85],
    [/./, 0.75],
  ],
  unsure: 0.25,
  named: 0.85,
} as const;

/** Lines of what was missed that are printed. */
const MISSED = 40;

export function placementTables({ checks, scores }: PlacementEvaluation): readonly Table[] {
  const judged = scores.filter((score) => score.judged > 0);
  const wrong = checks.filter(({ verdict }) => verdict === "wrong" || verdict === "near");
  return [
    {
      title:
        "Placement: operators taken and left, exactly as the compiler or delegate counted them. Bars: exact 97 % (Vela, Teflon, TIDL, " +
        "XNNPACK), 85 % (Edge TPU), 75 % of what is not unsure (others, unsure at most 25 %); reasons named 85 %",
      head: [
        "tool",
        "rows",
        "judged",
        "exact",
        "within one",
        "unsure",
        "partitions",
        "reasons named",
        "graph / known / names",
        "bars",
      ],
      rows: judged.map(scoreLine),
    },
    table("Partitions not as many", ["model", "target", "row: partitions", "ours"], checks.filter(unlike), partsLine),
    table("Not as counted", ["model", "target", "by", "row: taken + left", "ours"], wrong, missLine),
    grouped("Not judged", checks),
    grouped("Reasons that were not named", checks, (check) =>
      check.missed.map((missed) => `${check.target ?? ""}: ${missed}`),
    ),
  ].filter(({ rows }) => rows.length > 0);
}

const percent = (part: number, all: number): string => (all === 0 ? "-" : `${((100 * part) / all).toFixed(1)} %`);

function scoreLine(score: Score): readonly string[] {
  const { tool, rows, judged, exact, near, unsure, stated, named, parted, partedAlike, by } = score;
  return [
    tool,
    String(rows),
    String(judged),
    percent(exact, judged - unsure),
    percent(near, judged - unsure),
    percent(unsure, judged),
    parted === 0 ? "-" : `${percent(partedAlike, parted)} of ${parted}`,
    stated === 0 ? "-" : `${percent(named, stated)} of ${stated}`,
    `${by.graph} / ${by.known} / ${by.histogram}`,
    meets(score) ? "met" : "missed",
  ];
}

export function meets({ tool, judged, exact, unsure, stated, named }: Score): boolean {
  const bar = placementBars.exact.find(([test]) => test.test(tool))?.[1] ?? 1;
  const strict = bar > 0.8;
  const known = strict ? judged : judged - unsure;
  return (
    exact >= bar * known && (strict || unsure <= placementBars.unsure * judged) && named >= placementBars.named * stated
  );
}

const count = (value: number | null | undefined): string =>
  value === null || value === undefined ? "?" : String(value);

const missLine = ({ decision, target, evidence, taken, cpu }: Check): readonly string[] => [
  decision.model.slice(0, 60),
  target ?? "",
  evidence ?? "",
  `${count(decision.accel_ops)} + ${count(decision.cpu_ops)}`,
  `${count(taken)} + ${count(cpu)}`,
];

const unlike = ({ partitions }: Check): boolean => partitions !== undefined && partitions.ours !== partitions.theirs;

const partsLine = ({ decision, target, partitions }: Check): readonly string[] => [
  decision.model.slice(0, 60),
  target ?? "",
  count(partitions?.theirs),
  count(partitions?.ours),
];

function table(
  title: string,
  head: readonly string[],
  checks: readonly Check[],
  line: (check: Check) => readonly string[],
): Table {
  const more = checks.length - MISSED;
  const rows = checks.slice(0, MISSED).map(line);
  return { title, head, rows: more > 0 ? [...rows, [`and ${more} more`]] : rows };
}

/** The same reason once, most rows first. */
function grouped(
  title: string,
  checks: readonly Check[],
  of: (check: Check) => readonly string[] = ({ verdict, why = "" }) => (verdict === "skipped" ? [why] : []),
): Table {
  const counts = new Map<string, number>();
  for (const check of checks)
    for (const text of of(check)) counts.set(text.slice(0, 160), (counts.get(text.slice(0, 160)) ?? 0) + 1);
  const rows = [...counts].sort((a, b) => b[1] - a[1]).slice(0, MISSED);
  return { title, head: ["why", "rows"], rows: rows.map(([text, rowCount]) => [text, String(rowCount)]) };
}
