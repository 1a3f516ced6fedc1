import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { toBfloat16, toFloat16 } from "../../src/base/float16.ts";
import type { ElementType } from "../../src/model/graph.ts";
import { Refusal } from "../../src/serve/engine.ts";
import { limitsWith } from "../../src/serve/http/limits.ts";
import { oipPart } from "../../src/serve/oip/rest.ts";
import { startServer, type Running } from "../../src/serve/server.ts";
import { smallEngine } from "../support/small-engine.ts";

const types: Record<string, ElementType> = {
  BOOL: "bool",
  UINT8: "uint8",
  UINT16: "uint16",
  UINT32: "uint32",
  UINT64: "uint64",
  INT8: "int8",
  INT16: "int16",
  INT32: "int32",
  INT64: "int64",
  FP16: "float16",
  BF16: "bfloat16",
  FP32: "float32",
  FP64: "float64",
  BYTES: "string",
};
const engine = smallEngine({
  ...Object.fromEntries(Object.entries(types).map(([name, type]) => [name, [{ name: "x", type, shape: ["n"] }]])),
  "a/b c": [{ name: "x", type: "float32", shape: [1] }],
});
const limits = limitsWith({ elements: 1000, tensors: 4 });
let server: Running;
beforeAll(async () => {
  server = await startServer([oipPart(engine, limits)]);
});
afterAll(() => server.close());
beforeEach(() => {
  engine.refuse = engine.wait = undefined;
  engine.isReady = true;
  engine.asked.length = engine.loaded.length = 0;
});

interface Output {
  name: string;
  datatype: string;
  shape: number[];
  data?: unknown[];
  parameters?: { binary_data_size: number };
}
interface Told {
  status: number;
  json: { error?: string; id?: string; model_name?: string; model_version?: string; outputs: Output[] };
  text: string;
  bytes: Buffer;
  headers: Headers;
}

async function ask(path: string, body: string | Buffer, headers: Record<string, string> = {}): Promise<Told> {
  const answer = await fetch(`${server.url}${path}`, { method: "POST", body, headers });
  const whole = Buffer.from(await answer.arrayBuffer());
  const length = Number(answer.headers.get("inference-header-content-length") ?? whole.length);
  const text = whole.subarray(0, length).toString();
  const json = (text === "" ? {} : JSON.parse(text)) as Told["json"];
  return { status: answer.status, json, text, bytes: whole.subarray(length), headers: answer.headers };
}
const infer = (model: string, request: unknown): Promise<Told> =>
  ask(`/v2/models/${model}/infer`, typeof request === "string" ? request : JSON.stringify(request));
const binary = (model: string, request: unknown, ...bytes: Uint8Array[]): Promise<Told> => {
  const head = Buffer.from(JSON.stringify(request));
  const headers = { "inference-header-content-length": String(head.length) };
  return ask(`/v2/models/${model}/infer`, Buffer.concat([head, ...bytes]), headers);
};
const get = async (path: string): Promise<[number, unknown]> => {
  const answer = await fetch(`${server.url}${path}`);
  return [answer.status, await answer.json()];
};
const one = (datatype: string, data: unknown, shape: unknown = [Array.isArray(data) ? data.length : 1]): unknown => ({
  inputs: [{ name: "x", datatype, shape, data }],
});

