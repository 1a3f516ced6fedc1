/** StableHLO: a small network as text (with a loop, a call, quantised types, aliases), the same kind of network as a portable artifact. */

import { block, list, Module, operation, region, signed, varint } from "../build/mlir.ts";
import type { Samples } from "./samples.ts";

const text = `// A comment with a "quote and a bracket (
#loc = loc(unknown)
!act = tensor<1x8x8x4xf32>
module @net attributes {mhlo.num_replicas = 1 : i32, note = "a \\22b\\22 {"} {
  func.func public @main(%arg0: tensor<1x8x8x3xf32> {jax.arg_info = "x"} loc("x"(#loc)), %arg1: tensor<i32>) -> (tensor<1x10xf32> {jax.result_info = "y"}, tensor<i32>) {
    %cst = stablehlo.constant dense<"0x${"0000803F".repeat(108)}"> : tensor<3x3x3x4xf32> loc(#loc)
    %cst_0 = stablehlo.constant dense<[${Array.from({ length: 40 }, (_, i) => `[${Array.from({ length: 10 }, (_, j) => `${i}.${j}00000e+00`).join(", ")}]`).join(", ")}]> : tensor<40x10xf32> loc(#loc)
    %c = stablehlo.constant dense<0> : tensor<i32>
    %0 = stablehlo.convolution(%arg0, %cst) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {stride = [1, 1], pad = [[1, 1], [1, 1]], lhs_dilate = [1, 1], rhs_dilate = [1, 1], reverse = [false, false]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<1x8x8x3xf32>, tensor<3x3x3x4xf32>) -> !act loc(#loc)
    %1 = call @relu(%0) : (!act) -> !act
    %2 = "stablehlo.slice"(%1) <{limit_indices = array<i64: 1, 2, 5, 4>, start_indices = array<i64: 0, 0, 0, 0>, strides = array<i64: 1, 1, 1, 1>}> : (!act) -> tensor<1x2x5x4xf32>
    %3 = stablehlo.reshape %2 : (tensor<1x2x5x4xf32>) -> tensor<1x40xf32>
    %4 = stablehlo.dot_general %3, %cst_0, contracting_dims = [1] x [0], precision = [DEFAULT, DEFAULT] : (tensor<1x40xf32>, tensor<40x10xf32>) -> tensor<1x10xf32>
    %5:2 = stablehlo.while(%iterArg = %c, %iterArg_0 = %4) : tensor<i32>, tensor<1x10xf32>
     cond {
      %7 = stablehlo.compare LT, %iterArg, %arg1, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %7 : tensor<i1>
    } do {
      %7 = stablehlo.add %iterArg, %iterArg : tensor<i32>
      %8 = stablehlo.tanh %iterArg_0 : tensor<1x10xf32>
      stablehlo.return %7, %8 : tensor<i32>, tensor<1x10xf32>
    }
    %6 = stablehlo.reduce(%5#0 init: %c) applies stablehlo.maximum across dimensions = [] : (tensor<i32>, tensor<i32>) -> tensor<i32>
    return %5#1, %6 : tensor<1x10xf32>, tensor<i32> loc(#loc)
  } loc(#loc)
  func.func private @relu(%arg0: !act) -> !act {
    %cst = stablehlo.constant dense<0.000000e+00> : !act
    %0 = stablehlo.maximum %arg0, %cst : !act
    return %0 : !act
  }
  func.func private @quantised(%arg0: tensor<2x3x!quant.uniform<i8:f32, 5.000000e-01:-3>>) -> tensor<2x?x!quant.uniform<u8<0:15>:f32:1, {1.000000e-01:1,2.000000e-01,3.000000e-01:7}>> {
    %0 = "stablehlo.sort"(%arg0) ({
    ^bb0(%arg1: tensor<!quant.uniform<i8:f32, 5.000000e-01:-3>>, %arg2: tensor<!quant.uniform<i8:f32, 5.000000e-01:-3>>):
      %1 = stablehlo.custom_call @less(%arg1, %arg2) {backend_config = ""} : (tensor<!quant.uniform<i8:f32, 5.000000e-01:-3>>, tensor<!quant.uniform<i8:f32, 5.000000e-01:-3>>) -> tensor<i1>
      stablehlo.return %1 : tensor<i1>
    }) {dimension = 0 : i64, is_stable = true} : (tensor<2x3x!quant.uniform<i8:f32, 5.000000e-01:-3>>) -> tensor<2x?x!quant.uniform<u8<0:15>:f32:1, {1.000000e-01:1,2.000000e-01,3.000000e-01:7}>>
    return %0 : tensor<2x?x!quant.uniform<u8<0:15>:f32:1, {1.000000e-01:1,2.000000e-01,3.000000e-01:7}>>
  }
}
`;

