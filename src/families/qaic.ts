/** Qualcomm Cloud AI 100, 80 and 200: PCIe cards of Hexagon cores behind MHI, mainline driver qaic. Documentation/accel/qaic */

import { fact, type Source } from "../base/source.ts";
import { pci, type Family } from "./family.ts";

const ids: Source = { kernel: "drivers/accel/qaic/qaic_drv.c", module: "qaic", release: "7.3.4" };
const images: Source = { kernel: "drivers/accel/qaic/sahara.c", module: "qaic", release: "7.3.4" };
const kconfig: Source = { kernel: "drivers/accel/qaic/Kconfig", module: "qaic", release: "7.3.4" };
const abi: Source = { kernel: "Documentation/ABI/testing/sysfs-driver-qaic", module: "qaic", release: "7.3.4" };
const udev: Source = { cited: "Debian packages udev 254.26, 257.13, 262.1: 50-udev-default.rules", seen: "2026-11-22" };
const kit: Source = { cited: "https://github.com/quic/software-kit-for-qualcomm-cloud-ai-100", seen: "2026-11-22" };
const sdk: Source = {
  cited: "https://github.com/quic/cloud-ai-sdk",
  says: "@e21e04a (2026-06-16)",
  seen: "2026-11-22",
};
const debian: Source = { cited: "Debian firmware-qcom-soc 20250410-2, 20260916-1 (file lists)", seen: "2026-11-22" };
const skus: Source = {
  cited: "https://quic.github.io/cloud-ai-sdk-pages/latest/Getting-Started/Architecture",
  says: "Standard: Int8 325 TOPs, FP16 110 TFLOPs, 75 W; Pro: 375 TOPs, 125 TFLOPs, 75 W; Ultra, four SoCs: 870 TOPs, 290 TFLOPs, 150 W; 16 AI cores a SoC",
  seen: "2026-11-25",
};
const files = ["sbl", "fw1", "fw2", "fw5", "fw9", "fw10"] as const;

