/** Redaction: nothing of the owner is left anywhere in the file, and the machine is. */

import { describe, expect, it } from "vitest";

import { review } from "../../src/review/review.ts";
import { captureMachine } from "../../src/root/capture-machine.ts";
import { openCapture, toCapturePaths, writeCapture } from "../../src/root/capture.ts";
import type { Names } from "../../src/root/identities.ts";
import { TreeBuilder } from "../../src/root/memory.ts";
import { record } from "../../src/root/recording.ts";
import { redact } from "../../src/root/redact.ts";
import type { Ask, Root } from "../../src/root/root.ts";

const USB = "/sys/devices/pci0000:00/0000:00:14.0/usb1";
const PCI = "/sys/devices/pci0000:00/0000:00:02.0";
const ask: Ask = { name: "HL_IOCTL_INFO", code: 1, input: new Uint8Array(4) };

/** Each is planted below, some in several spellings and places. */
const ORIGINALS = [
  "PF3XK91Q",
  "L1HF9AB03CD",
  "4c4c4544-0042-3110-8056-b4c04f4e3632",
  "4C4C4544-0042-3110-8056-B4C04F4E3632",
  "8fa1c0ffee123456",
  "a0:36:9f:12:34:56",
  "A0:36:9F:12:34:56",
  "anna-laptop",
  "anna-laptop.example.org",
  "anna.schmidt",
  "Anna Schmidt",
  "10.77.3.21",
  "2a01:4f8:c0c:1234::77",
  "fe80::a236:9fff:fe12:3456",
  "6c8f0a7e5d4b4c3aa2b1908f7e6d5c4b",
  "d3adb33f-1234-4321-abcd-0123456789ab",
  "e1e2e3e4-02",
  "nvme-secret-label",
  "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
];

const LOG = [
  "[    0.0] Command line: BOOT_IMAGE=/vmlinuz root=UUID=d3adb33f-1234-4321-abcd-0123456789ab resume=PARTUUID=e1e2e3e4-02 LABEL=nvme-secret-label",
  "[    1.0] usb 1-1: SerialNumber: L1HF9AB03CD",
  "[    1.1] usb 1-2: SerialNumber: 0000:00:14.0",
  "[    2.0] e1000e 0000:00:1f.6 eth0: (PCI Express:2.5GT/s:Width x1) a0:36:9f:12:34:56",
  "[    3.0] systemd[1]: Hostname set to <anna-laptop>.",
  "[    4.0] nfs: server 10.77.3.21 not responding, address 2a01:4f8:c0c:1234::77",
  "[    4.1] IPv6: ADDRCONF(NETDEV_CHANGE): eth0: link address fe80::a236:9fff:fe12:3456",
  "[    5.0] rknpu fdab0000.npu: RKNPU: firmware version 1.2.3.4",
  "[    5.1] intel_vpu 0000:00:02.0: [drm] Firmware: intel/vpu/vpu_37xx_v1.bin, version: 20.0.1.5",
  "Nov 25 10:00:00 anna-laptop kernel: pci 0000:00:02.0: [8086:7d1d]",
  "[    6.0] EXT4-fs (nvme0n1p2): mounted filesystem 0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9 r/w",
  "[    7.0] audit: op=login acct=anna.schmidt exe=/home/anna.schmidt/bin/x hostname=anna-laptop",
  "",
].join("\n");

