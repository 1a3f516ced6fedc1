/**
 * The page's first view in a real Chromium, of a server on this machine: bytes of script, and how long until a person can use it.
 * Promises: at most 150 kB of script, compressed; usable within a second of asking for it. The review's own time stands beside it:
 * the page is there before the report is.
 */

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type * as Playwright from "playwright-core";
import { median, ms, table } from "./_table.ts";

const ROUNDS = 7;
const program = [process.env["CHROMIUM"], "/usr/bin/chromium", "/usr/bin/google-chrome"].find(
  (place) => place !== undefined && existsSync(place),
);

if (program === undefined) process.stdout.write("page: no Chromium is here (CHROMIUM may name one)\n");
else await measure(program);

async function measure(executablePath: string): Promise<void> {
  const require = createRequire(join(process.cwd(), "package.json"));
  const { chromium } = require("playwright-core") as typeof Playwright;
  const server = spawn(process.execPath, ["dist/accelctl.cjs", "dashboard", "--no-open", "--listen", "127.0.0.1:0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const url = await new Promise<string>((resolve) =>
    server.stdout.once("data", (line: Buffer) => resolve(line.toString().trim())),
  );
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  const [frame, machine, drawn]: [number[], number[], number[]] = [[], [], []];
  let script = 0;
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
      const page = await context.newPage();
      const bodies: Promise<Buffer>[] = [];
      page.on("response", (response) => response.url().endsWith(".js") && bodies.push(response.body()));
      const begun = performance.now();
      await page.goto(`${url}/`, { waitUntil: "commit" });
      await page.locator("nav a").first().waitFor();
      frame.push(performance.now() - begun);
      await page.locator("#devices").waitFor();
      machine.push(performance.now() - begun);
      drawn.push(
        await page.evaluate<number>(
          "performance.getEntriesByType('paint').find(({ name }) => name === 'first-contentful-paint')?.startTime",
        ),
      );
      script = (await Promise.all(bodies)).reduce((sum, body) => sum + gzipSync(body, { level: 9 }).length, 0);
      await context.close();
    }
  } finally {
    await browser.close();
    server.kill();
  }
  table(
    `The page's first view, ${ROUNDS} times, nothing cached`,
    ["what", "median", "promise"],
    [
      ["script, compressed", `${(script / 1000).toFixed(1)} kB`, "150 kB"],
      ["first paint", `${ms(median(drawn))} ms`, ""],
      ["frame and navigation usable", `${ms(median(frame))} ms`, "1000 ms"],
      ["machine shown (review included)", `${ms(median(machine))} ms`, ""],
    ],
  );
}
