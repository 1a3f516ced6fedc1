/** The Live view in a real browser: this machine, a captured one, recordings with gaps, a stream that breaks, served models. */

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterEach, describe, expect, it } from "vitest";
import type { ModelFigures, ModelState, Spread } from "../../src/serve/engine.ts";
import { assetsPart } from "../../src/serve/page/assets.ts";
import { livePart, type LiveOptions } from "../../src/serve/page/live.ts";
import { startServer, type Running } from "../../src/serve/server.ts";
import type { Sample } from "../../src/watch/sample.ts";
import {
  eventually,
  hasBrowser,
  noOverflow,
  noSeriousViolations,
  shoot,
  unlessBrowser,
  useBrowser,
  useDashboard,
} from "../support/browser.ts";
import { device, known, processUse, unknown } from "../support/samples.ts";
import { hasShared, sharedPath } from "../support/shared.ts";

const looks = [
  { theme: "light", width: 1600 },
  { theme: "dark", width: 400 },
] as const;

/** A machine that is busy in the rhythm of seconds, and asleep for some of them. */
function made(): LiveOptions["open"] {
  let sequence = 0;
  return () => ({ sample: () => sampleOf(sequence++, Date.now()), close: () => undefined });
}

function sampleOf(i: number, at: number): Sample {
  const asleep = i % 20 >= 8 && i % 20 < 14;
  return {
    ...{ schema: 1, sequence: i, at: new Date(at).toISOString(), elapsed_seconds: i === 0 ? null : 1 },
    took_seconds: 0.002,
    devices: [
      device("pci:0000:00:0b.0", {
        name: "Example NPU",
        driver: "example",
        power_state: asleep ? "suspended" : "active",
        metrics: [
          asleep
            ? unknown("busy_ratio", "asleep", "reading would wake the device")
            : known("busy_ratio", 0.5 + 0.4 * Math.sin(i / 3)),
          known("temperature_celsius", 41.25, "die"),
          known("temperature_celsius", 38, "memory"),
          known("memory_bytes", 3 * 2 ** 30),
          known("memory_total_bytes", 8 * 2 ** 30),
          ...Array.from({ length: 12 }, (_, core) => known("core_busy_ratio", core / 12, `core ${core}`)),
          unknown("power_watts", "absent", "this driver has no power meter"),
        ],
        processes: [processUse(4242, "python3", [known("memory_bytes", 2 ** 30)]), processUse(4300, "idle-one")],
      }),
    ],
  };
}

const recording = (): string => {
  const begin = Date.parse("2026-11-24T10:00:00Z");
  // Two minutes, of which twenty seconds in the middle were not recorded.
  const seconds = Array.from({ length: 120 }, (_, i) => i).filter((i) => i < 50 || i >= 70);
  return seconds.map((i) => JSON.stringify(sampleOf(i, begin + i * 1000))).join("\n");
};

function fileWith(name: string, text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), "accelctl-live-")), name);
  writeFileSync(file, text);
  return file;
}

let running: Running | undefined;
afterEach(async () => {
  await running?.close();
  running = undefined;
});

async function serve(options: LiveOptions, listen = "127.0.0.1:0"): Promise<Running> {
  running = await startServer([assetsPart(), livePart(options)], { listen });
  return running;
}

const chart = (page: Page, name: string) => page.getByRole("img", { name: new RegExp(`^Chart of ${name}`) });
const figure = (page: Page, name: string) => page.locator("figure.chart").filter({ has: chart(page, name) });

/** Does the canvas hold anything but its background? */
const isDrawn = (page: Page, name: string): Promise<boolean> =>
  chart(page, name)
    .locator("canvas")
    .evaluate((canvas: { width: number; height: number; getContext(kind: string): unknown }) => {
      const brush = canvas.getContext("2d") as {
        getImageData(...box: number[]): { data: Uint8ClampedArray };
      };
      return brush.getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value > 0);
    });

