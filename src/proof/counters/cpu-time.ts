/**
 * Processor time of the processes that ran: what the CPU did while the device did or did not. From schedstat of its threads, in
 * nanoseconds; where the kernel has none from stat, in clock ticks of 10 ms. proc_pid_stat(5), Documentation/scheduler/sched-stats.rst
 */

import { absent, malformed, read, valueOf, type Reading } from "../../base/reading.ts";
import type { Root } from "../../root/root.ts";
import type { CounterKind, Sample } from "../counter.ts";

/** USER_HZ: the same on every architecture that has an accelerator. */
const TICKS_PER_SECOND = 100;
/** Threads looked at one by one: inference runtimes have one per core. */
const THREAD_LIMIT = 256;

const kind: CounterKind = {
  id: "processor-time",
  counts: "processor time of this process",
  of: "processor",
  strength: "strong",
  still: "proof",
  source: "Documentation/scheduler/sched-stats.rst",
  find: (root, _target, pids) =>
    pids.map((pid) => ({ kind, path: `/proc/${pid}/task/*/schedstat`, unit: "ns", read: () => readTime(root, pid) })),
  judge(before, after) {
    const more = after.value - before.value;
    if (more < 0 || before.word !== after.word) return { moved: "unknown", because: "a thread ended meanwhile" };
    return { moved: more > 0 ? "yes" : "no" };
  },
};
export default kind;

function readTime(root: Root, pid: number): Reading<Sample> {
  const threads = root.list(`/proc/${pid}/task`);
  if (threads.state !== "read" || threads.value.length > THREAD_LIMIT) return ticks(root, pid);
  let value = 0;
  let waited = 0;
  for (const thread of threads.value) {
    // One that ended between the listing and now is left out: the sum falls, and no difference is made of it.
    const [ran, ready] = (valueOf(root.text(`/proc/${pid}/task/${thread}/schedstat`)) ?? "").split(" ");
    value += Number.parseInt(ran ?? "", 10) || 0;
    waited += Number.parseInt(ready ?? "", 10) || 0;
  }
  // All zero where the kernel was built without it.
  return value > 0 ? read({ value, waited, word: "schedstat" }, `/proc/${pid}/task`) : ticks(root, pid);
}

/** utime and stime, the 14th and 15th; the second is a name that may hold blanks and brackets. */
function ticks(root: Root, pid: number): Reading<Sample> {
  const path = `/proc/${pid}/stat`;
  const text = root.text(path);
  if (text.state !== "read") return text.state === "absent" ? absent(path, "it has ended") : text;
  const fields = text.value.slice(text.value.lastIndexOf(")") + 2).split(" ");
  const sum = Number(fields[11]) + Number(fields[12]);
  return Number.isFinite(sum)
    ? read({ value: (sum / TICKS_PER_SECOND) * 1e9, word: "ticks" }, path)
    : malformed(path, "no times in it");
}
