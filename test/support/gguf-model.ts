/**
 * A language model in GGUF for tests that run one: the architecture of Llama, two layers of random weights, a vocabulary of bytes. It is
 * written here because no published model is small enough; it speaks nonsense, and the same nonsense everywhere.
 * https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */

export interface Weights {
  readonly embedding: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyHeads: number;
  readonly feedForward: number;
  readonly vocabulary: number;
  /** Rows of a matrix one after the other: as GGUF holds it, contiguous dimension first. */
  readonly tensors: ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Float32Array }>;
}

export interface ModelOptions {
  readonly architecture?: string;
  readonly layers?: number;
  readonly embedding?: number;
  readonly context?: number;
  readonly template?: string;
  /** Values that are set or, when undefined, left out. */
  readonly values?: Readonly<Record<string, number | undefined>>;
  readonly seed?: number;
}

/** Tokens 0 to 2 are <unk>, <s> and </s>; 3 + b is the byte b; the last is the blank, which such vocabularies spell U+2581. */
export const [BOS, EOS, FIRST_BYTE] = [1, 2, 3];
const BLANK = FIRST_BYTE + 256;
const VOCABULARY = BLANK + 1;

/** The tokens of a text, and the text of tokens that the model said. */
export const tokensOf = (text: string): number[] => [
  BOS,
  ...Array.from(Buffer.from(text), (byte) => (byte === 32 ? BLANK : byte + FIRST_BYTE)),
];
export const textOf = (tokens: readonly number[]): string =>
  Buffer.from(tokens.map((token) => (token === BLANK ? 32 : token - FIRST_BYTE))).toString();
export const RMS_EPSILON = 1e-5;
export const ROPE_BASE = 10000;

export function randomWeights({ layers = 2, embedding = 64, seed = 1 }: ModelOptions = {}): Weights {
  const random = normal(seed);
  const tensors = new Map<string, { shape: number[]; data: Float32Array }>();
  const [heads, keyHeads, feedForward] = [4, 2, embedding * 2];
  const add = (name: string, shape: number[], scale: number, center = 0): void => {
    const count = shape.reduce((product, size) => product * size, 1);
    tensors.set(name, { shape, data: Float32Array.from({ length: count }, () => center + scale * random()) });
  };
  add("token_embd.weight", [embedding, VOCABULARY], 1);
  for (let layer = 0; layer < layers; layer++) {
    const kept = (embedding * keyHeads) / heads;
    const scale = 1.5 / Math.sqrt(embedding);
    add(`blk.${layer}.attn_norm.weight`, [embedding], 0.1, 1);
    add(`blk.${layer}.attn_q.weight`, [embedding, embedding], scale);
    add(`blk.${layer}.attn_k.weight`, [embedding, kept], scale);
    add(`blk.${layer}.attn_v.weight`, [embedding, kept], scale);
    add(`blk.${layer}.attn_output.weight`, [embedding, embedding], scale);
    add(`blk.${layer}.ffn_norm.weight`, [embedding], 0.1, 1);
    add(`blk.${layer}.ffn_gate.weight`, [embedding, feedForward], scale);
    add(`blk.${layer}.ffn_up.weight`, [embedding, feedForward], scale);
    add(`blk.${layer}.ffn_down.weight`, [feedForward, embedding], scale);
  }
  add("output_norm.weight", [embedding], 0.1, 1);
  add("output.weight", [embedding, VOCABULARY], 1 / Math.sqrt(embedding));
  // Only letters and the blank come out, so that texts are texts: other tokens have no row and score 0.
  const output = tensors.get("output.weight")?.data ?? new Float32Array(0);
  for (let token = 0; token < VOCABULARY; token++) {
    const byte = token - FIRST_BYTE;
    if (token !== BLANK && !(byte >= 97 && byte <= 122)) output.fill(0, token * embedding, (token + 1) * embedding);
  }
  return { embedding, layers, heads, keyHeads, feedForward, vocabulary: VOCABULARY, tensors };
}

