/** POST /api/models/:id/run: what came over the wire, checked before anything is opened. */

import { UsageError } from "../../base/errors.ts";
import { headChoices } from "../../session/interpret.ts";
import type { RunRequest } from "./models-types.ts";

/** A person waits for it: more runs belong into `accelctl bench`. */
export const REPEAT_LIMIT = 1000;
const THREADS_LIMIT = 256;
const SEED_LIMIT = 0xffff_ffff;

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
  const out: Record<string, { readonly input: string } | { readonly value: unknown }> = {};
  for (const [name, given] of Object.entries(inputs)) {
    const id = isRecord(given) ? word(given, "input") : undefined;
    if (id !== undefined) out[name] = { input: id };
    else if (isRecord(given) && "value" in given) out[name] = { value: given["value"] };
    else throw new UsageError(`"inputs" gives ${JSON.stringify(name.slice(0, 40))} neither an input nor a value`);
  }
  return out;
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
      return [name, sizes] as const;
    }),
  );
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
