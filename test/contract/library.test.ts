/** The library as others use it: built, typed, imported by its name's entry. */

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
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
  const built = spawnSync(process.execPath, [join(top, "tools/build.mjs")], { encoding: "utf8" });
  if (built.status !== 0) throw new Error(built.stdout + built.stderr);
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
  const compile = (name: string, text: string): { status: number | null; stdout: string } => {
    writeFileSync(join(folder, name), text);
    const tsc = join(top, "node_modules/typescript/bin/tsc");
    const types = join(top, "node_modules/@types");
    return spawnSync(
      process.execPath,
      // prettier-ignore
      [tsc, "--noEmit", "--strict", "--module", "nodenext", "--target", "es2022", "--typeRoots", types, "--types", "node", join(folder, name)],
      { encoding: "utf8", cwd: folder },
    );
  };
  const right = compile("right.ts", program);
  expect(right.stdout).toBe("");
  expect(right.status).toBe(0);
  expect(compile("wrong.ts", program.replace("device.address", "device.adress")).stdout).toContain("adress");
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
