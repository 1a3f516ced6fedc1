/**
 * llama.cpp's and ggml's C functions, driven by koffi. One handle is enough: libllama needs libggml and libggml-base, and a symbol that
 * is looked up in it is looked up in those too. Signatures from include/llama.h and ggml/include/ggml-backend.h (MIT) at v0.5.0; the
 * same since b5640. https://github.com/ggml-org/llama.cpp/blob/master/include/llama.h
 */

import { realpathSync } from "node:fs";
import { CannotError } from "../../base/errors.ts";
import { loadKoffi, type Koffi } from "../../base/koffi.ts";
import { firstLine } from "../../base/words.ts";
import { BLOCK_BYTES, contextParams, modelParams, recognize, REVISIONS, type Offsets } from "./layout.ts";
import { Log } from "./log.ts";

type Library = ReturnType<Koffi["load"]>;
type KoffiFunction = ReturnType<Library["func"]>;
/** A pointer of the library; 0n is null. */
export type Pointer = bigint;

/** What takes or gives no struct by value. */
const functions = {
  ggml_backend_load_all_from_path: "void ggml_backend_load_all_from_path(const char *folder)",
  ggml_backend_load: "void *ggml_backend_load(const char *path)",
  ggml_backend_dev_count: "size_t ggml_backend_dev_count()",
  ggml_backend_dev_get: "void *ggml_backend_dev_get(size_t index)",
  ggml_backend_dev_name: "const char *ggml_backend_dev_name(void *device)",
  ggml_backend_dev_description: "const char *ggml_backend_dev_description(void *device)",
  ggml_backend_dev_get_props: "void ggml_backend_dev_get_props(void *device, void *props)",
  ggml_backend_dev_backend_reg: "void *ggml_backend_dev_backend_reg(void *device)",
  ggml_backend_reg_name: "const char *ggml_backend_reg_name(void *reg)",
  llama_backend_init: "void llama_backend_init()",
  llama_model_free: "void llama_model_free(void *model)",
  llama_model_get_vocab: "void *llama_model_get_vocab(void *model)",
  llama_model_n_ctx_train: "int32_t llama_model_n_ctx_train(void *model)",
  llama_model_n_layer: "int32_t llama_model_n_layer(void *model)",
  llama_model_has_encoder: "bool llama_model_has_encoder(void *model)",
  llama_model_has_decoder: "bool llama_model_has_decoder(void *model)",
  llama_model_chat_template: "const char *llama_model_chat_template(void *model, const char *name)",
  llama_chat_apply_template:
    "int32_t llama_chat_apply_template(const char *tmpl, void *messages, size_t count, bool add_assistant, void *text, int32_t bytes)",
  llama_free: "void llama_free(void *context)",
  llama_n_ctx: "uint32_t llama_n_ctx(void *context)",
  llama_set_n_threads: "void llama_set_n_threads(void *context, int32_t threads, int32_t threads_batch)",
  llama_get_memory: "void *llama_get_memory(void *context)",
  llama_memory_clear: "void llama_memory_clear(void *memory, bool data)",
  llama_synchronize: "void llama_synchronize(void *context)",
  llama_get_logits_ith: "void *llama_get_logits_ith(void *context, int32_t index)",
  llama_vocab_n_tokens: "int32_t llama_vocab_n_tokens(void *vocab)",
  llama_vocab_is_eog: "bool llama_vocab_is_eog(void *vocab, int32_t token)",
  llama_tokenize:
    "int32_t llama_tokenize(void *vocab, void *text, int32_t bytes, void *tokens, int32_t count, bool add_special, bool parse_special)",
  llama_token_to_piece:
    "int32_t llama_token_to_piece(void *vocab, int32_t token, void *text, int32_t bytes, int32_t strip, bool special)",
} as const satisfies Readonly<Record<string, string>>;

type Name = keyof typeof functions;

export interface Llama {
  readonly koffi: Koffi;
  /** Held: koffi unloads a library when its handle is collected, whatever functions of it are still known. */
  readonly library: Library;
  readonly path: string;
  /** In the library's own words: "0.5.0-dev (ggml 0.25.1, 0ad4a86)". */
  readonly version: string;
  /** What it says while it works. */
  readonly log: Log;
  call(name: Name, ...parameters: unknown[]): unknown;
  /** The same on a thread of its own. */
  callAsync(name: Name, ...parameters: unknown[]): Promise<unknown>;
  /** llama_model_load_from_file onto these devices and no others but the CPU; 0n when it fails. */
  loadModel(path: string, devices: readonly Pointer[], layers: number): Promise<Pointer>;
  /** llama_init_from_model with the named fields of its parameters written over the defaults; 0n when it fails. */
  makeContext(model: Pointer, fields: Fields): Promise<Pointer>;
  /** llama_decode of tokens that follow what the context holds; the library's status, 0 when it went well. */
  decode(context: Pointer, tokens: Int32Array): Promise<number>;
}

/** Pointers as bigint, whole numbers as number. */
export type Fields = Readonly<Record<string, bigint | number>>;

let loaded: { readonly real: string; readonly llama: Llama } | undefined;

/** Loads the library once; it stays. Throws CannotError when it cannot be loaded, is no llama.cpp or of an unknown revision. */
export function loadLlama(path: string): Llama {
  const real = realOf(path);
  // A second build would meet the first one's libggml-base, which has the same name, and another layout.
  if (loaded !== undefined && loaded.real !== real) {
    throw new CannotError(`${path}: this process has loaded ${loaded.llama.path}; two llama.cpp do not go together`);
  }
  loaded ??= { real, llama: bind(path) };
  return loaded.llama;
}

function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    throw new CannotError(`${path}: no such file`);
  }
}

