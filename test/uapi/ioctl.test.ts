/** The native door, on nodes every Linux machine has. */

import * as fs from "node:fs";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import * as koffi from "koffi";
import { describe, expect, test } from "vitest";

import { askChild, ioctlAsk, NO_ANSWER, put } from "../../src/root/ioctl.ts";
import type { Ask } from "../../src/root/root.ts";
import { drmVersion } from "../../src/facts/queries/drm.ts";
import { TreeBuilder } from "../../src/root/memory.ts";
import { DRM_IOCTL_VERSION, drm_version } from "../../src/uapi/drm.ts";

const version: Ask = { name: "DRM_IOCTL_VERSION", code: DRM_IOCTL_VERSION, input: new Uint8Array(drm_version.size) };
/** _IOR('T', 0x30, unsigned int), TIOCGPTN of <asm-generic/ioctls.h>: the number of a pseudo terminal. */
const terminalNumber: Ask = { name: "TIOCGPTN", code: 0x80045430, input: new Uint8Array(4).fill(0xee) };
const waking = (ask: Ask): Ask => ({ ...ask, wakes: true });

describe("asking a node", () => {
  test("whose driver does not know the question is absent, with the errno", () => {
    expect(ioctlAsk("/dev/null", version)).toEqual({
      state: "absent",
      from: "/dev/null DRM_IOCTL_VERSION",
      why: "ioctl: ENOTTY: this driver does not answer it",
    });
  });

  test("gives what the driver wrote, the same asked here and by a child", () => {
    const answer = ioctlAsk("/dev/ptmx", terminalNumber);
    expect(answer.state).toBe("read");
    if (answer.state !== "read") return;
    // The kernel wrote all four bytes: a small number, little endian.
    expect([...answer.value.struct].slice(1)).toEqual([0, 0, 0]);
    expect(ioctlAsk("/dev/ptmx", waking(terminalNumber))).toMatchObject({ state: "read", value: { buffers: [] } });
  });

  test("that is a file, a directory, or not there, opens nothing", () => {
    const file = fileURLToPath(import.meta.url);
    expect(ioctlAsk(file, version)).toMatchObject({
      state: "malformed",
      why: "it is a regular file, not a character device",
    });
    expect(ioctlAsk("/proc", version)).toMatchObject({
      state: "malformed",
      why: "it is a directory, not a character device",
    });
    expect(ioctlAsk("/dev/no-such-node", version)).toMatchObject({ state: "absent", why: "stat: ENOENT" });
  });

  test("with a struct of another size than the request says is refused before the kernel sees it", () => {
    expect(ioctlAsk("/dev/null", { ...version, input: new Uint8Array(8) })).toMatchObject({ state: "malformed" });
    const pointers = [{ at: 60, size: 4 }];
    expect(ioctlAsk("/dev/null", { ...version, pointers })).toMatchObject({
      state: "malformed",
      why: "a pointer lies outside of the struct",
    });
    const huge = [{ at: 24, size: 2 ** 30 }];
    expect(ioctlAsk("/dev/null", { ...version, pointers: huge })).toMatchObject({ state: "malformed" });
  });

  test("gives drivers the addresses of its buffers, and the answer none", () => {
    // A driver's place is taken by a function that finds the buffers by the addresses in the struct, as a driver would.
    const driver = (_fd: number, code: number, struct: Uint8Array): number => {
      expect(code).toBe(DRM_IOCTL_VERSION);
      const view = new DataView(struct.buffer, struct.byteOffset, struct.length);
      const name = new Uint8Array(koffi.view(view.getBigUint64(drm_version.fields.name.offset, true), 8));
      name.set(Buffer.from("rocket"));
      view.setBigUint64(drm_version.fields.name_len.offset, 6n, true);
      return 0;
    };
    const withDriver = { ...koffi, load: () => ({ func: () => driver }) } as unknown as typeof koffi;
    const struct = [...version.input];
    const { offset: at } = drm_version.fields.name;
    const outcome = put(
      { path: "/dev/null", code: version.code, struct, pointers: [{ at, bytes: new Array<number>(8).fill(1) }] },
      withDriver,
      fs,
    );
    expect(outcome).toEqual({
      struct: struct.map((_, i) => (i === drm_version.fields.name_len.offset ? 6 : 0)),
      buffers: [[...Buffer.from("rocket"), 1, 1]],
    });
  });

  test("a real DRM node tells its driver", (context) => {
    const nodes = namesIn("/dev/dri").filter((name) => name.startsWith("render"));
    const path = nodes.map((name) => `/dev/dri/${name}`).find(opens);
    if (path === undefined) return context.skip("this machine has no DRM node that may be opened");
    const root = { ...new TreeBuilder().build("live", "test"), ask: ioctlAsk };
    const answer = drmVersion(root, path);
    expect(answer).toMatchObject({ state: "read", value: { name: expect.stringMatching(/^[a-z0-9_-]+$/i) as string } });
  });
});

