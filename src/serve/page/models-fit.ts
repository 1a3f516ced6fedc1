/**
 * Where a model would run on every accelerator that is known, for the page: the work behind GET /api/models/:id/fit and .../fit/TARGET,
 * in the process that reads models (models-child.ts). Lists are cut to what a person reads; `accelctl fit --json` has all of them.
 */

import type { Assumptions } from "../../fit/assume.ts";
import { allDevices, devicesFor, devicesHere } from "../../fit/choose.ts";
import { fitOn, targetsOf, type FitNode, type FitPlacement, type FitReport } from "../../fit/fit.ts";
import type { Model } from "../../model/graph.ts";
import { stretches } from "../../print/fit-states.ts";
import { listDevices } from "../../review/inventory.ts";
import { openRoot } from "../../root/open.ts";
import type { FitAnswer, FitPlacementAnswer, PlacedAnswer } from "./models-types.ts";

export interface FitWish extends Assumptions {
  /** Only this target, and what becomes of each node. */
  readonly target?: string;
}

/** Refusals of one target that are told, and nodes of each. */
const REFUSALS = 12;
const NODES = 8;
/** Stretches of a ribbon: more are narrower than a pixel. */
const STRETCHES = 2000;
const TEXT_LIMIT = 600;

export function fitAnswer(model: Model, wish: FitWish, root: string | undefined): FitAnswer {
  const here = devicesHere(listDevices(openRoot(root)));
  const known = new Map([...here, ...allDevices()].map((device) => [device.id, device]));
  const report = fitOn(model, [...known.values()], { ...wish, here: new Set(here.map(({ id }) => id)) });
  return {
    model: report.model,
    findings: report.findings.map(cut),
    targets: report.targets.map(({ id, name, tool, version, confidence }) => ({ id, name, tool, version, confidence })),
    rows: report.rows.map(({ placements, ...row }) => ({ ...row, placements: placements.map(placementAnswer) })),
  };
}

function placementAnswer(placement: FitPlacement): FitPlacementAnswer {
  const { target, fits, total, taken, cpu, unsure: open, share, once, prerequisites, partitions, refusals } = placement;
  return {
    target,
    fits,
    total,
    taken,
    cpu,
    unsure: open,
    share,
    ...(once === undefined ? {} : { once }),
    prerequisites,
    partitions: partitions.length,
    refusals: refusals.slice(0, REFUSALS).map(({ op, rule, because, nodes, unsure }) => ({
      op: cut(op),
      rule,
      because: cut(because),
      count: nodes.length,
      nodes: nodes.slice(0, NODES),
      ...(unsure === undefined ? {} : { unsure }),
    })),
    ...(refusals.length > REFUSALS ? { more: refusals.length - REFUSALS } : {}),
  };
}

/** Undefined where there is no such target. */
export function placedAnswer(model: Model, wish: FitWish): PlacedAnswer | undefined {
  const found = placedBy(model, wish);
  if (found === undefined) return undefined;
  const { placement, nodes } = found;
  return {
    target: placement.target,
    ...(placement.once === undefined ? {} : { once: placement.once }),
    stretches: stretches(nodes).slice(0, STRETCHES),
  };
}

const kept = new WeakMap<Model, Map<string, Placed | undefined>>();

interface Placed {
  readonly placement: FitPlacement;
  readonly nodes: readonly FitNode[];
  readonly byNode: ReadonlyMap<number, FitNode>;
}

/** The same target is asked about by the ribbon and at every unfolding of the graph. */
export function placedBy(model: Model, { target = "", ...assumed }: FitWish): Placed | undefined {
  let held = kept.get(model);
  if (held === undefined) kept.set(model, (held = new Map<string, Placed | undefined>()));
  const key = JSON.stringify([target, assumed]);
  if (!held.has(key)) {
    // A few, so that nobody fills the process with them.
    if (held.size > 16) held.clear();
    held.set(key, placeAnew(model, target, assumed));
  }
  return held.get(key);
}

function placeAnew(model: Model, target: string, assumed: Assumptions): Placed | undefined {
  // "hailo" is a family too, and then means all that its devices are reached by.
  const targets = new Set([target]);
  const device = devicesFor([target]).devices.find((one) => targetsOf(one, targets).length > 0);
  if (device === undefined) return undefined;
  const report: FitReport = fitOn(model, [device], { ...assumed, targets, nodes: true });
  const placement = report.rows[0]?.placements[0];
  if (placement === undefined) return undefined;
  const nodes = placement.nodes ?? [];
  return { placement, nodes, byNode: new Map(nodes.map((node) => [node.node, node])) };
}

const cut = (text: string): string => (text.length <= TEXT_LIMIT ? text : `${text.slice(0, TEXT_LIMIT - 1)}…`);
