/** The live part over HTTP: one sampler for all who look, bounded in what it keeps, and gone when nobody looks. */

import { afterEach, expect, test, vi } from "vitest";
import type { ModelFigures, ModelState } from "../../../src/serve/engine.ts";
import type { Recent, Serving } from "../../../src/serve/page/answers.ts";
import { livePart, type LiveOptions } from "../../../src/serve/page/live.ts";
import { SampleRing } from "../../../src/serve/page/ring.ts";
import { startServer, type Running } from "../../../src/serve/server.ts";
import type { Sample } from "../../../src/watch/sample.ts";
import { openWatch } from "../../../src/watch/watch.ts";
import { openRoot } from "../../../src/root/open.ts";

let server: Running | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

function sampleAt(sequence: number, at = Date.now()): Sample {
  return {
    ...{ schema: 1, sequence, at: new Date(at).toISOString(), elapsed_seconds: sequence === 0 ? null : 1 },
    ...{ took_seconds: 0.001, devices: [] },
  } as const;
}

function counting(): {
  readonly options: LiveOptions;
  readonly counts: { opened: number; closed: number; taken: number };
} {
  const counts = { opened: 0, closed: 0, taken: 0 };
  const open = (): ReturnType<LiveOptions["open"]> => {
    counts.opened++;
    return { sample: () => sampleAt(counts.taken++), close: () => counts.closed++ };
  };
  return { options: { open, linger_ms: 50 }, counts };
}

async function start(options: LiveOptions): Promise<string> {
  server = await startServer([livePart(options)]);
  return server.url;
}

interface Told {
  readonly name: string;
  readonly data: string;
}

/** Events until there are so many, or the stream ends. */
async function listen(url: string, many: number): Promise<Told[]> {
  const answer = await fetch(url);
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toBe("text/event-stream");
  const told: Told[] = [];
  let rest = "";
  const decoder = new TextDecoder();
  for await (const bytes of answer.body ?? []) {
    const parts = (rest + decoder.decode(bytes as Uint8Array, { stream: true })).split("\n\n");
    rest = parts.pop() ?? "";
    for (const part of parts) {
      const [, name = ""] = /^event: (.*)$/m.exec(part) ?? [];
      const [, data = ""] = /^data: (.*)$/m.exec(part) ?? [];
      told.push({ name, data });
    }
    if (told.length >= many) break;
  }
  return told.slice(0, many);
}

const get = async <T>(url: string): Promise<T> => (await (await fetch(url)).json()) as T;

test("one sampler serves all viewers, starts with the first and stops after the last", async () => {
  const { options, counts } = counting();
  const url = await start(options);
  expect(counts).toEqual({ opened: 0, closed: 0, taken: 0 });
  const both = await Promise.all([1, 2].map(() => listen(`${url}/api/samples?interval=0.25`, 3)));
  expect(counts.opened).toBe(1);
  for (const told of both) {
    expect(told.map(({ name }) => name)).toEqual(["sample", "sample", "sample"]);
    const sequences = told.map(({ data }) => (JSON.parse(data) as Sample).sequence);
    expect(sequences).toEqual([...sequences].sort((a, b) => a - b));
  }
  await vi.waitFor(() => expect(counts.closed).toBe(1), { timeout: 30_000 });
  const { taken } = counts;
  await new Promise((resolve) => setTimeout(resolve, 600));
  expect(counts.taken).toBe(taken);
});

test("whoever comes back within moments finds the sampler still there", async () => {
  const { options, counts } = counting();
  const url = await start({ ...options, linger_ms: 5000 });
  await listen(`${url}/api/samples?interval=0.25`, 1);
  await listen(`${url}/api/samples?interval=0.25`, 1);
  expect(counts).toMatchObject({ opened: 1, closed: 0 });
});

test("each viewer has its own pace", async () => {
  const { options, counts } = counting();
  const url = await start(options);
  const slow = listen(`${url}/api/samples?interval=1`, 2);
  const quick = listen(`${url}/api/samples?interval=0.25`, 6);
  const [first, second] = (await slow).map(({ data }) => Date.parse((JSON.parse(data) as Sample).at));
  expect((second ?? 0) - (first ?? 0)).toBeGreaterThan(800);
  await quick;
  expect(counts.opened).toBe(1);
});

test("an interval that would show up in the figures, or is none, is refused", async () => {
  const url = await start(counting().options);
  for (const interval of ["0.01", "0", "-1", "61", "x", "", "NaN", "1e9"]) {
    const answer = await fetch(`${url}/api/samples?interval=${interval}`);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toEqual({ error: "interval is seconds, from 0.25 to 60" });
  }
});

