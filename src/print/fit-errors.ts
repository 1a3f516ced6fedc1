/** The table of errors in docs/fit.md: a line for each device of many rows, the others together. */

export interface DeviceError {
  readonly setting: string;
  readonly pool: string;
  readonly rows: number;
  readonly median: number;
  readonly p90: number;
  readonly held: number;
  readonly power: { readonly median: number };
  readonly nearest: { readonly median: number };
}

/** Pools of so many settings that only their middle is told. */
const gathered: Readonly<Record<string, string>> = {
  "ai-hub": "Qualcomm Hexagon (AI Hub)",
  "ncnn-cpu": "CPUs by ncnn",
  "ncnn-gpu": "GPUs by ncnn (Vulkan)",
};

export function errorsTable(all: readonly DeviceError[], least: number): string {
  const large = all.filter(({ rows }) => rows >= least);
  const lines = large
    .filter(({ pool }) => !Object.hasOwn(gathered, pool))
    .map(({ setting, rows, ...errors }) => line(setting, rows, errors));
  for (const [pool, name] of Object.entries(gathered)) {
    const own = large.filter((one) => one.pool === pool);
    if (own.length === 0) continue;
    const rows = own.reduce((sum, one) => sum + one.rows, 0);
    const middle = (of: (one: DeviceError) => number): number => median(own.map(of));
    lines.push(
      line(`${name}, ${own.length} settings, the middle one`, rows, {
        median: middle((one) => one.median),
        p90: middle((one) => one.p90),
        held: own.reduce((sum, one) => sum + one.held * one.rows, 0) / rows,
        power: { median: middle((one) => one.power.median) },
        nearest: { median: middle((one) => one.nearest.median) },
      }),
    );
  }
  const head = "| device | rows | median error | nine of ten | interval held | power law | nearest model |";
  return `<!-- prettier-ignore -->\n${head}\n|---|---:|---:|---:|---:|---:|---:|\n${lines.join("\n")}\n`;
}

type Errors = Pick<DeviceError, "median" | "p90" | "held" | "power" | "nearest">;

const line = (name: string, rows: number, { median: middle, p90, held, power, nearest }: Errors): string =>
  `| ${[name.replaceAll("|", "by"), rows, ...[middle, p90, held, power.median, nearest.median].map(percent)].join(" | ")} |`;

const percent = (value: number): string => (Number.isFinite(value) ? `${Math.round(value * 100)} %` : "–");

function median(values: readonly number[]): number {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? NaN;
}
