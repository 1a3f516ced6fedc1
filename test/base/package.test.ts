/** Packages as this code finds them: of its own, of whoever installed it beside them, and out of a bundle of somebody's. */

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findPackage, installing, requireLate } from "../../src/base/package.ts";
import { CannotError } from "../../src/base/errors.ts";
import { top } from "../support/shared.ts";

let folder = "";
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "accelctl-package-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("a package is found by its folder, whatever it exports, and its version told", () => {
  const sharp = findPackage("sharp");
  expect(existsSync(join(sharp?.folder ?? "", "package.json"))).toBe(true);
  expect(sharp?.version).toMatch(/^\d+\.\d+\.\d+/);
  expect(findPackage("no-such-package-of-anybody")).toBeUndefined();
});

it("what is missing is one typed sentence that says what bundles have to do", () => {
  expect(() => requireLate("no-such-package-of-anybody")).toThrow(CannotError);
  expect(() => requireLate("no-such-package-of-anybody")).toThrow(/no-such-package-of-anybody .*leave accelctl out/);
});

it("in a project a package is installed into the project", () => {
  expect(installing("onnxruntime-node@1.30")).toBe("npm install --ignore-scripts onnxruntime-node@1.30");
});

describe.each(["cjs", "esm"] as const)("in a bundle as %s", (format) => {
  /** Puts the module, bundled, at a path below the folder, and prints what an expression over it gives there. */
  async function inBundle(path: string, expression: string): Promise<unknown> {
    const outfile = join(folder, path);
    const entry = `import * as own from ${JSON.stringify(join(top, "src/base/package.ts"))}; console.log(JSON.stringify(${expression}));`;
    await build({
      stdin: { contents: entry, resolveDir: top, loader: "ts" },
      bundle: true,
      platform: "node",
      format,
      outfile,
      logOverride: { "empty-import-meta": "silent" },
    });
    return JSON.parse(execFileSync(process.execPath, [outfile], { encoding: "utf8" }));
  }
  const extension = format === "cjs" ? "cjs" : "mjs";

  it("packages beside the bundle are found", async () => {
    const beside = join(folder, "app/node_modules/some-runtime");
    mkdirSync(beside, { recursive: true });
    writeFileSync(join(beside, "package.json"), `{"version":"1.2.3","exports":{}}`);
    const found = await inBundle(`app/dist/app.${extension}`, `own.findPackage("some-runtime")`);
    expect(found).toEqual({ folder: beside, version: "1.2.3" });
  });

  it("of a global installation packages go beside it, with -g", async () => {
    const path = `prefix/lib/node_modules/accelctl/dist/own.${extension}`;
    expect(await inBundle(path, `own.installing("sharp")`)).toBe("npm install -g --ignore-scripts sharp");
  });
});
