/**
 * The methods that are served, by their paths: of the Open Inference Protocol with Triton's extensions, of health and of reflection.
 * Messages are read and written by @grpc/proto-loader, but those of an inference (infer.ts).
 */

import type * as grpcModule from "@grpc/grpc-js";
import type * as loaderModule from "@grpc/proto-loader";
import type * as reflectionModule from "@grpc/reflection";
import { EventEmitter } from "node:events";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { CannotError } from "../../base/errors.ts";
import { LEAVE_OUT, ownFile, requireLate } from "../../base/package.ts";
import { Refusal, type Engine } from "../engine.ts";
import type { Call, Method } from "./call.ts";
import { HEALTH, type Health } from "./health.ts";
import { readAsked, writeStreamed, writeStreamError, type AskedLimits } from "./infer.ts";
import { withMapEntries } from "./reflection.ts";
import { infer, inferStream, methods } from "./service.ts";
import { wordsOf } from "./status.ts";

const SERVICE = "inference.GRPCInferenceService";
const OPEN: readonly string[] = [`/${SERVICE}/ServerLive`, `/${HEALTH}/Check`];

type Definition = grpcModule.MethodDefinition<unknown, unknown>;
type Definitions = Readonly<Record<string, Definition>>;

export function methodsOf(engine: Engine, limits: AskedLimits, health: Health): ReadonlyMap<string, Method> {
  const loader = requireLate("@grpc/proto-loader") as typeof loaderModule;
  const reflection = requireLate("@grpc/reflection") as typeof reflectionModule;
  const protos = loader.loadSync([protoFile("inference.proto"), protoFile("health.proto")], {
    keepCase: true,
    longs: Number,
    enums: String,
    defaults: true,
    oneofs: true,
  });
  const inference = protos[SERVICE] as Definitions; // the proto names it
  const healthy = protos[HEALTH] as Definitions; // the proto names it
  const served = new Map<string, Method>();
  const serve = (name: string, definition: Definition | undefined, act: Method["act"]): void => {
    if (definition === undefined) throw new Error(`the proto has no ${name}`);
    const { path, requestStream } = definition;
    served.set(path, { name, path, streams: requestStream, open: OPEN.includes(path), act });
  };
  serve("ModelInfer", inference["ModelInfer"], async (call, message) =>
    call.reply(await infer(engine, message, limits, call)),
  );
  serve("ModelStreamInfer", inference["ModelStreamInfer"], (call) => answerStream(engine, call, limits));
  for (const [name, act] of Object.entries(methods(engine))) {
    serve(name, inference[name], unary(name, inference[name], act));
  }
  serve(
    "Check",
    healthy["Check"],
    unary("Check", healthy["Check"], ({ service }) => health.check(service)),
  );
  const watch = healthy["Watch"];
  serve("Watch", watch, async (call, message) => {
    const { service } = read("Watch", watch, message) as { service: string }; // what the proto says
    await health.watch(service, call.signal, (value) => call.send(write(watch, value)));
    call.finish();
  });
  // All that it wants of a server.
  const library = {
    addService: (
      service: Definitions,
      { ServerReflectionInfo }: Record<string, (stream: EventEmitter) => void>,
    ): void =>
      serve("ServerReflectionInfo", service["ServerReflectionInfo"], (call) =>
        emitted(call, service["ServerReflectionInfo"], ServerReflectionInfo),
      ),
  };
  new reflection.ReflectionService(withMapEntries(loader, protos)).addToServer(library);
  return served;
}

function unary(
  name: string,
  definition: Definition | undefined,
  act: (request: never, call: Call) => unknown,
): Method["act"] {
  return async (call, message) => {
    const value = await act(read(name, definition, message) as never, call); // what the proto says
    call.reply(write(definition, value));
  };
}

function read(name: string, definition: Definition | undefined, message: Buffer): unknown {
  try {
    return definition?.requestDeserialize(message);
  } catch {
    throw new Refusal("invalid", `no ${name}Request`); // protobufjs throws RangeError and Error
  }
}

const write = (definition: Definition | undefined, value: unknown): Buffer =>
  definition?.responseSerialize(value) ?? Buffer.alloc(0);

/** Requests of a stream, one after the other: an answer goes out before the next request is looked at. */
async function answerStream(engine: Engine, call: Call, limits: AskedLimits): Promise<void> {
  for (let bytes = await call.next(); bytes !== undefined; bytes = await call.next()) {
    let id = "";
    try {
      const asked = readAsked(bytes, limits);
      id = asked.id;
      call.note({ model: asked.model });
      for await (const answer of inferStream(engine, asked, call)) {
        if (call.ended) return;
        await call.send(writeStreamed(answer));
      }
    } catch (error) {
      if (call.ended) return;
      if (!(error instanceof Refusal)) throw error;
      await call.send(writeStreamError(wordsOf(error), id));
    }
  }
  if (call.whole) call.finish();
  else throw new Refusal("not-ready", "the server is shutting down");
}

/** What the library's reflection knows as a stream: it answers each request at once. */
async function emitted(
  call: Call,
  definition: Definition | undefined,
  act: ((stream: EventEmitter) => void) | undefined,
): Promise<void> {
  let sent: Promise<void> | undefined;
  const stream = Object.assign(new EventEmitter(), {
    write: (value: unknown) => (sent = call.send(write(definition, value))),
    end: () => call.finish(),
  });
  act?.(stream);
  for (let bytes = await call.next(); bytes !== undefined; bytes = await call.next()) {
    stream.emit("data", read("ServerReflection", definition, bytes));
    await sent;
  }
  stream.emit("end");
}

/** From src/base/package.ts, in the sources; beside the file that runs, in a build (tools/build.mjs); above it, in a bundle of benches. */
function protoFile(name: string): string {
  const places = [`../serve/grpc/${name}`, name, `../${name}`].map((place) => join(dirname(ownFile()), place));
  const found = places.find((place) => existsSync(place));
  if (found === undefined) throw new CannotError(`accelctl's ${name} is not found from ${ownFile()}: ${LEAVE_OUT}`);
  return found;
}
