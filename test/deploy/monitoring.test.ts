/** Dashboard and alerts: of Grafana's own types, in PromQL, and about nothing that /metrics does not tell. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { exposedFamilies, type ServedModel } from "../../src/export/prometheus.ts";
import { review } from "../../src/review/review.ts";
import { openRoot } from "../../src/root/open.ts";
import { METRIC_WORDS } from "../../src/watch/words.ts";
import { machines } from "../support/machines.ts";
import { hasProgram, unlessProgram } from "../support/programs.ts";
import { device, known, processUse, sample, unknown } from "../support/samples.ts";
import { top } from "../support/shared.ts";
import { dashboard, expressions } from "./dashboard.ts";

const alertsFile = join(top, "deploy/prometheus/alerts.yml");
const promtool = hasProgram("promtool");

const spread = { bounds: [1], counts: [1], count: 1, sum: 1 };
const model: ServedModel = {
  name: "m",
  version: "1",
  device: "cpu",
  requests: { ok: 1 },
  waiting: 0,
  running: 0,
  restarts: 0,
  batches: 0,
  batched: 0,
  queue_seconds: spread,
  run_seconds: spread,
};

let names: ReadonlyMap<string, ReadonlySet<string>> | undefined;
/** Every name /metrics can have, with the labels it has. */
const exported = (): ReadonlyMap<string, ReadonlySet<string>> => (names ??= findExported());

function findExported(): ReadonlyMap<string, ReadonlySet<string>> {
  const metrics = METRIC_WORDS.map(({ name }) => known(name, 1, "part"));
  const one = device("a", {
    family: "f",
    driver: "d",
    power_state: "active",
    processes: [processUse(1, "p", metrics)],
  });
  const exposed = {
    sample: sample([{ ...one, metrics }, device("b", { metrics: [unknown("busy_ratio", "first", "")] })]),
    report: review((machines["lunar-lake-no-firmware"] ?? openRoot)()),
    models: [model],
    http: {
      connections: 1,
      under_way: 1,
      held_bytes: 1,
      turned_away: 1,
      let_go: 1,
      refused: { queue: 1 },
      routes: [{ method: "GET", route: "/v2", answers: [[200, 1] as const], seconds: spread }],
    },
    scrape_seconds: 1,
  };
  const found = new Map<string, Set<string>>();
  for (const { name, values } of exposedFamilies(exposed)) {
    for (const { suffix = "", labels } of values) {
      const own = found.get(name + suffix) ?? new Set(["instance", "job"]);
      for (const label of Object.keys(labels)) own.add(label);
      found.set(name + suffix, own);
    }
  }
  return found;
}

/** Metric names, and labels by which they are chosen. */
function used(expression: string): readonly { readonly name: string; readonly labels: readonly string[] }[] {
  return [...expression.matchAll(/\b(accelctl_\w+)(?:\{([^}]*)\})?/g)].map(([, name = "", chosen = ""]) => ({
    name,
    labels: [...chosen.matchAll(/(\w+)\s*(?:=~|!=|!~|=)/g)].map(([, label = ""]) => label),
  }));
}

function wrong(expression: string): readonly string[] {
  const all = exported();
  return used(expression).flatMap(({ name, labels }) => {
    const own = all.get(name);
    if (own === undefined) return [`no metric ${name}`];
    return labels.filter((label) => !own.has(label)).map((label) => `${name} has no label ${label}`);
  });
}

describe("the Grafana dashboard", () => {
  it("is what deploy/grafana/accelctl.json holds", async () => {
    await expect(`${JSON.stringify(dashboard, undefined, 2)}\n`).toMatchFileSnapshot(
      join(top, "deploy/grafana/accelctl.json"),
    );
  });

  it("asks only for what /metrics tells, by labels it has", () => {
    const all = expressions();
    expect(all.length).toBeGreaterThan(30);
    expect(all.flatMap(wrong)).toEqual([]);
    expect(all.filter((expression) => used(expression).length === 0)).toEqual([]);
  });

  it("has an id for each panel, and no two panels over each other", () => {
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const cells = new Set<string>();
    for (const { gridPos } of dashboard.panels) {
      if (gridPos === undefined) throw new Error("every panel has a place");
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = 0; x < gridPos.w; x++) {
        for (let y = 0; y < gridPos.h; y++) {
          const cell = `${gridPos.x + x},${gridPos.y + y}`;
          expect(cells.has(cell)).toBe(false);
          cells.add(cell);
        }
      }
    }
  });

  it.skipIf(!promtool)(`is PromQL to promtool${unlessProgram("promtool")}`, () => {
    const scratch = mkdtempSync(join(tmpdir(), "accelctl-promql-"));
    try {
      const rules = expressions()
        .filter((expression) => !expression.startsWith("label_values("))
        .map((expression, i) => ({ record: `r${i}`, expr: expression.replaceAll("$__rate_interval", "5m") }));
      const file = join(scratch, "rules.yml");
      writeFileSync(file, JSON.stringify({ groups: [{ name: "dashboard", rules }] })); // JSON is YAML
      const { status, stdout, stderr } = spawnSync("promtool", ["check", "rules", file], { encoding: "utf8" });
      expect({ status, stderr }, stdout).toEqual({ status: 0, stderr: "" });
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  });
});

describe("the alerts", () => {
  const text = readFileSync(alertsFile, "utf8");

  it("ask only for what /metrics tells, by labels it has", () => {
    // Without comments, texts and what is filled into them.
    const rules = text.replace(/^\s*#.*$|^\s*(?:summary|description):.*$/gm, "");
    expect(used(rules).length).toBeGreaterThan(15);
    expect(wrong(rules)).toEqual([]);
  });

  it("name verbs that are there", () => {
    const verbs = [...text.matchAll(/accelctl (review|explain|\w+) \{\{/g)].map(([, verb]) => verb);
    expect(new Set(verbs)).toEqual(new Set(["review", "explain"]));
  });

  it.skipIf(!promtool)(`are right to promtool, and say what they should${unlessProgram("promtool")}`, () => {
    const check = spawnSync("promtool", ["check", "rules", alertsFile], { encoding: "utf8" });
    expect({ status: check.status, stderr: check.stderr }).toEqual({ status: 0, stderr: "" });
    const test = spawnSync("promtool", ["test", "rules", join(top, "test/deploy/alerts.test.yml")], {
      encoding: "utf8",
    });
    expect(test.status, test.stdout + test.stderr).toBe(0);
  });
});
