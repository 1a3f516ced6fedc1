import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { afterAll, describe, expect, it } from "vitest";
import command from "../../src/commands/explain.ts";
import { widthOf, plainTerminal } from "../../src/print/terminal.ts";

const scratch = mkdtempSync(join(tmpdir(), "accelctl-explain-"));
afterAll(() => rmSync(scratch, { recursive: true }));

async function run(
  args: readonly string[],
  options: Record<string, boolean> = {},
): Promise<{ code: number; out: string }> {
  let out = "";
  const code = await command.run({
    args,
    options,
    terminal: plainTerminal,
    out: (text) => (out += text),
    err: () => undefined,
  });
  return { code, out };
}

const file = (name: string, content: string | Uint8Array): string => {
  const path = join(scratch, name);
  writeFileSync(path, content);
  return path;
};

describe("accelctl explain", () => {
  it("names family, layer, cause and numbered steps for a message", async () => {
    const { code, out } = await run(["intel_vpu 0000:00:0b.0: probe with driver intel_vpu failed with error -2"]);
    expect(code).toBe(0);
    expect(out).toContain("error: the NPU's firmware file is not on this machine");
    expect(out).toMatch(/firmware; seen in dmesg \(intel-fw-2\)/);
    expect(out).toMatch(/^ {2}cure {3}1\. Debian: firmware-intel-misc/m);
    expect(out).toContain("https://github.com/intel/linux-npu-driver/issues/31");
  });

  it("joins words that were not quoted", async () => {
    const { out } = await run("Failed to initialize NVML: Driver/library version mismatch".split(" "));
    expect(out).toContain("(nv-nvml)");
  });

  it("gives line numbers and devices for a file, errors before what is harmless", async () => {
    const path = file(
      "dmesg.log",
      [
        "[    1.0] Linux version 7.3.4",
        "[    2.0] gasket: loading out-of-tree module taints kernel.",
        "[    3.0] amdxdna 0000:c5:00.1: [drm] *ERROR* aie2_init: Running without IOMMU not supported",
      ].join("\n"),
    );
    const { code, out } = await run([path]);
    expect(code).toBe(0);
    expect(out).toMatch(/^1\. error: .*IOMMU[\s\S]*^2\. harmless: /m);
    expect(out).toContain("line 3 (0000:c5:00.1): amdxdna 0000:c5:00.1:");
  });

  it("says that trouble is over when the driver came up later", async () => {
    const path = file(
      "over.log",
      "intel_vpu 0000:00:0b.0: probe with driver intel_vpu failed with error -2\n" +
        "[drm] Initialized intel_vpu 1.0.0 for 0000:00:0b.0 on minor 0\n",
    );
    expect((await run([path])).out).toContain("over: the driver came up later (line 2)");
  });

  it("exits with 1 and says what to do next when nothing is known", async () => {
    const { code, out } = await run(["EXT4-fs (sda1): mounted filesystem with ordered data mode"]);
    expect(code).toBe(1);
    expect(out).toMatch(/^Nothing known about this\.\n/);
  });

  it("marks an answer that rests on a description only", async () => {
    const { out } = await run(["lspci shows 1ac1:089a but no /dev/apex_0"]);
    expect(out).toMatch(/^No message in this is known word for word/);
    expect(out).toContain("(coral-no-node)");
  });

  it("prints the same as JSON", async () => {
    const { out } = await run(["dcmi module initialize failed. ret is -8005"], { json: true });
    const json = JSON.parse(out) as {
      schema: number;
      explanations: { id: string; cure: string[]; matches: unknown[] }[];
    };
    expect(json.schema).toBe(1);
    expect(json.explanations[0]?.id).toBe("asc-dcmi");
    expect(json.explanations[0]?.cure.length).toBeGreaterThan(0);
    expect(json.explanations[0]?.matches).toHaveLength(1);
  });

  it("keeps to 80 columns, commands, links and nothing else excepted", async () => {
    for (const text of [
      "synStatus=20 [Device already acquired]",
      "failed to submit!, op id: 3",
      "SVA bind device failed, ret -95",
    ]) {
      for (const line of (await run([text])).out.split("\n")) {
        if (/^( {2}type| {2}links| {9}\S*(https|sudo|cat|ls|modinfo|grep|hl-smi))/.test(line)) continue;
        expect(widthOf(line), line).toBeLessThanOrEqual(80);
      }
    }
  });

  it("does not pass control characters of a log on to the terminal", async () => {
    const path = file(
      "evil.log",
      "apex 0000:05:00.0: Couldn't initialize interrupts: -22 \u001b[31m\u001b]0;x\u0007\n",
    );
    expect((await run([path])).out).not.toMatch(/\u001b|\u0007/);
  });

  it("refuses what is no text, with the place", async () => {
    await expect(async () => run([file("x.bin", new Uint8Array([65, 66, 0, 67]))])).rejects.toThrow(
      "offset 0x2: is a binary file",
    );
    await expect(async () => run([file("x.gz", new Uint8Array([0x1f, 0x8b, 8, 0]))])).rejects.toThrow(
      "packed with gzip",
    );
    await expect(async () => run([scratch])).rejects.toThrow("is a directory");
    await expect(async () => run(["missing.log"])).rejects.toThrow("missing.log: no such file");
    await expect(async () => run([])).rejects.toThrow("explain what?");
  });

  it("survives an empty file and one endless line", async () => {
    expect((await run([file("empty.log", "")])).code).toBe(1);
    expect((await run([file("long.log", "x".repeat(3_000_000))])).code).toBe(1);
  });

  it("takes a message that is longer than a file's name may be for a message", async () => {
    const message = `intel_vpu 0000:00:0b.0: probe with driver intel_vpu failed with error -2 ${"and so on ".repeat(500)}`;
    expect((await run([message])).out).toContain("intel-fw-2");
  });

  it("reads standard input", () => {
    const bundle = join(scratch, "explain.mjs");
    buildSync({
      entryPoints: [fileURLToPath(new URL("../../src/commands/explain.ts", import.meta.url))],
      bundle: true,
      platform: "node",
      format: "esm",
      outfile: bundle,
    });
    const script =
      `const { default: command } = await import(${JSON.stringify(bundle)});` +
      `const terminal = { columns: 80, colour: false, isTerminal: false, unicode: false };` +
      `await command.run({ args: ["-"], options: {}, terminal, out: (t) => process.stdout.write(t), err: () => {} });`;
    const done = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      input: "mhi mhi0: Error loading firmware: -2\n",
      encoding: "utf8",
    });
    expect(done.stderr).toBe("");
    expect(done.stdout).toContain("(qaic-fw-missing)");
    expect(done.stdout).toContain("line 1: mhi mhi0");
  });
});
