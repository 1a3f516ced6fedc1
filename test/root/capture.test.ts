/** Captures: what was asked is answered again, to the byte; what was not asked is uncaptured; what is no capture is refused. */

import { describe, expect, it } from "vitest";

import { FileError } from "../../src/base/errors.ts";
import { absent, read } from "../../src/base/reading.ts";
import { review } from "../../src/review/review.ts";
import { captureMachine } from "../../src/root/capture-machine.ts";
import { isCapture, openCapture, toCapturePaths, writeCapture } from "../../src/root/capture.ts";
import { openLive } from "../../src/root/directory.ts";
import { TreeBuilder } from "../../src/root/memory.ts";
import { openBytes, openRoot } from "../../src/root/open.ts";
import { record } from "../../src/root/recording.ts";
import type { Ask, Root } from "../../src/root/root.ts";
import { run } from "../support/run.ts";
import { hasShared, sharedPath } from "../support/shared.ts";

const ask: Ask = {
  name: "DRM_IOCTL_VERSION",
  code: 0xc0406400,
  input: new Uint8Array(64),
  pointers: [{ at: 24, size: 8 }],
};
const refused: Ask = { ...ask, name: "IVPU_GET_PARAM", code: 1 };

const DEVICE = "/sys/devices/pci0000:00/0000:00:0b.0";

function machine(): TreeBuilder {
  const builder = new TreeBuilder().covers("/sys").covers("/proc").covers("/dev");
  builder
    .file(`${DEVICE}/vendor`, "0x8086\n", { size: 4096 })
    .link("/sys/class/accel/accel0", "../../devices/pci0000:00/0000:00:0b.0/accel/accel0");
  builder.directory("/sys/class/accel").file(`${DEVICE}/accel/accel0/dev`, "261:0\n");
  builder
    .file(
      `${DEVICE}/config`,
      Uint8Array.from({ length: 64 }, (_, i) => i * 4 + 3),
    )
    .fails(`${DEVICE}/power_state`, "malformed", "EIO");
  builder
    .node("/dev/accel/accel0", { type: "char", mode: 0o660, gid: 105, major: 261, minor: 0 })
    .directory("/dev/accel");
  builder.access("/dev/accel/accel0", read(true, "/dev/accel/accel0"));
  builder.answer("/dev/accel/accel0", ask, read({ struct: Uint8Array.of(1, 2), buffers: [Uint8Array.of(3)] }, "x"));
  builder.answer("/dev/accel/accel0", refused, { state: "denied", from: "x", why: "EPERM" });
  builder.file("/dev/kmsg", "6,1,0,-;hello\n", { type: "char", mode: 0o644, major: 1, minor: 11 });
  return builder
    .file(
      "/usr/lib/big.so",
      Uint8Array.from({ length: 9000 }, (_, i) => i % 251),
    )
    .directory("/proc/closed");
}

/** A bit of everything a root can be asked. */
function interview(root: Root): unknown[] {
  return [
    root.text(`${DEVICE}/vendor`),
    root.text("/sys/class/accel/accel0/dev"),
    root.link("/sys/class/accel/accel0"),
    root.real("/sys/class/accel/accel0"),
    root.list("/sys/class/accel"),
    root.list("/sys/class/apex"),
    root.text(`${DEVICE}/driver/x`),
    root.bytes(`${DEVICE}/config`),
    root.text(`${DEVICE}/power_state`),
    root.stat("/dev/accel/accel0"),
    root.access("/dev/accel/accel0"),
    root.access("/dev/accel/accel1"),
    root.ask("/dev/accel/accel0", ask),
    root.ask("/dev/accel/accel0", refused),
    root.ask("/dev/accel/accel0", { ...ask, input: Uint8Array.of(9) }),
    root.text("/dev/kmsg"),
    root.slice("/usr/lib/big.so", 0, 64),
    root.slice("/usr/lib/big.so", 8990, 64),
    root.list("/proc/closed"),
    root.text("/etc/os-release"),
    root.list("/usr/lib/firmware"),
    root.stat("/proc"),
  ];
}

