import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";

import { shellWord } from "../../src/base/shell.ts";

it("a plain word stays as it is, so that commands read well", () => {
  for (const word of ["render", "/dev/accel/accel0", "0000:00:0b.0", "linux-headers-6.12.107+deb13-amd64"]) {
    expect(shellWord(word)).toBe(word);
  }
});

it("a shell takes any other word for text", () => {
  for (const word of [
    "$(touch x)",
    "`id`",
    "a;b",
    "a b",
    "a'b",
    "'",
    'a"b',
    "a\\",
    "*",
    "~",
    "",
    "a|b",
    "$HOME",
    "'; x '",
  ]) {
    const done = spawnSync("sh", ["-c", `printf %s ${shellWord(word)}`], { encoding: "utf8" });
    expect([done.status, done.stdout]).toEqual([0, word]);
  }
});
