/** The Machine view in a real browser: machines without an accelerator and captured ones, what goes wrong, keys, looks, and its weight. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import type { Report } from "../../src/review/report.ts";
import { review } from "../../src/review/review.ts";
import { openRoot } from "../../src/root/open.ts";
import {
  addressOf,
  builtPage,
  eventually,
  hasBrowser,
  noOverflow,
  noSeriousViolations,
  PATIENCE_MS,
  shoot,
  unlessBrowser,
  useBrowser,
  useDashboard,
} from "../support/browser.ts";
import { addPci, base } from "../support/machines.ts";
import { hasShared, sharedPath, unlessShared } from "../support/shared.ts";

/** Compressed bytes of script for the first view. */
const SCRIPT_BUDGET = 150_000;

const reviewed = (root: Parameters<typeof review>[0]): Report => review(root, { abilities: true });
/** With a card whose driver is not there. */
function cardMachine(): Report {
  const b = base();
  addPci(b, { slot: "0000:00:0b.0", id: "8086:7d1d", class: "120000" });
  return reviewed(b.build("directory", "test"));
}

/** By the view's own button. */
async function openFile(page: Page, name: string, bytes: Buffer): Promise<void> {
  await page
    .locator(".source-actions input[type=file]")
    .setInputFiles({ name, mimeType: "application/octet-stream", buffer: bytes });
}

async function openReport(page: Page, name: string, report: Report): Promise<void> {
  await openFile(page, name, Buffer.from(JSON.stringify(report)));
  await page.locator(".source-bar b").getByText(name, { exact: true }).waitFor();
}

/** As a person lets go of a file above the page. */
async function drop(page: Page, name: string, bytes: Buffer): Promise<void> {
  const transfer = await page.evaluateHandle(
    `(() => { const t = new DataTransfer(); t.items.add(new File([Uint8Array.from(atob("${bytes.toString("base64")}"), (c) => c.charCodeAt(0))], "${name}")); return t; })()`,
  );
  for (const type of ["dragenter", "dragover"]) await page.dispatchEvent("main", type, { dataTransfer: transfer });
  await page.locator(".drop-over").waitFor();
  await page.dispatchEvent("main", "drop", { dataTransfer: transfer });
}

const devicesOf = (report: Report): number => report.devices.length + report.dormant.length;

