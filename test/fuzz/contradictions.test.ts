/**
 * One number of a sample's header changed so that the file contradicts itself, by the layout as it is documented: a count beyond its
 * table, an extent beyond its parent, two extents over each other. Containers that have links of their own (FlatBuffers, protobuf, ZIP,
 * ELF) and files that are cut are the fuzzer's.
 */

import { expect, it } from "vitest";
import { FileError } from "../../src/base/errors.ts";
import { modelFileOf } from "../../src/formats/file.ts";
import { describeOpened, isModel } from "../../src/inspect/describe.ts";
import { allSamples } from "../formats/samples/samples.ts";
import { readNumber, writeNumber } from "./structure/spot.ts";

/** [sample, offset, bytes, what is added to the number there, what is then wrong] */
const contradictions: readonly (readonly [string, number, 4 | 8, number, string])[] = [
  ["v3.kmodel", 12, 4, 1, "more layers than have bodies"],
  ["v3.kmodel", 24, 4, 1, "an output where the layers begin"],
  ["v3.kmodel", 28, 4, 1000, "an output beyond the main memory"],
  ["v3.kmodel", 40, 4, 4, "a body beyond the file"],
  ["v4.kmodel", 16, 4, 8, "constants that push the layers out of the file"],
  ["v4.kmodel", 28, 4, 1, "an input that is not there"],
  ["v4.kmodel", 68, 4, 1, "a shape that is not its bytes"],
  ["v4.kmodel", 96, 4, 1, "a body beyond the file"],
  ["v5.kmodel", 20, 4, 1, "a module that is not there"],
  ["v5.kmodel", 28, 4, 1, "a start in a function that is not there"],
  ["v5.kmodel", 56, 4, 4, "a module beyond the file"],
  ["v5.kmodel", 68, 4, 1, "a section beyond its module"],
  ["v6.kmodel", 52, 4, 4, "a module beyond the file"],
  ["v6.kmodel", 104, 4, -42, "a section smaller than what it holds"],
  ["v6.kmodel", 116, 4, 4, "a section beyond its module"],
  ["v7.kmodel", 64, 8, 8, "a module beyond the file"],
  ["v7.kmodel", 128, 8, -58, "a section smaller than what it holds"],
  ["net.nb", 76, 4, 1, "more layers than their table"],
  ["net.nb", 84, 4, 1, "more inputs than their table"],
  ["net.nb", 88, 4, 1, "more outputs than their table"],
  ["net.nb", 376, 4, 4, "a first table that is not behind the directory"],
  ["net.nb", 384, 4, -8, "outputs over inputs"],
  ["net.nb", 416, 4, 0x100000, "a table beyond the file"],
  ["net.blob", 56, 4, 4, "more bytes than the file"],
  ["net.blob", 68, 4, 1, "more inputs than there are"],
  ["net.blob", 72, 4, 1, "more outputs than there are"],
  ["net.blob", 76, 4, 100, "more stages than there is room for"],
  ["net.blob", 116, 4, 0x10000, "inputs behind outputs"],
  ["early.blob", 72, 4, 1, "more outputs than there are"],
  ["toolkit1.rknn", 16, 8, 1, "a graph that ends in the length of the JSON"],
  ["v6.rknn", 16, 8, 0x1000, "a graph beyond the file"],
  ["v4100.rknn", 16, 8, -1, "a graph that ends before the length of the JSON"],
  ["v3.gguf", 8, 8, 1, "more tensors than there are"],
  ["v3.gguf", 16, 8, 1, "more keys than there are"],
  ["v1.gguf", 12, 4, 1, "more keys than there are"],
  ["three.safetensors", 0, 8, 8, "a header that ends among the data"],
  ["net.bmodel", 8, 4, 0x1000, "a description beyond the file"],
  ["net.bmodel", 12, 8, 1, "a binary beyond the file"],
  ["net.cvimodel", 8, 4, 0x1000, "a description beyond the file"],
  ["recent.ttnn", 0, 4, 4, "a binary beyond the file"],
];
const samples = await allSamples();

it.each(contradictions)("%s at %i (%i bytes) plus %i: %s, and that is told", (name, at, width, add) => {
  const found = samples.find((sample) => sample.name === name);
  const bytes = Uint8Array.from(found?.bytes ?? []);
  expect(errorsOf(bytes, name)).toBe(0);
  const spot = { at, width, what: "" };
  writeNumber(bytes, spot, readNumber(bytes, spot) + add);
  expect(errorsOf(bytes, name)).toBeGreaterThan(0);
});

/** A file that cannot be described counts as one. */
function errorsOf(bytes: Uint8Array, name: string): number {
  try {
    const described = describeOpened(modelFileOf(bytes, name));
    expect(isModel(described)).toBe(true);
    return isModel(described) ? described.model.integrity.filter(({ severity }) => severity === "error").length : 0;
  } catch (error) {
    expect(error).toBeInstanceOf(FileError);
    return 1;
  }
}
