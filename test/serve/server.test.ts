import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, deflateSync } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import { HttpError, type Exchange, type Part } from "../../src/serve/door.ts";
import { Refusal } from "../../src/serve/engine.ts";
import { openLog } from "../../src/serve/http/log.ts";
import { servedHttp } from "../../src/serve/metrics-source.ts";
import { startServer, type Running, type ServeOptions } from "../../src/serve/server.ts";

const running: Running[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.close();
});

let seen: Exchange | undefined;
let aborted = 0;
const part: Part = {
  name: "test",
  routes: [
    { method: "GET", path: "/live", open: true, answer: (x) => x.send(200, "") },
    {
      method: "GET",
      path: "/things/:name",
      answer: (x) => x.sendJson(200, { name: x.params["name"], q: x.query.get("q") }),
    },
    { method: "GET", path: "/things/fixed", answer: (x) => x.sendJson(200, "fixed") },
    { method: "GET", path: "/files/*", answer: (x) => x.sendJson(200, x.params["*"]) },
    {
      method: "POST",
      path: "/echo",
      answer: async (x) => {
        const bytes = await x.body();
        x.send(200, [bytes.subarray(0, 1), bytes.subarray(1)], { "content-type": "application/octet-stream" });
      },
    },
    { method: "POST", path: "/small", answer: async (x) => x.sendJson(200, await x.json(16)) },
    { method: "POST", path: "/unread", answer: (x) => x.sendJson(200, "unread") },
    {
      method: "GET",
      path: "/slow",
      answer: (x) => {
        seen = x;
        x.signal.addEventListener("abort", () => aborted++);
      },
    },
    {
      method: "GET",
      path: "/endless",
      endless: true,
      answer: async (x) => {
        const stream = x.events();
        await stream.event("a\nb", "first");
        x.signal.addEventListener("abort", () => stream.end());
      },
    },
    {
      method: "GET",
      path: "/refuse/:kind",
      answer: (x) => {
        throw new Refusal(x.params["kind"] as "busy", "no", { retry_after_s: 2.2 });
      },
    },
    {
      method: "GET",
      path: "/bug",
      answer: async () => {
        await Promise.resolve();
        throw new Error("/etc/passwd at 10.0.0.1");
      },
    },
    {
      method: "GET",
      path: "/teapot",
      answer: () => {
        throw new HttpError(418, "a teapot", { "x-tea": "yes" });
      },
    },
  ],
};

async function serve(options: ServeOptions = {}): Promise<Running> {
  const server = await startServer([part], options);
  running.push(server);
  return server;
}

/** What a socket gets that writes `text`, up to its end or for `ms`. */
function raw(server: Running, text: string | Buffer, ms = 15_000): Promise<string> {
  return new Promise((resolve) => {
    let got = "";
    const socket = connect(server.port ?? 0, "127.0.0.1", () => socket.write(text));
    const done = (): void => {
      socket.destroy();
      resolve(got);
    };
    socket.setTimeout(ms, done);
    socket.on("data", (bytes) => (got += bytes.toString("latin1")));
    socket.on("close", done);
    socket.on("error", () => undefined);
  });
}

test("a path is found by fixed segments before named ones, with its escapes undone", async () => {
  const { url } = await serve();
  expect(await (await fetch(`${url}/things/a%20b?q=1`)).json()).toEqual({ name: "a b", q: "1" });
  expect(await (await fetch(`${url}/things/fixed`)).json()).toBe("fixed");
  expect(await (await fetch(`${url}/files/a/b%2Fc`)).json()).toBe("a/b/c");
  expect((await fetch(`${url}/things/%ff`)).status).toBe(400);
  expect((await fetch(`${url}/nothing`)).status).toBe(404);
  expect((await fetch(`${url}/things/`)).status).toBe(404);
});

test("a method that a path does not take is told which it takes", async () => {
  const { url } = await serve();
  const answer = await fetch(`${url}/echo`);
  expect(answer.status).toBe(405);
  expect(answer.headers.get("allow")).toBe("POST, OPTIONS");
  expect((await fetch(`${url}/things/a`, { method: "HEAD" })).headers.get("content-length")).toBe("21");
  const options = await fetch(`${url}/things/a`, { method: "OPTIONS" });
  expect([options.status, options.headers.get("allow")]).toEqual([204, "GET, HEAD, OPTIONS"]);
  expect(options.headers.get("access-control-allow-origin")).toBeNull();
});