const tosa = `module {
  func.func @main(%arg0: tensor<1x16x16x8xi8>, %arg1: tensor<16x3x3x8xi8>, %arg2: tensor<16xi32>) -> tensor<1x8x8x16xi32> {
    %0 = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
    %1 = tosa.conv2d %arg0, %arg1, %arg2, %0, %0 {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 1, 0, 1>, stride = array<i64: 2, 2>} : (tensor<1x16x16x8xi8>, tensor<16x3x3x8xi8>, tensor<16xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x8x8x16xi32>
    return %1 : tensor<1x8x8x16xi32>
  }
}
`;

/** main(x: 2x3 f32, w: 3x4 f32) = relu(x · w + constant), with relu a function of its own. */
function portable(): Buffer {
  const m = new Module();
  m.attribute("builtin", varint(15)); // 0: no place in the source
  const vhlo = (code: number, ...parts: Buffer[]): number => m.attribute("vhlo", varint(code), ...parts);
  const f32 = m.type("vhlo", varint(4));
  const tensor = (...shape: number[]): number => m.type("vhlo", varint(20), list(shape.map(signed)), varint(f32));
  const [x, w, y] = [tensor(2, 3), tensor(3, 4), tensor(2, 4)];
  const quant = m.type(
    "vhlo",
    varint(24),
    varint(1),
    varint(m.type("vhlo", varint(11))),
    varint(f32),
    signed(0),
    signed(3),
    signed(-128),
    signed(127),
  );
  const q = m.type("vhlo", varint(20), list([signed(2), signed(4)]), varint(quant));
  const i64 = m.type("vhlo", varint(14));
  const mainType = m.type("vhlo", varint(8), list([varint(x), varint(w)]), list([varint(q)]));
  const reluType = m.type("vhlo", varint(8), list([varint(y)]), list([varint(y)]));
  const string = (value: string): number => vhlo(14, varint(m.string(value)));
  const empty = vhlo(1, list([]));
  const integers = (...values: number[]): number => {
    const data = Buffer.alloc(values.length * 8);
    values.forEach((value, i) => data.writeBigInt64LE(BigInt(value), i * 8));
    return vhlo(
      15,
      varint(m.type("vhlo", varint(20), list([signed(values.length)]), varint(i64))),
      varint(data.length),
      data,
    );
  };
  const main = string("main");
  const relu = string("relu");
  const [shown, hidden] = [string("public"), string("private")];
  const [mainIs, reluIs] = [vhlo(17, varint(mainType)), vhlo(17, varint(reluType))];
  const precision = vhlo(1, list([varint(vhlo(11, varint(0))), varint(vhlo(11, varint(2)))]));
  const [none, zero, first] = [integers(), integers(0), integers(1)];
  const value = Buffer.alloc(32, 1);
  const constant = vhlo(15, varint(y), varint(32), value);
  const splat = vhlo(15, varint(y), varint(4), Buffer.alloc(4));
  const op = {
    module: m.operator("builtin", "module"),
    ...Object.fromEntries(
      [
        "func_v1",
        "constant_v1",
        "dot_general_v1",
        "add_v1",
        "maximum_v1",
        "call_v1",
        "uniform_quantize_v1",
        "return_v1",
      ].map((name) => [name, m.operator("vhlo", name)]),
    ),
  } as Record<string, number>; // all of them are numbers
  const at = (name: string): number => op[name] ?? 0;
  const mainBody = region(
    7,
    [x, w],
    [
      operation(at("constant_v1"), { properties: m.properties(constant), results: [y] }),
      operation(at("dot_general_v1"), {
        properties: m.properties(none, first, precision, none, zero),
        results: [y],
        operands: [0, 1],
      }),
      operation(at("add_v1"), { results: [y], operands: [3, 2] }),
      operation(at("call_v1"), { properties: m.properties(relu), results: [y], operands: [4] }),
      operation(at("uniform_quantize_v1"), { results: [q], operands: [5] }),
      operation(at("return_v1"), { operands: [6] }),
    ],
  );
  const reluBody = region(
    3,
    [y],
    [
      operation(at("constant_v1"), { properties: m.properties(splat), results: [y] }),
      operation(at("maximum_v1"), { results: [y], operands: [0, 1] }),
      operation(at("return_v1"), { operands: [2] }),
    ],
  );
  const program = block(
    [],
    [
      operation(at("module"), {
        region: {
          isolated: true,
          bytes: region(
            0,
            [],
            [
              operation(at("func_v1"), {
                properties: m.properties(empty, mainIs, empty, main, shown),
                region: { isolated: true, bytes: mainBody },
              }),
              operation(at("func_v1"), {
                properties: m.properties(empty, reluIs, empty, relu, hidden),
                region: { isolated: true, bytes: reluBody },
              }),
            ],
          ),
        },
      }),
    ],
  );
  return m.bytes("StableHLO_v1.5.0", program);
}

export const samples: Samples = {
  "net.mlir": () => Buffer.from(text),
  "tosa.mlir": () => Buffer.from(tosa),
  "portable.mlirbc": portable,
};
