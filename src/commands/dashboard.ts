/** accelctl dashboard: the page on this machine, or on a captured one. */

import { request } from "node:http";
import { basename } from "node:path";
import { CannotError, FileError, UsageError } from "../base/errors.ts";
import { openRoot } from "../root/open.ts";
import { tokenOf } from "../serve/config.ts";
import { ownMetrics } from "../serve/metrics-source.ts";
import { forwardLine, hasDisplay, openBrowser } from "../serve/page/browser.ts";
import { pageParts } from "../serve/page/parts.ts";
import { readRecording } from "../watch/recording.ts";
import type { Sample } from "../watch/sample.ts";
import { parseListen, urlOf } from "../serve/http/listen.ts";
import { openLog } from "../serve/http/log.ts";
import { startServer, type Running } from "../serve/server.ts";
import { flag, option, type Command, type Invocation, type OptionSpec } from "./command.ts";
import { environmentsOf, rootOptions, vendorOption } from "./common.ts";

/** The same each time, so that a forwarded port and a bookmark hold; another where this one is taken and none was asked for. */
const USUAL = "127.0.0.1:8470";
/** What is under way at Ctrl-C. */
const DRAIN_MS = 1000;
/** A server on this machine answers at once or is none of ours. */
const ASK_MS = 1500;

export const dashboardOptions: readonly OptionSpec[] = [
  ...rootOptions.filter(({ name }) => name !== "paste"),
  { name: "replay", value: "FILE", says: "Live shows this recording (watch --record) in the place of the machine" },
  { name: "listen", value: "HOST:PORT", says: `where to listen (${USUAL}); port 0: any that is free` },
  {
    name: "token-file",
    value: "FILE",
    says: "callers must bring the token in this file (or ACCELCTL_TOKEN); needed beyond loopback",
  },
  vendorOption,
  { name: "no-run", says: "take no models from the page and run none (those that come with accelctl included)" },
  { name: "no-open", says: "print the address and open no browser" },
];

const command: Command = {
  name: "dashboard",
  summary: "show this machine on a page in the browser",
  usage: "",
  says:
    "Serves the page, and metrics at /metrics, on loopback and opens it in the browser where there is a display: devices and their routes as stacks with " +
    "evidence and cures, models, live figures, and the atlas of accelerators. --root shows a captured machine instead, --replay what was recorded. " +
    "Over ssh it prints the line that brings the page to you. Ctrl-C ends it.",
  options: dashboardOptions,
  examples: [
    { command: "accelctl dashboard", says: "this machine" },
    { command: "accelctl dashboard --root capture.json", says: "one that was captured" },
    { command: "accelctl dashboard --replay night.jsonl", says: "what watch --record kept" },
    { command: "accelctl dashboard --no-open --listen 127.0.0.1:0", says: "only the address, on any free port" },
  ],
  run: (invocation) => serveDashboard(invocation, { reuse: false }),
};
export default command;

/** `reuse`: where a server of ours answers at the address already, its page is opened instead. */
export async function serveDashboard(invocation: Invocation, { reuse }: { readonly reuse: boolean }): Promise<number> {
  const root = option(invocation, "root");
  if (root === "-") throw new UsageError("--root - reads standard input, which can be read once; give a file");
  if (root !== undefined) openRoot(root); // what cannot be opened is told now, and not to a page
  const replay = option(invocation, "replay");
  // Read now: what is wrong with it is told here and not on a page.
  const recording = replay === undefined ? undefined : recordingIn(replay);
  const listen = option(invocation, "listen");
  if (reuse && root === undefined && recording === undefined) {
    const at = parseListen(listen ?? USUAL);
    const url = "host" in at ? urlOf(at.host, at.port) : undefined;
    if (url !== undefined && (await isOurs(url))) return show(invocation, url, undefined);
  }
  const file = option(invocation, "token-file");
  const token = tokenOf(file === undefined ? {} : { token_file: file }, process.env);
  const isLive = root === undefined || root === "/";
  const environments = environmentsOf(invocation);
  const run = !flag(invocation, "no-run");
  const vendor = flag(invocation, "vendor");
  const parts = [
    ...pageParts({
      environments,
      vendor,
      run,
      ...(isLive ? {} : { root, name: basename(root) }),
      ...(recording === undefined ? {} : { recording }),
    }),
    // Time does not pass on a captured machine: there is nothing to scrape.
    ...(isLive ? [ownMetrics({ environments, vendor })] : []),
  ];
  const server = await start(parts, listen, token);
  const address = token === undefined ? server.url : `${server.url}/#token=${encodeURIComponent(token)}`;
  await show(invocation, address, server.port);
  await untilStopped();
  await server.drain(DRAIN_MS);
  return 0;
}

/** A last line that was cut off is passed over, as top and the page itself do. */
function recordingIn(path: string): { readonly name: string; readonly samples: readonly Sample[] } {
  const samples = [...readRecording(path, { lenient: true })];
  if (samples.length === 0) throw new FileError(path, "a recording without a sample");
  return { name: basename(path), samples };
}

async function start(
  parts: Parameters<typeof startServer>[0],
  listen: string | undefined,
  token: string | undefined,
): Promise<Running> {
  const options = { log: openLog({ level: "warn" }), ...(token === undefined ? {} : { token }) };
  if (listen !== undefined) return startServer(parts, { ...options, listen });
  try {
    return await startServer(parts, { ...options, listen: USUAL });
  } catch (error) {
    if (!(error instanceof CannotError)) throw error;
    return startServer(parts, { ...options, listen: "127.0.0.1:0" });
  }
}

async function show(invocation: Invocation, url: string, port: number | undefined): Promise<number> {
  const { out, err } = invocation;
  out(`${url}\n`);
  const forward = port === undefined ? undefined : forwardLine(process.env, port);
  if (forward !== undefined) err(`to see it on your machine, there: ${forward}\n`);
  if (!flag(invocation, "no-open") && hasDisplay(process.env) && !(await openBrowser(url))) {
    err("no browser was opened: xdg-open is not installed\n");
  }
  return 0;
}

/** Ctrl-C, or a service manager's stop. */
function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    const stop = (): void => {
      process.off("SIGINT", stop).off("SIGTERM", stop);
      resolve();
    };
    process.on("SIGINT", stop).on("SIGTERM", stop);
  });
}

/** Whether a page of ours is there; it is given without a token. */
function isOurs(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request(url, { timeout: ASK_MS }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
        if (text.length > 64 * 1024) response.destroy();
      });
      response.on("close", () => resolve(/<title>[^<]*accelctl<\/title>/.test(text)));
    });
    asked.on("error", () => resolve(false)); // ECONNREFUSED: nobody listens
    asked.on("timeout", () => asked.destroy());
    asked.end();
  });
}
