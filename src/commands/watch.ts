/** accelctl watch: what the accelerators do, sample by sample: a line for each device, or JSON Lines for other programs. */

import { UsageError } from "../base/errors.ts";
import { sampleText } from "../print/sample.ts";
import { isMeant } from "../watch/choose.ts";
import type { Sample } from "../watch/sample.ts";
import { samplesOf } from "../watch/stream.ts";
import { openWatch } from "../watch/watch.ts";
import { flag, option, type Command, type Invocation } from "./command.ts";
import { queryOption, rootOf, rootOptions } from "./common.ts";

/** Shorter, and watching would be what keeps the machine busy. */
const SHORTEST = 0.05;
/** A day. */
const LONGEST = 86_400;
const COUNT_LIMIT = 1_000_000_000;

const command: Command = {
  name: "watch",
  summary: "what the accelerators do, once a second",
  usage: "[DEVICE...]",
  says:
    "Prints for each device how busy it is, its memory, clock, temperature, power and who uses it; with --json all that its driver tells, " +
    "one line of JSON per sample. DEVICE is an id, an address, a node or a family, or a pattern of one. What cannot be read says why " +
    "and is never 0. A device that sleeps is left asleep unless --query is given. Ctrl-C ends it.",
  options: [
    ...rootOptions.filter(({ name }) => name !== "env"),
    { name: "json", says: "one line of JSON per sample (docs/sample.schema.json)" },
    { name: "interval", short: "i", value: "SECONDS", says: "from one sample to the next (1)" },
    { name: "count", short: "n", value: "N", says: "end after so many samples (1 for a saved machine, else none)" },
    queryOption,
    { name: "processes", says: "look for the processes that use a device (done when nothing is said)" },
    { name: "no-processes", says: "do not" },
  ],
  examples: [
    { command: "accelctl watch", says: "a line for each accelerator, every second" },
    { command: "accelctl watch --json --count 2 intel-npu | tail -1", says: "one whole sample, rates included" },
  ],
  async run(invocation) {
    const root = rootOf(invocation);
    const words = invocation.args;
    const interval = secondsOption(invocation, "interval") ?? 1;
    // A saved machine is one moment.
    const count = countOption(invocation) ?? (root.kind === "live" ? Infinity : 1);
    if (flag(invocation, "processes") && flag(invocation, "no-processes")) {
      throw new UsageError("--processes and --no-processes say opposite things; give one");
    }
    const watch = openWatch(root, {
      query: flag(invocation, "query"),
      processes: !flag(invocation, "no-processes"),
      ...(words.length === 0 ? {} : { only: (device) => isMeant(device, words) }),
    });
    if (words.length > 0 && watch.devices().length === 0) {
      watch.close();
      throw new UsageError(`no device is "${words.join('", "')}" here; accelctl list shows them`);
    }
    const json = flag(invocation, "json");
    const print = (sample: Sample): void =>
      invocation.out(json ? `${JSON.stringify(sample)}\n` : sampleText(sample, invocation.terminal));
    const end = new AbortController();
    const stop = (): void => {
      end.abort();
    };
    process.once("SIGINT", stop).once("SIGTERM", stop);
    try {
      for await (const sample of samplesOf(watch, { interval_seconds: interval, count, signal: end.signal }))
        print(sample);
    } finally {
      process.off("SIGINT", stop).off("SIGTERM", stop);
      watch.close();
    }
    return 0;
  },
};
export default command;

function secondsOption(invocation: Invocation, name: string): number | undefined {
  const text = option(invocation, name);
  if (text === undefined) return undefined;
  const seconds = /^\d{0,6}\.?\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (!(seconds >= SHORTEST && seconds <= LONGEST)) {
    throw new UsageError(`--${name} takes seconds from ${SHORTEST} to ${LONGEST}; not "${text}"`);
  }
  return seconds;
}

function countOption(invocation: Invocation): number | undefined {
  const text = option(invocation, "count");
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,9}$/.test(text) || Number(text) > COUNT_LIMIT) {
    throw new UsageError(`--count takes a whole number from 1; not "${text}"`);
  }
  return Number(text);
}
