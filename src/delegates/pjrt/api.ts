/**
 * The PJRT C API as a table of functions, driven by koffi: one ABI of plug-ins for Cloud TPU, Neuron, Tenstorrent, CUDA and ROCm. From
 * xla/pjrt/c/pjrt_c_api.h of version 0.94 (Apache-2.0, https://github.com/openxla/xla/blob/main/xla/pjrt/c/pjrt_c_api.h). PJRT_Api only
 * grows at its end; every function takes one struct, which only grows at its end, and returns an error or null.
 */

import { CannotError } from "../../base/errors.ts";
import { loadKoffi, type Koffi } from "../../base/koffi.ts";

type KoffiFunction = ReturnType<ReturnType<Koffi["load"]>["func"]>;
/** A pointer of the plug-in; 0n is null. */
export type Pointer = bigint;

/** PJRT_API_MAJOR; and the oldest PJRT_API_MINOR after which nothing was rearranged (xla/pjrt/c/CHANGELOG.md). */
const [MAJOR, OLDEST_MINOR] = [0, 57];
/** struct_size, extension_start, and PJRT_Api_Version (size, extension, two ints), in words of 8 bytes. */
const BEFORE_FUNCTIONS = 5;

/** Name: place, then the fields of its struct behind struct_size and extension_start, each a word of 8 bytes. */
const functions = {
  Error_Destroy: [0, "error"],
  Error_Message: [1, "error", "message", "message_size"],
  Plugin_Initialize: [3],
  Event_Destroy: [5, "event"],
  Event_IsReady: [6, "event", "is_ready"],
  Event_Await: [8, "event"],
  Client_Create: [
    10,
    "create_options",
    "num_options",
    "kv_get_callback",
    "kv_get_user_arg",
    "kv_put_callback",
    "kv_put_user_arg",
    "client",
    "kv_try_get_callback",
    "kv_try_get_user_arg",
  ],
  Client_Destroy: [11, "client"],
  Client_PlatformName: [12, "client", "platform_name", "platform_name_size"],
  Client_PlatformVersion: [14, "client", "platform_version", "platform_version_size"],
  Client_AddressableDevices: [16, "client", "addressable_devices", "num_addressable_devices"],
  Client_Compile: [20, "client", "program", "compile_options", "compile_options_size", "executable"],
  Client_BufferFromHostBuffer: [
    22,
    "client",
    "data",
    "type",
    "dims",
    "num_dims",
    "byte_strides",
    "num_byte_strides",
    "host_buffer_semantics",
    "device",
    "memory",
    "device_layout",
    "done_with_host_buffer",
    "buffer",
  ],
  DeviceDescription_Id: [23, "device_description", "id"],
  DeviceDescription_Attributes: [25, "device_description", "num_attributes", "attributes"],
  DeviceDescription_Kind: [26, "device_description", "device_kind", "device_kind_size"],
  DeviceDescription_ToString: [28, "device_description", "to_string", "to_string_size"],
  Device_GetDescription: [29, "device", "device_description"],
  Device_MemoryStats: [
    34,
    "device",
    "bytes_in_use",
    "peak_bytes_in_use",
    "peak_bytes_in_use_is_set",
    "num_allocs",
    "num_allocs_is_set",
    "largest_alloc_size",
    "largest_alloc_size_is_set",
    "bytes_limit",
    "bytes_limit_is_set",
    "bytes_reserved",
    "bytes_reserved_is_set",
    "peak_bytes_reserved",
    "peak_bytes_reserved_is_set",
    "bytes_reservable_limit",
    "bytes_reservable_limit_is_set",
    "largest_free_block_bytes",
    "largest_free_block_bytes_is_set",
    "pool_bytes",
    "pool_bytes_is_set",
    "peak_pool_bytes",
    "peak_pool_bytes_is_set",
  ],
  Executable_Destroy: [40, "executable"],
  Executable_NumOutputs: [44, "executable", "num_outputs"],
  LoadedExecutable_Destroy: [50, "executable"],
  LoadedExecutable_GetExecutable: [51, "loaded_executable", "executable"],
  LoadedExecutable_AddressableDevices: [52, "executable", "addressable_devices", "num_addressable_devices"],
  LoadedExecutable_Execute: [
    55,
    "executable",
    "options",
    "argument_lists",
    "num_devices",
    "num_args",
    "output_lists",
    "device_complete_events",
    "execute_device",
  ],
  Buffer_Destroy: [58, "buffer"],
  Buffer_ElementType: [59, "buffer", "type"],
  Buffer_Dimensions: [60, "buffer", "dims", "num_dims"],
  Buffer_ToHostBuffer: [70, "src", "host_layout", "dst", "dst_size", "event"],
  Executable_OutputElementTypes: [90, "executable", "output_types", "num_output_types"],
  Executable_OutputDimensions: [91, "executable", "num_outputs", "dims", "dim_sizes"],
} as const satisfies Readonly<Record<string, readonly [place: number, ...fields: string[]]>>;

