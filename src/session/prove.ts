/** Proof of the runs of one session: the kernel's counters of the device it was opened on. */

import { absent } from "../base/reading.ts";
import type { Target } from "../proof/counter.ts";
import { openProof, type ProofRun } from "../proof/proof.ts";
import type { Proof } from "../proof/verdict.ts";
import type { Root } from "../root/root.ts";

/** How long the device's counters are looked at before the session opens it, milliseconds. */
const REST = 20;

export interface SessionProver {
  /** Reads the counters; finish() reads them again and judges. `pid` is of the process that works. */
  start(pid: number): ProofRun;
}

const processor: Target = { bus: "cpu", address: "cpu0", driver: absent("cpu"), nodes: [], parts: [] };

/** Before the session is opened. */
export async function deviceProver(root: Root, target: Target): Promise<SessionProver> {
  const prover = openProof(root, target);
  await prover.rest(REST);
  return { start: (pid) => prover.start([pid]) };
}

/**
 * The processor's time. Of this process by getrusage(2), in a microsecond, because a small model takes a few; of another as the kernel
 * shows it.
 */
export function processorProver(root: () => Root): SessionProver {
  let prover: ReturnType<typeof openProof> | undefined;
  return {
    start: (pid) =>
      pid === process.pid ? { finish: ownTime() } : (prover ??= openProof(root(), processor)).start([pid]),
  };
}

function ownTime(): () => Promise<Proof> {
  const before = process.cpuUsage();
  const start = performance.now();
  return () => {
    const after = process.cpuUsage();
    const elapsed = performance.now() - start;
    const [from, to] = [before.user + before.system, after.user + after.system];
    const moved = to > from;
    const evidence = {
      counter: "own-processor-time",
      counts: "processor time of this process, all its threads",
      path: "getrusage(2)",
      before: from,
      after: to,
      unit: "us",
      of: "processor",
      strength: "strong",
      moved: moved ? "yes" : "unknown",
    } as const;
    const spent = `${((to - from) / 1000).toFixed(2)} ms of processor time in ${elapsed.toFixed(2)} ms`;
    return Promise.resolve({
      verdict: moved ? "worked" : "cannot-tell",
      says: moved ? "the CPU worked" : "cannot tell: it took less time than the kernel counts",
      because: spent,
      elapsed_ms: elapsed,
      evidence: [evidence],
      blind: [],
    });
  };
}