test("the server, its health and its models describe themselves", async () => {
  const [status, server] = await get("/v2");
  expect([status, server]).toMatchObject([
    200,
    { name: "accelctl", extensions: expect.arrayContaining(["binary_tensor_data"]) as unknown },
  ]);
  expect(await get("/v2/health/live")).toEqual([200, { live: true }]);
  expect(await get("/v2/health/ready")).toEqual([200, { live: true, ready: true }]);
  engine.isReady = false;
  expect(await get("/v2/health/ready")).toEqual([503, { live: true, ready: false }]);
  const echo = {
    name: "echo",
    versions: ["1"],
    platform: "onnxruntime_onnx",
    inputs: [{ name: "x", datatype: "FP32", shape: [-1, 4] }],
    outputs: [{ name: "x_out", datatype: "FP32", shape: [-1, 4] }],
  };
  expect(await get("/v2/models/echo")).toEqual([200, echo]);
  expect(await get("/v2/models/echo/versions/1")).toEqual([200, echo]);
  expect(await get("/v2/models/echo/ready")).toEqual([200, { name: "echo", ready: true }]);
  expect(await get("/v2/models/slow%20one/ready")).toEqual([503, { name: "slow one", ready: false }]);
  expect(await get("/v2/models/a%2Fb%20c/ready")).toEqual([200, { name: "a/b c", ready: true }]);
  expect(await get("/v2/models/slow%20one")).toEqual([503, { error: 'the model "slow one" is loading' }]);
  expect(await get("/v2/models/none")).toEqual([404, { error: 'there is no model "none"' }]);
  expect(await get("/v2/models/echo/versions/7/ready")).toEqual([
    404,
    { error: 'there is no model "echo" of version "7"' },
  ]);
  expect(await get("/v2/models/echo/config")).toMatchObject([
    200,
    { max_batch_size: 8, input: [{ data_type: "TYPE_FP32", dims: [4] }] },
  ]);
});

test("the specification's own example is answered once its data is as long as its shape", async () => {
  // The text of the specification gives one element for the shape [3].
  const request = {
    id: "42",
    inputs: [
      { name: "input0", shape: [2, 2], datatype: "UINT32", data: [1, 2, 3, 4] },
      { name: "input1", shape: [3], datatype: "BOOL", data: [true] },
    ],
    outputs: [{ name: "input0_out" }],
  };
  const short = await infer("pair", request);
  expect([short.status, short.json]).toEqual([400, { error: '"input1": BOOL [3] needs 3 elements, 1 are given' }]);
  request.inputs[1] = { name: "input1", shape: [3], datatype: "BOOL", data: [true, false, true] };
  const whole = await infer("pair", request);
  expect([whole.status, whole.json]).toEqual([
    200,
    {
      model_name: "pair",
      model_version: "1",
      id: "42",
      outputs: [{ name: "input0_out", datatype: "UINT32", shape: [2, 2], data: [1, 2, 3, 4] }],
    },
  ]);
});

test("Triton's example of the binary extension is answered as its text says", async () => {
  const told = await binary(
    "pair",
    {
      model_name: "mymodel",
      inputs: [
        { name: "input0", shape: [2, 2], datatype: "UINT32", parameters: { binary_data_size: 16 } },
        { name: "input1", shape: [3], datatype: "BOOL", parameters: { binary_data_size: 3 } },
      ],
      outputs: [{ name: "input0_out", parameters: { binary_data: true } }],
    },
    new Uint8Array(Uint32Array.from([1, 2, 3, 4_000_000_000]).buffer),
    Uint8Array.from([1, 0, 1]),
  );
  expect(told.status).toBe(200);
  expect(told.headers.get("content-type")).toBe("application/octet-stream");
  expect(told.json.outputs).toEqual([
    { name: "input0_out", datatype: "UINT32", shape: [2, 2], parameters: { binary_data_size: 16 } },
  ]);
  expect([...new Uint32Array(Uint8Array.from(told.bytes).buffer)]).toEqual([1, 2, 3, 4_000_000_000]);
});

