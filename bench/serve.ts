/**
 * Serving over HTTP beside the least that could do it: a loop of node:http, JSON and onnxruntime-node, and FastAPI with ONNX Runtime
 * (`npm run runtimes fastapi`). Identity of FP32 [1, 16], 8 clients on kept connections, server on one core and clients on another.
 * Promises: at least 0.9 of the bare loop and 4 times FastAPI; with batching 1.5 times as many of a model of a millisecond; at 80 % of
 * the most requests the slowest hundredth takes at most 5 times the median. Where the machine itself stands still for milliseconds (a
 * shared one does, see the line before the tables), no server holds the last over the whole run: beside it stands the same of the
 * quarter of a second that is in the middle of all.
 */

import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { connect, type Socket } from "node:net";
import { cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type * as bareRuntime from "onnxruntime-node";
import { FLOAT, modelOf, node, valueInfo } from "../test/support/onnx.ts";
import { bytes, int, message, packed, packedFloats } from "../test/support/protobuf.ts";
import { median, ms, table } from "./_table.ts";

const CLIENTS = 8;
const ROUNDS = 5;
const SECONDS = Number(process.env["BENCH_SECONDS"] ?? 3);
/** Connections of the open loop: more than ever wait. */
const POOL = 64;
/** ms of a window whose slowest hundredth is told apart. */
const WINDOW = 250;
/** Columns of the model of about a millisecond. */
const WIDE = 1536;

/** What a client sends: whole requests as bytes. */
interface Load {
  readonly port: number;
  readonly request: string;
  readonly clients: number;
  readonly seconds: number;
  /** Requests a second, in an even stream that does not wait for answers; absent: each client sends when it was answered. */
  readonly rate?: number;
}
interface Measured {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** p99 over p50 of each quarter of a second apart; the middle one of them. */
  readonly within: number;
  readonly refused: number;
}

/** The least: no routes, no limits, no ids, one model. */
async function bare(model: string): Promise<void> {
  const require = createRequire(resolve("package.json"));
  const { InferenceSession, Tensor } = require("onnxruntime-node") as typeof bareRuntime;
  const session = await InferenceSession.create(model, { intraOpNumThreads: 1 });
  const server = createServer((request, response) => {
    if (request.method === "GET") {
      response.end();
      return;
    }
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const { inputs } = JSON.parse(Buffer.concat(pieces).toString()) as {
        inputs: [{ name: string; shape: number[]; data: number[] }];
      };
      const [{ name, shape, data }] = inputs;
      void session.run({ [name]: new Tensor("float32", Float32Array.from(data), shape) }).then((outputs) => {
        const told = Object.entries(outputs).map(([name, { dims, data }]) => ({
          name,
          datatype: "FP32",
          shape: dims,
          data: Array.from(data as Float32Array),
        }));
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify({ model_name: "identity", model_version: "1", outputs: told }));
      });
    });
  });
  server.listen(0, "127.0.0.1", () =>
    process.stdout.write(`http://127.0.0.1:${(server.address() as { port: number }).port}\n`),
  );
}

/** One connection: writes requests, finds the ends of answers. As little work as can be, and the same for every server. */
class Client {
  /** performance.now() at which what is under way was due. */
  due = 0;
  busy = false;
  refused = 0;
  readonly #socket: Socket;
  readonly #request: Buffer;
  readonly #answered: (client: Client) => void;
  #seen: Buffer = Buffer.alloc(0);
  #left = 0;

