/** What a run was made of, by LiteRT's profiler. litert/c/litert_profiler.h, litert_profiler_event.h */

import type { Span } from "../../delegate.ts";
import type { Pointer } from "../api.ts";
import type { Litert } from "./api.ts";

/** ProfiledEventData: tag, type, start and length in microseconds, memory before and after (3 sizes each), 2 of metadata, source. */
const EVENT = { bytes: 104, type: 8, elapsed: 24 } as const;
/** OPERATOR_INVOKE_EVENT, DELEGATE_PROFILED_OPERATOR_INVOKE_EVENT: others are of the whole, or inside of these. */
const [OPERATOR, DELEGATED] = [2, 8];
const EVENTS_LIMIT = 100_000;

export interface Spans {
  readonly start: () => void;
  readonly stop: () => readonly Span[];
}

/** The model's own profiler, which there is when its options asked for one; `by` who computes what TFLite's kernels do not. */
export function watchSpans(litert: Litert, compiled: Pointer, by: string): Spans {
  const what = "no profile";
  const profiler = litert.made(what, "LiteRtCompiledModelGetProfiler", compiled);
  return {
    start() {
      litert.must(what, "LiteRtResetProfiler", profiler);
      litert.must(what, "LiteRtStartProfiler", profiler);
    },
    stop() {
      const count = Math.min(Number(litert.made(what, "LiteRtGetNumProfilerEvents", profiler)), EVENTS_LIMIT);
      const events = new DataView(new ArrayBuffer(EVENT.bytes * Math.max(1, count)));
      litert.must(what, "LiteRtGetProfilerEvents", profiler, count, new Uint8Array(events.buffer));
      litert.must(what, "LiteRtStopProfiler", profiler);
      return Array.from({ length: count }, (_, at): Span | undefined => {
        const type = events.getInt32(at * EVENT.bytes + EVENT.type, true);
        if (type !== OPERATOR && type !== DELEGATED) return undefined;
        const name = litert.text(events.getBigUint64(at * EVENT.bytes, true));
        const ms = Number(events.getBigUint64(at * EVENT.bytes + EVENT.elapsed, true)) / 1000;
        return { name, by: type === OPERATOR ? "CPU" : by, ms };
      }).filter((span) => span !== undefined);
    },
  };
}