describe.skipIf(!hasBrowser)(`the Live view${unlessBrowser}`, () => {
  const browser = useBrowser();
  const dashboard = useDashboard();

  it("shows this machine's CPU, in both themes and on a phone", async () => {
    for (const look of looks) {
      await browser.visit(
        `${dashboard.url}/#/live`,
        async (page) => {
          await eventually(() => page.locator(".status").innerText()).toMatch(/live\s+last sample/);
          await figure(page, "busy").locator(".value").first().waitFor();
          await eventually(() => isDrawn(page, "busy")).toBe(true);
          await noOverflow(page);
          await noSeriousViolations(page);
          await shoot(page, `live-cpu-${look.theme}-${look.width}`);
        },
        look,
      );
    }
  });

  it("draws devices, parts, spreads, processes, and says why what is not read is not", async () => {
    const { url } = await serve({ open: made() });
    for (const look of looks) {
      await browser.visit(
        `${url}/#/live`,
        async (page) => {
          await page.getByRole("heading", { name: "Example NPU" }).waitFor();
          await eventually(() => figure(page, "temperature").innerText()).toContain("41.3 °C");
          await eventually(() => figure(page, "temperature").innerText()).toContain("memory");
          await eventually(() => figure(page, "memory(?! of)").innerText()).toContain("3 GiB");
          await eventually(() => figure(page, "core busy").innerText()).toMatch(
            /mean of 12\s+46 %\s+from to\s+0 % – 92 %/,
          );
          const processes = page.getByRole("region", { name: "Processes on Example NPU" });
          await eventually(() => processes.innerText()).toMatch(/4242\s+python3[^]*has the node open/);
          const unread = page.getByText("1 metric not read, and why");
          await unread.click();
          await page.getByText("this driver has no power meter").waitFor();
          // What was not read is nowhere a zero.
          expect(await page.getByText("0.0 W").count()).toBe(0);
          await noOverflow(page);
          await noSeriousViolations(page);
          await shoot(page, `live-made-${look.theme}-${look.width}`);
        },
        look,
      );
    }
  });

  it("has everything in a table, too", async () => {
    const { url } = await serve({ open: made() });
    await browser.visit(`${url}/#/live`, async (page) => {
      await page.getByRole("tab", { name: "Table of values" }).click();
      const table = page.getByRole("region", { name: "Values of all metrics" });
      await eventually(() => table.innerText()).toMatch(/power\s+this driver has no power meter/);
      await eventually(() => table.innerText()).toContain("41.3 °C");
      await page.getByLabel("Filter Values of all metrics").fill("python3");
      await eventually(() => table.getByRole("row").count()).toBe(2);
      await noSeriousViolations(page);
    });
  });

  it("stands still while paused, and goes on with what came meanwhile", async () => {
    const { url } = await serve({ open: made() });
    await browser.visit(`${url}/#/live`, async (page) => {
      await page.getByLabel("every").selectOption("0.5");
      const status = page.locator(".status");
      await eventually(() => status.innerText()).toMatch(/last sample/);
      await page.getByRole("button", { name: "Pause" }).click();
      await eventually(() => status.innerText()).toContain("paused");
      const stood = await status.innerText();
      await page.waitForTimeout(1500);
      expect(await status.innerText()).toBe(stood);
      await page.getByRole("button", { name: "Go on" }).click();
      await eventually(() => status.innerText()).not.toBe(stood.replace("paused", "live"));
    });
  });

  it("shows a recording: gaps as gaps, with their reasons under the crosshair, by keys", async () => {
    const { url } = await serve({ open: made() });
    await browser.visit(`${url}/#/live`, async (page) => {
      await page.locator("input[type=file]").setInputFiles(fileWith("night.jsonl", recording()));
      await eventually(() => page.locator(".status").innerText()).toMatch(
        /recording\s+night\.jsonl, \d\d:\d\d:\d\d to/,
      );
      const busy = figure(page, "busy");
      await eventually(() => isDrawn(page, "busy")).toBe(true);
      await chart(page, "busy").focus();
      // From the end (second 119) to second 110, in which it slept.
      for (let i = 0; i < 9; i++) await page.keyboard.press("ArrowLeft");
      await eventually(() => busy.locator(".why").allInnerTexts()).toEqual(["reading would wake the device"]);
      // All charts stand at the same moment.
      await eventually(() => figure(page, "memory(?! of)").locator(".value").allInnerTexts()).toEqual(["3 GiB"]);
      // Into the part that was not recorded.
      for (let i = 0; i < 4; i++) await page.keyboard.press("PageDown");
      await page.keyboard.press("Escape");
      for (let i = 0; i < 5; i++) await page.keyboard.press("PageUp");
      await eventually(async () => {
        await page.keyboard.press("ArrowLeft");
        return busy.locator(".why").allInnerTexts();
      }).toEqual(["no sample came"]);
      await noSeriousViolations(page);
      await shoot(page, "live-recording");
      await page.getByRole("button", { name: "Back", exact: true }).click();
      await eventually(() => page.locator(".status").innerText()).toMatch(/^.?\s*live/);
    });
  });

  it("shows the recording that its server was given, and comes back to it from another", async () => {
    const samples = recording()
      .split("\n")
      .map((line) => JSON.parse(line) as Sample);
    const { url } = await serve({ open: made(), recorded: samples, name: "given.jsonl" });
    await browser.visit(`${url}/#/live`, async (page) => {
      const status = page.locator(".status");
      await eventually(() => status.innerText()).toMatch(/recording\s+given\.jsonl, \d\d:\d\d:\d\d to/);
      await eventually(() => isDrawn(page, "busy")).toBe(true);
      expect(await page.getByRole("button", { name: /^(Pause|Back)$/ }).count()).toBe(0);
      await page.locator("input[type=file]").setInputFiles(fileWith("other.jsonl", recording()));
      await eventually(() => status.innerText()).toContain("other.jsonl");
      await page.getByRole("button", { name: "Back", exact: true }).click();
      await eventually(() => status.innerText()).toContain("given.jsonl");
      await noSeriousViolations(page);
    });
  });

  it("says what is wrong with a file that is no recording", async () => {
    const { url } = await serve({ open: made() });
    await browser.visit(`${url}/#/live`, async (page) => {
      await page.getByRole("heading", { name: "Example NPU" }).waitFor();
      await page.locator("input[type=file]").setInputFiles(fileWith("broken.jsonl", `${recording()}\nnot json\n{}\n`));
      await eventually(() => page.getByRole("alert").innerText()).toContain(
        "broken.jsonl cannot be shown: line 101 is no JSON",
      );
      // What was shown before stays.
      expect(await page.getByRole("heading", { name: "Example NPU" }).count()).toBe(1);
    });
  });

  it("draws a part of the time that was chosen with the pointer, and the whole again", async () => {
    const { url } = await serve({ open: made() });
    await browser.visit(`${url}/#/live`, async (page) => {
      await page.locator("input[type=file]").setInputFiles(fileWith("night.jsonl", recording()));
      // Not the chart of what is live, which stands there before.
      await eventually(() => page.locator(".status").innerText()).toContain("night.jsonl");
      await eventually(() => isDrawn(page, "busy")).toBe(true);
      const box = await chart(page, "busy").locator(".u-over").boundingBox();
      if (box === null) throw new Error("no chart");
      const y = box.y + box.height / 2;
      await page.mouse.move(box.x + box.width * 0.25, y);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width * 0.5, y, { steps: 4 });
      await page.mouse.up();
      const whole = page.getByRole("button", { name: /whole range/ });
      await whole.waitFor();
      const [, from = "", to = ""] = /(\d\d:\d\d:\d\d) – (\d\d:\d\d:\d\d)/.exec(await whole.innerText()) ?? [];
      const seconds = (text: string): number => Number(text.slice(3, 5)) * 60 + Number(text.slice(6));
      expect(seconds(to) - seconds(from)).toBeGreaterThan(25);
      expect(seconds(to) - seconds(from)).toBeLessThan(35);
      await whole.click();
      await whole.waitFor({ state: "detached" });
    });
  });

  it("says that the connection is lost, keeps what it has, and takes it up again", async () => {
    const first = await serve({ open: made() });
    const { port } = first;
    await browser.visit(
      `${first.url}/#/live`,
      async (page) => {
        await page.getByRole("heading", { name: "Example NPU" }).waitFor();
        await first.close();
        await page.getByText("Connection lost.").waitFor();
        await eventually(() => page.locator(".status").innerText()).toContain("connection lost");
        expect(await page.getByRole("heading", { name: "Example NPU" }).count()).toBe(1);
        await noSeriousViolations(page);
        await serve({ open: made() }, `127.0.0.1:${port}`);
        await page.getByRole("button", { name: "Try now" }).click();
        await eventually(() => page.locator(".status").innerText()).toMatch(/^.?\s*live/);
        await page.getByText("Connection lost.").waitFor({ state: "detached" });
      },
      { expected: /ERR_|Failed to load/ },
    );
  });

  it("shows served models: outcomes, queues, percentiles, restarts", async () => {
    let asked = 0;
    const spread = (n: number): Spread => ({
      bounds: [0.001, 0.01, 0.1],
      counts: [n / 2, n, n],
      count: n,
      sum: n / 100,
    });
    const state = (name: string, more: Partial<ModelState>): ModelState => ({
      ...{ name, version: "1", status: "ready", inputs: [], outputs: [], max_batch: 8, streams: false, device: "cpu" },
      ...more,
    });
    const figures = (): ModelFigures => {
      const n = 100 * ++asked;
      return {
        ...{
          name: "identity",
          version: "1",
          device: "cpu",
          waiting: 3,
          running: 1,
          restarts: 2,
          batches: n,
          batched: 4 * n,
        },
        requests: { ok: n, busy: 5, invalid: 0, "not-found": 0, "not-ready": 0, deadline: 1, cancelled: 0, failed: 0 },
        queue_seconds: spread(n),
        run_seconds: spread(n),
      };
    };
    const engine = {
      models: () => [state("identity", {}), state("broken", { status: "failed", reason: "the file ends too early" })],
      figures: () => [figures()],
    };
    const { url } = await serve({ open: made(), engine });
    await browser.visit(`${url}/#/live`, async (page) => {
      const models = page.getByRole("region", { name: "Served models" }).last();
      for (const told of ["identity", "5 busy, 1 deadline", "4.0 of 8", "1.0 ms", "9.8 ms", "2 restarts"]) {
        await eventually(() => models.innerText()).toContain(told);
      }
      await eventually(() => models.innerText()).toContain("the file ends too early");
      await figure(page, "answered").waitFor();
      await eventually(() => figure(page, "answered").innerText()).toMatch(/identity\s+\d+(\.\d+)?\/s/);
      await noOverflow(page);
      await noSeriousViolations(page);
      await shoot(page, "live-serving");
    });
  });
});

