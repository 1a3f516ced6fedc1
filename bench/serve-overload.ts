/**
 * `accelctl serve` asked for more than it can do: ten times as many requests for a minute, ten thousand connections at once of which
 * none wants anything good, and a model whose process is killed every second. Promises: it serves on, its memory is bounded, no answer
 * is wrong, and every request is answered, refused, or its connection ended where the table says so. BENCH_SECONDS shortens the minute,
 * BENCH_PARTS=overload,crowd,killed chooses.
 * The same for seconds is a test (test/serve/overload.test.ts).
 */

import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { Agent, get } from "node:http";
import { loadavg } from "node:os";
import { resolve } from "node:path";
import delegate from "../src/delegates/onnxruntime.ts";
import { crowd, offer, type Crowd, type CrowdTally, type Offer, type Tally } from "../test/support/callers.ts";
import { wideIdentityOnnx } from "../test/support/onnx.ts";
import { identityOnnx, modelsFolder } from "../test/support/served-models.ts";
import { table } from "./_table.ts";

const SECONDS = Number(process.env["BENCH_SECONDS"] ?? 60);
const [TIMES, CROWD] = [10, 10_000];
/** Of the callers who want ten times as much: more than the server takes (limits.connections). */
const CONNECTIONS = 3000;
/** Rows and columns of the model of about a millisecond. */
const WIDE = 1024;
const pinned = spawnSync("taskset", ["--version"]).status === 0;

const run = (core: number, words: readonly string[], stderr: "inherit" | "ignore" = "inherit"): ChildProcess =>
  pinned
    ? spawn("taskset", ["-c", String(core), process.execPath, ...words], { stdio: ["ignore", "pipe", stderr] })
    : spawn(process.execPath, words, { stdio: ["ignore", "pipe", stderr] });

/** Callers in a process of their own. */
function elsewhere<T>(role: "offer" | "crowd", wanted: object): Promise<T> {
  return new Promise((done, failed) => {
    const child = run(1, [process.argv[1] ?? "", role, JSON.stringify(wanted)]);
    let text = "";
    child.stdout?.on("data", (bytes: Buffer) => (text += bytes.toString()));
    child.on("close", () => {
      try {
        done(JSON.parse(text) as T);
      } catch (error) {
        failed(new Error(`the callers said: ${text}`, { cause: error }));
      }
    });
  });
}
const offers = (wanted: Offer): Promise<Tally> => elsewhere("offer", wanted);
const crowds = (wanted: Crowd): Promise<CrowdTally> => elsewhere("crowd", wanted);

interface Served {
  readonly port: number;
  readonly pid: number;
  readonly child: ChildProcess;
}

async function serve(models: string, ...more: string[]): Promise<Served> {
  const words = ["serve", "--models", models, "--listen", "127.0.0.1:0", "--grpc", "off", "--no-page", "--no-metrics"];
  const child = run(0, [resolve("dist/accelctl.cjs"), ...words, "--log-level", "error", ...more]);
  process.on("exit", () => child.kill("SIGKILL"));
  const port = await new Promise<number>((done, failed) => {
    child.stdout?.on("data", (bytes: Buffer) => done(Number(new URL(bytes.toString().trim()).port)));
    child.on("exit", () => failed(new Error("the server ended")));
  });
  for (let i = 0; i < 300; i++) {
    if ((await fetch(`http://127.0.0.1:${port}/v2/health/ready`)).status === 200) break;
    await pause(100);
  }
  return { port, pid: child.pid ?? 0, child };
}

