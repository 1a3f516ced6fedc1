/** The server's own HTTP/2 against peers that break its rules, those of gRPC on it, or no rule at all but patience. */

import { afterEach, describe, expect, it } from "vitest";
import { gzipSync } from "node:zlib";
import { connect as connectHttp2 } from "node:http2";
import { connect, Socket } from "node:net";
import { startGrpc, type GrpcOptions, type GrpcRunning } from "../../src/serve/grpc/server.ts";
import { Connection } from "../../src/serve/h2/connection.ts";
import { errors, frame, frameOf, goawayFrame, PREFACE, settingsFrame } from "../../src/serve/h2/frames.ts";
import { blockOf, FieldReader, HpackError } from "../../src/serve/h2/hpack.ts";
import type { Stream } from "../../src/serve/h2/stream.ts";
import { limitsWith } from "../../src/serve/http/limits.ts";
import { fakeEngine, identity, type FakeEngine } from "../support/engine.ts";
import { dataFrame, framed, rawClient, type RawClient, type Seen } from "../support/h2.ts";
import { bytes, concat, message, packed } from "../support/protobuf.ts";

const [DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION] = [
  0, 1, 2, 3, 4, 6, 7, 8, 9,
];
const SERVICE = "/inference.GRPCInferenceService/";
const infer = (count: number): Uint8Array =>
  concat([
    bytes(1, "identity"),
    message(5, bytes(1, "x"), bytes(2, "FP32"), packed(3, [count])),
    bytes(7, new Uint8Array(4 * count)),
  ]);
const small = framed(infer(2));

const running: { close: () => unknown }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.close();
});

let engine: FakeEngine;
async function serve(options: Partial<GrpcOptions> = {}): Promise<GrpcRunning> {
  const never = { infer: () => new Promise<never>(() => undefined) };
  engine = fakeEngine({ identity, never });
  const server = await startGrpc(engine, { port: 0, ...options });
  running.push({ close: () => server.close(0) });
  return server;
}
async function raw(server: GrpcRunning, settings: readonly (readonly [number, number])[] = []): Promise<RawClient> {
  const client = await rawClient(server.port, settings);
  running.push({ close: () => client.socket.destroy() });
  return client;
}

const request = (id: number, fields: Readonly<Record<string, string>> = {}, flags = 4): Buffer => {
  const all = {
    ":method": "POST",
    ":scheme": "http",
    ":path": `${SERVICE}ModelInfer`,
    "content-type": "application/grpc",
    te: "trailers",
    ...fields,
  };
  return frame(HEADERS, flags, id, blockOf(Object.entries(all)));
};
const ends = (id: number): ((frame: Seen) => boolean) => {
  return (frame) => frame.id === id && (frame.type === HEADERS || frame.type === DATA) && (frame.flags & 1) === 1;
};
const statusOf = async (client: RawClient, id = 1): Promise<string | undefined> =>
  (await client.until(ends(id)))?.fields["grpc-status"];
const goaway = async (client: RawClient): Promise<number | undefined> =>
  (await client.until(({ type }) => type === GOAWAY))?.payload.readUInt32BE(4);
/** The server is none the worse for it. */
async function isServing(server: GrpcRunning): Promise<void> {
  const client = await raw(server);
  client.send(request(1), dataFrame(1, small));
  expect(await statusOf(client)).toBe("0");
}

