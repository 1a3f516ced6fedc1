/** The Open Inference Protocol over gRPC as clients meet it: the library's generic client, grpcurl, NVIDIA's Python client. */

import * as grpc from "@grpc/grpc-js";
import * as loader from "@grpc/proto-loader";
import { execFile, execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { connect as connectTls } from "node:tls";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import type { Value } from "../../src/delegates/value.ts";
import { Refusal, type InferRequest } from "../../src/serve/engine.ts";
import { startGrpc, type GrpcOptions, type GrpcRunning } from "../../src/serve/grpc/server.ts";
import { openLog } from "../../src/serve/http/log.ts";
import { fakeEngine, identity, port, type FakeEngine, type FakeModel } from "../support/engine.ts";
import { runtime, unlessRuntime } from "../support/runtimes.ts";
import { top } from "../support/shared.ts";

const protos = loader.loadSync(
  ["inference.proto", "health.proto"].map((name) => join(top, "src/serve/grpc", name)),
  { keepCase: true, longs: Number, enums: String, defaults: true, oneofs: true },
);
const Inference = grpc.makeGenericClientConstructor(
  protos["inference.GRPCInferenceService"] as grpc.ServiceDefinition,
  "GRPCInferenceService",
);
const HealthClient = grpc.makeGenericClientConstructor(
  protos["grpc.health.v1.Health"] as grpc.ServiceDefinition,
  "Health",
);

const wait = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((done, gone) => {
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      gone(new Refusal("cancelled", "the caller is gone"));
    });
  });
const refuse = (refusal: Refusal): FakeModel => ({ infer: () => Promise.reject(refusal) });
const text: FakeModel = {
  inputs: [port("prompt", "string", [1])],
  outputs: [port("text", "string", [1]), port("finish_reason", "string", [1])],
  write: async function* ({ signal, options = {} }: InferRequest) {
    for (const piece of ["Hel", "lo, ", "Grüße ", options["max_tokens"] ?? "∞"]) {
      await wait(5, signal);
      yield piece;
    }
    return {
      outputs: new Map<string, Value>([
        ["text", { type: "string", shape: [1], data: ["Hello"] }],
        ["finish_reason", { type: "string", shape: [1], data: ["stop"] }],
      ]),
    };
  },
};
const models: Record<string, FakeModel> = {
  identity,
  text,
  slow: { infer: async ({ inputs, signal }) => (await wait(3000, signal), inputs) },
  half: {
    outputs: [port("y", "float16", [2])],
    infer: () => new Map([["y", { type: "float16", shape: [2], data: Uint16Array.of(0x3c00, 0x4000) }]]),
  },
  odd: { infer: () => new Map([["y", { type: "uint4", shape: [2], data: Uint8Array.of(0x21) }]]) },
  full: refuse(new Refusal("busy", "the queue is full", { retry_after_s: 2.5 })),
  broken: refuse(new Refusal("failed", "the delegate failed", { cause: new Error("/home/me/secret.so: no") })),
  bug: { infer: () => Promise.reject(new Error("/home/me/bug")) },
  absent: { status: "failed", inputs: [], outputs: [] },
};

const running: { close: () => unknown }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.close();
});

interface Served {
  readonly engine: FakeEngine;
  readonly server: GrpcRunning;
  readonly address: string;
  readonly client: grpc.Client;
  readonly call: (
    method: string,
    request: object,
    options?: { metadata?: Record<string, string>; deadline?: number },
  ) => Promise<Record<string, unknown>>;
}

async function serve(
  options: Partial<GrpcOptions> = {},
  credentials = grpc.credentials.createInsecure(),
): Promise<Served> {
  const engine = fakeEngine(models);
  const server = await startGrpc(engine, { port: 0, ...options });
  const address = `localhost:${server.port}`;
  const client = new Inference(address, credentials);
  running.push({ close: () => server.close(0) }, client);
  return { engine, server, address, client, call: caller(client) };
}

const caller =
  (client: grpc.Client): Served["call"] =>
  (method, request, { metadata = {}, deadline } = {}) =>
    new Promise((done, failed) => {
      const headers = new grpc.Metadata();
      for (const [name, value] of Object.entries(metadata)) headers.set(name, value);
      const act = (client as unknown as Record<string, (...parameters: unknown[]) => void>)[method];
      act?.call(
        client,
        request,
        headers,
        deadline === undefined ? {} : { deadline: Date.now() + deadline },
        (error: Error | null, answer: unknown) =>
          error === null ? done(answer as Record<string, unknown>) : failed(error),
      );
    });

