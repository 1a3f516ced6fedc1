/** grpc.health.v1.Health: whether the server, or a model, serves. https://github.com/grpc/grpc/blob/master/doc/health-checking.md */

import { Refusal, type Engine } from "../engine.ts";

export const HEALTH = "grpc.health.v1.Health";
/** How often a change is looked for while somebody watches. */
const LOOK_MS = 500;

interface Answer {
  readonly status: string;
}

export interface Health {
  check(service: string): Answer;
  /** Tells of each change; resolves when nothing serves any more, or the watcher is gone. */
  watch(service: string, gone: AbortSignal, tell: (answer: Answer) => Promise<void>): Promise<void>;
  /** Tells watchers that nothing serves any more, and ends them. */
  close(): void;
}

export function health(engine: Engine): Health {
  let closed = false;
  /** Each looks, and is done. */
  const watchers = new Set<() => void>();
  let looking: NodeJS.Timeout | undefined;

  const statusOf = (service: string): string => {
    if (service === "" || service === "inference.GRPCInferenceService") {
      return engine.ready() && !closed ? "SERVING" : "NOT_SERVING";
    }
    const model = engine.model(service);
    if (model === undefined) return "SERVICE_UNKNOWN";
    return model.status === "ready" && !closed ? "SERVING" : "NOT_SERVING";
  };

  return {
    check(service) {
      const status = statusOf(service);
      if (status === "SERVICE_UNKNOWN") throw new Refusal("not-found", "there is no such service or model");
      return { status };
    },
    async watch(service, gone, tell) {
      let told = "";
      let look = (): void => undefined;
      const leave = (): void => look();
      const wake = (): void => look();
      watchers.add(wake);
      gone.addEventListener("abort", leave, { once: true });
      looking ??= setInterval(() => [...watchers].forEach((one) => one()), LOOK_MS).unref();
      while (!gone.aborted) {
        const status = statusOf(service);
        if (status !== told) await tell({ status });
        told = status;
        if (closed) break;
        await new Promise<void>((done) => (look = done));
      }
      gone.removeEventListener("abort", leave);
      watchers.delete(wake);
      if (watchers.size > 0) return;
      clearInterval(looking);
      looking = undefined;
    },
    close() {
      closed = true;
      for (const wake of [...watchers]) wake();
    },
  };
}
