/** Imports point one way: a file imports from its own folder or from an earlier one. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { top } from "../support/shared.ts";

const order = [
  "base",
  "root",
  "uapi",
  "facts",
  "families",
  "breakages",
  "devices",
  "model",
  "formats",
  "media",
  "delegates",
  "host",
  "review",
  "inspect",
  "fit",
  "proof",
  "session",
  "watch",
  "export",
  "print",
  "serve",
  "commands",
];

/** Types may be shared backwards where a lower layer only names what a higher one hands it; each with its reason. */
const allowed: readonly string[] = [
  // the printer of help is given the table of verbs; it runs none of them
  "print/usage.ts -> commands/command.ts",
  "print/manpage.ts -> commands/command.ts",
];

it("imports point one way", () => {
  const src = join(top, "src");
  const wrong: string[] = [];
  let seen = 0;
  for (const folder of order) {
    let files: string[];
    try {
      files = readdirSync(join(src, folder), { recursive: true, encoding: "utf8" });
    } catch {
      continue; // a folder of a later issue
    }
    for (const file of files.filter((name) => name.endsWith(".ts"))) {
      const text = readFileSync(join(src, folder, file), "utf8");
      for (const match of text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)) {
        seen++;
        const target = join(folder, file, "..", match[1] ?? "");
        const line = `${folder}/${file} -> ${target}`;
        const rank = order.indexOf(target.split("/")[0] ?? "");
        const sameOrEarlier = rank >= 0 && rank <= order.indexOf(folder);
        const version = target === "version.ts";
        if (!sameOrEarlier && !version && !allowed.includes(line)) wrong.push(line);
      }
    }
  }
  expect(seen).toBeGreaterThan(100);
  expect(wrong).toEqual([]);
});

it("nothing of Node or of a package is imported while running: the bundle is a script, and import() fails there", () => {
  const src = join(top, "src");
  const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  const wrong = files.filter((file) =>
    /(?:await|return|=>)\s+import\("[^.]/.test(readFileSync(join(src, file), "utf8")),
  );
  expect(files.length).toBeGreaterThan(100);
  expect(wrong).toEqual([]);
});