/** Resident MiB of the server, and how long it takes to say that it lives. */
class Watched {
  readonly rss: number[] = [];
  readonly lives: number[] = [];
  failed = 0;
  readonly #timer: NodeJS.Timeout;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  constructor({ pid, port }: Served) {
    const look = (): void => {
      this.rss.push(residentMib(pid));
      const start = performance.now();
      const asked = get({ port, host: "127.0.0.1", path: "/v2/health/live", agent: this.#agent }, (answer) => {
        answer.resume().on("end", () => {
          if (answer.statusCode === 200) this.lives.push(performance.now() - start);
          else this.failed++;
        });
      });
      asked.on("error", () => this.failed++);
    };
    look();
    this.#timer = setInterval(look, 250);
  }
  end(): void {
    clearInterval(this.#timer);
    this.#agent.destroy();
  }
  get told(): string[] {
    const sorted = [...this.lives].sort((a, b) => a - b);
    return [
      (this.rss[0] ?? NaN).toFixed(0),
      Math.max(...this.rss).toFixed(0),
      (this.rss.at(-1) ?? NaN).toFixed(0),
      (sorted[sorted.length >> 1] ?? NaN).toFixed(1),
      `${(sorted.at(-1) ?? NaN).toFixed(0)}${this.failed > 0 ? ` (${this.failed} failed)` : ""}`,
    ];
  }
}
const watchedHead = ["RSS start MiB", "peak", "end", "live? p50 ms", "max"];

const residentMib = (pid: number): number => {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]) / 1024;
  } catch {
    return NaN; // it has ended
  }
};

const words = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(", ") || "0";

const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0);

const talliedHead = [
  "due",
  "not sent",
  "asked",
  "answered",
  "wrong",
  "no Retry-After",
  "closed",
  "not connected",
  "lost",
  "p50 ms",
  "p99",
  "refusal p99",
];
function tallied(tally: Tally): string[] {
  const { due, unsent, asked, answered, wrong, silent, closed, unconnected, lost } = tally;
  const accounted = sum(answered) + sum(closed) + sum(unconnected) + lost;
  if (wrong > 0 || lost > 0 || accounted !== asked) process.exitCode = 1;
  return [
    ...[due, unsent, asked].map(String),
    words(answered),
    ...[wrong, silent].map(String),
    words(closed),
    words(unconnected),
    String(lost),
    ...[tally.p50, tally.p99, tally.refused_p99].map((ms) => ms?.toFixed(1) ?? ""),
  ];
}

async function main(): Promise<void> {
  if (delegate.find({}).state !== "read") {
    process.stdout.write("onnxruntime-node has no library for this machine, so nothing was measured\n");
    return;
  }
  const only = { threads: 1, max_batch: 0 };
  const folder = modelsFolder({
    "identity/1/model.onnx": identityOnnx(),
    "identity/accelctl.json": only,
    "wide/1/model.onnx": wideIdentityOnnx(WIDE),
    "wide/accelctl.json": only,
    "apart/1/model.onnx": identityOnnx(),
    "apart/accelctl.json": { isolate: true },
  });
  process.stdout.write(
    `load before: ${loadavg()
      .map((one) => one.toFixed(1))
      .join(" ")}\n`,
  );
  const parts = (process.env["BENCH_PARTS"] ?? "overload,crowd,killed").split(",");
  try {
    if (parts.includes("overload")) await overload(folder.path);
    if (parts.includes("crowd")) await crowded(folder.path);
    if (parts.includes("killed")) await killed(folder.path);
  } finally {
    folder.remove();
  }
  process.stdout.write(
    `load after: ${loadavg()
      .map((one) => one.toFixed(1))
      .join(" ")}\n`,
  );
}

async function overload(models: string): Promise<void> {
  for (const model of ["wide", "identity"]) {
    const served = await serve(models);
    const { port } = served;
    const closedLoop = (seconds: number): Promise<Tally> => offers({ port, model, seconds, connections: 16 });
    await closedLoop(1);
    const before = await closedLoop(3);
    const most = (before.answered["200"] ?? 0) / 3;
    const watched = new Watched(served);
    const rate = most * TIMES;
    const during = await offers({ port, model, rate, seconds: SECONDS, connections: CONNECTIONS, addresses: 8 });
    await pause(500);
    const after = await closedLoop(3);
    await pause(500);
    watched.end();
    table(
      `model "${model}": at most ${most.toFixed(0)} requests/s with 16 callers; ${TIMES} times that for ${SECONDS} s, then 16 callers again`,
      ["callers", ...talliedHead],
      [
        ["16 before", ...tallied(before)],
        [`${rate.toFixed(0)}/s`, ...tallied(during)],
        ["16 after", ...tallied(after)],
      ],
    );
    table(
      "the server meanwhile",
      ["", ...watchedHead, "200 per s"],
      [["", ...watched.told, ((during.answered["200"] ?? 0) / SECONDS).toFixed(0)]],
    );
    await stop(served);
  }
}