function bind(path: string): Llama {
  const koffi = loadKoffi();
  let library: Library;
  try {
    library = koffi.load(path);
  } catch (cause) {
    throw new CannotError(`${path}: ${firstLine(cause)}`, { cause });
  }
  const wanted = (make: () => KoffiFunction): KoffiFunction => {
    try {
      return make();
    } catch (cause) {
      const symbol = /'(\w+)'/.exec(firstLine(cause))?.[1] ?? firstLine(cause);
      throw new CannotError(`${path}: no llama.cpp that is known (${REVISIONS}): it has no ${symbol}`, { cause });
    }
  };
  const asked = (name: string): string | undefined => {
    try {
      return library.func(`const char *${name}()`)() as string;
    } catch {
      return undefined; // older revisions do not say
    }
  };
  const bound = new Map(
    (Object.keys(functions) as Name[]).map((name) => [name, wanted(() => library.func(functions[name]))]),
  );
  const get = (name: Name): KoffiFunction => {
    const func = bound.get(name);
    if (func === undefined) throw new Error(name); // every one is bound above
    return func;
  };
  const version = versionOf(asked("llama_version"), asked("ggml_version"), asked("ggml_commit"));
  const block = koffi.struct({ words: koffi.array("uint64_t", BLOCK_BYTES / 8, "Typed") });
  const batch = koffi.struct({
    n_tokens: "int32_t",
    token: "void *",
    embd: "void *",
    pos: "void *",
    n_seq_id: "void *",
    seq_id: "void *",
    logits: "void *",
  });
  const defaults = (name: string): Uint8Array => {
    const { words } = wanted(() => library.func(name, block, []))() as { words: BigUint64Array };
    return new Uint8Array(words.slice().buffer);
  };
  const struct = (name: "model" | "context"): { bytes: Uint8Array; offsets: Offsets } => {
    const bytes = defaults(`llama_${name}_default_params`);
    const offsets = recognize(name === "model" ? modelParams : contextParams, bytes);
    if (offsets !== undefined) return { bytes, offsets };
    throw new CannotError(
      `${path}: llama.cpp ${version}: its llama_${name}_params are none of a revision that is known (${REVISIONS}), so it is not driven`,
    );
  };
  const model = struct("model");
  const context = struct("context");
  const getBatch = wanted(() => library.func("llama_batch_get_one", batch, ["void *", "int32_t"]));
  const decode = wanted(() => library.func("llama_decode", "int32_t", ["void *", batch]));
  const load = wanted(() => library.func("llama_model_load_from_file", "void *", ["const char *", block]));
  const init = wanted(() => library.func("llama_init_from_model", "void *", ["void *", block]));
  const log = new Log(koffi, library);
  return {
    koffi,
    library,
    path,
    version,
    log,
    call: (name, ...parameters) => get(name)(...parameters) as unknown,
    callAsync: (name, ...parameters) => onThread(get(name), parameters),
    async loadModel(file, devices, layers) {
      const list = BigUint64Array.of(...devices, 0n); // ends with a null
      const kept: unknown = koffi.alloc("uint64_t", list.length);
      koffi.encode(kept, koffi.array("uint64_t", list.length), list);
      try {
        return pointer(await onThread(load, [file, filled(model, { devices: pointer(kept), n_gpu_layers: layers })]));
      } finally {
        koffi.free(kept);
      }
    },
    makeContext: async (handle, fields) => pointer(await onThread(init, [handle, filled(context, fields)])),
    async decode(handle, wanted) {
      // Small typed arrays live in V8's heap and move; one over a buffer of its own does not.
      const tokens = new Int32Array(new ArrayBuffer(wanted.byteLength));
      tokens.set(wanted);
      const one = getBatch(tokens, tokens.length) as Record<string, unknown>;
      // What the library made must be what the struct above says, or a later revision's would be misread.
      const rest = ["embd", "pos", "n_seq_id", "seq_id", "logits"].every((name) => pointer(one[name]) === 0n);
      if (one["n_tokens"] !== tokens.length || pointer(one["token"]) !== koffi.address(tokens) || !rest) {
        throw new CannotError(`${path}: llama.cpp ${version}: its llama_batch is none that is known`);
      }
      return Number(await onThread(decode, [handle, one], tokens));
    },
  };
}

function filled(
  { bytes, offsets }: { bytes: Uint8Array; offsets: Offsets },
  fields: Fields,
): { words: BigUint64Array } {
  const block = bytes.slice();
  const view = new DataView(block.buffer);
  for (const [name, value] of Object.entries(fields)) {
    const offset = offsets.get(name);
    if (offset === undefined) throw new CannotError(`llama.cpp: this revision has no field ${name}`);
    if (typeof value === "bigint") view.setBigUint64(offset, value, true);
    else view.setInt32(offset, value, true);
  }
  return { words: new BigUint64Array(block.buffer) };
}

/** What calls on other threads read or write: it has to be there until they end. */
const held = new Set<unknown>();

function onThread(func: KoffiFunction, parameters: readonly unknown[], also?: unknown): Promise<unknown> {
  const holds = [parameters, also];
  held.add(holds);
  return new Promise((done, failed) => {
    func.async(...parameters, (error: unknown, result: unknown) => {
      held.delete(holds);
      if (error instanceof Error) failed(error);
      else done(result);
    });
  });
}

export const pointer = (value: unknown): Pointer => (typeof value === "bigint" ? value : 0n);

function versionOf(llama: string | undefined, ggml: string | undefined, commit: string | undefined): string {
  const told = [ggml === undefined ? undefined : `ggml ${ggml}`, commit]
    .filter((part) => part !== undefined)
    .join(", ");
  return llama === undefined ? told || "of no told version" : told === "" ? llama : `${llama} (${told})`;
}
