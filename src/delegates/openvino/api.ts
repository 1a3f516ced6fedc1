/**
 * OpenVINO's C API as a table of functions, driven by koffi. Signatures from openvino/c/*.h of 2026.4.1 (Apache-2.0,
 * https://github.com/openvinotoolkit/openvino/tree/master/src/bindings/c/include/openvino/c); the same since 2023.0. Structs that the
 * library fills are memory of ours, read as 64-bit words; only ov_shape_t is handed over by value.
 */

import { CannotError } from "../../base/errors.ts";
import { loadKoffi, type Koffi } from "../../base/koffi.ts";
import { firstLine, oneLine } from "../../base/words.ts";

type KoffiFunction = ReturnType<ReturnType<Koffi["load"]>["func"]>;
/** A pointer of the library; 0n is null. */
export type Pointer = bigint;

/** How a parameter is passed: "->" is filled by the library, "struct" is memory of ours for a struct that it fills or frees. */
type Kind = "pointer" | "text" | "size" | "int" | "shape" | "struct" | "->pointer" | "->size" | "->int";

/** Name: parameters. All return ov_status_e, but those that free something. */
const functions = {
  ov_get_openvino_version: ["struct"],
  ov_version_free: ["struct"],
  ov_free: ["pointer"],
  ov_core_create: ["->pointer"],
  ov_core_get_available_devices: ["pointer", "struct"],
  ov_available_devices_free: ["struct"],
  ov_core_get_property: ["pointer", "text", "text", "->pointer"],
  ov_core_read_model: ["pointer", "text", "text", "->pointer"],
  ov_core_import_model: ["pointer", "pointer", "size", "text", "->pointer"],
  ov_model_free: ["pointer"],
  ov_compiled_model_inputs_size: ["pointer", "->size"],
  ov_compiled_model_outputs_size: ["pointer", "->size"],
  ov_compiled_model_input_by_index: ["pointer", "size", "->pointer"],
  ov_compiled_model_output_by_index: ["pointer", "size", "->pointer"],
  ov_compiled_model_get_property: ["pointer", "text", "->pointer"],
  ov_compiled_model_create_infer_request: ["pointer", "->pointer"],
  ov_compiled_model_free: ["pointer"],
  ov_port_get_any_name: ["pointer", "->pointer"],
  ov_port_get_partial_shape: ["pointer", "struct"],
  ov_port_get_element_type: ["pointer", "->int"],
  ov_output_const_port_free: ["pointer"],
  ov_partial_shape_free: ["struct"],
  ov_shape_free: ["struct"],
  ov_tensor_create: ["int", "shape", "->pointer"],
  ov_tensor_create_from_host_ptr: ["int", "shape", "pointer", "->pointer"],
  ov_tensor_get_shape: ["pointer", "struct"],
  ov_tensor_get_element_type: ["pointer", "->int"],
  ov_tensor_get_size: ["pointer", "->size"],
  ov_tensor_get_byte_size: ["pointer", "->size"],
  ov_tensor_data: ["pointer", "->pointer"],
  ov_tensor_free: ["pointer"],
  ov_infer_request_set_input_tensor_by_index: ["pointer", "size", "pointer"],
  ov_infer_request_set_output_tensor_by_index: ["pointer", "size", "pointer"],
  ov_infer_request_get_output_tensor_by_index: ["pointer", "size", "->pointer"],
  ov_infer_request_infer: ["pointer"],
  ov_infer_request_get_profiling_info: ["pointer", "struct"],
  ov_profiling_info_list_free: ["struct"],
  ov_infer_request_free: ["pointer"],
} as const satisfies Readonly<Record<string, readonly Kind[]>>;

export type OvFunction = keyof typeof functions;

export interface Ov {
  readonly koffi: Koffi;
  /** Held: koffi unloads a library when its handle is collected, whatever functions of it are still known. */
  readonly library: ReturnType<Koffi["load"]>;
  /** Build number: "2026.4.1-<commit>-releases/2026/4". */
  readonly version: string;
  /** Calls a function; throws CannotError with the library's words when it fails. */
  call(name: OvFunction, ...parameters: unknown[]): void;
  /** The same on a thread of its own. */
  callAsync(name: OvFunction, ...parameters: unknown[]): Promise<void>;
  /** A function whose last parameter is filled by the library. */
  pointer(name: OvFunction, ...parameters: unknown[]): Pointer;
  pointerAsync(name: OvFunction, ...parameters: unknown[]): Promise<Pointer>;
  number(name: OvFunction, ...parameters: unknown[]): number;
  /** ov_core_compile_model with so many properties. */
  compile(core: Pointer, model: Pointer, device: string, properties: ReadonlyMap<string, string>): Promise<Pointer>;
  free(name: OvFunction, what: Pointer | BigUint64Array): void;
  /** A text that the library allocated; frees it. */
  text(pointer: Pointer): string;
}

const loaded = new Map<string, Ov>();