async function crowded(models: string): Promise<void> {
  const seconds = Math.min(SECONDS, 30);
  const wide = ["--limit", `connections=${CROWD + 1000}`, "--limit", `connections_per_address=${CROWD + 1000}`];
  const cases: [string, string[], number][] = [
    ["usual limits, one address", [], 1],
    ["usual limits, 32 addresses", [], 32],
    ["limits above the crowd", wide, 1],
  ];
  const rows: string[][] = [];
  const callers: string[][] = [];
  for (const [name, more, addresses] of cases) {
    const served = await serve(models, ...more);
    const watched = new Watched(served);
    const { port } = served;
    const model = "identity";
    const kept = offers({ port, model, rate: 200, seconds: seconds + 2, connections: 20, from: 200 });
    await pause(1000);
    const rude = crowds({ port, connections: CROWD, seconds, addresses });
    await pause(500);
    const fresh = await offers({
      port,
      model,
      rate: 50,
      seconds: seconds - 2,
      connections: 200,
      fresh: true,
      from: 201,
    });
    const [all, told] = await Promise.all([kept, rude]);
    const after = await offers({ port, model, seconds: 2, connections: 16, from: 202 });
    watched.end();
    rows.push([
      name,
      String(told.connected),
      words(told.told),
      words(told.closed),
      words(told.unconnected),
      String(told.held),
      ...watched.told,
    ]);
    callers.push(
      [`${name}: kept`, ...tallied(all)],
      [`${name}: a connection each`, ...tallied(fresh)],
      [`${name}: after`, ...tallied(after)],
    );
    await stop(served);
  }
  table(
    `${CROWD} connections at once for ${seconds} s: half say nothing, a quarter trickle headers, a quarter a body`,
    ["", "connected", "told", "closed", "not connected", "open at the end", ...watchedHead],
    rows,
  );
  table("those who ask in earnest meanwhile, from another address", ["", ...talliedHead], callers);
}

async function killed(models: string): Promise<void> {
  const served = await serve(models);
  const watched = new Watched(served);
  let kills = 0;
  const killer = setInterval(() => {
    for (const pid of children(served.pid)) {
      kills++;
      process.kill(pid, "SIGKILL");
    }
  }, 1000);
  const tally = await offers({ port: served.port, model: "apart", seconds: SECONDS, connections: 16 });
  clearInterval(killer);
  await pause(1000);
  const after = await offers({ port: served.port, model: "apart", seconds: 2, connections: 16 });
  watched.end();
  if (kills < SECONDS / 2) process.exitCode = 1;
  table(
    `a model in a process of its own, killed every second for ${SECONDS} s (${kills} kills), 16 callers over HTTP`,
    ["", ...talliedHead],
    [
      ["while killed", ...tallied(tally)],
      ["after", ...tallied(after)],
    ],
  );
  table("the server meanwhile", ["", ...watchedHead], [["", ...watched.told]]);
  await stop(served);
}

/** Processes that it has started and that are alive. */
function children(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) => {
    try {
      const all = readFileSync(`/proc/${pid}/task/${task}/children`, "latin1");
      return all.trim().split(" ").filter(Boolean).map(Number);
    } catch {
      return []; // the thread has just ended
    }
  });
}

/** Told to stop, it ends with 0. */
async function stop({ child }: Served): Promise<void> {
  const ended = new Promise<number | null>((done) => child.on("exit", (code) => done(code)));
  child.kill("SIGTERM");
  const code = await ended;
  if (code === 0) return;
  process.stdout.write(`the server ended with ${String(code)}\n`);
  process.exitCode = 1;
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

const [role, argument = ""] = process.argv.slice(2);
if (role === "offer") {
  process.stdout.write(JSON.stringify(await offer(JSON.parse(argument) as Offer)));
  process.exit(0);
} else if (role === "crowd") {
  process.stdout.write(JSON.stringify(await crowd(JSON.parse(argument) as Crowd)));
  process.exit(0);
} else await main();