/** Structs that are not a function's own; in the same words. */
const structs = {
  Program: ["code", "code_size", "format", "format_size"],
  ExecuteOptions: [
    "send_callbacks",
    "recv_callbacks",
    "num_send_ops",
    "num_recv_ops",
    "launch_id",
    "non_donatable_input_indices",
    "num_non_donatable_input_indices",
    "context",
    "call_location",
    "num_tasks",
    "task_ids",
    "incarnation_ids",
  ],
  Buffer_MemoryLayout_Tiled: ["minor_to_major", "minor_to_major_size", "tile_dims", "tile_dim_sizes", "num_tiles"],
  NamedValue: ["name", "name_size", "type", "value", "value_size"],
} as const;

export type PjrtFunction = keyof typeof functions;
/** Names of the fields of a function's struct. */
export type FieldOf<N extends PjrtFunction> = (typeof functions)[N] extends readonly [
  number,
  ...infer F extends string[],
]
  ? F[number]
  : never;
/** What is not named is zero: not given. */
export type Fields<F extends string> = Partial<Record<F, bigint | number>>;

export interface Pjrt {
  readonly koffi: Koffi;
  /** Held: koffi unloads a library when its handle is collected, whatever functions of it are still known. */
  readonly library: ReturnType<Koffi["load"]>;
  readonly path: string;
  /** Of the C API: "0.94". */
  readonly version: string;
  /** Calls a function and gives its struct back; throws CannotError with the plug-in's words. */
  call<N extends PjrtFunction>(name: N, fields: Fields<FieldOf<N>>): Record<FieldOf<N>, bigint>;
  /** The same on a thread of its own. */
  callAsync<N extends PjrtFunction>(name: N, fields: Fields<FieldOf<N>>): Promise<Record<FieldOf<N>, bigint>>;
  address(memory: ArrayBufferView): Pointer;
  /** `length` bytes of UTF-8 at a pointer. */
  text(at: Pointer, length: bigint): string;
  /** Words of 8 bytes at a pointer. */
  words(at: Pointer, count: bigint | number): bigint[];
  /** Ints of 4 bytes at a pointer. */
  ints(at: Pointer, count: number): number[];
}

const loaded = new Map<string, Promise<Pjrt>>();

/** Loads and sets up the plug-in once; it stays. Throws CannotError when it cannot be loaded, is none or of another version. */
export function loadPjrt(path: string): Promise<Pjrt> {
  let pjrt = loaded.get(path);
  if (pjrt === undefined) loaded.set(path, (pjrt = bind(path)));
  return pjrt;
}

/** Zeroed words for what the plug-in reads or fills. Over a buffer of its own: V8 keeps small arrays in its heap, where they move. */
export const zeroed = (count: number): BigUint64Array => new BigUint64Array(new ArrayBuffer(8 * Math.max(1, count)));

/**
 * Fields that later headers may have added: a plug-in refuses a struct shorter than its own header's, and zero means for all of them
 * that they are not given.
 */
const LATER = 8;

const filled = (struct: BigUint64Array, names: readonly string[], fields: Fields<string>): BigUint64Array => {
  struct[0] = BigInt(struct.length * 8);
  names.forEach((name, at) => (struct[at + 2] = BigInt.asUintN(64, BigInt(fields[name] ?? 0))));
  return struct;
};

/** A struct that others point to; what its fields point to must be held as long as it. */
export function structOf<S extends keyof typeof structs>(
  name: S,
  fields: Fields<(typeof structs)[S][number]>,
): BigUint64Array {
  // Named values lie in arrays, whose stride is their size.
  const later = name === "NamedValue" || name === "Buffer_MemoryLayout_Tiled" ? 0 : LATER;
  return filled(zeroed(2 + structs[name].length + later), structs[name], fields);
}

