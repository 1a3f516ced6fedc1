/** The Machine view in a real browser: machines without an accelerator and captured ones, its errors, its keys, its looks. */

import { describe, expect, it } from "vitest";
import {
  hasBrowser,
  noOverflow,
  noSeriousViolations,
  unlessBrowser,
  useBrowser,
  useDashboard,
} from "../support/browser.ts";

describe.skipIf(!hasBrowser)(`the Machine view${unlessBrowser}`, () => {
  const browser = useBrowser();
  const server = useDashboard();
  it("shows this machine", async () => {
    await browser.visit(`${server.url}/`, async (page) => {
      await page.getByRole("heading", { name: "Devices" }).waitFor();
      expect(await page.locator("article.device").count()).toBeGreaterThan(0);
      await noOverflow(page);
      await noSeriousViolations(page);
    });
  });
});
