/**
 * Server: the one file that listens. It takes connections within limits, finds out who asks, hands each request to the part that
 * serves its path, and turns what parts throw into answers. Built on node:http (docs/decisions/060).
 *
 *     const server = await startServer([oip, metrics], { listen: "127.0.0.1:8000" });
 *     await server.drain(10_000);
 */

import { chmodSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type * as https from "node:https";
import { UsageError } from "../base/errors.ts";
import { Bag } from "./bag.ts";
import { HttpError, type Part } from "./door.ts";
import { Refusal } from "./engine.ts";
import type { BodyReader } from "./http/body.ts";
import { Live, type Connection, type Host } from "./http/exchange.ts";
import { countAnswer, noFigures, type HttpFigures } from "./http/figures.ts";
import { Guard } from "./http/guard.ts";
import { limitsWith, type Limits } from "./http/limits.ts";
import { parseListen, urlOf, type Listen } from "./http/listen.ts";
import { silent, type Log } from "./http/log.ts";
import { Pace } from "./http/pace.ts";
import { rawAnswer, refuseRaw } from "./http/raw.ts";
import { Router } from "./http/router.ts";
import { cannotListen, removeStale } from "./http/taken.ts";
import { createSecure, readTls, type TlsFiles } from "./http/tls.ts";
import { toldOf, wordsOf, type Told } from "./http/told.ts";

export interface ServeOptions {
  /** HOST:PORT, [ADDRESS]:PORT, unix:PATH or systemd; port 0: any that is free. Default 127.0.0.1:0. */
  readonly listen?: string;
  /** Callers must bring it, except to routes that are `open`. Needed to listen anywhere but on loopback or a Unix socket. */
  readonly token?: string;
  /** Paths of PEM files: then it speaks HTTPS. */
  readonly tls?: TlsFiles;
  /** Names besides localhost by which callers on loopback may call it (a proxy's). */
  readonly hosts?: readonly string[];
  /** Origins of pages elsewhere that may ask. */
  readonly origins?: readonly string[];
  readonly limits?: Partial<Limits>;
  readonly log?: Log;
  /** Counted into; for metrics. */
  readonly figures?: HttpFigures;
}

export interface Running {
  /** "http://127.0.0.1:8000", or "unix:/path". */
  readonly url: string;
  readonly port: number | undefined;
  readonly figures: HttpFigures;
  /** Takes nothing new, answers what is under way, closes what is left after so many milliseconds, then the parts. */
  drain(within_ms: number): Promise<void>;
  /** Now. */
  close(): Promise<void>;
  /** Reads certificate and key again. Throws CannotError and keeps the old ones. */
  reload(): void;
}

/** Listens. Throws UsageError (an address that needs a token), CannotError (the address is taken, a file cannot be read). */
export async function startServer(parts: readonly Part[], options: ServeOptions = {}): Promise<Running> {
  const listen = parseListen(options.listen ?? "127.0.0.1:0");
  mayListen(listen, options);
  const door = new Door(parts, listen, options);
  await door.listen();
  return door;
}

function mayListen(listen: Listen, { token }: ServeOptions): void {
  if (token === undefined && "host" in listen && !listen.loopback) {
    throw new UsageError(`to listen on ${listen.host}, which others can reach, a token is needed (--token-file FILE)`);
  }
}

/** How often bodies on their way are looked at. */
const SWEEP_MS = 500;
/** Connections that are told that there are too many, rather than closed without a word, at once; and for how long their end is awaited. */
const [TURNED_AWAY, TURNED_AWAY_MS] = [256, 500];
/** A connection may be without a request for so long before it has to make room for others, where there are too many. */
const STRANGER_MS = 1000;
/** Connections that wait to be taken. The kernel's own bound (net.core.somaxconn) is lower or the same. */
const BACKLOG = 1024;

class Door implements Host, Running {
  readonly limits: Limits;
  readonly figures: HttpFigures;
  readonly reading = new Bag<BodyReader>();
  draining = false;
  readonly #parts: readonly Part[];
  readonly #listen: Listen;
  readonly #router: Router;
  readonly #guard: Guard;
  readonly #log: Log;
  readonly #server: Server;
  readonly #tls: ServeOptions["tls"];
  readonly #connections = new Map<Socket, Connection>();
  readonly #perAddress = new Map<string, number>();
  readonly #turnedAway = new Set<Socket>();
  /** Connections that have not sent a request yet, oldest first, with the time they came. */
  readonly #strangers = new Map<Socket, number>();
  readonly #pace: Pace;
  readonly #sweep: NodeJS.Timeout;
  #idle: () => void = nothing;
  #closed: Promise<void> | undefined;

  constructor(parts: readonly Part[], listen: Listen, options: ServeOptions) {
    this.#parts = parts;
    this.#listen = listen;
    this.#router = new Router(parts);
    this.#tls = options.tls;
    this.limits = limitsWith(options.limits);
    this.#log = options.log ?? silent;
    this.figures = options.figures ?? noFigures();
    this.#guard = new Guard({
      ...(options.token === undefined ? {} : { token: options.token }),
      ...("host" in listen && listen.loopback ? { hosts: options.hosts ?? [] } : {}),
      origins: options.origins ?? [],
      secure: options.tls !== undefined,
    });
    this.#pace = new Pace(this.limits.refusals_per_second);
    this.#server = this.#create();
    this.#sweep = setInterval(() => {
      const now = performance.now();
      for (const reader of this.reading.all()) reader.check(now);
    }, SWEEP_MS).unref();
  }

  #create(): Server {
    const { limits } = this;
    const settings: ServerOptions = {
      maxHeaderSize: limits.header_bytes,
      headersTimeout: limits.header_seconds * 1000,
      // Bodies have a pace of their own (body_seconds): a large one may take long.
      requestTimeout: 0,
      keepAliveTimeout: limits.idle_seconds * 1000,
      connectionsCheckingInterval: Math.min(5000, limits.header_seconds * 500),
      noDelay: true,
    };
    const server = this.#tls === undefined ? createServer(settings) : createSecure(settings, readTls(this.#tls));
    server.maxConnections = limits.connections + TURNED_AWAY;
    server.maxRequestsPerSocket = limits.requests_per_connection;
    // One more than is taken, so that one too many is seen: Node passes over what is beyond.
    server.maxHeadersCount = limits.header_count + 1;
    server.setTimeout(limits.stall_seconds * 1000, (socket: Socket) => {
      const under = this.#connections.get(socket)?.under;
      // A model that computes long is no reader that went away; deadlines are the engine's.
      if (under === undefined || under.size === 0) socket.destroy();
    });
    server.on("connection", (socket: Socket) => this.#connect(socket));
    server.on("drop", () => {
      this.figures.turned_away++;
    });
    server.on(this.#tls === undefined ? "connection" : "secureConnection", (socket: Socket) => this.#adopt(socket));
    server.on("request", (request, response) => this.#take(request, response, false));
    server.on("checkContinue", (request, response) => this.#take(request, response, true));
    server.on("checkExpectation", (request, response) => {
      this.#begin(request, response, false, (exchange) => {
        throw new HttpError(417, `expect: only 100-continue is known`, exchange.expects ? {} : { connection: "close" });
      });
    });
    server.on("clientError", (error: NodeJS.ErrnoException, socket) => refuseRaw(error, socket));
    return server;
  }

  async listen(): Promise<void> {
    const listen = this.#listen;
    if ("path" in listen) await removeStale(listen.path);
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", (error: NodeJS.ErrnoException) => reject(cannotListen(listen, error)));
      const ready = (): void => resolve();
      if ("fd" in listen) this.#server.listen({ fd: listen.fd }, ready);
      else if ("path" in listen) this.#server.listen({ path: listen.path, backlog: BACKLOG }, ready);
      else this.#server.listen({ host: listen.host, port: listen.port, backlog: BACKLOG }, ready);
    }).catch((error: unknown) => {
      clearInterval(this.#sweep);
      throw error;
    });
    // Whoever may open the folder and is of the group may connect: there is no token on a path.
    if ("path" in listen) chmodSync(listen.path, 0o660);
    this.#server.on("error", (error) => this.#log.line("error", "listening failed", { error: error.message }));
  }

  get port(): number | undefined {
    const address = this.#server.address();
    return typeof address === "object" ? address?.port : undefined;
  }

  get url(): string {
    const listen = this.#listen;
    if ("path" in listen) return `unix:${listen.path}`;
    const host = "host" in listen ? listen.host : "localhost";
    const scheme = this.#tls === undefined ? "http" : "https";
    return urlOf(host, this.port ?? 0, scheme);
  }

  /** Every connection, before TLS. */
  #connect(socket: Socket): void {
    const address = socket.remoteAddress ?? "local";
    const open = this.#perAddress.get(address) ?? 0;
    const full = this.figures.connections >= this.limits.connections;
    if (open >= this.limits.connections_per_address || (full && !this.#makeRoom())) {
      this.#turnAway(socket);
      return;
    }
    this.#perAddress.set(address, open + 1);
    this.figures.connections++;
    socket.once("close", () => {
      this.figures.connections--;
      const left = (this.#perAddress.get(address) ?? 1) - 1;
      if (left === 0) this.#perAddress.delete(address);
      else this.#perAddress.set(address, left);
    });
  }

  /** Lets go of the connection that has said nothing, or only pieces of a request, for the longest. */
  #makeRoom(): boolean {
    const [oldest] = this.#strangers;
    if (oldest === undefined || performance.now() - oldest[1] < STRANGER_MS) return false;
    const [socket] = oldest;
    this.#strangers.delete(socket);
    this.figures.let_go++;
    if (this.#tls === undefined) socket.write(rawAnswer("408 Request Timeout", "others want the connection"));
    socket.destroySoon();
    return true;
  }

  /** One too many. It is told so, as long as that costs little: in TLS it would cost a handshake. */
  #turnAway(socket: Socket): void {
    this.figures.turned_away++;
    if (this.#tls !== undefined || this.#turnedAway.size >= TURNED_AWAY) {
      socket.destroy();
      return;
    }
    this.#turnedAway.add(socket);
    socket.once("close", () => this.#turnedAway.delete(socket));
    socket.end(rawAnswer("503 Service Unavailable", "too many connections are open", "retry-after: 1\r\n"));
    // What it has sent is read until then: a socket with unread bytes is closed with a reset, which would take the answer with it.
    setTimeout(() => socket.destroy(), TURNED_AWAY_MS).unref();
  }

  /** A connection that speaks HTTP, after TLS. */
  #adopt(socket: Socket): void {
    if (socket.destroyed || this.#turnedAway.has(socket)) return;
    const address = socket.remoteAddress ?? "local";
    const connection: Connection = { address, under: new Bag(), closed: false, gone: undefined };
    this.#connections.set(socket, connection);
    this.#strangers.set(socket, performance.now());
    socket.once("close", () => {
      this.#strangers.delete(socket);
      connection.closed = true;
      connection.gone?.abort();
      this.#connections.delete(socket);
      for (const exchange of connection.under.all()) {
        exchange.abort();
        exchange.drop(499);
      }
    });
  }

  #take(request: IncomingMessage, response: ServerResponse, expects: boolean): void {
    this.#begin(request, response, expects, (exchange) => this.#route(exchange));
  }

  #begin(
    request: IncomingMessage,
    response: ServerResponse,
    expects: boolean,
    answer: (exchange: Live) => Promise<void> | void,
  ): void {
    const connection = this.#connections.get(request.socket);
    if (connection === undefined) {
      if (this.#turnedAway.has(request.socket)) request.resume();
      else request.socket.destroy();
      return;
    }
    this.#strangers.delete(request.socket);
    const exchange = new Live(this, connection, request, response);
    exchange.expects = expects;
    connection.under.add(exchange);
    this.figures.under_way++;
    try {
      // This one is counted already. Those that only wait to be refused take nothing, nor do those whose bodies trickle: bodies_bytes.
      const { figures, reading, limits } = this;
      if (figures.under_way - figures.refusing - reading.size > limits.requests) {
        figures.refused.requests++;
        throw new HttpError(429, "too many requests are under way", { "retry-after": "1" });
      }
      const going = answer(exchange);
      if (going !== undefined) going.catch((error: unknown) => this.#fail(exchange, error));
    } catch (error) {
      this.#fail(exchange, error);
    }
  }

  #route(exchange: Live): Promise<void> | void {
    const { request, method, path } = exchange;
    const { headers } = request;
    if ((request.url?.length ?? 0) > this.limits.url_bytes) throw new HttpError(414, "the path is too long");
    if (request.rawHeaders.length > 2 * this.limits.header_count) throw new HttpError(431, "too many headers");
    this.#guard.host(headers.host);
    exchange.origin = this.#guard.origin(headers.origin, headers.host);
    if (method === "OPTIONS") {
      answerOptions(exchange, this.#router.methods(path));
      return;
    }
    let match;
    try {
      match = this.#router.find(method, path);
    } catch (error) {
      // What is served is nobody's business who has no token.
      this.#guard.token(headers);
      throw error;
    }
    // Before the token: a refusal of it is in the words of the part's protocol.
    exchange.match = match;
    if (match.route.open !== true) this.#guard.token(headers);
    return match.route.answer(exchange);
  }

  #fail(exchange: Live, error: unknown): void {
    const told = toldOf(exchange, error, this.#log);
    if (exchange.answered) return;
    if (error instanceof Refusal && error.kind === "busy") this.figures.refused.queue++;
    if (told.status !== 429 || this.draining) {
      this.#tell(exchange, told);
      return;
    }
    this.figures.refusing++;
    this.#pace.take(() => {
      this.figures.refusing--;
      this.#tell(exchange, told);
    });
  }

  #tell(exchange: Live, { message, status, headers }: Told): void {
    if (exchange.answered) return;
    if (exchange.response.headersSent) {
      // In the middle of an answer: only breaking it off can say so.
      exchange.drop(status);
      exchange.request.socket.destroy();
      return;
    }
    const errorBody = exchange.match?.part.errorBody;
    exchange.note({ error: message });
    try {
      exchange.sendJson(status, errorBody === undefined ? { error: message } : errorBody(status, message), headers);
    } catch (cause) {
      this.#log.line("error", "an answer could not be written", { request_id: exchange.id, error: wordsOf(cause) });
      exchange.drop(status);
      exchange.request.socket.destroy();
    }
  }

  finished(exchange: Live): void {
    exchange.connection.under.delete(exchange);
    this.figures.under_way--;
    const { status } = exchange;
    const took = performance.now() - exchange.started;
    countAnswer(this.figures, exchange.match?.route, status, took / 1000);
    // A refusal is news of the caller, or of a model that is still on its way; an error is of the server.
    const level = status >= 500 && status !== 503 ? "warn" : status >= 400 && status !== 499 ? "info" : "debug";
    if (this.#log.writes(level)) {
      this.#log.line(level, `${exchange.method} ${exchange.path.slice(0, 200)} ${status}`, {
        status,
        ms: Math.round(took * 1000) / 1000,
        request_id: exchange.id,
        ...exchange.trace,
        client: exchange.connection.address,
        ...exchange.notes,
      });
    }
    if (this.draining && this.figures.under_way === 0) this.#idle();
  }

  async drain(within_ms: number): Promise<void> {
    this.draining = true;
    this.#pace.end();
    this.#server.close();
    this.#server.closeIdleConnections();
    const live = [...this.#connections.values()].flatMap(({ under }) => under.all());
    for (const exchange of live) if (exchange.match?.route.endless === true) exchange.abort();
    if (this.figures.under_way > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
        setTimeout(resolve, within_ms).unref();
      });
    }
    await this.close();
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    this.draining = true;
    this.#pace.end();
    clearInterval(this.#sweep);
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      // What was answered is still on its way out; sockets without a request, and those in TLS' first words, go at once.
      this.#server.closeIdleConnections();
      setTimeout(() => this.#server.closeAllConnections(), this.figures.under_way > 0 ? 0 : FLUSH_MS).unref();
    });
    for (const part of this.#parts) await part.close?.();
    this.#log.flush();
  }

  reload(): void {
    if (this.#tls !== undefined) (this.#server as unknown as https.Server).setSecureContext(readTls(this.#tls));
  }
}

const FLUSH_MS = 100;
const nothing = (): void => undefined;
/** Requests with methods, and what a browser asks before it lets a page of another origin ask. */
function answerOptions(exchange: Live, methods: readonly string[]): void {
  if (methods.length === 0) throw new HttpError(404, "nothing is served at this path");
  const allow = methods.join(", ");
  const asked = exchange.request.headers["access-control-request-headers"];
  const headers: Record<string, string> = { allow };
  if (exchange.origin !== undefined) {
    headers["access-control-allow-methods"] = allow;
    headers["access-control-max-age"] = "600";
    if (asked !== undefined && /^[\w, -]{1,1000}$/.test(asked)) headers["access-control-allow-headers"] = asked;
  }
  exchange.send(204, "", headers);
}
