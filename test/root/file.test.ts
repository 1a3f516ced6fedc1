import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { CannotError, FileError } from "../../src/base/errors.ts";
import { readHead, readNamed } from "../../src/root/file.ts";

let base: string;
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), "accelctl-file-"));
  chmodSync(base, 0o755);
});
afterAll(() => {
  rmSync(base, { recursive: true });
});

describe("a file that a user names", () => {
  it("is read whole, also when it says that it is empty", () => {
    const path = join(base, "large");
    const content = Buffer.alloc(300_000, "abc");
    writeFileSync(path, content);
    expect(readNamed(path, 1_000_000).equals(content)).toBe(true);
    expect(readHead(path, 5).toString()).toBe("abcab");
    expect(readNamed("/proc/self/status", 1_000_000).toString()).toContain("Uid:");
  });

  it("is refused when it is larger than the limit, or has no end", () => {
    const path = join(base, "larger");
    writeFileSync(path, Buffer.alloc(2 * 1024 * 1024 + 1));
    expect(() => readNamed(path, 2 * 1024 * 1024)).toThrow(new FileError(path, "is larger than 2 MiB"));
    expect(() => readNamed("/dev/zero", 1024 * 1024)).toThrow("is larger than 1 MiB");
  });

  it("is refused in words when it cannot be read", () => {
    expect(() => readNamed(join(base, "nothing"), 1)).toThrow(CannotError);
    expect(() => readHead(join(base, "nothing"), 1)).toThrow("nothing: no such file or directory");
    expect(() => readNamed(base, 1)).toThrow("is a directory");
  });

  it("is refused in words when the user may not read it", ({ skip }) => {
    const path = join(base, "secret");
    writeFileSync(path, "x", { mode: 0 });
    if (process.getuid?.() !== 0) {
      expect(() => readNamed(path, 1)).toThrow(new CannotError(`${path}: permission denied`));
      return;
    }
    // Root may read everything, so the effective user changes for a moment.
    if (process.seteuid === undefined) skip();
    process.seteuid?.(65534);
    try {
      expect(() => readNamed(path, 1)).toThrow(new CannotError(`${path}: permission denied`));
      expect(() => readHead(path, 1)).toThrow("permission denied");
    } finally {
      process.seteuid?.(0);
    }
  });

  it("does not wait for the other end of a FIFO", () => {
    const path = join(base, "fifo");
    expect(spawnSync("mkfifo", [path]).status).toBe(0);
    expect(readNamed(path, 10).length).toBe(0);
  });
});
