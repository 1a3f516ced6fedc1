/**
 * Files of one machine replaced by a great deal of one thing: what takes time in the square of a length, or turns a line into a
 * list, shows only in what is long. A megabyte of anything must be done within the second that every case has.
 */

import { checkReview } from "../check.ts";
import { below, pick, type Random } from "../mutate.ts";
import { buildRoot } from "../seeds/change.ts";
import { machine, type Item } from "../seeds/machine.ts";
import type { Target } from "../target.ts";

const LENGTH = 1024 * 1024;

const pieces = [
  "\n",
  " ",
  "\t",
  "a",
  "0",
  ",",
  ":",
  "=",
  ";",
  "/",
  "-",
  "_",
  ".",
  "*",
  '"',
  "'",
  "\\",
  "\\\n",
  "#\n",
  "\0",
].concat([
  "[",
  "(",
  "{",
  "a ",
  " a",
  "a=",
  "a:",
  "=a\n",
  "a\n",
  "0\n",
  "a=b\n",
  "a b\n",
  " \n",
  "\r\n",
  "0 ",
  "0,",
  "0x",
  "$",
  "é",
]);

const texts = machine.filter((item) => "content" in item && typeof item.content === "string");

export const floods: Target = {
  name: "floods",
  share: 1,
  make: (random) => {
    const item = pick(random, texts);
    const seed = "content" in item && typeof item.content === "string" ? item.content : "";
    const content = flood(seed, random);
    const items: Item[] = machine.map((other) => (other === item ? { path: item.path, content } : other));
    return {
      input: `${item.path} has ${content.length} characters: ${JSON.stringify(content.slice(0, 2000))}`,
      run: () => {
        checkReview(buildRoot({ items, notes: "" }, "directory", true), random, false);
      },
    };
  },
};

function flood(seed: string, random: Random): string {
  const lines = seed.split("\n");
  const line = pick(random, lines);
  const at = below(random, seed.length + 1);
  switch (below(random, 5)) {
    case 0:
      return seed.slice(0, at) + filled(pick(random, pieces)) + seed.slice(at);
    case 1:
      return filled(`${line}\n`);
    case 2:
      return filled(`${line} `);
    case 3: {
      // One word of a line, over and over, and the rest of the line behind it.
      const words = line.split(/(?<=[\s=:,;/])/);
      const word = pick(random, words);
      return seed.slice(0, seed.indexOf(line)) + filled(word === "" ? "x" : word) + line + seed;
    }
    default:
      return filled(pick(random, pieces)) + seed;
  }
}

const filled = (piece: string): string => piece.repeat(Math.ceil(LENGTH / Math.max(1, piece.length)));