test("refusals become the statuses of their kind, with when to come again", async () => {
  const { url } = await serve();
  const kinds = { invalid: 400, "not-found": 404, "not-ready": 503, busy: 429, deadline: 504, failed: 500 };
  for (const [kind, status] of Object.entries(kinds)) {
    const answer = await fetch(`${url}/refuse/${kind}`);
    expect([kind, answer.status, answer.headers.get("retry-after")]).toEqual([kind, status, "3"]);
    expect(await answer.json()).toEqual({ error: "no" });
  }
  const teapot = await fetch(`${url}/teapot`);
  expect([teapot.status, teapot.headers.get("x-tea")]).toEqual([418, "yes"]);
});

test("a bug is an internal error to the caller and keeps its words in the log", async () => {
  let log = "";
  const { url } = await serve({ log: openLog({ format: "json", write: (text) => (log += text) }) });
  const answer = await fetch(`${url}/bug`, {
    headers: { "x-request-id": "mine-1", traceparent: `00-${"ab".repeat(16)}-${"cd".repeat(8)}-01` },
  });
  expect(answer.status).toBe(500);
  expect(answer.headers.get("x-request-id")).toBe("mine-1");
  expect(await answer.json()).toEqual({ error: "internal error; the log has more under request id mine-1" });
  const [bug, line] = log
    .trim()
    .split("\n")
    .map((one) => JSON.parse(one) as Record<string, unknown>);
  expect(bug).toMatchObject({ level: "error", request_id: "mine-1", trace_id: "ab".repeat(16) });
  expect(bug?.["error"]).toContain("/etc/passwd");
  expect(line).toMatchObject({ level: "warn", status: 500, parent_id: "cd".repeat(8) });
});

test("a request id that could forge a line of the log is replaced", async () => {
  const { url } = await serve();
  const answer = await fetch(`${url}/live`, { headers: { "x-request-id": 'a" b' } });
  expect(answer.headers.get("x-request-id")).toMatch(/^[\da-f]{12}-\w+$/);
});

test("a token is needed where there is one, except for what is open", async () => {
  const { url } = await serve({ token: "secret" });
  expect((await fetch(`${url}/live`)).status).toBe(200);
  const none = await fetch(`${url}/things/a`);
  expect([none.status, none.headers.get("www-authenticate")]).toEqual([401, 'Bearer realm="accelctl"']);
  const with_ = (token: string): Promise<Response> => fetch(`${url}/things/a`, { headers: { authorization: token } });
  expect((await with_("Bearer secres")).status).toBe(401);
  expect((await with_("Basic secret")).status).toBe(401);
  expect((await with_("bearer secret")).status).toBe(200);
  expect((await fetch(`${url}/nothing`)).status).toBe(401);
});

test("it does not listen where others can reach it without a token", async () => {
  await expect(startServer([part], { listen: "0.0.0.0:0" })).rejects.toThrow("a token is needed");
  await expect(startServer([part], { listen: ":0" })).rejects.toThrow("a token is needed");
  await expect(startServer([part], { listen: "nonsense" })).rejects.toThrow("--listen takes HOST:PORT");
  const server = await startServer([part], { listen: "0.0.0.0:0", token: "x" });
  running.push(server);
  await expect(startServer([part], { listen: `127.0.0.1:${server.port}`, token: "x" })).rejects.toThrow(
    "another program listens there",
  );
});

test("a name that a web page made for 127.0.0.1 is refused, and so is another page's origin", async () => {
  const server = await serve({ origins: ["https://ui.example"], hosts: ["gpu.lan"] });
  const ask = (headers: string): Promise<string> =>
    raw(server, `GET /things/a HTTP/1.1\r\n${headers}connection: close\r\n\r\n`);
  expect(await ask("host: evil.example\r\n")).toContain("403 Forbidden");
  expect(await ask("host: localhost.evil.example:80\r\n")).toContain("403 Forbidden");
  for (const host of ["localhost:9", "LOCALHOST", "127.0.0.1", "[::1]:80", "gpu.lan:1"]) {
    expect(await ask(`host: ${host}\r\n`)).toContain("200 OK");
  }
  expect(await ask("host: localhost\r\norigin: http://evil.example\r\n")).toContain("403 Forbidden");
  expect(await ask("host: localhost\r\norigin: null\r\n")).toContain("403 Forbidden");
  expect(await ask("host: localhost:1\r\norigin: http://localhost:1\r\n")).toContain("200 OK");
  const allowed = await ask("host: localhost\r\norigin: https://ui.example\r\n");
  expect(allowed).toContain("access-control-allow-origin: https://ui.example");
});