function machine(): TreeBuilder {
  const builder = new TreeBuilder().covers("/sys").covers("/proc").covers("/etc").covers("/dev");
  const files: Readonly<Record<string, string>> = {
    "/sys/class/dmi/id/product_serial": "PF3XK91Q\n",
    "/sys/class/dmi/id/board_serial": "To be filled by O.E.M.\n",
    "/sys/class/dmi/id/product_uuid": "4c4c4544-0042-3110-8056-b4c04f4e3632\n",
    "/sys/class/dmi/id/product_name": "Laptop 3000\n",
    [`${USB}/serial`]: "0000:00:14.0\n",
    [`${USB}/1-1/serial`]: "L1HF9AB03CD\n",
    [`${PCI}/unique_id`]: "8fa1c0ffee123456\n",
    [`${PCI}/vendor`]: "0x8086\n",
    [`${PCI}/modalias`]: "pci:v00008086d00007D1Dsv0000A0F3sd00002212bc12sc00i00\n",
    "/sys/class/net/eth0/address": "a0:36:9f:12:34:56\n",
    "/etc/hostname": "anna-laptop.example.org\n",
    "/proc/sys/kernel/hostname": "anna-laptop\n",
    "/etc/machine-id": "6c8f0a7e5d4b4c3aa2b1908f7e6d5c4b\n",
    "/etc/passwd":
      "root:x:0:0:root:/root:/bin/sh\nanna.schmidt:x:1000:1000:Anna Schmidt,,,:/home/anna.schmidt:/bin/sh\n",
    "/etc/group": "render:x:105:anna.schmidt\nvideo:x:44:\n",
    "/proc/cmdline": "root=UUID=d3adb33f-1234-4321-abcd-0123456789ab resume=PARTUUID=e1e2e3e4-02\n",
    "/proc/driver/nvidia/gpus/0000:01:00.0/information":
      "GPU UUID: GPU-4C4C4544-0042-3110-8056-B4C04F4E3632\nMAC A0:36:9F:12:34:56\n",
    "/home/anna.schmidt/.local/lib/python3.13/site-packages/x": "installed for anna.schmidt\n",
    "/lib/modules/6.18/modules.alias":
      "alias wmi:9f1f4b5e-1a2b-4c3d-8e9f-001122334455 some_wmi\nalias of:N*T*Crockchip,rk3588 rocket\n",
  };
  for (const [path, content] of Object.entries(files)) builder.file(path, content);
  builder.file("/dev/kmsg", LOG, { type: "char", major: 1, minor: 11 });
  builder.directory("/home").directory("/home/anna.schmidt");
  builder.link("/srv/exe", "/home/anna.schmidt/bin/llama").link("/srv/by-host", "/exports/anna-laptop/models");
  builder.file(
    `${PCI}/blob`,
    Buffer.concat([Buffer.from([0xff, 0, 0xfe]), Buffer.from("PF3XK91Q anna-laptop"), Buffer.from([0xff])]),
  );
  builder.file("/proc/device-tree/ethernet/local-mac-address", Uint8Array.of(0xa0, 0x36, 0x9f, 0x12, 0x34, 0x56));
  builder.file(`${PCI}/config`, pciConfig()).file(`${PCI}/vpd`, "SN PF3XK91Q");
  builder.answer("/dev/hl0", ask, {
    state: "read",
    value: { struct: Buffer.from("card PF3XK91Q"), buffers: [] },
    from: "",
  });
  return builder
    .node("/dev/hl0", { type: "char" })
    .fails("/sys/x", "malformed", "no route to 10.77.3.21 for anna-laptop");
}

/** With a device serial number capability at 0x100. */
function pciConfig(): Uint8Array {
  const config = Buffer.alloc(4096, 0);
  config.writeUInt32LE(0x0001_0003, 0x100);
  config.write("DSNDSNDS", 0x104, "latin1");
  config[0] = 0xff;
  return config;
}

const WALK = ["/sys", "/etc", "/proc", "/home", "/lib", "/srv", "/dev"];

/** Reads everything there is. */
function readAll(root: Root, builderPaths: readonly string[]): void {
  for (const path of builderPaths) {
    root.bytes(path);
    root.link(path);
    root.list(path);
  }
  root.ask("/dev/hl0", ask);
}

