import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { layerNames, severities } from "../../src/base/finding.ts";
import { explainText } from "../../src/breakages/explain.ts";
import { breakage, breakages } from "../../src/breakages/index.ts";
import { SHORTEST } from "../../src/breakages/prefilter.ts";
import { unrelated } from "./unrelated.ts";

const facts = new URL("../../../shared/facts/breakages.json", import.meta.url);
const known = existsSync(facts)
  ? (JSON.parse(readFileSync(facts, "utf8")) as { id: string; symptom: string; links: string[] }[])
  : [];

describe("the table of breakages", () => {
  it("has unique ids, a cause, a cure and links for each row", () => {
    expect(new Set(breakages.map((b) => b.id)).size).toBe(breakages.length);
    for (const b of breakages) {
      expect(b.id).toMatch(/^[a-z0-9-]+$/);
      expect(b.title, b.id).not.toBe("");
      expect(b.cause.length, b.id).toBeGreaterThan(20);
      expect(b.cure.length, b.id).toBeGreaterThan(0);
      expect(b.links.length, b.id).toBeGreaterThan(0);
      for (const link of b.links) expect(link).toMatch(/^https:\/\/\S+$/);
      expect(layerNames).toContain(b.layer);
      expect(severities).toContain(b.severity);
      expect(b.patterns.length + b.mentions.length + b.visible.length, b.id).toBeGreaterThan(0);
      for (const other of b.unless ?? []) expect(breakage(other).id).toBe(other);
    }
  });

  it("gives each signature a literal that is long enough, lower case and part of what it can match", () => {
    for (const b of breakages) {
      for (const { has, like } of b.patterns) {
        expect(like.flags, b.id).toBe("i");
        for (const literal of has) {
          expect(literal, b.id).toBe(literal.toLowerCase());
          expect(literal.length, b.id).toBeGreaterThanOrEqual(SHORTEST);
        }
      }
    }
  });

  it("calls what is harmless a note, and only that", () => {
    for (const b of breakages.filter((b) => b.kind === "benign")) expect(b.severity, b.id).toBe("note");
  });
});

describe.skipIf(known.length === 0)("the researched breakages (../shared/facts/breakages.json)", () => {
  it("are all in the table, with all their links", () => {
    for (const { id, links } of known) {
      const ours = breakage(id).links;
      for (const link of links) expect(ours, id).toContain(link.replace(/ \(.*\)$/, ""));
    }
  });

  it.each(known.map((k) => [k.id, k.symptom]))("%s is explained from its symptom", (id, symptom) => {
    expect(explainText(symptom)[0]?.breakage.id).toBe(id);
  });
});