describe("a question that wakes a device", () => {
  test("and hangs is given up at the deadline, and its process killed", () => {
    const work = mkdtempSync(join(tmpdir(), "ask-"));
    try {
      const note = JSON.stringify(join(work, "pid"));
      const script = `process.on("SIGTERM", () => {}); require("fs").writeFileSync(${note}, String(process.pid)); for (;;);`;
      const began = performance.now();
      expect(askChild(script, "", 1500)).toEqual({ failed: `${NO_ANSWER} 1.5 s` });
      expect(performance.now() - began).toBeLessThan(4000);
      expect(dies(Number(readFileSync(join(work, "pid"), "utf8")))).toBe(true);
    } finally {
      rmSync(work, { recursive: true });
    }
  });

  test("and whose process fails is a reading with the failure", () => {
    expect(askChild("throw new TypeError('not today')", "", 20_000)).toEqual({
      failed: "the asking process failed: TypeError: not today",
    });
  });

  test.each(["cjs", "esm"] as const)("is asked from a minified %s bundle too", async (format) => {
    const top = fileURLToPath(new URL("../../", import.meta.url));
    const work = mkdtempSync(join(tmpdir(), "ask-"));
    try {
      symlinkSync(join(top, "node_modules"), join(work, "node_modules"));
      const entry = `import { ioctlAsk } from "./src/root/ioctl.ts";
        console.log(JSON.stringify(ioctlAsk("/dev/null", { name: "x", code: 0xc0046400, input: new Uint8Array(4), wakes: true })));`;
      const file = join(work, format === "cjs" ? "a.cjs" : "a.mjs");
      const built = await build({
        stdin: { contents: entry, resolveDir: top },
        bundle: true,
        minify: true,
        platform: "node",
        format,
        external: ["koffi"],
        write: false,
        ...(format === "cjs"
          ? {
              define: { "import.meta.url": "here" },
              banner: { js: 'const here = require("node:url").pathToFileURL(__filename).href;' },
            }
          : {}),
      });
      writeFileSync(file, built.outputFiles[0]?.text ?? "");
      const said = JSON.parse(execFileSync(process.execPath, [file], { encoding: "utf8" })) as unknown;
      expect(said).toMatchObject({ state: "absent", why: "ioctl: ENOTTY: this driver does not answer it" });
    } finally {
      rmSync(work, { recursive: true });
    }
  });
});

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function opens(path: string): boolean {
  try {
    closeSync(openSync(path, "r+"));
    return true;
  } catch {
    return false;
  }
}

/** True once the process is gone or a zombie, within a second. */
function dies(pid: number): boolean {
  for (let tries = 0; tries < 50; tries++) {
    try {
      const state = /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1];
      if (state === "Z" || state === "X") return true;
    } catch {
      return true;
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
  }
  return false;
}
