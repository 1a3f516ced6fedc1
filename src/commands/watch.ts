/** accelctl watch: what the accelerators do, sample by sample: a line for each device, or JSON Lines for other programs. */

import { UsageError } from "../base/errors.ts";
import { alertText, sampleLine, sampleText } from "../print/sample.ts";
import { harmless } from "../print/terminal.ts";
import type { Root } from "../root/root.ts";
import { Alerts, parseAlert } from "../watch/alert.ts";
import { isSampleMeant } from "../watch/choose.ts";
import { openRecorder, replay } from "../watch/recording.ts";
import { createRunner } from "../watch/runner.ts";
import type { Sample } from "../watch/sample.ts";
import { samplesOf } from "../watch/stream.ts";
import { flag, grouped, option, options, type Command, type Invocation } from "./command.ts";
import { queryOption, rootOf, rootOptions, vendorOption } from "./common.ts";
import { secondsOption, watchOf } from "./watch-options.ts";

/** Shorter, and watching would be what keeps the machine busy. */
const SHORTEST = 0.05;
/** A day. */
const LONGEST = 86_400;
const COUNT_LIMIT = 1_000_000_000;
const FASTEST = 1_000_000;
const ALERT_LIMIT = 64;

const command: Command = {
  name: "watch",
  summary: "what the accelerators do, once a second",
  usage: "[DEVICE...]",
  says:
    "Prints for each device how busy it is, its memory, clock, temperature, power and who uses it; with --json all that its driver tells, " +
    "one line of JSON per sample. DEVICE is an id, an address, a node or a family, or a pattern of one. What cannot be read says why " +
    "and is never 0. A device that sleeps is left asleep unless --query is given. Ctrl-C ends it. Ends with 1 when an alert fired.",
  options: [
    ...rootOptions.filter(({ name }) => name !== "env"),
    { name: "json", says: "one line of JSON per sample (docs/sample.schema.json)" },
    { name: "interval", short: "i", value: "SECONDS", says: "from one sample to the next (1)" },
    { name: "count", short: "n", value: "N", says: "end after so many samples (1 for a saved machine, else none)" },
    queryOption,
    vendorOption,
    { name: "processes", says: "look for the processes that use a device (done when nothing is said)" },
    { name: "no-processes", says: "do not" },
    ...grouped("Recordings", [
      {
        name: "record",
        value: "FILE",
        says: "also write every sample to FILE, or go on with a recording that is there",
      },
      { name: "replay", value: "FILE", says: "show a recording instead of a machine" },
      { name: "speed", value: "N", says: "with --replay: so many times as fast (1); max: without waiting" },
    ]),
    ...grouped("Alerts", [
      {
        name: "alert",
        value: "RULE",
        many: true,
        says: 'METRIC[PART] > NUMBER, optionally "for 10s" and "on DEVICE": "power_watts > 75 for 10s", "busy_ratio < 5% on intel-npu"',
      },
      { name: "until-alert", says: "end when an alert fires" },
      {
        name: "alert-exec",
        value: "PROGRAM",
        says: "run PROGRAM when an alert fires and when it ends, with the alert as JSON on its standard input; no shell",
      },
    ]),
  ],
  examples: [
    { command: "accelctl watch", says: "a line for each accelerator, every second" },
    { command: "accelctl watch --json --count 2 intel-npu | tail -1", says: "one whole sample, rates included" },
    {
      command: "accelctl watch --until-alert --alert 'temperature_celsius > 95 for 10s' && echo fine",
      says: "wait for heat; ends with 1 when it comes",
    },
    { command: "accelctl watch --record night.jsonl --interval 10", says: "keep what happens" },
    {
      command: "accelctl watch --replay night.jsonl --speed max --alert 'power_watts > 300'",
      says: "look for something in it",
    },
  ],
  async run(invocation) {
    const wishes = wishesOf(invocation);
    const json = flag(invocation, "json");
    const complain = (text: string): void => {
      invocation.err(`accelctl: ${harmless(text)}\n`);
    };
    const end = new AbortController();
    const stop = (): void => {
      end.abort();
    };
    const source =
      wishes.replay === undefined ? live(invocation, wishes, end.signal) : recorded(wishes, wishes.replay, end.signal);
    const recorder =
      wishes.record === undefined || source.root === undefined
        ? undefined
        : openRecorder(wishes.record, source.root, new Date());
    const runner = wishes.exec === undefined ? undefined : createRunner(wishes.exec, complain);
    const alerts = new Alerts(wishes.alerts);
    process.once("SIGINT", stop).once("SIGTERM", stop);
    try {
      for await (const sample of source.samples) {
        // What was printed is on disk too, whatever happens to the reader.
        recorder?.write(sample);
        invocation.out(json ? sampleLine(sample) : sampleText(sample, invocation.terminal));
        for (const event of alerts.follow(sample)) {
          invocation.err(alertText(event));
          runner?.run(event);
        }
        if (wishes.untilAlert && alerts.fired) break;
      }
    } finally {
      process.off("SIGINT", stop).off("SIGTERM", stop);
      recorder?.close();
      source.close();
      await runner?.done();
    }
    return alerts.fired ? 1 : 0;
  },
};
export default command;

