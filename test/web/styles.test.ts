/** Style sheets of views stay loaded once a view was seen: what one says must hold for nothing of another. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { top } from "../support/shared.ts";

const source = join(top, "web/src");
const sheets = readdirSync(source, { recursive: true, encoding: "utf8" })
  .filter((path) => /^(?:machine|models|live|atlas)\/.*\.css$/.test(path))
  .map((path) => ({ path, text: readFileSync(join(source, path), "utf8").replace(/\/\*[\s\S]*?\*\//g, "") }));

/** Classes with which a selector of it begins. */
const rootsOf = (text: string): ReadonlySet<string> =>
  new Set(
    [...text.matchAll(/([^{};]+)\{/g)]
      .flatMap(([, list = ""]) => list.split(","))
      .flatMap((selector) => /^\s*[a-z]*\.([\w-]+)/.exec(selector)?.[1] ?? []),
  );

test("no style sheet of a view begins a rule with a class that another view's begins one with", () => {
  expect(sheets.length).toBeGreaterThanOrEqual(4);
  const owner = new Map<string, string>();
  const shared: string[] = [];
  for (const { path, text } of sheets) {
    const roots = rootsOf(text);
    expect(roots.size, path).toBeGreaterThan(0);
    for (const name of roots) {
      const other = owner.get(name);
      if (other !== undefined) shared.push(`.${name}: ${other} and ${path}`);
      owner.set(name, path);
    }
  }
  expect(shared).toEqual([]);
});