/** Loads the library once; it stays. Throws CannotError when it cannot be loaded or is no OpenVINO. */
export function loadOpenVino(path: string): Ov {
  let ov = loaded.get(path);
  if (ov === undefined) loaded.set(path, (ov = bind(path)));
  return ov;
}

/** Zeroed words for a struct of the library. Over a buffer of its own: V8 keeps small arrays in its heap, where they move. */
export const words = (count: number): BigUint64Array => new BigUint64Array(new ArrayBuffer(8 * Math.max(1, count)));

function bind(path: string): Ov {
  const koffi = loadKoffi();
  let library: ReturnType<Koffi["load"]>;
  try {
    library = koffi.load(path);
  } catch (cause) {
    throw new CannotError(`${path}: ${firstLine(cause)}`, { cause });
  }
  const pointer = koffi.pointer("void");
  const kinds = {
    pointer,
    text: "const char *",
    size: "size_t",
    int: "int",
    shape: koffi.struct({ rank: "int64_t", dims: pointer }),
    struct: pointer,
    "->pointer": koffi.out(koffi.pointer(pointer)),
    "->size": koffi.out(koffi.pointer("size_t")),
    "->int": koffi.out(koffi.pointer("int")),
  } as const satisfies Readonly<Record<Kind, unknown>>;
  const bound = new Map<string, KoffiFunction>();
  const find = (key: string, name: string, parameters: readonly Kind[]): KoffiFunction => {
    let func = bound.get(key);
    if (func === undefined) {
      const returns = /_free$/.test(name) ? "void" : name === LAST_ERROR ? pointer : "int";
      try {
        func = library.func(
          name,
          returns,
          parameters.map((kind) => kinds[kind]),
        );
      } catch (cause) {
        throw new CannotError(`${path}: it has no ${name}, which OpenVINO's C API has since 2023.0`, { cause });
      }
      bound.set(key, func);
    }
    return func;
  };
  const get = (name: OvFunction): KoffiFunction => find(name, name, functions[name]);
  const text = (from: Pointer): string => {
    if (from === 0n) return "";
    const copy = koffi.decode(from, "char", -1) as string;
    get("ov_free")(from);
    return copy;
  };
  const check = (name: string, status: unknown): void => {
    if (status === 0) return;
    // A refused parameter leaves the words of an earlier failure in place.
    const says = status === INVALID_C_PARAM ? "" : text((find(LAST_ERROR, LAST_ERROR, [])() as Pointer | null) ?? 0n);
    throw new CannotError(`OpenVINO: ${plain(says) || `${name} ends with ${String(status)}`}`);
  };
  const call = (name: OvFunction, ...parameters: unknown[]): void => check(name, get(name)(...parameters));
  const later = async (func: KoffiFunction, name: string, parameters: readonly unknown[]): Promise<void> =>
    check(
      name,
      await new Promise((done, failed) => {
        func.async(...parameters, (error: unknown, status: unknown) => {
          if (error instanceof Error) failed(error);
          else done(status);
        });
      }),
    );
  // Not everything that loads is OpenVINO: the first function asked for says so.
  const version = words(2);
  call("ov_get_openvino_version", version);
  const build = koffi.decode(version[0] ?? 0n, "char", -1) as string;
  get("ov_version_free")(version);
  return {
    koffi,
    library,
    version: build,
    call,
    callAsync: (name, ...parameters) => later(get(name), name, parameters),
    pointer(name, ...parameters) {
      const out: [Pointer | null] = [null];
      call(name, ...parameters, out);
      return out[0] ?? 0n;
    },
    async pointerAsync(name, ...parameters) {
      const out: [Pointer | null] = [null];
      await later(get(name), name, [...parameters, out]);
      return out[0] ?? 0n;
    },
    number(name, ...parameters) {
      const out: [number | bigint] = [0];
      call(name, ...parameters, out);
      return Number(out[0]);
    },
    async compile(core, model, device, properties) {
      const pairs = [...properties].flat();
      const name = "ov_core_compile_model";
      // Variadic, which koffi does not call on another thread. Pointers are passed alike in fixed and variadic places by the ABIs of
      // x86-64, AArch64 and RISC-V (System V psABI 3.2.3, AAPCS64 6.4, RISC-V psABI 1.2).
      const func = find(`${name} ${pairs.length}`, name, [
        ...(["pointer", "pointer", "text", "size", "->pointer"] as const),
        ...pairs.map(() => "text" as const),
      ]);
      const out: [Pointer | null] = [null];
      await later(func, name, [core, model, device, pairs.length, out, ...pairs]);
      return out[0] ?? 0n;
    },
    free: (name, what) => void (get(name)(what) as unknown),
    text,
  };
}

/** ov_status_e */
const INVALID_C_PARAM = -14;
const LAST_ERROR = "ov_get_last_err_msg";
/** The library's words, without the places in its sources that it puts before them. */
function plain(says: string): string {
  const text = says
    .replace(/Exception from [^\s:]+:\d+:/g, " ")
    .replace(/(?:Assertion|Check) '[^\n]*' failed at [^\s:]+:\d+:/g, " ");
  return oneLine(text);
}
