/** `accelctl serve` asked for more than it can do, for seconds; bench/serve-overload.ts does so for minutes. */

import { spawn, type ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import onnxruntime from "../../src/delegates/onnxruntime.ts";
import { crowd, offer, type Tally } from "../support/callers.ts";
import { wideIdentityOnnx } from "../support/onnx.ts";
import { identityOnnx, modelsFolder, type ModelsFolder } from "../support/served-models.ts";
import { top } from "../support/shared.ts";

const noRuntime = onnxruntime.find({}).state !== "read";

let models: ModelsFolder;
let child: ChildProcess | undefined;
let port = 0;
beforeAll(() => {
  models = modelsFolder({
    "identity/1/model.onnx": identityOnnx(),
    "wide/1/model.onnx": wideIdentityOnnx(512),
    "wide/accelctl.json": { threads: 1, max_batch: 0, queue_requests: 32 },
    "apart/1/model.onnx": identityOnnx(),
    "apart/accelctl.json": { isolate: true },
  });
});
afterAll(() => models.remove());
afterEach(() => child?.kill("SIGKILL"));

async function serve(...more: string[]): Promise<void> {
  const words = ["serve", "--models", models.path, "--listen", "127.0.0.1:0", "--no-page", "--log-level", "error"];
  const started = spawn(process.execPath, [join(top, "dist/accelctl.cjs"), ...words, ...more]);
  child = started;
  port = await new Promise<number>((done) => {
    started.stdout.on("data", (bytes: Buffer) => done(Number(new URL(bytes.toString().trim()).port)));
  });
  const ready = async (): Promise<number> => (await fetch(`http://127.0.0.1:${port}/v2/health/ready`)).status;
  await expect.poll(ready, { timeout: 30_000 }).toBe(200);
}

const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0);

/** Every request is accounted for, and no answer is wrong. */
function expectWhole(tally: Tally): void {
  expect(tally).toMatchObject({ wrong: 0, lost: 0, silent: 0 });
  expect(sum(tally.answered) + sum(tally.closed) + sum(tally.unconnected)).toBe(tally.asked);
}

describe.skipIf(noRuntime)("accelctl serve (skipped: no ONNX Runtime here)", () => {
  beforeEach(() => (child = undefined));

  it("refuses what is too much, answers what it took, and serves on", async () => {
    await serve("--limit", "connections=100");
    const before = await offer({ port, model: "wide", seconds: 1, connections: 8 });
    const rate = Math.max(1000, (before.answered["200"] ?? 0) * 10);
    const during = await offer({ port, model: "wide", seconds: 2, connections: 150, rate });
    expectWhole(during);
    expect(Object.keys(during.answered).sort()).toEqual(["200", "429", "503"]);
    const after = await offer({ port, model: "wide", seconds: 1, connections: 8 });
    expect(after.answered).toEqual({ "200": after.asked });
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const told = /^accelctl_http_requests_total\{method="POST",route="(.*)",code="429"\} (\d+)$/m.exec(metrics);
    expect(told?.[1]).toBe("/v2/models/:model/infer");
    expect(Number(told?.[2])).toBeGreaterThanOrEqual(during.answered["429"] ?? 0);
    expect(metrics).toMatch(/^accelctl_http_refused_connections_total\{reason="full"\} [1-9]/m);
    expect(metrics).toMatch(/^accelctl_http_request_seconds_bucket\{method="POST",route="[^"]+",le="0.1"\} [1-9]/m);
  }, 60_000);

  it("serves others while a crowd holds connections and says nothing, or little", async () => {
    await serve("--limit", "connections=300", "--limit", "connections_per_address=200");
    const rude = crowd({ port, connections: 1000, seconds: 5, addresses: 4 });
    // By then the silent ones have been silent for long enough to make room.
    await new Promise((done) => setTimeout(done, 2000));
    const kept = await offer({ port, model: "identity", seconds: 2, connections: 10, from: 100 });
    expectWhole(kept);
    expect(kept.answered["200"]).toBeGreaterThan(10);
    expect((await rude).connected).toBe(1000);
    const after = await offer({ port, model: "identity", seconds: 1, connections: 50, fresh: true, rate: 50 });
    expect(after.answered).toEqual({ "200": after.asked });
  }, 60_000);

  it("answers or refuses every request while the model's process is killed", async () => {
    await serve();
    const pid = child?.pid ?? 0;
    let kills = 0;
    const killer = setInterval(() => {
      for (const task of readdirSync(`/proc/${pid}/task`)) {
        const all = readFileSync(`/proc/${pid}/task/${task}/children`, "latin1");
        for (const own of all.trim().split(" ").filter(Boolean).map(Number)) {
          kills++;
          process.kill(own, "SIGKILL");
        }
      }
    }, 700);
    const tally = await offer({ port, model: "apart", seconds: 3, connections: 8 });
    clearInterval(killer);
    expectWhole(tally);
    expect(kills).toBeGreaterThan(1);
    expect(tally.answered["200"]).toBeGreaterThan(10);
    expect(sum(tally.closed)).toBe(0);
  }, 60_000);
});
