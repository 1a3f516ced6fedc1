/**
 * What people paste in bug reports, one file each: family, address and driver of what is there, and the reason where the text shows
 * one. The expectations are those of the manifest's `truth`, written as data; "-" is unbound, "?" a text that does not say.
 */

import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { openRoot } from "../../src/root/open.ts";
import { review } from "../../src/review/review.ts";
import { hasShared, sharedPath, unlessShared } from "../support/shared.ts";

interface Expected {
  /** "family address driver" */
  readonly devices: readonly string[];
  /** Rules that must be among the findings above notes. */
  readonly reasons?: readonly string[];
}

const expected: Readonly<Record<string, Expected>> = {
  "amd-gpu_polaris_kfd-unsupported.txt": { devices: ["amd-rocm amdgpu amdgpu"], reasons: ["silicon/kfd-enomem"] },
  "amd-gpu_rx6900xt_kfd-ok.txt": { devices: ["amd-rocm 0000:31:00.0 amdgpu"] },
  "amd-kfd_debugfs-parsing.txt": { devices: [] },
  "amd-kfd_topo-mi300-cpx.txt": {
    devices: ["05", "27", "47", "65", "85", "a7", "c7", "e5"].map((bus) => `amd-rocm 0000:${bus}:00.0 amdgpu`),
  },
  "amd-xdna_fw-not-alive.txt": {
    devices: ["amd-xdna 0000:c6:00.1 -"],
    reasons: ["firmware/amd-fw-not-alive"],
  },
  "amd-xdna_ok-7840u.txt": { devices: ["amd-xdna 0000:c2:00.1 amdxdna"] },
  "amd-xdna_protocol-mismatch.txt": {
    devices: ["amd-xdna 0000:c7:00.1 amdxdna"],
    reasons: ["firmware/amd-fw-protocol"],
  },
  "amd-xdna_strix-point_lspci-nnk.txt": { devices: ["amd-xdna 0000:66:00.1 amdxdna"] },
  "ascend_310p_lspci.txt": { devices: ["ascend 0000:01:00.0 ?", "ascend 0000:06:00.0 ?"] },
  "ascend_910b_lspci-arm.txt": { devices: ["ascend 0000:08:00.0 ?", "ascend 0000:0c:00.0 ?"] },
  "ascend_910b_npu-smi.txt": { devices: ["ascend 0000:c1:00.0 ?", "ascend 0000:c2:00.0 ?"] },
  "aws-neuron_dkms-installed-no-node.txt": { devices: [], reasons: ["node/aws-no-dev"] },
  "aws-neuron_inf2_lspci.txt": { devices: ["aws-neuron 0000:00:1f.0 ?"] },
  "aws-neuron_modinfo.txt": { devices: [] },
  "axelera_metis_lspci.txt": {
    devices: ["63", "64", "65", "66", "e3", "e4"].map((bus) => `axelera 0000:${bus}:00.0 ?`),
  },
  "coral-apex_disabled-bars.txt": { devices: ["coral 0000:3b:00.0 -"], reasons: ["driver/coral-no-node"] },
  "coral-apex_dual-one-bound.txt": { devices: ["coral 0000:09:00.0 apex"] },
  "coral-apex_intx-poll-arm.txt": { devices: ["coral 0001:06:00.0 apex"] },
  "coral-apex_jetson-no-apex.txt": { devices: [] },
  "coral-apex_lspci-nnk-desktop.txt": { devices: ["coral 0000:04:00.0 apex"] },
  "coral-apex_no-driver-5.15.txt": { devices: ["coral 0000:04:00.0 ?", "coral 0000:05:00.0 ?"] },
  "coral-apex_pi5_lspci-v.txt": { devices: ["coral apex apex"] },
  "coral-apex_unbound-ubuntu-5.16.txt": { devices: ["coral 0000:02:00.0 ?"], reasons: ["driver/coral-no-node"] },
  "coral-usb_bootloader-mode.txt": { devices: ["coral 2-0.2 ?"] },
  "coral-usb_id-change.txt": { devices: ["coral 2-0.3 ?"] },
  "coral-usb_lsusb-ciue-no-driver.txt": { devices: ["coral 3-4 ?"] },
  "deepx_dxm1_lspci.txt": { devices: ["deepx 0000:0b:00.0 ?", "deepx 0001:11:00.0 ?"] },
  "dts_rk3566-rknpu-overlay.dts": { devices: ["rockchip fde40000.npu ?"] },
  "ethosn_wrong-driver-on-rk3588.txt": { devices: [], reasons: ["driver/ethosn-no-device"] },
  "etnaviv_a733-t527-note.txt": { devices: ["verisilicon 7122000.npu ?"] },
  "etnaviv_imx8mp_debix.txt": { devices: ["verisilicon 38500000.npu etnaviv-gpu"] },
  "etnaviv_imx8mp_race-gc0.txt": {
    devices: ["verisilicon 38500000.npu -"],
    reasons: ["silicon/etnaviv-unknown-gpu"],
  },
  "furiosa_rngd_full.txt": { devices: ["furiosa 0000:27:00.0 ?"] },
  "galcore_rk1808.txt": { devices: ["verisilicon ffbc0000.npu galcore"] },
  "galcore_rv1126_oops.txt": { devices: [], reasons: ["driver/galcore-oops"] },
  "galcore_vim3-vermagic.txt": { devices: [], reasons: ["driver/module-vermagic"] },
  "google-tpu_v3_permission.txt": { devices: ["cloud-tpu /dev/accel0 ?"], reasons: ["node/tpu-eperm"] },
  "habana_gaudi1_ok.txt": {
    devices: ["intel-gaudi 0000:19:00.0 habanalabs", "intel-gaudi 0000:b3:00.0 habanalabs"],
  },
  "hailo8_driver-5x-does-not-claim.txt": {
    devices: ["hailo 0000:03:00.0 ?"],
    reasons: ["driver/hailo-other-branch"],
  },
  "hailo8_no-firmware-file-but-bound.txt": {
    devices: ["hailo 0000:01:00.0 hailo"],
    reasons: ["firmware/hailo-fw-missing"],
  },
  "hailo8_ok-behind-switch.txt": { devices: ["hailo 0000:05:00.0 hailo"] },
  "hailo8l_lspci-vvv_tail.txt": { devices: ["hailo 0000:01:00.0 hailo", "hailo 0000:02:00.0 hailo"] },
  "hailo8l_msi-28.txt": { devices: ["hailo 0000:05:00.0 -"], reasons: ["driver/hailo-msi-28"] },
  "intel-arc_a750-xe-pi5.txt": { devices: ["intel-gpu 0000:03:00.0 xe"], reasons: ["firmware/intel-guc"] },
  "intel-arc_a770-guc-failed.txt": { devices: ["intel-gpu 0000:0d:00.0 i915"], reasons: ["firmware/intel-guc"] },
  "intel-npu_40xx-ok-openvino-blind.txt": { devices: ["intel-npu 0000:00:0b.0 intel_vpu"] },
  "intel-npu_arrowlake-ok-debian.txt": { devices: ["intel-npu 0000:00:0b.0 intel_vpu"] },
  "intel-npu_fw-missing-qubes.txt": { devices: ["intel-npu 0000:00:0b.0 -"], reasons: ["firmware/intel-fw-2"] },
  "intel-npu_fw-purged.txt": { devices: ["intel-npu 0000:00:0b.0 -"], reasons: ["firmware/intel-fw-2"] },
  "intel-npu_lunarlake_hp_lspci-nnk.txt": { devices: ["intel-npu 0000:00:0b.0 intel_vpu"] },
  "intel-npu_lunarlake_lspci-nnk.txt": {
    devices: ["intel-gpu 0000:00:02.0 xe", "intel-npu 0000:00:0b.0 intel_vpu"],
  },
  "intel-npu_mtl_live-record.txt": { devices: ["intel-npu 0000:00:0b.0 intel_vpu"] },
  "intel-npu_ptl-lshw.txt": { devices: ["intel-gpu 0000:00:02.0 ?", "intel-npu 0000:00:0b.0 intel_vpu"] },
  "movidius_ncs2-lsusb.txt": { devices: ["movidius 1-0.3 ?"] },
  "negative_kunpeng-zip-class1200.txt": { devices: [] },
  "nvidia_5090-rminit-failed.txt": { devices: ["nvidia 0000:01:00.0 nvidia"], reasons: ["driver/nv-rminit"] },
  "remoteproc_sm7150-cdsp-fw-missing.txt": { devices: ["qualcomm 8300000.remoteproc ?"] },
  "rknpu_absent-mainline-6.7.txt": { devices: ["rockchip rk3588 ?"], reasons: ["node/missing"] },
  "rknpu_allbilly_capture_rknpu_ioctl_sysfs_readonly.txt": { devices: ["rockchip fdab0000.npu RKNPU"] },
  "rknpu_builtin-0.9.3.txt": { devices: ["rockchip rknpu rknpu"] },
  "rknpu_rock5b-0.9.6.txt": { devices: ["rockchip rknpu rknpu"] },
  "rknpu_userspace-driver-too-old.txt": {
    devices: ["rockchip rknpu rknpu"],
    reasons: ["driver/rk-submit", "model/rkllm-magic"],
  },
  "rocket_rk3588-mainline-ok.txt": { devices: ["rockchip fdab0000.npu rocket"] },
  "sbc-bench_4L4u.txt": { devices: ["rockchip fde40000.npu RKNPU"] },
  "sbc-bench_4hx0.txt": { devices: ["verisilicon fsl,imx8mp ?"] },
  "sbc-bench_4qJr.txt": { devices: ["rockchip fdab0000.npu RKNPU"] },
  "sbc-bench_5pv8oh.txt": { devices: ["rockchip fdab0000.npu RKNPU"] },
  "sbc-bench_8g-p.txt": { devices: ["rockchip 27700000.npu RKNPU"] },
  "sbc-bench_XUSc.txt": { devices: ["sophgo bm1684 ?"] },
  "sbc-bench_XyIw.txt": { devices: ["rockchip fdab0000.npu RKNPU"] },
  "sbc-bench_c9ZIGh.txt": { devices: ["rockchip fdab0000.npu RKNPU"] },
  "sophgo_bm1684_soc-no-device.txt": { devices: ["sophgo bm1684 ?"], reasons: ["driver/sophgo-no-device"] },
  "tenstorrent_blackhole_qubes.txt": { devices: ["tenstorrent 0000:00:07.0 tenstorrent"] },
  "tenstorrent_no-card.txt": { devices: [] },
  "tenstorrent_wormhole-unassigned-bars.txt": {
    devices: ["tenstorrent 0000:8a:00.0 ?"],
    reasons: ["silicon/tt-unassigned-bars"],
  },
  "xilinx_artix_unbound.txt": { devices: ["unrecognised 0000:01:00.0 -"] },
  "xilinx_bcu1525_foreign-vendor-id.txt": { devices: ["unrecognised 0000:06:00.0 ?"] },
  "xilinx_u200_only-jtag-uart.txt": { devices: [] },
  "xilinx_u200_two-functions.txt": { devices: ["xilinx-dpu 0000:b3:00.1 xocl_xdma"] },
};

describe.skipIf(!hasShared)(`pasted texts${unlessShared}`, () => {
  it("every text has its expectation", () => {
    expect(Object.keys(expected).sort()).toEqual(readdirSync(sharedPath("machines/text")).sort());
  });

  it.each(Object.entries(expected))("%s", (file, { devices, reasons = [] }) => {
    const report = review(openRoot(sharedPath(`machines/text/${file}`)));
    const found = report.devices
      .filter((device) => device.family !== "cpu")
      .map(({ family = "unrecognised", address, driver }) => {
        const word = driver.state === "read" ? driver.value : driver.state === "absent" ? "-" : "?";
        return `${family} ${address} ${word}`;
      });
    expect(found.sort()).toEqual([...devices].sort());
    const rules = report.findings.filter((finding) => finding.severity !== "note").map((finding) => finding.rule);
    for (const reason of reasons) expect(rules).toContain(reason);
    // A text that shows a working device must not be given a fault it does not have.
    if (reasons.length === 0 && devices.every((line) => !line.endsWith(" -"))) {
      expect(report.findings.filter((finding) => finding.severity === "error")).toEqual([]);
    }
  });
});