describe.skipIf(!hasBrowser)(`the Machine view${unlessBrowser}`, () => {
  const browser = useBrowser();
  const server = useDashboard();

  it("shows this machine within its weight, and its policy is kept", async () => {
    let weight = 0;
    const scripts: Promise<void>[] = [];
    const weigh = (page: Page): void => {
      page.on("response", (response) => {
        if (!response.url().endsWith(".js")) return;
        // What comes when the page is already closed is of no first view.
        const weighed = response.body().then((body) => void (weight += gzipSync(body, { level: 9 }).length));
        scripts.push(weighed.catch(() => undefined));
      });
    };
    await browser.visit(
      `${server.url}/`,
      async (page) => {
        await page.getByRole("heading", { name: "Devices" }).waitFor();
        await Promise.all(scripts);
        await eventually(() => page.locator("article.device").count()).toBe(devicesOf(reviewed(openRoot())));
        // What was put into the page by a hole in it would not run.
        const refused = page.waitForEvent("console", (message) => /violates.*Content Security/.test(message.text()));
        await page.evaluate(
          `document.body.insertAdjacentHTML("beforeend", "<img src=data:, onerror='window.ran = 1'>")`,
        );
        await refused;
        expect(await page.evaluate("window.ran")).toBeUndefined();
      },
      { before: weigh, expected: /violates the following Content Security Policy/ },
    );
    expect(weight).toBeGreaterThan(10_000);
    expect(weight).toBeLessThan(SCRIPT_BUDGET);
  });

  for (const theme of ["light", "dark"] as const) {
    it(`has no serious violation of accessibility, ${theme}, open and with a drawer`, async () => {
      await browser.visit(
        `${server.url}/`,
        async (page) => {
          await page.getByRole("heading", { name: "Devices" }).waitFor();
          await openReport(page, "card.json", cardMachine());
          await page.evaluate(`for (const one of document.querySelectorAll("details")) one.open = true`);
          await noSeriousViolations(page);
          await shoot(page, `machine-card-${theme}`);
          await page.locator(".layer").first().click();
          await page.getByRole("dialog").waitFor();
          await noSeriousViolations(page);
        },
        { theme },
      );
    });
  }

  it("opens every layer of a device by keyboard, and gives the focus back", async () => {
    await browser.visit(`${server.url}/`, async (page) => {
      await openReport(page, "card.json", cardMachine());
      const layers = page.locator("article.device").first().locator(".layer");
      const count = await layers.count();
      expect(count).toBeGreaterThanOrEqual(7);
      for (let i = 0; i < count; i++) {
        await layers.nth(i).focus();
        await page.keyboard.press("Enter");
        await page.getByRole("dialog").getByRole("heading", { name: "What this rests on" }).waitFor();
        await page.keyboard.press("Escape");
        await page.getByRole("dialog").waitFor({ state: "detached" });
        await layers.nth(i).and(page.locator(":focus")).waitFor();
      }
    });
  });

  it("is walked by keyboard: skip link, views, theme", async () => {
    await browser.visit(`${server.url}/#/machine`, async (page) => {
      await page.getByRole("heading", { name: "Devices" }).waitFor();
      await page.keyboard.press("Tab");
      await eventually(() => page.evaluate("document.activeElement.textContent")).toContain("Skip to content");
      await page.keyboard.press("Enter");
      // Not waitForFunction: it polls by eval, which the page's policy forbids.
      const becomes = (expression: string, wanted: unknown) => eventually(() => page.evaluate(expression)).toBe(wanted);
      await becomes("document.activeElement.id", "main");
      expect(new URL(await addressOf(page)).hash).toBe("#/machine");
      for (const theme of ["light", "dark"]) {
        await page.getByRole("button", { name: /^Colours/ }).press("Enter");
        await becomes("document.documentElement.dataset.theme", theme);
      }
      await page.reload();
      await becomes("document.documentElement.dataset.theme", "dark");
      await page.getByRole("link", { name: "Atlas" }).press("Enter");
      await becomes("document.title.startsWith('Atlas') && document.activeElement.id === 'main'", true);
    });
  });

  it("says what would work if layers were cured, and copies commands", async () => {
    await browser.visit(
      `${server.url}/`,
      async (page) => {
        await openReport(page, "card.json", cardMachine());
        const card = page.locator("article.device").first();
        await card.locator(".what-if summary").click();
        await card.getByText("would not work").first().waitFor();
        await card.getByRole("button", { name: "Tick what it needs" }).first().click();
        await card.locator(".outcomes .badge.ok").first().waitFor();
        const copy = page.locator(".finding .copy").first();
        const label = await copy.getAttribute("aria-label");
        await copy.click();
        await eventually(() => page.evaluate("navigator.clipboard.readText()")).toBe(
          label?.replace(/^Copy command: /, ""),
        );
        // The button itself says so for moments only.
        await page.locator("[aria-live]").getByText("copied", { exact: true }).waitFor({ state: "attached" });
      },
      { context: { permissions: ["clipboard-read", "clipboard-write"] } },
    );
  });

  it("finds a device by its address, and says when there is none", async () => {
    await browser.visit(`${server.url}/`, async (page) => {
      await openReport(page, "card.json", cardMachine());
      await page.evaluate(`location.hash = "#/machine/0000%3A00%3A0b.0"`);
      await page.locator("article.device.chosen").waitFor();
      await page.evaluate(`location.hash = "#/machine/%E0%A4%A/x"`);
      await page.getByText("There is no device").waitFor();
    });
  });

  it("tells what is wrong with a dropped file, and keeps what it showed", async () => {
    await browser.visit(
      `${server.url}/`,
      async (page) => {
        await page.getByRole("heading", { name: "Devices" }).waitFor();
        const heading = await page.locator("h1").last().textContent();
        const report = JSON.stringify(cardMachine());
        const wrong: readonly [string, Buffer, RegExp][] = [
          ["cut.json", Buffer.from(report.slice(0, 900)), /ends or breaks in the middle/],
          ["other.json", Buffer.from(`{"schema":7,"machine":{}}`), /schema 7/],
          ["hollow.json", Buffer.from(`{"schema":1,"machine":{"model":{}}}`), /lacks what one has/],
          [
            "noise.bin",
            Buffer.from(Uint8Array.from({ length: 4096 }, (_, i) => (i * 167 + (i >> 3)) & 255)),
            /neither a capture/,
          ],
          ["empty.txt", Buffer.alloc(0), /the file is empty/],
        ];
        for (const [name, bytes, says] of wrong) {
          await drop(page, name, bytes);
          await page.getByRole("alert").filter({ hasText: name }).filter({ hasText: says }).waitFor();
          expect(await page.locator("h1").last().textContent()).toBe(heading);
          await page.getByRole("button", { name: "Dismiss" }).click();
        }
      },
      { expected: /status of 422/ },
    );
  });

  it("has a pasted log that is dropped reviewed, and comes back", async () => {
    await browser.visit(`${server.url}/#/atlas`, async (page) => {
      const text = "0000:3b:00.0 System peripheral [0880]: Global Unichip Corp. Coral Edge TPU [1ac1:089a]\n";
      await drop(page, "lspci.txt", Buffer.from(text));
      await page.getByRole("button", { name: /Google Coral Edge TPU/ }).waitFor();
      await eventually(() => addressOf(page).then((address) => new URL(address).hash)).toBe("#/machine");
      await page.getByRole("button", { name: "Back" }).click();
      await page.getByText("this machine, as accelctl sees it").waitFor();
    });
  });
});

