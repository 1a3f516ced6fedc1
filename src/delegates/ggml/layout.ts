/**
 * Where the fields of llama.cpp's parameter structs lie. They are passed by value and change between revisions, so a library is driven
 * only when the defaults it hands out are, field for field, those of a revision below: each was run. From include/llama.h (MIT) and the
 * prebuilt libraries of the npm package @node-llama-cpp/linux-x64, whose versions stand beside their llama.cpp revisions.
 * https://github.com/ggml-org/llama.cpp/blob/master/include/llama.h
 */

/** Bytes of a struct are handed over in a block larger than any revision's; what was appended keeps the library's defaults. */
export const BLOCK_BYTES = 512;
export const REVISIONS = "b5640 to v0.5.0";

/** p pointer or size_t, i int32, f float, b bool; aligned to their size, as every 64-bit Linux ABI does. */
type Kind = "p" | "i" | "f" | "b";
const sizes: Readonly<Record<Kind, number>> = { p: 8, i: 4, f: 4, b: 1 };

/** "name:kind=default" one after the other; pointers are null. */
interface Struct {
  readonly revisions: string;
  readonly fields: string;
}

const ends = "tensor_split:p progress_callback:p progress_callback_user_data:p kv_overrides:p";
const begins = "devices:p tensor_buft_overrides:p";

/** llama_model_params, as llama_model_default_params() fills it. */
export const modelParams: readonly Struct[] = [
  {
    revisions: "v0.4.0 to v0.5.0 (3.21.1 to 3.22.1)",
    fields:
      `${begins} n_gpu_layers:i=-1 split_mode:i=1 load_mode:i=-1 lazy_mode:i=1 main_gpu:i=0 ${ends} ` +
      "vocab_only:b=0 check_tensors:b=0 use_extra_bufts:b=1 no_host:b=0 no_alloc:b=0 load_mtp:b=0",
  },
  {
    revisions: "b10361 (3.20.0)",
    fields:
      `${begins} n_gpu_layers:i=-1 split_mode:i=1 load_mode:i=1 main_gpu:i=0 ${ends} ` +
      "vocab_only:b=0 check_tensors:b=0 use_extra_bufts:b=1 no_host:b=0 no_alloc:b=0 load_mtp:b=0",
  },
  {
    revisions: "b8121 to b10068 (3.16.2 to 3.19.1)",
    fields:
      `${begins} n_gpu_layers:i=-1 split_mode:i=1 main_gpu:i=0 ${ends} vocab_only:b=0 use_mmap:b=1 use_direct_io:b=0 ` +
      "use_mlock:b=0 check_tensors:b=0 use_extra_bufts:b=1 no_host:b=0 no_alloc:b=0",
  },
  {
    revisions: "b7836 (3.15.1)",
    fields:
      `${begins} n_gpu_layers:i=-1 split_mode:i=1 main_gpu:i=0 ${ends} vocab_only:b=0 use_mmap:b=1 use_direct_io:b=1 ` +
      "use_mlock:b=0 check_tensors:b=0 use_extra_bufts:b=1 no_host:b=0 no_alloc:b=0",
  },
  {
    revisions: "b6431 to b7347 (3.13.0 to 3.14.5)",
    fields:
      `${begins} n_gpu_layers:i=999 split_mode:i=1 main_gpu:i=0 ${ends} vocab_only:b=0 use_mmap:b=1 use_mlock:b=0 ` +
      "check_tensors:b=0 use_extra_bufts:b=1",
  },
  {
    revisions: "b5640 (3.10.0)",
    fields:
      `${begins} n_gpu_layers:i=0 split_mode:i=1 main_gpu:i=0 ${ends} vocab_only:b=0 use_mmap:b=1 use_mlock:b=0 ` +
      "check_tensors:b=0",
  },
];

