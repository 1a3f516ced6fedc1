/** xmodel: a convolution and a pool of the DPU between float operators, compiled; and a graph that is only quantised. */

import { bytes, concat, float, int, message, packed } from "../../support/protobuf.ts";
import type { Samples } from "./samples.ts";

const entry = (field: number, name: string, value: Uint8Array): Uint8Array =>
  message(field, bytes(1, name), bytes(2, value));
const text = (value: string): Uint8Array => bytes(11, value);
const number = (value: number | bigint): Uint8Array => int(5, value);
const ints = (...values: readonly number[]): Uint8Array => message(14, packed(1, values));

const tensor = (name: string, shape: readonly number[], fix?: number, kind = fix === undefined ? 4 : 2): Uint8Array =>
  message(
    5,
    bytes(1, name),
    packed(2, shape),
    int(5, kind),
    int(6, kind < 4 ? 8 : 32),
    ...(fix === undefined ? [] : [entry(10, "fix_point", number(fix)), entry(10, "if_signed", int(4, 1))]),
  );
const op = (name: string, type: string, ...pieces: readonly Uint8Array[]): Uint8Array =>
  message(5, bytes(1, name), bytes(2, type), ...pieces);
const argument = (name: string, ...ops: readonly string[]): Uint8Array =>
  message(4, bytes(1, name), ...ops.map((one) => bytes(2, one)));
const stringMap = (...pairs: readonly (readonly [string, string])[]): Uint8Array =>
  message(26, ...pairs.map(([key, value]) => message(1, bytes(1, key), bytes(2, value))));

/** An attribute of each kind, so that mutants meet each. */
const kinds = concat([
  entry(3, "flag", int(4, 1)),
  entry(3, "big", int(8, 0xffff_ffff_ffff_ffffn)),
  entry(3, "alpha", float(9, 0.125)),
  entry(3, "scales", message(18, float(1, 0.5), float(1, 2))),
  entry(3, "names", message(20, bytes(1, "a"), bytes(1, "b"))),
  entry(3, "kernel", ints(3, 3)),
  entry(3, "workload", int(8, 9)),
]);

const compiled = concat([
  bytes(1, "net"),
  op("in", "data-fix", tensor("in_fix", [1, 8, 8, 3], 6)),
  op("up", "upload", argument("input", "in"), tensor("up", [1, 8, 8, 3], 6)),
  op("w", "const-fix", entry(3, "data", message(12, bytes(1, ""))), tensor("w_fix", [16, 3, 3, 3], 7)),
  // The bias stands before the filter, as in a map without order.
  op(
    "conv",
    "conv2d-fix",
    argument("bias", "b"),
    argument("weights", "w"),
    argument("input", "up"),
    kinds,
    tensor("conv_fix", [1, 6, 6, 16], 4),
  ),
  op("b", "const-fix", tensor("b_fix", [16], 9)),
  op(
    "pool",
    "pool-fix",
    argument("input", "conv"),
    entry(3, "type", text("MAX")),
    tensor("pool_fix", [1, 3, 3, 16], 4),
  ),
  op("float", "fix2float", argument("input", "pool"), tensor("float", [1, 3, 3, 16])),
  op("c", "const", entry(3, "data", message(12, bytes(1, Buffer.alloc(64, 3)))), tensor("c", [16])),
  op("mine", "MyLayer", argument("input", "float", "c"), tensor("mine", [1, 3, 3, 16])),
  message(
    10,
    bytes(1, "root"),
    message(10, bytes(1, "subgraph_in"), bytes(3, "in"), entry(5, "device", text("USER"))),
    message(
      10,
      bytes(1, "subgraph_conv"),
      bytes(3, "conv"),
      entry(5, "device", text("DPU")),
      entry(5, "dpu_name", text("DPUCZDX8G_ISA1_B4096")),
      entry(5, "dpu_fingerprint", int(8, 0x101000016010407n)),
      entry(5, "mc_code", message(12, bytes(1, Buffer.alloc(48, 7)))),
      entry(5, "mc_code_preload", message(12, bytes(1, ""))),
      entry(
        5,
        "reg_id_to_parameter_value",
        message(27, message(1, bytes(1, "REG_0"), message(2, bytes(1, Buffer.alloc(448, 1))))),
      ),
      entry(5, "workload", int(8, 62208)),
      message(10, bytes(1, "superlayer"), entry(5, "workload", int(8, 62208))),
    ),
    message(10, bytes(1, "subgraph_mine"), entry(5, "device", text("CPU"))),
  ),
  entry(11, "origin", text("pytorch")),
  entry(11, "libs_info", stringMap(["xcompiler.3.5.0 : xir.3.5.0", "49b6db04"], ["xcompiler.3.5.0", "b78e3e0c"])),
  entry(11, "return_ops", message(20, bytes(1, "mine"))),
  message(101, bytes(1, "conv2d-fix"), message(2, bytes(1, "input"))),
]);

const quantised = concat([
  op("x", "data", tensor("x", [2, 4])),
  op("w", "const", entry(3, "data", message(12, bytes(1, Buffer.alloc(32)))), tensor("w", [2, 4])),
  op("fc", "matmul", argument("input", "x", "w"), entry(3, "transpose_b", int(4, 1)), tensor("fc", [2, 2])),
  op("fix", "fix", argument("input", "fc"), tensor("fix", [2, 2])),
  message(10, bytes(1, "root")),
  message(101, bytes(1, "matmul")),
]);

export const samples: Samples = {
  "compiled.xmodel": () => compiled,
  "quantised.xmodel": () => quantised,
};
