import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openRoot } from "../../src/index.ts";
import { openPaste } from "../../src/root/paste.ts";
import { inspect } from "../../src/inspect/inspect.ts";
import { readModel } from "../../src/inspect/describe.ts";
import { run } from "../support/run.ts";
import { hasShared, sharedPath, top, unlessShared } from "../support/shared.ts";

const folder = mkdtempSync(join(tmpdir(), "accelctl-inspect-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function safetensors(name: string, header: object, data: number): string {
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return file(name, Buffer.concat([length, text, Buffer.alloc(data)]));
}

describe("files that are no models", () => {
  it.each([
    ["a.tflite", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 4096\n", "a Git LFS pointer"],
    ["b.onnx", "<!DOCTYPE html><html><body>404</body></html>", "an HTML page"],
    ["c.bin", "", "empty"],
    ["d.rknn", new Uint8Array(5000), "zero bytes"],
    ["e.pt", Uint8Array.of(0x80, 2, 0x7d), "a Python pickle"],
    ["f.tar.gz", Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0), "compressed by gzip"],
    ["g.om", "hello", "text, of no model layout we know"],
  ])("%s is named as what it is, with exit 3", async (name, content, words) => {
    const path = file(name, content);
    const { code, out, err } = await run("inspect", path);
    expect(code).toBe(3);
    expect(out).toBe("");
    expect(err.replace(/\s+/g, " ")).toContain(words);
    const json = await run("inspect", path, "--json");
    expect(json.code).toBe(3);
    expect((JSON.parse(json.out) as { format: unknown }).format).toBeNull();
    expect(() => readModel(path)).toThrow(words);
  });
});

it("a file that is not there, and a folder, are told in words", async () => {
  expect((await run("inspect", join(folder, "none.onnx"))).err).toContain("no such file");
  expect((await run("inspect", folder)).err).toContain("a directory");
  expect((await run("inspect")).code).toBe(2);
});

it("a truncated download is a model with missing bytes, not a whole one, with exit 3", async () => {
  const path = safetensors("cut.safetensors", { a: { dtype: "F32", shape: [64], data_offsets: [0, 256] } }, 100);
  const { code, out } = await run("inspect", path, "--no-machine");
  expect(code).toBe(3);
  expect(out.replace(/\s+/g, " ")).toContain("156 bytes are missing");
  expect(out).toContain("extent/past-end");
});

it("two files: what differs, and nothing else", async () => {
  const a = safetensors("a.safetensors", { a: { dtype: "F32", shape: [64], data_offsets: [0, 256] } }, 256);
  const b = safetensors("b.safetensors", { a: { dtype: "F16", shape: [64], data_offsets: [0, 128] } }, 128);
  const { code, out } = await run("inspect", a, b, "--json");
  expect(code).toBe(0);
  const { differences } = JSON.parse(out) as { differences: { what: string }[] };
  expect(differences.map(({ what }) => what)).toEqual(["file bytes", "quantised", "weight bytes"]);
  expect((await run("inspect", a, a)).out).toContain("differ in nothing");
  expect((await run("inspect", a, b, "--ops")).code).toBe(2);
});

it("two files whose structure is one are not called the same: weights are not read", async () => {
  const a = safetensors("a.safetensors", { a: { dtype: "F32", shape: [64], data_offsets: [0, 256] } }, 256);
  expect((await run("inspect", a, a)).out.replace(/\s+/g, " ")).toContain("cmp tells whether the files are the same");
});

it("two versions of a model differ in what they say of themselves, and in what is broken", async () => {
  const tensor = { dtype: "F32", shape: [64], data_offsets: [0, 256] };
  const a = safetensors("v1.safetensors", { a: tensor, __metadata__: { version: "1" } }, 256);
  const b = safetensors("v2.safetensors", { a: tensor, __metadata__: { version: "2" } }, 100);
  const { code, out } = await run("inspect", a, b, "--json");
  expect(code).toBe(3);
  const { differences } = JSON.parse(out) as { differences: { what: string; left: unknown; right: unknown }[] };
  expect(differences).toContainEqual({ what: "in its words: version", left: "1", right: "2" });
  expect(differences.find(({ what }) => what === "wrong with the file")?.right).toMatch(/156 bytes are missing/);
});

it.each([
  [["--no-machine", "--for", "hailo"], "--for asks about a machine"],
  [["--no-machine", "--root", "x.json"], "--root asks about a machine"],
  [["--graph", "svg", "--json"], "leave --json out"],
])("%j is refused, not passed over", async (options, words) => {
  const path = safetensors("o.safetensors", { a: { dtype: "F32", shape: [1], data_offsets: [0, 4] } }, 4);
  const { code, err } = await run("inspect", path, ...options);
  expect(code).toBe(2);
  expect(err).toContain(words);
});

it("a comparison looks at no machine, and says so", async () => {
  const path = safetensors("o.safetensors", { a: { dtype: "F32", shape: [1], data_offsets: [0, 4] } }, 4);
  expect((await run("inspect", path, path, "--root", "x.json")).code).toBe(2);
});

it("names of a stranger reach neither terminal nor page as they are", async () => {
  const evil = "\u001b[31m<script>alert(1)</script>\u202e";
  const path = safetensors(
    "evil.safetensors",
    { [evil]: { dtype: "F32", shape: [1], data_offsets: [0, 4] }, __metadata__: { [evil]: evil } },
    4,
  );
  const { out } = await run("inspect", path, "--tensors", "--no-machine");
  expect(out).not.toMatch(/[\u001b\u202e]/);
});

it("a file without a graph has none to draw", async () => {
  const path = safetensors("flat.safetensors", { a: { dtype: "F32", shape: [1], data_offsets: [0, 4] } }, 4);
  const { code, err } = await run("inspect", path, "--graph", "svg");
  expect(code).toBe(3);
  expect(err).toContain("no graph can be seen");
});

describe("a family that is named gets an answer, whether or not a device of it is here", () => {
  const ask = async (format: "plain" | "cut", ...options: string[]) => {
    const path = safetensors(`${format}.safetensors`, { a: { dtype: "F32", shape: [1], data_offsets: [0, 4] } }, 4);
    const root = join(top, "machines/no-accelerator.json");
    return (await run("inspect", path, "--root", root, ...options)).out.replace(/\s+/g, " ");
  };

  it("with commands, what they need, and where they are written", async () => {
    const out = await ask("plain", "--for", "rk3588");
    expect(out).toContain("For rockchip rk3588: no route of Rockchip NPU takes safetensors as it is");
    expect(out).toContain('target_platform="rk3588"');
    expect(out).toContain("chip name: rk3588");
    expect(out).toContain("source https://github.com/airockchip/rknn-llm/");
  });

  it("or that no way is known", async () => {
    expect(await ask("plain", "--for", "Coral")).toContain("and no command that would convert it is known");
  });
});

it("a family without a machine is refused in a program too", () => {
  const path = safetensors("x.safetensors", { a: { dtype: "F32", shape: [1], data_offsets: [0, 4] } }, 4);
  expect(() => inspect(path, { family: "hailo" })).toThrow("with a machine");
});

it("an unknown family is a wrong word", async () => {
  const path = safetensors("x.safetensors", { a: { dtype: "F32", shape: [1], data_offsets: [0, 4] } }, 4);
  expect(
    (await run("inspect", path, "--for", "nonsense", "--root", join(top, "machines/no-accelerator.json"))).code,
  ).toBe(2);
});

describe.skipIf(!hasShared)(`a model on a machine${unlessShared}`, () => {
  const machine = (name: string) => openRoot(join(top, `machines/${name}.json`));
  const fit = (model: string, name: string) =>
    inspect(sharedPath(`models/${model}`), { machine: machine(name) }).machine;

  it("an .rknn made for another chip is refused by the chip's name, though a route takes the format", () => {
    const devices = fit("rknn/rv1106_RetinaFace.rknn", "rk3588-mainline-rocket")?.devices ?? [];
    const npu = devices.find(({ family }) => family === "rockchip");
    expect(npu?.fits).toBe("no");
    expect(npu?.says).toMatch(/made for rv1106/i);
    expect(npu?.says).toContain("inspect the model it was made from with --for rk3588");
    expect(npu?.routes.some(({ accepts }) => accepts)).toBe(true);
  });

  it("an ExecuTorch program for an Ethos-U55 is not for a U65", () => {
    const machine = openRoot(sharedPath("machines/kernel/arm64-ethosu-7.3.tar.gz"));
    const path = sharedPath("models/pte/add_quant_himax_ini_opt_size_vela_4_5_0_inout_in32.pte");
    const says = inspect(path, { machine }).machine?.devices.find(({ chip }) => chip === "u65")?.says;
    expect(says).toContain("made for ethos-u55-64; this is Arm Ethos-U65");
  });

  it("where nothing converts, nothing is said to be compiled", () => {
    const path = sharedPath("models/tfjs/languagedetection_model.json");
    for (const { fits, says } of inspect(path, { machine: machine("coral-pcie-no-driver") }).machine?.devices ?? []) {
      expect(fits).toBe("no");
      expect(says).toContain("no command that would convert it is known");
    }
  });

  it("a card of AXERA takes an .axmodel, a Myriad stick a blob", () => {
    const of = (model: string, text: string) =>
      inspect(sharedPath(`models/${model}`), { machine: openPaste(text, "paste") }).machine?.devices[0]?.routes;
    const card = "0001:01:00.0 Multimedia video controller [0400]: Axera Device [1f4b:0650] (rev 01)\n";
    const stick = "Bus 001 Device 004: ID 03e7:2485 Intel Movidius MyriadX\n";
    expect(of("axmodel/1a8640e_espcn_x2_256x192_u8.axmodel", card)?.some(({ accepts }) => accepts)).toBe(true);
    expect(of("myriad-blob/5d07c42_diff_openvino_2021.4_6shave.blob", stick)?.some(({ accepts }) => accepts)).toBe(
      true,
    );
  });

  it("an Edge TPU file fits where the Coral is, and nothing else takes it", () => {
    const path = "tflite-edgetpu/mobilenet_v1_0.25_128_quant_edgetpu.tflite";
    const here = fit(path, "coral-pcie-no-driver")?.devices.find(({ family }) => family === "coral");
    expect(here?.fits).toBe("no");
    expect(here?.says).toContain("does not work here");
    const elsewhere = fit(path, "lunar-lake-works")?.devices.find(({ family }) => family === "intel-npu");
    expect(elsewhere?.says).toContain("a compiled file cannot be converted");
  });

  it("an integer TFLite runs on the open route of an RK3588 as it is", () => {
    const npu = fit("tflite/rocket_test_2conv.tflite", "rk3588-mainline-rocket")?.devices.find(
      ({ family }) => family === "rockchip",
    );
    expect(npu?.routes.find(({ accepts }) => accepts)?.route).toBe("open");
    expect(npu?.fits).not.toBe("convert");
  });

  it("an ONNX for a Coral is two steps away", () => {
    const machineFit = fit("onnx/mnist-8.onnx", "coral-pcie-no-driver");
    expect(machineFit?.devices.find(({ family }) => family === "coral")?.fits).toBe("convert");
    expect(machineFit?.conversions.map(({ tool }) => tool)).toContain("onnx2tf, then edgetpu_compiler");
  });
});