interface Source {
  readonly samples: AsyncIterable<Sample>;
  /** Absent of a recording. */
  readonly root?: Root;
  readonly close: () => void;
}

type Wishes = ReturnType<typeof wishesOf>;

/** Everything that was typed, looked at before anything is opened. Throws UsageError. */
function wishesOf(invocation: Invocation) {
  const [record, file, speed, exec] = ["record", "replay", "speed", "alert-exec"].map((name) =>
    option(invocation, name),
  );
  const alerts = options(invocation, "alert");
  const has = (name: string): boolean => invocation.options[name] !== undefined;
  if (flag(invocation, "processes") && flag(invocation, "no-processes")) {
    throw new UsageError("--processes and --no-processes say opposite things; give one");
  }
  if (file !== undefined) {
    const other = ["root", "paste", "interval", "query", "vendor", "record", "processes", "no-processes"].find(has);
    if (other !== undefined) throw new UsageError(`--replay shows what was recorded; --${other} is about a machine`);
  }
  if (speed !== undefined && file === undefined) throw new UsageError("--speed is the pace of --replay FILE");
  if (alerts.length === 0 && flag(invocation, "until-alert"))
    throw new UsageError("--until-alert needs an --alert to wait for");
  if (alerts.length === 0 && exec !== undefined) throw new UsageError("--alert-exec needs an --alert to run it for");
  if (exec === "" || exec?.includes("\0") === true) throw new UsageError("--alert-exec takes the name of a program");
  if (alerts.length > ALERT_LIMIT) throw new UsageError(`${alerts.length} of --alert; ${ALERT_LIMIT} are the most`);
  return {
    words: invocation.args,
    interval: secondsOption(invocation, "interval", SHORTEST, LONGEST) ?? 1,
    count: countOption(invocation),
    query: flag(invocation, "query"),
    vendor: flag(invocation, "vendor"),
    processes: !flag(invocation, "no-processes"),
    untilAlert: flag(invocation, "until-alert"),
    alerts: alerts.map(parseAlert),
    speed: speedOf(speed),
    record,
    replay: file,
    exec,
  };
}

function live(invocation: Invocation, wishes: Wishes, signal: AbortSignal): Source {
  const root = rootOf(invocation);
  const { words, query, vendor, processes, interval } = wishes;
  const watch = watchOf(root, words, { query, vendor, processes });
  // A saved machine is one moment.
  const count = wishes.count ?? (root.kind === "live" ? Infinity : 1);
  return {
    samples: samplesOf(watch, { interval_seconds: interval, count, signal }),
    root,
    close: () => {
      watch.close();
    },
  };
}

function recorded({ words, speed, count = Infinity }: Wishes, path: string, signal: AbortSignal): Source {
  async function* samples(): AsyncGenerator<Sample, void, undefined> {
    let given = 0;
    for await (const sample of replay(path, { speed, signal })) {
      yield { ...sample, devices: sample.devices.filter((device) => isSampleMeant(device, words)) };
      if (++given >= count) return;
    }
  }
  return { samples: samples(), close: () => undefined };
}

function countOption(invocation: Invocation): number | undefined {
  const text = option(invocation, "count");
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,9}$/.test(text) || Number(text) > COUNT_LIMIT) {
    throw new UsageError(`--count takes a whole number from 1; not "${text}"`);
  }
  return Number(text);
}

function speedOf(text: string | undefined): number {
  if (text === undefined) return 1;
  if (text === "max") return Infinity;
  const speed = /^\d{0,7}\.?\d{1,6}$/.test(text) ? Number(text) : 0;
  if (speed <= 0 || speed > FASTEST) throw new UsageError(`--speed takes a number above 0, or max; not "${text}"`);
  return speed;
}