export default {
  id: "qaic",
  vendor: "Qualcomm",
  name: "Qualcomm Cloud AI",
  aliases: ["aic100", "cloud-ai-100"],
  says: "Inference cards for servers. The driver is mainline and switched off in Debian's kernels; programs are compiled by Qualcomm's SDK.",
  architecture: "VLIW DSP",
  architectureDetail: fact("Hexagon NSP cores behind MHI and a network-like control protocol", ids),
  use: "inference",
  chips: [
    {
      id: "aic100",
      name: "Cloud AI 100",
      matches: [pci("17cb:a100")],
      peak: [
        { ops: 375e12, precision: "int8 (Pro)", watts: fact(75, skus), source: skus },
        { ops: 325e12, precision: "int8 (Standard)", watts: fact(75, skus), source: skus },
        { ops: 870e12, precision: "int8 (Ultra, four chips)", watts: fact(150, skus), source: skus },
        { ops: 125e12, precision: "fp16 (Pro)", watts: fact(75, skus), source: skus },
        { ops: 110e12, precision: "fp16 (Standard)", watts: fact(75, skus), source: skus },
        { ops: 290e12, precision: "fp16 (Ultra, four chips)", watts: fact(150, skus), source: skus },
      ],
      memory: fact("Standard 16 GB, Pro 32 GB, Ultra 128 GB DDR; 126 to 144 MB of SRAM a chip", skus),
      cores: fact(16, skus),
      source: ids,
    },
    { id: "aic080", name: "Cloud AI 80", matches: [pci("17cb:a080")], source: ids },
    { id: "aic200", name: "Cloud AI 200", matches: [pci("17cb:a110")], source: ids },
  ],
  routes: [
    {
      name: "qaic",
      says: "mainline driver, closed firmware, Qualcomm's Cloud AI SDK",
      driver: {
        module: "qaic",
        with: ["mhi"],
        origin: "mainline",
        since: "6.4",
        config: {
          symbol: "DRM_ACCEL_QAIC",
          needs: ["DRM_ACCEL", "MHI_BUS", "PCI"],
          never: "no Debian kernel has set it, up to 7.3",
        },
        openness: "open",
        licence: "GPL-2.0",
        repository: "https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git",
        // No package: off in every Debian kernel, 6.12 to 7.3.
        source: kconfig,
      },
      firmware: {
        // Not one is declared in modinfo. fw4, fw6 and fw8 are asked for too and are in no Debian package.
        files: [
          ...files.map((name) => ({ path: `qcom/aic100/${name}.bin`, chips: ["aic100", "aic080"], source: images })),
          { path: "qcom/aic200/sbl.bin", chips: ["aic200"], packaged: false, source: images },
          { path: "qcom/aic200/uefi.elf", chips: ["aic200"], packaged: false, source: images },
          { path: "qcom/aic200/aic200-nsp.bin", chips: ["aic200"], packaged: false, source: images },
        ],
        openness: "closed",
        packages: {
          debian: [
            {
              name: "firmware-qcom-soc",
              from: "non-free-firmware: trixie, sid",
              gives: "qcom/aic100; aic200 is in no package seen",
            },
          ],
        },
      },
      node: {
        paths: ["/dev/accel/accel*"],
        class: "accel",
        drmName: "qaic",
        group: "render",
        mode: "0660",
        rule: 'SUBSYSTEM=="accel"',
        source: udev,
      },
      runtime: {
        name: "Cloud AI runtime",
        libraries: ["libQAic.so"],
        paths: ["/opt/qti-aic/dev/lib/x86_64/libQAic.so"],
        openness: "mixed",
        licence: "BSD-3-Clause-Clear",
        packages: { vendor: { says: "Cloud AI SDK, in /opt/qti-aic", link: "https://github.com/quic/cloud-ai-sdk" } },
        source: kit,
      },
      delegate: {
        id: "vendor",
        name: "Cloud AI SDK (ONNX Runtime QAic provider, vLLM)",
        libraries: ["libQAic.so"],
        paths: ["/opt/qti-aic/dev/lib/x86_64/libQAic.so"],
        openness: "mixed",
        source: sdk,
      },
      models: [
        { format: "qpc", compiler: "qaic-exec", openness: "mixed" },
        { format: "onnx", compiler: "qaic-exec", openness: "mixed" },
      ],
    },
  ],
  metrics: [
    { name: "corrected_error_count", read: "device:ce_count", since: "6.17", source: abi },
    { name: "uncorrected_error_count", read: "device:ue_count", since: "6.17", source: abi },
    { name: "uncorrected_nonfatal_error_count", read: "device:ue_nonfatal_count", since: "6.17", source: abi },
  ],
  traps: [
    "A node is not an operational card: the driver binds and makes accel0 before the card's firmware has loaded; the log then says 'Error loading firmware: -2' from MHI.",
    "The firmware's names stand in no modinfo.",
    "The vendor's out-of-tree driver makes /dev/qaic_aic100_N; older SDKs want that node, mainline gives /dev/accel/accelN.",
    "/sys/bus/mhi/devices/*/soc_reset resets the card when written.",
    "AIC200 (a110) needs a kernel of 7.2 or later; 6.12 does not match it.",
    "The class is 1200; Qualcomm's modems on MHI share the vendor id and are no accelerators.",
  ],
  openness: {
    kernel: "open",
    firmware: "closed",
    runtime: "mixed",
    compiler: "mixed",
    says: "open kernel driver, parts of the toolkit have been opened",
  },
  maintained: "yes",
  verified: [
    {
      how: "real kernel driver",
      says: "qaic built for Debian 7.3.4 amd64 binds an emulated AIC100 and makes accel0; its firmware was missing, so the card was not operational",
    },
  ],
  sources: [ids, images, kconfig, abi, udev, kit, sdk, debian],
  unknown: ["peak operations, memory and power of Cloud AI 80 and 200", "packages of Ubuntu and Fedora"],
} as const satisfies Family;