const refused = async (call: Promise<unknown>): Promise<grpc.ServiceError> => {
  const error: unknown = await call.then(
    () => expect.unreachable("it was answered"),
    (caught: unknown) => caught,
  );
  return error as grpc.ServiceError;
};
const fp32 = (values: number[], shape = [values.length]): object => ({
  name: "x",
  datatype: "FP32",
  shape,
  contents: { fp32_contents: values },
});

describe("the Open Inference Protocol over gRPC", () => {
  it("says what server and models are", async () => {
    const { call, engine } = await serve();
    expect(await call("ServerLive", {})).toEqual({ live: true });
    expect(await call("ServerReady", {})).toEqual({ ready: true });
    expect(await call("ModelReady", { name: "identity" })).toEqual({ ready: true });
    expect(await call("ModelReady", { name: "identity", version: "7" })).toEqual({ ready: false });
    expect(await call("ModelReady", { name: "absent" })).toEqual({ ready: false });
    expect(await call("ServerMetadata", {})).toMatchObject({ name: "accelctl" });
    expect(await call("ModelMetadata", { name: "text" })).toEqual({
      name: "text",
      versions: ["1"],
      platform: "ggml_gguf",
      inputs: [{ name: "prompt", datatype: "BYTES", shape: [1] }],
      outputs: [
        { name: "text", datatype: "BYTES", shape: [1] },
        { name: "finish_reason", datatype: "BYTES", shape: [1] },
      ],
      properties: { device: "cpu" },
    });
    expect(await call("ModelMetadata", { name: "identity" })).toMatchObject({
      platform: "onnxruntime_onnx",
      inputs: [{ name: "x", datatype: "FP32", shape: [-1] }],
    });
    expect(await call("ModelConfig", { name: "text" })).toMatchObject({
      config: { backend: "ggml", input: [{ data_type: "TYPE_STRING" }], model_transaction_policy: { decoupled: true } },
    });
    expect(await refused(call("ModelMetadata", { name: "nobody" }))).toMatchObject({ code: grpc.status.NOT_FOUND });
    expect(await refused(call("ModelMetadata", { name: "absent" }))).toMatchObject({ code: grpc.status.UNAVAILABLE });
    engine.isReady = false;
    expect(await call("ServerReady", {})).toEqual({ ready: false });
  });

  it("lists the repository, loads and unloads", async () => {
    const { call } = await serve();
    const index = async (ready: boolean): Promise<string[]> => {
      const { models } = (await call("RepositoryIndex", { ready })) as {
        models: { name: string; state: string; reason: string }[];
      };
      return models.map(({ name, state, reason }) => [name, state, reason].join(" "));
    };
    expect(await index(false)).toContain("absent UNAVAILABLE it does not open");
    expect(await index(true)).not.toContain("absent UNAVAILABLE it does not open");
    expect(await call("RepositoryModelUnload", { model_name: "identity" })).toEqual({});
    expect(await index(false)).toContain("identity UNAVAILABLE ");
    const error = await refused(call("ModelInfer", { model_name: "identity", inputs: [fp32([1])] }));
    expect(error.code).toBe(grpc.status.UNAVAILABLE);
    expect(await call("RepositoryModelLoad", { model_name: "identity" })).toEqual({});
    expect(await index(true)).toContain("identity READY ");
    const configured = { model_name: "identity", parameters: { config: { string_param: "{}" } } };
    expect(await refused(call("RepositoryModelLoad", configured))).toMatchObject({
      code: grpc.status.INVALID_ARGUMENT,
    });
  });

  it("tells what it counted, of all models or one", async () => {
    const { call } = await serve();
    await call("ModelInfer", { model_name: "identity", inputs: [fp32([1])] });
    const { model_stats } = (await call("ModelStatistics", { name: "identity" })) as { model_stats: object[] };
    expect(model_stats).toEqual([
      expect.objectContaining({
        name: "identity",
        inference_count: 1,
        execution_count: 1,
        inference_stats: {
          success: { count: 1, ns: 2e9 },
          fail: { count: 3, ns: 0 },
          queue: { count: 1, ns: 5e8 },
          compute_infer: { count: 1, ns: 1.5e9 },
        },
      }),
    ]);
    expect((await call("ModelStatistics", {}))["model_stats"]).toHaveLength(Object.keys(models).length);
    expect(await refused(call("ModelStatistics", { name: "nobody" }))).toMatchObject({ code: grpc.status.NOT_FOUND });
  });

  it("takes and gives every datatype as contents", async () => {
    const { call } = await serve();
    const rows: [datatype: string, field: string, values: unknown[]][] = [
      ["BOOL", "bool_contents", [true, false]],
      ["INT8", "int_contents", [-128, 127]],
      ["INT16", "int_contents", [-32768, 32767]],
      ["INT32", "int_contents", [-2147483648, 2147483647]],
      ["INT64", "int64_contents", [-9007199254740991, 9007199254740991]],
      ["UINT8", "uint_contents", [0, 255]],
      ["UINT16", "uint_contents", [0, 65535]],
      ["UINT32", "uint_contents", [0, 4294967295]],
      ["UINT64", "uint64_contents", [0, 9007199254740991]],
      ["FP32", "fp32_contents", [0.5, -1e30]],
      ["FP64", "fp64_contents", [0.1, -1e300]],
      ["BYTES", "bytes_contents", [Buffer.from("Grüße"), Buffer.alloc(0)]],
    ];
    for (const [datatype, field, values] of rows) {
      const answer = await call("ModelInfer", {
        model_name: "identity",
        id: "7",
        inputs: [{ name: "x", datatype, shape: [values.length], contents: { [field]: values } }],
      });
      const given = field.startsWith("fp32") ? values.map((value) => Math.fround(value as number)) : values;
      expect(answer, datatype).toMatchObject({
        model_name: "identity",
        model_version: "1",
        id: "7",
        outputs: [{ name: "x", datatype, shape: [values.length], contents: { [field]: given } }],
        raw_output_contents: [],
      });
    }
  });

  it("takes and gives every datatype as bytes, and what has no other form as bytes in any case", async () => {
    const { call, engine } = await serve();
    const sizes = {
      BOOL: 1,
      INT8: 1,
      INT16: 2,
      INT32: 4,
      INT64: 8,
      UINT8: 1,
      UINT16: 2,
      UINT32: 4,
      UINT64: 8,
      FP16: 2,
      BF16: 2,
      FP32: 4,
      FP64: 8,
    };
    for (const [datatype, size] of Object.entries(sizes)) {
      const raw = Buffer.from(Array.from({ length: 3 * size }, (_, at) => (datatype === "BOOL" ? at % 2 : at + 1)));
      const answer = await call("ModelInfer", {
        model_name: "identity",
        inputs: [{ name: "x", datatype, shape: [3, 1] }],
        raw_input_contents: [raw],
      });
      expect(answer, datatype).toMatchObject({
        outputs: [{ datatype, shape: [3, 1], contents: null }],
        raw_output_contents: [raw],
      });
      expect(engine.seen.at(-1)?.inputs.get("x")?.data).toHaveLength(3);
    }
    const texts = Buffer.concat(
      ["Grüße", ""].flatMap((one) => [Buffer.from(Uint32Array.of(Buffer.byteLength(one)).buffer), Buffer.from(one)]),
    );
    const bytes = {
      model_name: "identity",
      inputs: [{ name: "x", datatype: "BYTES", shape: [2] }],
      raw_input_contents: [texts],
    };
    expect(await call("ModelInfer", bytes)).toMatchObject({ raw_output_contents: [texts] });
    expect(engine.seen.at(-1)?.inputs.get("x")?.data).toEqual(["Grüße", ""]);
    expect(await call("ModelInfer", { model_name: "half", inputs: [fp32([1])] })).toMatchObject({
      outputs: [{ name: "y", datatype: "FP16" }],
      raw_output_contents: [Buffer.from([0, 0x3c, 0, 0x40])],
    });
    const odd = await refused(call("ModelInfer", { model_name: "odd", inputs: [fp32([1])] }));
    expect(odd.details).toMatch(/"y" is of uint4, which the protocol has no datatype for/);
  });

  it("tells the classes with the highest values where they are asked for", async () => {
    const { call } = await serve();
    const outputs = [{ name: "x", parameters: { classification: { int64_param: 2 } } }];
    expect(await call("ModelInfer", { model_name: "identity", inputs: [fp32([0.5, 4, 2])], outputs })).toMatchObject({
      outputs: [
        {
          name: "x",
          datatype: "BYTES",
          shape: [2],
          contents: { bytes_contents: [Buffer.from("4:1"), Buffer.from("2:2")] },
        },
      ],
    });
  });

  it("says of a wrong request what is wrong", async () => {
    const { call } = await serve();
    const x = fp32([1, 2]);
    const rows: [object, string | RegExp][] = [
      [{ inputs: [fp32([1, 2], [3])] }, '"x": FP32 [3] needs 3 elements, 2 are given'],
      [{ inputs: [fp32([1, 2, 3], [2])] }, '"x": fp32_contents holds more than the shape\'s 2 elements'],
      [{ inputs: [fp32([1], [-1])] }, '"x": its shape has the size -1'],
      [{ inputs: [fp32([], [1e9, 1e9])] }, /elements, over/],
      [{ inputs: [fp32([1], Array<number>(65).fill(1))] }, /more than 64 numbers/],
      [{ inputs: [x, x] }, 'the input "x" is given twice'],
      [{ inputs: [{ ...x, datatype: "FP8" }] }, /there is no datatype "FP8"; there are BOOL, UINT8/],
      [{ inputs: [{ ...x, datatype: "INT32" }] }, '"x": INT32 belongs into int_contents, field 2; field 6 is given'],
      [{ inputs: [{ ...x, datatype: "FP16" }] }, '"x": FP16 is taken as raw_input_contents only'],
      [
        { inputs: [{ ...x, datatype: "INT8", contents: { int_contents: [1, 300] } }] },
        /element 1 is out of the datatype's range/,
      ],
      [
        { inputs: [{ ...x, datatype: "UINT8", contents: { uint_contents: [1, 256] } }] },
        /element 1 is out of the datatype's range/,
      ],
      [{ inputs: [x], raw_input_contents: [Buffer.alloc(8)] }, '"x": raw_input_contents and contents are both given'],
      [{ inputs: [], raw_input_contents: [Buffer.alloc(8)] }, "raw_input_contents has 1 entries for 0 inputs"],
      [
        { inputs: [{ ...x, contents: null }], raw_input_contents: [Buffer.alloc(9)] },
        '"x": FP32 [2] needs 8 bytes, 9 are given',
      ],
      [
        { inputs: [{ ...x, datatype: "BYTES", contents: null }], raw_input_contents: [Buffer.from([9, 0, 0, 0, 1])] },
        /goes past the end/,
      ],
      [
        { inputs: [{ ...x, datatype: "BYTES", contents: { bytes_contents: [Buffer.from([0xff])] }, shape: [1] }] },
        /is no UTF-8/,
      ],
      [
        { inputs: [{ ...x, datatype: "BOOL", contents: null }], raw_input_contents: [Buffer.from([1, 2])] },
        /neither 0 nor 1/,
      ],
      [{ inputs: [x], outputs: [{ name: "z" }] }, 'there is no output "z"'],
      [
        { inputs: [{ ...x, parameters: { shared_memory_region: { string_param: "r" } } }] },
        /shared memory is not served/,
      ],
      [{ inputs: [x], parameters: { sequence_id: { int64_param: 4 } } }, "sequences are not served"],
      [
        { inputs: [x], parameters: { priority: { int64_param: -1 } } },
        "the parameter priority is a whole number from 0",
      ],
    ];
    for (const [request, says] of rows) {
      const error = await refused(call("ModelInfer", { model_name: "identity", ...request }));
      expect(error.code, JSON.stringify(request)).toBe(grpc.status.INVALID_ARGUMENT);
      if (typeof says === "string") expect(error.details).toBe(says);
      else expect(error.details).toMatch(says);
    }
    expect(await refused(call("ModelInfer", { model_name: "nobody" }))).toMatchObject({ code: grpc.status.NOT_FOUND });
  });

  it("hands on priority, timeout, wanted outputs and, to a model that writes, its options", async () => {
    const { call, engine } = await serve();
    const parameters = {
      priority: { uint64_param: 3 },
      timeout: { int64_param: 60_000_000 },
      max_tokens: { int64_param: 5 },
      note: { bool_param: true },
    };
    const before = performance.now();
    await call(
      "ModelInfer",
      { model_name: "identity", inputs: [fp32([1])], outputs: [{ name: "x" }], parameters },
      { metadata: { "x-request-id": "mine-1" } },
    );
    const seen = engine.seen.at(-1);
    expect(seen).toMatchObject({ priority: 2, outputs: ["x"], id: "mine-1" });
    expect(seen).not.toHaveProperty("options");
    expect((seen?.deadline ?? 0) - before).toBeGreaterThan(59_900);
    expect((seen?.deadline ?? 0) - performance.now()).toBeLessThan(60_100);
    await call("ModelInfer", { model_name: "text", parameters }, { deadline: 30_000 });
    expect(engine.seen.at(-1)?.options).toEqual({ max_tokens: "5", note: "yes" });
    expect((engine.seen.at(-1)?.deadline ?? 0) - performance.now()).toBeLessThan(30_100);
  });

  it("says when to come again where the queue is full", async () => {
    const { call } = await serve();
    const error = await refused(call("ModelInfer", { model_name: "full" }));
    expect(error).toMatchObject({ code: grpc.status.RESOURCE_EXHAUSTED, details: "the queue is full" });
    expect(error.metadata.get("grpc-retry-pushback-ms")).toEqual(["2500"]);
    expect(error.metadata.get("retry-after")).toEqual(["3"]);
    const [info] = error.metadata.get("grpc-status-details-bin");
    const retry = "type.googleapis.com/google.rpc.RetryInfo";
    // Status { code: 8, message, details { type_url, value { retry_delay { seconds: 2, nanos: 500000000 } } } }
    expect((info as Buffer).toString("latin1")).toContain(retry);
    expect((info as Buffer).toString("hex")).toMatch(/120a0a0808021080cab5ee01$/);
  });

  it("tells nothing of the host when something fails, and the log all of it", async () => {
    const lines: string[] = [];
    const { call } = await serve({ log: openLog({ format: "json", write: (text) => lines.push(text) }) });
    const broken = await refused(
      call(
        "ModelInfer",
        { model_name: "broken" },
        { metadata: { traceparent: `00-${"ab".repeat(16)}-${"cd".repeat(8)}-01` } },
      ),
    );
    expect(broken).toMatchObject({ code: grpc.status.INTERNAL, details: "the delegate failed" });
    const bug = await refused(call("ModelInfer", { model_name: "bug" }));
    expect(bug).toMatchObject({ code: grpc.status.INTERNAL, details: "the server failed on this request" });
    await wait(20);
    const log = lines.join("");
    expect(log).toContain("secret.so");
    expect(log).toContain("/home/me/bug");
    const line = log
      .split("\n")
      .map((one) => (one === "" ? {} : (JSON.parse(one) as Record<string, unknown>)))
      .find(({ message }) => message === "gRPC ModelInfer 13");
    expect(line).toMatchObject({ trace_id: "ab".repeat(16), model: "broken", error: "the delegate failed" });
    expect(bug.metadata.get("x-request-id")).toHaveLength(1);
  });

  it("ends what runs when the client's time is over or it goes", async () => {
    const { call, engine, client } = await serve();
    const late = await refused(
      call(
        "ModelInfer",
        { model_name: "slow", inputs: [fp32([1])] },
        { deadline: 100, metadata: { "x-request-id": "late" } },
      ),
    );
    expect(late.code).toBe(grpc.status.DEADLINE_EXCEEDED);
    const headers = new grpc.Metadata();
    headers.set("x-request-id", "left");
    const act = (client as unknown as Record<string, (...parameters: unknown[]) => grpc.ClientUnaryCall>)["ModelInfer"];
    const gone = refused(
      new Promise((done, failed) => {
        const one = act?.call(client, { model_name: "slow", inputs: [fp32([1])] }, headers, (error: Error) =>
          failed(error),
        );
        setTimeout(() => one?.cancel(), 100);
        setTimeout(done, 30_000).unref();
      }),
    );
    expect((await gone).code).toBe(grpc.status.CANCELLED);
    await wait(100);
    expect(engine.gone).toEqual(["late", "left"]);
  });
});

