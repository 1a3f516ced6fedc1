/** One device: its charts, who uses it, and what of it cannot be read. */

import { useState } from "preact/hooks";
import { Badge, DataTable, harmless, plural, type Column } from "../parts/index.ts";
import type { DeviceSample, ProcessUse } from "../../../src/watch/sample.ts";
import { Chart } from "./chart.tsx";
import { follows, history, state, tick } from "./feed.ts";
import type { History, Series } from "./history.ts";
import { show, titleOf } from "./names.ts";
import { clockOf } from "./window.ts";

interface Group {
  readonly key: string;
  readonly name: string;
  readonly ofProcesses: boolean;
  readonly series: readonly Series[];
  readonly most: number | undefined;
}

/** Order of charts; what is not named comes after, by its name. */
const order = [
  "busy_ratio",
  "power_watts",
  "temperature_celsius",
  "memory_bytes",
  "clock_hertz",
  "fan_rpm",
  "throttle_count",
  "answered_per_second",
  "refused_per_second",
  "waiting_requests_count",
  "queue_time_p99_seconds",
  "run_time_p50_seconds",
  "run_time_p99_seconds",
];
const place = (name: string): number => {
  const at = order.findIndex((known) => name === known);
  return at < 0 ? order.length : at;
};

/** Says what the whole is: drawn as the height of another chart, not as a line of its own. */
const WHOLE = /^(.*)_total_bytes$/;

export function groupsOf(
  from: History,
  device: string,
): { readonly charts: readonly Group[]; readonly unread: readonly Series[] } {
  const groups = new Map<string, Series[]>();
  const unread: Series[] = [];
  const wholes = new Map<string, number>();
  for (const series of from.series.values()) {
    if (series.device !== device) continue;
    const [, of] = WHOLE.exec(series.name) ?? [];
    const last = series.values.findLast((value) => value !== null);
    if (of !== undefined && series.pid === undefined && typeof last === "number") {
      wholes.set(`${of}_bytes`, last);
      continue;
    }
    // A rate has nothing in the first sample: that is no reason to list it among what cannot be read.
    if (typeof last !== "number") {
      if (series.pid === undefined && !firstOnly(from, series)) unread.push(series);
      else if (series.pid === undefined) push(groups, series);
    } else push(groups, series);
  }
  const charts = [...groups.entries()].map(([key, series]): Group => {
    const [first] = series;
    const name = first?.name ?? "";
    const ofProcesses = first?.pid !== undefined;
    return { key, name, ofProcesses, series, most: ofProcesses ? undefined : wholes.get(name) };
  });
  charts.sort(
    (a, b) =>
      Number(a.ofProcesses) - Number(b.ofProcesses) || place(a.name) - place(b.name) || a.name.localeCompare(b.name),
  );
  return { charts, unread };
}

const firstOnly = (from: History, series: Series): boolean =>
  from.last?.devices
    .find(({ id }) => id === series.device)
    ?.metrics.some(
      (metric) =>
        metric.name === series.name && metric.part === series.part && metric.value === null && metric.why === "first",
    ) === true;

function push(groups: Map<string, Series[]>, series: Series): void {
  const key = `${series.pid === undefined ? "" : "process "}${series.name}`;
  const there = groups.get(key);
  if (there === undefined) groups.set(key, [series]);
  else there.push(series);
}

/** Is there anything to draw of it? */
export const tells = (from: History, device: string): boolean => groupsOf(from, device).charts.length > 0;

const power: Readonly<
  Record<string, { readonly symbol: string; readonly word: string; readonly tone: "ok" | "plain" }>
> = {
  active: { symbol: "●", word: "awake", tone: "ok" },
  suspended: { symbol: "☾", word: "asleep", tone: "plain" },
};

