/**
 * gRPC beside REST: both doors of one process over one engine, identity of FP32 [1, 16] by onnxruntime, 8 clients on a connection each,
 * server on one core and clients on another. Promise: at least 0.8 of REST with JSON. The processor time of the server for a request is
 * told too: it changes less with what else the machine does.
 */

import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openEngine } from "../src/serve/engine/open.ts";
import { startGrpc } from "../src/serve/grpc/server.ts";
import { limitsWith } from "../src/serve/http/limits.ts";
import { oipPart } from "../src/serve/oip/rest.ts";
import { startServer } from "../src/serve/server.ts";
import { FLOAT, modelOf, node, valueInfo } from "../test/support/onnx.ts";
import { bytes, concat, message, packed, packedFloats } from "../test/support/protobuf.ts";
import { median, table } from "./_table.ts";

const [CLIENTS, ROUNDS, SECONDS] = [8, 5, Number(process.env["BENCH_SECONDS"] ?? 3)];
const shape = [1, 16];
const numbers = Array.from({ length: 16 }, (_, at) => at / 8);

async function serve(models: string): Promise<void> {
  const engine = await openEngine({ models });
  const http = await startServer([oipPart(engine, limitsWith())]);
  const grpc = await startGrpc(engine, { port: 0 });
  let last = process.cpuUsage();
  process.on("message", () => {
    const { user, system } = process.cpuUsage(last);
    last = process.cpuUsage();
    process.send?.({ cpu: (user + system) / 1000 });
  });
  process.send?.({ http: http.port, grpc: grpc.port });
}

/** Requests that were answered, of whole bytes over sockets: a client costs as little as it can. */
async function rest(port: number): Promise<number> {
  const body = JSON.stringify({ inputs: [{ name: "x", datatype: "FP32", shape, data: numbers }] });
  const request = `POST /v2/models/identity/infer HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  let count = 0;
  const end = performance.now() + SECONDS * 1000;
  const client = (): Promise<void> =>
    new Promise((done, failed) => {
      const socket = connect(port, "127.0.0.1", () => socket.write(request)).setNoDelay();
      let whole = "";
      socket.on("data", (data: Buffer) => {
        whole += data.toString("latin1");
        const head = whole.indexOf("\r\n\r\n");
        const length = Number(/content-length: (\d+)/i.exec(whole)?.[1] ?? NaN);
        if (head < 0 || whole.length < head + 4 + length) return;
        if (!whole.startsWith("HTTP/1.1 200")) failed(new Error(whole));
        whole = "";
        count++;
        if (performance.now() < end) socket.write(request);
        else {
          socket.end();
          done();
        }
      });
    });
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return count;
}

async function grpc(port: number, raw: boolean): Promise<number> {
  const input = [bytes(1, "x"), bytes(2, "FP32"), packed(3, shape)];
  const contents = message(5, packedFloats(6, numbers));
  const asked = concat([
    bytes(1, "identity"),
    message(5, ...input, ...(raw ? [] : [contents])),
    ...(raw ? [bytes(7, new Uint8Array(Float32Array.from(numbers).buffer))] : []),
  ]);
  const request = Buffer.concat([Buffer.alloc(5), asked]);
  request.writeUInt32BE(asked.length, 1);
  const headers = {
    ":method": "POST",
    ":path": "/inference.GRPCInferenceService/ModelInfer",
    "content-type": "application/grpc",
    te: "trailers",
  };
  let count = 0;
  const end = performance.now() + SECONDS * 1000;
  const client = async (): Promise<void> => {
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    while (performance.now() < end) {
      await new Promise<void>((done, failed) => {
        const stream = session.request(headers);
        stream.on("trailers", (trailers: Readonly<Record<string, unknown>>) => {
          if (trailers["grpc-status"] !== "0") failed(new Error(String(trailers["grpc-message"])));
        });
        stream.on("data", () => undefined).on("end", done);
        stream.on("error", failed);
        stream.end(request);
      });
      count++;
    }
    session.close();
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return count;
}

async function measure(): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), "accelctl-bench-grpc-"));
  const folder = join(scratch, "identity", "1");
  mkdirSync(folder, { recursive: true });
  const model = modelOf(
    node("Identity", ["x"], ["y"]),
    valueInfo(11, "x", FLOAT, shape),
    valueInfo(12, "y", FLOAT, shape),
  );
  writeFileSync(join(folder, "model.onnx"), model);
  writeFileSync(join(scratch, "identity", "accelctl.json"), JSON.stringify({ threads: 1 }));
  const words = ["-c", "0", process.execPath, process.argv[1] ?? "", "serve", scratch];
  const child = spawn("taskset", words, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const told = <T>(): Promise<T> => new Promise((done) => child.once("message", (said) => done(said as T)));
  const cpu = async (): Promise<number> => {
    const answer = told<{ cpu: number }>();
    child.send("cpu");
    return (await answer).cpu;
  };
  try {
    const ports = await told<{ http: number; grpc: number }>();
    const ways: [string, () => Promise<number>][] = [
      ["REST, JSON", () => rest(ports.http)],
      ["gRPC, raw", () => grpc(ports.grpc, true)],
      ["gRPC, typed", () => grpc(ports.grpc, false)],
    ];
    const seen = ways.map(([name, act]) => ({ name, act, rates: [] as number[], costs: [] as number[] }));
    for (let round = 0; round <= ROUNDS; round++) {
      for (const way of seen) {
        await cpu();
        const count = await way.act();
        const cost = await cpu();
        if (round === 0) continue; // code is compiled
        way.rates.push(count / SECONDS);
        way.costs.push((cost * 1000) / count);
      }
    }
    const base = median(seen[0]?.rates ?? []);
    table(
      `identity FP32 [1, 16], ${CLIENTS} clients, server and clients on a core each, median of ${ROUNDS} interleaved rounds of ${SECONDS} s`,
      ["door", "requests/s", "of REST", "us of processor"],
      seen.map(({ name, rates, costs }) => [
        name,
        median(rates).toFixed(0),
        (median(rates) / base).toFixed(2),
        median(costs).toFixed(0),
      ]),
    );
  } finally {
    child.kill();
    rmSync(scratch, { recursive: true });
  }
}

if (process.argv[2] === "serve") await serve(process.argv[3] ?? "");
else await measure();
