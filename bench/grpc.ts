/**
 * gRPC beside REST: both doors of one process over one engine, identity of FP32 by onnxruntime, 8 clients on a connection each, server on
 * one core and clients, in a process of their own, on another; of 16 elements, and of a picture's 150,528. Promise: gRPC at least 0.8 of
 * REST. The processor time of the server for a request is told too: it changes less with what else the machine does.
 */

import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
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
import { GrpcClient } from "./_h2.ts";
import { median, table } from "./_table.ts";

const [CLIENTS, ROUNDS, SECONDS] = [8, 5, Number(process.env["BENCH_SECONDS"] ?? 3)];
const shapes: Readonly<Record<string, readonly number[]>> = { small: [1, 16], picture: [1, 3, 224, 224] };
const ways = ["REST, JSON", "REST, binary", "gRPC, raw", "gRPC, typed"] as const;
type Way = (typeof ways)[number];

interface Load {
  readonly way: Way;
  readonly model: string;
  readonly port: number;
}

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

/** Requests that were answered. */
function load({ way, model, port }: Load): Promise<number> {
  const shape = shapes[model] ?? [];
  const count = shape.reduce((all, one) => all * one, 1);
  const numbers = Array.from({ length: count }, (_, at) => (at % 64) / 8);
  return way === "gRPC, raw" || way === "gRPC, typed"
    ? grpc(port, messageOf(model, shape, numbers, way === "gRPC, raw"))
    : rest(port, requestOf(model, shape, numbers, way === "REST, binary"));
}

function requestOf(model: string, shape: readonly number[], numbers: readonly number[], binary: boolean): Buffer {
  const input = { name: "x", datatype: "FP32", shape };
  const raw = Buffer.from(Float32Array.from(numbers).buffer);
  const head = binary
    ? JSON.stringify({
        inputs: [{ ...input, parameters: { binary_data_size: raw.length } }],
        parameters: { binary_data_output: true },
      })
    : JSON.stringify({ inputs: [{ ...input, data: numbers }] });
  const body = binary ? Buffer.concat([Buffer.from(head), raw]) : Buffer.from(head);
  const line = `POST /v2/models/${model}/infer HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n`;
  const length = binary ? `inference-header-content-length: ${head.length}\r\n` : "";
  return Buffer.concat([Buffer.from(`${line}${length}content-length: ${body.length}\r\n\r\n`), body]);
}

function messageOf(model: string, shape: readonly number[], numbers: readonly number[], raw: boolean): Uint8Array {
  const contents = raw ? [] : [message(5, packedFloats(6, numbers))];
  return concat([
    bytes(1, model),
    message(5, bytes(1, "x"), bytes(2, "FP32"), packed(3, shape), ...contents),
    ...(raw ? [bytes(7, new Uint8Array(Float32Array.from(numbers).buffer))] : []),
  ]);
}

async function rest(port: number, request: Buffer): Promise<number> {
  let count = 0;
  const end = performance.now() + SECONDS * 1000;
  const client = (): Promise<void> =>
    new Promise((done, failed) => {
      const socket = connect(port, "127.0.0.1", () => socket.write(request)).setNoDelay();
      let seen: Buffer = Buffer.alloc(0);
      let left = 0;
      socket.on("error", failed);
      socket.on("data", (data: Buffer) => {
        if (left > 0) left -= data.length;
        else {
          seen = seen.length === 0 ? data : Buffer.concat([seen, data]);
          const head = seen.indexOf("\r\n\r\n");
          if (head < 0) return;
          const text = seen.toString("latin1", 0, head);
          if (!text.startsWith("HTTP/1.1 200")) failed(new Error(text.slice(0, 200)));
          left = Number(/^content-length: *(\d+)/im.exec(text)?.[1]) - (seen.length - head - 4);
          seen = seen.subarray(0, 0);
        }
        if (left > 0) return;
        left = 0;
        count++;
        if (performance.now() < end) socket.write(request);
        else {
          socket.destroy();
          done();
        }
      });
    });
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return count;
}

async function grpc(port: number, asked: Uint8Array): Promise<number> {
  let count = 0;
  const end = performance.now() + SECONDS * 1000;
  const client = (): Promise<void> =>
    new Promise((done, failed) => {
      const answered = (one: GrpcClient, length: number): void => {
        if (length === 0) failed(new Error("a request was refused"));
        count++;
        if (performance.now() < end) one.send();
        else {
          one.close();
          done();
        }
      };
      const one = new GrpcClient(port, "/inference.GRPCInferenceService/ModelInfer", asked, answered);
      void one.open().then(() => one.send());
    });
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return count;
}

function loaded(wanted: Load): Promise<{ count: number; busy: number }> {
  return new Promise((done, failed) => {
    const words = ["-c", "1", process.execPath, process.argv[1] ?? "", "load", JSON.stringify(wanted)];
    const child = spawn("taskset", words, { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    child.stdout.on("data", (bytes: Buffer) => (text += bytes.toString()));
    child.on("close", (code) => {
      if (code === 0) done(JSON.parse(text) as { count: number; busy: number });
      else failed(new Error(`the clients ended with ${String(code)}`));
    });
  });
}

async function measure(): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), "accelctl-bench-grpc-"));
  for (const [name, shape] of Object.entries(shapes)) {
    mkdirSync(join(scratch, name, "1"), { recursive: true });
    const ports = [valueInfo(11, "x", FLOAT, [...shape]), valueInfo(12, "y", FLOAT, [...shape])];
    writeFileSync(join(scratch, name, "1", "model.onnx"), modelOf(node("Identity", ["x"], ["y"]), ...ports));
    writeFileSync(join(scratch, name, "accelctl.json"), JSON.stringify({ threads: 1 }));
  }
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
    for (const [model, shape] of Object.entries(shapes)) {
      const seen = ways.map((way) => ({ way, rates: [] as number[], costs: [] as number[], busy: [] as number[] }));
      for (let round = 0; round <= ROUNDS; round++) {
        for (const { way, rates, costs, busy } of seen) {
          const port = way.startsWith("gRPC") ? ports.grpc : ports.http;
          await cpu();
          const { count, busy: share } = await loaded({ way, model, port });
          const cost = await cpu();
          if (round === 0) continue; // code is compiled
          rates.push(count / SECONDS);
          costs.push((cost * 1000) / count);
          busy.push(share);
        }
      }
      const rate = (way: Way): number => median(seen.find((one) => one.way === way)?.rates ?? []);
      const base = model === "small" ? "REST, JSON" : "REST, binary";
      table(
        `identity FP32 [${shape.join(", ")}], ${CLIENTS} clients, server and clients on a core each, median of ${ROUNDS} interleaved rounds of ${SECONDS} s`,
        ["door", "requests/s", `of ${base}`, "us of the server's processor", "clients' processor"],
        seen.map(({ way, rates, costs, busy }) => [
          way,
          median(rates).toFixed(0),
          (median(rates) / rate(base)).toFixed(2),
          median(costs).toFixed(0),
          `${(100 * median(busy)).toFixed(0)} %`,
        ]),
      );
    }
  } finally {
    child.kill();
    rmSync(scratch, { recursive: true });
  }
}

const [, , act, given = ""] = process.argv;
if (act === "serve") await serve(given);
else if (act === "load") {
  const before = process.cpuUsage();
  const begun = performance.now();
  const count = await load(JSON.parse(given) as Load);
  const { user, system } = process.cpuUsage(before);
  process.stdout.write(JSON.stringify({ count, busy: (user + system) / 1000 / (performance.now() - begun) }));
} else await measure();