  constructor({ port, request }: Load, answered: (client: Client) => void) {
    this.#request = Buffer.from(request, "latin1");
    this.#answered = answered;
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#socket.on("data", (bytes) => this.#take(bytes));
    this.#socket.on("error", (error) => {
      throw error;
    });
  }

  open(): Promise<void> {
    return new Promise((done) => this.#socket.once("connect", () => done()));
  }

  send(due: number): void {
    this.due = due;
    this.busy = true;
    this.#socket.write(this.#request);
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(bytes: Buffer): void {
    if (this.#left > 0) {
      this.#left -= bytes.length;
    } else {
      this.#seen = this.#seen.length === 0 ? bytes : Buffer.concat([this.#seen, bytes]);
      const end = this.#seen.indexOf("\r\n\r\n");
      if (end < 0) return;
      const head = this.#seen.toString("latin1", 0, end);
      if (!head.startsWith("HTTP/1.1 200")) this.refused++;
      this.#left = Number(/content-length: *(\d+)/i.exec(head)?.[1]) - (this.#seen.length - end - 4);
      this.#seen = this.#seen.subarray(0, 0);
    }
    if (this.#left > 0) return;
    this.#left = 0;
    this.busy = false;
    this.#answered(this);
  }
}

async function load(wanted: Load): Promise<Measured> {
  const times: number[] = [];
  const windows: number[][] = [];
  const begun = performance.now() + 200; // the first ones warm it up
  const end = begun + wanted.seconds * 1000;
  const free: Client[] = [];
  const waiting: number[] = [];
  const answered = (client: Client): void => {
    const now = performance.now();
    if (client.due >= begun && now <= end) {
      times.push(now - client.due);
      (windows[Math.floor((client.due - begun) / WINDOW)] ??= []).push(now - client.due);
    }
    if (wanted.rate === undefined) {
      if (now < end) client.send(now);
      return;
    }
    const due = waiting.shift();
    if (due === undefined) free.push(client);
    else client.send(due);
  };
  const clients = Array.from({ length: wanted.clients }, () => new Client(wanted, answered));
  await Promise.all(clients.map((client) => client.open()));
  if (wanted.rate === undefined) for (const client of clients) client.send(performance.now());
  else {
    free.push(...clients);
    const every = 1000 / wanted.rate;
    let next = performance.now();
    // setImmediate: a timer is no finer than a millisecond.
    const tick = (): void => {
      const now = performance.now();
      for (; next <= now; next += every) {
        const client = free.pop();
        if (client === undefined) waiting.push(next);
        else client.send(next);
      }
      if (now < end) setImmediate(tick);
    };
    tick();
  }
  await new Promise((done) => setTimeout(done, end - performance.now()));
  const refused = clients.reduce((sum, client) => sum + client.refused, 0);
  for (const client of clients) client.close();
  const at = (of: readonly number[], share: number): number =>
    of[Math.min(of.length - 1, Math.floor(of.length * share))] ?? NaN;
  for (const list of [times, ...windows]) list.sort((a, b) => a - b);
  const within = median(windows.map((window) => at(window, 0.99) / at(window, 0.5)));
  return { perSecond: times.length / wanted.seconds, p50: at(times, 0.5), p99: at(times, 0.99), within, refused };
}

interface Contestant {
  readonly name: string;
  readonly request: string;
  readonly port: number;
  readonly child: ChildProcess;
  readonly rates: number[];
  readonly middles: number[];
  readonly slow: number[];
  readonly within: number[];
}

async function compare(): Promise<void> {
  if (cpus().length < 2 || spawnSync("taskset", ["--version"]).status !== 0) {
    process.stdout.write("serving is measured on two cores with taskset (util-linux); nothing was measured\n");
    return;
  }
  const scratch = mkdtempSync(join(tmpdir(), "accelctl-bench-"));
  const children: ChildProcess[] = [];
  const start = async (name: string, words: readonly string[], request: string): Promise<Contestant> => {
    const child = spawn("taskset", ["-c", "0", ...words], { stdio: ["ignore", "pipe", "inherit"] });
    children.push(child);
    const url = await new Promise<string>((done, failed) => {
      child.stdout.on("data", (bytes: Buffer) => {
        const found = /^http:\/\/\S+$/m.exec(bytes.toString())?.[0];
        if (found !== undefined) done(found);
      });
      child.on("exit", () => failed(new Error(`${name} ended`)));
    });
    const port = Number(new URL(url).port);
    await until(port);
    return { name, request, port, child, rates: [], middles: [], slow: [], within: [] };
  };
  try {
    const shape = [1, 16];
    const numbers = Array.from({ length: 16 }, (_, at) => at / 8);
    const identity = modelOf(
      node("Identity", ["x"], ["y"]),
      valueInfo(11, "x", FLOAT, shape),
      valueInfo(12, "y", FLOAT, shape),
    );
    const write = (name: string, bytes: Uint8Array, config: object = {}): string => {
      mkdirSync(join(scratch, "models", name, "1"), { recursive: true });
      writeFileSync(join(scratch, "models", name, "accelctl.json"), JSON.stringify(config));
      const path = join(scratch, "models", name, "1", "model.onnx");
      writeFileSync(path, bytes);
      return path;
    };
    const path = write("identity", identity, { threads: 1 });
    const batched = rowsOnnx(WIDE);
    write("apart", batched, { threads: 1, max_batch: 0 });
    write("batched", batched, { threads: 1, max_batch: 8, max_delay_ms: 1 });
    const json = post("/v2/models/identity/infer", body(shape, numbers));
    const node_ = [process.execPath];
    const serve = [
      resolve("dist/accelctl.cjs"),
      "serve",
      "--models",
      join(scratch, "models"),
      "--listen",
      "127.0.0.1:0",
    ];
    const own = [...node_, ...serve, "--grpc", "off", "--no-page", "--no-metrics", "--log-level", "warn"];
    const fastapi = fastApi(scratch, path);
    const ours = await start("ours, JSON", own, json);
    const contestants = [
      await start("node:http and onnxruntime-node", [...node_, process.argv[1] ?? "", "bare", path], json),
      ours,
      {
        ...ours,
        name: "ours, binary",
        request: binary("/v2/models/identity/infer", shape, numbers),
        rates: [],
        middles: [],
        slow: [],
        within: [],
      },
      ...(fastapi === undefined ? [] : [await start("FastAPI and onnxruntime", fastapi, json)]),
    ];
    process.stdout.write(`${pauses(2000)}\n`);
    await rounds(contestants);
    const [first] = contestants;
    const base = median(first?.rates ?? []);
    table(
      `identity FP32 [1, 16], ${CLIENTS} clients, server and clients on a core each, median of ${ROUNDS} interleaved rounds of ${SECONDS} s`,
      ["server", "requests/s", "of bare", "p50 ms at 80 %", "p99 ms", "p99/p50", "in 0.25 s"],
      contestants.map(({ name, rates, middles, slow, within }) => [
        name,
        median(rates).toFixed(0),
        (median(rates) / base).toFixed(2),
        median(middles).toFixed(3),
        median(slow).toFixed(3),
        ms(median(slow) / median(middles)),
        ms(median(within)),
      ]),
    );
    if (fastapi === undefined) process.stdout.write("FastAPI was not measured: npm run runtimes fastapi\n");
    const wide = Array.from({ length: WIDE }, (_, at) => (at % 5) / 4);
    const models = ["apart", "batched"].map((name) => ({
      ...ours,
      name,
      request: binary(`/v2/models/${name}/infer`, [1, WIDE], wide),
      rates: [],
      middles: [],
      slow: [],
      within: [],
    }));
    await rounds(models);
    const apart = median(models[0]?.rates ?? []);
    table(
      `a model of about a millisecond with and without batching, ${CLIENTS} clients`,
      ["model", "requests/s", "of apart", "p50 ms at 80 %", "p99 ms", "p99/p50", "in 0.25 s"],
      models.map(({ name, rates, middles, slow, within }) => [
        name,
        median(rates).toFixed(0),
        (median(rates) / apart).toFixed(2),
        median(middles).toFixed(3),
        median(slow).toFixed(3),
        ms(median(slow) / median(middles)),
        ms(median(within)),
      ]),
    );
  } finally {
    for (const child of children) child.kill("SIGKILL");
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** What this machine's clock jumps by while nothing but this loop runs here: time that no program gets. */
function pauses(forMs: number): string {
  let [at, lost, longest] = [performance.now(), 0, 0];
  for (const end = at + forMs; at < end;) {
    const now = performance.now();
    if (now - at > 0.2) {
      lost += now - at;
      longest = Math.max(longest, now - at);
    }
    at = now;
  }
  const share = ((100 * lost) / forMs).toFixed(1);
  return `before: with nothing else to do this machine stood still for ${share} % of ${forMs / 1000} s, up to ${ms(longest)} ms at once`;
}

async function rounds(contestants: readonly Contestant[]): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    for (const { port, request, rates, middles, slow, within } of contestants) {
      const most = await measure({ port, request, clients: CLIENTS, seconds: SECONDS });
      rates.push(most.perSecond);
      const busy = await measure({ port, request, clients: POOL, seconds: SECONDS, rate: most.perSecond * 0.8 });
      middles.push(busy.p50);
      slow.push(busy.p99);
      within.push(busy.within);
    }
  }
}

function measure(wanted: Load): Promise<Measured> {
  return new Promise((done, failed) => {
    const words = ["-c", "1", process.execPath, process.argv[1] ?? "", "load", JSON.stringify(wanted)];
    const child = spawn("taskset", words, { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    child.stdout.on("data", (bytes: Buffer) => (text += bytes.toString()));
    child.on("close", () => {
      try {
        const measured = JSON.parse(text) as Measured;
        if (measured.refused > 0) failed(new Error(`${measured.refused} requests were refused`));
        else done(measured);
      } catch (error) {
        failed(new Error(`the clients said: ${text}`, { cause: error }));
      }
    });
  });
}

/** Models may still be on their way in. */
async function until(port: number): Promise<void> {
  for (let i = 0; i < 300; i++) {
    const answer = await fetch(`http://127.0.0.1:${port}/v2/health/ready`).catch(() => undefined);
    // The others have no such path.
    if (answer !== undefined && answer.status !== 503) return;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error("it did not become ready");
}

const body = (shape: readonly number[], data: readonly number[]): string =>
  JSON.stringify({ inputs: [{ name: "x", datatype: "FP32", shape, data }] });

const post = (path: string, body: string, headers = ""): string =>
  `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n${headers}content-length: ${body.length}\r\n\r\n${body}`;

function binary(path: string, shape: readonly number[], data: readonly number[]): string {
  const bytes = Buffer.from(Float32Array.from(data).buffer);
  const head = JSON.stringify({
    inputs: [{ name: "x", datatype: "FP32", shape, parameters: { binary_data_size: bytes.length } }],
    parameters: { binary_data_output: true },
  });
  return post(path, head + bytes.toString("latin1"), `inference-header-content-length: ${head.length}\r\n`);
}

/** y [batch, size] = x [batch, size] times a constant: each row alone reads all of it, which is what takes the time. */
function rowsOnnx(size: number): Uint8Array {
  const numbers = Array.from({ length: size * size }, (_, at) => (at % 7) / 64);
  const weights = message(5, packed(1, [size, size]), int(2, FLOAT), packedFloats(4, numbers), bytes(8, "w"));
  const shape = ["batch", size];
  return modelOf(
    node("MatMul", ["x", "w"], ["y"]),
    weights,
    valueInfo(11, "x", FLOAT, shape),
    valueInfo(12, "y", FLOAT, shape),
  );
}

/** A program of FastAPI that does what the bare loop does; undefined where it is not there. */
function fastApi(scratch: string, model: string): string[] | undefined {
  const home = resolve("node_modules/.runtimes/fastapi");
  if (!existsSync(home)) return undefined;
  const program = join(scratch, "served.py");
  writeFileSync(
    program,
    `import sys
sys.path.insert(0, ${JSON.stringify(home)})
import socket, numpy, onnxruntime, uvicorn
from fastapi import FastAPI, Request
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(${JSON.stringify(model)}, options)
app = FastAPI()

@app.post("/v2/models/{name}/infer")
async def infer(name: str, request: Request):
    asked = await request.json()
    feeds = {one["name"]: numpy.array(one["data"], numpy.float32).reshape(one["shape"]) for one in asked["inputs"]}
    outputs = session.run(None, feeds)
    told = [
        {"name": port.name, "datatype": "FP32", "shape": list(value.shape), "data": value.ravel().tolist()}
        for port, value in zip(session.get_outputs(), outputs)
    ]
    return {"model_name": name, "model_version": "1", "outputs": told}

free = socket.socket()
free.bind(("127.0.0.1", 0))
port = free.getsockname()[1]
free.close()
print("http://127.0.0.1:%d" % port, flush=True)
uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)
`,
  );
  return ["python3", program];
}

const [role, argument = ""] = process.argv.slice(2);
if (role === "load") {
  process.stdout.write(JSON.stringify(await load(JSON.parse(argument) as Load)));
  process.exit(0);
} else if (role === "bare") await bare(argument);
else await compare();
