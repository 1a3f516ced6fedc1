/**
 * The Grafana dashboard as data: grafana.test.ts holds it against Grafana's own types and writes deploy/grafana/accelctl.json
 * (npm run accept). https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/
 */

import {
  DashboardCursorSync,
  ThresholdsMode,
  VariableRefresh,
  VariableSort,
  type Dashboard,
  type Panel,
  type RowPanel,
  type VariableModel,
} from "@grafana/schema";

const source = { type: "prometheus", uid: "${datasource}" };
const mine = `instance=~"$instance"`;
const device = `${mine}, device=~"$device"`;
const model = `${mine}, model=~"$model"`;

interface Query {
  readonly expr: string;
  readonly legend: string;
}

let ids = 0;
const nextId = (): number => ++ids;
const refs = "ABCDEFGH";

const targets = (queries: readonly Query[], more: Readonly<Record<string, unknown>> = {}) =>
  queries.map(({ expr, legend }, i) => ({
    refId: refs.charAt(i),
    datasource: source,
    expr,
    legendFormat: legend,
    editorMode: "code",
    ...more,
  }));

const curves = (
  title: string,
  description: string,
  unit: string,
  queries: readonly Query[],
  more: Readonly<Record<string, unknown>> = {},
): Panel => ({
  id: nextId(),
  type: "timeseries",
  title,
  description,
  datasource: source,
  targets: targets(queries),
  fieldConfig: {
    defaults: {
      unit,
      ...more,
      // What was not known is a gap, and no line is drawn over it.
      custom: { lineWidth: 1, fillOpacity: 8, showPoints: "auto", spanNulls: false },
    },
    overrides: [],
  },
  options: {
    legend: { displayMode: "table", placement: "bottom", showLegend: true, calcs: ["lastNotNull", "max"] },
    tooltip: { mode: "multi", sort: "desc" },
  },
});

const figure = (
  title: string,
  description: string,
  expr: string,
  steps: readonly [number | null, string][],
): Panel => ({
  id: nextId(),
  type: "stat",
  title,
  description,
  datasource: source,
  targets: targets([{ expr, legend: "" }], { instant: true }),
  fieldConfig: {
    defaults: {
      thresholds: {
        mode: ThresholdsMode.Absolute,
        steps: steps.map(([value, color]) => ({ value, color })),
      },
    },
    overrides: [],
  },
  options: {
    colorMode: "value",
    graphMode: "none",
    reduceOptions: { calcs: ["lastNotNull"], fields: "", values: false },
  },
});

const list = (title: string, description: string, expr: string, hidden: readonly string[]): Panel => ({
  id: nextId(),
  type: "table",
  title,
  description,
  datasource: source,
  targets: targets([{ expr, legend: "" }], { instant: true, format: "table" }),
  transformations: [
    {
      id: "organize",
      options: {
        excludeByName: Object.fromEntries(["Time", "Value", "__name__", "job", ...hidden].map((name) => [name, true])),
      },
    },
  ],
  fieldConfig: { defaults: {}, overrides: [] },
  options: { showHeader: true, cellHeight: "sm" },
});

const row = (title: string): RowPanel => ({ id: nextId(), type: "row", title, collapsed: false, panels: [] });

/** One after the other, so many columns of 24 wide. */
function laidOut(
  rows: readonly (readonly [height: number, panels: readonly (Panel | RowPanel)[]])[],
): (Panel | RowPanel)[] {
  let y = 0;
  return rows.flatMap(([h, panels]) => {
    const w = Math.floor(24 / panels.length);
    const placed = panels.map((panel, i) => ({ ...panel, gridPos: { h, w, x: i * w, y } }));
    y += h;
    return placed;
  });
}

const variable = (name: string, label: string, query: string): VariableModel => ({
  type: "query",
  name,
  label,
  datasource: source,
  query: { query, refId: name },
  refresh: VariableRefresh.onTimeRangeChanged,
  includeAll: true,
  multi: true,
  current: { text: "All", value: "$__all" },
  sort: VariableSort.alphabeticalAsc,
});

const red = "red";
const green = "green";
const neutral = "text";

const quantile = (q: number, metric: string): string =>
  `histogram_quantile(${q}, sum by (le, model) (rate(${metric}_bucket{${model}}[$__rate_interval])))`;

