/** Trees that were made to lead a reader astray: loops, ways out, nodes that block, files without end. */

import { spawn, spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from "vitest";

import { review } from "../../src/review/review.ts";
import { openDirectory } from "../../src/root/directory.ts";
import { openRoot } from "../../src/root/open.ts";

/** Stands in files outside of the tree. Whatever of it reaches a report was read where nothing may be read. */
const SENTINEL = "sentinel-outside-of-the-root";
/** Wall clock; the machine that runs the tests may be busy. */
const LIMIT_MS = 5000;
const release = "7.3.4-hostile";

let base: string;
let root: string;
let outside: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "accelctl-hostile-"));
  root = join(base, "root");
  outside = join(base, "outside");
  mkdirSync(outside, { recursive: true });
  write("/proc/sys/kernel/osrelease", `${release}\n`);
  write("/proc/version", `Linux version ${release} (x@y) #1\n`);
  write(
    "/sys/devices/pci0000:00/0000:00:0b.0/uevent",
    "PCI_CLASS=120000\nPCI_ID=8086:7D1D\nPCI_SLOT_NAME=0000:00:0b.0\n",
  );
  link("/sys/bus/pci/devices/0000:00:0b.0", "../../../devices/pci0000:00/0000:00:0b.0");
});

afterEach(() => {
  rmSync(base, { recursive: true, force: true });
});

function write(path: string, content: string | Uint8Array): void {
  const full = join(root, path);
  mkdirSync(join(full, ".."), { recursive: true });
  writeFileSync(full, content);
}

function link(path: string, target: string): void {
  const full = join(root, path);
  mkdirSync(join(full, ".."), { recursive: true });
  symlinkSync(target, full);
}

/** The report as text, and how long it took. */
function reviewed(): { json: string; milliseconds: number } {
  const start = performance.now();
  const report = review(openDirectory(root), { abilities: true, environments: ["/venv"] });
  const milliseconds = performance.now() - start;
  return { json: JSON.stringify(report), milliseconds };
}

function expectSound(): string {
  const { json, milliseconds } = reviewed();
  expect(json).toContain("8086:7d1d");
  expect(json).not.toContain(SENTINEL);
  expect(milliseconds).toBeLessThan(LIMIT_MS);
  return json;
}

/** Paths whose text reaches a report when it is read inside the root: model, distribution, release, version, modules, log ... */
const told: readonly (readonly [path: string, content: string])[] = [
  ["/proc/device-tree/model", `${SENTINEL}\0`],
  ["/sys/class/dmi/id/product_name", `${SENTINEL}\n`],
  ["/sys/class/dmi/id/sys_vendor", `${SENTINEL}\n`],
  ["/etc/os-release", `PRETTY_NAME="${SENTINEL}"\n`],
  ["/proc/sys/kernel/version", `${SENTINEL}\n`],
  ["/proc/cpuinfo", `processor\t: 0\nmodel name\t: ${SENTINEL}\n`],
  ["/dev/kmsg", `[    1.0] intel_vpu 0000:00:0b.0: ${SENTINEL}\n`],
  ["/var/log/dmesg", `[    1.0] intel_vpu 0000:00:0b.0: [drm] *ERROR* ${SENTINEL}\n`],
  ["/etc/modprobe.d/a.conf", `options intel_vpu fw=${SENTINEL}\nblacklist intel_vpu\n`],
  [`/lib/modules/${release}/modules.dep`, `kernel/${SENTINEL}/intel_vpu.ko:\n`],
  [`/lib/modules/${release}/modules.alias`, `alias pci:v00008086d00007D1Dsv*sd*bc*sc*i* ${SENTINEL}\n`],
  [`/boot/config-${release}`, `CONFIG_DRM_ACCEL_IVPU=${SENTINEL}\n`],
  ["/sys/devices/pci0000:00/0000:00:0b.0/power_state", `${SENTINEL}\n`],
  ["/sys/devices/pci0000:00/0000:00:0b.0/driver_override", `${SENTINEL}\n`],
  [
    "/var/lib/dpkg/status",
    `Package: intel-driver-compiler-npu\nStatus: install ok installed\nVersion: ${SENTINEL}\n\n`,
  ],
];