/** A GGUF file of version 3. */
export function ggufModel(options: ModelOptions = {}, weights = randomWeights(options)): Uint8Array {
  const { architecture = "llama", context = 512, template, values = {} } = options;
  const head = new Writer();
  const own: [string, (out: Writer) => void][] = [];
  const put = (key: string, type: number, write: (out: Writer) => void): void => {
    own.push([key, (out) => (out.text(key).u32(type), write(out))]);
  };
  const number = (key: string, value: number): void => put(key, 4, (out) => out.u32(value));
  const text = (key: string, value: string): void => put(key, 8, (out) => out.text(value));
  text("general.architecture", architecture);
  text("general.name", "accelctl test");
  number(`${architecture}.context_length`, context);
  number(`${architecture}.embedding_length`, weights.embedding);
  number(`${architecture}.block_count`, weights.layers);
  number(`${architecture}.feed_forward_length`, weights.feedForward);
  number(`${architecture}.attention.head_count`, weights.heads);
  number(`${architecture}.attention.head_count_kv`, weights.keyHeads);
  put(`${architecture}.attention.layer_norm_rms_epsilon`, 6, (out) => out.f32(RMS_EPSILON));
  put(`${architecture}.rope.freq_base`, 6, (out) => out.f32(ROPE_BASE));
  text("tokenizer.ggml.model", "llama");
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
  const tokens = ["<unk>", "<s>", "</s>", ...bytes, "\u2581"];
  put("tokenizer.ggml.tokens", 9, (out) => tokens.reduce((to, token) => to.text(token), out.u32(8).u64(tokens.length)));
  put("tokenizer.ggml.scores", 9, (out) => tokens.reduce((to) => to.f32(0), out.u32(6).u64(tokens.length)));
  // LLAMA_TOKEN_TYPE: 1 normal, 2 unknown, 3 control, 6 byte.
  const types = tokens.map((_, at) => (at === 0 ? 2 : at < FIRST_BYTE ? 3 : at < BLANK ? 6 : 1));
  put("tokenizer.ggml.token_type", 9, (out) => types.reduce((to, type) => to.u32(type), out.u32(5).u64(types.length)));
  number("tokenizer.ggml.bos_token_id", BOS);
  number("tokenizer.ggml.eos_token_id", EOS);
  put("tokenizer.ggml.add_space_prefix", 7, (out) => out.u8(0));
  if (template !== undefined) text("tokenizer.chat_template", template);
  const kept = own.filter(([key]) => !Object.hasOwn(values, key));
  const set = Object.entries(values).filter((entry): entry is [string, number] => entry[1] !== undefined);
  head
    .bytes(Buffer.from("GGUF"))
    .u32(3)
    .u64(weights.tensors.size)
    .u64(kept.length + set.length);
  for (const [, write] of kept) write(head);
  for (const [key, value] of set) head.text(key).u32(4).u32(value);
  let offset = 0;
  for (const [name, { shape, data }] of weights.tensors) {
    head.text(name).u32(shape.length);
    for (const size of shape) head.u64(size);
    head.u32(0).u64(offset);
    offset += Math.ceil(data.byteLength / 32) * 32;
  }
  head.align(32);
  for (const { data } of weights.tensors.values()) head.bytes(Buffer.from(data.buffer)).align(32);
  return head.whole();
}