describe("streams of inferences", () => {
  interface Piece {
    error_message: string;
    infer_response: {
      id: string;
      outputs: { name: string; contents: { bytes_contents: Buffer[] } }[];
      parameters: Record<string, unknown>;
    };
  }
  const open = (client: grpc.Client): grpc.ClientDuplexStream<object, Piece> =>
    (client as unknown as Record<string, () => grpc.ClientDuplexStream<object, Piece>>)["ModelStreamInfer"]?.call(
      client,
    ) as grpc.ClientDuplexStream<object, Piece>;
  const all = async (stream: grpc.ClientDuplexStream<object, Piece>): Promise<Piece[]> => {
    const pieces: Piece[] = [];
    for await (const piece of stream as AsyncIterable<Piece>) pieces.push(piece);
    return pieces;
  };
  const final = { parameter_choice: "bool_param", bool_param: true };

  it("give a text piece by piece, and then what belongs to its end", async () => {
    const { client } = await serve();
    const stream = open(client);
    stream.write({ model_name: "text", id: "a", parameters: { max_tokens: { int64_param: 9 } } });
    stream.end();
    const pieces = await all(stream);
    expect(
      pieces.map(({ infer_response }) =>
        infer_response.outputs.map(({ name, contents }) => `${name}=${String(contents.bytes_contents[0])}`),
      ),
    ).toEqual([["text=Hel"], ["text=lo, "], ["text=Grüße "], ["text=9"], ["finish_reason=stop"]]);
    expect(pieces.map(({ infer_response }) => infer_response.parameters["triton_final_response"])).toEqual([
      ...Array.from({ length: 4 }, () => ({ ...final, bool_param: false })),
      final,
    ]);
    expect(pieces.every(({ infer_response }) => infer_response.id === "a")).toBe(true);
  });

  it("answer in order, and go on after a request that is refused", async () => {
    const { client } = await serve();
    const stream = open(client);
    stream.write({ model_name: "identity", id: "1", inputs: [fp32([1])] });
    stream.write({ model_name: "nobody", id: "2" });
    stream.write({ model_name: "identity", id: "3", inputs: [fp32([1], [4])] });
    stream.write({ model_name: "identity", id: "4", inputs: [fp32([4])] });
    stream.end();
    const pieces = await all(stream);
    expect(pieces.map(({ error_message, infer_response }) => [infer_response.id, error_message])).toEqual([
      ["1", ""],
      ["2", 'there is no model "nobody"'],
      ["", '"x": FP32 [4] needs 4 elements, 1 are given'],
      ["4", ""],
    ]);
  });

  it("end the writing when the client goes", async () => {
    const { client, engine } = await serve();
    const stream = open(client);
    stream.write({ model_name: "text" });
    await new Promise((done) => stream.once("data", done));
    stream.on("error", () => undefined);
    stream.cancel();
    await wait(100);
    expect(engine.gone).toHaveLength(1);
  });

  it("do not keep a server from closing", async () => {
    const { client, server } = await serve();
    const stream = open(client);
    stream.write({ model_name: "identity", inputs: [fp32([1])] });
    await new Promise((done) => stream.once("data", done));
    const ended = new Promise<grpc.ServiceError>((done) => stream.once("error", done));
    const begun = performance.now();
    await server.close(60_000);
    expect(performance.now() - begun).toBeLessThan(30_000);
    expect((await ended).code).toBe(grpc.status.UNAVAILABLE);
  });
});