test("bodies come whole however they are sent: at once, in pieces, chunked, compressed", async () => {
  const server = await serve();
  const bytes = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7919) % 251));
  const post = async (body: NonNullable<RequestInit["body"]>, headers = {}, init = {}): Promise<Buffer> => {
    const answer = await fetch(`${server.url}/echo`, { method: "POST", body, headers, ...init });
    return Buffer.from(await answer.arrayBuffer());
  };
  expect((await post(bytes)).equals(bytes)).toBe(true);
  const pieces = new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += 50_000) controller.enqueue(bytes.subarray(at, at + 50_000));
      controller.close();
    },
  });
  expect((await post(pieces, {}, { duplex: "half" })).equals(bytes)).toBe(true);
  expect((await post(gzipSync(bytes), { "content-encoding": "gzip" })).equals(bytes)).toBe(true);
  expect((await post(deflateSync(bytes), { "content-encoding": "deflate" })).equals(bytes)).toBe(true);
  expect((await post("")).length).toBe(0);
  const wrong = await fetch(`${server.url}/echo`, {
    method: "POST",
    body: "x",
    headers: { "content-encoding": "gzip" },
  });
  expect(wrong.status).toBe(400);
  const unknown = await fetch(`${server.url}/echo`, {
    method: "POST",
    body: "x",
    headers: { "content-encoding": "br" },
  });
  expect(unknown.status).toBe(415);
});

test("a small compressed body that grows beyond the limit is stopped there", async () => {
  const { url } = await serve({ limits: { body_bytes: 1 << 20 } });
  const bomb = gzipSync(Buffer.alloc(50 << 20));
  const answer = await fetch(`${url}/echo`, { method: "POST", body: bomb, headers: { "content-encoding": "gzip" } });
  expect(answer.status).toBe(413);
});

test("a body that is announced too long is refused before it is sent", async () => {
  const server = await serve();
  const text = await raw(server, `POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1073741824\r\n\r\nabc`);
  expect(text).toContain("413 Payload Too Large");
  expect(text).toContain("Connection: close");
  const expecting = await raw(
    server,
    `POST /echo HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-length: 1073741824\r\n\r\n`,
  );
  expect(expecting).toMatch(/^HTTP\/1.1 413/);
  const chunked = await raw(
    server,
    `POST /small HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n20\r\n${"a".repeat(32)}\r\n`,
  );
  expect(chunked).toContain("413 Payload Too Large");
});

test("who waits for 100 Continue gets it when the body is wanted", async () => {
  const server = await serve();
  const socket = connect(server.port ?? 0, "127.0.0.1");
  let got = "";
  socket.on("data", (bytes) => {
    got += bytes.toString();
    if (got === "HTTP/1.1 100 Continue\r\n\r\n") socket.write("hello");
    if (got.endsWith("hello")) socket.end();
  });
  socket.write("POST /echo HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n");
  await new Promise((resolve) => socket.on("close", resolve));
  expect(got).toContain("200 OK");
  const other = await raw(server, "GET /live HTTP/1.1\r\nhost: localhost\r\nexpect: tea\r\nconnection: close\r\n\r\n");
  expect(other).toContain("417");
});

test("JSON that is none is told in words, and an unread small body keeps the connection", async () => {
  const server = await serve();
  const answer = await fetch(`${server.url}/small`, { method: "POST", body: '{"a": x}' });
  expect([answer.status, await answer.json()]).toEqual([
    400,
    { error: expect.stringContaining("the body is no JSON: Unexpected token") as string },
  ]);
  const twice = await raw(
    server,
    "POST /unread HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n{}GET /live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
  );
  expect(twice.match(/200 OK/g)).toHaveLength(2);
});

test("a body that trickles is cut off", async () => {
  const server = await serve({ limits: { body_seconds: 1 } });
  const text = await raw(server, "POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\na");
  expect(text).toContain("408 Request Timeout");
});

test("headers that trickle are cut off", async () => {
  const server = await serve({ limits: { header_seconds: 1 } });
  expect(await raw(server, "GET /live HTTP/1.1\r\nhost: lo")).toContain("408 Request Timeout");
  expect(await raw(server, "")).toContain("408 Request Timeout");
});

