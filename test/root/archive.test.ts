/** Archives as roots: whatever they are packed with, however they lie. */

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";

import { FileError } from "../../src/base/errors.ts";
import { openDeb } from "../../src/root/archive.ts";
import { openBytes, openRoot } from "../../src/root/open.ts";
import { readTar } from "../../src/root/tar.ts";
import { makeTar, paxRecord } from "./make-tar.ts";

const shared = new URL("../../../shared/machines/", import.meta.url);
const base = mkdtempSync(join(tmpdir(), "accelctl-archive-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));

const machine = [
  { name: "./", type: "5" },
  { name: "./sys/class/misc/", type: "5" },
  { name: "./sys/bus/platform/devices/x", type: "2", link: "../../../devices/x" },
  { name: "./sys/devices/x/modalias", content: "of:NnpuT(null)Crockchip,rk3588-rknn-core\n" },
  { name: "./sys/devices/x/empty", content: "" },
  { name: "./proc/version", content: "Linux version 6.18.0\n" },
  { name: "./proc/", type: "5" },
];
const meta = [
  {
    name: "./meta/dev",
    content:
      "directory|755|0|0|0|0|/dev\ndirectory|755|0|0|0|0|/dev/accel\ncharacter special file|660|0|6c|105|0|/dev/accel/accel0\n" +
      "symbolic link|777|0|0|0|0|/dev/npu|accel/accel0\ncharacter special file|644|0|0|1|b|/dev/kmsg\n" +
      "character special file|644|0|0|1|b|/etc/evil\ncharacter special file|600|0|0|1|1|/dev/../etc/evil2\nnonsense\n",
  },
  { name: "./meta/dmesg", content: "[    1.0] rocket fdab0000.npu: probed\n" },
  {
    name: "./meta/ko-present",
    content: "/lib/modules/6.18.0/kernel/drivers/accel/rocket/rocket.ko.xz\n/extra/../../x\n",
  },
  { name: "./meta/firmware-present", content: "\n" },
  {
    name: "./meta/unreadable",
    content:
      "/sys/devices/x/power\thead: /sys/devices/x/power: Input/output error\ncp: can't open '/sys/devices/x/secret': Permission denied\ncp: read error: Input/output error\n",
  },
  { name: "./meta/etc/modprobe.d/a.conf", content: "blacklist rocket\n" },
];

describe("an archive of a machine", () => {
  const root = openBytes(gzipSync(makeTar([...machine, ...meta])), "m.tar.gz");

  it("shows files, links and listings as they were", () => {
    expect(root.kind).toBe("archive");
    expect(root.text("/sys/bus/platform/devices/x/modalias")).toMatchObject({
      value: expect.stringContaining("rk3588") as string,
    });
    expect(root.list("/sys/devices")).toMatchObject({ state: "uncaptured" });
    expect(root.list("/sys/class/misc")).toMatchObject({ value: [] });
  });

  it("has device nodes, links and kernel log out of meta", () => {
    expect(root.stat("/dev/npu")).toMatchObject({ value: { type: "char", mode: 0o660, major: 0x105, minor: 0 } });
    expect(root.text("/dev/kmsg")).toMatchObject({ value: expect.stringContaining("rocket") as string });
    expect(root.text("/var/log/dmesg")).toMatchObject({ state: "read" });
    expect(root.stat("/dev/kmsg")).toMatchObject({ value: { type: "char", major: 1, minor: 11 } });
    expect(root.stat("/dev/rknpu").state).toBe("absent");
    expect(root.stat("/etc/evil").state).toBe("uncaptured");
  });

  it("knows which modules and firmware existed, and does not have them", () => {
    const module = "/lib/modules/6.18.0/kernel/drivers/accel/rocket/rocket.ko.xz";
    expect(root.stat(module)).toMatchObject({ state: "read" });
    expect(root.bytes(module)).toMatchObject({ state: "uncaptured" });
    expect(root.stat("/lib/modules/6.18.0/kernel/drivers/accel/ivpu/intel_vpu.ko.xz").state).toBe("absent");
    expect(root.stat("/lib/firmware/intel/vpu/vpu_37xx_v1.bin").state).toBe("absent");
  });

  it("knows what could not be read", () => {
    expect(root.text("/sys/devices/x/power")).toMatchObject({ state: "malformed", why: "Input/output error" });
    expect(root.text("/sys/devices/x/secret")).toMatchObject({ state: "denied", why: "Permission denied" });
    expect(root.text("/sys/devices/x/empty")).toMatchObject({ state: "malformed" });
  });

  it("does not know what such archives leave out", () => {
    for (const path of [
      "/usr/lib/libteflon.so",
      "/proc/1/status",
      "/etc/group",
      "/sys/devices/system/cpu/online",
      "/run/x",
    ]) {
      expect(root.text(path).state).toBe("uncaptured");
    }
    expect(root.text("/etc/modprobe.d/a.conf")).toMatchObject({ value: "blacklist rocket\n" });
    expect(root.stat("/etc/modprobe.d/b.conf").state).toBe("absent");
  });

  it("reads the older shape of meta/dev, whose numbers are decimal", () => {
    const older = openBytes(
      makeTar([...machine, { name: "meta/dev", content: "d 755 0 0 0 0 /dev\nc 660 0 108 261 0 /dev/accel/accel0\n" }]),
      "m",
    );
    expect(older.stat("/dev/accel/accel0")).toMatchObject({ value: { mode: 0o660, gid: 108, major: 261, minor: 0 } });
  });

  it("may lie in one wrapping directory", () => {
    const wrapped = machine.map((member) => ({ ...member, name: member.name.replace("./", "board-1/") }));
    expect(openBytes(makeTar(wrapped), "w").text("/proc/version").state).toBe("read");
    expect(openBytes(makeTar([{ name: "sys/class/misc/x", content: "1" }]), "s").text("/sys/class/misc/x").state).toBe(
      "read",
    );
  });
});

describe("a tar archive", () => {
  it("with climbing or absolute names keeps them inside or leaves them out", () => {
    const root = openBytes(
      makeTar([
        { name: "../../etc/climbs", content: "x" },
        { name: "/etc/absolute", content: "y" },
        { name: "sys/../../etc/other", content: "z" },
        { name: "etc/link", type: "2", link: "/../../../../etc/absolute" },
      ]),
      "hostile.tar",
    );
    expect(root.text("/etc/absolute")).toMatchObject({ value: "y" });
    expect(root.text("/etc/link")).toMatchObject({ value: "y" });
    expect(root.stat("/etc/climbs").state).not.toBe("read");
    expect(root.stat("/etc/other").state).not.toBe("read");
  });

  it("has nodes that are never opened, hard links, long names of both kinds", () => {
    const long = `sys/${"deep/".repeat(40)}end`;
    const root = openBytes(
      makeTar([
        { name: "dev/null", type: "3", major: 1, minor: 3, mode: 0o666 },
        { name: "dev/pipe", type: "6" },
        { name: "etc/a", content: "A" },
        { name: "etc/b", type: "1", link: "etc/a" },
        { name: "etc/dangling", type: "1", link: "etc/none" },
        { name: "././@LongLink", type: "L", content: `${long}\0` },
        { name: "cut", content: "gnu" },
        { name: "pax", type: "x", content: paxRecord("path", `${long}2`) + paxRecord("uid", "7") },
        { name: "cut", content: "pax" },
        { name: "sparse", type: "S", content: "12345678" },
      ]),
      "t",
    );
    expect(root.stat("/dev/null")).toMatchObject({ value: { type: "char", mode: 0o666, major: 1, minor: 3 } });
    expect(root.bytes("/dev/null").state).toBe("malformed");
    expect(root.bytes("/dev/pipe").state).toBe("malformed");
    expect(root.text("/etc/b")).toMatchObject({ value: "A" });
    expect(root.stat("/etc/dangling").state).toBe("absent");
    expect(root.text(`/${long}`)).toMatchObject({ value: "gnu" });
    expect(root.text(`/${long}2`)).toMatchObject({ value: "pax" });
    expect(root.bytes("/sparse")).toMatchObject({ state: "uncaptured" });
  });

  it("cut off anywhere is an error with the offset of the end", () => {
    const whole = makeTar([...machine, ...meta]);
    for (let cut = 1; cut < whole.length - 512; cut += 97) {
      let failure: unknown;
      try {
        openBytes(whole.subarray(0, cut), "cut.tar");
      } catch (error) {
        failure = error;
      }
      expect(failure, `cut at ${cut}`).toBeInstanceOf(FileError);
      if (cut >= 512) expect((failure as FileError).offset, `cut at ${cut}`).toBe(cut);
    }
  });

  it("with a damaged header, size or pax record is refused", () => {
    const first = { name: "etc/a", content: "A" };
    expect(() => openBytes(makeTar([first, { name: "b", damaged: true }]), "t")).toThrow(
      "t: offset 0x400: not a tar header",
    );
    expect(() => openBytes(makeTar([{ name: "b", size: 0o77777777777, content: "x" }]), "t")).toThrow(/cut off/);
    expect(() => openBytes(makeTar([first, { name: "p", type: "x", content: "99 path=x\n" }]), "t")).toThrow(
      /damaged pax header/,
    );
    expect(() =>
      openBytes(makeTar([{ name: "l", type: "L", size: 2 ** 21, content: Buffer.alloc(2 ** 21, 97) }]), "t"),
    ).toThrow(/tar name/);
    expect(() => readTar(makeTar([first, { name: "b" }, { name: "c" }]), "t", 2)).toThrow("more than 2 files");
  });

  it("without its end mark was cut off", () => {
    expect(() => openBytes(makeTar([{ name: "etc/a", content: "A" }], false), "t")).toThrow(/without its end mark/);
  });
});

describe("a Debian package", () => {
  const member = (name: string, content: Uint8Array): Buffer =>
    Buffer.concat([
      Buffer.from(
        `${name.padEnd(16)}${"0".padEnd(12)}${"0".padEnd(6)}${"0".padEnd(6)}${"100644".padEnd(8)}${String(content.length).padEnd(10)}\`\n`,
      ),
      content,
      Buffer.alloc(content.length & 1, 10),
    ]);
  const deb = (...members: readonly Buffer[]): string => {
    const path = join(base, `${members.length}-${Math.abs(members[0]?.length ?? 0)}.deb`);
    writeFileSync(path, Buffer.concat([Buffer.from("!<arch>\n"), ...members]));
    return path;
  };
  const data = makeTar([
    { name: "./boot/config-6.18.0", content: "CONFIG_DRM_ACCEL=y\n" },
    { name: "./usr/lib/modules/6.18.0/modules.builtin", content: "kernel/x.ko\n" },
  ]);

  it("is a root of what it installs, reachable by both spellings of /lib", () => {
    const root = openDeb(deb(member("debian-binary", Buffer.from("2.0\n")), member("data.tar.gz", gzipSync(data))));
    expect(root.text("/lib/modules/6.18.0/modules.builtin").state).toBe("read");
    expect(root.list("/lib/modules")).toMatchObject({ value: ["6.18.0"] });
    expect(root.stat("/boot/vmlinuz-1").state).toBe("absent");
    expect(root.text("/proc/version").state).toBe("uncaptured");
    expect(root.stat("/usr/lib/libc.so.6").state).toBe("uncaptured");
  });

  it("without data, cut off, or no package at all is refused", () => {
    expect(() => openDeb(deb(member("debian-binary", Buffer.from("2.0\n"))))).toThrow("no data.tar");
    const path = join(base, "cut.deb");
    writeFileSync(path, readFileSync(deb(member("x", Buffer.alloc(600)), member("data.tar", data))).subarray(0, 900));
    expect(() => openDeb(path)).toThrow("is cut off");
    writeFileSync(path, "no package");
    expect(() => openDeb(path)).toThrow("not a Debian package");
    expect(() => openDeb(base)).toThrow("not a file");
  });
});

describe.skipIf(!existsSync(shared))("the captured machines (../shared)", () => {
  for (const folder of ["kernel", "sysfs"]) {
    const files = existsSync(shared) ? readdirSync(new URL(`${folder}/`, shared)) : [];
    for (const file of files.filter((name) => /\.tar\./.test(name))) {
      it(`${file} opens in a moment and has a /sys`, () => {
        const start = performance.now();
        const root = openRoot(new URL(`${folder}/${file}`, shared).pathname);
        expect(performance.now() - start).toBeLessThan(6000);
        expect(root.stat("/sys").state).toBe("read");
        expect(root.stat("/sys/devices").state).toBe("read");
        const version = root.text("/proc/version");
        expect(version.state).toBe(/^(ghw|hwloc_(32em|40intel))/.test(file) ? "uncaptured" : "read");
      });
    }
  }
});
