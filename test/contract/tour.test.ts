/** What docs/tour.md tells a newcomer is true: the files are there and short, and a family is added with the one file it shows. */

import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { top } from "../support/shared.ts";

const tour = readFileSync(join(top, "docs/tour.md"), "utf8");
/** "The files named at each stop are short": three screens. */
const SHORT = 180;

it.each(["docs/tour.md", "README.md", "CONTRIBUTING.md"])("%s names files that are there", (page) => {
  const text = readFileSync(join(top, page), "utf8");
  const named = [...text.matchAll(/`((?:src|docs|test|tools|bench)\/[\w./-]+)`|\]\(([\w./-]+)\)/g)].flatMap(
    ([, path, link]) => (path !== undefined ? [path] : [join(page, "..", link ?? "")]),
  );
  expect(named.length).toBeGreaterThan(0);
  for (const path of named.filter((path) => !path.includes("example-npu"))) {
    expect(statSync(join(top, path), { throwIfNoEntry: false }), path).toBeDefined();
  }
});

it("the stops of the tour are short files", () => {
  const stops = tour.slice(tour.indexOf("\n1. "), tour.indexOf("\n## Add a family"));
  const files = [...stops.matchAll(/`(src\/[\w./-]+\.ts)`/g)].map(([, path = ""]) => path);
  expect(files.length).toBeGreaterThan(15);
  for (const path of files) {
    expect(readFileSync(join(top, path), "utf8").split("\n").length, path).toBeLessThanOrEqual(SHORT);
  }
});

describe("adding the family that the tour shows", () => {
  let clone = "";
  const node = (...args: readonly string[]): string => {
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", cwd: clone });
    expect(stderr).toBe("");
    expect(status).toBe(0);
    return stdout;
  };
  const block = (language: string): string =>
    new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\\n *\`\`\``).exec(tour)?.[1]?.replace(/^ {3}/gm, "") ?? "";

  beforeAll(() => {
    clone = mkdtempSync(join(tmpdir(), "accelctl-tour-"));
    const parts = "src tools docs test kernels machines man completions package.json tsconfig.json vitest.config.ts";
    for (const part of [...parts.split(" "), "README.md", ".prettierrc.json"]) {
      cpSync(join(top, part), join(clone, part), { recursive: true });
    }
    symlinkSync(join(top, "node_modules"), join(clone, "node_modules"));
    writeFileSync(join(clone, "src/families/example-npu.ts"), `${block("ts")}\n`);
    node("tools/generate.mjs");
  });
  afterAll(() => rmSync(clone, { recursive: true, force: true }));

  it("needs no other source file, and lists and reviews a machine that has it", () => {
    const commands = block("sh").replaceAll("/tmp/box", join(clone, "box"));
    const start = `node() { "${process.execPath}" "$@"; }; npm() { shift 2; node "${join(clone, "dist/accelctl.cjs")}" "$@"; }; set -e`;
    node("-e", `import("${join(clone, "tools/build.mjs")}").then(({ buildAll }) => buildAll(true))`);
    const { stdout, stderr } = spawnSync("bash", ["-c", `${start}\n${commands}`], { encoding: "utf8", cwd: clone });
    expect(stderr).toBe("");
    expect(stdout).toMatch(/Example.* 0000:01:00\.0/);
    expect(stdout).toContain("example_npu");
    expect(stdout).toContain("vendor  ✓ silicon");
    expect(stdout).toContain("Route vendor: the maker's driver and library");
  });

  it("stands in docs/hardware.md, is typed, and is held by the contract of the catalogue", () => {
    expect(readFileSync(join(clone, "docs/hardware.md"), "utf8")).toContain("\n## Example NPU\n");
    const config = { extends: "./tsconfig.json", include: ["src/families/example-npu.ts"] };
    writeFileSync(join(clone, "tsconfig.family.json"), JSON.stringify(config));
    node("node_modules/typescript/bin/tsc", "-p", "tsconfig.family.json");
    const contract = ["run", "test/contract/catalogue.test.ts", "--reporter=verbose", "-t", "example-npu"];
    expect(node("node_modules/vitest/vitest.mjs", ...contract)).toMatch(/✓.*example-npu/);
  });

  it("is formatted as the tour shows it", () => {
    node("node_modules/prettier/bin/prettier.cjs", "--check", "--log-level", "warn", "src/families/example-npu.ts");
  });
});
