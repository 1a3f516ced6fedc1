/** Requests that are nearly right: an inference as JSON or with bytes behind it, changed somewhere. The same seed gives the same. */

export function random(seed: number): () => number {
  let state = (seed + 1) * 0x9e3779b1;
  return () => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d);
    state = Math.imul(state ^ (state >>> 12), 0x297a2d39);
    state ^= state >>> 15;
    return (state >>> 0) / 2 ** 32;
  };
}

const values: readonly unknown[] = [
  null,
  true,
  -1,
  1.5,
  2 ** 53,
  1e308,
  "",
  "x",
  "9".repeat(40),
  [],
  [[]],
  [[1], 2],
  {},
  { a: {} },
  [1, "2", null],
  "__proto__",
  [-1],
  [1e9, 1e9],
  [0, 2 ** 52],
];
const words = ["__proto__", "constructor", "data", "shape", "datatype", "parameters", "binary_data_size", "name"];
const types = ["FP32", "INT64", "UINT64", "BOOL", "BYTES", "BF16", "FP16", "fp32", "FP8"];

/** JSON of an inference, and the bytes behind it. */
export function hostileBody(seed: number): { readonly json: string; readonly bytes: Buffer } {
  const next = random(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T; // of a list that has some
  const binary = next() < 0.5;
  const bytes = Buffer.from(Array.from({ length: binary ? Math.floor(next() * 64) : 0 }, () => next() * 256));
  const input: Record<string, unknown> = {
    name: "x",
    datatype: next() < 0.7 ? "FP32" : pick(types),
    shape: [1, 4],
    ...(binary
      ? { parameters: { binary_data_size: next() < 0.6 ? bytes.length : Math.floor(next() * 100) } }
      : { data: [1, 2, 3, 4] }),
  };
  const asked: Record<string, unknown> = {
    id: "1",
    inputs: [input],
    outputs:
      next() < 0.3
        ? [{ name: "x_out", parameters: { binary_data: next() < 0.5, classification: pick(values) } }]
        : undefined,
    parameters: next() < 0.3 ? { priority: pick(values), timeout: pick(values), sequence_id: pick(values) } : undefined,
  };
  for (let i = Math.floor(next() * 3); i > 0; i--) pick([input, asked])[pick(words)] = pick(values);
  let json = JSON.stringify(asked);
  if (next() < 0.3) {
    const at = Math.floor(next() * json.length);
    json =
      json.slice(0, at) +
      pick(["", "{", "]", '"', "\\", "\u0000", "NaN", "1e999", "[".repeat(1000), "9".repeat(30)]) +
      json.slice(at + Math.floor(next() * 3));
  }
  return { json, bytes };
}

export function hostileRequest(seed: number): Buffer {
  const next = random(seed ^ 0x5bd1e995);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T; // of a list that has some
  const { json, bytes } = hostileBody(seed);
  const body = Buffer.concat([Buffer.from(json), bytes]);
  const length = bytes.length > 0 || next() < 0.1 ? String(Buffer.byteLength(json)) : undefined;
  const headers = [
    next() < 0.95 ? "host: localhost" : pick(["host: evil", "", "host:", "host: a\r\nhost: b"]),
    length === undefined
      ? ""
      : `inference-header-content-length: ${next() < 0.9 ? length : pick(["-1", "0", "1e3", "999999", "a"])}`,
    next() < 0.9
      ? `content-length: ${body.length}`
      : pick([
          "content-length: -1",
          "transfer-encoding: chunked",
          "content-length: 7",
          "content-length: 1\r\ncontent-length: 2",
        ]),
    next() < 0.05
      ? pick([
          "content-encoding: gzip",
          "expect: 100-continue",
          "connection: upgrade",
          "transfer-encoding: gzip",
          "authorization: Bearer x",
        ])
      : "",
  ].filter(Boolean);
  const path =
    next() < 0.9
      ? "/v2/models/echo/infer"
      : pick(["/v2/models/%ff/infer", "//", "/v2/models/../infer", "*", "/v2/models/echo/versions/x/infer", "/v2?%"]);
  const text = `${pick(["POST", "POST", "POST", "POST", "POST", "PUT", "GET", "HEAD", "OPTIONS", "BREW"])} ${path} HTTP/1.1\r\n${headers.join("\r\n")}\r\n\r\n`;
  const whole = Buffer.concat([Buffer.from(text), body]);
  // Some bytes of any kind, anywhere.
  if (next() < 0.15) for (let i = 0; i < 3; i++) whole[Math.floor(next() * whole.length)] = Math.floor(next() * 256);
  return whole;
}
