/**
 * Files made to cost more than they should: text that a pattern would try from each of its places, counts and names that stand for much
 * more than they take. Each is told of, or told off, in about a second of computing at most.
 */

import { expect, it } from "vitest";
import { FileError } from "../../src/base/errors.ts";
import { modelFileOf } from "../../src/formats/file.ts";
import { describeOpened } from "../../src/inspect/describe.ts";
import { compiled } from "./build/tflite.ts";
import { version10 } from "./samples/openvino-ir.ts";
import { zip } from "./build/zip.ts";
import { samples as rknn } from "./samples/rknn.ts";
import { graphModel } from "./samples/tfjs.ts";

const MANY = 1_000_000;
/** Of computing. */
const LIMIT = 1500;

const mlir = (body: string, before = "", after = ""): string =>
  `${before}module @net {
  func.func public @main(%arg0: tensor<1xf32>) -> tensor<1xf32> {
    ${body}
    return %arg0 : tensor<1xf32>
  }
}
${after}`;
const lines = (count: number, line: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => line(i)).join("\n    ");
const graph = (...nodes: readonly unknown[]): string => {
  const { modelTopology } = graphModel;
  return JSON.stringify({
    ...graphModel,
    modelTopology: { ...modelTopology, node: [...modelTopology.node, ...nodes] },
  });
};
const content = `${"=".repeat(MANY)}x`;

const files: Readonly<Record<string, () => string | Uint8Array>> = {
  "comments without an end behind the network.xml": () => version10() + "<!--".repeat(MANY / 4),
  "instructions without an end behind the network.xml": () => version10() + "<?".repeat(MANY / 2),
  "padding inside of base64.json": () =>
    graph({
      name: "big",
      op: "Const",
      attr: { dtype: { type: "DT_FLOAT" }, value: { tensor: { dtype: "DT_FLOAT", tensorContent: content } } },
    }),
  "digits that end in none.json": () => graph({ name: "d", op: "Relu", input: [`flat:${"1".repeat(MANY)}x`] }),
  "zeros inside of a name.tflite": () => compiled({ code: `a${"\0".repeat(MANY / 2)}b` }),
  "zeros inside of the JSON.rknn": () => padded(rknn["v6.rknn"]?.() ?? new Uint8Array()),
  "tables of weights without end.pt2": () => {
    const data = `{"config":{}${" ".repeat(4 * MANY)}}`;
    const tables = Array.from({ length: 40 }, (_, i) => `net/data/weights/${i}_weights_config.json`);
    return zip(["net/models/model.json", ...tables].map((entry) => ({ name: entry, data, deflate: true })));
  },
  "a million keys.safetensors": () => {
    const keys = Array.from({ length: MANY }, (_, i) => `"k${i}":"v"`).join(",");
    const text = `{"__metadata__":{${keys}},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`;
    const head = Buffer.alloc(8);
    head.writeBigUInt64LE(BigInt(text.length));
    return Buffer.concat([head, Buffer.from(text), Buffer.alloc(4)]);
  },
  "dictionaries that are values.mlir": () =>
    mlir(`%0 = "stablehlo.add"(%arg0, %arg0) ${"= {} ".repeat(MANY / 5)} : (tensor<1xf32>) -> tensor<1xf32>`),
  "an array of one long word.mlir": () =>
    mlir(`%0 = stablehlo.add %arg0, %arg0 {foo = array<${"1".repeat(MANY)}x>y} : tensor<1xf32>`),
  "brackets inside of strings.mlir": () =>
    mlir(
      `%0 = stablehlo.add %arg0, %arg0 dim_numbers = ${`"${"[".repeat(390)}" `.repeat(MANY / 400)}, b = 1 : tensor<1xf32>`,
    ),
  "dimensions of one long word.mlir": () =>
    mlir(`%0 = stablehlo.add %arg0, %arg0 dim_numbers = ${"a".repeat(MANY)}, b = 1 : tensor<1xf32>`),
  "blanks before a resource that is none.mlir": () =>
    mlir(`%0 = stablehlo.constant dense_resource<${" ".repeat(5000)}"a"b"c"> : tensor<1xf32>`),
  "resources of one long word.mlir": () =>
    mlir("", "", `{-#\n dialect_resources: { builtin: { ${"a".repeat(MANY)} } } #-}\n`),
  "a string on each line.mlir": () => mlir(lines(30_000, (i) => `%${i} = "d${i}.op"() : () -> tensor<${i}xf32>`)),
  "strings on one line.mlir": () => mlir(`%0 = "a.b"(%arg0) {c = [${'"d", '.repeat(MANY / 5)}"e"]} : () -> i32`),
  "quotes that are escaped.mlir": () => mlir("", "", '// "\\"\n'.repeat(MANY / 8)),
  "results that are counted.mlir": () => mlir(lines(20_000, (i) => `%a${i}:65536 = "x.y"() : () -> ()`)),
  "results of one operator that are counted.mlir": () =>
    mlir(`${Array.from({ length: 20_000 }, (_, i) => `%a${i}:65536`).join(", ")} = "x.y"() : () -> ()`),
  "one long type under many names.mlir": () =>
    mlir(
      lines(20_000, (i) => `%${i} = stablehlo.add %arg0, %arg0 : tensor<${i}x!a>`),
      `!a = !quant.uniform<i8:f32:0, {${"0.1,".repeat(60_000)}0.1}>\n`,
    ),
};

/** Zeros into the JSON that ends the file, its length with them. */
function padded(bytes: Uint8Array): Uint8Array {
  const buffer = Buffer.from(bytes);
  const at = buffer.lastIndexOf("}");
  const from = buffer.indexOf('{"');
  const out = Buffer.concat([buffer.subarray(0, at), Buffer.alloc(MANY), buffer.subarray(at)]);
  out.writeBigUInt64LE(out.readBigUInt64LE(from - 8) + BigInt(MANY), from - 8);
  return out;
}

it.each(Object.entries(files))("%s costs no more than it should", (name, make) => {
  const made = make();
  const bytes = typeof made === "string" ? Buffer.from(made) : made;
  const before = process.cpuUsage();
  try {
    describeOpened(modelFileOf(bytes, name));
  } catch (error) {
    expect(error).toBeInstanceOf(FileError);
  }
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1000).toBeLessThan(LIMIT);
});
