/**
 * What runs first: chooses the bundle that holds what the command line needs and nothing else, and starts it from V8's compiled
 * form where the build left one that fits this Node (otherwise Node compiles as ever). `accelctl list` of the live machine should
 * cost little more than starting Node. tools/build.mjs makes bundles and compiled forms; docs/decisions/002.
 */

import { readFileSync } from "node:fs";
import { Script } from "node:vm";

const [verb, ...rest] = process.argv.slice(2);
/** Of fit and rank: what --root, --paste, --env, --check and --eval need is in the whole bundle. */
const fitting =
  /^(?!-)|^--(?:json|nodes|open|list)$|^--(?:for|why|graph|precision|batch|input|link|max-ms|max-watts)(?:=|$)/;
/** Verbs with a bundle of their own, and the options which that bundle holds all code for. */
const own: Readonly<Record<string, { readonly bundle: string; readonly words: RegExp }>> = {
  list: { bundle: "list", words: /^--json$/ },
  inspect: { bundle: "inspect", words: /^(?!-)|^--(?:json|no-machine|ops|tensors)$/ },
  fit: { bundle: "fit", words: fitting },
  rank: { bundle: "fit", words: fitting },
};
const candidate = verb !== undefined && Object.hasOwn(own, verb) ? own[verb] : undefined;
const bundle = candidate !== undefined && rest.every((word) => candidate.words.test(word)) ? candidate.bundle : "full";
const file = `${__dirname}/${bundle}.cjs`;

let cachedData: Buffer | undefined;
try {
  cachedData = readFileSync(`${file}.${process.versions.v8}.cache`);
} catch {
  // ENOENT: built by another Node, or not built here at all. The source is all that is needed.
}
const wrapped = `(function (exports, require, module, __filename, __dirname) {${readFileSync(file, "latin1")}\n})`;
const script = new Script(wrapped, { filename: file, ...(cachedData ? { cachedData } : {}) });
type Body = (exports: object, require: NodeJS.Require, module: object, filename: string, dirname: string) => void;
const body = script.runInThisContext() as Body; // the function written around the bundle above
const module_ = { exports: {} };
body(module_.exports, require, module_, file, __dirname);