describe.skipIf(!hasBrowser || !hasShared)(
  `captured machines in the Machine view${unlessBrowser}${unlessShared}`,
  () => {
    const browser = useBrowser();
    const server = useDashboard();
    const folders = ["kernel", "text", "dtb", "sysfs"];
    for (const folder of hasShared ? folders : []) {
      it(`shows every device of every machine of ${folder}, on a phone and on a desk`, async () => {
        const files = readdirSync(sharedPath(`machines/${folder}`)).filter((name) => !name.endsWith(".truth.json"));
        expect(files.length).toBeGreaterThan(5);
        await browser.visit(`${server.url}/`, async (page) => {
          for (const [i, name] of files.entries()) {
            const report = reviewed(openRoot(sharedPath(`machines/${folder}/${name}`)));
            await page.setViewportSize({ width: i % 2 === 0 ? 400 : 1600, height: 900 });
            await openReport(page, name, report);
            await expect
              .poll(() => page.locator("article.device").count(), { message: name, timeout: PATIENCE_MS })
              .toBe(devicesOf(report));
            const findings = await page.locator(".finding").count();
            expect(findings > 0, name).toBe(report.findings.length > 0);
            await noOverflow(page);
          }
        });
      }, 120_000);
    }
  },
);

describe.skipIf(!hasBrowser)(`a server with a token, and one that goes${unlessBrowser}`, () => {
  const browser = useBrowser();
  const server = useDashboard({ token: "open sesame" });

  it("asks for the token, says when it is wrong, and shows the machine with it", async () => {
    await browser.visit(
      `${server.url}/`,
      async (page) => {
        await page.getByLabel("Token").fill("wrong");
        await page.getByRole("button", { name: "Go on" }).click();
        await page.getByText("the token is not right").waitFor();
        await noSeriousViolations(page);
        await page.getByLabel("Token").fill("open sesame");
        await page.keyboard.press("Enter");
        await page.getByRole("heading", { name: "Devices" }).waitFor();
      },
      { expected: /401/ },
    );
  });

  it("takes the token out of the address", async () => {
    await browser.visit(`${server.url}/#token=open%20sesame`, async (page) => {
      await page.getByRole("heading", { name: "Devices" }).waitFor();
      await eventually(() => addressOf(page)).not.toContain("sesame");
    });
  });

  it("says that the server is gone, and goes on showing what it has", async () => {
    await browser.visit(
      `${server.url}/#token=open%20sesame`,
      async (page) => {
        await page.getByRole("heading", { name: "Devices" }).waitFor();
        await server.stop();
        await page.getByRole("button", { name: "Read again", exact: true }).click();
        await page.getByRole("alert").filter({ hasText: "the server does not answer" }).waitFor();
        await page.getByRole("link", { name: "Models" }).click();
        await page
          .getByRole("alert")
          .filter({ hasText: /could not be loaded|does not answer/ })
          .first()
          .waitFor();
        await page.getByRole("link", { name: "Machine" }).click();
        await openReport(page, "kept.json", cardMachine());
      },
      { expected: /ERR_CONNECTION|Failed to load/ },
    );
  });
});

it.skipIf(!hasBrowser)("the first page asks for one style and its scripts, and for nothing elsewhere", () => {
  const html = readFileSync(join(builtPage, "index.html"), "utf8");
  for (const [, address = ""] of html.matchAll(/(?:src|href)="([^"]*)"/g)) {
    expect(address).toMatch(/^(?:\.\/assets\/[\w.-]+|data:,)$/);
  }
});
