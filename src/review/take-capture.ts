/** A capture of a machine that can answer the review and the kernel's side, checked by replaying both. */

import { CannotError } from "../base/errors.ts";
import { allFamilies } from "../families/load.ts";
import { captureMachine, type Capture, type CaptureOptions } from "../root/capture-machine.ts";
import type { Root } from "../root/root.ts";
import type { Relevant } from "../root/trim.ts";
import { version } from "../version.ts";
import { groundSymbols, kernelSide } from "./kernel-side.ts";
import { readKernelView } from "./kernel-view.ts";
import type { ReviewOptions } from "./judge.ts";
import { review } from "./review.ts";

type TakeOptions = Pick<CaptureOptions, "redact" | "trim" | "names"> & Pick<ReviewOptions, "environments" | "query">;

export function takeCapture(root: Root, { redact, trim, names, ...asked }: TakeOptions): Capture {
  const options: ReviewOptions = { ...asked, abilities: true };
  return captureMachine(root, {
    question: (recorded) => question(recorded, options),
    relevant: relevant(),
    by: `accelctl ${version}`,
    redact,
    trim,
    names,
  });
}

/** All that a capture should be able to answer: the review and the kernel's side. What it gives back is only compared. */
function question(root: Root, options: ReviewOptions): string {
  return JSON.stringify([review(root, options), sideOf(root)], (_, value: unknown) =>
    value instanceof Map ? [...(value as Map<unknown, unknown>)] : value,
  );
}

function sideOf(root: Root): unknown {
  try {
    return kernelSide(readKernelView(root), allFamilies());
  } catch (error) {
    if (error instanceof CannotError) return error.message; // a tree without a kernel: that too is an answer
    throw error;
  }
}

function relevant(): Relevant {
  const drivers = allFamilies().flatMap((family) => family.routes.map((route) => route.driver));
  const modules = drivers.flatMap((driver) => [driver.module, ...(driver.with ?? []), ...(driver.binds ?? [])]);
  const symbols = drivers.flatMap(({ config }) =>
    config === undefined ? [] : [config.symbol, ...(config.needs ?? [])],
  );
  return {
    modules: new Set(modules.filter((name) => name !== undefined).map((name) => name.replaceAll("-", "_"))),
    symbols: new Set([...symbols, ...groundSymbols.map(([symbol]) => symbol)]),
  };
}
