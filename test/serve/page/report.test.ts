/** The page's files and its report over HTTP: policy, caching, packing, what is refused, and what is not told. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { assetsPart } from "../../../src/serve/page/assets.ts";
import { forwardLine, hasDisplay } from "../../../src/serve/page/browser.ts";
import { reportPart } from "../../../src/serve/page/report.ts";
import { ReviewError, type Asked } from "../../../src/serve/page/reviewer.ts";
import { startServer, type Running } from "../../../src/serve/server.ts";

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** Without a browser's own caching and unpacking. */
function ask(
  url: string,
  headers: Readonly<Record<string, string>> = {},
  body?: Uint8Array,
  path = new URL(url).pathname + new URL(url).search,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method: body === undefined ? "GET" : "POST", headers, path }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

const script = `console.log("${"page ".repeat(1000)}");`;

describe("the page over HTTP", () => {
  const calls: Asked[] = [];
  let [folder, url] = ["", ""];
  let server: Running | undefined;
  let answer: (asked: Asked) => Promise<Buffer> = () => Promise.reject(new Error("not set"));
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "accelctl-page-"));
    mkdirSync(join(folder, "assets"));
    mkdirSync(join(folder, "static"));
    writeFileSync(join(folder, "index.html"), "<!doctype html><title>accelctl</title>");
    writeFileSync(join(folder, "assets/index-abc123.js"), script);
    writeFileSync(join(folder, "static/report.html"), "not for callers");
    const review = (asked: Asked): Promise<Buffer> => {
      calls.push(asked);
      return answer(asked);
    };
    const token = "t0ken";
    server = await startServer([assetsPart(folder), reportPart({ root: "/some/where", name: "where", review })], {
      token,
    });
    url = server.url;
  });
  afterAll(async () => {
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const bearer = { authorization: "Bearer t0ken" };

  it("gives the page without a token, under a policy that allows nothing inline and nothing from elsewhere", async () => {
    const { status, headers } = await ask(`${url}/`);
    expect(status).toBe(200);
    const policy = String(headers["content-security-policy"]);
    expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';/);
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(headers["referrer-policy"]).toBe("no-referrer");
    expect(headers["cross-origin-opener-policy"]).toBe("same-origin");
    expect(headers["cache-control"]).toBe("no-cache");
  });

  it("answers 304 to who has it, gives hashed files for ever, and packs them for who takes gzip", async () => {
    const { headers } = await ask(`${url}/`);
    const again = await ask(`${url}/`, { "if-none-match": String(headers["etag"]) });
    expect([again.status, again.body.length]).toEqual([304, 0]);
    const asset = `${url}/assets/index-abc123.js`;
    const plain = await ask(asset);
    expect(plain.headers["cache-control"]).toContain("immutable");
    expect(plain.headers["content-type"]).toContain("text/javascript");
    expect(plain.body.toString()).toBe(script);
    const packed = await ask(asset, { "accept-encoding": "br, gzip;q=0.5" });
    expect(packed.headers["content-encoding"]).toBe("gzip");
    expect(packed.body.length).toBeLessThan(plain.body.length / 10);
    expect(gunzipSync(packed.body).toString()).toBe(script);
    const refused = await ask(asset, { "accept-encoding": "gzip;q=0, br" });
    expect(refused.headers["content-encoding"]).toBeUndefined();
  });

  it("gives no file but the page's", async () => {
    for (const path of [
      "assets/../index.html",
      "assets/%2e%2e%2findex.html",
      "assets/%2e%2e/static/report.html",
      "assets/",
      "assets/no.js",
      "static/report.html",
    ]) {
      const { status, body } = await ask(url, bearer, undefined, `/${path}`); // as it stands: a URL would be tidied
      expect([400, 404], path).toContain(status);
      expect(body.toString(), path).not.toContain(folder);
    }
  });

  it("asks for a token before it tells of the machine", async () => {
    for (const path of ["api/report", "api/about"]) expect((await ask(`${url}/${path}`)).status, path).toBe(401);
    expect((await ask(`${url}/api/review`, {}, Buffer.from("x"))).status).toBe(401);
    const about = await ask(`${url}/api/about`, bearer);
    expect(JSON.parse(about.body.toString())).toMatchObject({ name: "accelctl", machine: "where" });
  });

  it("reviews once for all who ask at a time, once more with query, and again when it failed", async () => {
    calls.length = 0;
    answer = () => Promise.reject(new ReviewError("/some/where: no such file or directory"));
    const failed = await ask(`${url}/api/report`, bearer);
    expect(failed.status).toBe(500);
    expect(failed.body.toString()).not.toContain("/some/where");
    answer = async () => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      return Buffer.from(`{"schema":1,"filler":"${"x".repeat(5000)}"}`);
    };
    const answers = await Promise.all(
      [1, 2, 3].map(() => ask(`${url}/api/report`, { ...bearer, "accept-encoding": "gzip" })),
    );
    expect(new Set(answers.map(({ status, headers }) => `${status} ${String(headers["content-encoding"])}`))).toEqual(
      new Set(["200 gzip"]),
    );
    const etag = String(answers[0]?.headers["etag"]);
    expect((await ask(`${url}/api/report`, { ...bearer, "if-none-match": etag })).status).toBe(304);
    expect(calls.map(({ root, query }) => [root, query])).toEqual([
      ["/some/where", false],
      ["/some/where", false],
    ]);
    await ask(`${url}/api/report?query=1`, bearer);
    expect(calls.at(-1)?.query).toBe(true);
  });

  it("reviews what is posted, in a process that says no in its own words, two at a time", async () => {
    calls.length = 0;
    expect((await ask(`${url}/api/review`, bearer, new Uint8Array())).status).toBe(400);
    answer = () => Promise.reject(new ReviewError("neither a capture nor an archive of a machine, and no text"));
    const no = await ask(`${url}/api/review`, bearer, Buffer.from([0, 1, 2]));
    expect([no.status, no.body.toString()]).toEqual([
      422,
      '{"error":"neither a capture nor an archive of a machine, and no text"}',
    ]);
    expect(calls.at(-1)?.bytes).toEqual(Buffer.from([0, 1, 2]));
    expect(calls.at(-1)?.root).toBeUndefined();
    let go = (): void => undefined;
    const held = new Promise<void>((resolve) => (go = resolve));
    answer = async () => {
      await held;
      return Buffer.from("{}");
    };
    const first = [1, 2].map(() => ask(`${url}/api/review`, bearer, Buffer.from("text")));
    await expect.poll(() => calls.length).toBe(3);
    const third = await ask(`${url}/api/review`, bearer, Buffer.from("text"));
    expect([third.status, third.headers["retry-after"]]).toEqual([429, "2"]);
    go();
    expect((await Promise.all(first)).map(({ status }) => status)).toEqual([200, 200]);
  });
});

describe("seeing the page", () => {
  it("needs a display that is this machine's", () => {
    expect(hasDisplay({})).toBe(false);
    expect(hasDisplay({ DISPLAY: ":0" })).toBe(true);
    expect(hasDisplay({ WAYLAND_DISPLAY: "wayland-0" })).toBe(true);
    expect(hasDisplay({ DISPLAY: "localhost:10.0", SSH_CONNECTION: "10.0.0.2 50000 10.0.0.1 22" })).toBe(false);
  });
  it("is brought to who came by ssh, in a line to type there", () => {
    expect(forwardLine({}, 8470)).toBeUndefined();
    expect(forwardLine({ SSH_CONNECTION: "10.0.0.2 50000 10.0.0.1 22" }, 8470)).toMatch(
      /^ssh -N -L 8470:127\.0\.0\.1:8470 \S+@10\.0\.0\.1$/,
    );
    expect(forwardLine({ SSH_CONNECTION: "fe80::2 50000 fe80::1 2222" }, 1)).toMatch(
      /^ssh -N -L 1:127\.0\.0\.1:1 -p 2222 \S+@fe80::1$/,
    );
  });
});
