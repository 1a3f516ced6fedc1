import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FileError } from "../../src/base/errors.ts";
import { modelFileOf, openModelFile } from "../../src/formats/file.ts";
import format from "../../src/formats/gguf.ts";
import { checkModel } from "../../src/model/integrity.ts";
import { mutated, truncated } from "./build/broken.ts";
import { gguf, type GgufOptions } from "./build/gguf.ts";

const small: GgufOptions = {
  values: {
    "general.architecture": { text: "llama" },
    "general.name": { text: "Tiny" },
    "general.author": { text: "A. Nonymous" },
    "general.license": { text: "apache-2.0" },
    "general.file_type": { u32: 15 },
    "llama.context_length": { u32: 4096 },
    "llama.rope.freq_base": { f32: 10000 },
    "llama.rope.sections": { u32s: [16, 24, 24, 0] },
    "tokenizer.ggml.model": { text: "gpt2" },
    "tokenizer.ggml.tokens": { texts: Array.from({ length: 100 }, (_, index) => `token ${index}`) },
    "tokenizer.ggml.merges": { texts: ["a b", "c d"] },
    "tokenizer.ggml.add_bos_token": { bool: 1 },
    "tokenizer.chat_template": { text: "{{ x }}".repeat(1000) },
  },
  tensors: [
    { name: "token_embd.weight", shape: [256, 100], type: 12, offset: 0 },
    { name: "output_norm.weight", shape: [256], type: 0, offset: 14_400 },
  ],
  data: 14_400 + 1024,
};

const read = (options: GgufOptions, name = "tiny.gguf") => format.read(modelFileOf(gguf(options), name));
const rules = (options: GgufOptions): string[] => read(options).integrity.map(({ rule }) => rule);
const one = (tensor: Partial<{ name: string; shape: number[]; type: number; offset: number }>, data = 64) =>
  rules({ tensors: [{ name: "a", shape: [16], type: 0, offset: 0, ...tensor }], data });

