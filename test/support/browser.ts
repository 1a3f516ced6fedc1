/**
 * A real Chromium for tests of the page: one per test file, found at CHROMIUM or where distributions put it; without one the tests
 * skip and say so. A page that logs an error, throws, or breaks its policy fails its test.
 *
 *     describe.skipIf(!hasBrowser)(`the live view${unlessBrowser}`, () => {
 *       const browser = useBrowser();
 *       const server = useDashboard({ root: sharedPath("machines/kernel/rack-7.3.tar.gz") });
 *       it("draws", async () => {
 *         await browser.visit(`${server.url}/#/live`, async (page) => { … await noSeriousViolations(page); });
 *       });
 *     });
 */

import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { afterAll, beforeAll, expect } from "vitest";
import { pageParts, type PageOptions } from "../../src/serve/page/parts.ts";
import { startServer, type Running, type ServeOptions } from "../../src/serve/server.ts";
import { top } from "./shared.ts";

/** Debian and Arch, Fedora, Chrome's own package, snaps. */
const places = [
  process.env["CHROMIUM"],
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
  "/snap/bin/chromium",
];

const program = places.find((place) => place !== undefined && place !== "" && existsSync(place));
export const hasBrowser = program !== undefined;
/** For describe titles. */
export const unlessBrowser = hasBrowser ? "" : " (skipped: no Chromium is here; CHROMIUM may name one)";

/** The build machine is slow, shared, and stands still for seconds. */
export const PATIENCE_MS = 30_000;
/** What is read of a page right after something was done to it may be of before: asked until it is as expected. */
export const eventually = <T>(of: () => T) => expect.poll(of, { timeout: PATIENCE_MS });

export interface VisitOptions {
  readonly theme?: "light" | "dark";
  readonly width?: number;
  readonly height?: number;
  /** Console errors that the test expects; what matches is no failure. */
  readonly expected?: RegExp;
  readonly context?: BrowserContextOptions;
  /** Before anything is asked for: to listen to requests. */
  readonly before?: (page: Page) => void;
}

export interface Visits {
  /** Opens `url`, hands over the page once something is drawn, and closes it; fails on what the console calls an error. */
  visit(url: string, see: (page: Page) => Promise<void>, options?: VisitOptions): Promise<void>;
}

/** To be called in a describe: starts the browser before its tests and ends it after. */
export function useBrowser(): Visits {
  let browser: Browser | undefined;
  beforeAll(async () => {
    if (program === undefined) return;
    // Containers run as root and have no user namespaces; the pages are our own.
    browser = await chromium.launch({ executablePath: program, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
  });
  afterAll(() => browser?.close());
  return {
    async visit(url, see, options = {}) {
      if (browser === undefined) throw new Error("no browser");
      const { theme = "light", width = 1280, height = 900, expected, context: more = {}, before } = options;
      const context = await browser.newContext({
        viewport: { width, height },
        colorScheme: theme,
        reducedMotion: "reduce",
        ...more,
      });
      const page = await context.newPage();
      page.setDefaultTimeout(PATIENCE_MS);
      const wrong: string[] = [];
      page.on("pageerror", (error) => wrong.push(`thrown: ${error.message}`));
      page.on("console", (message) => {
        if (message.type() === "error") wrong.push(`console: ${message.text()} ${message.location().url}`);
      });
      before?.(page);
      try {
        await page.goto(url, { timeout: PATIENCE_MS });
        await page.locator("h1").first().waitFor({ state: "attached" });
        await see(page);
      } finally {
        await context.close();
      }
      expect(wrong.filter((line) => expected?.test(line) !== true)).toEqual([]);
    },
  };
}

export interface Dashboard {
  readonly url: string;
  /** For tests of a server that goes away. */
  stop(): Promise<void>;
}

/** A server of the page on a free port, for the tests of a describe. The page must have been built: npm test does it. */
export function useDashboard(options: PageOptions & Pick<ServeOptions, "token"> = {}): Dashboard {
  let running: Running | undefined;
  const { token, ...page } = options;
  beforeAll(async () => {
    if (!hasBrowser) return;
    running = await startServer(pageParts(page), token === undefined ? {} : { token });
  });
  const stop = async (): Promise<void> => running?.close();
  afterAll(stop);
  return {
    get url() {
      return running?.url ?? "";
    },
    stop,
  };
}

/**
 * axe-core finds nothing serious or critical, of the rules of WCAG 2.2 A and AA and of good practice. `rules`: only these, where the same
 * page was held to all of them in other colours.
 */
export async function noSeriousViolations(page: Page, rules?: readonly string[]): Promise<void> {
  // Not as a script element, which the page's policy forbids.
  if (!(await page.evaluate<boolean>(`"axe" in globalThis`))) {
    await page.evaluate(readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"));
  }
  const found = await page.evaluate(async (runOnly) => {
    const { axe } = globalThis as unknown as { axe: { run: (options: object) => Promise<AxeResults> } };
    const { violations } = await axe.run({ resultTypes: ["violations"], ...(runOnly ? { runOnly } : {}) });
    return violations.map(({ id, impact, nodes }) => ({
      impact,
      says: `${id}: ${nodes.map(({ target, failureSummary }) => `${target.join(" ")} (${failureSummary})`).join("; ")}`,
    }));
  }, rules);
  expect(found.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ says }) => says)).toEqual(
    [],
  );
}

interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string;
    readonly nodes: readonly { readonly target: readonly string[]; readonly failureSummary: string }[];
  }[];
}

/** What is shown is accessible, in the colours it has and in the other ones, and is not wider than the window. */
export async function fitsBothThemes(page: Page, name: string): Promise<void> {
  await noOverflow(page, name);
  await page.emulateMedia({ colorScheme: "light" });
  await noSeriousViolations(page);
  await shoot(page, `${name}-light`);
  await page.emulateMedia({ colorScheme: "dark" });
  await noSeriousViolations(page, ["color-contrast"]);
  await shoot(page, `${name}-dark`);
}

/** As the page itself has it: Playwright's page.url() is told of replaceState later. */
export function addressOf(page: Page): Promise<string> {
  return page.evaluate("location.href");
}

/** Nothing is wider than the window. `name`: of what is shown, for the failure. */
export async function noOverflow(page: Page, name = "the page"): Promise<void> {
  const [needs, has] = await page.evaluate<readonly [number, number]>(
    "[document.documentElement.scrollWidth, document.documentElement.clientWidth]",
  );
  expect(needs, `pixels of ${name}`).toBeLessThanOrEqual(has);
}

/** Into the folder that ACCELCTL_SHOTS names, when it does. */
export async function shoot(page: Page, name: string): Promise<void> {
  const folder = process.env["ACCELCTL_SHOTS"];
  if (folder === undefined || folder === "") return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

/** The built page. */
export const builtPage = join(top, "dist/web");