export function Device({ id }: { readonly id: string }) {
  follows(tick);
  const from = history.value;
  const [all, setAll] = useState(false);
  const known = from.devices.get(id);
  if (known === undefined) return null;
  const { sample, at } = known;
  const gone = from.last !== undefined && at < Date.parse(from.last.at) / 1000;
  const { charts, unread } = groupsOf(from, id);
  const shown = all ? charts : charts.slice(0, 12);
  return (
    <section class={charts.length === 0 ? "live-device bare" : "live-device"} aria-label={sample.name}>
      <Head sample={sample} {...(gone ? { gone: at } : {})} />
      {charts.length === 0 && (
        <p class="soft">
          {unread.length === 0
            ? "Nothing is told of this device."
            : `Nothing of it can be read: ${mostOften(from, unread)}.`}
        </p>
      )}
      <div class="charts">
        {shown.map(({ key, name, ofProcesses, series, most }) => (
          <Chart key={key} name={name} series={series} most={most} {...(ofProcesses ? { of: "of processes" } : {})} />
        ))}
      </div>
      {charts.length > shown.length && (
        <button type="button" onClick={() => setAll(true)}>
          {plural(charts.length - shown.length, "more chart")}
        </button>
      )}
      {sample.bus !== "cpu" && (charts.length > 0 || (sample.processes ?? []).length > 0) && (
        <Processes processes={sample.processes} because={sample.processes_because} device={sample.name} />
      )}
      {unread.length > 0 && <Unread series={unread} from={from} />}
    </section>
  );
}

/** `gone`: the moment since when it is not there, in seconds. */
export function Head({ sample, gone }: { readonly sample: DeviceSample; readonly gone?: number }) {
  const mark = sample.power_state === null ? undefined : power[sample.power_state];
  return (
    <div class="live-device-head">
      <h3>{harmless(sample.name)}</h3>
      {gone !== undefined ? (
        <Badge symbol="✗" word={`gone since ${clockOf(gone)}`} tone="bad" />
      ) : (
        mark !== undefined && <Badge {...mark} />
      )}
      <span class="soft">
        <code>{harmless(sample.address === "" ? sample.bus : `${sample.bus} ${sample.address}`)}</code>
        {sample.driver !== undefined && (
          <>
            {" "}
            · driver <code>{harmless(sample.driver)}</code>
          </>
        )}
      </span>
    </div>
  );
}

export function Unread({ series, from }: { readonly series: readonly Series[]; readonly from: History }) {
  const row = from.times.length - 1;
  return (
    <details class="unread">
      <summary>{plural(series.length, "metric")} not read, and why</summary>
      <ul>
        {series.map((one) => (
          <li key={one.key}>
            <b>
              {titleOf(one.name)}
              {one.part !== undefined && `, ${one.part}`}
            </b>{" "}
            <span class="why">{harmless(from.reason(one, row) ?? "not told")}</span>{" "}
            <code class="soft">{harmless(one.from)}</code>
          </li>
        ))}
      </ul>
    </details>
  );
}

/** The reason of most: "no driver is bound". */
export function mostOften(from: History, series: readonly Series[]): string {
  const counts = new Map<string, number>();
  for (const one of series) {
    const reason = harmless(from.reason(one, from.times.length - 1) ?? "not told");
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0] ?? "not told";
}

interface ProcessesProps {
  readonly processes: readonly ProcessUse[] | null;
  readonly because: string | undefined;
  readonly device: string;
}

