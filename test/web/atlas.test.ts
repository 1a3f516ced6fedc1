/** The Atlas in a real browser: choosing and finding, addresses that can be sent on, families with their sources, the timeline. */

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { families } from "../../src/families/index.ts";
import { makeAtlas } from "../../src/export/atlas.ts";
import { review } from "../../src/review/review.ts";
import { openPaste } from "../../src/root/paste.ts";
import { renderStaticPage } from "../../src/serve/page/static.ts";
import {
  addressOf,
  eventually,
  fitsBothThemes,
  hasBrowser,
  noSeriousViolations,
  unlessBrowser,
  useBrowser,
  useDashboard,
} from "../support/browser.ts";
import { hasShared, sharedPath } from "../support/shared.ts";

const atlas = makeAtlas(families);
/** As much of an element as is asked in the browser; tests have no types of the DOM. */
interface Shown {
  readonly lastChild: { readonly textContent: string } | null;
  getAttribute(name: string): string | null;
}

const found = (page: Page) => page.locator(".found");
const rows = (page: Page) => page.locator("table.landscape tbody tr");
const names = (page: Page): Promise<string[]> => page.locator("table.landscape tbody th a").allInnerTexts();

describe.skipIf(!hasBrowser)(`the Atlas${unlessBrowser}`, () => {
  const browser = useBrowser();
  const server = useDashboard();
  const visit = (where: string, see: (page: Page) => Promise<void>, look: object = {}): Promise<void> =>
    browser.visit(`${server.url}/#/atlas${where}`, see, look);

  it.each([1600, 400])("shows every family in both themes, %i pixels wide", async (width) => {
    await visit(
      "",
      async (page) => {
        await eventually(() => rows(page).count()).toBe(families.length);
        await fitsBothThemes(page, `atlas-${width}`);
        for (const [where, drawn] of [
          ["/peaks", width > 400 ? "svg.dots" : ".found"],
          ["/timeline", width > 400 ? "svg.lanes" : ".event-list li"],
          ["/family/rockchip", ".source-list li"],
        ] as const) {
          await page.goto(`${server.url}/#/atlas${where}`);
          await page.locator(drawn).first().waitFor();
          await fitsBothThemes(page, `atlas${where.replaceAll("/", "-")}-${width}`);
        }
      },
      { width },
    );
  });

  it("narrows by facets, any within one and all together, and counts what each would leave", async () => {
    await visit("", async (page) => {
      const option = (facet: string, word: RegExp) =>
        page.getByRole("group", { name: facet, exact: true }).getByRole("checkbox", { name: word });
      await option("Driver comes from", /^mainline/).check();
      const mainline = atlas.families.filter(({ facets }) => facets.origin.includes("mainline"));
      await eventually(() => rows(page).count()).toBe(mainline.length);
      await option("Driver comes from", /^left mainline/).check();
      const both = atlas.families.filter(({ facets }) =>
        facets.origin.some((o) => o === "mainline" || o === "removed"),
      );
      await eventually(() => rows(page).count()).toBe(both.length);
      await option("Bus", /^USB/).check();
      await eventually(() => names(page)).toEqual(["Google Coral Edge TPU"]);
      await eventually(() => found(page).innerText()).toBe(`1 of ${families.length} families`);
      // The count of an option says what choosing it would leave.
      const pci = page.getByRole("group", { name: "Bus", exact: true }).locator("label").filter({ hasText: "PCI" });
      const expected = both.filter(({ facets }) => facets.bus.includes("pci")).length;
      await eventually(() => pci.locator(".count").innerText()).toBe(String(expected));
      await page.getByRole("button", { name: "Take away: Bus, USB" }).click();
      await eventually(() => rows(page).count()).toBe(both.length);
      await page.getByRole("button", { name: "Show all" }).click();
      await eventually(() => rows(page).count()).toBe(families.length);
    });
  });

  it("finds by ids, modules, libraries and formats, and says when nothing is like that", async () => {
    await visit("", async (page) => {
      const search = page.getByRole("searchbox");
      for (const [typed, family] of [
        ["1e52 b140", "Tenstorrent"],
        ["librknnrt", "Rockchip NPU"],
        ["apex", "Google Coral Edge TPU"],
        ["DRM_ACCEL_QAIC", "Qualcomm Cloud AI"],
      ] as const) {
        await search.fill(typed);
        // All of them, this one too, are there until it is narrowed.
        await eventually(() => names(page).then((all) => all.length < 5 && all.includes(family))).toBe(true);
      }
      await search.fill("zebra crossing");
      await page.getByText("No family is like that.").waitFor();
      await eventually(() => found(page).innerText()).toBe(`0 of ${families.length} families`);
    });
  });

  it("keeps all of that in an address that can be sent on, without a step for each letter", async () => {
    await visit("", async (page) => {
      const steps = (): Promise<number> => page.evaluate("history.length");
      const before = await steps();
      await page.getByRole("columnheader", { name: /^Peak/ }).getByRole("button").click();
      await page.getByRole("group", { name: "Bus", exact: true }).getByRole("checkbox", { name: /^PCI/ }).check();
      await page.getByRole("searchbox").fill("npu & co/100%");
      const kept = (address: string): unknown[] =>
        ["bus", "sort", "q"].map((name) => new URLSearchParams(address.split("?").at(-1)).get(name));
      await eventually(() => addressOf(page).then(kept)).toEqual(["pci", "-peak", "npu & co/100%"]);
      const address = await addressOf(page);
      expect(await steps()).toBe(before);
      await page.goto("about:blank");
      await page.goto(address);
      await eventually(() => page.getByRole("searchbox").inputValue()).toBe("npu & co/100%");
      const bus = page.getByRole("group", { name: "Bus", exact: true });
      await eventually(() => bus.getByRole("checkbox", { name: /^PCI/ }).isChecked()).toBe(true);
    });
    await visit("/landscape?q=tpu&sort=-peak&origin=nonsense%22%3E%3Cscript%3E", async (page) => {
      await page.getByText("No family is like that.").waitFor();
      await page.getByRole("button", { name: /^Take away: Driver comes from/ }).click();
      await eventually(() => names(page)).toContain("Google Cloud TPU");
    });
  });

  it("sorts by its headings, by keyboard too, and puts what is not known last", async () => {
    await visit("", async (page) => {
      const heading = page.getByRole("columnheader", { name: /^Linux/ });
      await heading.getByRole("button").focus();
      await page.keyboard.press("Enter");
      await eventually(() => heading.getAttribute("aria-sort")).toBe("ascending");
      const known = atlas.families.filter(({ since }) => since !== null).length;
      await eventually(() => names(page).then((all) => all.slice(0, 2).sort())).toEqual([
        "Intel Gaudi (Habana)",
        "Qualcomm Hexagon NPU",
      ]);
      await page.keyboard.press("Enter");
      await eventually(() => names(page).then(([first]) => first)).toBe("Arm Ethos-U NPU");
      const cells = await page.locator("table.landscape tbody tr td:nth-child(7)").allInnerTexts();
      expect(cells.slice(0, known).every((text) => /^\d/.test(text))).toBe(true);
      expect(cells.slice(known).every((text) => text === "")).toBe(true);
    });
  });

  it("links each fact of a family to its source", async () => {
    for (const id of ["coral", "amd-xdna", "cpu"]) {
      const family = atlas.families.find((one) => one.id === id);
      if (family === undefined) throw new Error(id);
      await visit(`/family/${id}`, async (page) => {
        await page.getByRole("heading", { level: 1, name: family.name }).waitFor();
        const listed = await page.locator(".source-list li").count();
        expect(listed).toBeGreaterThanOrEqual(family.sources.length);
        const refs = await page
          .locator(".ref")
          .evaluateAll((all: Shown[]) =>
            all.map((one) => ({ n: Number(one.lastChild?.textContent), link: one.getAttribute("href") })),
          );
        expect(refs.length).toBeGreaterThanOrEqual(family.chips.length);
        for (const { n, link } of refs) {
          expect(n).toBeGreaterThan(0);
          expect(n).toBeLessThanOrEqual(listed);
          if (link !== null) expect(link).toMatch(/^https:\/\//);
        }
        // All links out of the page go to a source or a repository, and tell nobody where from.
        const out = await page
          .locator("main a[href^='http']")
          .evaluateAll((all: Shown[]) => all.map((one) => one.getAttribute("rel")));
        expect(out.length).toBeGreaterThan(3);
        expect(out.every((rel) => rel?.includes("noreferrer"))).toBe(true);
        for (const chip of family.chips) expect(await page.getByText(chip.name).count()).toBeGreaterThan(0);
        for (const trap of family.traps ?? []) expect(await page.getByText(trap, { exact: true }).count()).toBe(1);
      });
    }
  });

  it("tells a family that is not there", async () => {
    await visit("/family/%3Cb%3Enone", async (page) => {
      await page.getByText("No family of this name is in the atlas.").waitFor();
      await page.getByRole("link", { name: /all families/ }).click();
      await eventually(() => rows(page).count()).toBe(families.length);
    });
  });

  it("draws the timeline with every event in it, and has it as a list with sources", async () => {
    await visit("/timeline", async (page) => {
      await eventually(() => page.locator("svg.lanes .event").count()).toBe(atlas.events.length);
      // Each event is a link to its source, and can be reached by keys.
      expect(await page.locator("svg.lanes .event a[href^='https://']").count()).toBe(atlas.events.length);
      await page.getByText("The same as a list, with sources").click();
      await eventually(() => page.locator(".event-list li").count()).toBe(atlas.events.length);
      expect(await page.locator(".event-list").innerText()).toMatch(/gasket and apex leave mainline.*Linux 5\.13/);
      await page.getByRole("searchbox").fill("tenstorrent");
      const own = atlas.events.filter(({ family }) => family === "tenstorrent");
      await eventually(() => page.locator("svg.lanes .event").count()).toBe(own.length);
    });
    await visit(
      "/timeline",
      async (page) => {
        await page.locator(".event-list li").first().waitFor();
        expect(await page.locator("svg.lanes").count()).toBe(0);
      },
      { width: 400 },
    );
  });

  it("draws peaks on a logarithmic axis, and as a table with sources", async () => {
    await visit("/peaks", async (page) => {
      const peaks = atlas.families.flatMap(({ chips }) => chips.flatMap(({ peak }) => peak ?? []));
      await eventually(() => page.locator("svg.dots .mark").count()).toBe(peaks.length);
      await page.getByText("The same as a table, with sources").click();
      const table = page.getByRole("region", { name: "Peak throughput" });
      await eventually(() => table.locator("tbody tr").count()).toBe(peaks.length);
      expect(await table.locator("tbody tr a[href^='https://']").count()).toBeGreaterThan(peaks.length / 2);
      expect(await table.innerText()).toMatch(/RK3588 NPU\s+Rockchip NPU\s+6 TOPS\s+int8/);
      // Power is that of the very card, not of another one behind the same id.
      expect(await table.innerText()).toMatch(/870 TOPS\s+int8 \(Ultra, four chips\)\s+150 W\s+5\.8 TOPS\/W/);
      expect(await page.getByRole("list", { name: "Kinds of numbers" }).innerText()).toContain("not told");
    });
  });
});

describe.skipIf(!hasBrowser || !hasShared)(
  `the Atlas beside a captured machine${unlessBrowser}${hasShared ? "" : " (skipped: no ../shared)"}`,
  () => {
    const browser = useBrowser();
    const server = useDashboard({ root: sharedPath("machines/kernel/arm64-rocket-7.3.tar.gz") });
    it("marks what the machine has", async () => {
      await browser.visit(`${server.url}/#/atlas`, async (page) => {
        const here = page.locator("table.landscape tr.here th");
        await eventually(() => here.allInnerTexts().then((all) => all.join(" "))).toContain("Rockchip NPU");
        await page.getByRole("group", { name: "This machine", exact: true }).getByRole("checkbox").check();
        await eventually(() => rows(page).count()).toBe(await here.count());
        await page.getByRole("link", { name: "Rockchip NPU" }).click();
        await eventually(() => page.getByRole("heading", { level: 1 }).innerText()).toContain("here:");
      });
    });
  },
);

describe.skipIf(!hasBrowser)(`the Atlas of an exported page${unlessBrowser}`, () => {
  const browser = useBrowser();
  it("needs no server and asks for nothing", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "accelctl-atlas-")), "page.html");
    writeFileSync(
      file,
      renderStaticPage(review(openPaste("00:05.0 Co-processor [0b40]: Device [1e52:401e]", "lspci"))),
    );
    await browser.visit(pathToFileURL(file).href, async (page) => {
      const asked: string[] = [];
      page.on("request", (request) => asked.push(request.url()));
      await page.getByRole("link", { name: "Atlas", exact: true }).click();
      await eventually(() => rows(page).count()).toBe(families.length);
      await eventually(() => page.locator("table.landscape tr.here th").innerText()).toContain("Tenstorrent");
      await page.getByRole("tab", { name: "Timeline" }).click();
      await eventually(() => page.locator("svg.lanes .event").count()).toBe(atlas.events.length);
      await page.getByRole("link", { name: "Machine", exact: true }).click();
      await page.getByRole("heading", { name: "Devices" }).waitFor();
      expect(asked.filter((url) => !url.startsWith("data:"))).toEqual([]);
      await noSeriousViolations(page);
    });
  });
});