describe("gguf", () => {
  it.each([
    [1, false],
    [2, false],
    [3, false],
    [3, true],
  ])("reads version %i, big-endian %s", (version, bigEndian) => {
    const file = modelFileOf(gguf({ ...small, version, bigEndian }), "tiny.gguf");
    expect(format.matches(file)).toBe(2);
    const model = format.read(file);
    expect(model.integrity).toEqual([]);
    expect(model.version).toBe(bigEndian ? "3, big-endian" : String(version));
    expect(model.author).toBe("A. Nonymous");
    expect(model.licence).toBe("apache-2.0");
    expect(model.metadata).toMatchObject({
      architecture: "llama",
      parameters: String(256 * 101),
      "context length": "4096",
      "file type": "mostly Q4_K_M",
      tokenizer: "gpt2, 100 tokens, 2 merges, with a chat template",
      "llama.rope.freq_base": "10000",
      "llama.rope.sections": "16, 24, 24, 0",
      "tokenizer.ggml.tokens": "100 × string",
      "tokenizer.ggml.add_bos_token": "true",
    });
    const [embedding, norm] = model.graphs[0]?.tensors ?? [];
    expect(embedding).toMatchObject({
      type: "block",
      spelled: "Q4_K",
      shape: [256, 100],
      quantization: { scheme: "Q4_K, block 256 in 144 bytes" },
      data: { bytes: 14_400 },
    });
    expect(norm).toMatchObject({ type: "float32", data: { bytes: 1024 } });
    expect((norm?.data?.offset ?? 0) + 1024).toBe(file.size);
  });

  it("heeds the alignment it states, and refuses one that is none", () => {
    const aligned = read({ ...small, values: { "general.alignment": { u32: 4096 } }, alignment: 4096 });
    expect(aligned.graphs[0]?.tensors[0]?.data?.offset).toBe(4096);
    for (const u32 of [0, 24, 1 << 30]) {
      expect(() => read({ values: { "general.alignment": { u32 } } })).toThrow("no power of two");
    }
  });

  it("takes a vocabulary alone, which ends with its metadata", () => {
    const whole = gguf({ values: { "general.architecture": { text: "bert" } } });
    const bytes = whole.subarray(0, 24 + 8 + 20 + 4 + 8 + 4);
    const model = format.read(modelFileOf(bytes, "vocab.gguf"));
    expect([...model.integrity, ...checkModel(model, bytes.length)]).toEqual([]);
    expect(model.sections.at(-1)).toMatchObject({ name: "tensor infos", bytes: 0 });
  });

  it("tells what contradicts itself", () => {
    expect(one({})).toEqual([]);
    expect(one({ shape: [17] }, 68)).toEqual([]);
    expect(one({}, 60)).toEqual(["extent/past-end"]);
    expect(one({ offset: 8 }, 72)).toEqual(["extent/misaligned"]);
    expect(one({ offset: 64 }, 128)).toEqual(["extent/hole"]);
    expect(one({}, 128)).toEqual(["extent/trailing"]);
    expect(one({ type: 2, shape: [33] }, 36)).toEqual(["shape/impossible"]);
    expect(one({ shape: [2 ** 40, 2 ** 40] }, 0)).toEqual(["shape/impossible"]);
    expect(one({ type: 4 }, 0)).toEqual(["tensor/type"]);
    expect(one({ type: 99 }, 0)).toEqual(["tensor/type"]);
    expect(
      rules({
        tensors: [
          { name: "a", shape: [16], type: 0, offset: 0 },
          { name: "a", shape: [16], type: 0, offset: 32 },
        ],
        data: 96,
      }),
    ).toEqual(["tensor/duplicate", "extent/overlap"]);
  });

  it("names the other files of a split model", () => {
    const values = { "split.count": { u32: 3 } };
    expect(read({ values }, "/models/a-00002-of-00003.gguf").needs).toEqual([
      "a-00001-of-00003.gguf",
      "a-00003-of-00003.gguf",
    ]);
    expect(read({ values }, "renamed.gguf").needs).toEqual([]);
  });

  it("refuses counts and versions that no file has, with the offset", () => {
    const bytes = gguf(small);
    bytes.writeUInt32LE(4, 4);
    expect(() => format.read(modelFileOf(bytes, "a.gguf"))).toThrow("offset 0x4: GGUF version 4");
    const many = gguf(small);
    many.writeBigUInt64LE(1n << 62n, 8);
    expect(() => format.read(modelFileOf(many, "a.gguf"))).toThrow(FileError);
  });

  it("says that a file cut short is", () => {
    for (const result of truncated(format, gguf(small), "cut.gguf")) {
      if (!(result instanceof FileError)) expect(result.integrity[0]?.rule).toBe("extent/past-end");
    }
    mutated(format, gguf(small), "mutant.gguf", 2000);
    mutated(format, gguf({ ...small, version: 1 }), "mutant.gguf", 500);
  });

  it("reads five gigabytes in milliseconds, for their weights stay where they are", () => {
    const folder = mkdtempSync(join(tmpdir(), "accelctl-gguf-"));
    try {
      const path = join(folder, "large.gguf");
      const rows = 8_000_000; // of 256 in Q4_K: 144 bytes each
      const fd = openSync(path, "w");
      const tensors = Array.from({ length: 5 }, (_, index) => ({
        name: `blk.${index}.weight`,
        shape: [256, rows],
        type: 12,
        offset: index * rows * 144,
      }));
      const head = gguf({ values: small.values ?? {}, tensors });
      writeSync(fd, head);
      ftruncateSync(fd, head.length + 5 * rows * 144);
      closeSync(fd);
      const file = openModelFile(path);
      const before = performance.now();
      const model = format.read(file);
      expect(performance.now() - before).toBeLessThan(100);
      file.close();
      expect(file.size).toBeGreaterThan(5e9);
      expect(model.integrity).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

/** What gguf-py 0.19.0 writes, and what it reads of it (tools/gguf-oracle.py). */
const written = JSON.parse(readFileSync(new URL("gguf-oracle.json", import.meta.url), "utf8")) as Readonly<
  Record<string, { readonly file: string; readonly tensors: readonly string[] }>
>;
const plainTypes: Readonly<Record<string, string>> = {
  float32: "F32",
  float16: "F16",
  bfloat16: "BF16",
  float64: "F64",
  int8: "I8",
  int16: "I16",
  int32: "I32",
  int64: "I64",
};

describe("files of gguf-py", () => {
  const open = (name: string) => modelFileOf(Buffer.from(written[name]?.file ?? "", "base64"), name);

  it.each(Object.entries(written))(
    "%s: types, shapes, places and bytes of all tensors are what it says",
    (name, said) => {
      const model = format.read(open(name));
      const rows = (model.graphs[0]?.tensors ?? []).map(
        ({ name: tensor, type, spelled, shape = [], data }) =>
          `${tensor} ${plainTypes[type] ?? spelled} [${shape.join(",")}] ${data?.offset} ${data?.bytes}`,
      );
      expect(rows).toEqual(said.tensors);
      expect(model.integrity).toEqual([]);
    },
  );

  it("hold every type that has a size", () => {
    expect(new Set(written["types.gguf"]?.tensors.map((row) => row.split(" ")[1])).size).toBe(34);
  });

  it.each(["types.gguf", "big.gguf"])("%s: values of every kind, whatever the byte order", (name) => {
    expect(format.read(open(name)).metadata).toMatchObject({
      "file type": "mostly Q8_0",
      "test.uint8": "200",
      "test.int8": "-3",
      "test.uint16": "65535",
      "test.int16": "-300",
      "test.uint32": "4294967295",
      "test.int32": "-2147483648",
      "test.uint64": "9223372036854775808",
      "test.int64": "-1099511627776",
      "test.float32": "0.5",
      "test.float64": "0.1",
      "test.bool": "true",
      "test.string": "näm",
      "test.ints": "1, -2, 3",
      "test.floats": "0.5, 1.5",
      "test.bools": "true, false",
      "test.strings": "a, b",
    });
  });
});