test("data of every datatype comes back as it was sent, as JSON", async () => {
  const data: Record<string, unknown[]> = {
    BOOL: [true, false],
    UINT8: [0, 255],
    UINT16: [0, 65535],
    UINT32: [0, 4294967295],
    INT8: [-128, 127],
    INT16: [-32768, 32767],
    INT32: [-2147483648, 2147483647],
    INT64: [-1, 2 ** 52],
    UINT64: [0, 1],
    FP16: [0.5, -65504, "NaN", "-Infinity"],
    FP32: [0.5, -1e-40, 3.4e38, "Infinity", "NaN"],
    FP64: [0.1, -1e308, "NaN"],
    BYTES: ["", "a\u0000ü€😀", '"\\'],
  };
  for (const [datatype, sent] of Object.entries(data)) {
    const { status, json } = await infer(datatype, one(datatype, sent));
    expect([datatype, status]).toEqual([datatype, 200]);
    const back = json.outputs[0]?.data;
    const rounded = datatype === "FP32" ? sent.map((v) => (typeof v === "number" ? Math.fround(v) : v)) : sent;
    expect(back).toEqual(rounded);
  }
  expect((await infer("BF16", one("BF16", [1]))).json.error).toBe('"x": BF16 has no JSON; send it as binary data');
});

test("integers beyond 2^53 are neither read nor written with loss", async () => {
  const text = (datatype: string, data: string): string =>
    `{"id":"9007199254740993","inputs":[{"name":"x","datatype":"${datatype}","shape":[3],"data":${data}}]}`;
  const signed = await infer("INT64", text("INT64", "[9007199254740993, -9223372036854775808, 5]"));
  expect(signed.text).toContain('"data":[9007199254740993,-9223372036854775808,5]');
  expect(signed.json.id).toBe("9007199254740993");
  const unsigned = await infer("UINT64", text("UINT64", '[18446744073709551615,"18446744073709551614",0]'));
  expect(unsigned.text).toContain('"data":[18446744073709551615,18446744073709551614,0]');
  const over = await infer("UINT64", text("UINT64", "[18446744073709551616,0,0]"));
  expect([over.status, over.json.error]).toEqual([400, '"x": element 0 is no UINT64: "18446744073709551616"']);
  expect((await infer("INT64", text("INT64", "[9223372036854775808,0,0]"))).status).toBe(400);
  expect((await infer("INT64", text("INT64", "[1e300,0,0]"))).json.error).toBe('"x": element 0 is no INT64: 1e+300');
  expect((await infer("INT64", text("INT64", "[1.5,0,0]"))).json.error).toBe('"x": element 0 is no INT64: 1.5');
});

test("data of every datatype comes back as it was sent, as bytes, wherever it begins in the body", async () => {
  const arrays: Record<string, Uint8Array> = {
    BOOL: Uint8Array.from([1, 0]),
    UINT8: Uint8Array.from([1, 255]),
    UINT16: new Uint8Array(Uint16Array.from([1, 65535]).buffer),
    UINT32: new Uint8Array(Uint32Array.from([1, 2]).buffer),
    UINT64: new Uint8Array(BigUint64Array.from([1n, 2n ** 64n - 1n]).buffer),
    INT8: new Uint8Array(Int8Array.from([-1, 2]).buffer),
    INT16: new Uint8Array(Int16Array.from([-1, 2]).buffer),
    INT32: new Uint8Array(Int32Array.from([-1, 2]).buffer),
    INT64: new Uint8Array(BigInt64Array.from([-1n, 2n]).buffer),
    FP16: new Uint8Array(Uint16Array.from([toFloat16(1.5), 0x7e01]).buffer),
    BF16: new Uint8Array(Uint16Array.from([toBfloat16(1.5), 1]).buffer),
    FP32: new Uint8Array(Float32Array.from([1.5, NaN]).buffer),
    FP64: new Uint8Array(Float64Array.from([1.5, -0]).buffer),
    BYTES: Uint8Array.from([2, 0, 0, 0, 97, 98, 0, 0, 0, 0]),
  };
  for (const [datatype, bytes] of Object.entries(arrays)) {
    for (const id of ["", "1", "12", "123", "1234567"]) {
      const {
        status,
        json,
        bytes: back,
      } = await binary(
        datatype,
        {
          id,
          inputs: [{ name: "x", datatype, shape: [2], parameters: { binary_data_size: bytes.length } }],
          parameters: { binary_data_output: true },
        },
        bytes,
      );
      expect([datatype, id, status, json.id]).toEqual([datatype, id, 200, id]);
      expect([...back]).toEqual([...bytes]);
    }
  }
  const asJson = await binary(
    "BF16",
    { inputs: [{ name: "x", datatype: "BF16", shape: [1], parameters: { binary_data_size: 2 } }] },
    Uint8Array.from([0, 0]),
  );
  expect([asJson.status, asJson.json.error]).toEqual([400, '"x_out": BF16 has no JSON; ask for it as binary_data']);
});