function Processes({ processes, because, device }: ProcessesProps) {
  if (processes === null || processes.length === 0) {
    // Nobody has it open, and nothing is to be said of it: no line.
    if (processes !== null && because === undefined) return <p class="soft">No process has it open.</p>;
    return (
      <p class="soft">
        {processes === null ? "Processes are not known" : "No process is seen"}
        {because === undefined ? "." : `: ${harmless(because)}`}
      </p>
    );
  }
  const names = [...new Set(processes.flatMap(({ metrics }) => metrics.map(({ name }) => name)))].sort();
  const valueOf = (use: ProcessUse, name: string): number | undefined => {
    const values = use.metrics.flatMap((metric) =>
      metric.name === name && metric.value !== null ? [metric.value] : [],
    );
    // Several engines of one device: the busiest one.
    return values.length === 0 ? undefined : Math.max(...values);
  };
  const columns: Column<ProcessUse>[] = [
    { key: "pid", title: "PID", value: ({ pid }) => pid, align: "end", mono: true },
    { key: "command", title: "Command", value: ({ command }) => harmless(command), mono: true },
    { key: "user", title: "User", value: ({ user }) => user },
    ...names.map((name): Column<ProcessUse> => ({
      key: name,
      title: titleOf(name),
      value: (use) => valueOf(use, name),
      cell: (use) => {
        const value = valueOf(use, name);
        if (value !== undefined) return show(name, value);
        const unknown = use.metrics.find((metric) => metric.name === name && metric.value === null);
        return <span class="why">{unknown?.value === null ? unknown.says : "not told"}</span>;
      },
      align: "end",
    })),
    { key: "how", title: "Known by", value: ({ how }) => hows[how] },
  ];
  return (
    <div class="processes">
      <h4>Processes</h4>
      {because !== undefined && <p class="soft">{harmless(because)}</p>}
      <DataTable
        label={`Processes on ${device}`}
        rows={processes}
        columns={columns}
        rowKey={({ pid }) => String(pid)}
        noun="process"
        sort={names[0] === undefined ? { key: "pid" } : { key: names[0], down: true }}
      />
    </div>
  );
}

const hows: Readonly<Record<ProcessUse["how"], string>> = {
  fdinfo: "the driver's count",
  open: "has the node open",
  "vendor's library": "the vendor's library",
};

interface Row {
  readonly key: string;
  readonly device: string;
  readonly series: Series;
  readonly least: number | undefined;
  readonly most: number | undefined;
  readonly why: string | undefined;
}

/** Everything in numbers: for screen readers, and for whoever wants numbers. */
export function Values() {
  follows(tick);
  const from = history.value;
  const row = from.times.length - 1;
  const rows = [...from.series.values()].map((series): Row => {
    const values = series.values.filter((value) => value !== null);
    return {
      key: series.key,
      device: from.devices.get(series.device)?.sample.name ?? series.device,
      series,
      least: values.length === 0 ? undefined : values.reduce((a, b) => Math.min(a, b)),
      most: values.length === 0 ? undefined : values.reduce((a, b) => Math.max(a, b)),
      why: from.reason(series, row),
    };
  });
  const quantity = (key: "least" | "most", title: string): Column<Row> => ({
    key,
    title,
    value: (one) => one[key],
    cell: (one) => (one[key] === undefined ? "" : show(one.series.name, one[key])),
    align: "end",
  });
  const columns: Column<Row>[] = [
    { key: "device", title: "Device", value: ({ device }) => harmless(device) },
    {
      key: "name",
      title: "Metric",
      value: ({ series }) => titleOf(series.name),
      cell: ({ series }) => <span title={series.name}>{titleOf(series.name)}</span>,
    },
    { key: "part", title: "Part or process", value: ({ series }) => series.part },
    {
      key: "now",
      title: "Now",
      value: ({ series }) => series.values[row] ?? undefined,
      cell: ({ series, why }) => {
        const value = series.values[row];
        return value === null || value === undefined ? <span class="why">{why}</span> : show(series.name, value);
      },
      align: "end",
    },
    quantity("least", "Least"),
    quantity("most", "Most"),
    { key: "from", title: "Read from", value: ({ series }) => harmless(series.from), mono: true },
  ];
  return (
    <DataTable
      label={`Values of all metrics${state.value.is === "recorded" ? " at the recording's end" : ""}`}
      rows={rows}
      columns={columns}
      rowKey={({ key }) => key}
      noun="metric"
      filter
    />
  );
}
