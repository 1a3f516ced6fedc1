/** What callers are told of errors. */

import { expect, it } from "vitest";
import { CannotError, FileError, MishapError } from "../../../src/base/errors.ts";
import { publicWords } from "../../../src/serve/engine/words.ts";

it("callers are told what went wrong without paths, addresses and who holds a device", () => {
  const path = "/srv/models of mine/m/1/model.onnx";
  const cases: [unknown, string][] = [
    [new FileError(path, "it is truncated", 16), "offset 0x10: it is truncated"],
    [new CannotError(`${path}: no model`), "no model"],
    [new CannotError(`cannot load ${path} by /opt/vendor/lib/libx.so.2`), "cannot load the file by libx.so.2"],
    [new CannotError("a node at 0x7f00deadbeef failed"), "a node at an address failed"],
    [new CannotError("hailo is held by process 812 (accelctl serve --models /x)"), "hailo is held by another process"],
    [
      new MishapError("x", { how: "crashed", signal: "SIGSEGV", words: "/root/x" }),
      "the model's process crashed (SIGSEGV)",
    ],
  ];
  expect(cases.map(([error]) => publicWords(error, path))).toEqual(cases.map(([, says]) => says));
});

it("callers are told nothing of what is a bug, and no library's whole log", () => {
  expect([new Error("of /etc"), new TypeError("x of undefined"), "text"].map((error) => publicWords(error))).toEqual(
    Array(3).fill("it failed"),
  );
  expect(publicWords(new CannotError("x".repeat(600)))).toBe(`${"x".repeat(500)}…`);
});
