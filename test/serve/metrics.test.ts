/** GET /metrics: which text a scraper gets. */

import type { IncomingHttpHeaders } from "node:http";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { Exchange } from "../../src/serve/door.ts";
import { metricsPart, wantedFormat } from "../../src/serve/metrics.ts";
import { device, known, sample } from "../support/samples.ts";

// Prometheus 2.42 as it was seen to ask; then in the form that Prometheus 3 gives it (config.ScrapeProtocols), and a browser.
const prometheus2 =
  "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
const prometheus3 =
  "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
const protobufFirst =
  "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,text/plain;version=0.0.4;q=0.5,application/openmetrics-text;version=1.0.0;q=0.2";
const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

describe("which text", () => {
  it.each([
    [prometheus2, "openmetrics"],
    [prometheus3, "openmetrics"],
    [protobufFirst, "prometheus"],
    [browser, "prometheus"],
    ["*/*", "prometheus"],
    [undefined, "prometheus"],
    ["application/openmetrics-text; version=0.0.1", "prometheus"],
    ['Application/OpenMetrics-Text; version="1.0.0"', "openmetrics"],
    ["application/openmetrics-text;q=0", "prometheus"],
    [";;;,,,q=;;=", "prometheus"],
  ] as const)("%s gets %s", (accept, format) => {
    expect(wantedFormat(accept)).toBe(format);
  });
});

interface Sent {
  readonly status: number;
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

async function ask(headers: IncomingHttpHeaders): Promise<Sent> {
  const devices = Array.from("abcdefghijklmnop", (id) => device(id, { metrics: [known("power_watts", 7.5)] }));
  const part = metricsPart(() => ({ sample: sample(devices) }));
  let sent: Sent | undefined;
  const exchange = {
    request: { headers },
    send: (status: number, body: string | Uint8Array, more: Readonly<Record<string, string>>) => {
      sent = { status, body: Buffer.from(body), headers: more };
    },
  } as unknown as Exchange; // what the part asks of it
  await part.routes[0]?.answer(exchange);
  if (sent === undefined) throw new Error("it did not answer");
  return sent;
}

it("answers with Prometheus text, or OpenMetrics, and says which", async () => {
  const plain = await ask({});
  expect(plain).toMatchObject({ status: 200, headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" } });
  expect(plain.body.toString()).toContain('accelctl_device_power_watts{device="a",name="Example a"} 7.5\n');
  expect(plain.body.toString()).toMatch(/^accelctl_scrape_duration_seconds \S+$/m);
  const open = await ask({ accept: prometheus2 });
  expect(open.headers["content-type"]).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
  expect(open.body.toString()).toMatch(/# EOF\n$/);
});

it("answers compressed to a scraper that takes it", async () => {
  const sent = await ask({ "accept-encoding": "gzip" });
  expect(sent.headers["content-encoding"]).toBe("gzip");
  expect(gunzipSync(sent.body).toString()).toContain("accelctl_device_power_watts");
  expect((await ask({ "accept-encoding": "br, gzip;q=0" })).headers["content-encoding"]).toBeUndefined();
});
