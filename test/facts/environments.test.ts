/** Environments that are turned on, by variables or by PATH alone; and that a capture remembers which were looked into. */

import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { activeEnvironments } from "../../src/facts/environments.ts";
import { environmentsOf } from "../../src/review/judge.ts";
import { openCapture, writeCapture } from "../../src/root/capture.ts";
import { openLive } from "../../src/root/directory.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "environments-")));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const place = (name: string, marker?: string): string => {
  const path = join(folder, name);
  mkdirSync(join(path, "bin"), { recursive: true });
  if (marker !== undefined) writeFileSync(join(path, marker), "");
  return path;
};
const head = { by: "a test", redacted: false, notes: [] };

it("finds what was activated, and what PATH alone turns on, each once", () => {
  const [venv, conda, plain] = [place("venv", "pyvenv.cfg"), place("conda", "conda-meta"), place("plain")];
  expect(activeEnvironments({ PATH: `${venv}/bin:/usr/bin:${plain}/bin:${conda}/bin/:${venv}/bin` })).toEqual([
    venv,
    conda,
  ]);
  expect(activeEnvironments({ PATH: `${venv}/bin`, VIRTUAL_ENV: conda, CONDA_PREFIX: "" })).toEqual([conda, venv]);
  expect(activeEnvironments({ PATH: "bin:../bin:/bin:", VIRTUAL_ENV: "here" })).toEqual([]);
  expect(activeEnvironments({})).toEqual([]);
});

it("looks into them on the live machine, after what the user names", () => {
  const before = process.env["VIRTUAL_ENV"];
  process.env["VIRTUAL_ENV"] = "/some/where";
  try {
    const looked = environmentsOf(openLive(), ["/named"]);
    expect(looked).toContain("/some/where");
    expect(looked.at(-1)).toBe("/named");
    const saved = openCapture(Buffer.from(writeCapture(new Map(), head)), "saved.json");
    expect(environmentsOf(saved, ["/named"])).toEqual(["/named"]);
  } finally {
    if (before === undefined) delete process.env["VIRTUAL_ENV"];
    else process.env["VIRTUAL_ENV"] = before;
  }
});

it("a capture tells which were looked into, and its review looks into them again", () => {
  const text = writeCapture(new Map(), { ...head, environments: ["/opt/venv"] });
  expect(environmentsOf(openCapture(Buffer.from(text), "saved.json"))).toEqual(["/opt/venv"]);
  for (const wrong of ['"/opt/venv"', "[7]", '["relative"]', '["/opt/../etc"]', JSON.stringify(Array(65).fill("/a"))]) {
    const broken = text.replace('["/opt/venv"]', wrong);
    expect(() => openCapture(Buffer.from(broken), "saved.json")).toThrow(/environments are no list of paths/);
  }
});