describe("health", () => {
  const check = (address: string, service: string): Promise<Record<string, unknown>> => {
    const client = new HealthClient(address, grpc.credentials.createInsecure());
    running.push(client);
    return caller(client)("Check", { service });
  };

  it("is the server's, the service's and each model's", async () => {
    const { address, engine } = await serve();
    for (const service of ["", "inference.GRPCInferenceService", "identity"])
      expect(await check(address, service)).toEqual({ status: "SERVING" });
    expect(await check(address, "absent")).toEqual({ status: "NOT_SERVING" });
    expect(await refused(check(address, "nobody"))).toMatchObject({ code: grpc.status.NOT_FOUND });
    engine.isReady = false;
    expect(await check(address, "")).toEqual({ status: "NOT_SERVING" });
  });

  it("is told to who watches at once, at each change, and when the server closes", async () => {
    const { address, engine, server } = await serve();
    const client = new HealthClient(address, grpc.credentials.createInsecure());
    running.push(client);
    const seen: string[] = [];
    const watch = (
      client as unknown as Record<string, (request: object) => grpc.ClientReadableStream<{ status: string }>>
    )["Watch"]?.call(client, { service: "" });
    watch?.on("data", ({ status }: { status: string }) => seen.push(status));
    watch?.on("error", () => undefined);
    await expect.poll(() => seen).toEqual(["SERVING"]);
    engine.isReady = false;
    await expect.poll(() => seen).toEqual(["SERVING", "NOT_SERVING"]);
    engine.isReady = true;
    await expect.poll(() => seen).toEqual(["SERVING", "NOT_SERVING", "SERVING"]);
    await server.close(1000);
    expect(seen.at(-1)).toBe("NOT_SERVING");
  });
});

