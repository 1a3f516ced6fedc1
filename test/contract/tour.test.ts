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
  for (const path of named.filter((path) => !path.includes("example-"))) {
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

describe("adding the family and the format that the tour shows", () => {
  let clone = "";
  const node = (...args: readonly string[]): string => {
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", cwd: clone });
    expect(stderr).toBe("");
    expect(status).toBe(0);
    return stdout;
  };
  let ran: string | undefined;
  /** What the contracts of all three kinds say of what was added, run once. */
  const contracts = (): string => {
    const files = ["catalogue", "formats", "delegates"].map((kind) => `test/contract/${kind}.test.ts`);
    const added = "example-npu|small.exm|example-runtime";
    return (ran ??= node("node_modules/vitest/vitest.mjs", "run", ...files, "--reporter=verbose", "-t", added));
  };
  const blocks = (language: string): string[] =>
    [...tour.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\\n *\`\`\``, "g"))].map(([, text = ""]) =>
      text.replace(/^ {3}/gm, ""),
    );
  const block = (language: string, at = 0): string => blocks(language)[at] ?? "";
  const format = "src/formats/example-model.ts";
  const sample = "test/formats/samples/example-model.ts";

  /** The template, changed as the tour says: it has a library, which is not there. */
  const exampleRuntime = (): string =>
    readFileSync(join(top, "src/delegates/null.ts"), "utf8")
      .replace('id: "null"', 'id: "example-runtime"')
      .replace('name: "Null"', 'name: "Example runtime"')
      .replace("formats: []", 'formats: ["onnx"]')
      .replace(
        "  open(model) {\n",
        "  open(model, { library }) {\n    if (library !== undefined) return Promise.reject(new CannotError(`${library}: no such library`));\n",
      );

  beforeAll(() => {
    clone = mkdtempSync(join(tmpdir(), "accelctl-tour-"));
    const parts =
      "src data tools docs test kernels machines man completions package.json tsconfig.json vitest.config.ts";
    for (const part of [...parts.split(" "), "README.md", ".prettierrc.json"]) {
      cpSync(join(top, part), join(clone, part), { recursive: true });
    }
    symlinkSync(join(top, "node_modules"), join(clone, "node_modules"));
    writeFileSync(join(clone, "src/families/example-npu.ts"), `${block("ts")}\n`);
    writeFileSync(join(clone, format), `${block("ts", 1)}\n`);
    writeFileSync(join(clone, sample), `${block("ts", 2)}\n`);
    writeFileSync(join(clone, "src/delegates/example-runtime.ts"), exampleRuntime());
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
    const config = { extends: "./tsconfig.json", include: ["src/families/example-npu.ts", format, sample] };
    writeFileSync(join(clone, "tsconfig.family.json"), JSON.stringify(config));
    node("node_modules/typescript/bin/tsc", "-p", "tsconfig.family.json");
    expect(contracts()).toMatch(/✓.*catalogue.*example-npu/);
  });

  it("describes a file of the format, and the contract of formats holds its sample", () => {
    expect(readFileSync(join(clone, "docs/formats.md"), "utf8")).toContain("| Example model | `example-model` |");
    const file = join(clone, "box.exm");
    writeFileSync(file, Buffer.concat([Buffer.from("EXMD\x08\0\0\0\x10\0\0\0", "latin1"), Buffer.alloc(24)]));
    const text = node("dist/accelctl.cjs", "inspect", file, "--no-machine");
    expect(text).toContain("Example model");
    expect(text).toContain("8 B code, 16 B weights");
    expect(contracts()).toMatch(/✓.*formats.*small\.exm is example-model/);
  });

  it("puts a delegate of one file behind --delegate, into docs/delegates.md and under the contract", () => {
    expect(readFileSync(join(clone, "docs/delegates.md"), "utf8")).toContain("\n## Example runtime\n");
    expect(node("dist/accelctl.cjs", "delegates")).toContain("example-runtime  Example runtime 1");
    expect(contracts()).toMatch(/✓.*delegates.*example-runtime.*runs the same values/);
  });

  it("is formatted as the tour shows it", () => {
    const files = ["src/families/example-npu.ts", format, sample];
    node("node_modules/prettier/bin/prettier.cjs", "--check", "--log-level", "warn", ...files);
  });
});
