/** The page's models over HTTP: real files, real runs in processes of their own, and what strangers send. */

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startServer, type Running } from "../../../src/serve/server.ts";
import { modelsPart, withoutHost, type ModelsPartOptions } from "../../../src/serve/page/models.ts";
import { harmlessName, uploadLimits, Uploads } from "../../../src/serve/page/models-store.ts";
import type {
  GraphAnswer,
  ModelAnswer,
  ModelEntry,
  ModelList,
  OperatorAnswer,
  OperatorsAnswer,
  RunAnswer,
} from "../../../src/serve/page/models-types.ts";
import { FLOAT, modelOf, node, smallOnnx, valueInfo } from "../../support/onnx.ts";
import { hasShared, sharedPath, top, unlessShared } from "../../support/shared.ts";

const folder = mkdtempSync(join(tmpdir(), "accelctl-models-test-"));
const servers: Running[] = [];

async function serve(options: ModelsPartOptions = {}): Promise<Running> {
  const server = await startServer([modelsPart({ folder, ...options })]);
  servers.push(server);
  return server;
}

let server: Running;
beforeAll(async () => {
  server = await serve();
});
afterAll(async () => {
  for (const one of servers) await one.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Answer<T> {
  readonly status: number;
  readonly body: T & { readonly error?: string };
}

async function ask<T>(path: string, init: RequestInit = {}, at: Running = server): Promise<Answer<T>> {
  const answer = await fetch(`${at.url}${path}`, init);
  return { status: answer.status, body: (await answer.json()) as Answer<T>["body"] };
}

const post = <T>(path: string, body: Uint8Array | string, at?: Running): Promise<Answer<T>> =>
  ask<T>(path, { method: "POST", body: typeof body === "string" ? body : new Uint8Array(body) }, at);

async function upload(name: string, bytes: Uint8Array, at?: Running): Promise<ModelEntry> {
  const { status, body } = await post<ModelEntry>(`/api/models?name=${encodeURIComponent(name)}`, bytes, at);
  expect(status).toBe(201);
  return body;
}

const demo = (name: string): Uint8Array => readFileSync(join(top, "demo", name));

it("the example that comes with accelctl is there, and sees a cat on its picture", async () => {
  const { body: list } = await ask<ModelList>("/api/models");
  expect(list.models).toMatchObject([{ id: "demo", demo: true }]);
  const { body: model } = await ask<ModelAnswer>("/api/models/demo");
  expect(model.state).toBe("model");
  expect(model.inspection?.format.id).toBe("tflite");
  expect(model.inspection?.cost.macs).toBeGreaterThan(10e6);
  expect(model.offers.at(-1)?.device).toBe("cpu");
  const { status, body } = await post<RunAnswer>(
    "/api/models/demo/run",
    JSON.stringify({ input: "picture", repeat: 3 }),
  );
  expect(status).toBe(200);
  const [run] = body.runs;
  if (run === undefined || "error" in run) throw new Error("it did not run");
  expect(run.result.outputs[0]?.top?.[0]?.label).toMatch(/cat|tabby/);
  expect(run.result.runs_ms).toHaveLength(3);
  expect(run.result.proof.verdict).toBe("worked");
  expect(run.picture?.width).toBeGreaterThan(100);
});

it("an upload is what accelctl inspect says it is, and lies in a private folder until it is removed", async () => {
  const { id } = await upload("../../small model.onnx", smallOnnx());
  const [own = ""] = readdirSync(folder);
  expect(statSync(join(folder, own)).mode & 0o777).toBe(0o700);
  expect(statSync(join(folder, own, id)).mode & 0o777).toBe(0o700);
  expect(readdirSync(join(folder, own, id))).toEqual(["small model.onnx"]);
  expect(statSync(join(folder, own, id, "small model.onnx")).mode & 0o777).toBe(0o600);
  const { body } = await ask<ModelAnswer>(`/api/models/${id}`);
  expect(body).toMatchObject({ name: "small model.onnx", state: "model", missing: [] });
  expect(body.inspection?.producer?.name).toBe("accelctl test");
  expect(body.inspection?.inputs.map(({ name }) => name)).toEqual(["x"]);
  expect(JSON.stringify(body)).not.toContain(folder);
  expect(await ask(`/api/models/${id}`, { method: "DELETE" })).toMatchObject({ status: 200 });
  expect(readdirSync(join(folder, own))).not.toContain(id);
  expect(await ask(`/api/models/${id}`)).toMatchObject({ status: 404 });
});

it("a model runs on made-up values, the same from the same seed, and twice to be compared", async () => {
  const { id } = await upload("small.onnx", smallOnnx());
  const on = [{ device: "cpu" }, { device: "cpu", delegate: "onnxruntime" }];
  const { status, body } = await post<RunAnswer>(`/api/models/${id}/run`, JSON.stringify({ on, seed: 7 }));
  expect(body.error).toBeUndefined();
  expect(status).toBe(200);
  expect(body.parity).toMatchObject([{ output: "y", elements: 2, identical: true }]);
  const outputs = body.runs.map((run) => ("error" in run ? undefined : run.result.outputs[0]?.values));
  expect(outputs[0]).toEqual(outputs[1]);
  const given = await post<RunAnswer>(
    `/api/models/${id}/run`,
    JSON.stringify({ inputs: { x: { value: [[1, 0, 0]] } } }),
  );
  const [run] = given.body.runs;
  expect(run).toMatchObject({ previews: [{ output: "y", elements: 2, first: [1, 2] }] });
});

it("one device that cannot does not spoil the comparison", async () => {
  const { id } = await upload("small.onnx", smallOnnx());
  const on = [{ device: "cpu" }, { device: "hailo" }];
  const { status, body } = await post<RunAnswer>(`/api/models/${id}/run`, JSON.stringify({ on }));
  expect(status).toBe(200);
  expect(body.runs[0]).toHaveProperty("result");
  expect(body.runs[1]).toMatchObject({ device: "hailo" });
  expect(body.parity).toBeUndefined();
});

it("a truncated file is told with the offset, and by its own name alone", async () => {
  const whole = demo("mobilenet_v1_0.25_128_quant.tflite");
  const { id } = await upload("cut.tflite", whole.subarray(0, 20_000));
  const { status, body } = await ask<ModelAnswer>(`/api/models/${id}`);
  expect(status).toBe(200);
  expect(body.state === "broken" || (body.inspection?.integrity.length ?? 0) > 0).toBe(true);
  const says = body.says ?? body.inspection?.integrity[0]?.says ?? "";
  expect(says.length).toBeGreaterThan(10);
  expect(JSON.stringify(body)).not.toContain(folder);
  const ran = await post<RunAnswer>(`/api/models/${id}/run`, "{}");
  expect(ran.status).toBe(422);
  expect(ran.body.error).not.toMatch(/\/(?:tmp|home|root|usr)\//);
});

it("a file that is no model is told for what it looks like", async () => {
  const { id } = await upload("cat.jpg", demo("cat.jpg"));
  const { body } = await ask<ModelAnswer>(`/api/models/${id}`);
  expect(body.state).toBe("no-model");
  expect(body.looks?.says).toMatch(/JPEG/i);
  expect((await ask(`/api/models/${id}/graph`)).status).toBe(400);
});

it("files of one model come one by one, in any order", async () => {
  const external = modelOf(
    node("MatMul", ["x", "w"], ["y"]),
    valueInfo(11, "x", FLOAT, [1, 3]),
    valueInfo(12, "y", FLOAT, [1, 2]),
  );
  const { id } = await upload("weights.bin", new Uint8Array(24));
  const { status } = await post(`/api/models?name=m.onnx&to=${id}`, external);
  expect(status).toBe(201);
  const { body } = await ask<ModelAnswer>(`/api/models/${id}`);
  expect(body).toMatchObject({ name: "m.onnx", state: "model" });
  expect(body.files.map(({ name }) => name)).toEqual(["weights.bin", "m.onnx"]);
  expect((await post(`/api/models?name=m.onnx&to=${id}`, external)).status).toBe(409);
});

it.skipIf(!hasShared)(`OpenVINO's .xml is read, and tells which file it needs beside it${unlessShared}`, async () => {
  const file = (name: string): Uint8Array => readFileSync(sharedPath(`models/openvino/${name}`));
  const { id } = await upload("increment_1x3x4x5.xml", file("increment_1x3x4x5.xml"));
  const { body: alone } = await ask<ModelAnswer>(`/api/models/${id}`);
  expect(alone.inspection?.format.id).toBe("openvino-ir");
  expect(alone.missing).toEqual(["increment_1x3x4x5.bin"]);
  expect(await post(`/api/models/${id}/run`, "{}")).toMatchObject({ status: 422 });
  await post(`/api/models?name=increment_1x3x4x5.bin&to=${id}`, file("increment_1x3x4x5.bin"));
  const { body } = await ask<ModelAnswer>(`/api/models/${id}`);
  expect(body).toMatchObject({ name: "increment_1x3x4x5.xml", missing: [] });
});

const chain = (count: number): Uint8Array => {
  const ops = ["Conv", "Relu", "Add", "Mul", "Sigmoid"];
  return modelOf(
    ...Array.from({ length: count }, (_, i) => node(ops[(i * i + (i >> 3)) % 5] ?? "Relu", [`t${i}`], [`t${i + 1}`])),
    valueInfo(11, "t0", FLOAT, [1, 8]),
    valueInfo(12, `t${count}`, FLOAT, [1, 8]),
  );
};

it(
  "a graph of 20,000 operators is folded, opens block by block, and is answered within a second",
  { retry: 3 },
  async () => {
    const { id } = await upload("large.onnx", chain(20_000));
    const { body: model } = await ask<ModelAnswer>(`/api/models/${id}`);
    expect(model.inspection?.graphs[0]?.operators).toBe(20_000);
    const start = performance.now();
    const { body: graph } = await ask<GraphAnswer>(`/api/models/${id}/graph`);
    expect(performance.now() - start).toBeLessThan(1000);
    expect(graph.boxes.length).toBeLessThanOrEqual(152);
    expect(graph.boxes.reduce((sum, box) => sum + box.operators, 0)).toBe(20_000);
    expect(graph.can_be_whole).toBe(false);
    expect(graph.at).toHaveLength(2 * graph.boxes.length);
    // Down to an operator.
    const { body: rows } = await ask<OperatorsAnswer>(`/api/models/${id}/operators?find=sigmoid&from=100&most=1`);
    expect(rows.operators).toHaveLength(1);
    const [row] = rows.operators;
    expect(row?.blocks.length).toBeGreaterThan(0);
    const { body: opened } = await ask<GraphAnswer>(`/api/models/${id}/graph?open=${row?.blocks.join(",") ?? ""}`);
    expect(opened.opened).toHaveLength(row?.blocks.length ?? 0);
    expect(opened.boxes.some((box) => box.node === row?.node)).toBe(true);
    expect(opened.boxes.length).toBeLessThan(152 * (1 + (row?.blocks.length ?? 0)));
    const { body: one } = await ask<OperatorAnswer>(`/api/models/${id}/operators/${row?.node ?? 0}`);
    expect(one.operator).toBe("Sigmoid");
    expect(one.inputs[0]?.others).toHaveLength(1);
  },
);

it("reading that takes too long is ended, and the next request is served", async () => {
  const slow = await serve({ read_ms: 30 });
  const { id } = await upload("large.onnx", chain(20_000), slow);
  const { status, body } = await ask(`/api/models/${id}`, {}, slow);
  expect(status).toBe(422);
  expect(body.error).toMatch(/longer than/);
  expect((await ask<ModelList>("/api/models", {}, slow)).body.models).toHaveLength(2);
});

it("what is too large is refused before it is written, announced or not", async () => {
  const small = await serve({ limits: { file_bytes: 1000, all_bytes: 1500, input_bytes: 100 } });
  const long = new Uint8Array(1001).fill(1);
  expect(await post("/api/models?name=a.onnx", long, small)).toMatchObject({ status: 413 });
  const stream = new ReadableStream({
    start(controller) {
      controller.enqueue(long);
      controller.close();
    },
  });
  const init = { method: "POST", body: stream, duplex: "half" } as RequestInit;
  expect(await ask("/api/models?name=a.onnx", init, small)).toMatchObject({ status: 413 });
  await upload("b.onnx", new Uint8Array(900).fill(1), small);
  const more = await post("/api/models?name=c.onnx", new Uint8Array(700).fill(1), small);
  expect(more).toMatchObject({ status: 507 });
  expect(more.body.error).toContain("remove one first");
  expect((await ask<ModelList>("/api/models", {}, small)).body.models).toHaveLength(2);
  expect(await post("/api/models?name=d.onnx", new Uint8Array(0), small)).toMatchObject({ status: 400 });
  expect(await post("/api/models", long, small)).toMatchObject({ status: 400 });
});

it("an upload that breaks off leaves nothing", async () => {
  const own = mkdtempSync(join(folder, "broken-"));
  const lone = await serve({ folder: own });
  const inside = (): string[] => readdirSync(own, { recursive: true, encoding: "utf8" });
  const sending = httpRequest(`${lone.url}/api/models?name=a.onnx`, {
    method: "POST",
    headers: { "content-length": "1000000" },
  });
  const broken = new Promise<void>((done) => void sending.on("error", () => done()));
  sending.write(Buffer.alloc(5000));
  await expect.poll(() => inside().filter((path) => path.endsWith("a.onnx"))).toHaveLength(1);
  sending.destroy(new Error("gone"));
  await broken;
  // The folder of all uploads itself.
  await expect.poll(() => inside().length).toBe(1);
  expect((await ask<ModelList>("/api/models", {}, lone)).body.models).toHaveLength(1);
});

it("files that come at once are counted, keep to themselves, and bring no removed model back", async () => {
  const uploads = new Uploads({ ...uploadLimits, models: 1 }, folder);
  const once = (text: string): Readable => Readable.from([Buffer.from(text)]);
  const first = new PassThrough();
  const making = uploads.add("a.onnx", first, undefined);
  await expect(uploads.add("b.onnx", once("b"), undefined)).rejects.toMatchObject({ status: 507 });
  first.end("a");
  const model = await making;
  const data = new PassThrough();
  const coming = uploads.add("a.bin", data, undefined, model.id);
  await expect.poll(() => existsSync(join(model.folder, "a.bin"))).toBe(true);
  await expect(uploads.add("a.bin", once("34"), undefined, model.id)).rejects.toMatchObject({ status: 409 });
  data.end("12");
  expect((await coming).files.map(({ path }) => readFileSync(path, "utf8"))).toEqual(["a", "12"]);
  const late = new PassThrough();
  const tooLate = uploads.add("late.bin", late, undefined, model.id);
  await expect.poll(() => existsSync(join(model.folder, "late.bin"))).toBe(true);
  await uploads.remove(model);
  late.end("5");
  await expect(tooLate).rejects.toMatchObject({ status: 404 });
  expect(uploads.list()).toEqual([]);
  await uploads.close();
});

it("uploads are gone when the server is", async () => {
  const own = mkdtempSync(join(folder, "own-"));
  const lone = await startServer([modelsPart({ folder: own })]);
  await upload("small.onnx", smallOnnx(), lone);
  expect(readdirSync(own)).toHaveLength(1);
  await lone.close();
  await expect.poll(() => readdirSync(own)).toEqual([]);
});

it("a model that nobody asks for any more is removed", async () => {
  const idle = await serve({ limits: { idle_ms: 100 } });
  const { id } = await upload("small.onnx", smallOnnx(), idle);
  await expect
    .poll(async () => (await ask<ModelList>("/api/models", {}, idle)).body.models.map((one) => one.id))
    .toEqual(["demo"]);
  expect(await ask(`/api/models/${id}`, {}, idle)).toMatchObject({ status: 404 });
});

it("with dashboard.run: false nothing can be uploaded or run, and the page is told", async () => {
  const off = await serve({ run: false });
  expect(await post("/api/models?name=a.onnx", smallOnnx(), off)).toMatchObject({ status: 403 });
  expect(await post("/api/models/demo/run", "{}", off)).toMatchObject({ status: 403 });
  expect((await ask<ModelList>("/api/models", {}, off)).body.no_run).toContain("turned off");
  expect(await ask("/api/models/demo", {}, off)).toMatchObject({ status: 200 });
});

it("nothing runs here for the page of another machine, but it is told where the model would run there", async () => {
  const other = await serve({ root: join(top, "machines/rk3588-mainline-rocket.json") });
  const { body } = await ask<ModelAnswer>("/api/models/demo", {}, other);
  const rockchip = body.inspection?.machine?.devices.find(({ family }) => family === "rockchip");
  expect(rockchip?.routes.some(({ accepts }) => accepts)).toBe(true);
  expect(await post("/api/models/demo/run", "{}", other)).toMatchObject({ status: 403 });
});

it("a wrong request is refused in a sentence", async () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ["{", /JSON/],
    ["[]", /object/],
    [`{"device":"cpu"}`, /"device" is not known/],
    [`{"on":"cpu"}`, /"on" is a list/],
    [`{"on":[]}`, /one device/],
    [`{"repeat":0}`, /"repeat"/],
    [`{"repeat":1e9}`, /"repeat"/],
    [`{"seed":-1}`, /"seed"/],
    [`{"shapes":{"x":[1.5]}}`, /shape of "x"/],
    [`{"input":"../../etc/passwd"}`, /no input/],
    [`{"inputs":{"x":{"file":"/etc/passwd"}}}`, /neither an input nor a value/],
    [`{"on":[{"device":"warp"}]}`, /no device "warp"/],
    [`{"on":[{"device":"cpu","delegate":"warp"}]}`, /no delegate "warp"/],
    [`{"head":"warp"}`, /no head/],
    [`{"inputs":{"nope":{"value":1}}}`, /no input "nope"/],
  ];
  for (const [body, says] of wrong) {
    const answer = await post("/api/models/demo/run", body);
    expect([body, answer.status]).toEqual([body, 400]);
    expect(answer.body.error).toMatch(says);
  }
  expect(await ask("/api/models/demo/graph?graph=x")).toMatchObject({ status: 400 });
  expect(await ask("/api/models/demo/graph?graph=7")).toMatchObject({ status: 404 });
  expect(await ask("/api/models/demo/operators/99999")).toMatchObject({ status: 404 });
  expect(await ask("/api/models/nope")).toMatchObject({ status: 404 });
});

it("a caller that leaves ends the run, and another can begin", async () => {
  const leaving = new AbortController();
  const body = JSON.stringify({ repeat: 1000, warmup: 1000 });
  const gone = ask("/api/models/demo/run", { method: "POST", body, signal: leaving.signal });
  setTimeout(() => leaving.abort(), 400);
  await expect(gone).rejects.toThrow();
  const runs = [1, 2].map(() => post<RunAnswer>("/api/models/demo/run", JSON.stringify({ input: "picture" })));
  await expect.poll(async () => (await Promise.race(runs)).status, { timeout: 20_000 }).toBe(200);
  await Promise.all(runs);
});

it("names of files lose what could lead anywhere", () => {
  expect(harmlessName("../../etc/passwd")).toBe("passwd");
  expect(harmlessName("C:\\models\\m.onnx")).toBe("m.onnx");
  expect(harmlessName("..")).toBe("model");
  expect(harmlessName(".bashrc")).toBe("bashrc");
  expect(harmlessName("a\u0000b\u202e\n.tflite")).toBe("a_b__.tflite");
  expect(harmlessName("größe 学習.onnx")).toBe("größe 学習.onnx");
  expect(Buffer.byteLength(harmlessName(`${"学".repeat(300)}.onnx`))).toBeLessThanOrEqual(120);
  expect(harmlessName(`${"x".repeat(300)}.onnx`)).toMatch(/^x+\.onnx$/);
});

it("sentences keep the last word of a path and nothing before it", () => {
  const stored = { folder: "/tmp/accelctl-models-x/id", files: [] };
  const clean = (text: string): string => withoutHost(text, stored);
  expect(clean("/tmp/accelctl-models-x/id/m.onnx: offset 0x4: short")).toBe("m.onnx: offset 0x4: short");
  expect(clean("cannot open /usr/lib/x86_64-linux-gnu/libfoo.so.1: no such file")).toBe(
    "cannot open libfoo.so.1: no such file",
  );
  expect(clean("see https://example.org/a/b and 3/4 of it")).toBe("see https://example.org/a/b and 3/4 of it");
});
