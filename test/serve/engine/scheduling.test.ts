/** Who is computed next, on a device that computes one thing at a time and is moved by hand. */

import { describe, expect, it, vi } from "vitest";
import type { Refusal, InferAnswer } from "../../../src/serve/engine.ts";
import { Deadlines } from "../../../src/serve/engine/deadlines.ts";
import { Device, type Runner } from "../../../src/serve/engine/device.ts";
import { Job, JobList, type JobOwner } from "../../../src/serve/engine/job.ts";
import { AGE_MS, Lane, type LaneOptions } from "../../../src/serve/engine/lane.ts";

class Hand implements Runner, JobOwner {
  readonly lane: Lane;
  readonly ran: string[][] = [];
  readonly names = new Map<Job, string>();
  readonly #device: Device;
  #end: (() => void) | undefined;

  constructor(device: Device, options: Partial<LaneOptions> = {}) {
    this.lane = new Lane({
      name: "m",
      weight: 1,
      instances: 1,
      queue_requests: 10,
      queue_bytes: 1000,
      max_delay_ms: 0,
      batches: [],
      ...options,
    });
    this.#device = device;
    device.add(this);
  }
  free(): boolean {
    return this.#end === undefined;
  }
  run(jobs: readonly Job[]): Promise<number> {
    this.ran.push(jobs.map((job) => this.names.get(job) ?? ""));
    return new Promise((done) => {
      this.#end = () => {
        this.#end = undefined;
        done(performance.now());
      };
    });
  }
  left(job: Job): void {
    this.lane.left(job);
  }
  count(): void {
    // not looked at
  }
  /** Ends what runs; resolves when the next has begun. */
  async end(): Promise<void> {
    this.#end?.();
    await Promise.resolve();
    await Promise.resolve();
  }
  push(name: string, given: Partial<Job> = {}): { job: Job; outcome: Promise<InferAnswer | Refusal> } {
    let job: Job | undefined;
    const outcome = new Promise<InferAnswer | Refusal>((done) => {
      job = new Job(
        this,
        {
          inputs: new Map([["x", { type: "float32", shape: [1, 2], data: new Float32Array(2) }]]),
          wanted: undefined,
          options: undefined,
          priority: 5,
          rows: 1,
          bytes: 8,
          queued: performance.now(),
          deadline: Infinity,
          signal: undefined,
          ...given,
        },
        done,
        done,
      );
      this.names.set(job, name);
      this.#device.push(this, job, performance.now());
    });
    if (job === undefined) throw new Error("no job");
    return { job, outcome };
  }
}

const turn = (): Promise<void> => new Promise((done) => setImmediate(done));