describe("the door", () => {
  it("wants the token, but for liveness and health, and listens nowhere else without one", async () => {
    await expect(startGrpc(fakeEngine({}), { port: 0, host: "0.0.0.0" })).rejects.toThrow(/a token is needed/);
    const { call, address } = await serve({ token: "secret" });
    expect(await refused(call("ServerReady", {}))).toMatchObject({
      code: grpc.status.UNAUTHENTICATED,
      details: "a bearer token is needed",
    });
    const wrong = { metadata: { authorization: "Bearer secrex" } };
    expect(await refused(call("ModelInfer", { model_name: "identity" }, wrong))).toMatchObject({
      code: grpc.status.UNAUTHENTICATED,
      details: "the token is not right",
    });
    expect(await call("ServerReady", {}, { metadata: { authorization: "Bearer secret" } })).toEqual({ ready: true });
    expect(await call("ServerLive", {})).toEqual({ live: true });
    const health = new HealthClient(address, grpc.credentials.createInsecure());
    running.push(health);
    expect(await caller(health)("Check", {})).toEqual({ status: "SERVING" });
  });

  it("speaks TLS by files", async () => {
    const folder = mkdtempSync(join(tmpdir(), "accelctl-grpc-"));
    running.push({ close: () => rmSync(folder, { recursive: true }) });
    const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
    const words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    const make = (subject: string): void => {
      const names = ["-subj", subject, "-addext", "subjectAltName=DNS:localhost"];
      execFileSync("openssl", [...words, ...names, "-keyout", key, "-out", cert], { stdio: "ignore" });
    };
    make("/CN=localhost");
    const { readFileSync } = await import("node:fs");
    const { call, server } = await serve({ tls: { cert, key } }, grpc.credentials.createSsl(readFileSync(cert)));
    expect(await call("ServerLive", {})).toEqual({ live: true });
    await expect(startGrpc(fakeEngine({}), { port: 0, tls: { cert: join(folder, "none"), key } })).rejects.toThrow(
      /none cannot be read/,
    );
    const subjectNow = (): Promise<string> =>
      new Promise((done, failed) => {
        const socket = connectTls({ port: server.port, rejectUnauthorized: false, ALPNProtocols: ["h2"] }, () => {
          done(String(socket.getPeerCertificate().subject.CN));
          socket.destroy();
        });
        socket.on("error", failed);
      });
    expect(await subjectNow()).toBe("localhost");
    make("/CN=renewed");
    server.reload();
    expect(await subjectNow()).toBe("renewed");
    writeFileSync(key, "no key");
    expect(() => server.reload()).toThrow();
    expect(await subjectNow()).toBe("renewed");
    await expect(startGrpc(fakeEngine({}), { port: 0, tls: { cert, key } })).rejects.toThrow(
      /are no certificate and its key/,
    );
  });

  it("keeps to its limits: size of a message, calls at once, connections, silence", async () => {
    const { call, server, client, engine } = await serve({
      limits: {
        body_bytes: 1000,
        requests: 4,
        connections_per_address: 2,
        header_seconds: 0.2,
        body_seconds: 0.2,
        tensors: 2,
      },
    });
    const large = { model_name: "identity", inputs: [fp32(Array<number>(300).fill(1))] };
    expect(await refused(call("ModelInfer", large))).toMatchObject({ code: grpc.status.RESOURCE_EXHAUSTED });
    const many = { model_name: "identity", inputs: ["a", "b", "c"].map((name) => ({ ...fp32([1]), name })) };
    expect(await refused(call("ModelInfer", many))).toMatchObject({
      code: grpc.status.INVALID_ARGUMENT,
      details: "more than 2 inputs",
    });
    const slow = Array.from({ length: 6 }, () =>
      refused(call("ModelInfer", { model_name: "slow", inputs: [fp32([1])] }, { deadline: 1500 })),
    );
    const codes = (await Promise.all(slow)).map(({ code }) => code);
    expect(codes.filter((code) => code === grpc.status.RESOURCE_EXHAUSTED)).toHaveLength(2);
    expect(codes.filter((code) => code === grpc.status.DEADLINE_EXCEEDED)).toHaveLength(4);
    expect(engine.seen.filter(({ model }) => model === "slow")).toHaveLength(4);
    // One connection is the client's. A second one that says nothing is closed in time, a third at once.
    const silent = connect(server.port, "127.0.0.1");
    await new Promise((done) => silent.once("connect", done));
    const third = connect(server.port, "127.0.0.1");
    third.on("error", () => undefined);
    await new Promise((done) => third.once("close", done));
    await new Promise((done) => silent.resume().once("close", done));
    // The calls that were refused are counted no more.
    expect(await call("ServerLive", {})).toEqual({ live: true });
    client.close();
  });

  it("does not wait for a message that never comes whole", async () => {
    const { server } = await serve({ limits: { body_bytes: 1000, body_seconds: 0.2 } });
    const session = connectHttp2(`http://127.0.0.1:${server.port}`);
    running.push(session);
    const stream = session.request({
      ":method": "POST",
      ":path": "/inference.GRPCInferenceService/ModelInfer",
      "content-type": "application/grpc",
      te: "trailers",
    });
    stream.write(Buffer.from([0, 0, 0, 0, 100, 1]));
    const headers = await new Promise<Record<string, unknown>>((done) => stream.once("response", done));
    expect(headers["grpc-status"]).toBe(String(grpc.status.DEADLINE_EXCEEDED));
    stream.close();
  });

  it("answers what is under way before it closes, and no longer than it may", async () => {
    const { server, call, engine } = await serve();
    await call("ServerLive", {});
    const slow = call("ModelInfer", { model_name: "slow", inputs: [fp32([1])] });
    await expect.poll(() => engine.seen.length).toBe(1);
    await server.close(30_000);
    expect(await slow).toMatchObject({ model_name: "slow" });
    const other = await serve();
    await other.call("ServerLive", {});
    const cut = refused(other.call("ModelInfer", { model_name: "slow", inputs: [fp32([1])] }));
    await expect.poll(() => other.engine.seen.length).toBe(1);
    const begun = performance.now();
    await other.server.close(100);
    // It would have taken three seconds.
    expect(performance.now() - begun).toBeLessThan(2900);
    expect([grpc.status.UNAVAILABLE, grpc.status.CANCELLED]).toContain((await cut).code);
  });

  it("says INVALID_ARGUMENT to what is no message of a method", async () => {
    const { server } = await serve();
    const plain = (bytes: Buffer): Buffer => bytes;
    const client = new grpc.Client(`localhost:${server.port}`, grpc.credentials.createInsecure());
    running.push(client);
    const codes: (number | undefined)[] = [];
    for (const method of ["ModelInfer", "ModelMetadata"]) {
      for (const bytes of [[0x0a], [0x0a, 0x05, 0x41], [0x0b], [0xff, 0xff, 0xff], [0x2a, 0x01, 0x0a]]) {
        const error = await new Promise<grpc.ServiceError | null>((done) =>
          client.makeUnaryRequest(
            `/inference.GRPCInferenceService/${method}`,
            plain,
            plain,
            Buffer.from(bytes),
            (error) => done(error),
          ),
        );
        codes.push(error?.code);
      }
    }
    // Fields that ModelMetadataRequest does not have are passed over, as is, by protobufjs, a text that is cut off; "" is no model.
    const [invalid, unknown] = [grpc.status.INVALID_ARGUMENT, grpc.status.NOT_FOUND];
    expect(codes.slice(0, 5)).toEqual([invalid, invalid, invalid, invalid, invalid]);
    expect(codes.slice(5)).toEqual([invalid, unknown, invalid, invalid, unknown]);
  });
});