describe.skipIf(!hasBrowser || !hasShared)(
  `the Live view of a captured machine${unlessBrowser}${hasShared ? "" : " (skipped: no ../shared)"}`,
  () => {
    const browser = useBrowser();
    const dashboard = useDashboard({ root: sharedPath("machines/kernel/rack-7.3.tar.gz"), name: "rack-7.3.tar.gz" });
    it("shows its devices and says what a saved machine cannot tell", async () => {
      for (const look of looks) {
        await browser.visit(
          `${dashboard.url}/#/live`,
          async (page) => {
            const silent = page.getByRole("region", { name: "Devices and why" });
            await silent.waitFor();
            await eventually(() => page.locator(".status").innerText()).toMatch(
              /saved machine\s+rack-7\.3\.tar\.gz does not move/,
            );
            // Nothing that goes on: no range, no pause, no rate.
            expect(await page.getByRole("button", { name: "Pause" }).count()).toBe(0);
            expect(await page.locator("canvas").count()).toBe(0);
            await eventually(() => page.locator(".live-device .facts dd").first().innerText()).toMatch(
              /^\d.* of \d.*iB$/,
            );
            await eventually(() => silent.getByRole("row").count()).toBeGreaterThan(10);
            await eventually(() => silent.innerText()).toContain("no driver is bound");
            await noSeriousViolations(page);
            await silent.getByRole("button", { name: /^\d+ metrics of Qualcomm/ }).click();
            await page.getByText(/metrics? not read, and why/).click();
            expect((await page.locator(".unread .why").first().innerText()).length).toBeGreaterThan(5);
            await noOverflow(page);
            await noSeriousViolations(page);
            await shoot(page, `live-rack-${look.theme}-${look.width}`);
          },
          look,
        );
      }
    });
  },
);
