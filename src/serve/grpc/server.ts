/**
 * The server for gRPC: the Open Inference Protocol with Triton's extensions, health and reflection (methods.ts), over our own HTTP/2
 * (../h2). This file listens and closes.
 *
 *     const grpc = await startGrpc(engine, { host: "127.0.0.1", port: 8001 });
 *     await grpc.close(10_000);
 */

import { readFileSync } from "node:fs";
import { createServer, type AddressInfo, type Server as NetServer, type Socket } from "node:net";
import type { ServedCalls } from "../../export/prometheus.ts";
import type * as tlsModule from "node:tls";
import { CannotError, UsageError } from "../../base/errors.ts";
import { requireLate } from "../../base/package.ts";
import type { Engine } from "../engine.ts";
import { Connection } from "../h2/connection.ts";
import { limitsWith, type Limits } from "../http/limits.ts";
import { isLoopback } from "../http/listen.ts";
import { silent, type Log } from "../http/log.ts";
import { Gate } from "./gate.ts";
import { health } from "./health.ts";
import { methodsOf } from "./methods.ts";

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
  /** What it counted of calls since it began. */
  figures(): readonly ServedCalls[];
  /** Reads certificate and key again; throws where they cannot be read or are none, and keeps the old ones. */
  reload(): void;
  /** Takes nothing new, answers what is under way, and after so many milliseconds closes what is left. */
  close(within_ms: number): Promise<void>;
}

/** Listens. Throws UsageError (an address that needs a token), CannotError (the address is taken, a file cannot be read). */
export async function startGrpc(engine: Engine, options: GrpcOptions): Promise<GrpcRunning> {
  const { host = "127.0.0.1", token, log = silent } = options;
  if (token === undefined && !isLoopback(host)) {
    throw new UsageError(`to listen on ${host}, which others can reach, a token is needed (--token-file FILE)`);
  }
  const limits = limitsWith(options.limits);
  const watched = health(engine);
  const { server, reload } = listenerOf(options.tls, limits);
  const gate = new Gate(methodsOf(engine, limits, watched), token, limits, log);
  countConnections(server, limits);
  server.on(options.tls === undefined ? "connection" : "secureConnection", (socket: Socket) => {
    if (gate.draining) socket.destroy();
    else if (!socket.destroyed) gate.connections.add(new Connection(socket, gate, performance.now()));
  });
  try {
    await listening(server, host, options.port);
  } catch (error) {
    gate.close();
    throw error;
  }
  let closed: Promise<void> | undefined;
  return {
    port: (server.address() as AddressInfo).port, // it listens on a port, not on a path
    figures: () => gate.figures(),
    reload,
    close: (within_ms) => {
      if (closed === undefined) {
        server.close();
        watched.close();
        closed = gate.drain(within_ms);
      }
      return closed;
    },
  };
}

interface Listener {
  readonly server: NetServer;
  readonly reload: () => void;
}

function listenerOf(tls: GrpcOptions["tls"], { header_seconds }: Limits): Listener {
  if (tls === undefined) return { server: createServer({ noDelay: true }), reload: () => undefined };
  const files = readTls(tls);
  const { createServer: createSecure } = requireLate("node:tls") as typeof tlsModule;
  try {
    const server = createSecure({
      ...files,
      ALPNProtocols: ["h2"],
      minVersion: "TLSv1.2",
      noDelay: true,
      handshakeTimeout: header_seconds * 1000,
    });
    return { server, reload: () => server.setSecureContext(readTls(tls)) };
  } catch (cause) {
    throw new CannotError(`${tls.cert} and ${tls.key} are no certificate and its key`, { cause });
  }
}

function readTls({ cert, key }: NonNullable<GrpcOptions["tls"]>): { cert: Buffer; key: Buffer } {
  const read = (path: string): Buffer => {
    try {
      return readFileSync(path);
    } catch (cause) {
      throw new CannotError(`${path} cannot be read`, { cause });
    }
  };
  return { cert: read(cert), key: read(key) };
}

/** Keeps to the limits before anything is known of who connects. */
function countConnections(server: NetServer, limits: Limits): void {
  const perAddress = new Map<string, number>();
  server.maxConnections = limits.connections;
  server.on("tlsClientError", (_error: Error, socket: Socket) => socket.destroy());
  server.on("connection", (socket: Socket) => {
    const address = socket.remoteAddress ?? "";
    const open = perAddress.get(address) ?? 0;
    socket.on("error", () => socket.destroy());
    if (open >= limits.connections_per_address) {
      socket.destroy();
      return;
    }
    perAddress.set(address, open + 1);
    socket.once("close", () => {
      const left = (perAddress.get(address) ?? 1) - 1;
      if (left === 0) perAddress.delete(address);
      else perAddress.set(address, left);
    });
  });
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
