/** TFLite files of a few operators, for tests that run them. */

import { blob } from "../formats/build/tflite.ts";
import { flatBuffer, numbers, string, table, u32, u8, vector, type Value } from "../formats/build/flatbuffer.ts";

/** Numbers of the schema: BuiltinOperator, TensorType. */
export const operators = {
  ADD: 0,
  MUL: 18,
  RESHAPE: 22,
  SUB: 41,
  EXP: 47,
  CAST: 53,
  SHAPE: 77,
  WHERE: 109,
  RELU_0_TO_1: 152,
} as const;
export const types = { float32: 0, int32: 2, uint8: 3, int64: 4, string: 5, bool: 6, int8: 9 } as const;

export interface TensorOf {
  readonly name: string;
  readonly type?: keyof typeof types;
  readonly shape: readonly number[];
  /** -1 where a dimension is open. */
  readonly signature?: readonly number[];
  readonly data?: Uint8Array;
  readonly quantization?: { readonly scale: number; readonly zero: number };
}

export interface NodeOf {
  /** A builtin operator, or a custom code. */
  readonly op: string;
  readonly version?: number;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

export interface ModelOf {
  readonly tensors: readonly TensorOf[];
  readonly nodes: readonly NodeOf[];
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

const CUSTOM = 32;

export function tfliteOf({ tensors, nodes, inputs, outputs }: ModelOf): Uint8Array {
  const at = (name: string): number => {
    const index = tensors.findIndex((tensor) => tensor.name === name);
    if (index < 0) throw new Error(`no tensor ${name}`);
    return index;
  };
  const buffers: Value[] = [table({})];
  const codes: Value[] = [];
  const tensor = ({ name, type = "float32", shape, signature, data, quantization }: TensorOf): Value =>
    table({
      0: numbers(4, ...shape),
      1: u8(types[type]),
      2: u32(data === undefined ? 0 : buffers.push(table({ 0: blob(data) })) - 1),
      3: string(name),
      ...(quantization === undefined ? {} : { 4: quantized(quantization) }),
      ...(signature === undefined ? {} : { 7: numbers(4, ...signature) }),
    });
  const node = ({ op, version = 1, inputs, outputs }: NodeOf): Value => {
    const number = (operators as Readonly<Record<string, number>>)[op];
    const code =
      number === undefined
        ? table({ 0: u8(CUSTOM), 1: string(op), 2: u32(version), 3: u32(CUSTOM) })
        : table({ 0: u8(number), 2: u32(version), 3: u32(number) });
    return table({
      0: u32(codes.push(code) - 1),
      1: numbers(4, ...inputs.map(at)),
      2: numbers(4, ...outputs.map(at)),
    });
  };
  const graph = table({
    0: vector(...tensors.map(tensor)),
    1: numbers(4, ...inputs.map(at)),
    2: numbers(4, ...outputs.map(at)),
    3: vector(...nodes.map(node)),
    4: string("main"),
  });
  return flatBuffer(table({ 0: u32(3), 1: vector(...codes), 2: vector(graph), 4: vector(...buffers) }), "TFL3");
}

function quantized({ scale, zero }: { readonly scale: number; readonly zero: number }): Value {
  const bytes = new Uint8Array(Float32Array.of(scale).buffer);
  return table({ 2: { kind: "numbers", bytes, count: 1 }, 3: numbers(8, zero) });
}

/** y = x + x, of `size` float32. */
export function smallTflite(size = 3): Uint8Array {
  return chainTflite(["ADD"], size);
}

/** y = (((x op x) op x) ...) of `size` float32: EXP takes one operand. Tensors between are t1, t2 ... */
export function chainTflite(ops: readonly (keyof typeof operators)[], size = 3): Uint8Array {
  const name = (index: number): string => (index === 0 ? "x" : index === ops.length ? "y" : `t${index}`);
  return tfliteOf({
    tensors: Array.from({ length: ops.length + 1 }, (_, i) => ({ name: name(i), shape: [1, size] })),
    nodes: ops.map((op, i) => ({ op, inputs: op === "EXP" ? [name(i)] : [name(i), "x"], outputs: [name(i + 1)] })),
    inputs: ["x"],
    outputs: ["y"],
  });
}
