/** accelctl metrics: the text for a person, for Prometheus and for a file that a collector reads. */

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { main } from "../../src/cli.ts";
import { plainTerminal } from "../../src/print/terminal.ts";
import { top } from "../support/shared.ts";

const scratch = mkdtempSync(join(tmpdir(), "accelctl-metrics-"));
afterAll(() => {
  rmSync(scratch, { recursive: true, force: true });
});

async function run(...words: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ["", ""];
  const streams = {
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
    terminal: plainTerminal,
  };
  return { code: await main(["metrics", ...words], streams), out, err };
}
const npu = join(top, "machines/lunar-lake-works.json");

it("tells a saved machine's verdicts, and of its metrics why they have no value", async () => {
  const { code, out } = await run("--root", npu);
  expect(code).toBe(0);
  expect(out).toMatch(/^accelctl_device_works\{device="pci:0000:00:0b\.0",family="intel-npu",.*\} 1$/m);
  expect(out).toMatch(/^accelctl_findings\{severity="error"\} 0$/m);
  expect(out).toMatch(/^accelctl_metric_unread\{device="pci:0000:00:0b\.0",metric="busy_ratio",why="\w+"\} 1$/m);
  expect(out).not.toMatch(/^accelctl_device_busy_ratio/m);
});

it("ends OpenMetrics as OpenMetrics ends", async () => {
  expect((await run("--root", npu, "--openmetrics")).out).toMatch(/# EOF\n$/);
});

it("of this machine tells how busy the processor is, which needs two samples", async () => {
  const { out } = await run("--over", "0.2");
  expect(out).toMatch(/^accelctl_device_busy_ratio\{device="cpu:0",.*\} [\d.e-]+$/m);
});

it("writes a file whole or not at all, and leaves nothing beside it", async () => {
  const file = join(scratch, "accelctl.prom");
  expect(await run("--root", npu, "--output", file)).toEqual({ code: 0, out: "", err: "" });
  expect(readFileSync(file, "utf8")).toContain("accelctl_device_works");
  expect(readdirSync(scratch)).toEqual(["accelctl.prom"]);
  const { code, err } = await run("--root", npu, "--output", join(scratch, "none/x.prom"));
  expect({ code, told: err.includes("x.prom: ENOENT") }).toEqual({ code: 3, told: true });
  expect(existsSync(join(scratch, "none"))).toBe(false);
});

it("says what was typed wrong", async () => {
  expect(await run("--over", "0")).toMatchObject({ code: 2 });
  expect((await run("--root", npu, "x")).err).toContain('metrics takes no "x"');
});
