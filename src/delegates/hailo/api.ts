/**
 * HailoRT's C API: signatures, structs and numbers of hailo/hailort.h (MIT, https://github.com/hailo-ai/hailort). What is used here is the
 * same in 4.20.0, 4.23.0 and 5.2.0; the structs that differ between them are not.
 */

import { loadLibrary, type CLibrary, type Signature } from "../../base/c-library.ts";
import { layoutOf, Structs, unionOf, type Layout } from "../../base/c-struct.ts";
import { CannotError } from "../../base/errors.ts";

/** Objects are pointers. */
const handle = "void *";

const functions = {
  hailo_get_library_version: ["int", "void *"],
  hailo_get_status_message: ["const char *", "int"],
  hailo_scan_devices: ["int", "void *", "void *", "void *"],
  hailo_create_device_by_id: ["int", "void *", "void *"],
  hailo_release_device: ["int", handle],
  hailo_identify: ["int", handle, "void *"],
  hailo_init_vdevice_params: ["int", "void *"],
  hailo_create_vdevice: ["int", "void *", "void *"],
  hailo_release_vdevice: ["int", handle],
  hailo_get_physical_devices: ["int", handle, "void *", "void *"],
  hailo_create_hef_file: ["int", "void *", "const char *"],
  hailo_release_hef: ["int", handle],
  hailo_configure_vdevice: ["int", handle, handle, "void *", "void *", "void *"],
  hailo_make_input_vstream_params: ["int", handle, "bool", "int", "void *", "void *"],
  hailo_make_output_vstream_params: ["int", handle, "bool", "int", "void *", "void *"],
  hailo_create_input_vstreams: ["int", handle, "void *", "size_t", "void *"],
  hailo_create_output_vstreams: ["int", handle, "void *", "size_t", "void *"],
  hailo_release_input_vstreams: ["int", "void *", "size_t"],
  hailo_release_output_vstreams: ["int", "void *", "size_t"],
  hailo_get_input_vstream_info: ["int", handle, "void *"],
  hailo_get_output_vstream_info: ["int", handle, "void *"],
  hailo_get_input_vstream_user_format: ["int", handle, "void *"],
  hailo_get_output_vstream_user_format: ["int", handle, "void *"],
  hailo_get_input_vstream_frame_size: ["int", handle, "void *"],
  hailo_get_output_vstream_frame_size: ["int", handle, "void *"],
  hailo_vstream_write_raw_buffer: ["int", handle, "void *", "size_t"],
  hailo_vstream_read_raw_buffer: ["int", handle, "void *", "size_t"],
} as const satisfies Readonly<Record<string, Signature>>;

export type HailoFunction = keyof typeof functions;

export interface Hailo {
  readonly library: CLibrary<HailoFunction>;
  /** "4.23.0", as the library says it. */
  readonly version: string;
  /** Throws HailoError for a status that is one. */
  call(name: HailoFunction, ...parameters: unknown[]): void;
  callAsync(name: HailoFunction, ...parameters: unknown[]): Promise<void>;
}

/** hailo_format_type_t, as element types; AUTO is none. */
export const elementTypes = [undefined, "uint8", "uint16", "float32"] as const;
export const [AUTO, FLOAT32] = [0, 3];

/** hailo_format_order_t, those that are told apart here. */
export const order = { NHW: 5, NC: 6, NCHW: 11 } as const;
/** Boxes by class; their layout is HailoRT's, not that of a tensor. */
export const boxOrders: readonly number[] = [9, 20, 21, 22, 23];

/** HAILO_MAX_STREAMS_COUNT, HAILO_MAX_NETWORK_GROUPS; devices in one machine. */
export const [STREAMS, GROUPS, DEVICES] = [40, 8, 32];

/** By hailo_device_architecture_t. */
export const architectures: readonly string[] = [
  "Hailo-8 A0",
  "Hailo-8",
  "Hailo-8L",
  "Hailo-15H",
  "Hailo-15L",
  "Hailo-15M",
  "Hailo-10H",
  "Hailo-12L",
];

const format = layoutOf({ type: "u32", order: "u32", flags: "u32" });
const shape = layoutOf({ height: "u32", width: "u32", features: "u32" });
const version = layoutOf({ major: "u32", minor: "u32", revision: "u32" });
const params = layoutOf({
  user_buffer_format: format,
  timeout_ms: "u32",
  queue_size: "u32",
  vstream_stats_flags: "u32",
  pipeline_elements_stats_flags: "u32",
});
const quantization = layoutOf({ qp_zp: "f32", qp_scale: "f32", limvals_min: "f32", limvals_max: "f32" });

export const structs = {
  hailo_version_t: version,
  hailo_format_t: format,
  hailo_3d_image_shape_t: shape,
  hailo_quant_info_t: quantization,
  hailo_device_id_t: layoutOf({ id: ["u8", 32] }),
  hailo_vdevice_params_t: layoutOf({
    device_count: "u32",
    device_ids: "pointer",
    scheduling_algorithm: "u32",
    group_id: "pointer",
    multi_process_service: "u8",
  }),
  hailo_vstream_params_t: params,
  hailo_input_vstream_params_by_name_t: layoutOf({ name: ["u8", 128], params }),
  hailo_vstream_info_t: layoutOf({
    name: ["u8", 128],
    network_name: ["u8", 257],
    direction: "u32",
    format,
    // The other member of the union tells of boxes, in 16 bytes.
    shape: unionOf({ shape, nms_shape: layoutOf({ words: ["u32", 4] }) }),
    quant_info: quantization,
  }),
  /** As far as it is the same in 4.x and 5.x up to device_architecture; what follows in either is not read. */
  hailo_device_identity_t: layoutOf({
    protocol_version: "u32",
    fw_version: version,
    logger_version: "u32",
    board_name_length: "u8",
    board_name: ["u8", 32],
    flags: ["u8", 3],
    device_architecture: "u32",
    rest: ["u8", 196],
  }),
} as const;

