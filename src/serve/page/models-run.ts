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
import { headChoices } from "../../session/interpret.ts";
import { readLabels } from "../../session/labels.ts";
import { openSession } from "../../session/open.ts";
import { parityOf, type Parity } from "../../session/parity.ts";
import { readAll } from "../../session/read-outputs.ts";
import { BOXES, runResult, timedRuns } from "../../session/result.ts";
import { mapPreview, previewOf } from "./models-preview.ts";
import type { RunAnswer, RunOutcome, RunRequest } from "./models-types.ts";

/** A person waits for it: more runs belong into `accelctl bench`. */
export const REPEAT_LIMIT = 1000;
const THREADS_LIMIT = 256;
const SEED_LIMIT = 0xffff_ffff;
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

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What came over the wire, as a RunRequest. Throws UsageError with what is wrong. */
export function parseRunRequest(json: unknown): RunRequest {
  if (!isRecord(json)) throw new UsageError("the request is an object of JSON");
  const known = ["on", "input", "inputs", "seed", "shapes", "threads", "warmup", "repeat", "profile", "head"];
  for (const name of Object.keys(json)) {
    if (!known.includes(name))
      throw new UsageError(`"${name.slice(0, 40)}" is not known here; known are ${known.join(", ")}`);
  }
  const head = word(json, "head");
  if (head !== undefined && !headChoices.includes(head)) {
    throw new UsageError(`no head "${head}"; there are ${headChoices.join(", ")}`);
  }
  const { on, inputs, shapes, profile } = json;
  if (profile !== undefined && typeof profile !== "boolean") throw new UsageError('"profile" is true or false');
  const input = word(json, "input");
  const [seed, threads, warmup, repeat] = [
    whole(json, "seed", 0, SEED_LIMIT),
    whole(json, "threads", 1, THREADS_LIMIT),
    whole(json, "warmup", 0, REPEAT_LIMIT),
    whole(json, "repeat", 1, REPEAT_LIMIT),
  ];
  return {
    ...(on === undefined ? {} : { on: placesOf(on) }),
    ...(input === undefined ? {} : { input }),
    ...(inputs === undefined ? {} : { inputs: givenOf(inputs) }),
    ...(shapes === undefined ? {} : { shapes: shapesOf(shapes) }),
    ...(seed === undefined ? {} : { seed }),
    ...(threads === undefined ? {} : { threads }),
    ...(warmup === undefined ? {} : { warmup }),
    ...(repeat === undefined ? {} : { repeat }),
    ...(profile === undefined ? {} : { profile }),
    ...(head === undefined ? {} : { head }),
  };
}

function word(json: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = json[name];
  if (value === undefined) return undefined;
  if (typeof value !== "string" || value.length > 200) throw new UsageError(`"${name}" is a word`);
  return value;
}

function whole(json: Readonly<Record<string, unknown>>, name: string, least: number, most: number): number | undefined {
  const value = json[name];
  if (value === undefined) return undefined;
  if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most) {
    throw new UsageError(`"${name}" is a whole number from ${least} to ${most}`);
  }
  return value;
}

function placesOf(on: unknown): NonNullable<RunRequest["on"]> {
  if (!Array.isArray(on)) throw new UsageError('"on" is a list of {"device": "cpu"}');
  return (on as readonly unknown[]).map((place) => {
    const device = isRecord(place) ? word(place, "device") : undefined;
    if (!isRecord(place) || device === undefined) throw new UsageError('"on" is a list of {"device": "cpu"}');
    const [delegate, route] = [word(place, "delegate"), word(place, "route")];
    return {
      device,
      ...(delegate === undefined ? {} : { delegate }),
      ...(route === undefined ? {} : { route }),
    };
  });
}

function givenOf(inputs: unknown): NonNullable<RunRequest["inputs"]> {
  if (!isRecord(inputs)) throw new UsageError('"inputs" is an object of {"NAME": {"input": ID}} or {"value": ...}');
  return Object.fromEntries(
    Object.entries(inputs).map(([name, given]) => {
      const id = isRecord(given) ? word(given, "input") : undefined;
      if (id !== undefined) return [name, { input: id }];
      if (isRecord(given) && "value" in given) return [name, { value: given["value"] }];
      throw new UsageError(`"inputs" gives ${JSON.stringify(name.slice(0, 40))} neither an input nor a value`);
    }),
  );
}

function shapesOf(shapes: unknown): NonNullable<RunRequest["shapes"]> {
  if (!isRecord(shapes)) throw new UsageError('"shapes" is an object of {"NAME": [1, 3, 224, 224]}');
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => {
      const sizes = Array.isArray(shape) ? (shape as readonly unknown[]) : [];
      const fine = (size: unknown): size is number => typeof size === "number" && Number.isInteger(size) && size >= 0;
      if (!Array.isArray(shape) || sizes.length > 16 || !sizes.every(fine)) {
        throw new UsageError(`the shape of ${JSON.stringify(name.slice(0, 40))} is a list of whole numbers`);
      }
      return [name, sizes];
    }),
  );
}
