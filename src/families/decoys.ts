/**
 * Things that look like AI accelerators and are none, each with why, so that they stay quiet: engines of class 1200, 1180, 0b40 or
 * 0880 that copy, compress or encrypt, telemetry, network processors called NPU, timers called TPU.
 */

import type { Source } from "../base/source.ts";
import { of, pci, type Match } from "./family.ts";

/** One look-alike: how the bus announces it, what it is in truth, and where that is written. */
export interface Decoy {
  readonly match: Match;
  readonly says: string;
  readonly source: Source;
}

const pciids: Source = { cited: "https://github.com/pciutils/pciids@c1c12547", seen: "2026-11-25" };
const idxd: Source = { kernel: "drivers/dma/idxd", module: "idxd", release: "7.3.4" };
const vsec: Source = { kernel: "drivers/platform/x86/intel/vsec.c", module: "intel_vsec", release: "7.3.4" };
const gve: Source = { kernel: "drivers/net/ethernet/google/gve", module: "gve", release: "7.3.4" };
const qat: Source = { kernel: "drivers/crypto/intel/qat", release: "7.3.4" };
const qatOld: Source = { kernel: "drivers/crypto/qat", module: "qat_c62x", release: "6.1" };
const hisilicon: Source = { kernel: "drivers/crypto/hisilicon", release: "7.3.4" };
const hibmc: Source = { kernel: "drivers/gpu/drm/hisilicon/hibmc", module: "hibmc_drm", release: "7.3.4" };
const ast: Source = { kernel: "drivers/gpu/drm/ast", module: "ast", release: "7.3.4" };
const mga: Source = { kernel: "drivers/gpu/drm/mgag200", module: "mgag200", release: "7.3.4" };
const bochs: Source = { kernel: "drivers/gpu/drm/tiny/bochs.c", module: "bochs", release: "7.3.4" };
const ixgbe: Source = { kernel: "drivers/net/ethernet/intel/ixgbe", module: "ixgbe", release: "7.3.4" };
const nvme: Source = { kernel: "drivers/nvme/host/pci.c", module: "nvme", release: "7.3.4" };
const airoha: Source = { kernel: "Documentation/devicetree/bindings/net/airoha,en7581-npu.yaml", release: "7.3.4" };
const noc: Source = { kernel: "drivers/interconnect/qcom", module: "qnoc_sc7180", release: "7.3.4" };
const iommu: Source = { kernel: "drivers/iommu/mtk_iommu.c", module: "mtk_iommu", release: "7.3.4" };
const grf: Source = { kernel: "arch/arm64/boot/dts/rockchip/rk3576.dtsi", release: "7.3.4" };
const timer: Source = { kernel: "Documentation/devicetree/bindings/pwm/renesas,tpu-pwm.yaml", release: "7.3.4" };
const audio: Source = { kernel: "arch/arm64/boot/dts/mediatek", release: "7.3.4" };
const tegra: Source = { kernel: "arch/arm64/boot/dts/nvidia", release: "7.3.4" };
const c66: Source = { kernel: "Documentation/devicetree/bindings/remoteproc/ti,k3-dsp-rproc.yaml", release: "7.3.4" };

const pciRows = (source: Source, says: string, ids: readonly string[]): Decoy[] =>
  ids.map((id) => ({ match: pci(id), says, source }));
const ofRows = (source: Source, says: string, compatibles: readonly string[]): Decoy[] =>
  compatibles.map((compatible) => ({ match: of(compatible), says, source }));

