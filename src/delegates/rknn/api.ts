/**
 * Rockchip's RKNN API: signatures, structs and numbers of rknn_api.h as RKNN SDK 2.3.2 ships it
 * (https://github.com/airockchip/rknn-toolkit2/blob/v2.3.2/rknpu2/runtime/Linux/librknn_api/include/rknn_api.h). What is used here is
 * the same in 1.4.0.
 */

import { CannotError } from "../../base/errors.ts";
import type { ElementType } from "../../model/graph.ts";
import { loadLibrary, type CLibrary, type Signature } from "../../base/c-library.ts";
import { layoutOf } from "../../base/c-struct.ts";

/** rknn_context: 64 bits, but on 32-bit Arm. */
const context = process.arch === "arm" ? "uint32_t" : "uint64_t";

const functions = {
  rknn_init: ["int", "void *", "const char *", "uint32_t", "uint32_t", "void *"],
  rknn_destroy: ["int", context],
  rknn_query: ["int", context, "int", "void *", "uint32_t"],
  rknn_set_core_mask: ["int", context, "int"],
  rknn_inputs_set: ["int", context, "uint32_t", "void *"],
  rknn_run: ["int", context, "void *"],
  rknn_outputs_get: ["int", context, "uint32_t", "void *", "void *"],
  rknn_outputs_release: ["int", context, "uint32_t", "void *"],
  rknn_create_mem: ["void *", context, "uint32_t"],
  rknn_destroy_mem: ["int", context, "void *"],
  rknn_set_io_mem: ["int", context, "void *", "void *"],
} as const satisfies Readonly<Record<string, Signature>>;

export type RknnFunction = keyof typeof functions;
export type Rknn = CLibrary<RknnFunction>;

export const loadRknn = (path: string): Rknn => loadLibrary(path, "the RKNN API", functions);

/** rknn_query_cmd. */
export const query = {
  IN_OUT_NUM: 0,
  INPUT_ATTR: 1,
  OUTPUT_ATTR: 2,
  PERF_DETAIL: 3,
  PERF_RUN: 4,
  SDK_VERSION: 5,
  NATIVE_NHWC_OUTPUT_ATTR: 11,
} as const;

/** rknn_init's flags by the names `--option flag=` takes; what moves memory outside the runtime is not among them. */
export const flags: Readonly<Record<string, number>> = {
  RKNN_FLAG_PRIOR_HIGH: 0,
  RKNN_FLAG_PRIOR_MEDIUM: 1,
  RKNN_FLAG_PRIOR_LOW: 2,
  RKNN_FLAG_EXECUTE_FALLBACK_PRIOR_DEVICE_GPU: 0x400,
  RKNN_FLAG_ENABLE_SRAM: 0x800,
  RKNN_FLAG_SHARE_SRAM: 0x1000,
  RKNN_FLAG_DISABLE_PROC_HIGH_PRIORITY: 0x2000,
};
export const COLLECT_PERF = 8;

/** rknn_core_mask. */
export const coreMasks: Readonly<Record<string, number>> = {
  RKNN_NPU_CORE_AUTO: 0,
  RKNN_NPU_CORE_0: 1,
  RKNN_NPU_CORE_1: 2,
  RKNN_NPU_CORE_2: 4,
  RKNN_NPU_CORE_0_1: 3,
  RKNN_NPU_CORE_0_1_2: 7,
  RKNN_NPU_CORE_ALL: 0xffff,
};

export const NHWC = 1;
export const AFFINE = 2;

/** By rknn_tensor_type. */
export const elementTypes: readonly ElementType[] = [
  "float32",
  "float16",
  "int8",
  "uint8",
  "int16",
  "uint16",
  "int32",
  "uint32",
  "int64",
  "bool",
  "int4",
  "bfloat16",
];

/** RKNN_MAX_DIMS. */
export const MAX_DIMS = 16;

