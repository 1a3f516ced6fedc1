/** Files beside a model: a model never makes a runtime open another file than those of its own folder. */

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import onnxruntime from "../../src/delegates/onnxruntime.ts";
import { readModel } from "../../src/inspect/describe.ts";
import { checkBeside } from "../../src/session/beside.ts";
import { openSession } from "../../src/session/open.ts";
import { version10 } from "../formats/samples/openvino-ir.ts";
import { bytes, concat, int, message, type Piece } from "../support/protobuf.ts";

let top = "";
let folder = "";
beforeAll(() => {
  top = mkdtempSync(join(tmpdir(), "accelctl-beside-"));
  folder = join(top, "model");
  mkdirSync(join(folder, "deep"), { recursive: true });
  const numbers = Buffer.from(Float32Array.of(1.5, 2.5, 3.5).buffer);
  for (const path of [join(top, "secret.bin"), join(folder, "own.bin"), join(folder, "deep/own.bin")])
    writeFileSync(path, numbers);
  symlinkSync("../secret.bin", join(folder, "link.bin"));
  symlinkSync("..", join(folder, "up"));
  symlinkSync("/dev/zero", join(folder, "zero.bin"));
  execFileSync("mkfifo", [join(folder, "fifo.bin")]);
});
afterAll(() => rmSync(top, { recursive: true, force: true }));

const entry = (key: string, value: string): Piece => message(13, bytes(1, key), bytes(2, value));
const weights = (field: number, ...pieces: Piece[]): Piece =>
  message(field, int(1, 3), int(2, 1), bytes(8, "w"), ...pieces);
const outside = (location: string): Piece[] => [int(14, 1), entry("location", location), entry("length", "12")];
const port = (field: number, name: string): Piece =>
  message(field, bytes(1, name), message(2, message(1, int(1, 1), message(2, message(1, int(1, 3))))));
const add = message(1, bytes(1, "x"), bytes(1, "w"), bytes(2, "y"), bytes(4, "Add"));
const graph = (...pieces: Piece[]): Piece => message(7, ...pieces, bytes(2, "g"), port(11, "x"), port(12, "y"));
/** A tensor in a node's attribute. */
const constant = (...tensors: Piece[]): Piece =>
  message(1, bytes(2, "w"), bytes(4, "Constant"), message(5, bytes(1, "value"), int(20, 4), ...tensors));

function model(name: string, ...pieces: Piece[]): string {
  const path = join(folder, `${name}.onnx`);
  writeFileSync(path, concat([int(1, 8), message(8, int(2, 17)), ...pieces]));
  return path;
}

async function sum(path: string): Promise<number[]> {
  const { session } = await openSession(path, { device: "cpu" });
  try {
    const x = { type: "float32" as const, shape: [3], data: Float32Array.of(1, 1, 1) };
    return [...((await session.run(new Map([["x", x]]))).outputs.get("y")?.data as Float32Array)];
  } finally {
    await session.close();
  }
}

describe.skipIf(onnxruntime.find({}).state !== "read")("files beside a model (skipped: no ONNX Runtime)", () => {
  it.each(["own.bin", "./own.bin", "deep/own.bin"])("%s is the model's own", async (location) => {
    expect(await sum(model("own", graph(add, weights(5, ...outside(location)))))).toEqual([2.5, 3.5, 4.5]);
  });

  it("a download cache's links lead into one folder, which is the model's then", async () => {
    mkdirSync(join(top, "blobs"), { recursive: true });
    mkdirSync(join(top, "snapshots/1/onnx"), { recursive: true });
    const made = model("made", graph(add, weights(5, ...outside("m.data"))));
    execFileSync("mv", [made, join(top, "blobs/aa")]);
    writeFileSync(join(top, "blobs/bb"), Buffer.from(Float32Array.of(1, 2, 3).buffer));
    symlinkSync("../../../blobs/aa", join(top, "snapshots/1/onnx/m.onnx"));
    symlinkSync("../../../blobs/bb", join(top, "snapshots/1/onnx/m.data"));
    expect(await sum(join(top, "snapshots/1/onnx/m.onnx"))).toEqual([2, 3, 4]);
  });

  it.each([
    ["../secret.bin", '"../secret.bin", outside of the model\'s folder'],
    ["deep/../../secret.bin", "outside of the model's folder"],
    ["/etc/hostname", "outside of the model's folder"],
    ["link.bin", "lies outside of the model's folder"],
    ["up/secret.bin", "lies outside of the model's folder"],
    ["zero.bin", "lies outside of the model's folder"],
    ["fifo.bin", "no regular file"],
    ["deep", "no regular file"],
    ["none.bin", 'needs "none.bin" beside it, which is not there'],
    ["*/_ORT_MEM_ADDR_/*", "an address and no file"],
    ["", "no file"],
  ])("%s is refused in one sentence before a library sees the model", async (location, says) => {
    const initializer = model("init", graph(add, weights(5, ...outside(location))));
    const attribute = model("attribute", graph(constant(weights(5, ...outside(location))), add));
    for (const path of [initializer, attribute]) {
      const error = (await sum(path).catch((thrown: unknown) => thrown)) as Error;
      expect(error.name).toBe("FileError");
      expect(error.message.replaceAll("\\", "")).toContain(says);
      expect(error.message).not.toContain("ONNX Runtime");
    }
  });

  it("pieces that protobuf would put together hide no file", async () => {
    const halves = [
      model("graphs", message(7, weights(5, ...outside("../secret.bin"))), graph(add)),
      model("place", graph(constant(weights(5, entry("location", "../secret.bin")), weights(5, int(14, 1))), add)),
      model("name", graph(constant(weights(5, int(14, 1)), weights(5, entry("location", "../secret.bin"))), add)),
    ];
    for (const path of halves) {
      const error = (await sum(path).catch((thrown: unknown) => thrown)) as Error;
      expect(error.name).toBe("FileError");
      expect(error.message).not.toContain("ONNX Runtime");
    }
  });
});

it("OpenVINO's weights lie beside the model, and nowhere else", () => {
  const path = join(folder, "ir.xml");
  writeFileSync(path, version10());
  const beside = (): void => checkBeside(path, readModel(path));
  expect(beside).toThrow(/ir\.bin/);
  symlinkSync("../secret.bin", join(folder, "ir.bin"));
  expect(beside).toThrow(/"ir\.bin", which lies outside of the model's folder/);
  rmSync(join(folder, "ir.bin"));
  writeFileSync(join(folder, "ir.bin"), Buffer.alloc(4096));
  expect(beside).not.toThrow();
});