test("JSON and bytes stand side by side, in and out", async () => {
  const told = await binary(
    "pair",
    {
      inputs: [
        {
          name: "input0",
          shape: [2, 2],
          datatype: "UINT32",
          data: [
            [1, 2],
            [3, 4],
          ],
        },
        { name: "input1", shape: [3], datatype: "BOOL", parameters: { binary_data_size: 3 } },
      ],
      outputs: [{ name: "input1_out", parameters: { binary_data: false } }, { name: "input0_out" }],
      parameters: { binary_data_output: true },
    },
    Uint8Array.from([1, 0, 1]),
  );
  expect(told.json.outputs).toEqual([
    { name: "input1_out", datatype: "BOOL", shape: [3], data: [true, false, true] },
    { name: "input0_out", datatype: "UINT32", shape: [2, 2], parameters: { binary_data_size: 16 } },
  ]);
  expect(told.bytes.length).toBe(16);
});

test("a body without a JSON header is the only input, in the shape that its bytes fill", async () => {
  const raw = (model: string, bytes: Uint8Array): Promise<Told> =>
    ask(`/v2/models/${model}/infer`, Buffer.from(bytes), { "inference-header-content-length": "0" });
  const told = await raw("echo", new Uint8Array(Float32Array.from([1, 2, 3, 4, 5, 6, 7, 8]).buffer));
  expect([told.status, told.json.outputs[0]?.shape, told.bytes.length]).toEqual([200, [2, 4], 32]);
  const misfit = await raw("echo", new Uint8Array(20));
  expect([misfit.status, misfit.json.error]).toEqual([
    400,
    '"x": 20 bytes do not tell a shape; send it with a JSON header',
  ]);
  expect((await raw("pair", new Uint8Array(16))).json.error).toContain("models of one input");
});

test("the highest classes come as texts, a row for each of the batch", async () => {
  const told = await infer("echo", {
    inputs: [{ name: "x", datatype: "FP32", shape: [2, 4], data: [1, 5, 10, 4, 0.5, 0, 0.25, 0.5] }],
    outputs: [{ name: "x_out", parameters: { classification: 2 } }],
  });
  expect(told.json.outputs).toEqual([
    { name: "x_out", datatype: "BYTES", shape: [2, 2], data: ["10:2", "5:1", "0.5:0", "0.5:3"] },
  ]);
});

test("priority, timeout and other parameters reach the engine as it counts them", async () => {
  const before = performance.now();
  const ask = (parameters: unknown): Promise<Told> =>
    infer("FP32", { inputs: [{ name: "x", datatype: "FP32", shape: [1], data: [1] }], parameters });
  await ask({ priority: 1, timeout: 2_000_000 });
  await ask({ priority: 0, timeout: 0 });
  await ask({ priority: 400 });
  const [first, second, third] = engine.asked;
  expect(first?.priority).toBe(0);
  expect((first?.deadline ?? 0) - before).toBeGreaterThan(1999);
  expect((first?.deadline ?? 0) - performance.now()).toBeLessThan(2000);
  expect([second?.priority, second?.deadline, third?.priority]).toEqual([undefined, undefined, 9]);
  expect((await ask({ sequence_id: 7 })).json.error).toBe("sequences are not served");
  expect((await ask({ timeout: -1 })).status).toBe(400);
  expect((await ask([])).json.error).toBe("the request: parameters is no JSON object");
});

