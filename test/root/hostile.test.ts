/** Trees made to lead astray: nothing outside of a root is read, nothing blocks, nothing runs away. */

import { execFileSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { CannotError } from "../../src/base/errors.ts";
import { openDirectory, openLive } from "../../src/root/directory.ts";
import { openRoot } from "../../src/root/open.ts";
import { unreadOf } from "../../src/root/tree.ts";
import { FILE_LIMIT, type Root } from "../../src/root/root.ts";

const base = mkdtempSync(join(tmpdir(), "accelctl-hostile-"));
const dir = join(base, "root");
const SECRET = "outside the root";
let root: Root;
const server = createServer();

beforeAll(async () => {
  for (const name of ["etc", "sys/class/accel", "dev", "many", "a/b/c", "usr/lib"])
    mkdirSync(join(dir, name), { recursive: true });
  writeFileSync(join(base, "secret"), SECRET);
  writeFileSync(join(dir, "etc/hostname"), "inside\n");
  writeFileSync(join(dir, "secret"), "inside too");
  symlinkSync(join(base, "secret"), join(dir, "etc/absolute"));
  symlinkSync("../../secret", join(dir, "etc/climbs"));
  symlinkSync("../../../../../../../../../../../../etc/hostname", join(dir, "etc/climbs-far"));
  symlinkSync("/etc", join(dir, "a/b/c/up"));
  symlinkSync("loop-b", join(dir, "loop-a"));
  symlinkSync("loop-a", join(dir, "loop-b"));
  symlinkSync(".", join(dir, "self"));
  symlinkSync("self/self/self/self/grow", join(dir, "grow"));
  for (let i = 0; i < 45; i++) symlinkSync(i === 44 ? "etc/hostname" : `chain-${i + 1}`, join(dir, `chain-${i}`));
  execFileSync("mkfifo", [join(dir, "fifo"), join(dir, "sys/class/accel/uevent")]);
  await new Promise<void>((done) => server.listen(join(dir, "socket"), done));
  writeFileSync(join(dir, "unreadable"), "x");
  chmodSync(join(dir, "unreadable"), 0);
  mkdirSync(join(dir, "closed"));
  writeFileSync(join(dir, "closed/file"), "x");
  chmodSync(join(dir, "closed"), 0);
  const huge = openSync(join(dir, "huge"), "w");
  ftruncateSync(huge, 1024 ** 4);
  closeSync(huge);
  root = openDirectory(dir);
});

afterAll(() => {
  server.close();
  chmodSync(join(dir, "closed"), 0o700);
  rmSync(base, { recursive: true, force: true });
});

describe("links", () => {
  it("out of the root, absolute or climbing, stay inside", () => {
    for (const path of ["/etc/absolute", "/etc/climbs", "/../secret", "/etc/../../secret", "/a/b/c/up/../../secret"]) {
      const reading = root.text(path);
      expect(JSON.stringify(reading)).not.toContain(SECRET);
    }
    expect(root.text("/etc/climbs")).toMatchObject({ state: "read", value: "inside too" });
    expect(root.text("/etc/climbs-far")).toMatchObject({ state: "read", value: "inside\n" });
    expect(root.real("/a/b/c/up/hostname")).toMatchObject({ state: "read", value: "/etc/hostname" });
  });

  it("in a circle are malformed, not a hang", () => {
    expect(root.text("/loop-a")).toMatchObject({ state: "malformed", why: expect.stringContaining("ELOOP") as string });
    expect(root.text("/grow")).toMatchObject({ state: "malformed" });
    expect(root.stat("/chain-0")).toMatchObject({ state: "malformed" });
    expect(root.text("/chain-5")).toMatchObject({ state: "read", value: "inside\n" });
    expect(root.text(`${"/self".repeat(30)}/etc/hostname`)).toMatchObject({ state: "read" });
    expect(root.text(`${"/self".repeat(600)}/etc/hostname`)).toMatchObject({ state: "malformed" });
  });

  it("are told as written, and only links are", () => {
    expect(root.link("/etc/climbs")).toMatchObject({ value: "../../secret" });
    expect(root.link("/etc/hostname")).toMatchObject({ state: "absent", why: "not a link" });
  });
});

describe("what is no file", () => {
  it("is never opened: FIFOs, sockets, directories", () => {
    for (const path of ["/fifo", "/sys/class/accel/uevent", "/socket", "/etc"]) {
      for (const reading of [root.text(path), root.bytes(path), root.slice(path, 0, 10)]) {
        expect(reading).toMatchObject({
          state: "malformed",
          why: expect.stringMatching(/^a (fifo|socket|directory), not a file$/) as string,
        });
      }
    }
    const live = openLive();
    expect(live.text(join(dir, "fifo"))).toMatchObject({ state: "malformed", why: "a fifo, not a file" });
    expect(live.text("/dev/null")).toMatchObject({ state: "malformed", why: "a char, not a file" });
    expect(live.text("/dev")).toMatchObject({ state: "malformed" });
  });

  it("has a stat all the same", () => {
    expect(root.stat("/fifo")).toMatchObject({ state: "read", value: { type: "fifo" } });
    expect(openLive().stat("/dev/null")).toMatchObject({ value: { type: "char", major: 1, minor: 3 } });
  });

  it("holds a device node of the host's log: not read through an image", () => {
    symlinkSync("/dev/kmsg", join(dir, "dev/log"));
    expect(root.text("/dev/log").state).not.toBe("read");
  });
});

describe("files that are too much", () => {
  it("a huge sparse file is malformed whole and readable in parts", () => {
    expect(root.bytes("/huge")).toMatchObject({
      state: "malformed",
      why: expect.stringContaining(String(FILE_LIMIT)) as string,
    });
    const part = root.slice("/huge", 1024 ** 3, 4096);
    expect(part.state === "read" && part.value.length).toBe(4096);
    const clamped = root.slice("/huge", 0, 1024 ** 3);
    expect(clamped.state === "read" && clamped.value.length).toBe(FILE_LIMIT);
  });

  it("slices outside of sense are refused, those past the end are empty", () => {
    expect(root.slice("/huge", -1, 10)).toMatchObject({ state: "malformed" });
    expect(root.slice("/huge", 0.5, 10)).toMatchObject({ state: "malformed" });
    expect(openLive().slice("/etc/passwd", Number.NaN, 1)).toMatchObject({ state: "malformed" });
    const past = root.slice("/etc/hostname", 100, 10);
    expect(past.state === "read" && past.value.length).toBe(0);
  });

  it("a directory of 100,000 names is listed, sorted", () => {
    execFileSync("sh", ["-c", `cd ${JSON.stringify(join(dir, "many"))} && seq 100000 | xargs touch`]);
    const names = root.list("/many");
    expect(names.state === "read" && names.value.length).toBe(100_000);
    expect(names.state === "read" && names.value[1]).toBe("10");
  });

  it("paths that are none are malformed", () => {
    for (const path of ["", "relative", "/nul\0byte", `/${"x".repeat(5000)}`])
      expect(root.text(path).state).toBe("malformed");
    expect(root.text("/etc/hostname/deeper")).toMatchObject({ state: "absent" });
    expect(root.text("//etc/./hostname/")).toMatchObject({ state: "read" });
  });
});

describe("refusals", () => {
  it("are denied, not absent", ({ skip }) => {
    if (process.getuid?.() === 0) skip("root may read everything");
    expect(root.text("/unreadable")).toMatchObject({ state: "denied", why: "EACCES" });
    expect(root.list("/closed")).toMatchObject({ state: "denied" });
    expect(root.stat("/closed/file")).toMatchObject({ state: "denied" });
    expect(openLive().text(join(dir, "unreadable"))).toMatchObject({ state: "denied" });
  });

  it("are told by the kernel's errno", () => {
    const failure = (code: string): Error => Object.assign(new Error(code), { code });
    expect(unreadOf(failure("EACCES"), "/x")).toEqual({ state: "denied", from: "/x", why: "EACCES" });
    expect(unreadOf(failure("EPERM"), "/x").state).toBe("denied");
    expect(unreadOf(failure("ENOENT"), "/x")).toEqual({ state: "absent", from: "/x" });
    expect(unreadOf(failure("ENOTDIR"), "/x").state).toBe("absent");
    expect(unreadOf(failure("EIO"), "/x")).toEqual({ state: "malformed", from: "/x", why: "EIO" });
    expect(() => unreadOf(new TypeError("a bug"), "/x")).toThrow(TypeError);
  });

  it("name what could not be opened", () => {
    expect(() => openRoot(join(base, "nothing"))).toThrow(CannotError);
    expect(() => openRoot(join(base, "nothing"))).toThrow("no such file or directory");
    expect(() => openRoot(join(dir, "fifo"))).toThrow("neither a directory nor a file");
    writeFileSync(join(base, "junk"), Buffer.from([0, 1, 2, 3, 0xff]));
    expect(() => openRoot(join(base, "junk"))).toThrow(/junk: /);
  });

  it("nobody's leave to open is guessed for a tree", () => {
    expect(root.access("/etc/hostname").state).toBe("uncaptured");
    expect(openLive().access("/dev/null")).toMatchObject({ state: "read", value: true });
    expect(openLive().access(join(base, "nothing")).state).toBe("absent");
  });

  it("the log that reading takes away is never read", () => {
    expect(openLive().text("/proc/kmsg").state).toBe("denied");
  });
});
