/** PyTorch: weights in a ZIP, a TorchScript module, an exported program, and the old layout of pickles. */

import {
  build,
  call,
  dict,
  global,
  integer,
  list,
  pickle,
  storage,
  tensor,
  text,
  truth,
  tuple,
} from "../build/pickle.ts";
import { zip, type Entry } from "../build/zip.ts";
import type { Samples } from "./samples.ts";

const floats = (count: number): Uint8Array =>
  new Uint8Array(Float32Array.from({ length: count }, (_, at) => at / 4).buffer);

const archive = (folder: string, entries: readonly Entry[]): Uint8Array =>
  zip(
    entries.map((entry) => ({ ...entry, name: `${folder}/${entry.name}` })),
    { zip64: true },
  );

export const checkpoint = (): Uint8Array =>
  pickle(
    dict({
      epoch: integer(3),
      model: dict({
        "conv.weight": tensor(storage("Float", "0", 24), 0, [2, 3, 2, 2]),
        "conv.bias": call(
          global("torch._utils", "_rebuild_parameter"),
          tensor(storage("Half", "1", 6), 0, [2]),
          truth(true),
          call(global("collections", "OrderedDict")),
        ),
        tail: tensor(storage("Half", "1", 6), 2, [4]),
        part: tensor(storage("Half", "1", 6), 1, [3]),
        turned: tensor(storage("Long", "2", 6), 0, [3, 2], [1, 3]),
        packed: call(
          global("torch._utils", "_rebuild_qtensor"),
          storage("QInt8", "3", 4),
          integer(0),
          tuple(integer(2), integer(2)),
          tuple(integer(2), integer(1)),
          tuple(global("torch", "per_tensor_affine"), integer(2), integer(1)),
          truth(false),
          call(global("collections", "OrderedDict")),
        ),
      }),
    }),
  );

export const weights = (data: Uint8Array = checkpoint(), order = "little"): Uint8Array =>
  archive("archive", [
    { name: "data.pkl", data },
    { name: "byteorder", data: order },
    { name: "data/0", data: floats(24), align: 64 },
    { name: "data/1", data: new Uint8Array(12), align: 64 },
    { name: "data/2", data: new Uint8Array(48), align: 64 },
    { name: "data/3", data: new Uint8Array(4), align: 64 },
    { name: "version", data: "3\n" },
  ]);

const script = (): Uint8Array =>
  archive("net", [
    { name: "data/0", data: floats(6), align: 64 },
    {
      name: "data.pkl",
      data: pickle(
        build(
          call(global("__torch__", "Net")),
          dict({
            training: truth(false),
            fc: build(
              call(global("__torch__.torch.nn", "Linear")),
              dict({ weight: tensor(storage("Float", "0", 6), 0, [2, 3]) }),
            ),
          }),
        ),
      ),
    },
    {
      name: "code/__torch__.py",
      data: "class Net(Module):\n  def forward(self, x):\n    y = torch.linear(x, self.fc.weight)\n    return torch.relu(torch.relu(y))\n",
      deflate: true,
    },
    { name: "constants.pkl", data: pickle(tuple()) },
    { name: "version", data: "3\n" },
  ]);

const size = (value: number | string): unknown =>
  typeof value === "number"
    ? { as_int: value }
    : { as_expr: { expr_str: `Symbol('${value}', positive=True, integer=True)` } };
const meta = (dtype: number, ...sizes: (number | string)[]): unknown => ({ dtype, sizes: sizes.map(size) });
const of = (name: string): unknown => ({ as_tensor: { name } });
const input = (name: string, arg: unknown): unknown => ({ name, arg, kind: 1 });