test("headers too many or too long, and a path too long, are refused", async () => {
  const server = await serve({ limits: { header_count: 20, header_bytes: 4096, url_bytes: 100 } });
  const many = Array.from({ length: 25 }, (_, i) => `x-${i}: a\r\n`).join("");
  expect(await raw(server, `GET /live HTTP/1.1\r\nhost: localhost\r\n${many}connection: close\r\n\r\n`)).toContain(
    "431",
  );
  expect(await raw(server, `GET /live HTTP/1.1\r\nx: ${"a".repeat(5000)}\r\n\r\n`)).toContain("431");
  expect((await fetch(`${server.url}/live?${"a".repeat(100)}`)).status).toBe(414);
  expect(await raw(server, "nonsense\r\n\r\n")).toContain("400 Bad Request");
});

test("connections beyond the limit of an address are told so, and the others served on", async () => {
  const server = await serve({ limits: { connections_per_address: 3 } });
  const held = [1, 2, 3].map(() => connect(server.port ?? 0, "127.0.0.1"));
  await Promise.all(held.map((socket) => new Promise((resolve) => socket.once("connect", resolve))));
  await expect.poll(() => server.figures.connections).toBe(3);
  const told = await raw(server, "GET /live HTTP/1.1\r\nhost: localhost\r\n\r\n");
  expect(told).toMatch(/^HTTP\/1\.1 503 .*\r\nretry-after: 1\r\n.*too many connections/s);
  expect(server.figures.turned_away).toBe(1);
  for (const socket of held) socket.destroy();
  await expect.poll(() => server.figures.connections).toBe(0);
  expect((await fetch(`${server.url}/live`)).status).toBe(200);
});

test("more requests than may be under way are told to come again", async () => {
  const server = await serve({ limits: { requests: 1 } });
  const first = fetch(`${server.url}/slow`);
  await expect.poll(() => server.figures.under_way).toBe(1);
  const second = await fetch(`${server.url}/live`);
  expect([second.status, second.headers.get("retry-after")]).toEqual([429, "1"]);
  seen?.sendJson(200, 1);
  expect((await first).status).toBe(200);
  expect((await fetch(`${server.url}/live`)).status).toBe(200);
});

test("where all connections are taken, the one that has said nothing the longest makes room", async () => {
  const server = await serve({ limits: { connections: 3 } });
  const said: string[] = [];
  const held = await Promise.all(
    ["", "GET /live HTTP/1.1\r\nx: ", "GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\n"].map(
      (text, i) =>
        new Promise<Socket>((resolve) => {
          const socket = connect(server.port ?? 0, "127.0.0.1", () => socket.write(text, () => resolve(socket)));
          socket.on("data", (bytes) => (said[i] = bytes.toString()));
        }),
    ),
  );
  await expect.poll(() => server.figures.under_way).toBe(1);
  // They may yet say something.
  expect(await raw(server, "GET /live HTTP/1.1\r\nhost: localhost\r\n\r\n")).toContain("503 Service");
  await new Promise((done) => setTimeout(done, 1050));
  for (let i = 0; i < 2; i++) {
    const answer = await raw(server, "GET /live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    expect(answer).toContain("200 OK");
  }
  expect(server.figures).toMatchObject({ turned_away: 1, let_go: 1 });
  expect(said.filter((text) => text.includes("408 Request Timeout"))).toHaveLength(1);
  expect(said[2]).toBeUndefined();
  for (const socket of held) socket.destroy();
});

test("bodies that trickle do not keep others from being served", async () => {
  const server = await serve({ limits: { requests: 2 } });
  const held = Array.from({ length: 5 }, () => {
    const socket = connect(server.port ?? 0, "127.0.0.1");
    socket.write("POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\n1");
    return socket;
  });
  await expect.poll(() => server.figures.under_way).toBe(5);
  expect((await fetch(`${server.url}/live`)).status).toBe(200);
  for (const socket of held) socket.destroy();
});

test("bodies that are held together are bounded, and there is room again when they are gone", async () => {
  const server = await serve({ limits: { bodies_bytes: 1000 } });
  const holder = connect(server.port ?? 0, "127.0.0.1");
  holder.write(`POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-length: 901\r\n\r\n${"a".repeat(900)}`);
  await expect.poll(() => server.figures.held_bytes).toBe(900);
  const post = (body: string | Buffer, headers = {}): Promise<Response> =>
    fetch(`${server.url}/echo`, { method: "POST", body, headers });
  const refused = await post("b".repeat(101));
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "1"]);
  expect((await post(gzipSync("b".repeat(500)), { "content-encoding": "gzip" })).status).toBe(429);
  expect((await post("b".repeat(100))).status).toBe(200);
  holder.destroy();
  await expect.poll(() => server.figures.held_bytes).toBe(0);
  expect((await post("b".repeat(1000))).status).toBe(200);
  expect(server.figures).toMatchObject({ held_bytes: 0, refused: { bodies: 2 } });
});