const grpcurl = spawnSync("grpcurl", ["-version"]).status === 0 ? "grpcurl" : undefined;
describe.skipIf(grpcurl === undefined)(`grpcurl${grpcurl === undefined ? " (skipped: not on PATH)" : ""}`, () => {
  const ask = async (...words: string[]): Promise<string> =>
    (await promisify(execFile)(grpcurl ?? "", ["-plaintext", ...words])).stdout;

  it("lists, describes and infers by reflection", async () => {
    const { address } = await serve();
    expect(await ask(address, "list")).toBe(
      "grpc.health.v1.Health\ngrpc.reflection.v1.ServerReflection\ngrpc.reflection.v1alpha.ServerReflection\ninference.GRPCInferenceService\n".replace(
        /grpc\.reflection.*\n/g,
        "",
      ),
    );
    expect(await ask(address, "describe", "inference.ModelInferRequest")).toContain(
      "map<string, .inference.InferParameter> parameters = 4;",
    );
    const request = {
      model_name: "identity",
      inputs: [{ ...fp32([1, 2.5]), parameters: { a: { bool_param: true } } }],
    };
    const answer = await ask("-d", JSON.stringify(request), address, "inference.GRPCInferenceService/ModelInfer");
    expect(JSON.parse(answer)).toMatchObject({ outputs: [{ contents: { fp32_contents: [1, 2.5] } }] });
  });
});

const triton = runtime("tritonclient");
describe.skipIf(triton === undefined)(`NVIDIA's Python client${unlessRuntime("tritonclient")}`, () => {
  it("infers with every datatype of numpy, streams, loads, and understands refusals", async () => {
    const { address } = await serve();
    const { stdout } = await promisify(execFile)("python3", [join(top, "test/serve/tritonclient-grpc.py"), address], {
      env: { ...process.env, PYTHONPATH: triton },
      timeout: 50_000,
    });
    expect(JSON.parse(stdout)).toEqual({
      live: true,
      ready: [true, false],
      metadata: ["accelctl", "BYTES", true],
      datatypes: [
        "FP32",
        "FP64",
        "FP16",
        "INT8",
        "UINT8",
        "INT16",
        "UINT16",
        "INT32",
        "UINT32",
        "INT64",
        "UINT64",
        "BOOL",
        "BYTES",
      ],
      pieces: ["Hel", "lo, ", "Grüße ", "7"],
      final: "stop",
      errors: [
        "StatusCode.NOT_FOUND",
        "StatusCode.DEADLINE_EXCEEDED",
        "StatusCode.UNAVAILABLE",
        "StatusCode.RESOURCE_EXHAUSTED",
      ],
      loaded: true,
    });
  });
});