describe("fields of HTTP/2 (HPACK)", () => {
  const read = (reader: FieldReader, hex: string): string[] => {
    const block = Buffer.from(hex.replaceAll(" ", ""), "hex");
    const fields: string[] = [];
    reader.read(block, 0, block.length, ({ name, value }) => fields.push(`${name}: ${value}`));
    return fields;
  };

  it("are read as RFC 7541, C.4 and C.6, gives them, packed and from a table that grows and forgets", () => {
    const requests = new FieldReader();
    expect(read(requests, "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff")).toEqual([
      ":method: GET",
      ":scheme: http",
      ":path: /",
      ":authority: www.example.com",
    ]);
    expect(read(requests, "8286 84be 5886 a8eb 1064 9cbf").slice(3)).toEqual([
      ":authority: www.example.com",
      "cache-control: no-cache",
    ]);
    expect(read(requests, "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf").slice(2)).toEqual([
      ":path: /index.html",
      ":authority: www.example.com",
      "custom-key: custom-value",
    ]);
    // What is pointed at after the table was made smaller than its entries is not there.
    expect(() => read(requests, "20 be")).toThrow(HpackError);
  });

  it("of a wrong kind are known as such, each time they are pointed at", () => {
    const kinds: string[] = [];
    const reader = new FieldReader();
    const take = (hex: string): void => {
      const block = Buffer.from(hex, "hex");
      reader.read(block, 0, block.length, ({ kind }) => kinds.push(kind));
    };
    const literal = (name: string, value: string): string =>
      `40${Buffer.concat([Buffer.of(name.length), Buffer.from(name), Buffer.of(value.length), Buffer.from(value)]).toString("hex")}`;
    for (const [name, value] of [
      ["Upper", "a"],
      ["a", "b\r\nc: d"],
      ["a", " b"],
      ["connection", "close"],
      ["te", "gzip"],
      ["content-length", "-1"],
      [":unknown", "a"],
      ["", "a"],
    ] as const) {
      take(literal(name, value));
      take("be");
    }
    expect(new Set(kinds)).toEqual(new Set(["wrong"]));
    expect(kinds).toHaveLength(16);
  });

  it("that are cut off or make no sense are refused", () => {
    for (const hex of [
      "80",
      "ff",
      "ffffffffff7f",
      "40",
      "4001",
      "400161",
      "3fe21f",
      "7f",
      "0f",
      "40 85 ffffffffff 0161",
    ]) {
      expect(() => read(new FieldReader(), hex), hex).toThrow(HpackError);
    }
  });
});