test("what was sampled is kept, and asked for from a moment on", async () => {
  const { options } = counting();
  const url = await start(options);
  expect(await get<Recent>(`${url}/api/samples/recent`)).toEqual({ recorded: false, saved: false, samples: [] });
  await listen(`${url}/api/samples?interval=0.25`, 3);
  const { samples } = await get<Recent>(`${url}/api/samples/recent`);
  expect(samples.length).toBeGreaterThanOrEqual(3);
  const since = samples[1]?.at ?? "";
  const later = await get<Recent>(`${url}/api/samples/recent?since=${encodeURIComponent(since)}`);
  expect(later.samples).toEqual(samples.slice(2));
  const all = await get<Recent>(`${url}/api/samples/recent?since=yesterday`);
  expect(all.samples).toHaveLength(samples.length);
});

test("too many viewers are told to come again", async () => {
  const { options } = counting();
  const url = await start(options);
  const stop = new AbortController();
  const viewers = Array.from({ length: 32 }, () => fetch(`${url}/api/samples`, { signal: stop.signal }));
  await Promise.all(viewers);
  const answer = await fetch(`${url}/api/samples`);
  expect(answer.status).toBe(429);
  expect(answer.headers.get("retry-after")).toBe("10");
  stop.abort();
  await Promise.allSettled(viewers.map((viewer) => viewer.then(({ body }) => body?.cancel())));
});

test("a machine that cannot be sampled any more is told to viewers, and tried anew by the next", async () => {
  let opened = 0;
  const url = await start({
    open: () => {
      if (++opened === 1) throw new Error("/sys is gone");
      return { sample: () => sampleAt(0), close: () => undefined };
    },
  });
  const told = await listen(`${url}/api/samples`, 2);
  expect(told).toEqual([{ name: "failed", data: "the machine cannot be sampled any more" }]);
  expect((await listen(`${url}/api/samples`, 1))[0]?.name).toBe("sample");
});

test("a recording is given whole and no sampler is opened", async () => {
  const { options, counts } = counting();
  const recorded = Array.from({ length: 5 }, (_, i) => sampleAt(i, Date.parse("2026-11-24T10:00:00Z") + i * 3_600_000));
  const url = await start({ ...options, recorded });
  expect(await get<Recent>(`${url}/api/samples/recent`)).toEqual({ recorded: true, saved: false, samples: recorded });
  await fetch(`${url}/api/samples`).then(({ body }) => body?.cancel());
  expect(counts.opened).toBe(0);
});

test("the server stops with viewers still there", async () => {
  const url = await start(counting().options);
  const listening = listen(`${url}/api/samples?interval=60`, 99).catch(() => []);
  await new Promise((resolve) => setTimeout(resolve, 200));
  const begin = performance.now();
  await server?.drain(60_000);
  expect(performance.now() - begin).toBeLessThan(30_000);
  expect((await listening).length).toBeLessThan(99); // ended or cut off, as the server likes
});

test("a server without models says that it serves none, one with an engine tells its figures", async () => {
  const { options } = counting();
  expect(await get<Serving>(`${await start(options)}/api/serving`)).toEqual({ serves: false, models: [], figures: [] });
  await server?.close();
  const state = { name: "identity", version: "1", status: "ready" } as ModelState;
  const figures = { name: "identity", version: "1", waiting: 2 } as ModelFigures;
  const engine = { models: () => [state], figures: () => [figures] };
  const url = await start({ ...options, engine });
  expect(await get<Serving>(`${url}/api/serving`)).toEqual({ serves: true, models: [state], figures: [figures] });
});

test("this machine's CPU is in the stream", async () => {
  const url = await start({ open: () => openWatch(openRoot()) });
  const told = await listen(`${url}/api/samples?interval=0.25`, 2);
  const sample = JSON.parse(told[1]?.data ?? "") as Sample;
  const cpu = sample.devices.find(({ family }) => family === "cpu");
  const busy = cpu?.metrics.find(({ name }) => name === "busy_ratio");
  expect(busy?.value).toBeGreaterThanOrEqual(0);
  expect(busy?.value).toBeLessThanOrEqual(1);
});

test("the ring holds an hour, so many samples, and so many bytes", () => {
  const ring = new SampleRing();
  const begin = Date.parse("2026-11-24T10:00:00Z");
  for (let i = 0; i < 100; i++) ring.push(sampleAt(i, begin + i * 60_000));
  expect(ring.texts(-Infinity)).toHaveLength(61);
  const quick = new SampleRing();
  for (let i = 0; i < 4000; i++) quick.push(sampleAt(i, begin + i * 250));
  expect(quick.texts(-Infinity)).toHaveLength(3600);
  const large = new SampleRing();
  const wide = { ...sampleAt(0, begin), devices: [{ id: "x".repeat(4 << 20) }] } as unknown as Sample;
  for (let i = 0; i < 20; i++) large.push({ ...wide, at: new Date(begin + i).toISOString() });
  expect(large.texts(-Infinity)).toHaveLength(7);
});