const PATHS = [
  ...WALK,
  ...["product_serial", "board_serial", "product_uuid", "product_name"].map((name) => `/sys/class/dmi/id/${name}`),
  ...["serial", "1-1/serial"].map((name) => `${USB}/${name}`),
  ...["unique_id", "vendor", "modalias", "blob", "config", "vpd"].map((name) => `${PCI}/${name}`),
  ...[
    "/sys/class/net/eth0/address",
    "/etc/hostname",
    "/proc/sys/kernel/hostname",
    "/etc/machine-id",
    "/etc/passwd",
    "/etc/group",
  ],
  ...[
    "/proc/cmdline",
    "/proc/driver/nvidia/gpus/0000:01:00.0/information",
    "/lib/modules/6.18/modules.alias",
    "/dev/kmsg",
    "/sys/x",
  ],
  ...["/home/anna.schmidt", "/home/anna.schmidt/.local/lib/python3.13/site-packages/x", "/srv/exe", "/srv/by-host"],
  "/proc/device-tree/ethernet/local-mac-address",
];

function captured(names?: Names): string {
  const { text } = captureMachine(machine().build("archive", "m"), {
    question: (root) => {
      readAll(root, PATHS);
      return "";
    },
    relevant: { modules: new Set(), symbols: new Set() },
    by: "test",
    redact: true,
    trim: false,
    names: names ?? { users: [], hosts: [] },
  });
  return text;
}

/** The file's text and every binary part of it as text. */
function everything(text: string): string {
  const packed = [...text.matchAll(/"base64":"([^"]*)"/g)].map(([, base64 = ""]) =>
    Buffer.from(base64, "base64").toString("latin1"),
  );
  const hex = [...text.matchAll(/"((?:[0-9a-f]{2})+)"/g)].map(([, bytes = ""]) =>
    Buffer.from(bytes, "hex").toString("latin1"),
  );
  return [text, ...packed, ...hex].join("\n");
}

describe("a redacted capture", () => {
  const text = captured();
  const all = everything(text);

  for (const original of ORIGINALS) {
    it(`holds ${original} nowhere`, () => {
      expect(all.toLowerCase()).not.toContain(original.toLowerCase());
    });
  }

  it("holds no bytes of a MAC address, no device serial number, no vital product data", () => {
    expect(all).not.toContain(Buffer.from([0xa0, 0x36, 0x9f, 0x12, 0x34, 0x56]).toString("latin1"));
    expect(all).not.toContain("DSNDSNDS");
    expect(text).toContain('/vpd":{"failed":["uncaptured","holds serial numbers"]}');
  });

  it("replaces the same by the same", () => {
    const root = openCapture(Buffer.from(text), "c");
    const log = root.text("/dev/kmsg");
    const usb = root.text(`${USB}/1-1/serial`);
    const mac = root.text("/sys/class/net/eth0/address");
    if (log.state !== "read" || usb.state !== "read" || mac.state !== "read") throw new Error("not captured");
    expect(usb.value).toMatch(/^serial-[0-9]+\n$/);
    expect(log.value).toContain(`usb 1-1: SerialNumber: ${usb.value.trim()}\n`);
    expect(mac.value).toMatch(/^02:00:00:00:00:[0-9a-f]{2}\n$/);
    expect(log.value).toContain(`x1) ${mac.value.trim()}\n`);
    const host = root.text("/proc/sys/kernel/hostname");
    if (host.state !== "read") throw new Error("not captured");
    expect(log.value).toContain(`Hostname set to <${host.value.trim()}>.`);
    expect(log.value).toContain(`Nov 25 10:00:00 ${host.value.trim()} kernel: pci`);
    expect(root.text("/etc/group")).toMatchObject({ value: "render:x:105:user-1\nvideo:x:44:\n" });
    expect(root.list("/home")).toMatchObject({ value: ["user-1"] });
    expect(root.link("/srv/exe")).toMatchObject({ value: "/home/user-1/bin/llama" });
    expect(root.text("/home/user-1/.local/lib/python3.13/site-packages/x")).toMatchObject({ state: "read" });
  });

  it("keeps what is the machine's: addresses, ids, versions, placeholders", () => {
    for (const kept of [
      "0000:00:14.0",
      "0000:00:02.0",
      "fdab0000.npu",
      "firmware version 1.2.3.4",
      "version: 20.0.1.5",
      "pci:v00008086d00007D1Dsv0000A0F3",
      "Laptop 3000",
      "To be filled by O.E.M.",
      "wmi:9f1f4b5e-1a2b-4c3d-8e9f-001122334455",
      "[8086:7d1d]",
    ]) {
      expect(text).toContain(kept);
    }
  });

  it("says what was replaced, and is the same file every time", () => {
    expect(text.split("\n")[0]).toContain("replaced throughout: ");
    expect(captured()).toBe(text);
  });

  it("hides the names of who captures, even where nothing else names them", () => {
    const log = new TreeBuilder().file("/dev/kmsg", "6,1,0,-;comm zoe-runner of zoe.miller\n", {
      type: "char",
      major: 1,
      minor: 11,
    });
    const recording = record(log.build("archive", "m"));
    recording.root.text("/dev/kmsg");
    const paths = redact(toCapturePaths(recording.records), { users: ["zoe.miller"], hosts: ["zoe-runner"] }).paths;
    expect(writeCapture(paths, { by: "t", redacted: true, notes: [] })).toContain("comm host-1 of user-1");
  });
});