describe("calls that are none of gRPC", () => {
  it("are told so by the status that the protocol has for it", async () => {
    const server = await serve({ limits: { body_bytes: 1000 } });
    const zipped = framed(gzipSync(infer(2)), { flag: 1 });
    const bomb = framed(gzipSync(Buffer.alloc(1 << 20)), { flag: 1 });
    const gzip = { "grpc-encoding": "gzip" };
    const rows: [string, Record<string, string>, Buffer, string][] = [
      ["a whole message", {}, small, "0"],
      ["a suffix of the content type", { "content-type": "application/grpc+proto" }, small, "0"],
      ["a message that is compressed as was said", gzip, zipped, "0"],
      ["a message that is compressed and does not say how", {}, zipped, "13"],
      ["a message that is not what was said", gzip, framed(infer(2), { flag: 1 }), "13"],
      ["a compressed message that grows beyond the limit", gzip, bomb, "8"],
      ["an encoding that nobody knows", { "grpc-encoding": "zstd" }, small, "12"],
      ["a flag that there is not", {}, framed(infer(2), { flag: 7 }), "13"],
      ["a message that is longer than it comes", {}, framed(infer(2), { length: 900 }), "13"],
      ["half a length", {}, Buffer.of(0, 0, 0), "13"],
      ["a huge length", {}, framed(infer(2), { length: 0xffff_ffff }), "8"],
      ["a length that is too small", {}, framed(infer(2), { length: 3 }), "13"],
      ["two messages where one is taken", {}, Buffer.concat([small, small]), "12"],
      ["no message", {}, Buffer.alloc(0), "12"],
      ["an empty message", {}, framed(Buffer.alloc(0)), "5"],
      ["a method that there is not", { ":path": `${SERVICE}Nothing` }, small, "12"],
      ["a path that is none", { ":path": "*" }, small, "12"],
      ["a time that is none", { "grpc-timeout": "soon" }, small, "3"],
      ["a time that is over", { "grpc-timeout": "0n" }, small, "4"],
    ];
    const client = await raw(server);
    let id = 1;
    for (const [name, fields, data, status] of rows) {
      client.send(request(id, fields), dataFrame(id, data));
      expect(await statusOf(client, id), name).toBe(status);
      id += 2;
    }
    const encodings = client.seen.find(({ fields }) => fields["grpc-accept-encoding"] !== undefined);
    expect(encodings?.fields["grpc-accept-encoding"]).toBe("identity,deflate,gzip");
    for (const [fields, status] of [
      [{ ":method": "GET" }, "405"],
      [{ "content-type": "application/json" }, "415"],
      [{ "content-type": "application/grpcweb" }, "415"],
    ] as const) {
      client.send(request(id, fields, 5));
      expect((await client.until(ends(id)))?.fields[":status"]).toBe(status);
      id += 2;
    }
    // All that on one connection, and it still serves.
    client.send(request(id), dataFrame(id, small));
    expect(await statusOf(client, id)).toBe("0");
  });

  it("have words for what is wrong, escaped where a header cannot hold them", async () => {
    const client = await raw(await serve());
    const asked = framed(concat([bytes(1, "Grüße 100%\n")]));
    client.send(request(1), dataFrame(1, asked));
    const told = (await client.until(ends(1)))?.fields["grpc-message"] ?? "";
    expect(told).toMatch(/^[ -~]+$/);
    expect(decodeURIComponent(told)).toMatch(/there is no model .*Grüße 100%/);
  });

  it("are heard in single bytes as in one piece, padded or not", async () => {
    const server = await serve();
    const client = await raw(server);
    const padded = frame(DATA, 8, 1, Buffer.concat([Buffer.of(3), small.subarray(0, 7), Buffer.alloc(3)]));
    const bytes = Buffer.concat([request(1), padded, dataFrame(1, small.subarray(7))]);
    for (const byte of bytes) {
      client.socket.write(Buffer.of(byte));
      await new Promise((done) => setImmediate(done));
    }
    expect(await statusOf(client)).toBe("0");
    // Fields in three frames.
    const block = request(3).subarray(9);
    client.send(frame(HEADERS, 0, 3, block.subarray(0, 5)), frame(CONTINUATION, 0, 3, block.subarray(5, 6)));
    client.send(frame(CONTINUATION, 4, 3, block.subarray(6)), dataFrame(3, small));
    expect(await statusOf(client, 3)).toBe("0");
  });
});