test("what is wrong with a request is said in a sentence", async () => {
  const input = { name: "x", datatype: "FP32", shape: [2], data: [1, 2] };
  const wrong: [unknown, string][] = [
    ["", "the body is no JSON: Unexpected end of JSON input"],
    ['{"inputs":[NaN]}', "the body is no JSON: "],
    [[], "the request is no JSON object"],
    [{}, "no inputs are given"],
    [{ inputs: 1 }, "inputs is no list"],
    [{ inputs: [null] }, "an input has no name"],
    [{ inputs: [{ ...input, name: 1 }] }, "an input has no name"],
    [{ id: 1, inputs: [input] }, "id is no text"],
    [{ inputs: [input, input] }, 'the input "x" is given twice'],
    [{ inputs: [input, input, input, input, input] }, "more than 4 inputs"],
    [{ inputs: [{ ...input, datatype: "FP8" }] }, '"x": there is no datatype "FP8"; there are BOOL'],
    [{ inputs: [{ ...input, datatype: undefined }] }, '"x": no datatype is given'],
    [{ inputs: [{ ...input, shape: "2" }] }, '"x": shape is no list of sizes'],
    [{ inputs: [{ ...input, shape: [1.5] }] }, '"x": shape is no list of sizes'],
    [{ inputs: [{ ...input, shape: [-1] }] }, '"x": its shape has the size -1'],
    [{ inputs: [{ ...input, shape: [1001] }] }, '"x": 1001 elements, over 1000'],
    [{ inputs: [{ ...input, shape: [3] }] }, '"x": FP32 [3] needs 3 elements, 2 are given'],
    [{ inputs: [{ ...input, data: undefined }] }, '"x": no data is given'],
    [{ inputs: [{ ...input, data: "ab" }] }, '"x": data is no list'],
    [{ inputs: [{ ...input, data: [1, null] }] }, '"x": element 1 is no FP32: null'],
    [{ inputs: [{ ...input, data: [1, "2"] }] }, '"x": element 1 is no FP32: "2"'],
    [
      { inputs: [{ ...input, shape: [2, 1], data: [[1], [2, 3]] }] },
      '"x": a list of 2 stands in data where the shape [2, 1] has 1',
    ],
    [{ inputs: [{ ...input, shape: [2], data: [[1], [2]] }] }, '"x": data is nested deeper than the shape [2]'],
    [{ inputs: [{ ...input, shape: [2, 1], data: [[1], 2] }] }, '"x": data is not nested as the shape [2, 1] says'],
    [{ inputs: [{ ...input, datatype: "INT8", data: [1, 128] }] }, '"x": element 1 is no INT8: 128'],
    [{ inputs: [{ ...input, datatype: "UINT8", data: [1, -1] }] }, '"x": element 1 is no UINT8: -1'],
    [{ inputs: [{ ...input, datatype: "INT32", data: [1, true] }] }, '"x": element 1 is no INT32: true'],
    [{ inputs: [{ ...input, datatype: "BOOL", data: [1, 2] }] }, '"x": element 1 of BOOL is neither true nor false'],
    [{ inputs: [{ ...input, datatype: "BYTES", data: ["1", 2] }] }, '"x": element 1 of BYTES is no text'],
    [{ inputs: [{ ...input, parameters: { binary_data_size: 8 } }] }, '"x": data and binary_data_size are both given'],
    [
      { inputs: [{ ...input, data: undefined, parameters: { binary_data_size: 8 } }] },
      '"x": binary_data_size is 8, and 0 bytes are left',
    ],
    [{ inputs: [{ ...input, parameters: { shared_memory_region: "a" } }] }, "shared memory is not served"],
    [{ inputs: [input], outputs: {} }, "outputs is no list"],
    [{ inputs: [input], outputs: [{}] }, "an output has no name"],
    [{ inputs: [input], outputs: [{ name: "y" }] }, 'the model has no output "y"'],
  ];
  for (const [request, says] of wrong) {
    const { status, json } = await infer("FP32", request);
    expect([status, json.error]).toEqual([400, expect.stringContaining(says)]);
  }
  const past = await ask("/v2/models/FP32/infer", "{}", { "inference-header-content-length": "3" });
  expect([past.status, past.json.error]).toEqual([
    400,
    'inference-header-content-length "3" is not within the body of 2 bytes',
  ]);
  const rest = await binary("FP32", one("FP32", [1]), Uint8Array.from([1]));
  expect([rest.status, rest.json.error]).toEqual([400, "1 bytes of the body belong to no input"]);
  expect((await infer("none", one("FP32", [1]))).status).toBe(404);
});

