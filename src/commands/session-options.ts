/** Options by which every verb that runs a model chooses where and how. */

import { UsageError } from "../base/errors.ts";
import type { SessionOptions } from "../session/open.ts";
import { grouped, option, options, type Invocation, type OptionSpec } from "./command.ts";
import { environmentsOf } from "./common.ts";

const THREADS_LIMIT = 1024;
/** A day; Node's timers end at 24 of them. */
const SECONDS_LIMIT = 86_400;
const MEBIBYTES_LIMIT = 16 * 1024 * 1024;

/** Headings of help. */
const WHERE = "Where it runs";
export const RUNNING = "How it runs";

const where: readonly OptionSpec[] = [
  {
    name: "device",
    value: "DEVICE",
    says: "auto (the best route that works here and takes the model, else the CPU), cpu, or a family of accelerators (accelctl catalog); FAMILY:1 is the second of its kind",
  },
  { name: "route", value: "NAME", says: "only by this route of the device (accelctl review lists them)" },
  { name: "delegate", value: "ID", says: "only by this delegate (accelctl delegates)" },
  { name: "fallback", value: "DEVICE", choices: ["cpu"], says: "let the CPU run what the device cannot" },
  { name: "library", value: "FILE", says: "the runtime's library, instead of the one that is found" },
  {
    name: "plugin",
    value: "FILE",
    says: "what the device's maker ships to be loaded into the runtime: an external delegate, an execution provider, a PJRT plugin",
  },
  { name: "option", value: "KEY=VALUE", many: true, says: "for the plugin or the device, passed on as it is" },
  { name: "env", value: "DIR", many: true, says: "also look for libraries in this Python environment or SDK" },
];

const running: readonly OptionSpec[] = [
  { name: "threads", value: "N", says: "threads of one run" },
  { name: "timeout", value: "SECONDS", says: "give up a run after so long (300), and opening after twice as long" },
  { name: "memory", value: "MIB", says: "memory that a vendor's library may take (four fifths of the machine's)" },
];

export const sessionOptionSpecs: readonly OptionSpec[] = [...grouped(WHERE, where), ...grouped(RUNNING, running)];

export function sessionOptionsOf(invocation: Invocation): SessionOptions {
  const text = (name: string): Record<string, string> => {
    const value = option(invocation, name);
    return value === undefined ? {} : { [name]: value };
  };
  const threads = numberOption(invocation, "threads", THREADS_LIMIT);
  const seconds = numberOption(invocation, "timeout", SECONDS_LIMIT);
  const memory = numberOption(invocation, "memory", MEBIBYTES_LIMIT);
  const passed = options(invocation, "option").map((one): [string, string] => {
    const at = one.indexOf("=");
    if (at < 1) throw new UsageError(`--option takes KEY=VALUE; not "${one}"`);
    return [one.slice(0, at), one.slice(at + 1)];
  });
  const environments = environmentsOf(invocation);
  return {
    ...text("device"),
    ...text("route"),
    ...text("delegate"),
    ...text("library"),
    ...text("plugin"),
    ...(option(invocation, "fallback") === "cpu" ? { fallback: "cpu" } : {}),
    ...(passed.length === 0 ? {} : { options: Object.fromEntries(passed) }),
    ...(threads === undefined ? {} : { threads }),
    ...(environments.length === 0 ? {} : { environments }),
    // Any runtime can be crashed by some file: docs/decisions/050-command-line-isolates.md
    isolate: true,
    limits: {
      ...(seconds === undefined ? {} : { run_ms: seconds * 1000, open_ms: seconds * 2000 }),
      ...(memory === undefined ? {} : { memory: memory * 2 ** 20 }),
    },
  };
}

/** A whole number; undefined when the option is not there. */
export function numberOption(invocation: Invocation, name: string, most: number): number | undefined {
  const text = option(invocation, name);
  if (text === undefined) return undefined;
  if (!/^\d{1,10}$/.test(text) || Number(text) > most || Number(text) < 1) {
    throw new UsageError(`--${name} takes a whole number from 1 to ${most}; not "${text}"`);
  }
  return Number(text);
}
