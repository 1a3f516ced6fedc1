/** One contract over every delegate: nothing is loaded before open(), what it says of itself is whole, and errors are typed. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AccelctlError } from "../../src/base/errors.ts";
import { delegates } from "../../src/delegates/index.ts";
import type { Delegate, Session } from "../../src/delegates/delegate.ts";
import { families } from "../../src/families/index.ts";
import { formats } from "../../src/formats/index.ts";
import { makeInputs } from "../../src/session/inputs.ts";
import { ggufModel } from "../support/gguf-model.ts";
import { smallOnnx } from "../support/onnx.ts";
import { top } from "../support/shared.ts";
import { smallTflite } from "../support/tflite.ts";

let folder = "";
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "accelctl-delegates-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Reached by a library or plug-in that the user names: no route of theirs opens such a file by itself. */
const byNameOnly: ReadonlySet<string> = new Set([
  // OpenVINO's own delegate takes the same files there.
  "onnxruntime on intel-gpu",
  // TIDL's delegate wants what its compiler wrote beside the model.
  "tflite on ti-tidl",
]);

const models: Readonly<Record<string, () => Uint8Array>> = {
  onnx: smallOnnx,
  gguf: ggufModel,
  tflite: () => smallTflite(),
};

/** A model each delegate can run, by the format it takes first. */
function modelFor(delegate: Delegate): string {
  const format = delegate.formats[0] ?? "";
  const make = models[format];
  const path = join(folder, `${delegate.id}.${make === undefined ? "bin" : format}`);
  writeFileSync(path, make?.() ?? "anything");
  return path;
}

it("every device a delegate names has a route by it that takes one of its formats", () => {
  const without = delegates.flatMap(({ id, devices, formats: own }) =>
    devices
      .filter((device) => device !== "cpu" && families.some((family) => family.id === device))
      .filter((device) => {
        const routes = families.find((family) => family.id === device)?.routes ?? [];
        return !routes.some(
          ({ delegate, models: taken }) => delegate.id === id && taken.some(({ format }) => own.includes(format)),
        );
      })
      .map((device) => `${id} on ${device}`),
  );
  expect(new Set(without)).toEqual(byNameOnly);
});

it("ids are told once, and every format a delegate takes is one that is read", () => {
  expect(new Set(delegates.map(({ id }) => id)).size).toBe(delegates.length);
  const known = new Set(formats.map(({ id }) => id));
  expect(delegates.flatMap((delegate) => delegate.formats.filter((id) => !known.has(id)))).toEqual([]);
});

it("packages that users are told to install are those that this project takes", () => {
  const { peerDependencies } = JSON.parse(readFileSync(join(top, "package.json"), "utf8")) as {
    peerDependencies: Record<string, string>;
  };
  const told = delegates.flatMap(({ npm }) => npm ?? []);
  expect(told.length).toBeGreaterThan(0);
  for (const spec of told) {
    const [, name = "", version = ""] = /^(.+)@([\d.]+)$/.exec(spec) ?? [];
    const range = peerDependencies[name];
    // Packages of llama.cpp are one for each architecture, and no peers.
    if (range !== undefined)
      expect(range.replace(/^~/, "")).toMatch(new RegExp(`^${version.replaceAll(".", "\\.")}(\\.|$)`));
    else expect(name).toMatch(/^@node-llama-cpp\/linux-/);
  }
});

/** Of this process: what is mapped into it. */
const mapped = (): string => readFileSync("/proc/self/maps", "utf8");

describe.each(delegates.map((delegate): [string, Delegate] => [delegate.id, delegate]))("%s", (id, delegate) => {
  const found = delegate.find({});

  it("says how it was verified, by which sources, on which devices", () => {
    expect(delegate.verified).not.toBe("");
    expect(delegate.sources.length).toBeGreaterThan(0);
    expect(delegate.devices.length).toBeGreaterThan(0);
  });

  it("finds its library without loading it", () => {
    if (found.state !== "read") return;
    expect(found.value.library).not.toBe("");
    expect(mapped()).not.toContain(`${found.value.library}\n`);
  });

  it("says in one typed sentence that a library is not there or none", async () => {
    if (id === "null") return;
    const library = join(folder, "libnone.so");
    await expectTyped(() => delegate.open(modelFor(delegate), { device: "cpu", library }), /libnone\.so/);
    writeFileSync(library, "no library");
    await expectTyped(() => delegate.open(modelFor(delegate), { device: "cpu", library }), /libnone\.so/);
  });

  describe.skipIf(found.state !== "read")("with its library", () => {
    const open = (path: string): Promise<Session> =>
      delegate.open(path, { device: delegate.devices[0] ?? "", threads: 1 });

    it("says in one typed sentence that a model is not there", async () => {
      await expectTyped(() => open(join(folder, "none.onnx")), /none\.onnx/);
    });

    it("runs the same values to the same outputs, and at once", async () => {
      const session = await open(modelFor(delegate));
      const { values } = await makeInputs(session.inputs, { files: new Map(), shapes: new Map(), seed: 1 });
      const all = await Promise.all([1, 2, 3, 4].map(() => session.run(values)));
      expect([...(all[0]?.outputs.keys() ?? [])]).toEqual(session.outputs.map(({ name }) => name));
      for (const { outputs } of all) expect(outputs).toEqual(all[0]?.outputs);
      expect(session.placement.says).not.toBe("");
      expect(delegate.devices).toContain(session.placement.device);
      await session.close();
    });

    it("closes while a run is under way, twice, and then runs no more", async () => {
      const session = await open(modelFor(delegate));
      const { values } = await makeInputs(session.inputs, { files: new Map(), shapes: new Map(), seed: 1 });
      const running = session.run(values);
      await session.close();
      await session.close();
      expect((await running).outputs.size).toBe(session.outputs.length);
      await expectTyped(() => session.run(values), /closed/);
    });
  });
});

async function expectTyped(act: () => Promise<unknown>, says: RegExp): Promise<void> {
  const error: unknown = await act().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(AccelctlError);
  expect((error as AccelctlError).message).toMatch(says);
  expect((error as AccelctlError).message).not.toContain("\n");
}
