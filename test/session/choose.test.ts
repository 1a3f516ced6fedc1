/** Where a model runs: by the routes of the machine that is here, with a reason for each that was passed over. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UsageError } from "../../src/base/errors.ts";
import { absent, read } from "../../src/base/reading.ts";
import type { Delegate } from "../../src/delegates/delegate.ts";
import { describeFile, isModel, type Described } from "../../src/inspect/describe.ts";
import { choose, type Wish } from "../../src/session/choose.ts";
import { samples as tflite } from "../formats/samples/tflite.ts";
import { machines } from "../support/machines.ts";
import { smallOnnx } from "../support/onnx.ts";

let folder = "";
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "accelctl-choose-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** As delegates describe themselves; none is opened here. */
const stub = (id: string, formats: string[], devices: string[], more: Partial<Delegate> = {}): Delegate => ({
  id,
  name: id,
  formats,
  devices,
  verified: "a stub of a test",
  sources: ["this test"],
  find: () => read({ library: `/opt/${id}.so` }, `/opt/${id}.so`),
  supports: () => undefined,
  open: () => Promise.reject(new Error("not opened here")),
  ...more,
});
const delegates = [
  stub("openvino", ["onnx", "tflite"], ["cpu", "intel-npu"]),
  stub("ggml", ["gguf"], ["cpu"], { find: () => absent("libllama.so") }),
  stub("onnxruntime", ["onnx"], ["cpu"], {
    find: () => read({ library: "/opt/onnxruntime.so", embedded: true }, "/opt/onnxruntime.so"),
  }),
  stub("tflite", ["tflite"], ["cpu", "rockchip"], { byRoute: (plugin) => ({ plugin }) }),
];

function described(name: string): Described {
  const path = join(folder, name);
  const [sample] = Object.values(tflite);
  writeFileSync(path, name.endsWith(".onnx") ? smallOnnx() : (sample?.() ?? ""));
  const found = describeFile(path);
  if (!isModel(found)) throw new Error("no model");
  return found;
}
const chosen = (model: string, machine: string, wish: Partial<Wish> = {}): ReturnType<typeof told> =>
  told(model, machine, { device: "auto", fallback: false, ...wish });
function told(
  model: string,
  machine: string,
  wish: Wish,
): { order: string[]; passed: Record<string, string>; plugin?: string } {
  const { candidates, passed } = choose(
    described(model),
    () => machines[machine]?.() ?? fail(machine),
    wish,
    delegates,
  );
  const plugin = candidates[0]?.paths.plugin;
  return {
    order: candidates.map(({ delegate, device, route }) => [delegate.id, device, ...(route ? [route] : [])].join(" ")),
    passed: Object.fromEntries(passed.map(({ what, because }) => [what, because])),
    ...(plugin === undefined ? {} : { plugin }),
  };
}
const fail = (machine: string): never => {
  throw new Error(`no machine ${machine}`);
};

describe("auto", () => {
  it("takes the CPU where no accelerator is here, the embedded default first", () => {
    const { order, passed } = chosen("a.onnx", "no-accelerator");
    expect(order).toEqual(["onnxruntime cpu", "openvino cpu"]);
    expect(passed).toEqual({});
  });

  it("takes the route that works before the CPU, and says why not the others", () => {
    const { order, passed } = chosen("a.onnx", "lunar-lake-works");
    expect(order).toEqual(["openvino intel-npu openvino", "onnxruntime cpu", "openvino cpu"]);
    expect(Object.keys(passed).length).toBeGreaterThan(0);
    for (const because of Object.values(passed)) expect(because).not.toBe("");
  });

  it("passes over a device whose route does not work here", () => {
    const { order, passed } = chosen("a.onnx", "lunar-lake-no-firmware");
    expect(order).toEqual(["onnxruntime cpu", "openvino cpu"]);
    expect(passed["intel-npu by route openvino"]).toContain("does not work on this machine");
  });

  it("gives the external delegate that the route names and that lies on the machine", () => {
    const { order, plugin, passed } = chosen("a.tflite", "rk3588-mainline-rocket");
    expect(order).toEqual(["tflite rockchip open", "openvino cpu", "tflite cpu"]);
    expect(plugin).toBe("/usr/lib/teflon/libteflon.so");
    expect(passed["rockchip by route vendor"]).toContain("takes rknn");
  });
});

it("names the package of npm that would bring a library, unless one was named", () => {
  const missing = [stub("some", ["onnx"], ["cpu"], { find: () => absent("libsome.so"), npm: "some-runtime@1" })];
  const installs = (library?: string): (string | undefined)[] =>
    choose(
      described("a.onnx"),
      () => fail("none"),
      { device: "cpu", fallback: false, ...(library === undefined ? {} : { library }) },
      missing,
    ).passed.map(({ install }) => install);
  expect(installs()).toEqual(["some-runtime@1"]);
  expect(installs("/nowhere/libsome.so")).toEqual([undefined]);
});

describe("a device that was asked for", () => {
  it("is the only one, even when it is not here", () => {
    const { order, passed } = chosen("a.onnx", "no-accelerator", { device: "intel-npu" });
    expect(order).toEqual([]);
    expect(passed["intel-npu"]).toContain("no such device is here");
    expect(chosen("a.onnx", "lunar-lake-works", { device: "intel-npu" }).order).toEqual([
      "openvino intel-npu openvino",
    ]);
    expect(chosen("a.onnx", "lunar-lake-works", { device: "intel-npu:1" }).order).toEqual([]);
  });

  it("is followed by the CPU where that is allowed", () => {
    expect(chosen("a.onnx", "no-accelerator", { device: "intel-npu", fallback: true }).order).toEqual([
      "onnxruntime cpu",
      "openvino cpu",
    ]);
  });

  it("is reached by the route and the delegate that were asked for, and no other", () => {
    const wish = { device: "rockchip", route: "vendor" };
    expect(chosen("a.tflite", "rk3588-mainline-rocket", wish).order).toEqual([]);
    const other = chosen("a.onnx", "lunar-lake-works", { device: "intel-npu", delegate: "onnxruntime" });
    expect(other.order).toEqual([]);
    expect(other.passed["intel-npu by route openvino"]).toContain("not onnxruntime");
  });

  it("may be tried by a library of the user's own, whatever the review says", () => {
    const { order } = chosen("a.onnx", "no-accelerator", { device: "intel-npu", library: "/home/me/libopenvino_c.so" });
    expect(order).toEqual(["openvino intel-npu"]);
  });

  it("has to exist in the catalogue", () => {
    expect(() => chosen("a.onnx", "no-accelerator", { device: "abacus" })).toThrow(UsageError);
    expect(() => chosen("a.onnx", "no-accelerator", { delegate: "abacus" })).toThrow(UsageError);
  });
});