export const decoys: readonly Decoy[] = [
  ...pciRows(idxd, "Intel Data Streaming Accelerator: copies and compares memory", [
    "8086:0b25",
    "8086:11fb",
    "8086:1212",
  ]),
  ...pciRows(idxd, "Intel In-Memory Analytics Accelerator: compresses and filters", ["8086:0cfe", "8086:1216"]),
  ...pciRows(idxd, "Intel data streaming or analytics engine (idxd): moves memory", ["8086:b02d", "8086:fd2d"]),
  ...pciRows(qat, "Intel QuickAssist: encrypts and compresses", ["8086:4940", "8086:4942", "8086:4944", "8086:4946"]),
  ...pciRows(qat, "Intel QuickAssist virtual function: encrypts and compresses", [
    "8086:4941",
    "8086:4943",
    "8086:4945",
    "8086:4947",
  ]),
  ...pciRows(qatOld, "Intel QuickAssist: encrypts and compresses", ["8086:0435", "8086:19e2", "8086:37c8"]),
  ...pciRows(qatOld, "Intel QuickAssist virtual function: encrypts and compresses", [
    "8086:0443",
    "8086:19e3",
    "8086:37c9",
  ]),
  ...pciRows(vsec, "Intel platform telemetry (VSEC), class 1180: measures, computes nothing", [
    "8086:09a1",
    "8086:09a7",
    "8086:467d",
    "8086:490e",
    "8086:647d",
    "8086:7d0d",
    "8086:9a0d",
    "8086:a77d",
    "8086:ad0d",
    "8086:b07d",
    "8086:d70d",
    "8086:fd7d",
  ]),
  ...pciRows(gve, "Google virtual network adapter (gVNIC): the vendor of Cloud TPUs, no TPU", ["1ae0:0042"]),
  ...pciRows(hisilicon, "HiSilicon ZIP engine (Kunpeng), class 1200: compresses", ["19e5:a250", "19e5:a251"]),
  ...pciRows(hisilicon, "HiSilicon SEC engine (Kunpeng): encrypts", ["19e5:a255", "19e5:a256"]),
  ...pciRows(hisilicon, "HiSilicon HPRE engine (Kunpeng): public-key arithmetic", ["19e5:a258", "19e5:a259"]),
  ...pciRows(pciids, "HiSilicon SDI accelerator: network and storage offload", ["19e5:a127"]),
  ...pciRows(pciids, "iBMA network adapter of Huawei's management controller, class 1180", ["19e5:1710", "19e5:1712"]),
  ...pciRows(pciids, "HiSilicon performance monitoring unit", ["19e5:a12d"]),
  ...pciRows(hibmc, "graphics of Huawei's management controller", ["19e5:1711"]),
  ...pciRows(ast, "graphics of a server's management controller (ASPEED)", ["1a03:2000", "1a03:2010"]),
  ...pciRows(mga, "graphics of a server's management controller (Matrox)", [
    "102b:0522",
    "102b:0524",
    "102b:0530",
    "102b:0532",
    "102b:0533",
    "102b:0534",
    "102b:0536",
    "102b:0538",
  ]),
  ...pciRows(pciids, "virtual GPU of a hypervisor", ["1af4:1050"]),
  ...pciRows(bochs, "QEMU standard graphics", ["1234:1111"]),
  ...pciRows(ixgbe, "Intel 10-gigabit network adapter", ["8086:10fb", "8086:1528", "8086:1563"]),
  ...pciRows(nvme, "Amazon block storage: the vendor of Inferentia, no accelerator", ["1d0f:8061", "1d0f:cd01"]),
  ...pciRows(pciids, "Amazon network adapter: the vendor of Inferentia, no accelerator", [
    "1d0f:ec20",
    "1d0f:efa0",
    "1d0f:efa1",
    "1d0f:efa2",
    "1d0f:efa3",
    "1d0f:efa4",
  ]),
  ...pciRows(pciids, "Baidu storage device: the vendor of Kunlun, no accelerator", ["1d22:1380"]),
  ...pciRows(pciids, "SG2042 root complex: the vendor of Sophon TPUs, a bridge", ["1e30:2042"]),
  ...pciRows(pciids, "video processing unit of DEEPX's H1 V-NPU card: codes video", ["1ff4:2001"]),

  ...ofRows(airoha, "Airoha network processor: offloads packet flows", ["airoha,en7581-npu", "airoha,an7583-npu"]),
  ...ofRows(noc, "bus fabric towards Qualcomm's NPU, not the NPU", ["qcom,sc7180-npu-noc", "qcom,sm8250-npu-noc"]),
  ...ofRows(iommu, "IOMMU of MediaTek's APU, not the APU", ["mediatek,mt8189-iommu-apu"]),
  ...ofRows(grf, "register file of Rockchip's NPU domain, not the NPU", ["rockchip,rk3576-npu-grf"]),
  ...ofRows(timer, "Renesas timer pulse unit: makes PWM signals", ["renesas,tpu"]),
  ...ofRows(audio, "audio DSP", ["mediatek,mt8186-dsp", "mediatek,mt8188-dsp", "mediatek,mt8195-dsp"]),
  ...ofRows(tegra, "digital speaker controller", ["nvidia,tegra186-dspk"]),
  ...ofRows(c66, "C66x DSP without matrix unit: signal processing", ["ti,j721e-c66-dsp"]),
];