const sizesOfContext = "n_ctx:i=512 n_batch:i=2048 n_ubatch:i=512 n_seq_max:i=1";
const types = "rope_scaling_type:i=-1 pooling_type:i=-1 attention_type:i=-1 flash_attn_type:i=-1";
const rope = "rope_freq_base:f=0 rope_freq_scale:f=0 yarn_ext_factor:f=-1";
const yarnFromModel = "yarn_attn_factor:f=-1 yarn_beta_fast:f=-1 yarn_beta_slow:f=-1";
const rest =
  "yarn_orig_ctx:i=0 defrag_thold:f=-1 cb_eval:p cb_eval_user_data:p type_k:i=1 type_v:i=1 abort_callback:p " +
  "abort_callback_data:p embeddings:b=0 offload_kqv:b=1 no_perf:b=1 op_offload:b=1 swa_full:b=1 kv_unified:b=0";

/** llama_context_params, as llama_context_default_params() fills it. */
export const contextParams: readonly Struct[] = [
  {
    revisions: "b10361 to v0.5.0 (3.20.0 to 3.22.1)",
    fields:
      `${sizesOfContext} n_rs_seq:i=0 n_outputs_max:i=0 n_outputs_max_per_seq:i=1 n_threads:i=4 n_threads_batch:i=4 ` +
      `ctx_type:i=0 ${types} ${rope} ${yarnFromModel} ${rest}`,
  },
  {
    revisions: "b10068 (3.19.1)",
    fields:
      `${sizesOfContext} n_rs_seq:i=0 n_outputs_max:i=0 n_threads:i=4 n_threads_batch:i=4 ctx_type:i=0 ${types} ${rope} ` +
      `${yarnFromModel} ${rest}`,
  },
  {
    revisions: "b7347 to b8390 (3.14.5 to 3.18.1)",
    fields: `${sizesOfContext} n_threads:i=4 n_threads_batch:i=4 ${types} ${rope} ${yarnFromModel} ${rest}`,
  },
  {
    revisions: "b6431 (3.13.0)",
    fields:
      `${sizesOfContext} n_threads:i=4 n_threads_batch:i=4 ${types} ${rope} yarn_attn_factor:f=1 yarn_beta_fast:f=32 ` +
      `yarn_beta_slow:f=1 ${rest}`,
  },
  {
    revisions: "b5640 (3.10.0)",
    fields:
      `${sizesOfContext} n_threads:i=4 n_threads_batch:i=4 rope_scaling_type:i=-1 pooling_type:i=-1 attention_type:i=-1 ` +
      `${rope} yarn_attn_factor:f=1 yarn_beta_fast:f=32 yarn_beta_slow:f=1 yarn_orig_ctx:i=0 defrag_thold:f=-1 cb_eval:p ` +
      "cb_eval_user_data:p type_k:i=1 type_v:i=1 abort_callback:p abort_callback_data:p embeddings:b=0 offload_kqv:b=1 " +
      "flash_attn:b=0 no_perf:b=1 op_offload:b=1 swa_full:b=1",
  },
];

/** Offsets of a struct's fields by name. */
export type Offsets = ReadonlyMap<string, number>;

interface Field {
  readonly name: string;
  readonly kind: Kind;
  readonly offset: number;
  readonly is: number;
}

function lay({ fields }: Struct): Field[] {
  let at = 0;
  return fields.split(" ").map((text) => {
    const [name = "", kind = "p", is = "0"] = text.split(/[:=]/);
    const size = sizes[kind as Kind];
    const offset = Math.ceil(at / size) * size;
    at = offset + size;
    return { name, kind: kind as Kind, offset, is: Number(is) };
  });
}

/** Where the fields lie in a block that holds a library's defaults; undefined when they are no known revision's. */
export function recognize(structs: readonly Struct[], block: Uint8Array): Offsets | undefined {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const holds = ({ kind, offset, is }: Field): boolean => {
    if (kind === "p") return view.getBigUint64(offset, true) === BigInt(is);
    if (kind === "f") return view.getFloat32(offset, true) === is;
    return (kind === "i" ? view.getInt32(offset, true) : view.getUint8(offset)) === is;
  };
  for (const struct of structs) {
    const fields = lay(struct);
    if (fields.every(holds)) return new Map(fields.map(({ name, offset }) => [name, offset]));
  }
  return undefined;
}