/** A copy of a struct that lies within another. */
export function within<Name extends string>(bytes: Buffer, at: number, layout: Layout<Name>): Structs<Name> {
  const copy = new Uint8Array(layout.bytes);
  copy.set(bytes.subarray(at, at + layout.bytes));
  return new Structs(layout, 1, copy.buffer);
}

/** hailo_status by number: the name, and what it comes to for whoever runs a model. */
const statuses: Readonly<Record<number, readonly [name: string, says: string]>> = {
  4: ["HAILO_TIMEOUT", "the device did not answer in time"],
  15: ["HAILO_UNSUPPORTED_CONTROL_PROTOCOL_VERSION", "library and firmware are not of one release"],
  16: ["HAILO_UNSUPPORTED_FW_VERSION", "the firmware is not of this library's release: install both from one"],
  26: ["HAILO_INVALID_HEF", "it does not take the file: broken, or of a newer Dataflow Compiler"],
  36: ["HAILO_DRIVER_OPERATION_FAILED", "the driver refused; dmesg has its words"],
  61: ["HAILO_NOT_FOUND", "it is not there"],
  64: ["HAILO_DRIVER_NOT_INSTALLED", "the driver hailo_pci is not loaded"],
  73: [
    "HAILO_DEVICE_IN_USE",
    "another process holds the device: end it, or share it by HailoRT's service (multi_process_service=true)",
  ],
  74: [
    "HAILO_OUT_OF_PHYSICAL_DEVICES",
    "no device is free: none is there, or another process holds it (share it by multi_process_service=true)",
  ],
  75: ["HAILO_INVALID_DEVICE_ARCHITECTURE", "the model is compiled for another Hailo chip"],
  76: ["HAILO_INVALID_DRIVER_VERSION", "the driver is not of this library's release: install both from one"],
  77: ["HAILO_RPC_FAILED", "HailoRT's service does not answer: systemctl status hailort"],
  78: ["HAILO_INVALID_SERVICE_VERSION", "HailoRT's service is not of this library's release"],
  81: ["HAILO_OUT_OF_HOST_CMA_MEMORY", "there is too little contiguous memory: a larger cma= at boot"],
  85: ["HAILO_DRIVER_INVALID_RESPONSE", "the driver is not of this library's release: install both from one"],
  86: ["HAILO_DRIVER_INVALID_IOCTL", "the driver is not of this library's release: install both from one"],
  87: ["HAILO_DRIVER_TIMEOUT", "the device does not answer its driver; it may need a reset"],
  91: ["HAILO_HEF_FILE_CORRUPTED", "the file is broken"],
  92: ["HAILO_HEF_NOT_SUPPORTED", "the file is of a Dataflow Compiler that this library does not take"],
  93: ["HAILO_HEF_NOT_COMPATIBLE_WITH_DEVICE", "the model is compiled for another Hailo chip"],
  96: ["HAILO_DEVICE_NOT_CONNECTED", "the device is gone"],
  97: ["HAILO_DEVICE_TEMPORARILY_UNAVAILABLE", "the device is busy; try again later"],
};

export class HailoError extends CannotError {
  readonly status: number;
  constructor(name: string, status: number, message: string) {
    const [spelled, says] = statuses[status] ?? [message, ""];
    super(`HailoRT: ${name} gave ${spelled} (${status})${says === "" ? "" : `: ${says}`}`);
    this.status = status;
  }
}

/** Loads the library; it stays. Throws CannotError when it cannot be loaded or is no HailoRT. */
export function loadHailo(path: string): Hailo {
  const library = loadLibrary(path, "HailoRT's C API", functions);
  const check = (name: HailoFunction, status: unknown): void => {
    if (status === 0) return;
    const message = library.call("hailo_get_status_message", status) as string | null;
    throw new HailoError(name, Number(status), message === null || message === "" ? "an error" : message);
  };
  const call = (name: HailoFunction, ...parameters: unknown[]): void => check(name, library.call(name, ...parameters));
  const own = new Structs(version);
  call("hailo_get_library_version", own.buffer);
  return {
    library,
    version: `${own.get("major")}.${own.get("minor")}.${own.get("revision")}`,
    call,
    callAsync: async (name, ...parameters) => check(name, await library.callAsync(name, ...parameters)),
  };
}

/** Memory for so many pointers or sizes, filled by the library. */
export const slots = (count: number, first = 0): Buffer => {
  const memory = Buffer.allocUnsafeSlow(8 * Math.max(1, count)).fill(0);
  memory.writeBigUInt64LE(BigInt(first));
  return memory;
};

export const slot = (memory: Buffer, at = 0): bigint => memory.readBigUInt64LE(8 * at);
