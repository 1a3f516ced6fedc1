/** accelctl top: the watch on a full screen, or one plain frame of it. */

import { basename } from "node:path";
import { UsageError } from "../base/errors.ts";
import { openFullScreen } from "../print/full-screen.ts";
import { renderOnce, renderTop } from "../print/top.ts";
import { sortable } from "../print/top-columns.ts";
import { firstState, withKey, withSample, type TopState } from "../print/top-state.ts";
import type { Root } from "../root/root.ts";
import { readRecording, replay } from "../watch/recording.ts";
import type { Sample } from "../watch/sample.ts";
import { samplesOf } from "../watch/stream.ts";
import { flag, option, type Command, type Invocation } from "./command.ts";
import { queryOption, rootOf, rootOptions, vendorOption } from "./common.ts";
import { secondsOption, watchOf } from "./watch-options.ts";

const [SHORTEST, LONGEST] = [0.1, 3600];
/** Of a recording: nobody waits for a night to pass. */
const LONGEST_GAP = 5;

const command: Command = {
  name: "top",
  summary: "a live screen of what the accelerators do",
  usage: "[DEVICE...]",
  says:
    "Shows every accelerator with its busy time, memory, power, temperature and clock, their last minutes, and who uses it. Enter shows " +
    "all metrics of a device, and why some have no value; ? lists the keys. DEVICE is an id, an address, a node or a family, or a pattern " +
    "of one. Where standard output is no terminal, and with --once, one plain frame is printed.",
  options: [
    ...rootOptions.filter(({ name }) => name !== "env"),
    {
      name: "interval",
      short: "i",
      value: "SECONDS",
      says: "from one sample to the next (1); of a recording, as it was made",
    },
    { name: "replay", value: "FILE", says: "show samples that watch recorded (--record, --json)" },
    { name: "once", says: "print one plain frame and end" },
    {
      name: "sort",
      value: "COLUMN",
      choices: sortable,
      says: "highest first; as the machine lists them when not given",
    },
    { name: "filter", value: "WORDS", says: "what has these words in its name, family, driver, address or processes" },
    { name: "processes", short: "p", says: "begin with the processes that use the devices" },
    queryOption,
    vendorOption,
  ],
  examples: [
    { command: "accelctl top", says: "q leaves, ? helps" },
    { command: "accelctl top --once --sort busy", says: "one frame, for a script or a mail" },
    { command: "accelctl top --replay night.jsonl", says: "what was recorded" },
  ],
  async run(invocation) {
    const source = sourceOf(invocation);
    const { terminal } = invocation;
    const state = startOf(invocation, source);
    const interactive =
      !flag(invocation, "once") && terminal.isTerminal && process.stdin.isTTY && process.env["TERM"] !== "dumb";
    try {
      return await (interactive ? onScreen(invocation, state, source) : once(invocation, state, source));
    } finally {
      source.close();
    }
  },
};
export default command;

interface Source {
  readonly interval: number;
  readonly from?: string;
  /** What `from` becomes when the last sample was shown. */
  readonly ends?: string;
  /** Ends when aborted, or by itself. `paused` holds a recording. */
  readonly samples: (signal: AbortSignal, paused: () => boolean) => AsyncIterable<Sample>;
  /** What one frame is made of: two samples where time passes, since rates need two. */
  readonly few: () => AsyncIterable<Sample> | Iterable<Sample>;
  readonly close: () => void;
}

function sourceOf(invocation: Invocation): Source {
  const interval = secondsOption(invocation, "interval", SHORTEST, LONGEST);
  const recording = option(invocation, "replay");
  if (recording === undefined) return watchSource(rootOf(invocation), interval ?? 1, invocation);
  if (option(invocation, "root") !== undefined || option(invocation, "paste") !== undefined) {
    throw new UsageError("--replay shows a recording and no machine; leave --root and --paste out");
  }
  if (invocation.args.length > 0) throw new UsageError("--replay shows a recording; choose in it with --filter");
  return replaySource(recording, interval);
}

function watchSource(root: Root, interval: number, invocation: Invocation): Source {
  const watch = watchOf(root, invocation.args, {
    query: flag(invocation, "query"),
    vendor: flag(invocation, "vendor"),
  });
  const live = root.kind === "live";
  const saved = basename(option(invocation, "root") ?? option(invocation, "paste") ?? "");
  return {
    // A saved machine is one moment.
    interval: live ? interval : 0,
    ...(live ? {} : { from: saved }),
    samples: (signal) => samplesOf(watch, { interval_seconds: interval, signal, ...(live ? {} : { count: 1 }) }),
    few: () => samplesOf(watch, { interval_seconds: Math.min(interval, 1), count: live ? 2 : 1 }),
    close: () => {
      watch.close();
    },
  };
}

/** As it was recorded, or at an interval of the reader's own. */
function replaySource(path: string, interval: number | undefined): Source {
  const name = basename(path);
  return {
    // Learned from the samples.
    interval: 0,
    from: name,
    ends: `end of ${name}`,
    samples: (signal, paused) =>
      replay(path, {
        ...(interval === undefined ? { longest_seconds: LONGEST_GAP } : { interval_seconds: interval }),
        paused,
        lenient: true,
        signal,
      }),
    few: () => readRecording(path, { lenient: true }),
    close: () => undefined,
  };
}

function startOf(invocation: Invocation, { interval, from }: Source): TopState {
  return {
    ...firstState({ interval, ...(from === undefined ? {} : { from }) }),
    sort: option(invocation, "sort"),
    filter: option(invocation, "filter") ?? "",
    processes: flag(invocation, "processes"),
  };
}

async function once(invocation: Invocation, first: TopState, source: Source): Promise<number> {
  let state = first;
  for await (const sample of source.few()) state = withSample(state, sample);
  const { terminal } = invocation;
  const columns = terminal.isTerminal ? process.stdout.columns : terminal.columns;
  invocation.out(renderOnce(state, columns, terminal));
  return 0;
}

function onScreen({ terminal }: Invocation, first: TopState, source: Source): Promise<number> {
  return new Promise((done, fail) => {
    let state = first;
    const stop = new AbortController();
    const draw = (): void => screen.draw(renderTop(state, screen.size(), terminal));
    const finish = (end: () => void): void => {
      if (stop.signal.aborted) return;
      stop.abort();
      screen.close();
      end();
    };
    const end = (code: number): void => {
      finish(() => {
        done(code);
      });
    };
    const screen = openFullScreen({
      key: (key) => {
        state = withKey(state, key);
        if (state.done) end(0);
        else draw();
      },
      resize: draw,
      end,
    });
    const follow = async (): Promise<void> => {
      for await (const sample of source.samples(stop.signal, () => state.frozen)) {
        if (stop.signal.aborted) return;
        state = withSample(state, sample);
        draw();
      }
      if (source.ends === undefined || stop.signal.aborted) return;
      // It stays on the screen until it has been looked at.
      state = { ...state, from: source.ends };
      draw();
    };
    draw();
    follow().catch((error: unknown) => {
      finish(() => {
        fail(error instanceof Error ? error : new Error(String(error)));
      });
    });
  });
}
