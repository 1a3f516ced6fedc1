import { describe, expect, it } from "vitest";
import { FileError } from "../../src/base/errors.ts";
import { modelFileOf } from "../../src/formats/file.ts";
import pytorch from "../../src/formats/pytorch.ts";
import { checkImports } from "../../src/formats/pytorch/imports.ts";
import { itemsOf, walkPickle, type Value } from "../../src/formats/pytorch/pickle.ts";
import { costOf } from "../../src/model/cost.ts";
import type { Model, Tensor } from "../../src/model/graph.ts";
import { checkModel } from "../../src/model/integrity.ts";
import { call, dict, global, pickle, storage, tensor, text } from "./build/pickle.ts";
import { zip } from "./build/zip.ts";
import { exported, program, samples, weights } from "./samples/pytorch.ts";

const read = (bytes: Uint8Array): Model => {
  const model = pytorch.read(modelFileOf(bytes, "model.pt"));
  return { ...model, integrity: checkModel(model, bytes.length) };
};
const sample = (name: string): Uint8Array => samples[name]?.() ?? new Uint8Array(0);
const named = (model: Model, name: string): Tensor | undefined =>
  model.graphs[0]?.tensors.find((one) => one.name === name);
const rules = (model: Model): string[] => model.integrity.map(({ rule }) => rule);
const walk = (bytes: Uint8Array | string): Value =>
  walkPickle(Buffer.from(bytes as string, "latin1"), "x.pkl", 0).value;

describe("weights", () => {
  const bytes = weights();
  const model = read(bytes);

  it("have names, types, shapes and places", () => {
    expect(model.graphs[0]?.tensors.map(({ name, type, shape }) => [name, type, shape])).toEqual([
      ["model.conv.weight", "float32", [2, 3, 2, 2]],
      ["model.conv.bias", "float16", [2]],
      ["model.tail", "float16", [4]],
      ["model.part", "float16", [3]],
      ["model.turned", "int64", [3, 2]],
      ["model.packed", "int8", [2, 2]],
    ]);
    const { offset = 0, bytes: size = 0 } = named(model, "model.conv.weight")?.data ?? {};
    expect(offset % 64).toBe(0);
    expect(Buffer.from(bytes).readFloatLE(offset + 4 * 23)).toBe(23 / 4);
    expect(size).toBe(96);
    expect(rules(model)).toEqual([]);
  });

  it("that share a storage lie where they lie, and have no place of their own where they overlap", () => {
    const [bias, tail, part] = ["conv.bias", "tail", "part"].map((name) => named(model, `model.${name}`)?.data);
    expect((tail?.offset ?? 0) - (bias?.offset ?? 0)).toBe(4);
    expect(part).toEqual({ bytes: 0 });
  });

  it("are quantised as their call says, and what a trainer kept is told", () => {
    expect(named(model, "model.packed")?.quantization).toEqual({
      scale: [2],
      zeroPoint: [1],
      scheme: "per_tensor_affine",
    });
    expect(model.metadata).toMatchObject({ epoch: "3", "byte order": "little" });
    expect(model.version).toBe("3");
  });

  it("that leave their storage, or have none, are told", () => {
    const of = (piece: Uint8Array): string[] => rules(read(weights(pickle(dict({ w: piece })))));
    expect(of(tensor(storage("Float", "0", 24), 1, [24]))).toContain("extent/past-storage");
    expect(of(tensor(storage("Float", "9", 24), 0, [24]))).toContain("storage/missing");
    expect(of(tensor(storage("Float", "0", 25), 0, [24]))).toContain("storage/size");
    expect(of(tensor(text("0"), 0, [24]))).toContain("tensor/unreadable");
    expect(rules(read(weights(undefined, "middle")))).toContain("storage/order");
  });
});

describe("pickles are walked and never run", () => {
  it("code that would run is named, by how bad it is", () => {
    const bytes = weights(
      pickle(
        dict({
          x: call(global("posix", "system"), text("true")),
          y: call(global("ultralytics.nn.tasks", "DetectionModel")),
        }),
      ),
    );
    const told = read(bytes).integrity.filter(({ rule }) => rule.startsWith("pickle/"));
    expect(told.map(({ severity, rule }) => `${severity} ${rule}`)).toEqual([
      "warning pickle/runs-code",
      "warning pickle/imports",
    ]);
    expect(told[0]?.says).toContain("posix.system");
    expect(told[1]?.says).toContain("ultralytics.nn.tasks.DetectionModel");
  });

  it.each([
    "collections OrderedDict",
    "torch FloatStorage",
    "torch.storage UntypedStorage",
    "torch._utils _rebuild_tensor_v2",
    "torch float8_e4m3fn",
    "torch Size",
    "torch.nn.modules.conv Conv2d",
    "__builtin__ dict",
    "numpy.core.multiarray _reconstruct",
    "__torch__.torch.nn.Linear Linear",
  ])("%s is nothing strange", (name) => {
    expect(checkImports([name], "it")).toEqual([]);
  });

  it.each([
    "builtins eval",
    "os system",
    "subprocess Popen",
    "torch.hub load",
    "runpy _run_code",
    "torch load",
    "torch.nnx x",
  ])("%s is", (name) => {
    expect(checkImports([name], "it")).toHaveLength(1);
  });

  it("every way to write a number, a text and a list gives the same", () => {
    expect(walk("(I1\nI01\nL2L\nF1.5\nS'a'\nVb\nt.")).toMatchObject({ items: [1, true, 2, 1.5, "a", "b"] });
    expect(walk("\x80\x04(K\x01M\x01\x02J\xff\xff\xff\xff\x8a\x02\x00\x80\x8c\x01aNt.")).toMatchObject({
      items: [1, 513, -1, -32768, "a", null],
    });
    expect(itemsOf(walk("(lp0\nI1\nag0\n0."))).toEqual([1]);
    expect(walk("\x80\x04\x8c\x02os\x8c\x06system\x93.")).toEqual({ kind: "global", module: "os", name: "system" });
    expect(walk("(ios\nsystem\n.")).toMatchObject({ kind: "call", callee: { module: "os" } });
  });

  it.each(["", "(", "R.", "h\x00.", "\x80\x09N.", "X\xff\xff\xff\xffa", "\xff.", "(I1\nd.", "Nb", "I1", "]I1\nI2\ns."])(
    "%j is refused with the place",
    (bytes) => {
      expect(() => walk(bytes)).toThrow(FileError);
    },
  );

  it("lists inside of themselves end", () => {
    const list = Buffer.concat([Buffer.from("\x80\x02]q\x00h\x00a", "latin1"), Buffer.from("."), Buffer.alloc(0)]);
    expect(rules(read(weights(list)))).toContain("storage/unused");
  });
});