class Writer {
  readonly #parts: Buffer[] = [];
  #length = 0;
  bytes(bytes: Buffer): this {
    this.#parts.push(bytes);
    this.#length += bytes.length;
    return this;
  }
  u8(value: number): this {
    return this.bytes(Buffer.of(value));
  }
  u32(value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value >>> 0);
    return this.bytes(bytes);
  }
  u64(value: number): this {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(value));
    return this.bytes(bytes);
  }
  f32(value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(value);
    return this.bytes(bytes);
  }
  text(value: string): this {
    const bytes = Buffer.from(value, "utf8");
    return this.u64(bytes.length).bytes(bytes);
  }
  align(to: number): this {
    return this.bytes(Buffer.alloc((to - (this.#length % to)) % to));
  }
  whole(): Uint8Array {
    return Buffer.concat(this.#parts);
  }
}

/** Box and Muller over a linear congruence: enough to fill matrices, the same everywhere. */
function normal(seed: number): () => number {
  let state = seed >>> 0;
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 1) / 4294967297;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

/**
 * Holds what was said after `prompt` against the definition of the model, computed here: for each token, how far its score lies behind
 * that of the best one at its place. 0 where the most probable token was said.
 */
export function behind(weights: Weights, prompt: readonly number[], said: readonly number[]): number[] {
  const { embedding, layers, heads, keyHeads, feedForward, vocabulary } = weights;
  const size = embedding / heads;
  const tensor = (name: string): Float32Array => weights.tensors.get(name)?.data ?? new Float32Array(0);
  const times = (name: string, x: readonly number[], rows: number): number[] => {
    const w = tensor(name);
    return Array.from({ length: rows }, (_, row) =>
      x.reduce((sum, v, at) => sum + v * (w[row * x.length + at] ?? 0), 0),
    );
  };
  const norm = (name: string, x: readonly number[]): number[] => {
    const w = tensor(name);
    const root = Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / x.length + RMS_EPSILON);
    return x.map((v, at) => (v / root) * (w[at] ?? 0));
  };
  const keys: number[][][] = Array.from({ length: layers }, () => []);
  const values: number[][][] = Array.from({ length: layers }, () => []);
  /** Pairs of neighbours turn by the place's angle: what llama.cpp calls a "normal" rope. */
  const turned = (x: readonly number[], place: number): number[] =>
    x.map((v, at) => {
      const angle = place * ROPE_BASE ** (-(2 * Math.floor((at % size) / 2)) / size);
      const other = x[at ^ 1] ?? 0;
      return at % 2 === 0
        ? v * Math.cos(angle) - other * Math.sin(angle)
        : other * Math.sin(angle) + v * Math.cos(angle);
    });
  const step = (token: number, place: number): number[] => {
    let x = Array.from(tensor("token_embd.weight").subarray(token * embedding, (token + 1) * embedding));
    for (let layer = 0; layer < layers; layer++) {
      const name = (part: string): string => `blk.${layer}.${part}.weight`;
      const h = norm(name("attn_norm"), x);
      const q = turned(times(name("attn_q"), h, embedding), place);
      keys[layer]?.push(turned(times(name("attn_k"), h, keyHeads * size), place));
      values[layer]?.push(times(name("attn_v"), h, keyHeads * size));
      const seen = Array.from({ length: heads }, (_, head) => {
        const from = Math.floor((head * keyHeads) / heads) * size;
        const scores = (keys[layer] ?? []).map((key) => {
          let sum = 0;
          for (let at = 0; at < size; at++) sum += (q[head * size + at] ?? 0) * (key[from + at] ?? 0);
          return sum / Math.sqrt(size);
        });
        const highest = Math.max(...scores);
        const shares = scores.map((score) => Math.exp(score - highest));
        const all = shares.reduce((sum, share) => sum + share, 0);
        return Array.from({ length: size }, (_, at) =>
          (values[layer] ?? []).reduce((sum, value, t) => sum + ((shares[t] ?? 0) / all) * (value[from + at] ?? 0), 0),
        );
      }).flat();
      const attended = times(name("attn_output"), seen, embedding);
      x = x.map((v, at) => v + (attended[at] ?? 0));
      const f = norm(name("ffn_norm"), x);
      const up = times(name("ffn_up"), f, feedForward);
      const gated = times(name("ffn_gate"), f, feedForward).map((v, at) => (v / (1 + Math.exp(-v))) * (up[at] ?? 0));
      const down = times(name("ffn_down"), gated, embedding);
      x = x.map((v, at) => v + (down[at] ?? 0));
    }
    return times("output.weight", norm("output_norm.weight", x), vocabulary);
  };
  let scores: number[] = [];
  prompt.forEach((token, place) => (scores = step(token, place)));
  return said.map((token, at) => {
    const far = Math.max(...scores) - (scores[token] ?? -Infinity);
    scores = step(token, prompt.length + at);
    return far;
  });
}
