/** Huawei Ascend: PCIe and OAM accelerators for training and inference, driven by a set of modules from Huawei's packages. */

import { fact, type Source } from "../base/source.ts";
import { pci, type Family } from "./family.ts";

const collector: Source = {
  cited: "Huawei host log collector, public copies: PCIE_BDF_310, _310P, _910, _910B, _910_93",
  seen: "2026-11-22",
};
const vllm: Source = { cited: "https://github.com/vllm-project/vllm-ascend/issues/2698", seen: "2026-11-22" };
const hdk: Source = {
  cited: "Ascend HDK makefiles and an lspci -k of 910B, public copies",
  says: "driver devdrv_device_driver; modules drv_pcie_host, drv_davinci_intf_host, drv_devmng_host",
  seen: "2026-11-25",
};
const docs: Source = { cited: "https://www.hiascend.com/document", seen: "2026-11-25" };
const om: Source = { cited: "https://github.com/lutzroeder/netron/blob/main/source/om.js", seen: "2026-11-22" };
const hisilicon: Source = {
  cited: "http://www.hisilicon.com/en/Media-Center/News/Key-Information-About-the-Huawei-Ascend310",
  says: "In typical configuration, 16 TOPS@INT8 and 8 TOPS@FP16 can be output, while the power consumption is only 8 W",
  seen: "2026-11-25",
};
const connect2018: Source = {
  cited: "https://www.chinaaet.com/article/3000091430",
  says: "Ascend 910: FP16 256 TFLOPS, INT8 512 TOPS, at most 350 W",
  seen: "2026-11-25",
};

export default {
  id: "ascend",
  vendor: "Huawei",
  name: "Huawei Ascend NPU",
  aliases: ["davinci", "huawei-ascend"],
  says: "Cards and servers of China's most used AI chip line, with the CANN software stack. Driver, firmware and CANN are version-locked.",
  architecture: "systolic array",
  architectureDetail: fact("DaVinci cores: a matrix cube beside vector and scalar units", docs),
  use: "both",
  chips: [
    {
      id: "310",
      name: "Ascend 310",
      matches: [pci("19e5:d100")],
      peak: [
        { ops: 16e12, precision: "int8", source: hisilicon },
        { ops: 8e12, precision: "fp16", source: hisilicon },
      ],
      watts: fact(8, hisilicon),
      source: collector,
    },
    { id: "310p", name: "Ascend 310P", matches: [pci("19e5:d500")], source: collector },
    {
      id: "910",
      name: "Ascend 910",
      matches: [pci("19e5:d801")],
      peak: [
        { ops: 512e12, precision: "int8", source: connect2018 },
        { ops: 256e12, precision: "fp16", source: connect2018 },
      ],
      watts: fact(350, connect2018),
      source: collector,
    },
    { id: "910b", name: "Ascend 910B", matches: [pci("19e5:d802")], source: collector },
    { id: "910c", name: "Ascend 910C (910_93)", matches: [pci("19e5:d803")], source: collector },
  ],
  routes: [
    {
      name: "cann",
      says: "Huawei's driver package and CANN; torch_npu, ONNX Runtime, ggml or MindSpore on top",
      driver: {
        module: "drv_pcie_host",
        with: ["drv_devmng_host", "drv_davinci_intf_host"],
        binds: ["devdrv_device_driver"],
        origin: "out-of-tree",
        openness: "mixed",
        packages: { vendor: { says: "Ascend HDK driver .run file", link: docs.cited } },
        source: hdk,
      },
      firmware: {
        files: [],
        elsewhere: "on the card, brought by the Ascend HDK firmware .run file",
        openness: "closed",
        packages: { vendor: { says: "Ascend HDK firmware .run file, of the driver's release", link: docs.cited } },
      },
      node: {
        paths: ["/dev/davinci[0-9]*"],
        class: "unknown",
        group: "HwHiAiUser",
        also: ["/dev/davinci_manager", "/dev/devmm_svm", "/dev/hisi_hdc"],
        source: vllm,
      },
      runtime: {
        libraries: ["libascendcl.so"],
        paths: ["/usr/local/Ascend/ascend-toolkit/latest/lib64/libascendcl.so", "/usr/local/dcmi/libdcmi.so"],
        name: "CANN",
        openness: "mixed",
        licence: "proprietary",
        wheels: ["torch-npu"],
        packages: {
          vendor: {
            says: "CANN toolkit; which release needs which driver stands in its release notes",
            link: docs.cited,
          },
        },
        source: hdk,
      },
      delegate: {
        id: "vendor",
        name: "torch_npu, ONNX Runtime's CANN provider, ggml-cann",
        openness: "open",
        source: vllm,
      },
      models: [
        { format: "om", compiler: "ATC", openness: "closed" },
        { format: "onnx", compiler: "ATC", openness: "closed" },
      ],
    },
  ],
  untold: { says: "no file of its closed driver is known to tell it: Huawei's npu-smi shows it", source: docs },
  traps: [
    "19e5 is the vendor id of Huawei's network and storage cards too: match the device",
    "iBMC graphics (19e5:1711) and iBMA network (19e5:1710, class 1180) of the same servers are none",
    "HiSilicon ZIP engines have class 1200 and compress",
    "pci.ids has none of these ids: lspci shows numbers",
    "a container needs davinci_manager, devmm_svm and hisi_hdc beside /dev/davinciN",
  ],
  openness: {
    kernel: "mixed",
    firmware: "closed",
    runtime: "mixed",
    compiler: "mixed",
    says: "mostly closed, versions locked; parts of CANN were opened",
  },
  maintained: "yes",
  verified: [{ how: "documents", says: "lspci and npu-smi output of others" }],
  sources: [collector, vllm, hdk, docs, om],
  unknown: ["throughput and power of 310P, 910B and 910C", "class of the nodes"],
} as const satisfies Family;