it("TorchScript tells its class and the operators its code names", () => {
  const model = read(sample("script.pt"));
  expect(model.metadata).toMatchObject({
    kind: "TorchScript",
    class: "__torch__.Net",
    "operators named in its code": "relu x2, linear",
  });
  expect(named(model, "fc.weight")?.shape).toEqual([2, 3]);
  expect(rules(model)).toEqual([]);
});

describe("an exported program", () => {
  const model = read(sample("exported.pt2"));
  const [main, branch] = model.graphs;

  it("is a graph, with weights by their names in the module", () => {
    expect(main?.nodes.map(({ op }) => op)).toEqual(["Conv", "If", "Split", "Concat"]);
    expect(main?.nodes[0]?.inputs.map((index) => main.tensors[index]?.name)).toEqual(["x", "conv.weight", "shift"]);
    expect(named(model, "conv.weight")?.data).toMatchObject({ bytes: 96 });
    expect(main?.nodes[0]?.attributes).toEqual({ stride: [1, 1] });
    expect(main?.inputs.map((index) => main.tensors[index]?.name)).toEqual(["x", "flag"]);
    expect(named(model, "conv2d")?.shape).toEqual(["s0", 2, 3, 3]);
    expect(rules(model)).toEqual([]);
  });

  it("runs branches as graphs, and counts", () => {
    expect(main?.nodes[1]?.graphs).toEqual([1]);
    expect(branch?.nodes.map(({ op }) => op)).toEqual(["Relu"]);
    expect(costOf(model)).toMatchObject({ assumes: "batch of 1", macs: 9 * 2 * 12, parameters: 26 });
    expect(model.producer).toEqual({ name: "PyTorch", version: "2.9.0" });
  });

  it("that does not fit its weights, or takes what nothing makes, is told", () => {
    expect(rules(read(exported(program, 23)))).toContain("storage/size");
    const lost = JSON.parse(JSON.stringify(program).replace('{"name":"conv2d"}', '{"name":"conv3d"}')) as unknown;
    expect(rules(read(exported(lost)))).toContain("graph/missing-node");
  });

  it("of before version 2.8 is read too, and says where its weights are", () => {
    const model = read(
      zip([
        { name: "version", data: "6.1" },
        { name: "serialized_exported_program.json", data: JSON.stringify(program), deflate: true },
        { name: "serialized_state_dict.json", data: "PK" },
      ]),
    );
    expect(model.graphs[0]?.nodes).toHaveLength(4);
    expect(model.unseen).toEqual(["where weights lie: they are in an archive inside (serialized_state_dict)"]);
    expect(costOf(model).parameters).toBe(26);
  });
});

it("the old layout has its storages after its pickles", () => {
  const bytes = sample("old.pth");
  const model = read(bytes);
  expect(named(model, "weight")?.data?.bytes).toBe(24);
  expect(Buffer.from(bytes).readFloatLE((named(model, "weight")?.data?.offset ?? 0) + 20)).toBe(1.25);
  expect(named(model, "bias")?.data).toEqual({ offset: bytes.length - 16, bytes: 16 });
  expect(rules(model)).toEqual([]);
});

it("the oldest, a tar, is named", () => {
  const entry = (name: string): Buffer => {
    const out = Buffer.alloc(1024);
    out.write(name);
    out.write("00000000003\0", 124);
    out.write("ustar\0", 257);
    return out;
  };
  const bytes = Buffer.concat([entry("storages"), entry("tensors"), entry("pickle"), Buffer.alloc(1024)]);
  expect(pytorch.matches(modelFileOf(bytes, "old.t7"))).toBe(2);
  expect(read(bytes).metadata["entries"]).toBe("storages, tensors, pickle");
  expect(() => read(bytes.subarray(0, 1500))).toThrow(FileError);
});

it("other archives are not PyTorch's", () => {
  const of = (name: string): number => pytorch.matches(modelFileOf(zip([{ name, data: "x" }]), "model.zip"));
  expect(["model.params", "config.json", "a/b/data.pkl", "data.npy"].map(of)).toEqual([0, 0, 0, 0]);
  expect(["data.pkl", "x/data.pkl"].map(of)).toEqual([2, 2]);
});
