/** TFLite as the schema's own code writes it (tools/tflite-samples.py): every options table, signatures, sparse and outside data; and one with metadata and labels, by hand. */

import { readFileSync } from "node:fs";
import { flatBuffer, numbers, string, table, u32, u8, vector, type Value } from "../build/flatbuffer.ts";
import { compiled } from "../build/tflite.ts";
import { zip } from "../build/zip.ts";
import type { Samples } from "./samples.ts";

const written = JSON.parse(readFileSync(new URL("../tflite-samples.json", import.meta.url), "utf8")) as Record<
  string,
  string
>;

const those = (broken: boolean): Samples =>
  Object.fromEntries(
    Object.entries(written)
      .filter(([name]) => name.startsWith("broken-") === broken)
      .map(([name, base64]) => [name, () => new Uint8Array(Buffer.from(base64, "base64"))]),
  );

/** TFLITE_METADATA: an image in, scores out, labels in two languages; in the words of TensorFlow Lite Support's metadata schema. */
export const modelMetadata = (identifier = "M001"): Uint8Array => {
  const text = string;
  const file = (name: string, type: number, locale = ""): Value =>
    table({ 0: text(name), 2: u8(type), ...(locale === "" ? {} : { 3: text(locale) }) });
  const image = table({
    0: text("image"),
    1: text("a photograph"),
    3: table({ 0: u8(2), 1: table({ 0: u8(1), 1: table({ 0: u32(8), 1: u32(8) }) }) }),
    4: vector(table({ 0: u8(1), 1: table({ 0: f32s(127.5), 1: f32s(127.5) }) })),
  });
  const scores = table({ 0: text("scores"), 6: vector(file("labels_de.txt", 3, "de"), file("labels.txt", 3)) });
  return flatBuffer(
    table({
      0: text("Cats and dogs"),
      1: text("Tells cats from dogs."),
      2: text("v2"),
      3: vector(table({ 2: vector(image), 3: vector(scores) })),
      4: text("A. Author"),
      5: text("Apache-2.0"),
      7: text("1.3.0"),
    }),
    identifier,
  );
};

const f32s = (value: number): Value => ({
  kind: "numbers",
  count: 1,
  bytes: Buffer.from(Float32Array.of(value).buffer),
});

/** CONVERSION_METADATA: TensorFlow 2.15, from a saved model, full integer. */
const conversion = (): Uint8Array =>
  flatBuffer(
    table({
      0: table({ 0: string("2.15.0"), 1: u32(2), 2: u32(1) }),
      1: table({ 0: numbers(4, 1003), 1: u8(1) }),
    }),
    "CM01",
  );

export const labels = zip([
  { name: "labels.txt", data: "cat\ndog\r\nnone of them\n" },
  { name: "labels_de.txt", data: "Katze\nHund\nnichts davon\n".repeat(12), deflate: true },
]);

export const described = (archive: Uint8Array = labels, metadata = modelMetadata()): Uint8Array =>
  Buffer.concat([
    compiled({
      code: "Scores",
      cpu: true,
      description: "MLIR Converted.",
      metadata: { min_runtime_version: "2.14.0", TFLITE_METADATA: metadata, CONVERSION_METADATA: conversion() },
    }),
    archive,
  ]);

export const samples: Samples = { ...those(false), "labels.tflite": () => described() };
/** What contradicts itself. */
export const broken: Samples = those(true);