export const dashboard = {
  uid: "accelctl",
  title: "AI accelerators (accelctl)",
  description: "Devices, findings and served models as accelctl tells them at /metrics.",
  tags: ["accelctl", "accelerators"],
  editable: true,
  schemaVersion: 39,
  refresh: "30s",
  time: { from: "now-1h", to: "now" },
  timezone: "browser",
  graphTooltip: DashboardCursorSync.Crosshair,
  templating: {
    list: [
      {
        type: "datasource",
        name: "datasource",
        label: "Prometheus",
        query: "prometheus",
        current: { text: "", value: "" },
      },
      variable("instance", "Machine", "label_values(accelctl_build_info, instance)"),
      variable("device", "Device", `label_values(accelctl_device_info{${mine}}, device)`),
      variable("model", "Model", `label_values(accelctl_model_requests_total{${mine}}, model)`),
    ],
  },
  panels: laidOut([
    [
      4,
      [
        figure("Devices", "Accelerators that are watched.", `count(accelctl_device_info{${device}})`, [
          [null, neutral],
        ]),
        figure("Work", "Devices of which at least one route works.", `sum(accelctl_device_works{${device}})`, [
          [null, neutral],
        ]),
        figure(
          "Do not work",
          "Devices of which no route works.",
          `count(accelctl_device_works{${device}} == 0) or vector(0)`,
          [
            [null, green],
            [1, red],
          ],
        ),
        figure("Errors", "Findings of this severity.", `sum(accelctl_findings{${mine}, severity="error"})`, [
          [null, green],
          [1, red],
        ]),
        figure("Warnings", "Findings of this severity.", `sum(accelctl_findings{${mine}, severity="warning"})`, [
          [null, green],
          [1, "orange"],
        ]),
        figure(
          "Not told",
          "Metrics without a value: a sleeping device, a right that is missing, a driver that has none.",
          `sum(accelctl_metric_unread{${device}}) or vector(0)`,
          [[null, neutral]],
        ),
      ],
    ],
    [1, [row("Devices")]],
    [
      8,
      [
        list("What is there", "One line a device.", `accelctl_device_info{${device}}`, ["instance"]),
        list("Findings", "accelctl explain RULE tells each of them.", `accelctl_finding{${device}}`, ["instance"]),
      ],
    ],
    [
      9,
      [
        curves(
          "Busy",
          "Share of the time in which it computed; the busiest part of each device.",
          "percentunit",
          [
            {
              expr: `max by (instance, device, name) (accelctl_device_busy_ratio{${device}})`,
              legend: "{{name}} {{device}}",
            },
          ],
          { min: 0, max: 1 },
        ),
        curves(
          "Memory in use",
          "Of the device itself; a GPU without memory of its own tells the machine's.",
          "bytes",
          [{ expr: `accelctl_device_memory_bytes{${device}}`, legend: "{{name}} {{part}} {{device}}" }],
          { min: 0 },
        ),
      ],
    ],
    [
      9,
      [
        curves("Power", "What it draws.", "watt", [
          { expr: `accelctl_device_power_watts{${device}}`, legend: "{{name}} {{part}} {{device}}" },
        ]),
        curves("Temperature", "And the limit, where the driver tells one.", "celsius", [
          { expr: `accelctl_device_temperature_celsius{${device}}`, legend: "{{name}} {{part}} {{device}}" },
          {
            expr: `accelctl_device_temperature_limit_celsius{${device}}`,
            legend: "limit {{name}} {{part}} {{device}}",
          },
        ]),
        curves("Clock", "At this moment; 0 of a device that rests.", "hertz", [
          { expr: `accelctl_device_clock_hertz{${device}}`, legend: "{{name}} {{part}} {{device}}" },
        ]),
      ],
    ],
    [
      8,
      [
        curves("Throttling", "What held its clock back: 1, or the share of the time; or how often a second.", "short", [
          { expr: `accelctl_device_throttled_state{${device}}`, legend: "{{part}} {{device}}" },
          { expr: `accelctl_device_throttled_ratio{${device}}`, legend: "{{part}} {{device}} (share)" },
          {
            expr: `rate(accelctl_device_throttled_updates_total{${device}}[$__rate_interval])`,
            legend: "{{part}} {{device}} (a second)",
          },
          {
            expr: `rate(accelctl_device_throttles_total{${device}}[$__rate_interval])`,
            legend: "{{device}} (a second)",
          },
        ]),
        curves("Errors and resets", "In the last hour.", "short", [
          { expr: `increase(accelctl_device_pcie_errors_total{${device}}[1h])`, legend: "PCIe {{part}} {{device}}" },
          {
            expr: `increase(accelctl_device_uncorrected_errors_total{${device}}[1h])`,
            legend: "uncorrected {{device}}",
          },
          { expr: `increase(accelctl_device_resets_total{${device}}[1h])`, legend: "resets {{device}}" },
        ]),
        curves("Programs", "Busy time by name; at most ten of a device.", "percentunit", [
          { expr: `accelctl_process_busy_ratio{${device}}`, legend: "{{command}} {{device}}" },
        ]),
      ],
    ],
    [1, [row("Served models")]],
    [
      8,
      [
        curves("Requests", "By how they ended.", "reqps", [
          {
            expr: `sum by (model, status) (rate(accelctl_model_requests_total{${model}}[$__rate_interval]))`,
            legend: "{{model}} {{status}}",
          },
        ]),
        curves("Waiting and running", "Requests at this moment.", "short", [
          { expr: `sum by (model) (accelctl_model_waiting_requests{${model}})`, legend: "waiting {{model}}" },
          { expr: `sum by (model) (accelctl_model_running_requests{${model}})`, legend: "running {{model}}" },
        ]),
      ],
    ],
    [
      8,
      [
        curves("Time in the queue", "Half of the requests, and 99 of 100, waited less.", "s", [
          { expr: quantile(0.5, "accelctl_model_queue_seconds"), legend: "p50 {{model}}" },
          { expr: quantile(0.99, "accelctl_model_queue_seconds"), legend: "p99 {{model}}" },
        ]),
        curves("Time of a run", "Half of the runs, and 99 of 100, took less.", "s", [
          { expr: quantile(0.5, "accelctl_model_run_seconds"), legend: "p50 {{model}}" },
          { expr: quantile(0.99, "accelctl_model_run_seconds"), legend: "p99 {{model}}" },
        ]),
        curves("Requests in a batch", "And restarts of the model's process in the last hour.", "short", [
          {
            expr: `sum by (model) (rate(accelctl_model_batched_requests_total{${model}}[$__rate_interval])) / sum by (model) (rate(accelctl_model_batches_total{${model}}[$__rate_interval]))`,
            legend: "batch {{model}}",
          },
          {
            expr: `sum by (model) (increase(accelctl_model_restarts_total{${model}}[1h]))`,
            legend: "restarts {{model}}",
          },
        ]),
      ],
    ],
    [1, [row("HTTP")]],
    [
      8,
      [
        curves("Requests", "By the status of their answer.", "reqps", [
          { expr: `sum by (code) (rate(accelctl_http_requests_total{${mine}}[$__rate_interval]))`, legend: "{{code}}" },
        ]),
        curves("Time to answer", "By route: 99 of 100 took less.", "s", [
          {
            expr: `histogram_quantile(0.99, sum by (le, route) (rate(accelctl_http_request_seconds_bucket{${mine}}[$__rate_interval])))`,
            legend: "p99 {{route}}",
          },
        ]),
        curves("Open and in flight", "Connections and requests at this moment.", "short", [
          { expr: `sum(accelctl_http_connections{${mine}})`, legend: "connections" },
          { expr: `sum(accelctl_http_requests_in_flight{${mine}})`, legend: "requests" },
        ]),
        curves("Refused", "By reason: who was told to come again, and connections that were ended.", "cps", [
          {
            expr: `sum by (reason) (rate(accelctl_http_refused_requests_total{${mine}}[$__rate_interval]))`,
            legend: "requests: {{reason}}",
          },
          {
            expr: `sum by (reason) (rate(accelctl_http_refused_connections_total{${mine}}[$__rate_interval]))`,
            legend: "connections: {{reason}}",
          },
        ]),
      ],
    ],
    [1, [row("accelctl itself")]],
    [
      7,
      [
        curves("Time to read all devices", "And to gather what a scrape tells.", "s", [
          { expr: `accelctl_sample_duration_seconds{${mine}}`, legend: "sample {{instance}}" },
          { expr: `accelctl_scrape_duration_seconds{${mine}}`, legend: "scrape {{instance}}" },
        ]),
        curves("Why metrics have no value", "Counted by reason.", "short", [
          { expr: `sum by (why) (accelctl_metric_unread{${device}})`, legend: "{{why}}" },
          { expr: `sum(accelctl_series_left_out{${mine}})`, legend: "left out" },
        ]),
      ],
    ],
  ]),
} satisfies Dashboard;

/** Every expression of the panels and variables. */
export function expressions(): readonly string[] {
  const panels = dashboard.panels.flatMap((panel) => ("targets" in panel ? (panel.targets ?? []) : []));
  const queries = dashboard.templating.list.flatMap(({ query }) => (typeof query === "object" ? [query["query"]] : []));
  return [...panels.map((target) => target["expr"]), ...queries].filter((expr) => typeof expr === "string");
}
