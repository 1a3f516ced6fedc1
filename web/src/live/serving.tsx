/** Models that are served: how they fare now and since the server began, and their pace over time. */

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { ModelFigures, ModelState, RefusalKind } from "../../../src/serve/engine.ts";
import type { Serving } from "../../../src/serve/page/answers.ts";
import type { Metric, Sample } from "../../../src/watch/sample.ts";
import { ask } from "../api.ts";
import { Badge, count, DataTable, harmless, plural, seconds, type Column, type Mark } from "../parts/index.ts";
import { Chart } from "./chart.tsx";
import { groupsOf } from "./device.tsx";
import { follows, paused, tick } from "./feed.ts";
import { History } from "./history.ts";
import { between, percentile, type Percentile } from "./spread.ts";

/** Queues change faster than anybody reads; a p99 of less than this holds a handful of requests. */
const EVERY_MS = 2_000;
const DEVICE = "models";

const serving = signal<Serving | undefined>(undefined);
const history = signal(new History());
let before: ReadonlyMap<string, ModelFigures> = new Map();
let at = 0;

const keyOf = ({ name, version }: { readonly name: string; readonly version: string }): string => `${name}/${version}`;

/** Asks until the signal says stop; that the server is away is said by the stream of samples. */
async function follow(stop: AbortSignal): Promise<void> {
  const stopped = (): boolean => stop.aborted;
  while (!stopped()) {
    try {
      const now = await ask<Serving>("api/serving", { signal: stop });
      const clock = performance.now();
      const sample = sampleOf(now, before, (clock - at) / 1000);
      if (at !== 0) history.peek().push(sample, EVERY_MS / 1000);
      before = new Map(now.figures.map((figures) => [keyOf(figures), figures]));
      at = clock;
      if (!paused.peek()) serving.value = now;
      if (!now.serves) return;
    } catch {
      // Asked again below.
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, EVERY_MS);
      stop.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

const REFUSALS: readonly RefusalKind[] = [
  "busy",
  "deadline",
  "cancelled",
  "failed",
  "invalid",
  "not-ready",
  "not-found",
];
const refused = ({ requests }: ModelFigures): number => REFUSALS.reduce((sum, kind) => sum + requests[kind], 0);

/** Figures as a sample, so that they are drawn as samples are: one metric each, its parts the models. */
export function sampleOf(now: Serving, was: ReadonlyMap<string, ModelFigures>, elapsed: number): Sample {
  const metrics = now.figures.flatMap((figures): Metric[] => {
    const last = was.get(keyOf(figures));
    const part = now.figures.filter(({ name }) => name === figures.name).length > 1 ? keyOf(figures) : figures.name;
    const from = "/api/serving";
    const rate = (name: string, total: number, old: number | undefined): Metric =>
      old === undefined || old > total || elapsed <= 0
        ? { name, part, from, value: null, why: "first", says: "a rate needs two readings" }
        : { name, part, from, value: (total - old) / elapsed };
    const time = (name: string, value: Percentile | undefined): Metric =>
      value === undefined
        ? { name, part, from, value: null, why: "absent", says: "no request in this moment" }
        : { name, part, from, value: value.seconds };
    const run = between(last?.run_seconds, figures.run_seconds);
    const queue = between(last?.queue_seconds, figures.queue_seconds);
    return [
      rate("answered_per_second", figures.requests.ok, last?.requests.ok),
      rate("refused_per_second", refused(figures), last === undefined ? undefined : refused(last)),
      { name: "waiting_requests_count", part, from, value: figures.waiting },
      time("queue_time_p99_seconds", last === undefined ? undefined : percentile(queue, 0.99)),
      time("run_time_p50_seconds", last === undefined ? undefined : percentile(run, 0.5)),
      time("run_time_p99_seconds", last === undefined ? undefined : percentile(run, 0.99)),
    ];
  });
  return {
    schema: 1,
    sequence: 0,
    at: new Date().toISOString(),
    elapsed_seconds: elapsed,
    took_seconds: 0,
    devices: [{ id: DEVICE, name: DEVICE, bus: "", address: "", power_state: null, metrics, processes: [] }],
  };
}

const statuses: Readonly<Record<ModelState["status"], Mark>> = {
  ready: { symbol: "✓", word: "ready", tone: "ok" },
  loading: { symbol: "…", word: "loading", tone: "note" },
  unloading: { symbol: "…", word: "unloading", tone: "note" },
  failed: { symbol: "✗", word: "failed", tone: "bad" },
  unloaded: { symbol: "–", word: "not loaded", tone: "plain" },
};

interface Row {
  readonly state: ModelState;
  readonly figures: ModelFigures | undefined;
}

export function ServedModels() {
  useEffect(() => {
    const stop = new AbortController();
    void follow(stop.signal);
    return () => stop.abort();
  }, []);
  const now = serving.value;
  if (now === undefined || !now.serves) return null;
  const figures = new Map(now.figures.map((one) => [keyOf(one), one]));
  const rows = now.models.map((state): Row => ({ state, figures: figures.get(keyOf(state)) }));
  return (
    <section aria-labelledby="served">
      <h2 id="served">Served models</h2>
      {rows.length === 0 ? (
        <p class="soft">No model is in the repository.</p>
      ) : (
        <DataTable
          label="Served models"
          rows={rows}
          columns={columns}
          rowKey={({ state }) => keyOf(state)}
          noun="model"
        />
      )}
      <Paces />
    </section>
  );
}

function Paces() {
  follows(tick);
  const { charts } = groupsOf(history.value, DEVICE);
  if (history.value.times.length < 2) return null;
  return (
    <div class="charts">
      {charts.map(({ key, name, series }) => (
        <Chart key={key} name={name} series={series} from={history.value} />
      ))}
    </div>
  );
}

const time = (of: (figures: ModelFigures) => Percentile | undefined, key: string, title: string): Column<Row> => ({
  key,
  title,
  value: ({ figures }) => (figures === undefined ? undefined : of(figures)?.seconds),
  cell: ({ figures }) => {
    const value = figures === undefined ? undefined : of(figures);
    if (value === undefined) return <span class="why">none yet</span>;
    return value.over ? `over ${seconds(value.seconds)}` : seconds(value.seconds);
  },
  align: "end",
});
const number = (of: (figures: ModelFigures) => number, key: string, title: string): Column<Row> => ({
  key,
  title,
  value: ({ figures }) => (figures === undefined ? undefined : of(figures)),
  cell: ({ figures }) => (figures === undefined ? "" : count(of(figures))),
  align: "end",
});

const columns: readonly Column<Row>[] = [
  { key: "name", title: "Model", value: ({ state }) => harmless(state.name) },
  { key: "version", title: "Version", value: ({ state }) => state.version, align: "end" },
  {
    key: "status",
    title: "Status",
    value: ({ state }) => statuses[state.status].word,
    cell: ({ state }) => (
      <>
        <Badge {...statuses[state.status]} bare />
        {state.reason !== undefined && <span class="why"> {harmless(state.reason)}</span>}
      </>
    ),
  },
  { key: "device", title: "Device", value: ({ state, figures }) => state.device ?? figures?.device },
  { key: "delegate", title: "Delegate", value: ({ state }) => state.delegate },
  number(({ requests }) => requests.ok, "ok", "Answered"),
  {
    key: "refused",
    title: "Not answered",
    value: ({ figures }) => (figures === undefined ? undefined : refused(figures)),
    cell: ({ figures }) => {
      if (figures === undefined) return "";
      const kinds = REFUSALS.filter((kind) => figures.requests[kind] > 0);
      return kinds.length === 0 ? "0" : kinds.map((kind) => `${count(figures.requests[kind])} ${kind}`).join(", ");
    },
    align: "end",
  },
  number(({ waiting }) => waiting, "waiting", "Waiting"),
  number(({ running }) => running, "running", "Running"),
  time(({ queue_seconds }) => percentile(queue_seconds, 0.5), "queue50", "Queue p50"),
  time(({ queue_seconds }) => percentile(queue_seconds, 0.99), "queue99", "Queue p99"),
  time(({ run_seconds }) => percentile(run_seconds, 0.5), "run50", "Run p50"),
  time(({ run_seconds }) => percentile(run_seconds, 0.99), "run99", "Run p99"),
  {
    key: "batch",
    title: "Batched",
    value: ({ figures }) =>
      figures === undefined || figures.batches === 0 ? undefined : figures.batched / figures.batches,
    cell: ({ state, figures }) => {
      if (state.max_batch === 0) return <span class="soft">no batching</span>;
      if (figures === undefined || figures.batches === 0) return <span class="why">none yet</span>;
      return `${(figures.batched / figures.batches).toFixed(1)} of ${state.max_batch}`;
    },
    align: "end",
  },
  {
    key: "restarts",
    title: "Restarts",
    value: ({ figures }) => figures?.restarts,
    cell: ({ figures }) =>
      figures === undefined ? "" : figures.restarts === 0 ? "0" : plural(figures.restarts, "restart"),
    align: "end",
  },
];