async function bind(path: string): Promise<Pjrt> {
  const koffi = loadKoffi();
  let library: ReturnType<Koffi["load"]>;
  let api: Pointer;
  try {
    library = koffi.load(path);
    api = (library.func("void *GetPjrtApi()")() as Pointer | null) ?? 0n;
  } catch (cause) {
    throw new CannotError(`${path}: ${firstLine(cause)}`, { cause });
  }
  if (api === 0n) throw new CannotError(`${path}: GetPjrtApi gives nothing`);
  const words = (at: Pointer, count: bigint | number): bigint[] =>
    at === 0n || Number(count) === 0 ? [] : [...new BigUint64Array(koffi.view(at, Number(count) * 8))];
  const [size = 0n, , , , numbers = 0n] = words(api, BEFORE_FUNCTIONS);
  const [major, minor] = [Number(numbers & 0xffff_ffffn), Number(numbers >> 32n)];
  if (major !== MAJOR || minor < OLDEST_MINOR) {
    throw new CannotError(
      `${path}: it speaks PJRT C API ${major}.${minor}; ${MAJOR}.${OLDEST_MINOR} and later of ${MAJOR} are spoken here`,
    );
  }
  const table = words(api, size / 8n);
  const one = koffi.proto("void *", ["void *"]);
  const bound = new Map<PjrtFunction, KoffiFunction>();
  const get = (name: PjrtFunction): KoffiFunction => {
    let func = bound.get(name);
    if (func === undefined) {
      const at = table[BEFORE_FUNCTIONS + functions[name][0]] ?? 0n;
      if (at === 0n) throw new CannotError(`${path}: it has no PJRT_${name}`);
      bound.set(name, (func = koffi.decode(at, one) as KoffiFunction));
    }
    return func;
  };
  const text = (at: Pointer, length: bigint): string =>
    at === 0n || length === 0n ? "" : Buffer.from(koffi.view(at, Number(length))).toString("utf8");
  const struct = (name: PjrtFunction, fields: Fields<string>): BigUint64Array => {
    const [, ...names] = functions[name];
    return filled(zeroed(2 + names.length + LATER), names, fields);
  };
  const told = <N extends PjrtFunction>(name: N, args: BigUint64Array): Record<FieldOf<N>, bigint> => {
    const [, ...names] = functions[name];
    return Object.fromEntries(names.map((field, at) => [field, args[at + 2] ?? 0n])) as Record<FieldOf<N>, bigint>;
  };
  /** Neither returns an error. */
  const plainCall = (name: "Error_Message" | "Error_Destroy", error: Pointer): BigUint64Array => {
    const args = struct(name, { error });
    get(name)(koffi.address(args));
    return args;
  };
  const check = (error: unknown): void => {
    if (typeof error !== "bigint" || error === 0n) return;
    const { message, message_size: length } = told("Error_Message", plainCall("Error_Message", error));
    const says = plain(text(message, length));
    plainCall("Error_Destroy", error);
    throw new CannotError(`PJRT: ${says}`);
  };
  const pjrt: Pjrt = {
    koffi,
    library,
    path,
    version: `${major}.${minor}`,
    call(name, fields) {
      const args = struct(name, fields);
      check(get(name)(koffi.address(args)));
      return told(name, args);
    },
    async callAsync(name, fields) {
      const args = struct(name, fields);
      const error = await new Promise<unknown>((done, failed) => {
        get(name).async(koffi.address(args), (thrown: unknown, result: unknown) => {
          if (thrown instanceof Error) failed(thrown);
          else done(result);
        });
      });
      check(error);
      return told(name, args);
    },
    address: (memory) => koffi.address(memory),
    text,
    words,
    ints: (at, count) => (at === 0n || count === 0 ? [] : [...new Int32Array(koffi.view(at, count * 4))]),
  };
  await pjrt.callAsync("Plugin_Initialize", {});
  return pjrt;
}

/** Words enough to look for. */
const SAID = 400;

function plain(says: string): string {
  const text = says.replace(/\s+/g, " ").trim();
  return text.length > SAID ? `${text.slice(0, SAID - 1)}…` : text;
}

function firstLine(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return text.split("\n", 1)[0] ?? "";
}