describe("variants people paste", () => {
  it.each([
    [
      "coral-eventfd-signal",
      "/var/lib/dkms/gasket/1.0/build/gasket_interrupt.c:161:18: error: too many arguments to function ‘eventfd_signal’",
    ],
    ["coral-no-node", "I see 1ac1:089a in lspci but there is no /dev/apex_0"],
    ["coral-no-node", "ls: cannot access '/dev/apex_0': No such file or directory"],
    ["coral-usb-no-apex", "lsusb shows the Coral stick and I find no /dev/apex_0"],
    ["coral-perm-usb", "ValueError: Failed to load delegate from libedgetpu.so.1.0 (USB)"],
    ["coral-msi-22", "[   12.1] apex 0000:05:00.0: Couldn't initialize interrupts: -28"],
    ["coral-vm-msix", "apex: probe of 0000:0b:00.0 failed with error -110"],
    ["tt-hugepage-zero", "hugepages are missing on my wormhole box"],
    ["tt-ffffffff", "Read 0xffffffff over PCIe ID 3: the board should be reset."],
    ["rk-open-rknpu", "E RKNN: [10:11:12.123] failed to open rknpu module, need to insmod rknpu dirver!"],
    ["rk-model-version-6", "E RKNN: [09:55:02.141] 6, 4"],
    ["rk-submit", "E RKNN: [17:01:47.567] failed to submit!, op id: 0, op name: InputOperator:data, flags: 0x5"],
    [
      "hailo-driver-version",
      "[HailoRT] [error] CHECK failed - Driver version (4.19.0) is different from library version (4.20.1)",
    ],
    [
      "hailo-page-size",
      "[HailoRT] [error] CHECK failed - max_desc_page_size given 16384 is bigger than hw max desc page size 4096",
    ],
    [
      "hailo-fw-missing",
      "hailo 0001:01:00.0: Firmware file not found (/lib/firmware/hailo/hailo8_fw.bin), please upload the firmware manually",
    ],
    ["intel-fw-2", "intel_vpu: probe of 0000:00:0b.0 failed with error -2"],
    ["intel-perm", "Failed to open file '/dev/accel/accel1': Permission denied"],
    [
      "intel-mapped-inference",
      "ERROR! MAPPED_INFERENCE_VERSION is NOT compatible with the ELF Expected: 7.1.0 vs received: 11.4.10",
    ],
    ["amd-sva", "amdxdna 0000:c5:00.1: [drm] *ERROR* amdxdna_drm_open: SVA bind device failed, ret -95"],
    ["amd-smu", "amdxdna 0000:67:00.1: [drm] *ERROR* aie2_smu_exec: smu cmd 3 failed, 0xff"],
    [
      "amd-fw-protocol",
      "amdxdna 0000:c4:00.1: [drm] *ERROR* aie2_check_protocol: Incompatible firmware protocol major 5 minor 1",
    ],
    ["kfd-perm", "Unable to open /dev/kfd read-write: Permission denied"],
    ["kfd-enomem", "kfd kfd: amdgpu: skipped device 1002:67df, PCI rejects atomics 730<0"],
    ["nv-nvml", "Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 570.124"],
    [
      "nv-nvml",
      "NVRM: API mismatch: the client has the version 550.90.07, but\nNVRM: this kernel module has the version 550.54.15.",
    ],
    ["nv-gsp", "nvidia 0000:01:00.0: Direct firmware load for nvidia/570.86.16/gsp_ga10x.bin failed with error -2"],
    ["nv-rminit", "Jul 01 22:55:07 gpu kernel: NVRM: GPU 0000:81:00.0: RmInitAdapter failed! (0x24:0x72:1568)"],
    ["nv-fell-off", "NVRM: Xid (PCI:0000:3b:00): 79, pid=1234, GPU has fallen off the bus."],
    ["qc-perm", "fastrpc: open /dev/fastrpc-cdsp: Permission denied"],
    ["qaic-fw-missing", "mhi mhi0: Error loading firmware: -2"],
    ["vsi-hal", "[     2] HAL kernel version 6.4.3.p2.336687"],
    [
      "module-vermagic",
      "galcore: version magic '4.9.113 SMP preempt mod_unload aarch64' should be '5.5.0-rc2 SMP preempt mod_unload aarch64'",
    ],
    ["module-signature", "modprobe: ERROR: could not insert 'apex': Required key not available"],
    ["gaudi-busy", "RuntimeError: synStatus=20 [Device already acquired] Device acquire failed."],
    ["asc-dcmi", "dcmi module initialize failed. ret is -8005"],
    [
      "tpu-lock",
      "RuntimeError: Unable to initialize backend 'tpu': The TPU is already in use by process with pid 4711.",
    ],
  ])("%s is recognised", (id, text) => {
    expect(explainText(text)[0]?.breakage.id).toBe(id);
  });

  it("a message that a terminal wrapped is still one message", () => {
    const wrapped = "CHECK failed - Driver version (4.20.0) is\ndifferent from library version (4.22.0)";
    expect(explainText(wrapped)[0]?.breakage.id).toBe("hailo-driver-version");
  });
});

describe("what is not about accelerators", () => {
  it.each(unrelated)("says nothing about: %s", (line) => {
    expect(explainText(line).map((e) => e.breakage.id)).toEqual([]);
  });

  it("says nothing about such lines without their stamps", () => {
    for (const line of unrelated) {
      expect(explainText(line.replace(/^\[[^\]]*\] /, "")).map((e) => `${e.breakage.id}: ${line}`)).toEqual([]);
    }
  });

  it.each([
    "",
    "   \n\n",
    "my printer does not work",
    "no space left on device",
    "permission denied",
    "module not found",
    "the container cannot find the device",
    "version mismatch",
  ])("says nothing about %j", (text) => {
    expect(explainText(text)).toEqual([]);
  });
});
