/**
 * Load of Rockchip's NPU by the vendor's driver: "NPU load:  Core0: 12%, Core1:  0%, Core2:  0%," or "NPU load: 12%". The driver latches
 * it once a second (RKNPU_LOAD_INTERVAL): a shorter run may leave no mark. drivers/rknpu/rknpu_debugger.c of Rockchip's kernel
 */

import { fileCounter, type CounterKind } from "../counter.ts";

/** A whole second of the driver's clock lies within a run of two. */
const WHOLE_MS = 2_000;

const kind: CounterKind = {
  id: "rknpu-load",
  counts: "share of the last second in which a core of the NPU was busy, all cores added",
  of: "device",
  strength: "middling",
  still: "hint",
  buses: ["platform"],
  drivers: ["rknpu", "RKNPU"],
  needs: "root",
  source: "drivers/rknpu/rknpu_debugger.c of Rockchip's kernel",
  find(root) {
    const all = ["/sys/kernel/debug/rknpu/load", "/proc/rknpu/load"].map((path) =>
      fileCounter(root, kind, path, "%", sumOfLoads),
    );
    const states = all.map((counter) => counter.read().state);
    const readable = all.filter((_, at) => states[at] === "read");
    // One says it all; where none can be read, the one that is denied says what it needs.
    return readable.length > 0 ? readable.slice(0, 1) : all.filter((_, at) => states[at] === "denied").slice(0, 1);
  },
  judge(before, after, { elapsed_ms: elapsed }) {
    if (after.value > 0 && before.value === 0) return { moved: "yes" };
    if (elapsed < WHOLE_MS) return { moved: "unknown", because: "the driver takes it once a second" };
    return after.value > 0 ? { moved: "yes" } : { moved: "no" };
  },
};
export default kind;

function sumOfLoads(text: string): number | undefined {
  const loads = [...text.matchAll(/(\d{1,3})%/g)].map(([, load]) => Number(load));
  return text.startsWith("NPU load:") && loads.length > 0 ? loads.reduce((sum, load) => sum + load, 0) : undefined;
}