function capture(root: Root, question: (root: Root) => unknown): string {
  const recording = record(root);
  question(recording.root);
  return writeCapture(toCapturePaths(recording.records), { by: "test", redacted: false, notes: [] });
}

/** Bytes as hexadecimal, whether they are a Buffer or not. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
}

describe("a capture", () => {
  const text = capture(machine().build("archive", "m"), interview);
  const replay = openCapture(Buffer.from(text), "c.json");

  it("answers all that was asked as the machine did", () => {
    expect(plain(interview(replay))).toEqual(plain(interview(machine().build("archive", "m"))));
    expect(replay.kind).toBe("capture");
  });

  it("answers uncaptured to what was not asked, also next to what was", () => {
    expect(replay.text(`${DEVICE}/device`).state).toBe("uncaptured");
    expect(replay.list(DEVICE).state).toBe("uncaptured");
    expect(replay.slice("/usr/lib/big.so", 100, 64).state).toBe("uncaptured");
    expect(replay.text("/var/log/dmesg").state).toBe("uncaptured");
    expect(replay.list("/").state).toBe("uncaptured");
  });

  it("takes a listing as proof of what is not in it", () => {
    expect(replay.stat("/sys/class/accel/accel7").state).toBe("absent");
  });

  it("captured again, and whatever it was taken from, is the same file", () => {
    expect(capture(replay, interview)).toBe(text);
    expect(capture(machine().build("archive", "m"), interview)).toBe(text);
  });

  it("is recognised by content, packed or not, and has one path a line", () => {
    expect(isCapture(Buffer.from(text))).toBe(true);
    expect(openBytes(Buffer.from(text), "x").kind).toBe("capture");
    const lines = text.split("\n");
    expect(lines[0]).toMatch(/^\{"format":"accelctl-capture","version":1/);
    expect(lines).toContain('"/sys/class/apex":"absent",');
    const paths = lines.filter((line) => line.startsWith('"/')).map((line) => line.slice(0, line.indexOf('"', 1)));
    expect(paths).toEqual([...paths].sort());
  });

  it("of the live machine answers the review as the machine did", () => {
    const recording = record(openLive());
    const report = JSON.stringify(review(recording.root));
    const kept = writeCapture(toCapturePaths(recording.records), { by: "test", redacted: false, notes: [] });
    expect(JSON.stringify(review(openCapture(Buffer.from(kept), "this machine", "live")))).toBe(report);
  });
});

describe("what is no capture", () => {
  const wrap = (paths: string): string => `{"format":"accelctl-capture","version":1,"paths":${paths}}`;
  const cases: readonly (readonly [string, string, RegExp])[] = [
    [
      "a version nested too deep to be written down",
      `{"format":"accelctl-capture","version":${"[".repeat(50_000)}${"]".repeat(50_000)},"paths":{}}`,
      /capture version no number/,
    ],
    ["an unknown version", '{"format":"accelctl-capture","version":2,"paths":{}}', /capture version 2/],
    ["no paths", '{"format":"accelctl-capture","version":1}', /without paths/],
    ["a list of paths", wrap("[]"), /without paths/],
    ["a relative path", wrap('{"sys":"absent"}'), /not a path of a machine/],
    ["a climbing path", wrap('{"/sys/../etc":"absent"}'), /not a path of a machine/],
    ["an unknown state", wrap('{"/sys":"gone"}'), /neither a failure nor an object/],
    ["a number for an entry", wrap('{"/sys":7}'), /neither a failure/],
    ["an unknown type", wrap('{"/sys":{"type":"door"}}'), /unknown type/],
    ["a mode that is not octal", wrap('{"/sys":{"mode":"9"}}'), /mode is not octal/],
    ["a negative size", wrap('{"/a":{"size":-1}}'), /not a count/],
    ["a name with a slash", wrap('{"/a":{"type":"directory","names":["b/c"]}}'), /not a file's name/],
    ["text that is none", wrap('{"/a":{"text":7}}'), /content is no text/],
    ["a target that is none", wrap('{"/a":{"type":"link","target":7}}'), /target is no text/],
    ["an answer that is not hexadecimal", wrap('{"/a":{"type":"char","asks":{"x":["zz"]}}}'), /not hexadecimal/],
    ["an answer without a struct", wrap('{"/a":{"type":"char","asks":{"x":[]}}}'), /without a struct/],
    ["asks that are none", wrap('{"/a":{"type":"char","asks":[]}}'), /asks is no object/],
    ["access that is none", wrap('{"/a":{"type":"char","access":"yes"}}'), /neither an answer/],
    ["slices that are none", wrap('{"/a":{"slices":[7]}}'), /slice without bytes/],
  ];
  for (const [name, text, says] of cases) {
    it(`${name} is refused with the place`, () => {
      expect(() => openCapture(Buffer.from(text), "c.json")).toThrow(FileError);
      expect(() => openCapture(Buffer.from(text), "c.json")).toThrow(says);
    });
  }

  it("deep nesting is refused, not followed", () => {
    const deep = wrap(`{"/a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`);
    expect(() => openCapture(Buffer.from(deep), "c.json")).toThrow(FileError);
  });

  it("names of JavaScript's own are names like others", () => {
    const root = openCapture(
      Buffer.from(wrap('{"/__proto__":{"text":"x"},"/a":{"type":"directory","names":["constructor"]}}')),
      "c",
    );
    expect(root.text("/__proto__")).toMatchObject({ value: "x" });
    expect(root.stat("/a/toString").state).toBe("absent");
    expect(root.stat("/a/constructor").state).toBe("uncaptured");
  });

  it("cut off anywhere, or with bytes changed, is refused or read", () => {
    const whole = Buffer.from(capture(machine().build("archive", "m"), interview));
    for (let cut = 40; cut < whole.length - 1; cut += 41) {
      expect(() => openCapture(whole.subarray(0, cut), "c.json"), `cut at ${cut}`).toThrow(FileError);
    }
    for (let i = 0; i < 1500; i++) {
      const mutated = Buffer.from(whole);
      mutated[(i * 7919) % whole.length] = (i * 31) % 256;
      try {
        interview(openCapture(mutated, "c.json"));
      } catch (error) {
        expect(error).toBeInstanceOf(FileError);
      }
    }
  });
});

describe("taking a capture", () => {
  const relevant = { modules: new Set(["rocket", "intel_vpu"]), symbols: new Set(["DRM_ACCEL_ROCKET"]) };
  const options = { relevant, by: "test", redact: true, trim: true, names: { users: [], hosts: [] } };

  it("leaves out environments, idle processes, their files and seeds", () => {
    const builder = new TreeBuilder().covers("/proc").directory("/proc", {}, ["1", "20", "30", "self"]);
    builder
      .link("/proc/self", "30")
      .file("/proc/1/environ", "TOKEN=hunter2\0container=podman\0")
      .directory("/proc/1/fd", {}, ["0"]);
    builder
      .directory("/proc/20/fd", {}, ["3"])
      .link("/proc/20/fd/3", "/srv/diary.txt")
      .file("/proc/20/comm", "editor\n");
    builder
      .directory("/proc/30/fd", {}, ["3", "4"])
      .link("/proc/30/fd/3", "/dev/accel/accel0")
      .link("/proc/30/fd/4", "/srv/letter.txt");
    builder.link("/proc/1/fd/0", "/dev/null").file("/sys/firmware/devicetree/base/chosen/rng-seed", "seedseedseed");
    const question = (root: Root): string => {
      for (const pid of ["1", "20", "30"]) {
        root.text(`/proc/${pid}/environ`);
        root.text(`/proc/${pid}/comm`);
        const fds = root.list(`/proc/${pid}/fd`);
        if (fds.state === "read") for (const fd of fds.value) root.link(`/proc/${pid}/fd/${fd}`);
      }
      return JSON.stringify([
        root.list("/proc").state,
        root.text("/sys/firmware/devicetree/base/chosen/rng-seed").state,
      ]);
    };
    const { text } = captureMachine(builder.build("archive", "m"), { ...options, question });
    for (const gone of ["hunter2", "diary", "editor", "letter", "seedseed"]) expect(text).not.toContain(gone);
    expect(text).toContain("container=podman");
    expect(text).toContain("/dev/accel/accel0");
  });

  it("trims long files to what matters and keeps one whole where the report would change", () => {
    const builder = new TreeBuilder().covers("/lib/modules").covers("/dev");
    const log = "6,1,0,-;wlan0: associated with the café\n6,2,0,-;rocket fdab0000.npu: Rockchip NPU core 0\n";
    builder.file("/dev/kmsg", log, { type: "char", major: 1, minor: 11 });
    builder.file(
      "/lib/modules/6.18/modules.alias",
      "# Aliases\nalias pci:v00001234* other\nalias of:N*T*Crockchip,rk3588-rknn-core rocket\n",
    );
    builder.file(
      "/lib/modules/6.18/modules.dep",
      "kernel/drivers/accel/rocket/rocket.ko: kernel/drivers/gpu/drm/drm_shmem_helper.ko\nkernel/drivers/gpu/drm/drm_shmem_helper.ko:\nkernel/net/x.ko:\n",
    );
    builder.file("/boot/config-6.18", "CONFIG_DRM_ACCEL=y\nCONFIG_SND=m\n# CONFIG_DRM_ACCEL_ROCKET is not set\n");
    const paths = [
      "/dev/kmsg",
      "/lib/modules/6.18/modules.alias",
      "/lib/modules/6.18/modules.dep",
      "/boot/config-6.18",
    ];
    const asking = (wants: RegExp) => (root: Root) =>
      JSON.stringify(
        paths
          .map((path) => {
            const text = root.text(path);
            return text.state === "read"
              ? text.value.split("\n").flatMap((line, i) => (wants.test(line) ? [[i, line]] : []))
              : text;
          })
          .map((lines, i) => (i === 0 ? lines : (lines as [number, string][]).map(([, line]) => line))),
      );
    const root = builder.build("archive", "m");

    const small = captureMachine(root, { ...options, question: asking(/rocket/i) });
    expect(small.notes).toEqual([]);
    for (const gone of ["café", "other", "CONFIG_SND", "net/x.ko"]) expect(small.text).not.toContain(gone);
    for (const kept of [
      "rk3588-rknn-core",
      "drm_shmem_helper.ko:",
      "CONFIG_DRM_ACCEL_ROCKET is not set",
      "NPU core 0",
    ]) {
      expect(small.text).toContain(kept);
    }

    const whole = captureMachine(root, { ...options, question: asking(/rocket|wlan0/i) });
    expect(whole.text).toContain("café");
    expect(whole.text).not.toContain("CONFIG_SND");
    expect(whole.notes).toEqual(["kernel log: kept whole, because the report changed without"]);
  });

  it("writes what the machine refused", () => {
    const root = new TreeBuilder()
      .fails("/dev/x", "denied", "EACCES")
      .unknown("/sys/y", "absent")
      .build("archive", "m");
    const { text, release } = captureMachine(root, {
      ...options,
      question: (asked) => JSON.stringify([asked.text("/dev/x"), asked.text("/sys/y")]),
    });
    expect(text).toContain('"/dev/x":{"size":0,"failed":["denied","EACCES"]}');
    expect(text).toContain('"/sys/y":"absent"');
    expect(release).toBe("machine");
    expect(openCapture(Buffer.from(text), "c").text("/sys/y")).toEqual(absent("/sys/y"));
  });
});

describe.skipIf(!hasShared)("the captured machines (../shared)", () => {
  for (const name of ["rack-7.3", "arm64-rocket-7.3", "rack-nodrv-7.3"]) {
    it(`${name}, captured and trimmed, gives the same review and fits in a mail`, async () => {
      const path = sharedPath(`machines/kernel/${name}.tar.gz`);
      const { code, out, err } = await run("capture", "--root", path, "-o", "-");
      expect([code, err]).toEqual([0, ""]);
      expect(out.length).toBeLessThan(300_000);
      const question = (root: Root): string => JSON.stringify(review(root, { abilities: true }));
      expect(question(openCapture(Buffer.from(out), path, "archive"))).toBe(question(openRoot(path)));
    });
  }
});
