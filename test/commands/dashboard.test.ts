/** accelctl dashboard, open and report, as they are started. */

import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Report } from "../../src/review/report.ts";
import { hasBrowser, noOverflow, noSeriousViolations, unlessBrowser, useBrowser } from "../support/browser.ts";
import { top } from "../support/shared.ts";

const program = join(top, "dist/accelctl.cjs");
const env = { ...process.env, DISPLAY: "", WAYLAND_DISPLAY: "", SSH_CONNECTION: "10.0.0.2 50000 10.0.0.1 22" };
const accelctl = (...words: string[]) =>
  spawnSync(process.execPath, [program, ...words], { encoding: "utf8", env, timeout: 60_000 });

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "accelctl-dashboard-"));
  writeFileSync(
    join(folder, "bug-report.txt"),
    "0000:3b:00.0 System peripheral [0880]: </script><b>Coral [1ac1:089a]\n",
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function start(
  ...words: string[]
): Promise<{ child: ChildProcess; url: string; told: () => string; ended: Promise<number | null> }> {
  const child = spawn(process.execPath, [program, ...words], { env, stdio: ["ignore", "pipe", "pipe"] });
  let told = "";
  child.stderr.on("data", (chunk: Buffer) => (told += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  return new Promise((resolve, reject) => {
    child.stdout.once("data", (line: Buffer) =>
      resolve({ child, url: line.toString().trim(), told: () => told, ended }),
    );
    child.on("close", () => reject(new Error(told)));
  });
}

describe("accelctl dashboard", () => {
  it("prints its address and how to come to it by ssh, serves the page and the captured machine, and ends on SIGTERM", async () => {
    const { child, url, told, ended } = await start(
      "dashboard",
      "--listen",
      "127.0.0.1:0",
      "--root",
      join(folder, "bug-report.txt"),
    );
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(await (await fetch(url)).text()).toContain("<title>accelctl</title>");
    expect(await (await fetch(`${url}/api/about`)).json()).toMatchObject({ machine: "bug-report.txt" });
    const report = (await (await fetch(`${url}/api/report`)).json()) as Report;
    expect(report.devices.map(({ family }) => family)).toContain("coral");
    await expect.poll(told).toContain(`ssh -N -L ${new URL(url).port}:127.0.0.1:${new URL(url).port}`);
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
  });

  it("opens the page of a server that is there already, and starts none", async () => {
    const { child, url, ended } = await start("dashboard", "--listen", "127.0.0.1:0");
    expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/^# HELP accelctl_/m);
    const opened = accelctl("open", "--listen", new URL(url).host);
    expect([opened.status, opened.stdout]).toEqual([0, `${url}\n`]);
    child.kill("SIGINT");
    expect(await ended).toBe(0);
  });

  it("refuses a machine that cannot be opened, an address without a token, and standard input", () => {
    expect(accelctl("dashboard", "--root", join(folder, "none"))).toMatchObject({ status: 3, stdout: "" });
    const far = accelctl("dashboard", "--listen", "0.0.0.0:0");
    expect([far.status, far.stderr]).toEqual([2, expect.stringContaining("a token is needed")]);
    expect(accelctl("dashboard", "--root", "-").status).toBe(2);
    for (const listen of ["a b", "here", "127.0.0.1:99999"]) {
      const open = accelctl("open", "--no-open", "--listen", listen);
      expect([open.status, open.stderr]).toEqual([2, expect.stringContaining("--listen takes HOST:PORT")]);
    }
  });

  it("asks for the token of a file, and has it in the address it prints", async () => {
    writeFileSync(join(folder, "token"), "a+b=\n", { mode: 0o600 });
    const { child, url, ended } = await start(
      "dashboard",
      "--listen",
      "127.0.0.1:0",
      "--token-file",
      join(folder, "token"),
    );
    expect(url).toMatch(/\/#token=a%2Bb%3D$/);
    const report = new URL("/api/report", url);
    expect((await fetch(report)).status).toBe(401);
    expect((await fetch(report, { headers: { authorization: "Bearer a+b=" } })).status).toBe(200);
    child.kill("SIGTERM");
    await ended;
  });
});

describe("accelctl report", () => {
  it("prints the report as JSON or Markdown, one at a time", () => {
    const json = accelctl("report", "--json", "--root", join(folder, "bug-report.txt"));
    expect((JSON.parse(json.stdout) as Report).schema).toBe(1);
    expect(accelctl("report", "--markdown", "--root", join(folder, "bug-report.txt")).stdout).toContain("Coral");
    expect(accelctl("report", "--markdown", "--json").status).toBe(2);
  });
});

describe.skipIf(!hasBrowser)(`the exported page${unlessBrowser}`, () => {
  const browser = useBrowser();
  it("shows the machine from a file, asks for nothing, and runs nothing that the machine says", async () => {
    const file = join(folder, "report.html");
    expect(accelctl("report", "--html", file, "--root", join(folder, "bug-report.txt"))).toMatchObject({
      status: 0,
      stdout: "",
    });
    const text = readFileSync(file, "utf8");
    // The report, the atlas and the program; none of the machine's own words ends one.
    expect(text.match(/<\/script>/g)).toHaveLength(3);
    const asked: string[] = [];
    await browser.visit(
      pathToFileURL(file).href,
      async (page) => {
        await page.getByRole("button", { name: /^Google Coral Edge TPU/ }).waitFor();
        await page.locator(".layer").first().click();
        await page.getByRole("dialog").waitFor();
        await page.keyboard.press("Escape");
        await noOverflow(page);
        await noSeriousViolations(page);
        // A report dropped on it is shown, too; what would need a server is refused in words.
        await page.locator("input[type=file]").setInputFiles(join(folder, "bug-report.txt"));
        await page.getByRole("alert").filter({ hasText: "has no server" }).waitFor();
      },
      { width: 400, before: (page) => page.on("request", (request) => asked.push(request.url())) },
    );
    expect(asked.filter((url) => !url.startsWith("data:"))).toEqual([pathToFileURL(file).href]);
  });
});