/** conv 2x2 of 2 filters over s0 x 3 x 4 x 4, then one of two branches, then its halves joined. */
export const program = {
  schema_version: { major: 8, minor: 14 },
  opset_version: { aten: 10 },
  torch_version: "2.9.0",
  verifiers: ["TRAINING"],
  graph_module: {
    signature: {
      input_specs: [
        { parameter: { arg: { name: "p_w" }, parameter_name: "conv.weight" } },
        { buffer: { arg: { name: "b_s" }, buffer_name: "shift", persistent: true } },
        { user_input: { arg: of("x") } },
        { user_input: { arg: of("flag") } },
      ],
      output_specs: [{ user_output: { arg: of("cat") } }],
    },
    graph: {
      inputs: [of("p_w"), of("b_s"), of("x"), of("flag")],
      outputs: [of("cat")],
      tensor_values: {
        p_w: meta(7, 2, 3, 2, 2),
        b_s: meta(7, 2),
        x: meta(7, "s0", 3, 4, 4),
        flag: meta(12),
        conv2d: meta(7, "s0", 2, 3, 3),
        cond: meta(7, "s0", 2, 3, 3),
        left: meta(7, "s0", 1, 3, 3),
        right: meta(7, "s0", 1, 3, 3),
        cat: meta(7, "s0", 2, 3, 3),
      },
      nodes: [
        {
          target: "torch.ops.aten.conv2d.default",
          name: "conv2d",
          inputs: [
            input("input", of("x")),
            input("weight", of("p_w")),
            input("bias", of("b_s")),
            input("stride", { as_ints: [1, 1] }),
          ],
          outputs: [of("conv2d")],
        },
        {
          target: "torch.ops.higher_order.cond",
          inputs: [
            input("pred", of("flag")),
            input("true_graph", {
              as_graph: {
                name: "true_graph_0",
                graph: {
                  inputs: [of("a")],
                  outputs: [of("r")],
                  tensor_values: { a: meta(7, "s0", 2, 3, 3), r: meta(7, "s0", 2, 3, 3) },
                  nodes: [
                    { target: "torch.ops.aten.relu.default", inputs: [input("self", of("a"))], outputs: [of("r")] },
                  ],
                },
              },
            }),
            input("operands", { as_tensors: [{ name: "conv2d" }] }),
          ],
          outputs: [of("cond")],
        },
        {
          target: "torch.ops.aten.chunk.default",
          inputs: [input("self", of("cond")), input("chunks", { as_int: 2 }), input("dim", { as_none: true })],
          outputs: [{ as_tensors: [{ name: "left" }, { name: "right" }] }],
        },
        {
          target: "torch.ops.aten.cat.default",
          inputs: [
            input("tensors", { as_tensors: [{ name: "left" }, { name: "right" }] }),
            input("dim", { as_int: 1 }),
          ],
          outputs: [of("cat")],
        },
      ],
    },
  },
};

const entry = (path_name: string, ...sizes: number[]): unknown => ({
  path_name,
  use_pickle: false,
  tensor_meta: meta(7, ...sizes),
});

export const exported = (root: unknown = program, inner = 24): Uint8Array =>
  archive("net", [
    { name: "data/weights/weight_0", data: floats(inner), align: 64 },
    { name: "data/weights/weight_1", data: floats(2), align: 64 },
    {
      name: "data/weights/model_weights_config.json",
      data: JSON.stringify({ config: { "conv.weight": entry("weight_0", 2, 3, 2, 2), shift: entry("weight_1", 2) } }),
    },
    { name: "models/model.json", data: JSON.stringify(root) },
    { name: "archive_format", data: "pt2" },
    { name: "archive_version", data: "0" },
  ]);

const magic = Buffer.from("80028a0a6cfc9c46f9206aa850192e", "hex");

const old = (): Uint8Array => {
  const count = (value: number): Uint8Array => {
    const out = Buffer.alloc(8);
    out.writeBigUInt64LE(BigInt(value));
    return out;
  };
  return Buffer.concat([
    magic,
    pickle(Buffer.from([0x4d, 0xe9, 0x03])),
    pickle(dict({ protocol_version: integer(1001), little_endian: truth(true) })),
    pickle(
      dict({ weight: tensor(storage("Float", "94", 6), 0, [2, 3]), bias: tensor(storage("Double", "95", 2), 0, [2]) }),
    ),
    pickle(list(text("94"), text("95"))),
    count(6),
    floats(6),
    count(2),
    new Uint8Array(16),
  ]);
};

export const samples: Samples = {
  "weights.pt": () => weights(),
  "script.pt": script,
  "exported.pt2": () => exported(),
  "old.pth": old,
};
