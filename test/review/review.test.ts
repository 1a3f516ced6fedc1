/** The review's rules, one small machine each: what is wrong is named by its rule, with the evidence and a cure that fits. */

import { describe, expect, it } from "vitest";
import type { Finding } from "../../src/base/finding.ts";
import type { Report } from "../../src/review/report.ts";
import { review } from "../../src/review/review.ts";
import { machines } from "../support/machines.ts";

function reportOf(name: string): Report {
  const make = machines[name];
  if (!make) throw new Error(`no machine ${name}`);
  return review(make());
}

/** Findings that are more than notes, by rule. */
const serious = (report: Report): string[] =>
  report.findings.filter((finding) => finding.severity !== "note").map((finding) => finding.rule);

const find = (report: Report, rule: string): Finding => {
  const finding = report.findings.find((candidate) => candidate.rule === rule);
  if (!finding) throw new Error(`no ${rule} among ${report.findings.map((f) => f.rule).join(", ")}`);
  return finding;
};

describe("review", () => {
  it("finds nothing wrong with an NPU whose every layer is there, and is quiet", () => {
    const report = reportOf("rk3588-mainline-rocket");
    const [npu] = report.devices;
    expect(npu?.verdict).toEqual({ works: "yes", says: 'works by "open"', route: "open", most_open: "open" });
    expect(npu?.routes.find((route) => route.name === "open")?.open).toBe(true);
    expect(report.findings).toEqual([]);
    expect(report.blind).toEqual([]);
  });

  it("makes three rocket cores behind one node one device", () => {
    const npus = reportOf("rk3588-mainline-rocket").devices.filter((device) => device.family === "rockchip");
    expect(npus).toHaveLength(1);
    expect(npus[0]?.parts).toEqual(["fdab0000.npu", "fdac0000.npu", "fdad0000.npu"]);
    expect(npus[0]?.nodes.map((node) => node.path)).toEqual(["/dev/accel/accel0"]);
  });

  it("keeps silicon that the device tree switches off out of the devices, and says how to switch it on", () => {
    const report = reportOf("rk3588-npu-off-in-tree");
    expect(report.devices.filter((device) => device.family !== "cpu")).toEqual([]);
    expect(report.dormant.map((device) => device.address)).toEqual(["fdab0000.npu"]);
    expect(find(report, "silicon/off-in-device-tree").remedy?.says).toContain('status = "okay"');
    // And that switching it on is not enough on this kernel.
    expect(find(report, "driver/configured-off")).toMatchObject({ severity: "note", device: "platform:fdab0000.npu" });
  });

  it("names the firmware file that is missing and lets the log's own line speak first", () => {
    const report = reportOf("lunar-lake-no-firmware");
    expect(serious(report)).toEqual(["firmware/intel-fw-2"]);
    expect(find(report, "firmware/intel-fw-2").evidence).toEqual([
      expect.objectContaining({ seen: expect.stringContaining("kernel log line 2") as string }),
      expect.objectContaining({ seen: "/lib/firmware/intel/vpu/vpu_40xx_v1.bin" }),
    ]);
    // One fault, one finding: the layer's word of the same file is its evidence, and its cure fits the distribution.
    expect(report.findings.map((finding) => finding.rule)).not.toContain("firmware/missing");
    expect(find(report, "firmware/intel-fw-2").remedy?.commands?.[0]).toBe("sudo apt install firmware-intel-misc");
    expect(report.devices[0]?.verdict.says).toBe('the NPU\'s firmware file is not on this machine (route "openvino")');
  });

  it("tells the group to join when a node may not be opened", () => {
    const finding = find(reportOf("accel-node-not-permitted"), "node/permission");
    expect(finding.severity).toBe("error");
    expect(finding.remedy?.commands).toEqual(["sudo usermod -aG render $USER"]);
  });

  it("knows a container that lacks the node the kernel has", () => {
    const report = reportOf("container-without-accel-node");
    expect(serious(report)).toEqual(["node/not-in-dev"]);
    expect(find(report, "node/not-in-dev").remedy?.commands?.[0]).toContain("--device /dev/accel/accel0");
  });

  it("finds the line that keeps a module from loading", () => {
    const finding = find(reportOf("npu-module-blacklisted"), "driver/blacklisted");
    expect(finding.says).toContain("/etc/modprobe.d/no-npu.conf");
    expect(finding.remedy?.commands).toEqual(["sudo modprobe intel_vpu"]);
  });

  it("says who holds a device, and how to get it back", () => {
    const report = reportOf("npu-given-to-vfio");
    expect(report.devices[0]?.verdict.says).toContain("held by vfio-pci");
    expect(find(report, "driver/held").remedy?.commands).toContain(
      "echo 0000:00:0b.0 | sudo tee /sys/bus/pci/drivers/vfio-pci/unbind",
    );
    expect(report.findings.some((finding) => finding.rule === "node/missing")).toBe(false);
  });

  it("tells a driver configured off from one that is not in the kernel", () => {
    const off = find(reportOf("cloud-ai-100-configured-off"), "driver/configured-off");
    expect(off.evidence).toContainEqual({
      seen: "/boot/config-7.3.4+deb13-amd64",
      says: "# CONFIG_DRM_ACCEL_QAIC is not set",
    });
    expect(find(reportOf("coral-pcie-no-driver"), "driver/not-in-kernel").says).toContain("apex (out of tree)");
  });

  it("knows a Coral stick before its first use, without a kernel node, and writes rules for both its ids", () => {
    const report = reportOf("coral-usb-before-first-use");
    expect(report.devices[0]).toMatchObject({ family: "coral", bus: "usb", address: "1-1", nodes: [] });
    const rules = find(report, "node/permission").remedy?.commands?.filter((command) => command.includes("idVendor"));
    expect(rules).toHaveLength(2);
    expect(rules?.join()).toContain('ATTRS{idVendor}=="1a6e"');
    expect(rules?.join()).toContain('ATTRS{idVendor}=="18d1"');
    expect(find(report, "node/permission").remedy?.says).toContain("no udev rule of this machine");
  });

  it("does not ask for a udev rule that is there, and says which one was not applied", () => {
    const remedy = find(reportOf("coral-usb-rule-not-applied"), "node/permission").remedy;
    expect(remedy?.says).toContain("/usr/lib/udev/rules.d/60-libedgetpu1-std.rules line 2");
    expect(remedy?.commands).toStrictEqual([
      "sudo udevadm control --reload && sudo udevadm trigger",
      "sudo usermod -aG plugdev $USER",
    ]);
  });

  it("reports an unknown class-12 device as unrecognised, not as nothing", () => {
    const report = reportOf("unknown-processing-accelerator");
    const [device] = report.devices;
    expect(device?.family).toBeUndefined();
    expect(device?.verdict.says).toBe("unrecognised");
    expect(find(report, "silicon/unrecognised").says).toContain("dead:beef");
  });

  it("lists what could be plugged in only where nothing is", () => {
    expect(reportOf("no-accelerator").kernel.abilities?.some((ability) => ability.module === "apex")).toBe(true);
    expect(reportOf("lunar-lake-works").kernel.abilities).toBeUndefined();
    expect(reportOf("no-accelerator").kernel.abilities?.some((ability) => ability.family === "ethos-u")).toBe(false);
  });
});
