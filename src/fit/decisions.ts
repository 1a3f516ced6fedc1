/**
 * Decisions of compilers and delegates, as rows: what was taken of a model and what was left, and why. Two shapes: one compile each, and
 * Qualcomm's AI Hub, which tells by model, precision and runtime how many layers ran where on how many devices.
 */

export interface Decision {
  readonly target: string;
  readonly tool: string;
  readonly tool_version?: string | null;
  readonly model: string;
  readonly total_ops?: number | null;
  readonly accel_ops?: number | null;
  readonly cpu_ops?: number | null;
  /** Subgraphs that what was taken fell into. */
  readonly partitions?: number | null;
  /** "layers": counted after the compiler fused operators, so that only what is left can be compared. */
  readonly counts?: string | null;
  readonly refused?: readonly RefusedOperator[] | null;
  readonly mapped_ops?: Readonly<Record<string, number>> | null;
  /** False: aborted, cut off, or of an unknown model. */
  readonly usable?: boolean;
  readonly source?: string;
  readonly id?: number | string;
}

export interface RefusedOperator {
  readonly op: string;
  readonly count?: number | null;
  readonly reason?: string | null;
}

/** The rows of a file that holds such decisions, or undefined where it holds something else. */
export function decisionsOf(content: unknown): readonly Decision[] | undefined {
  const { rows, ai_hub: hub } = Array.isArray(content) ? { rows: content } : recordOf(content);
  const decisions = [
    ...(Array.isArray(rows) ? rows.filter(isDecision) : []),
    ...(Array.isArray(hub) ? hub.flatMap(fromHub) : []),
  ];
  return decisions.length === 0 ? undefined : decisions;
}

const recordOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}; // JSON: any shape

const isCount = (value: unknown): boolean =>
  value === undefined || value === null || (typeof value === "number" && Number.isSafeInteger(value));
const isText = (value: unknown): boolean => value === undefined || value === null || typeof value === "string";

function isDecision(row: unknown): row is Decision {
  const { target, tool, model, refused, mapped_ops: mapped, ...rest } = recordOf(row);
  if (typeof target !== "string" || typeof tool !== "string" || typeof model !== "string" || !("accel_ops" in rest))
    return false;
  return (
    isCount(rest["accel_ops"]) &&
    isCount(rest["cpu_ops"]) &&
    isCount(rest["total_ops"]) &&
    isCount(rest["partitions"]) &&
    isText(rest["counts"]) &&
    isText(rest["tool_version"]) &&
    (refused === undefined || refused === null || (Array.isArray(refused) && refused.every(isRefused))) &&
    (mapped === undefined ||
      mapped === null ||
      Object.values(recordOf(mapped)).every((count) => typeof count === "number"))
  );
}

function isRefused(one: unknown): boolean {
  const { op, count, reason } = recordOf(one);
  return typeof op === "string" && isCount(count) && isText(reason);
}

/** Runtimes of AI Hub, as tools. What is compiled ahead of time by QNN is QNN's. */
const runtimes: Readonly<Record<string, string>> = {
  tflite: "LiteRT with QNN",
  onnx: "QNN EP of ONNX Runtime",
  precompiled_qnn_onnx: "QNN",
  qnn_context_binary: "QNN",
  qnn_dlc: "QNN",
};

/** One row of each model, precision and runtime: what most devices did. */
function fromHub(entry: unknown): readonly Decision[] {
  const { model, component, precision, runtime, layer_count_variants: variants } = recordOf(entry);
  if (typeof model !== "string" || typeof runtime !== "string" || !Array.isArray(variants)) return [];
  const tool = Object.hasOwn(runtimes, runtime) ? runtimes[runtime] : undefined;
  let most: Readonly<Record<string, unknown>> = {};
  const devicesOf = ({ devices }: Readonly<Record<string, unknown>>): number =>
    Array.isArray(devices) ? devices.length : 0;
  for (const variant of variants.map(recordOf)) if (devicesOf(variant) > devicesOf(most)) most = variant;
  const { total, npu } = most;
  if (tool === undefined || typeof total !== "number" || typeof npu !== "number") return [];
  // Models of several parts have one row each; the part's name is told where it is another.
  const squash = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, "");
  const part = typeof component === "string" && squash(component) !== squash(model) ? ` (${component})` : "";
  const words = typeof precision !== "string" || precision === "float" ? "" : ` ${precision}`;
  return [
    {
      target: "Qualcomm Hexagon",
      tool,
      model: `${model}${part}${words}`,
      total_ops: total,
      accel_ops: npu,
      cpu_ops: total - npu,
      source: "Qualcomm AI Hub",
    },
  ];
}
