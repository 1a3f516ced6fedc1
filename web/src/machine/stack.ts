/**
 * Routes of a device as one picture: a column each, a row per layer, and layers that neighbours share drawn once, as wide as they are.
 * Pure; drawn by stacks.tsx.
 */

import type { Finding, Layer, LayerName, Route } from "../../../src/base/finding.ts";
import type { DeviceReport } from "../../../src/review/report.ts";

/** From the top of the picture down. */
export const rows: readonly LayerName[] = ["model", "delegate", "runtime", "node", "firmware", "driver", "silicon"];

export const layerTitle: Readonly<Record<LayerName, string>> = {
  silicon: "silicon",
  driver: "driver",
  firmware: "firmware",
  node: "device node",
  runtime: "runtime",
  delegate: "delegate",
  model: "model format",
};

export interface Cell {
  readonly layer: Layer;
  /** First column and how many. */
  readonly column: number;
  readonly span: number;
  readonly routes: readonly string[];
}

/** The cells of one row, from left to right. Routes that lack the layer altogether leave a gap. */
export function cellsOf(routes: readonly Route[], name: LayerName): readonly Cell[] {
  const cells: Cell[] = [];
  for (const [column, route] of routes.entries()) {
    const layer = route.layers.find((one) => one.name === name);
    if (layer === undefined) continue;
    const last = cells.at(-1);
    if (last !== undefined && last.column + last.span === column && isSame(last.layer, layer)) {
      cells[cells.length - 1] = { ...last, span: last.span + 1, routes: [...last.routes, route.name] };
    } else {
      cells.push({ layer, column, span: 1, routes: [route.name] });
    }
  }
  return cells;
}

export const isSame = (a: Layer, b: Layer): boolean =>
  a.name === b.name &&
  a.is === b.is &&
  a.status === b.status &&
  a.openness === b.openness &&
  a.kernelState === b.kernelState;

/** Routes that share their lower layers side by side, in the order in which the report first names them. */
export function arrangeRoutes(routes: readonly Route[]): readonly Route[] {
  const left = [...routes];
  const out: Route[] = [];
  while (left.length > 0) {
    const last = out.at(-1);
    // The first of those that share most with the one before.
    let best = 0;
    if (last !== undefined) {
      for (const [i, route] of left.entries()) if (shared(last, route) > shared(last, left[best] ?? route)) best = i;
    }
    out.push(...left.splice(best, 1));
  }
  return out;
}

const shared = (a: Route, b: Route): number =>
  a.layers.filter((layer) => b.layers.some((other) => isSame(layer, other))).length;

/** Findings that concern a layer of a device: those of its rules, of no route, of this one, or of one with the same layer. */
export function findingsOf(
  findings: readonly Finding[],
  device: DeviceReport,
  layer: Layer,
  routes: readonly string[],
): readonly Finding[] {
  if (layer.status === "ok" || layer.status === "unneeded") return [];
  const own = new Set(
    device.routes
      .filter((route) => routes.includes(route.name) || route.layers.some((other) => isSame(layer, other)))
      .map((route) => route.name),
  );
  return findings.filter(
    (finding) =>
      finding.device === device.id &&
      finding.rule.startsWith(`${layer.name}/`) &&
      (finding.route === undefined || own.has(finding.route)),
  );
}