describe("a device", () => {
  it("computes in the order of arrival, lower priorities first, whoever waited long before all", async () => {
    const device = new Device("cpu", 1);
    const hand = new Hand(device);
    const now = performance.now();
    hand.push("first");
    hand.push("five");
    hand.push("nine long ago", { priority: 9, queued: now - 9 * AGE_MS });
    hand.push("nine", { priority: 9 });
    hand.push("zero", { priority: 0 });
    hand.push("five too");
    hand.push("zero too", { priority: 0 });
    for (let at = 0; at < 7; at++) await hand.end();
    expect(hand.ran.flat()).toEqual(["first", "nine long ago", "zero", "zero too", "five", "five too", "nine"]);
  });

  it("shares its time between models by their weights, however long their runs are", async () => {
    let now = 0;
    vi.spyOn(performance, "now").mockImplementation(() => now);
    const device = new Device("npu", 1);
    const hands = [
      { hand: new Hand(device, { queue_requests: 1e6, weight: 2 }), ms: 3, had: 0 },
      { hand: new Hand(device, { queue_requests: 1e6 }), ms: 7, had: 0 },
      { hand: new Hand(device, { queue_requests: 1e6 }), ms: 1, had: 0 },
    ];
    for (let at = 0; at < 3000; at++) for (const { hand } of hands) hand.push(String(at), { queued: 0 });
    while (now < 2000) {
      const running = hands.find(({ hand }) => !hand.free());
      if (running === undefined) throw new Error("nothing runs");
      now += running.ms;
      running.had += running.ms;
      running.hand.lane.ran(running.ms, 1);
      await running.hand.end();
    }
    vi.restoreAllMocks();
    const [a = 0, b = 0, c = 0] = hands.map(({ had }) => had / 2000);
    expect([a, b, c].map((share) => Math.round(share * 20) / 20)).toEqual([0.5, 0.25, 0.25]);
  });

  it("owes nothing to a model that was away", async () => {
    const device = new Device("npu", 1);
    const [busy, away] = [new Hand(device), new Hand(device)];
    for (let at = 0; at < 6; at++) {
      busy.push("busy");
      busy.lane.share += 100;
      await busy.end();
    }
    busy.push("busy");
    for (const name of ["a", "b", "c"]) away.push(name);
    busy.push("busy");
    await busy.end();
    expect(away.ran.length).toBe(1);
    away.lane.share += 1000;
    await away.end();
    expect(away.ran.length).toBe(1);
    expect(busy.ran.length).toBe(8);
  });

  it("gathers what comes in one turn of the event loop, in numbers of rows that the model has seen", async () => {
    const device = new Device("cpu", 1);
    const hand = new Hand(device, { batches: [2, 4], queue_requests: 100 });
    for (let at = 0; at < 3; at++) hand.push(String(at));
    expect(hand.ran).toEqual([]);
    await turn();
    expect(hand.ran).toEqual([["0", "1"]]);
    for (let at = 3; at < 9; at++) hand.push(String(at));
    await hand.end();
    await hand.end();
    await hand.end();
    expect(hand.ran).toEqual([["0", "1"], ["2", "3", "4", "5"], ["6", "7"], ["8"]]);
  });

  it("puts together only what has the same shapes but for the rows, and no more rows than there may be", async () => {
    const device = new Device("cpu", 1);
    const hand = new Hand(device, { batches: [2, 4] });
    const wide = new Map([["x", { type: "float32" as const, shape: [1, 3], data: new Float32Array(3) }]]);
    hand.push("a");
    hand.push("wide", { inputs: wide });
    hand.push("b", { rows: 2 });
    hand.push("c", { rows: 2 });
    hand.push("d");
    await turn();
    for (let at = 0; at < 3; at++) await hand.end();
    expect(hand.ran).toEqual([["a", "b"], ["wide"], ["c"], ["d"]]);
  });

  it("waits as long for others as the config says, and no longer", { retry: 3 }, async () => {
    const device = new Device("cpu", 1);
    const hand = new Hand(device, { batches: [2, 4], max_delay_ms: 30 });
    const start = performance.now();
    hand.push("a");
    await turn();
    hand.push("b");
    await turn();
    expect(hand.ran).toEqual([]);
    while (hand.ran.length === 0) await new Promise((done) => setTimeout(done, 2));
    expect(performance.now() - start).toBeGreaterThanOrEqual(29);
    expect(hand.ran).toEqual([["a", "b"]]);
    await hand.end();
    for (const name of ["c", "d", "e", "f"]) hand.push(name);
    expect(hand.ran.at(-1)).toEqual(["c", "d", "e", "f"]);
  });

  it("forgets at once whoever cancels, and tells whoever waited too long", async () => {
    const device = new Device("cpu", 1);
    const hand = new Hand(device);
    const deadlines = new Deadlines();
    const gone = new AbortController();
    hand.push("runs");
    const cancelled = hand.push("cancelled", { signal: gone.signal });
    cancelled.job.listen();
    const late = Array.from({ length: 300 }, (_, at) => {
      const pushed = hand.push(`late ${at}`, { deadline: performance.now() + 5 + ((at * 7) % 10) });
      deadlines.add(pushed.job);
      return pushed.outcome;
    });
    expect([hand.lane.waiting, hand.lane.bytes]).toEqual([301, 2408]);
    gone.abort();
    expect(hand.lane.waiting).toBe(300);
    expect(await cancelled.outcome).toMatchObject({ kind: "cancelled" });
    expect(cancelled.job.inputs.size).toBe(0);
    for (const outcome of await Promise.all(late)) expect(outcome).toMatchObject({ kind: "deadline" });
    expect([hand.lane.waiting, hand.lane.bytes, hand.lane.rows]).toEqual([0, 0, 0]);
    deadlines.close();
  });
});

describe("a lane", () => {
  it("refuses what is too much, and says when to come again from what runs took", () => {
    const device = new Device("cpu", 0);
    const hand = new Hand(device, { queue_requests: 4, queue_bytes: 100 });
    const refused = (bytes: number): Refusal | undefined => {
      try {
        hand.lane.admit(bytes);
        return undefined;
      } catch (error) {
        return error as Refusal;
      }
    };
    expect(refused(1e9)).toBeUndefined(); // nothing waits: it would be the next
    for (let at = 0; at < 4; at++) hand.push(""); // one runs
    expect(refused(76)).toBeUndefined();
    expect(refused(77)).toMatchObject({ kind: "busy", retry_after_s: 1 });
    hand.push("");
    hand.lane.ran(2000, 2);
    expect(refused(1)).toMatchObject({ kind: "busy", retry_after_s: 2 });
  });

  it("loses none of those that leave from any place", () => {
    const list = new JobList();
    const device = new Device("cpu", 0);
    const hand = new Hand(device, { queue_requests: 100 });
    const jobs = Array.from({ length: 5 }, () => hand.push("").job);
    for (const job of jobs) job.list?.remove(job);
    for (const job of jobs) list.push(job);
    const order = (): number[] => {
      const all: number[] = [];
      for (let job = list.first; job !== undefined; job = job.next) all.push(jobs.indexOf(job));
      return all;
    };
    for (const at of [2, 0, 4]) list.remove(jobs[at] as Job);
    expect(order()).toEqual([1, 3]);
    list.unshift(jobs[4] as Job);
    list.push(jobs[0] as Job);
    expect(order()).toEqual([4, 1, 3, 0]);
  });
});
