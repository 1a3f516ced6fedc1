/**
 * Field numbers and enums of an ExecuTorch program, and of the tensor data beside it. pytorch/executorch schema/program.fbs,
 * schema/scalar_type.fbs, extension/flat_tensor/serialize/flat_tensor.fbs (BSD-3-Clause); numbers checked against release 1.5.1. Fields
 * were only ever added: one set reads every file since the first of 2023.
 */

import type { ElementType } from "../../model/graph.ts";

export const fields = {
  Program: {
    version: 0,
    execution_plan: 1,
    constant_buffer: 2,
    backend_delegate_data: 3,
    segments: 4,
    constant_segment: 5,
    mutable_data_segments: 6,
    named_data: 7,
  },
  ExecutionPlan: {
    name: 0,
    container_meta_type: 1,
    values: 2,
    inputs: 3,
    outputs: 4,
    chains: 5,
    operators: 6,
    delegates: 7,
    non_const_buffer_sizes: 8,
    non_const_buffer_device: 9,
  },
  ContainerMetadata: { encoded_inp_str: 0, encoded_out_str: 1 },
  NonConstBufferDevice: { buffer_idx: 0, device_type: 1 },
  Tensor: {
    scalar_type: 0,
    storage_offset: 1,
    sizes: 2,
    dim_order: 3,
    data_buffer_idx: 5,
    allocation_info: 6,
    shape_dynamism: 8,
    extra_tensor_info: 9,
  },
  AllocationDetails: { memory_id: 0, memory_offset_low: 1, memory_offset_high: 2 },
  ExtraTensorInfo: { mutable_data_segments_idx: 0, fully_qualified_name: 1, location: 2, device_type: 3 },
  EValue: { val: 0 },
  /** Of Int, Bool, Double, String and the lists: their only field. */
  value: 0,
  Operator: { name: 0, overload: 1 },
  Chain: { instructions: 2, stacktrace: 3 },
  Instruction: { instr_args: 0 },
  KernelCall: { op_index: 0, args: 1 },
  DelegateCall: { delegate_index: 0, args: 1 },
  MoveCall: { move_from: 0, move_to: 1 },
  JumpFalseCall: { cond_value_index: 0, destination_instruction: 1 },
  FreeCall: { value_index: 0 },
  FrameList: { items: 0 },
  Frame: { filename: 0, name: 2, context: 3 },
  BackendDelegate: { id: 0, processed: 1, compile_specs: 2 },
  BackendDelegateDataReference: { location: 0, index: 1 },
  CompileSpec: { key: 0, value: 1 },
  /** Also BackendDelegateInlineData. */
  Buffer: { storage: 0 },
  DataSegment: { offset: 0, size: 1 },
  SubsegmentOffsets: { segment_index: 0, offsets: 1 },
  NamedData: { key: 0, segment_index: 1, tensor_layout: 2 },
  FlatTensor: { version: 0, segments: 1, named_data: 2 },
  TensorLayout: { scalar_type: 0, sizes: 1, dim_order: 2 },
} as const;

/** KernelTypes, the union of an EValue. */
export const values = {
  Null: 1,
  Int: 2,
  Bool: 3,
  Double: 4,
  Tensor: 5,
  String: 6,
  IntList: 7,
  DoubleList: 8,
  BoolList: 9,
  TensorList: 10,
  OptionalTensorList: 11,
} as const;

/** InstructionArguments. */
export const instructions = { KernelCall: 1, DelegateCall: 2, MoveCall: 3, JumpFalseCall: 4, FreeCall: 5 } as const;

export const shapeDynamism = { STATIC: 0, DYNAMIC_BOUND: 1, DYNAMIC_UNBOUND: 2 } as const;

export const EXTERNAL = 1;

/** DeviceType; 0 is the CPU. */
export const devices = ["CPU", "CUDA"] as const;

interface ScalarType {
  readonly name: string;
  readonly type: ElementType;
}

const scalar = (name: string, type: ElementType = "unknown"): ScalarType => ({ name, type });

/** ScalarType, PyTorch's numbers; those the schema only names as not implemented are here too. */
export const scalarTypes: Readonly<Record<number, ScalarType>> = {
  0: scalar("BYTE", "uint8"),
  1: scalar("CHAR", "int8"),
  2: scalar("SHORT", "int16"),
  3: scalar("INT", "int32"),
  4: scalar("LONG", "int64"),
  5: scalar("HALF", "float16"),
  6: scalar("FLOAT", "float32"),
  7: scalar("DOUBLE", "float64"),
  8: scalar("COMPLEXHALF"),
  9: scalar("COMPLEXFLOAT", "complex64"),
  10: scalar("COMPLEXDOUBLE", "complex128"),
  11: scalar("BOOL", "bool"),
  12: scalar("QINT8", "int8"),
  13: scalar("QUINT8", "uint8"),
  14: scalar("QINT32", "int32"),
  15: scalar("BFLOAT16", "bfloat16"),
  16: scalar("QUINT4X2"),
  17: scalar("QUINT2X4"),
  18: scalar("BITS1X8"),
  19: scalar("BITS2X4"),
  20: scalar("BITS4X2"),
  21: scalar("BITS8", "uint8"),
  22: scalar("BITS16", "uint16"),
  23: scalar("FLOAT8E5M2", "float8e5m2"),
  24: scalar("FLOAT8E4M3FN", "float8e4m3fn"),
  25: scalar("FLOAT8E5M2FNUZ", "float8e5m2fnuz"),
  26: scalar("FLOAT8E4M3FNUZ", "float8e4m3fnuz"),
  27: scalar("UINT16", "uint16"),
  28: scalar("UINT32", "uint32"),
  29: scalar("UINT64", "uint64"),
};
