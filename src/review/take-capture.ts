/** A capture of a machine that can answer the review and the kernel's side, checked by replaying both. */

import { CannotError } from "../base/errors.ts";
import { valueOf } from "../base/reading.ts";
import { findFirmware } from "../facts/firmware.ts";
import { readKernel } from "../facts/kernel.ts";
import { readLibraries } from "../facts/libraries.ts";
import { recordLibraryTexts } from "../facts/library-text.ts";
import { npuFirmware, readMappedInference } from "../facts/npu-firmware.ts";
import { allFamilies } from "../families/load.ts";
import { captureMachine, type Capture, type CaptureOptions } from "../root/capture-machine.ts";
import type { Root } from "../root/root.ts";
import type { Relevant } from "../root/trim.ts";
import { version } from "../version.ts";
import { groundSymbols, kernelSide } from "./kernel-side.ts";
import { readKernelView } from "./kernel-view.ts";
import { environmentsOf, type ReviewOptions } from "./judge.ts";
import { review } from "./review.ts";

type TakeOptions = Pick<CaptureOptions, "redact" | "trim" | "names"> & Pick<ReviewOptions, "environments" | "query">;

export function takeCapture(root: Root, { redact, trim, names, ...asked }: TakeOptions): Capture {
  const environments = environmentsOf(root, asked.environments);
  const options: ReviewOptions = { ...asked, environments, abilities: true };
  return captureMachine(root, {
    question: (recorded) => question(recorded, options) + installedOf(recorded, root, environments),
    relevant: relevant(),
    by: `accelctl ${version}`,
    redact,
    trim,
    names,
    environments,
  });
}

/** All that a capture should be able to answer: the review and the kernel's side. What it gives back is only compared. */
function question(root: Root, options: ReviewOptions): string {
  return JSON.stringify([review(root, options), sideOf(root)], (_, value: unknown) =>
    value instanceof Map ? [...(value as Map<unknown, unknown>)] : value,
  );
}

/**
 * What libraries and the NPU's firmware say of their releases, for `inspect` to hold a model against. Searched for in the source, so
 * that of a machine that has none of them nothing is kept. Of a packed firmware nothing is: all of it would have to be.
 */
function installedOf(recorded: Root, source: Root, environments: readonly string[] = []): string {
  const libraries = valueOf(readLibraries(source, environments));
  const texts = libraries === undefined ? [] : recordLibraryTexts(recorded, source, libraries);
  const release = valueOf(readKernel(source))?.release;
  const running = release && valueOf(release);
  const firmware = Object.values(npuFirmware).flatMap((names) =>
    names.flatMap((name) => {
      const path = valueOf(findFirmware(source, name, running))?.path;
      if (path?.endsWith(".bin") !== true || readMappedInference(source, path) === undefined) return [];
      return [`${path} ${readMappedInference(recorded, path) ?? ""}`];
    }),
  );
  return [...texts, ...firmware].join("\n");
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
