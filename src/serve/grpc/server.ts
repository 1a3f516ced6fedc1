/**
 * The server for gRPC: the Open Inference Protocol with Triton's extensions, health and reflection, by @grpc/grpc-js. It takes
 * connections itself, within limits, and hands them to the library, which has no such bounds.
 *
 *     const grpc = await startGrpc(engine, { host: "127.0.0.1", port: 8001 });
 *     await grpc.close(10_000);
 */

import type * as grpcModule from "@grpc/grpc-js";
import type * as loaderModule from "@grpc/proto-loader";
import type * as reflectionModule from "@grpc/reflection";
import { existsSync, readFileSync } from "node:fs";
import type * as tlsModule from "node:tls";
import { createServer, type AddressInfo, type Server as NetServer, type Socket } from "node:net";
import { dirname, join } from "node:path";
import { CannotError, UsageError } from "../../base/errors.ts";
import { LEAVE_OUT, ownFile, requireLate } from "../../base/package.ts";
import { Refusal, type Engine } from "../engine.ts";
import { limitsWith, type Limits } from "../http/limits.ts";
import { isLoopback } from "../http/listen.ts";
import { silent, type Log } from "../http/log.ts";
import { Gate } from "./gate.ts";
import { health, HEALTH } from "./health.ts";
import { answerStream, Call, type AnyCall, type Stream } from "./call.ts";
import { withMapEntries } from "./reflection.ts";
import { infer, methods } from "./service.ts";
import { codes } from "./status.ts";

type Grpc = typeof grpcModule;

export interface GrpcOptions {
  /** An address or name; default 127.0.0.1. */
  readonly host?: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Callers must bring it, but for liveness and health. Needed to listen anywhere but on loopback. */
  readonly token?: string;
  /** Paths of PEM files: then it speaks TLS. */
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly limits?: Partial<Limits>;
  readonly log?: Log;
}

export interface GrpcRunning {
  readonly port: number;
  /** Takes nothing new, answers what is under way, and after so many milliseconds closes what is left. */
  close(within_ms: number): Promise<void>;
}

const SERVICE = "inference.GRPCInferenceService";
/** Beside what is published: what it costs to ask tells nothing of the models. */
const OPEN = [`/${SERVICE}/ServerLive`, `/${HEALTH}/Check`];
/** HTTP/2 streams of one connection: more wait at the client. */
const STREAMS = 256;
/** A peer that is gone without a word is found out by a ping: a stream of answers may be silent for long. */
const [PING_MS, PONG_MS] = [60_000, 20_000];

/** Listens. Throws UsageError (an address that needs a token), CannotError (the address is taken, a file cannot be read). */
export async function startGrpc(engine: Engine, options: GrpcOptions): Promise<GrpcRunning> {
  const { host = "127.0.0.1", token, log = silent } = options;
  if (token === undefined && !isLoopback(host)) {
    throw new UsageError(`to listen on ${host}, which others can reach, a token is needed (--token-file FILE)`);
  }
  const limits = limitsWith(options.limits);
  const grpc = requireLate("@grpc/grpc-js") as Grpc;
  const credentials = credentialsOf(grpc, options.tls);
  const gate = new Gate(grpc, token, OPEN, limits, (path, code, details) => {
    if (log.writes("info")) log.line("info", `gRPC ${path} ${code}`, { error: details });
  });
  const server = new grpc.Server({
    "grpc.max_receive_message_length": limits.body_bytes,
    // Outputs are bounded by the models.
    "grpc.max_send_message_length": -1,
    "grpc.max_concurrent_streams": STREAMS,
    "grpc.max_connection_idle_ms": limits.idle_seconds * 1000,
    "grpc.keepalive_time_ms": PING_MS,
    "grpc.keepalive_timeout_ms": PONG_MS,
    "grpc.enable_channelz": 0,
    interceptors: [gate.interceptor],
  });
  const draining = new AbortController();
  const watched = health(engine);
  addServices(grpc, server, engine, limits, log, draining.signal, watched.implementation);
  const injector = server.createConnectionInjector(credentials);
  const sockets = new Set<Socket>();
  const taken = takeConnections(limits, sockets, (socket) => injector.injectConnection(socket));
  try {
    await listening(taken, host, options.port);
  } catch (error) {
    server.forceShutdown();
    gate.close();
    throw error;
  }
  let closed: Promise<void> | undefined;
  return {
    port: (taken.address() as AddressInfo).port, // it listens on a port, not on a path
    close: (within_ms) =>
      (closed ??= new Promise<void>((done) => {
        taken.close();
        watched.close();
        draining.abort();
        const force = setTimeout(() => {
          for (const socket of sockets) socket.destroy();
        }, within_ms);
        server.tryShutdown(() => {
          clearTimeout(force);
          server.forceShutdown();
          gate.close();
          done();
        });
      })),
  };
}