describe("peers that break HTTP/2", () => {
  it("are told how, and others are served on", async () => {
    const server = await serve();
    const rows: [string, Buffer[], number][] = [
      ["a frame that is too long", [frame(DATA, 0, 1, Buffer.alloc(16_385))], errors.size],
      ["DATA of an idle stream", [dataFrame(1, small)], errors.protocol],
      ["DATA of no stream", [dataFrame(0, small)], errors.protocol],
      ["a stream of an even number", [request(2)], errors.protocol],
      ["more padding than frame", [request(1), frame(DATA, 8, 1, Buffer.of(9, 0, 0))], errors.protocol],
      ["fields that are none", [frame(HEADERS, 4, 1, Buffer.of(0xff, 0xff))], errors.compression],
      ["fields that are broken off", [request(1, {}, 0), frame(PING, 0, 0, Buffer.alloc(8))], errors.protocol],
      ["CONTINUATION of nothing", [frame(CONTINUATION, 4, 1, Buffer.alloc(1))], errors.protocol],
      ["a push", [frame(5, 4, 1, Buffer.alloc(5))], errors.protocol],
      ["a ping of seven bytes", [frame(PING, 0, 0, Buffer.alloc(7))], errors.size],
      ["a window that grows by nothing", [frameOf(WINDOW_UPDATE, 0, 0)], errors.protocol],
      ["a window that is too large", [frameOf(WINDOW_UPDATE, 0, 0x7fff_ffff)], errors.flow],
      ["settings that are too large", [settingsFrame([[4, 0x8000_0000]])], errors.flow],
      ["settings of five bytes", [frame(SETTINGS, 0, 0, Buffer.alloc(5))], errors.size],
      ["too many settings", [frame(SETTINGS, 0, 0, Buffer.alloc(6 * 33))], errors.calm],
      ["RST_STREAM of an idle stream", [frameOf(RST_STREAM, 1, 8)], errors.protocol],
    ];
    for (const [name, frames, code] of rows) {
      const client = await raw(server);
      client.send(...frames);
      expect(await goaway(client), name).toBe(code);
      await client.closed;
    }
    const again = await raw(server);
    again.send(request(1), dataFrame(1, small));
    expect(await statusOf(again)).toBe("0");
    again.send(request(1));
    expect(await goaway(again)).toBe(errors.closed);
    await isServing(server);
  });

  it("lose a request whose fields are wrong, and no more than that", async () => {
    const client = await raw(await serve());
    const wrong: Record<string, string>[] = [
      { ":path": "" },
      { "x-y": "a\nb" },
      { "X-Y": "a" },
      { connection: "close" },
      { te: "gzip" },
      { ":status": "200" },
      { te: "trailers", ":authority": "after others" },
    ];
    for (const [at, fields] of wrong.entries()) {
      client.send(request(2 * at + 1, fields));
      const reset = await client.until(({ type, id }) => type === RST_STREAM && id === 2 * at + 1);
      expect(reset?.payload.readUInt32BE(0), JSON.stringify(fields)).toBe(errors.protocol);
    }
    client.send(request(101, { "x-long": "a".repeat(16_200) }, 4));
    const long = await client.until(({ type, id }) => type === RST_STREAM && id === 101);
    expect(long?.payload.readUInt32BE(0)).toBe(errors.calm);
    client.send(request(103), dataFrame(103, small));
    expect(await statusOf(client, 103)).toBe("0");
    // Which of two lengths holds is no guess to make.
    const line = [
      [":method", "POST"],
      [":scheme", "http"],
      [":path", `${SERVICE}ModelInfer`],
      ["content-type", "application/grpc"],
    ] as const;
    const lengths = (...all: string[]): Buffer =>
      blockOf([...line, ...all.map((length): [string, string] => ["content-length", length])]);
    const { length } = small;
    client.send(frame(HEADERS, 4, 105, lengths("1", String(length))), dataFrame(105, small));
    const two = await client.until(({ type, id }) => type === RST_STREAM && id === 105);
    expect(two?.payload.readUInt32BE(0)).toBe(errors.protocol);
    client.send(frame(HEADERS, 4, 107, lengths(String(length), String(length))), dataFrame(107, small));
    expect(await statusOf(client, 107)).toBe("0");
  });

  it.each([
    ["more DATA after the end", (id: number) => dataFrame(id, small), errors.closed],
    ["a priority of four bytes", (id: number) => frame(PRIORITY, 0, id, Buffer.alloc(4)), errors.size],
  ])("lose the answer that they wait for by %s: nothing is computed on for nobody", async (_, broken, code) => {
    const client = await raw(await serve());
    client.send(request(1, { "x-request-id": "lost" }), dataFrame(1, framed(concat([bytes(1, "never")]))));
    await expect.poll(() => engine.seen.length).toBe(1);
    client.send(broken(1));
    const reset = await client.until(({ type, id }) => type === RST_STREAM && id === 1);
    expect(reset?.payload.readUInt32BE(0)).toBe(code);
    await expect.poll(() => engine.gone).toEqual(["lost"]);
    client.send(request(3), dataFrame(3, small));
    expect(await statusOf(client, 3)).toBe("0");
    expect(client.seen.some(({ type, id }) => id === 1 && type === HEADERS)).toBe(false);
  });

  it("that ask for what is refused and read no answer are cut off before much waits for them", () => {
    // A socket that takes nothing.
    const socket = Object.assign(new Socket(), { _write: () => undefined });
    const owner = {
      limits: limitsWith({}),
      open: (stream: Stream) => stream.refuse(blockOf([[":status", "405"]])),
      closed: () => undefined,
    };
    new Connection(socket, owner, performance.now());
    const take = (bytes: Buffer): boolean => socket.emit("data", bytes);
    take(Buffer.concat([PREFACE, settingsFrame([])]));
    let most = 0;
    for (let id = 1; id < 1_000_000 && !socket.destroyed; id += 2) {
      take(request(id, {}, 5));
      most = Math.max(most, socket.writableLength);
    }
    expect(socket.destroyed).toBe(true);
    expect(most).toBeLessThan(2 << 20);
  });

  it("that speak another protocol are cut off, as are those that begin and go no further", async () => {
    const server = await serve({ limits: { header_seconds: 0.2 } });
    const other = connect(server.port, "127.0.0.1");
    other.on("error", () => undefined).write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
    await new Promise((done) => other.resume().once("close", done));
    for (const bytes of [request(1).subarray(0, 20), request(1, {}, 0)]) {
      const client = await raw(server);
      client.send(bytes);
      await client.closed;
    }
    await isServing(server);
  });

  it("that open a thousand streams have 256, and are told to ask for the others again", async () => {
    const client = await raw(await serve());
    const never = framed(concat([bytes(1, "never")]));
    client.send(
      ...Array.from({ length: 1000 }, (_, at) => Buffer.concat([request(2 * at + 1), dataFrame(2 * at + 1, never)])),
    );
    await client.until(({ type, id }) => type === RST_STREAM && id === 1999);
    const refused = client.seen.filter(({ type }) => type === RST_STREAM);
    expect(refused).toHaveLength(744);
    expect(new Set(refused.map(({ payload }) => payload.readUInt32BE(0)))).toEqual(new Set([errors.refused]));
    expect(engine.seen).toHaveLength(256);
    // Those that hold to the setting are all answered.
    client.send(...Array.from({ length: 256 }, (_, at) => frameOf(RST_STREAM, 2 * at + 1, errors.cancel)));
    client.send(request(3001), dataFrame(3001, small));
    expect(await statusOf(client, 3001)).toBe("0");
  });

  it("that hold to its settings are answered a thousand times at once", async () => {
    const server = await serve();
    const session = connectHttp2(`http://127.0.0.1:${server.port}`);
    running.push(session);
    const one = (): Promise<unknown> =>
      new Promise((done, failed) => {
        const stream = session.request({
          ":method": "POST",
          ":path": `${SERVICE}ModelInfer`,
          "content-type": "application/grpc",
        });
        stream.on("trailers", (trailers: Record<string, unknown>) => done(trailers["grpc-status"]));
        stream.on("error", failed).resume().end(small);
      });
    const answers = await Promise.all(Array.from({ length: 1000 }, one));
    expect(new Set(answers)).toEqual(new Set(["0"]));
  });

  it.each([
    [
      "abandon requests as fast as they make them",
      (id: number) => [request(id), frameOf(RST_STREAM, id, errors.cancel)],
    ],
    ["make requests that are refused", (id: number) => [request(id, { connection: "close" })]],
    ["ping without end", () => [frame(PING, 0, 0, Buffer.alloc(8))]],
    ["send settings without end", () => [settingsFrame([])]],
    ["send priorities without end", () => [frame(PRIORITY, 0, 1, Buffer.alloc(5))]],
    ["send frames that nobody knows", () => [frame(77, 0, 0, Buffer.alloc(1))]],
  ])("that %s are sent away", async (_, frames) => {
    const server = await serve();
    const client = await raw(server);
    for (let at = 0; at < 4000; at++) client.send(...frames(2 * at + 1));
    expect(await goaway(client)).toBe(errors.calm);
    await client.closed;
    await isServing(server);
  });

  it("that send empty DATA, or fields in endless pieces, are sent away", async () => {
    const server = await serve();
    const [empty, pieces] = [await raw(server), await raw(server)];
    empty.send(request(1), ...Array.from({ length: 4000 }, () => dataFrame(1, Buffer.alloc(0), false)));
    expect(await goaway(empty)).toBe(errors.calm);
    pieces.send(request(1, {}, 0), ...Array.from({ length: 100 }, () => frame(CONTINUATION, 0, 1, Buffer.alloc(0))));
    expect(await goaway(pieces)).toBe(errors.calm);
    expect(engine.seen).toHaveLength(0);
    await isServing(server);
  });

  it("that send more than the window has are cut off", async () => {
    const client = await raw(await serve());
    // A stream of requests of which none is whole: nothing is given back beyond the message's own bytes.
    client.send(request(1, { ":path": `${SERVICE}ModelStreamInfer` }));
    const never = framed(concat([bytes(1, "never")]));
    client.send(dataFrame(1, never, false));
    const piece = framed(Buffer.alloc(16_000));
    for (let at = 0; at < 100; at++) client.send(dataFrame(1, piece, false));
    const reset = await client.until(({ type, id }) => type === RST_STREAM && id === 1);
    expect(reset?.payload.readUInt32BE(0)).toBe(errors.flow);
  });
});

