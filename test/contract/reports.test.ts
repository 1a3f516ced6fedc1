/** Every report of every machine at hand is valid by the published schema, the same twice, and printable in every form. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { openRoot } from "../../src/root/open.ts";
import type { Root } from "../../src/root/root.ts";
import { renderHtml } from "../../src/print/html.ts";
import { renderMarkdown } from "../../src/print/markdown.ts";
import { plainTerminal, widthOf } from "../../src/print/terminal.ts";
import { renderText } from "../../src/print/text.ts";
import { listDevices } from "../../src/review/inventory.ts";
import { review } from "../../src/review/review.ts";
import { breakages } from "../../src/breakages/index.ts";
import { layerRules } from "../../src/review/rules.ts";
import { machines } from "../support/machines.ts";
import { hasShared, sharedPath, top } from "../support/shared.ts";

const schema = JSON.parse(readFileSync(join(top, "docs/report.schema.json"), "utf8")) as object;
const validate = new Ajv2020({ strict: true, strictTypes: false }).compile(schema);

const shared = (folder: string): [string, () => Root][] =>
  hasShared
    ? readdirSync(sharedPath(`machines/${folder}`))
        .filter((name) => !name.endsWith(".truth.json"))
        .map((name) => [`${folder}/${name}`, () => openRoot(sharedPath(`machines/${folder}/${name}`))])
    : [];

const all: [string, () => Root][] = [
  ["this machine", () => openRoot()],
  ...Object.entries(machines),
  ...shared("kernel"),
  ...shared("sysfs"),
  ...shared("dtb"),
  ...shared("text"),
];

const knownRules = new Set([
  ...layerRules.map((rule) => rule.rule),
  ...breakages.map((breakage) => `${breakage.layer}/${breakage.id}`),
]);

describe("reports", () => {
  it.each(all)("%s", (_, open) => {
    const root = open();
    const report = review(root);
    expect(validate(report), JSON.stringify(validate.errors?.slice(0, 3))).toBe(true);

    // Ids are unique, findings point to devices that are here, rules are documented.
    const ids = [...report.devices, ...report.dormant].map((device) => device.id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const finding of report.findings) {
      expect([...ids, "machine"]).toContain(finding.device);
      expect(knownRules, finding.rule).toContain(finding.rule);
    }
    // A machine asked twice says the same, and the list is the report's devices.
    const again = open();
    if (root.kind !== "live") expect(JSON.stringify(review(again))).toBe(JSON.stringify(report));
    const list = listDevices(again);
    expect(list.map((d) => [d.id, d.family])).toEqual(report.devices.map((d) => [d.id, d.family]));
    for (const [i, device] of report.devices.entries()) {
      const listed = list[i]?.verdict;
      if (JSON.stringify(listed) === JSON.stringify(device.verdict)) continue;
      // The list reads no log and knows no breakages: only such a fault may make the review's word another, and worse.
      expect(device.verdict.works, device.id).not.toBe("yes");
      const told = report.findings.filter((f) => f.device === device.id && f.severity === "error");
      expect(told.some((f) => breakages.some((b) => `${b.layer}/${b.id}` === f.rule))).toBe(true);
    }

    const text = renderText(report, plainTerminal);
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/);
    for (const line of text.split("\n")) {
      // What is to be copied or opened is never broken: commands, links, and words longer than a line.
      if (/^\s+(\$ |https:)/.test(line) || /\S{60}/.test(line)) continue;
      expect(widthOf(line), line).toBeLessThanOrEqual(80);
    }
    expect(renderMarkdown(report)).toContain("# accelctl review");
    const html = renderHtml(report);
    expect(html).toMatch(/^<!doctype html>/);
    expect(html).not.toMatch(/<script|src=|href="(?!https:)/);
  });
});