function credentialsOf(grpc: Grpc, tls: GrpcOptions["tls"]): grpcModule.ServerCredentials {
  if (tls === undefined) return grpc.ServerCredentials.createInsecure();
  const read = (path: string): Buffer => {
    try {
      return readFileSync(path);
    } catch (cause) {
      throw new CannotError(`${path} cannot be read`, { cause });
    }
  };
  const [cert_chain, private_key] = [read(tls.cert), read(tls.key)];
  try {
    // The library would find out at the first connection.
    (requireLate("node:tls") as typeof tlsModule).createSecureContext({ cert: cert_chain, key: private_key });
    return grpc.ServerCredentials.createSsl(null, [{ cert_chain, private_key }]);
  } catch (cause) {
    throw new CannotError(`${tls.cert} and ${tls.key} are no certificate and its key`, { cause });
  }
}

/** A listener that keeps to the limits before anything is known of who connects. */
function takeConnections(limits: Limits, sockets: Set<Socket>, take: (socket: Socket) => void): NetServer {
  const perAddress = new Map<string, number>();
  const server = createServer({ noDelay: true }, (socket) => {
    const address = socket.remoteAddress ?? "";
    const open = perAddress.get(address) ?? 0;
    socket.on("error", () => socket.destroy());
    if (open >= limits.connections_per_address) {
      socket.destroy();
      return;
    }
    perAddress.set(address, open + 1);
    sockets.add(socket);
    // One that connects and says nothing.
    const silence = setTimeout(() => {
      if (socket.bytesRead === 0) socket.destroy();
    }, limits.header_seconds * 1000).unref();
    socket.once("close", () => {
      clearTimeout(silence);
      sockets.delete(socket);
      const left = (perAddress.get(address) ?? 1) - 1;
      if (left === 0) perAddress.delete(address);
      else perAddress.set(address, left);
    });
    take(socket);
  });
  server.maxConnections = limits.connections;
  return server;
}

function listening(server: NetServer, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const why = cause.code === "EADDRINUSE" ? "something listens there already" : cause.message;
      reject(new CannotError(`gRPC cannot listen on ${host}:${port}: ${why}`, { cause }));
    });
    server.listen({ host, port, backlog: 1024 }, resolve);
  });
}

/** In the place of a request: what came is no message of the method. */
const MALFORMED = Symbol("malformed");

function addServices(
  grpc: Grpc,
  server: grpcModule.Server,
  engine: Engine,
  limits: Limits,
  log: Log,
  draining: AbortSignal,
  healthMethods: grpcModule.UntypedServiceImplementation,
): void {
  const loader = requireLate("@grpc/proto-loader") as typeof loaderModule;
  const reflection = requireLate("@grpc/reflection") as typeof reflectionModule;
  const protos = loader.loadSync([protoFile("inference.proto"), protoFile("health.proto")], {
    keepCase: true,
    longs: Number,
    enums: String,
    defaults: true,
    oneofs: true,
  });
  const inference: Record<string, grpcModule.MethodDefinition<unknown, unknown>> = {
    ...(protos[SERVICE] as grpcModule.ServiceDefinition), // the proto names it
  };
  // Tensors are read and written by infer.ts, and what is malformed is answered by words.
  const asIs = (bytes: Buffer): Buffer => bytes;
  for (const [name, method] of Object.entries(inference)) {
    const plain = name === "ModelInfer" || name === "ModelStreamInfer";
    inference[name] = plain
      ? { ...method, requestDeserialize: asIs, responseSerialize: asIs as (value: unknown) => Buffer }
      : { ...method, requestDeserialize: carefully(method) };
  }
  const begin = (call: AnyCall, method: string): Call => new Call(grpc, call, method, log);
  const unary = (
    name: string,
    act: (request: never, call: Call) => unknown,
  ): grpcModule.handleUnaryCall<unknown, unknown> => {
    return (given, done) => {
      const call = begin(given, name);
      void (async () => {
        try {
          if (given.request === MALFORMED) throw new Refusal("invalid", `no ${name}Request`);
          const value = await act(given.request as never, call); // what the proto says
          call.end(codes.ok);
          done(null, value);
        } catch (error) {
          done(call.failed(error));
        }
      })();
    };
  };
  const implementation: grpcModule.UntypedServiceImplementation = {
    ModelInfer: unary("ModelInfer", (bytes: Buffer, call) => infer(engine, bytes, limits, call)),
    ModelStreamInfer: (stream: Stream) => {
      void answerStream(engine, stream, limits, begin(stream, "ModelStreamInfer"), draining);
    },
  };
  for (const [name, act] of Object.entries(methods(engine))) implementation[name] = unary(name, act);
  server.addService(inference, implementation);
  server.addService(protos[HEALTH] as grpcModule.ServiceDefinition, healthMethods); // the proto names it
  new reflection.ReflectionService(withMapEntries(loader, protos)).addToServer(server);
}

function carefully({ requestDeserialize }: grpcModule.MethodDefinition<unknown, unknown>): (bytes: Buffer) => unknown {
  return (bytes) => {
    try {
      return requestDeserialize(bytes);
    } catch {
      return MALFORMED; // protobufjs throws RangeError and Error
    }
  };
}

/** Beside this file, in the sources as in a build (tools/build.mjs); or above it, in a bundle of benches. */
function protoFile(name: string): string {
  const places = [name, `../${name}`].map((place) => join(dirname(ownFile()), place));
  const found = places.find((place) => existsSync(place));
  if (found === undefined) throw new CannotError(`accelctl's ${name} is not found from ${ownFile()}: ${LEAVE_OUT}`);
  return found;
}