describe("large and slow messages", () => {
  it("go both ways through small windows", async () => {
    const client = await raw(await serve(), [
      [4, 1000],
      [5, 16_384],
    ]);
    await client.until(({ type }) => type === SETTINGS);
    // More than the 1 MiB that may be sent before the server gives some of it back.
    const large = framed(infer(600_000));
    client.send(request(1));
    let window = 1 << 20;
    let at = 0;
    for (let sent = 0; sent < large.length;) {
      const size = Math.min(16_384, window, large.length - sent);
      if (size > 0) {
        client.send(dataFrame(1, large.subarray(sent, sent + size), sent + size === large.length));
        sent += size;
        window -= size;
        continue;
      }
      const isMore = (one: Seen): boolean =>
        one.type === WINDOW_UPDATE && one.id === 1 && client.seen.indexOf(one) >= at;
      const more = await client.until(isMore);
      at = more === undefined ? Infinity : client.seen.indexOf(more) + 1;
      window += more?.payload.readUInt32BE(0) ?? 0;
    }
    await client.until(({ type, id }) => type === DATA && id === 1);
    const came = (): number =>
      client.seen.reduce((sum, { type, payload }) => sum + (type === DATA ? payload.length : 0), 0);
    await expect.poll(came).toBe(1000);
    for (let given = 1000; given < 2_500_000; given += 50_000) {
      client.send(frameOf(WINDOW_UPDATE, 1, 50_000), frameOf(WINDOW_UPDATE, 0, 50_000));
    }
    expect(await statusOf(client)).toBe("0");
    expect(came()).toBeGreaterThan(2_400_000);
    expect(Math.max(...client.seen.map(({ payload }) => payload.length))).toBeLessThanOrEqual(16_384);
  });

  it("have their time, and one who sends a byte now and then is cut off", async () => {
    const server = await serve({ limits: { body_seconds: 0.2 } });
    const client = await raw(server);
    client.send(request(1));
    const still = { sending: true };
    void (async () => {
      for (const byte of framed(infer(1000))) {
        if (!still.sending) break;
        client.send(dataFrame(1, Buffer.of(byte), false));
        await new Promise((done) => setTimeout(done, 20));
      }
    })();
    expect(await statusOf(client)).toBe("4");
    still.sending = false;
    await isServing(server);
  });

  it("that wait behind others of their stream lose none of their time", async () => {
    const server = await serve({ limits: { body_seconds: 0.2 } });
    const client = await raw(server);
    const never = framed(concat([bytes(1, "never")]));
    client.send(request(1, { ":path": `${SERVICE}ModelStreamInfer` }), dataFrame(1, never, false));
    await expect.poll(() => engine.seen.length).toBe(1);
    client.send(dataFrame(1, Buffer.concat([small, small.subarray(0, 9)]), false));
    await new Promise((done) => setTimeout(done, 600));
    expect(client.seen.some(ends(1))).toBe(false);
  });

  it("are held to so many bytes for all calls together, and those that end make room", async () => {
    const server = await serve({ limits: { bodies_bytes: 100_000 } });
    const client = await raw(server, [[4, 1 << 20]]);
    client.send(frameOf(WINDOW_UPDATE, 0, 1 << 20));
    const large = framed(infer(20_000));
    const send = (id: number, bytes: Buffer, all: boolean): void => {
      for (let at = 0; at < bytes.length; at += 16_000) {
        client.send(dataFrame(id, bytes.subarray(at, at + 16_000), all && at + 16_000 >= bytes.length));
      }
    };
    client.send(request(1), request(3));
    send(1, large.subarray(0, large.length - 1), false);
    send(3, large, true);
    const refused = await client.until(ends(3));
    expect(refused?.fields["grpc-status"]).toBe("8");
    expect(refused?.fields["grpc-retry-pushback-ms"]).toBe("1000");
    send(1, large.subarray(large.length - 1), true);
    expect(await statusOf(client, 1)).toBe("0");
    for (const id of [5, 7]) {
      client.send(request(id));
      send(id, large, true);
      expect(await statusOf(client, id)).toBe("0");
    }
    const figures = server.figures();
    expect(figures.map(({ method, answers }) => [method, new Map(answers)])).toEqual([
      [
        "ModelInfer",
        new Map([
          ["RESOURCE_EXHAUSTED", 1],
          ["OK", 3],
        ]),
      ],
    ]);
    expect(figures[0]?.seconds.count).toBe(4);
  });

  it("that nobody reads are held for a while, and no longer", async () => {
    const server = await serve({ limits: { stall_seconds: 0.3, header_seconds: 0.5 } });
    const client = await raw(server, [[4, 100]]);
    client.send(request(1), dataFrame(1, framed(infer(1000))));
    const reset = await client.until(({ type, id }) => type === RST_STREAM && id === 1);
    expect(reset?.payload.readUInt32BE(0)).toBe(errors.cancel);
    client.send(request(3), dataFrame(3, small));
    expect(await statusOf(client, 3)).toBe("0");
  });
});

