import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, expect, test } from "vitest";

import { CannotError, FileError, UsageError } from "../../src/base/errors.ts";
import command from "../../src/commands/kernel.ts";
import { plainTerminal, widthOf } from "../../src/print/terminal.ts";
import type { Invocation } from "../../src/commands/command.ts";

const kernels = fileURLToPath(new URL("../../kernels/", import.meta.url));
const trixie = `${kernels}6.12.107+deb13-amd64-x86_64.json`;
const backports = `${kernels}7.3.4+deb13-amd64-x86_64.json`;
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "accelctl-kernel-"));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  for (const [release, accel] of [
    ["6.1.0-test", "# CONFIG_DRM is not set"],
    ["6.18.2-test", "CONFIG_DRM_ACCEL=y\nCONFIG_DRM_ACCEL_IVPU=m\nCONFIG_PCI_MSI=y"],
  ] as const) {
    const modules = `lib/modules/${release}`;
    write(`boot/config-${release}`, `CONFIG_X86_64=y\n${accel}\n`);
    write(`${modules}/modules.builtin`, "");
    write(`${modules}/modules.dep`, release.startsWith("6.18") ? "kernel/drivers/accel/ivpu/intel_vpu.ko:\n" : "");
    write(`${modules}/modules.alias`, "alias pci:v00008086d00007D1Dsv*sd*bc*sc*i* intel_vpu\n");
  }
  write("lib/modules/6.18.2-test/kernel/drivers/accel/ivpu/intel_vpu.ko", "no module at all");
  write("lib/firmware/intel/vpu/vpu_37xx_v1.bin", "x");
  cpSync(trixie, join(folder, "harvest.json"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function run(args: readonly string[], options: Invocation["options"] = {}) {
  let text = "";
  const code = await command.run({
    args,
    options,
    terminal: plainTerminal,
    out: (part) => (text += part),
    err: () => undefined,
  });
  return { code, text };
}

test("an image's newest kernel is looked at, or the one that is named", async () => {
  const newest = await run([], { root: folder });
  expect(newest.code).toBe(0);
  expect(newest.text).toContain("Linux 6.18.2-test, x86_64\n");
  expect(newest.text).toMatch(/✓ intel_vpu +Intel NPU: shipped as a module/);
  expect(newest.text).toContain("✓ intel/vpu/vpu_37xx_v1.bin");
  for (const line of newest.text.split("\n")) expect(widthOf(line)).toBeLessThanOrEqual(80);
  const older = await run(["6.1.0-test"], { root: folder });
  expect(older.text).toMatch(/✗ intel_vpu +Intel NPU: it came with Linux 6\.3/);
});

test("JSON has every route with its state and evidence", async () => {
  const { text } = await run([], { root: folder, json: true });
  const value = JSON.parse(text) as {
    schema: number;
    release: string;
    routes: { module: string; state: string; evidence: unknown[] }[];
  };
  expect(value).toMatchObject({ schema: 1, release: "6.18.2-test" });
  const vpu = value.routes.find(({ module }) => module === "intel_vpu");
  expect(vpu).toMatchObject({ state: "shipped as a module" });
  expect(vpu?.evidence).toContainEqual({
    seen: "/lib/modules/6.18.2-test/modules.dep",
    says: "kernel/drivers/accel/ivpu/intel_vpu.ko",
  });
});

test("diff takes releases, harvests and directories", async () => {
  const releases = await run(["diff", "6.1.0-test", "6.18.2-test"], { root: folder });
  expect(releases.text).toMatch(/Drivers gained\n +intel_vpu/);
  const harvests = await run(["diff", trixie, backports]);
  expect(harvests.text).toMatch(/Drivers gained\n +amdxdna +AMD XDNA NPU: not in this kernel → shipped as a module/);
  expect(harvests.text).toMatch(/intel_vpu +\+8086:d71d/);
  expect(harvests.text).toContain("CONFIG_DRM_ACCEL_AMDXDNA: not written → m");
  const mixed = await run(["diff", folder, backports], { json: true });
  expect(JSON.parse(mixed.text)).toMatchObject({ schema: 1, a: { release: "6.18.2-test" }, b: { arch: "x86_64" } });
});

test("a harvest is a kernel like any other, and the catalogue agrees with it", async () => {
  expect(await run([backports], { check: true })).toEqual({
    code: 0,
    text: "the catalogue and 7.3.4+deb13-amd64 agree\n",
  });
});

test.each([
  [["1", "2"], {}, UsageError, "accelctl kernel diff 1 2"],
  [["diff", "1"], {}, UsageError, "accelctl kernel diff A B"],
  [["diff", "1", "2"], { deb: ["x.deb"] }, UsageError, "name the packages themselves"],
  [["6.1"], { deb: ["x.deb"] }, UsageError, "leave out 6.1"],
  [[], { deb: ["x.deb"], root: "/" }, UsageError, "two kernels"],
  [["./nowhere/kernel.deb"], {}, CannotError, "no such file"],
] as const)("kernel %j %j is refused with what to type instead", async (args, options, kind, says) => {
  const error = await run([...args], options).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(kind);
  expect((error as Error).message).toContain(says);
});

test("a release that is not installed is named with those that are", async () => {
  await expect(run(["9.9.9"], { root: folder })).rejects.toThrow(
    new CannotError(`${folder}: kernel 9.9.9 is not there; installed: 6.18.2-test, 6.1.0-test`),
  );
});

test("a package that is none is refused", async () => {
  writeFileSync(join(folder, "bad.deb"), "!<arch>\nnonsense");
  await expect(run([], { deb: [join(folder, "bad.deb")] })).rejects.toThrow(FileError);
});
