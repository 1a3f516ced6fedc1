/** The library as others use it: built, typed, imported by its name's entry. */

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { build } from "../support/built.ts";
import { top } from "../support/shared.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "accelctl-library-"));
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(top.replace(/\/$/, ""), join(folder, "node_modules/accelctl"));
  const slot = join(folder, "box/sys/bus/pci/devices/0000:01:00.0");
  mkdirSync(slot, { recursive: true });
  for (const [name, text] of Object.entries({ vendor: "0x1e60", device: "0x2864", class: "0x0b4000" })) {
    writeFileSync(join(slot, name), `${text}\n`);
  }
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
  build("package");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const program = `import { openRoot, review, type Report } from "accelctl";
const report: Report = review(openRoot("box"));
for (const device of report.devices) {
  const family: string | undefined = device.family;
  console.log(family, device.address, device.verdict.works);
}
`;

it("is typed: a program of its use compiles strictly, and a wrong one does not", () => {
  writeFileSync(join(folder, "right.ts"), program);
  writeFileSync(join(folder, "wrong.ts"), program.replace("device.address", "device.adress"));
  const tsc = join(top, "node_modules/typescript/bin/tsc");
  const types = join(top, "node_modules/@types");
  const { stdout } = spawnSync(
    process.execPath,
    // prettier-ignore: docs/library.md's test checks the declarations themselves.
    [
      tsc,
      "--noEmit",
      "--strict",
      "--skipLibCheck",
      "--module",
      "nodenext",
      "--target",
      "es2022",
      "--typeRoots",
      types,
      "--types",
      "node",
      "--pretty",
      "false",
      "right.ts",
      "wrong.ts",
    ],
    { encoding: "utf8", cwd: folder },
  );
  expect(stdout.split("\n").filter((line) => line.startsWith("right.ts"))).toEqual([]);
  expect(stdout).toMatch(/^wrong\.ts.*adress/m);
  expect(
    stdout
      .trimEnd()
      .split("\n")
      .every((line) => /^(wrong\.ts| )/.test(line)),
    stdout,
  ).toBe(true);
});

it("runs: the same report through the built file", () => {
  writeFileSync(
    join(folder, "run.js"),
    program.replace(", type Report", "").replace(/: (Report|string \| undefined)/g, ""),
  );
  const done = spawnSync(process.execPath, ["run.js"], { encoding: "utf8", cwd: folder });
  expect(done.stderr).toBe("");
  expect(done.stdout).toBe("hailo 0000:01:00.0 unknown\n");
});