export const structs = {
  rknn_input_output_num: layoutOf({ n_input: "u32", n_output: "u32" }),
  rknn_tensor_attr: layoutOf({
    index: "u32",
    n_dims: "u32",
    dims: ["u32", MAX_DIMS],
    name: ["u8", 256],
    n_elems: "u32",
    size: "u32",
    fmt: "u32",
    type: "u32",
    qnt_type: "u32",
    fl: "i8",
    zp: "i32",
    scale: "f32",
    w_stride: "u32",
    size_with_stride: "u32",
    pass_through: "u8",
    h_stride: "u32",
  }),
  rknn_perf_detail: layoutOf({ perf_data: "pointer", data_len: "u64" }),
  rknn_perf_run: layoutOf({ run_duration: "i64" }),
  rknn_sdk_version: layoutOf({ api_version: ["u8", 256], drv_version: ["u8", 256] }),
  rknn_tensor_mem: layoutOf({
    virt_addr: "pointer",
    phys_addr: "u64",
    fd: "i32",
    offset: "i32",
    size: "u32",
    flags: "u32",
    priv_data: "pointer",
  }),
  rknn_input: layoutOf({
    index: "u32",
    buf: "pointer",
    size: "u32",
    pass_through: "u8",
    type: "u32",
    fmt: "u32",
  }),
  rknn_output: layoutOf({
    want_float: "u8",
    is_prealloc: "u8",
    index: "u32",
    buf: "pointer",
    size: "u32",
  }),
} as const;

/** RKNN_ERR_* by number: the name, and what it comes to for whoever runs a model. */
const errors: Readonly<Record<number, readonly [name: string, says: string]>> = {
  [-1]: ["RKNN_ERR_FAIL", "it failed and says no more; RKNN_LOG_LEVEL=5 in the environment makes it talk"],
  [-2]: ["RKNN_ERR_TIMEOUT", "the NPU did not answer in time"],
  [-3]: [
    "RKNN_ERR_DEVICE_UNAVAILABLE",
    "it can open no NPU: the vendor kernel's rknpu driver is not there (rocket of a mainline kernel is another interface), or you may not open its device",
  ],
  [-4]: ["RKNN_ERR_MALLOC_FAIL", "there is not enough memory that the NPU can reach"],
  [-5]: ["RKNN_ERR_PARAM_INVALID", "it was called with what it does not take"],
  [-6]: ["RKNN_ERR_MODEL_INVALID", "it does not take the file: broken, or of an rknn-toolkit2 newer than this runtime"],
  [-7]: ["RKNN_ERR_CTX_INVALID", "its context is not valid"],
  [-8]: ["RKNN_ERR_INPUT_INVALID", "it does not take an input"],
  [-9]: ["RKNN_ERR_OUTPUT_INVALID", "it does not take the memory for an output"],
  [-10]: ["RKNN_ERR_DEVICE_UNMATCH", "runtime and NPU driver do not fit together: update both"],
  [-11]: [
    "RKNN_ERR_INCOMPATILE_PRE_COMPILE_MODEL",
    "the model is compiled for another driver: convert it again with the rknn-toolkit2 of this runtime",
  ],
  [-12]: [
    "RKNN_ERR_INCOMPATILE_OPTIMIZATION_LEVEL_VERSION",
    "the model's optimisation level needs another driver: convert it again with the rknn-toolkit2 of this runtime",
  ],
  [-13]: [
    "RKNN_ERR_TARGET_PLATFORM_UNMATCH",
    "the model was made for another chip: convert it with this one as target_platform",
  ],
};

export class RknnError extends CannotError {
  readonly code: number;
  constructor(name: string, code: number) {
    const [spelled, says] = errors[code] ?? ["an error the header does not name", ""];
    super(`RKNN: ${name} gave ${spelled} (${code})${says === "" ? "" : `: ${says}`}`);
    this.code = code;
  }
}

/** Throws RknnError for a status that is one. */
export function check(name: RknnFunction, status: unknown): void {
  if (Number(status) < 0) throw new RknnError(name, Number(status));
}