describe("a name that is a word of the hardware", () => {
  const builder = (): TreeBuilder =>
    new TreeBuilder()
      .file("/proc/sys/kernel/hostname", "rocket\n")
      .file("/etc/passwd", "accel:x:1000:1000::/home/accel:/bin/sh\n")
      .file("/proc/modules", "rocket 40960 0 - Live 0x0\n")
      .directory("/sys/module", {}, ["rocket"])
      .directory("/sys/class", {}, ["accel"])
      .file(
        "/dev/kmsg",
        "Nov 25 10:00:00 rocket kernel: rocket fdab0000.npu: probed\nHostname set to <rocket>.\n/home/accel/x\n",
        {
          type: "char",
          major: 1,
          minor: 11,
        },
      );

  it("is replaced where it is the name and stays where it is the hardware", () => {
    const recording = record(builder().build("archive", "m"));
    for (const path of ["/proc/sys/kernel/hostname", "/etc/passwd", "/proc/modules", "/dev/kmsg"])
      recording.root.text(path);
    recording.root.list("/sys/module");
    recording.root.list("/sys/class");
    const { paths } = redact(toCapturePaths(recording.records));
    const root = openCapture(Buffer.from(writeCapture(paths, { by: "t", redacted: true, notes: [] })), "c");
    expect(root.text("/proc/sys/kernel/hostname")).toMatchObject({ value: "host-1\n" });
    expect(root.text("/proc/modules")).toMatchObject({ value: "rocket 40960 0 - Live 0x0\n" });
    expect(root.list("/sys/module")).toMatchObject({ value: ["rocket"] });
    expect(root.list("/sys/class")).toMatchObject({ value: ["accel"] });
    expect(root.text("/dev/kmsg")).toMatchObject({
      value: "Nov 25 10:00:00 host-1 kernel: rocket fdab0000.npu: probed\nHostname set to <host-1>.\n/home/user-1/x\n",
    });
  });
});

describe("the review of a redacted capture", () => {
  it("is the review of the machine with the names replaced", () => {
    const root = machine().build("archive", "m");
    const recording = record(root);
    const report = JSON.stringify(review(recording.root, { abilities: true }));
    const { paths, apply } = redact(toCapturePaths(recording.records));
    const replay = openCapture(
      Buffer.from(writeCapture(paths, { by: "t", redacted: true, notes: [] })),
      "m",
      "archive",
    );
    expect(JSON.stringify(review(replay, { abilities: true }))).toBe(apply(report));
  });
});
