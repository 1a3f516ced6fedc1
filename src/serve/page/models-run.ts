/**
 * One run of a model for the page, or two that are compared: the work behind POST /api/models/:id/run, in a process of its own, which
 * has the runtime work in yet another (isolate). The result is what `accelctl run --json` prints; previews are for drawing.
 */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { AccelctlError, UsageError } from "../../base/errors.ts";
import type { Port } from "../../delegates/delegate.ts";
import type { Value } from "../../delegates/value.ts";
import { openRoot } from "../../root/open.ts";
import { makeInputs } from "../../session/inputs.ts";
import { readLabels } from "../../session/labels.ts";
import { openSession } from "../../session/open.ts";
import { parityOf, type Parity } from "../../session/parity.ts";
import { readAll } from "../../session/read-outputs.ts";
import { BOXES, runResult, timedRuns } from "../../session/result.ts";
import { mapPreview, previewOf } from "./models-preview.ts";
import type { RunAnswer, RunOutcome, RunRequest } from "./models-types.ts";

/** Of one session: a page that is looked at. Compilers of some vendors take a minute. */
const [OPEN_MS, RUN_MS] = [90_000, 60_000];

export interface RunWork {
  /** The model's file, and those beside it that may hold labels. */
  readonly main: string;
  readonly labels?: string;
  readonly root?: string;
  readonly environments: readonly string[];
  /** Paths by what RunRequest calls them. */
  readonly uploaded: Readonly<Record<string, string>>;
  /** A folder of this run's own, for values that are written as files. */
  readonly scratch: string;
  readonly request: RunRequest;
}

interface Ran {
  readonly outcome: RunOutcome;
  readonly outputs?: ReadonlyMap<string, Value>;
  readonly ports?: readonly Port[];
}

/** Throws UsageError for what the request holds; what fails on one device is told in its place. */
export async function runWork(work: RunWork): Promise<RunAnswer> {
  const on = work.request.on ?? [{ device: "auto" }];
  if (on.length === 0 || on.length > 2) throw new UsageError("a run is on one device, or on two that are compared");
  const runs: Ran[] = [];
  for (const where of on) runs.push(await runOn(work, where, on.length > 1));
  const [first, second] = runs;
  const parity = first === undefined || second === undefined ? undefined : parityBetween(second, first);
  return { runs: runs.map(({ outcome }) => outcome), ...(parity === undefined ? {} : { parity }) };
}

async function runOn(work: RunWork, where: NonNullable<RunRequest["on"]>[number], among: boolean): Promise<Ran> {
  try {
    return await run(work, where);
  } catch (error) {
    // Alone, it is the answer to the request.
    if (!among || !(error instanceof AccelctlError) || error instanceof UsageError) throw error;
    return { outcome: { error: error.message, device: where.device } };
  }
}

async function run(work: RunWork, where: NonNullable<RunRequest["on"]>[number]): Promise<Ran> {
  const { main, request, environments } = work;
  const file = main.slice(main.lastIndexOf("/") + 1);
  const start = performance.now();
  const opened = await openSession(main, {
    device: where.device,
    ...(where.delegate === undefined ? {} : { delegate: where.delegate }),
    ...(where.route === undefined ? {} : { route: where.route }),
    ...(request.threads === undefined ? {} : { threads: request.threads }),
    ...(request.profile === true ? { profile: true } : {}),
    limits: { open_ms: OPEN_MS, run_ms: RUN_MS },
    isolate: true,
    environments,
    machine: openRoot(work.root),
  });
  const openedMs = performance.now() - start;
  const { session, described } = opened;
  const { model } = described;
  try {
    const given = await makeInputs(session.inputs, { ...inputsOf(work), model });
    const timed = await timedRuns(opened, given.values, {
      warmup: request.warmup ?? 0,
      repeat: request.repeat ?? 1,
    });
    const [picture] = given.pictures.values();
    const labels = work.labels === undefined ? model.labels : readLabels(work.labels);
    const { outputs } = timed.last;
    const { map, ...told } = readAll(outputs, {
      model,
      file,
      ports: session.outputs,
      inputs: given.values,
      head: request.head ?? "auto",
      most: BOXES,
      ...(labels === undefined ? {} : { labels }),
      ...(picture === undefined ? {} : { placed: picture.placed }),
    });
    const result = runResult(opened, { file, openedMs, timed, assumed: given.assumed, outputs: told });
    return {
      outputs,
      ports: session.outputs,
      outcome: {
        result,
        previews: [...outputs].map(([name, value]) =>
          previewOf(name, value, portOf(session.outputs, name), model.format),
        ),
        ...(map === undefined || told.read?.classes === undefined ? {} : { map: mapPreview(map, told.read.classes) }),
        ...(picture === undefined ? {} : { picture: { width: picture.width, height: picture.height } }),
      },
    };
  } finally {
    await session.close();
  }
}

const portOf = (ports: readonly Port[], name: string): Port | undefined => ports.find((port) => port.name === name);

function inputsOf({ request, uploaded, scratch }: RunWork): Omit<Parameters<typeof makeInputs>[1], "model"> {
  const path = (id: string): string => {
    const found = Object.hasOwn(uploaded, id) ? uploaded[id] : undefined;
    if (found === undefined)
      throw new UsageError(`no input "${id}" was uploaded for this model, or it has been removed`);
    return found;
  };
  const files = new Map<string, string>();
  for (const [name, given] of Object.entries(request.inputs ?? {})) {
    if ("input" in given) files.set(name, path(given.input));
    else {
      // As a file: what a stranger writes as a value must not be taken for the name of one.
      const file = join(scratch, `value-${files.size}.json`);
      writeFileSync(file, JSON.stringify(given.value), { mode: 0o600 });
      files.set(name, file);
    }
  }
  return {
    files,
    unnamed: request.input === undefined ? [] : [path(request.input)],
    shapes: new Map(Object.entries(request.shapes ?? {})),
    seed: request.seed ?? 0,
  };
}

function parityBetween(run: Ran, reference: Ran): (Parity | string)[] | undefined {
  if (run.outputs === undefined || reference.outputs === undefined) return undefined;
  const names = [...reference.outputs.keys()];
  return [...run.outputs].map(([name, value], at) => {
    // Runtimes may name the same output differently; their order is the model's.
    const other = reference.outputs?.has(name) === true ? name : names[at];
    const against = other === undefined ? undefined : reference.outputs?.get(other);
    if (other === undefined || against === undefined) return `${name}: the first run has no such output`;
    const [own, theirs] = [portOf(run.ports ?? [], name), portOf(reference.ports ?? [], other)];
    return parityOf(name, value, against, {
      ...(own === undefined ? {} : { value: own }),
      ...(theirs === undefined ? {} : { reference: theirs }),
    });
  });
}