test("the engine's refusals reach the caller, its bugs do not", async () => {
  engine.refuse = new Refusal("busy", "the queue of echo is full", { retry_after_s: 0.2 });
  const busy = await infer("FP32", one("FP32", [1]));
  expect([busy.status, busy.headers.get("retry-after"), busy.json]).toEqual([
    429,
    "1",
    { error: "the queue of echo is full" },
  ]);
  engine.refuse = new Error("/root/secret");
  const bug = await infer("FP32", one("FP32", [1]));
  expect([bug.status, bug.text.includes("secret")]).toEqual([500, false]);
});

test("a caller that leaves before it is answered cancels its inference", async () => {
  engine.wait = new Promise(() => undefined);
  const leaving = new AbortController();
  const asked = fetch(`${server.url}/v2/models/FP32/infer`, {
    method: "POST",
    body: JSON.stringify(one("FP32", [1])),
    signal: leaving.signal,
  }).catch(() => "left");
  await expect.poll(() => engine.asked.length).toBe(1);
  leaving.abort();
  expect(await asked).toBe("left");
  await expect.poll(() => engine.asked[0]?.signal?.aborted).toBe(true);
});

test("models are listed, loaded and unloaded over the repository extension", async () => {
  const index = await ask("/v2/repository/index", "");
  expect(index.json).toContainEqual({ name: "slow one", version: "1", state: "LOADING", reason: "" });
  const ready = await ask("/v2/repository/index", '{"ready":true}');
  expect(ready.json).not.toContainEqual(expect.objectContaining({ name: "slow one" }));
  expect((await ask("/v2/repository/models/echo/load", "")).status).toBe(200);
  expect((await ask("/v2/repository/models/echo/unload", '{"parameters":{"unload_dependents":false}}')).status).toBe(
    200,
  );
  expect(engine.loaded).toEqual(["echo", "-echo"]);
  expect((await ask("/v2/repository/models/none/load", "")).status).toBe(404);
  const config = await ask("/v2/repository/models/echo/load", '{"parameters":{"config":"{}"}}');
  expect([config.status, config.json.error]).toEqual([
    400,
    expect.stringContaining('the parameter "config" is not taken'),
  ]);
});

test("statistics are told of one model or of all", async () => {
  const row = {
    name: "echo",
    version: "1",
    inference_count: 3,
    execution_count: 2,
    inference_stats: {
      success: { count: 3, ns: 750_000_000 },
      fail: { count: 1, ns: 0 },
      queue: { count: 3, ns: 500_000_000 },
      compute_infer: { count: 2, ns: 250_000_000 },
    },
    batch_stats: [],
  };
  expect(await get("/v2/models/echo/stats")).toEqual([200, { model_stats: [row] }]);
  expect(await get("/v2/models/stats")).toEqual([200, { model_stats: [row] }]);
  expect(await get("/v2/models/pair/stats")).toEqual([200, { model_stats: [] }]);
  expect((await get("/v2/models/none/stats"))[0]).toBe(404);
});
