/** The directory of models, as people lay it out and as it changes; configs, and what is wrong with them. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { UsageError } from "../../../src/base/errors.ts";
import { checkModelConfig, modelConfigSchema } from "../../../src/serve/engine/config.ts";
import { chooseVersions, scanModels } from "../../../src/serve/engine/repository.ts";
import { smallOnnx } from "../../support/onnx.ts";
import { modelsFolder, type ModelsFolder } from "../../support/served-models.ts";
import { smallTflite } from "../../support/tflite.ts";

let open: ModelsFolder[] = [];
afterEach(() => {
  for (const one of open) one.remove();
  open = [];
});
const folderOf = (...given: Parameters<typeof modelsFolder>): ModelsFolder => {
  const folder = modelsFolder(given[0]);
  open.push(folder);
  return folder;
};
const told = (path: string): string[] =>
  scanModels(path).flatMap(({ name, versions, problem }) => [
    ...(problem === undefined ? [] : [`${name}: ${problem}`]),
    ...versions.map((one) => `${name} ${one.version}${one.problem === undefined ? "" : `: ${one.problem}`}`),
  ]);

describe("a directory of models", () => {
  it("has files and folders of versions, and much else that is none", () => {
    const folder = folderOf({
      "a.onnx": smallOnnx(),
      "a.onnx.data": Buffer.from("weights"),
      "labels.txt": Buffer.from("cat"),
      "README.md": Buffer.from("#"),
      ".hidden/1/model.onnx": smallOnnx(),
      "b/1/model.onnx": smallOnnx(),
      "b/2/model.onnx": smallOnnx(),
      "b/2/weights.bin": Buffer.from("w"),
      "b/10/model.onnx": smallOnnx(),
      "b/old/model.onnx": smallOnnx(),
      "b/config.pbtxt": Buffer.from('name: "b"'),
      "c/3/mobile.tflite": smallTflite(),
      "c/3/labels.txt": Buffer.from("cat"),
      "d e/1/model.onnx": smallOnnx(),
    });
    const { path } = folder;
    mkdirSync(join(path, "empty"));
    folder.write("without/01/model.onnx", smallOnnx());
    expect(told(path)).toEqual([
      "a 1",
      "b 1",
      "b 2",
      "b 10",
      "c 3",
      "empty: its folder has no version in it: a folder with a number for a name",
      "without: its folder has no version in it: a folder with a number for a name",
    ]);
    expect(scanModels(path).find(({ name }) => name === "b")?.note).toMatch(/^its config\.pbtxt is not read/);
  });

  it("says which of a version's files it would take, or that it cannot tell", () => {
    const { path } = folderOf({
      "named/1/model.onnx": smallOnnx(),
      "named/1/other.onnx": smallOnnx(),
      "two/1/a.onnx": smallOnnx(),
      "two/1/b.tflite": smallTflite(),
      "said/1/a.onnx": smallOnnx(),
      "said/1/b.tflite": smallTflite(),
      "said/accelctl.json": { file: "b.tflite" },
      "up/1/a.onnx": smallOnnx(),
      "up/accelctl.json": { file: "../a.onnx" },
      "none/1/notes.txt": Buffer.from("nothing"),
      "unmarked/1/model": smallTflite(),
    });
    expect(told(path)).toEqual([
      "named 1",
      "none 1: no model of a format that is run here lies in its folder",
      "said 1",
      'two 1: which of a.onnx, b.tflite is the model? Its config can say it by "file"',
      "unmarked 1",
      "up 1: /file of its config: a name without a slash",
    ]);
    expect(scanModels(path).find(({ name }) => name === "said")?.versions[0]?.path).toMatch(/said\/1\/b\.tflite$/);
  });

  it("is not left through links, and what two claim is nobody's", () => {
    const elsewhere = mkdtempSync(join(tmpdir(), "accelctl-elsewhere-"));
    writeFileSync(join(elsewhere, "model.onnx"), smallOnnx());
    mkdirSync(join(elsewhere, "1"));
    writeFileSync(join(elsewhere, "1/model.onnx"), smallOnnx());
    const { path } = folderOf({
      "in/1/model.onnx": smallOnnx(),
      "twice.onnx": smallOnnx(),
      "twice/1/model.onnx": smallOnnx(),
      "mixed/2/model.onnx": smallOnnx(),
      "file/1/x": Buffer.from(""),
    });
    symlinkSync(join(elsewhere, "model.onnx"), join(path, "out.onnx"));
    symlinkSync(elsewhere, join(path, "outside"));
    symlinkSync(join(elsewhere, "1"), join(path, "mixed/1"));
    symlinkSync(join(elsewhere, "model.onnx"), join(path, "file/1/model.onnx"));
    symlinkSync("in/1/model.onnx", join(path, "within.onnx"));
    symlinkSync("nowhere.onnx", join(path, "gone.onnx"));
    const away = "its folder is a link out of the directory of models";
    expect(told(path)).toEqual([
      "file 1: its file is a link out of the directory of models",
      "gone 1: its file is not there",
      "in 1",
      `mixed 1: ${away}`,
      "mixed 2",
      "out 1: its file is a link out of the directory of models",
      `outside: ${away}`,
      "twice: a folder or file of the same name is there too",
      "within 1",
    ]);
    expect(JSON.stringify(scanModels(path).map(({ problem }) => problem))).not.toContain(path);
    rmSync(elsewhere, { recursive: true });
    unlinkSync(join(path, "gone.onnx"));
  });

  it("changes its marks with its files and configs, and no others", () => {
    const folder = folderOf({ "a/1/model.onnx": smallOnnx(), "a/2/model.onnx": smallOnnx() });
    const marks = (): string[] => scanModels(folder.path).flatMap(({ versions }) => versions.map(({ mark }) => mark));
    const before = marks();
    expect(marks()).toEqual(before);
    folder.write("a/2/model.onnx", Buffer.concat([smallOnnx(), Buffer.of(0)]));
    const after = marks();
    expect(after[0]).toBe(before[0]);
    expect(after[1]).not.toBe(before[1]);
    folder.write("a/accelctl.json", { threads: 1 });
    expect(marks()[0]).not.toBe(before[0]);
  });

  it("serves the versions that its config asks for", () => {
    const versions = ["1", "2", "9", "10"].map((version) => ({ version, path: "", mark: "" }));
    const chosen = (...policy: Parameters<typeof chooseVersions> extends [unknown, ...infer P] ? P : never): string[] =>
      chooseVersions(versions, ...policy).map(({ version }) => version);
    expect(chosen()).toEqual(["10"]);
    expect(chosen("all")).toEqual(["1", "2", "9", "10"]);
    expect(chosen({ latest: 2 })).toEqual(["9", "10"]);
    expect(chosen(["1", "9", "77"])).toEqual(["1", "9"]);
  });
});

describe("a config", () => {
  it.each([
    [{ max_batch: "many" }, '/max_batch: must be integer; it is "many"'],
    [{ max_batch: 5000 }, "/max_batch: must be <= 1024; it is 5000"],
    [{ batch: 3 }, 'the file: there is no setting "batch"'],
    [{ fallback: "gpu" }, '/fallback: must be "cpu"; it is "gpu"'],
    [{ options: { a: 1 } }, "/options/a: must be string; it is 1"],
    [{ warmup: { shapes: { x: [1, -1] } } }, "/warmup/shapes/x/1: must be >= 0; it is -1"],
    [
      { versions: "newest" },
      '/versions: Which versions serve: latest (the default), all, so many of the latest, or a list; it is "newest"',
    ],
    [{ versions: { latest: 0 } }, "/versions/latest: must be >= 1; it is 0"],
    [[], "the file: must be object; it is []"],
  ])("%j is refused in one sentence", (config, says) => {
    const check = (): unknown => checkModelConfig(config, "accelctl.json");
    expect(check).toThrow(UsageError);
    expect(check).toThrow(`accelctl.json: ${says}`);
  });

  it("that is broken is its model's problem", () => {
    const { path } = folderOf({
      "a/1/model.onnx": smallOnnx(),
      "a/accelctl.json": Buffer.from('{"max_batch": 1,}'),
      "b.onnx": smallOnnx(),
      "b.accelctl.json": { max_batch: -1 },
    });
    const [a, b] = scanModels(path);
    expect(a?.problem).toMatch(/^accelctl\.json: no JSON: /);
    expect(b?.problem).toBe("b.accelctl.json: /max_batch: must be >= 0; it is -1");
  });

  it("of everything that can be said is taken", () => {
    const config = {
      device: "cpu",
      delegate: "onnxruntime",
      threads: 2,
      instances: 2,
      isolate: true,
      exclusive: false,
      max_batch: 16,
      max_delay_ms: 2.5,
      preferred_batch: [4, 16],
      priority: 3,
      weight: 0.5,
      queue_requests: 10,
      queue_bytes: 1000,
      timeout_ms: 500,
      interrupt: true,
      warmup: { runs: 1, shapes: { x: [1, 3] } },
      versions: ["1", "2"],
    };
    expect(checkModelConfig(config, "accelctl.json")).toEqual(config);
  });
});

describe("the documentation", () => {
  it("names every setting", () => {
    const page = readFileSync(new URL("../../../docs/serving-models.md", import.meta.url), "utf8");
    for (const name of Object.keys(modelConfigSchema.properties)) {
      if (name !== "$schema") expect(page).toContain(`\`${name}\``);
    }
  });
});