test("refusals beyond the pace come later, in turn, and a drain tells them at once", { retry: 3 }, async () => {
  const server = await serve({ limits: { requests: 1, refusals_per_second: 20 } });
  const first = fetch(`${server.url}/slow`);
  await expect.poll(() => server.figures.under_way).toBe(1);
  const start = performance.now();
  const all = await Promise.all(Array.from({ length: 12 }, () => fetch(`${server.url}/live`)));
  expect(all.map(({ status }) => status)).toEqual(all.map(() => 429));
  // Two at once, the others 50 ms apart.
  expect(performance.now() - start).toBeGreaterThan(400);
  expect(server.figures.refusing).toBe(0);
  // At that pace they would take five seconds.
  const late = Array.from({ length: 100 }, () => fetch(`${server.url}/live`));
  await expect.poll(() => server.figures.refusing).toBeGreaterThan(60);
  const draining = performance.now();
  const drained = server.drain(30_000);
  seen?.sendJson(200, 1);
  expect((await first).status).toBe(200);
  expect((await Promise.all(late)).every(({ status }) => status === 429)).toBe(true);
  await drained;
  expect(performance.now() - draining).toBeLessThan(2500);
});

test("answers are counted by the pattern of their route, never by path", async () => {
  const server = await serve();
  for (const path of ["/things/a", "/things/b", "/nowhere/1", "/nowhere/2", "/teapot"]) await fetch(server.url + path);
  const counted = servedHttp(server.figures).routes.map(({ method, route, answers, seconds }) => [
    `${method} ${route}`,
    Object.fromEntries(answers),
    seconds.count,
  ]);
  expect(counted).toEqual([
    ["GET /things/:name", { 200: 2 }, 2],
    [" (none)", { 404: 2 }, 2],
    ["GET /teapot", { 418: 1 }, 1],
  ]);
});

test("a caller that leaves aborts the signal, and nothing is under way any more", async () => {
  const server = await serve();
  aborted = 0;
  const leaving = new AbortController();
  const asked = fetch(`${server.url}/slow`, { signal: leaving.signal }).catch(() => "left");
  await expect.poll(() => server.figures.under_way).toBe(1);
  leaving.abort();
  expect(await asked).toBe("left");
  await expect.poll(() => aborted).toBe(1);
  expect(server.figures.under_way).toBe(0);
  seen?.sendJson(200, "nobody reads this");
});

test("events go out as they come and end when the server stops", async () => {
  const server = await serve();
  const answer = await fetch(`${server.url}/endless`);
  expect(answer.headers.get("content-type")).toBe("text/event-stream");
  const text = answer.text();
  await expect.poll(() => server.figures.under_way).toBe(1);
  await server.drain(5000);
  expect(await text).toBe("event: first\ndata: a\ndata: b\n\n");
});

test("a drain answers what is under way, takes nothing new and closes", async () => {
  const server = await serve();
  const asked = fetch(`${server.url}/slow`);
  await expect.poll(() => server.figures.under_way).toBe(1);
  const drained = server.drain(5000);
  await expect(fetch(`${server.url}/live`)).rejects.toThrow();
  seen?.sendJson(200, "done");
  expect(await (await asked).json()).toBe("done");
  await drained;
});

test("a drain that takes too long is ended", async () => {
  const server = await serve();
  const asked = fetch(`${server.url}/slow`).catch(() => "cut off");
  await expect.poll(() => server.figures.under_way).toBe(1);
  await server.drain(100);
  expect(await asked).toBe("cut off");
});

test("it listens on a Unix socket, and takes the place of one that a killed server left", async () => {
  const folder = mkdtempSync(join(tmpdir(), "accelctl-serve-"));
  chmodSync(folder, 0o700);
  const path = join(folder, "s");
  try {
    const first = await startServer([part], { listen: `unix:${path}` });
    await expect(startServer([part], { listen: `unix:${path}` })).rejects.toThrow("another program listens there");
    const status = await new Promise((resolve, reject) => {
      httpRequest({ socketPath: path, path: "/things/x" }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      })
        .on("error", reject)
        .end();
    });
    expect(status).toBe(200);
    await first.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