describe("connections", () => {
  it("that are idle are closed in an orderly way", async () => {
    const client = await raw(await serve({ limits: { idle_seconds: 0.3, header_seconds: 0.5 } }));
    client.send(request(1), dataFrame(1, small));
    expect(await statusOf(client)).toBe("0");
    expect(await goaway(client)).toBe(errors.none);
    await client.closed;
  });

  it("answer what comes until their peer knows of the end, and nothing later", async () => {
    const server = await serve();
    const client = await raw(server);
    client.send(request(1), dataFrame(1, small));
    expect(await statusOf(client)).toBe("0");
    const closing = server.close(5000);
    const ping = await client.until(({ type, flags }) => type === PING && flags === 0);
    // On its way when the server said so.
    client.send(request(3), dataFrame(3, small));
    expect(await statusOf(client, 3)).toBe("0");
    client.send(frame(PING, 1, 0, ping?.payload ?? Buffer.alloc(8)), request(5), dataFrame(5, small));
    await client.closed;
    const told = client.seen.filter(({ type }) => type === GOAWAY).map(({ payload }) => payload.readUInt32BE(0));
    expect(told).toEqual([0x7fff_ffff, 3]);
    expect(client.seen.some(({ id }) => id === 5)).toBe(false);
    expect(engine.seen).toHaveLength(2);
    await closing;
  });

  it("that break take their requests with them", async () => {
    const server = await serve();
    const client = await raw(server);
    client.send(request(1, { "x-request-id": "gone" }), dataFrame(1, framed(concat([bytes(1, "never")]))));
    client.send(goawayFrame(0, 0, ""));
    await expect.poll(() => engine.seen.length).toBe(1);
    client.socket.destroy();
    await expect.poll(() => engine.gone).toEqual(["gone"]);
  });
});