describe("a tree whose links lead out", () => {
  // The same files inside: what the tests below look for would be seen if it were read.
  it("is a fair test: the same words inside the root do reach the report", () => {
    for (const [path, content] of told) write(path, content);
    const { json } = reviewed();
    expect(json.split(SENTINEL).length).toBeGreaterThan(4);
  });

  const ways: readonly (readonly [name: string, target: (path: string, file: string) => string])[] = [
    ["an absolute link", (_path, file) => file],
    [
      "a relative link",
      (path, file) => `${"../".repeat(path.split("/").length - 2 + root.split("/").length - 1)}${file.slice(1)}`,
    ],
    ["more .. than there are directories", (_path, file) => `${"../".repeat(60)}${file.slice(1)}`],
    ["/proc/self/root", (_path, file) => `/proc/self/root${file}`],
    ["/proc/self/cwd of a process outside", (_path, file) => `/proc/1/cwd/../../../../..${file}`],
  ];
  for (const [name, target] of ways) {
    it(`is read no further than its root: ${name}`, () => {
      told.forEach(([path, content], i) => {
        const file = join(outside, String(i));
        writeFileSync(file, content);
        link(path, target(path, file));
      });
      expectSound();
    });
  }

  it("is read no further through a directory that is a link", () => {
    for (const [path, content] of told) {
      const full = join(outside, path);
      mkdirSync(join(full, ".."), { recursive: true });
      writeFileSync(full, content);
    }
    for (const top of ["etc", "var", "boot", "lib", "dev"]) link(`/${top}`, join(outside, top));
    link("/sys/class", join(outside, "sys/class"));
    link("/proc/device-tree", `../../outside/proc/device-tree`);
    link("/venv", outside);
    expectSound();
  });

  it("is read no further when a link changes to a way out after it was looked at", () => {
    // The file system is asked again at reading, with O_NOFOLLOW: the last element cannot be swapped for a link.
    const name = "/etc/os-release";
    write(name, "ID=debian\n");
    const opened = openDirectory(root);
    expect(opened.stat(name)).toMatchObject({ state: "read", value: { type: "file" } });
    rmSync(join(root, name));
    writeFileSync(join(outside, "secret"), SENTINEL);
    link(name, join(outside, "secret"));
    expect(JSON.stringify(opened.text(name))).not.toContain(SENTINEL);
  });
});

describe("a tree with loops", () => {
  it("ends: links to themselves, to each other, to a directory above", () => {
    link("/etc/os-release", "os-release");
    link("/proc/cpuinfo", "/proc/meminfo");
    link("/proc/meminfo", "/proc/cpuinfo");
    link("/sys/class/accel", "..");
    link("/sys/class/drm", ".");
    link("/sys/class/misc/a", "../misc");
    link("/lib", "lib");
    link("/usr/lib/python3", "..");
    link("/venv/lib", "..");
    link("/sys/devices/pci0000:00/0000:00:0b.0/driver", ".");
    link("/sys/devices/pci0000:00/0000:00:0b.0/iommu_group", "../0000:00:0b.0");
    link("/sys/firmware/devicetree/base/soc", "..");
    link("/sys/firmware/devicetree/base/npu", ".");
    expectSound();
  });

  it("ends: a chain of a hundred links, and links that double at each step", () => {
    for (let i = 0; i < 100; i++) link(`/etc/chain${i}`, `chain${i + 1}`);
    link("/etc/os-release", "chain0");
    for (let i = 0; i < 30; i++) link(`/sys/class/bomb${i}`, `bomb${i + 1}/bomb${i + 1}`);
    link("/proc/device-tree", "/sys/class/bomb0");
    link("/proc/cpuinfo", "/sys/class/bomb0/bomb0");
    expectSound();
  });

  it("ends: a device tree and modules nested two hundred deep", () => {
    write(`/sys/firmware/devicetree/base/${"n/".repeat(200)}compatible`, "rockchip,rk3588-rknn-core\0");
    write(`/lib/modules/${release}/kernel/${"d/".repeat(200)}x.ko`, "x");
    write(`/venv/${"d/".repeat(200)}libx.so`, "x");
    expectSound();
  });
});

const isRoot = process.getuid?.() === 0;
const canMakeNodes = isRoot && spawnSync("mknod", ["--version"]).status === 0;

describe("a tree with nodes where files belong", () => {
  it("opens no FIFO, which would wait for a writer", () => {
    for (const [path] of told) {
      mkdirSync(join(root, path, ".."), { recursive: true });
      expect(spawnSync("mkfifo", [join(root, path)]).status).toBe(0);
    }
    expectSound();
  });

  it("opens no socket", async () => {
    const { createServer } = await import("node:net");
    mkdirSync(join(root, "etc"), { recursive: true });
    const server = createServer();
    await new Promise<void>((done) => server.listen(join(root, "etc/group"), done));
    try {
      expectSound();
      expect(openDirectory(root).text("/etc/group")).toMatchObject({ state: "malformed", why: "a socket, not a file" });
    } finally {
      await new Promise((done) => server.close(done));
    }
  });

  it.skipIf(!canMakeNodes)("opens no device, also not by another name (needs root)", () => {
    for (const [path] of told) {
      mkdirSync(join(root, path, ".."), { recursive: true });
      // 1:5 is /dev/zero, which never ends. Where nodes may not be made (user namespaces), there is nothing to test.
      if (spawnSync("mknod", [join(root, path), "c", "1", "5"]).status !== 0) return;
    }
    expectSound();
    expect(openDirectory(root).text("/etc/os-release")).toMatchObject({ state: "malformed" });
  });

  it("takes directories for what they are where files belong, and files where directories belong", () => {
    for (const [path] of told) mkdirSync(join(root, path), { recursive: true });
    for (const path of [
      "/sys/class/accel",
      "/sys/bus/usb",
      "/lib/firmware",
      "/usr/lib",
      "/sys/firmware/devicetree/base",
    ]) {
      write(path, "x");
    }
    expectSound();
  });

  // Root may read everything: the same test then runs as another user.
  it("says denied, not absent, of what it may not read", () => {
    write("/etc/os-release", "ID=debian\n");
    write("/etc/modprobe.d/a.conf", "blacklist intel_vpu\n");
    chmodSync(join(root, "etc/os-release"), 0);
    chmodSync(join(root, "etc/modprobe.d"), 0);
    chmodSync(base, 0o755);
    const states = asNobody(() => {
      const opened = openDirectory(root);
      return [opened.text("/etc/os-release"), opened.list("/etc/modprobe.d"), opened.text("/etc/modprobe.d/a.conf")];
    });
    expect(states.map(({ state }) => state)).toEqual(["denied", "denied", "denied"]);
    chmodSync(join(root, "etc/modprobe.d"), 0o755);
  });
});

