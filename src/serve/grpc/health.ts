/** grpc.health.v1.Health: whether the server, or a model, serves. https://github.com/grpc/grpc/blob/master/doc/health-checking.md */

import type * as grpcModule from "@grpc/grpc-js";
import type { Engine } from "../engine.ts";
import { codes } from "./status.ts";

export const HEALTH = "grpc.health.v1.Health";
/** How often a change is looked for while somebody watches. */
const LOOK_MS = 500;

type Watch = grpcModule.ServerWritableStream<{ service: string }, { status: string }>;

export interface Health {
  readonly implementation: grpcModule.UntypedServiceImplementation;
  /** Tells watchers that nothing serves any more, and ends them. */
  close(): void;
}

export function health(engine: Engine): Health {
  let closed = false;
  const watchers = new Map<Watch, string>();
  let looking: NodeJS.Timeout | undefined;

  const statusOf = (service: string): string => {
    if (service === "" || service === "inference.GRPCInferenceService") {
      return engine.ready() && !closed ? "SERVING" : "NOT_SERVING";
    }
    const model = engine.model(service);
    if (model === undefined) return "SERVICE_UNKNOWN";
    return model.status === "ready" && !closed ? "SERVING" : "NOT_SERVING";
  };
  const tell = (watch: Watch): void => {
    const status = statusOf(watch.request.service);
    if (watchers.get(watch) === status) return;
    watchers.set(watch, status);
    watch.write({ status });
  };
  const leave = (watch: Watch): void => {
    watchers.delete(watch);
    if (watchers.size > 0) return;
    clearInterval(looking);
    looking = undefined;
  };

  return {
    implementation: {
      Check: (
        { request: { service } }: grpcModule.ServerUnaryCall<{ service: string }, unknown>,
        done: grpcModule.sendUnaryData<unknown>,
      ) => {
        const status = statusOf(service);
        if (status === "SERVICE_UNKNOWN")
          done({ code: codes["not-found"], details: "there is no such service or model" });
        else done(null, { status });
      },
      Watch: (watch: Watch) => {
        watch.on("cancelled", () => leave(watch));
        watch.on("error", () => leave(watch));
        watchers.set(watch, "");
        tell(watch);
        if (closed) watch.end();
        looking ??= setInterval(() => [...watchers.keys()].forEach(tell), LOOK_MS).unref();
      },
    },
    close() {
      closed = true;
      for (const watch of [...watchers.keys()]) {
        tell(watch);
        watch.end();
        leave(watch);
      }
    },
  };
}
