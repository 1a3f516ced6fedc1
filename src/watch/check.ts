/** Is it a sample? JSON from a file is anybody's; what is wrong is told by where it is: devices[0].metrics[3].value. */

import { SAMPLE_SCHEMA, type Sample } from "./sample.ts";

/** Far more than any machine has; a file that says more is made to hurt. */
const DEVICE_LIMIT = 4096;
const METRIC_LIMIT = 65_536;
const PROCESS_LIMIT = 65_536;

type Fields = Readonly<Record<string, unknown>>;
type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === "string" && value.length <= 65_536;
const isNumber: Check = (value) => typeof value === "number" && Number.isFinite(value);
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0; // a safe integer is a number
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const WHYS: ReadonlySet<unknown> = new Set(["asleep", "first", "denied", "absent", "uncaptured", "malformed"]);
const HOWS: ReadonlySet<unknown> = new Set(["fdinfo", "open", "vendor's library"]);

/** The sample, or what is wrong with it. */
export function checkSample(value: unknown): Sample | string {
  const wrong =
    fields(value, "", {
      schema: (schema) => schema === SAMPLE_SCHEMA,
      sequence: isCount,
      at: (at) => typeof at === "string" && at.length <= 40 && !Number.isNaN(Date.parse(at)),
      elapsed_seconds: orNull(isNumber),
      took_seconds: isNumber,
    }) ?? list(value, "", "devices", DEVICE_LIMIT, deviceFault);
  return wrong ?? (value as Sample); // every field was looked at
}

function deviceFault(value: unknown, at: string): string | undefined {
  return (
    fields(
      value,
      at,
      { id: isText, name: isText, bus: isText, address: isText, power_state: orNull(isText) },
      { family: isText, driver: isText, processes_because: isText },
    ) ??
    list(value, at, "metrics", METRIC_LIMIT, metricFault) ??
    ((value as Fields)["processes"] === null ? undefined : list(value, at, "processes", PROCESS_LIMIT, processFault))
  );
}

function processFault(value: unknown, at: string): string | undefined {
  return (
    fields(value, at, { pid: isCount, command: isText, how: (how) => HOWS.has(how) }, { user: isText }) ??
    list(value, at, "metrics", METRIC_LIMIT, metricFault)
  );
}

function metricFault(value: unknown, at: string): string | undefined {
  const wrong = fields(value, at, { name: isText, from: isText, value: orNull(isNumber) }, { part: isText });
  if (wrong !== undefined || (value as Fields)["value"] !== null) return wrong;
  return fields(value, at, { why: (why) => WHYS.has(why), says: isText });
}

function fields(
  value: unknown,
  at: string,
  needed: Readonly<Record<string, Check>>,
  optional: Readonly<Record<string, Check>> = {},
): string | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return `${at === "" ? "it" : at} is no object`;
  const own = value as Fields;
  const dot = at === "" ? "" : `${at}.`;
  for (const [name, check] of Object.entries(needed)) {
    if (!Object.hasOwn(own, name)) return `${dot}${name} is missing`;
    if (!check(own[name])) return `${dot}${name} is ${shown(own[name])}`;
  }
  for (const [name, check] of Object.entries(optional)) {
    if (Object.hasOwn(own, name) && !check(own[name])) return `${dot}${name} is ${shown(own[name])}`;
  }
  return undefined;
}

function list(
  value: unknown,
  at: string,
  name: string,
  limit: number,
  fault: (member: unknown, at: string) => string | undefined,
): string | undefined {
  const members = (value as Fields)[name];
  const path = at === "" ? name : `${at}.${name}`;
  if (!Array.isArray(members)) return `${path} is no list`;
  if (members.length > limit) return `${path} has ${members.length} members, over ${limit}`;
  for (const [i, member] of members.entries()) {
    const wrong = fault(member, `${path}[${i}]`);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

const shown = (value: unknown): string => {
  const text = JSON.stringify(value) as string | undefined; // undefined of what JSON has no word for
  return text === undefined ? "nothing" : text.length > 40 ? `${text.slice(0, 40)}…` : text;
};