/** Runs with the effective user changed, which is whom the kernel asks about when files are opened. No change without root. */
function asNobody<T>(run: () => T): T {
  if (!isRoot) return run();
  process.setegid?.(65534);
  process.seteuid?.(65534);
  try {
    return run();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
  }
}

describe("a tree of files without end", () => {
  it("does not read a terabyte of nothing", () => {
    for (const path of [
      `/lib/modules/${release}/modules.alias`,
      "/etc/ld.so.cache",
      "/proc/config.gz",
      "/etc/os-release",
      "/proc/cpuinfo",
    ]) {
      write(path, "");
      const fd = openSync(join(root, path), "r+");
      ftruncateSync(fd, 2 ** 40);
      closeSync(fd);
    }
    const before = process.memoryUsage().rss;
    expectSound();
    expect(process.memoryUsage().rss - before).toBeLessThan(256 * 1024 * 1024);
    expect(openDirectory(root).text("/etc/os-release")).toMatchObject({ state: "malformed" });
  });

  it("reads files of nothing that are just allowed, in bounds of time", () => {
    for (const path of [
      `/lib/modules/${release}/modules.alias`,
      `/boot/config-${release}`,
      "/var/lib/dpkg/status",
      "/var/log/dmesg",
    ]) {
      write(path, "");
      const fd = openSync(join(root, path), "r+");
      ftruncateSync(fd, 60 * 1024 * 1024);
      closeSync(fd);
    }
    expectSound();
  });

  it("stops reading a file that grows while it is read", async () => {
    const log = join(root, "var/log/dmesg");
    write("/var/log/dmesg", `[    0.0] Linux version ${release} (x@y)\n`);
    const writer = spawn("sh", ["-c", `while :; do head -c 1048576 /dev/zero | tr '\\0' 'x'; done >> '${log}'`]);
    try {
      await new Promise((done) => setTimeout(done, 100));
      expectSound();
    } finally {
      writer.kill("SIGKILL");
      await new Promise((done) => writer.once("close", done));
    }
  });

  it("reads a line without an end", () => {
    const line = "x".repeat(8 * 1024 * 1024);
    for (const [path, content] of told) {
      write(path, content.replaceAll(SENTINEL, "").trimEnd());
      appendFileSync(join(root, path), line.slice(0, path.startsWith("/lib/modules") ? line.length : 100_000));
    }
    expectSound();
  });
});

describe("a tree with a directory of a hundred thousand entries", () => {
  const many = 100_000;
  let full: string;

  beforeAll(() => {
    full = mkdtempSync(join(tmpdir(), "accelctl-many-"));
    // Hard links of one file: quick to make. A file system allows only so many of them, so a new file from time to time.
    let file = "";
    for (let i = 0; i < many; i++) {
      const name = join(full, `apex_${i}`);
      if (i % 20_000 === 0) writeFileSync((file = name), "x");
      else linkSync(file, name);
    }
  }, 120_000);
  afterAll(() => {
    rmSync(full, { recursive: true, force: true });
  });

  for (const place of [
    "/sys/class/accel",
    "/sys/bus/pci/slots",
    "/dev",
    "/lib/firmware",
    "/usr/lib",
    "/etc/modprobe.d",
    "/var/lib/dkms",
    "/sys/class/misc",
  ]) {
    it(`is reviewed in bounds of time: ${place}`, () => {
      mkdirSync(join(root, place, ".."), { recursive: true });
      expect(spawnSync("mv", [full, join(root, place)]).status).toBe(0);
      try {
        expectSound();
      } finally {
        spawnSync("mv", [join(root, place), full]);
      }
    });
  }
});

describe("a root that is none", () => {
  it("is refused in words: a FIFO, a device, nothing", () => {
    const fifo = join(base, "fifo");
    expect(spawnSync("mkfifo", [fifo]).status).toBe(0);
    expect(() => openRoot(fifo)).toThrow("neither a directory nor a file");
    expect(() => openRoot("/dev/zero")).toThrow("neither a directory nor a file");
    expect(() => openRoot(join(base, "nothing"))).toThrow("no such file or directory");
  });
});
