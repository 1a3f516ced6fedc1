/**
 * Names that lspci prints for ids, turned back. lspci takes them from pci.ids (github.com/pciutils/pciids), so a name that stands
 * there once tells the id it was printed for. Only vendors and devices that matter to accelerators are here, with those look-alikes
 * that would be taken for one; a name that several ids share is left out.
 */

import { row } from "../base/table.ts";

/** Vendor names as printed before the device's name; the longest that fits is taken. */
const vendors: Readonly<Record<string, string>> = {
  "Advanced Micro Devices, Inc. [AMD/ATI]": "1002",
  "Advanced Micro Devices, Inc. [AMD]": "1022",
  "Amazon.com, Inc.": "1d0f",
  "ASMedia Technology Inc.": "1b21",
  "ASPEED Technology, Inc.": "1a03",
  "Axelera AI": "1f9d",
  "Baidu Technology": "1d22",
  "Brainchip Inc": "1e7c",
  "Broadcom Inc. and subsidiaries": "14e4",
  "Cambricon Technologies Corporation Limited": "cabc",
  "DEEPX Co., Ltd.": "1ff4",
  "FuriosaAI, Inc.": "1ed2",
  "Global Unichip Corp.": "1ac1",
  "Google, Inc.": "1ae0",
  Groq: "1de0",
  "Habana Labs Ltd.": "1da3",
  "Hailo Technologies Ltd.": "1e60",
  "Huawei Technologies Co., Ltd.": "19e5",
  "Intel Corporation": "8086",
  "Matrox Electronics Systems Ltd.": "102b",
  MemryX: "1fe9",
  "NVIDIA Corporation": "10de",
  "Phytium Technology Co., Ltd.": "1db7",
  "Qualcomm Technologies, Inc": "17cb",
  "Qualcomm Inc": "17cb",
  Qualcomm: "17cb",
  "Realtek Semiconductor Co., Ltd.": "10ec",
  "Rebellions Inc.": "1eff",
  "Red Hat, Inc.": "1af4",
  "Rockchip Electronics Co., Ltd": "1d87",
  "Shanghai Enflame Technology Co. Ltd": "1e36",
  "Sophgo Technologies Inc.": "1f1c",
  Sophgo: "1e30",
  "Tenstorrent Inc": "1e52",
  "Xilinx Corporation": "10ee",
};

const byLength = Object.keys(vendors).sort((a, b) => b.length - a.length);

/** Device names by vendor; spellings that pci.ids has had over the years stand beside each other. */
const devices: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "1022": {
    "AMD IPU Device": "1502",
    "Strix/Krackan/Strix Halo Neural Processing Unit": "17f0",
    "Strix/Strix Halo Neural Processing Unit": "17f0",
    "Strix Neural Processing Unit": "17f0",
  },
  "10ee": {
    "Alveo U200 XDMA Platform": "5000",
    "Alveo U250 XDMA Platform": "5004",
    "Alveo U280 XDMA Platform": "500c",
    "Alveo U50 XMDA Platform": "5020",
    "Alveo U55C": "505c",
  },
  "19e5": {
    "iBMA Virtual Network Adapter": "1710",
    "Hi171x Series [iBMC Intelligent Management system chip w/VGA support]": "1711",
    "HiSilicon Embedded PMU": "a12d",
    "HiSilicon ZIP Engine": "a250",
    "HiSilicon ZIP Engine(Virtual Function)": "a251",
    "HiSilicon SEC Engine": "a255",
    "HiSilicon SEC Engine(Virtual Function)": "a256",
    "HiSilicon HPRE Engine": "a258",
    "HiSilicon HPRE Engine(Virtual Function)": "a259",
  },
  "1ac1": { "Coral Edge TPU": "089a" },
  "1d0f": {
    "NeuronDevice (Inferentia)": "7064",
    "NeuronDevice (Trainium)": "7164",
    "NeuronDevice (Inferentia2)": "7264",
    "NeuronDevice (Trainium2)": "7364",
  },
  "1d22": { "Kunlun AI Accelerator": "3684" },
  "1d87": { "RK1808 Neural Network Processor Card": "1808", "RK182x Edge AI Computing Coprocessor": "182a" },
  "1da3": {
    "HL-1000 AI Inference Accelerator [Goya]": "0001",
    "Greco AI Inference Accelerator": "0030",
    "HL-2000 AI Training Accelerator [Gaudi]": "1000",
    "HL-2000 AI Training Accelerator [Gaudi secured]": "1010",
    "Gaudi2 AI Training Accelerator": "1020",
    "Gaudi3 AI Training Accelerator": "1060",
  },
  "1de0": { "TSP [GroqChip]": "0000" },
  "1e30": { "BM1684 [Sophon Series Deep Learning Accelerator]": "1684", "SG2042 Root Complex": "2042" },
  "1e52": { Wormhole: "401e", Blackhole: "b140", Grayskull: "faca" },
  "1e60": { "Hailo-8 AI Processor": "2864", "Hailo-10H AI Processor": "45c4" },
  "1e7c": { "AKD1000 Neural Network Coprocessor [Akida]": "bca1" },
  "1ed2": { Warboy: "0000", RNGD: "0001", "RNGD-Plus": "0002", "RNGD-S": "2222" },
  "1eff": {
    "RBLN-CA2 (PF)": "1020",
    "RBLN-CA2 (VF)": "1021",
    "RBLN-CA11 (PF)": "1110",
    "RBLN-CA12 (PF)": "1120",
    "RBLN-CA21 (PF)": "1210",
    "RBLN-CA22 (PF)": "1220",
    "RBLN-CA25 (PF)": "1250",
  },
  "1f1c": { "BM1684X [Sophon Series Deep Learning Accelerator]": "1686" },
  "1f9d": { "Metis AIPU (rev 02)": "1100", "Metis AIPU (rev 01)": "11aa", "Europa AIPU": "0001" },
  "1fe9": { MX3: "0100" },
  "1ff4": { DX_M1: "0000", "M1 [Series]": "0100", "M1 [H1]": "0101" },
  "8086": {
    "Meteor Lake NPU": "7d1d",
    "Core Ultra 200H/200V Series Processors NPU": "7d1d",
    "Arrow Lake NPU": "ad1d",
    "Core Ultra 200 Series Processors NPU": "ad1d",
    "Lunar Lake NPU": "643e",
    "Core Ultra 200V Series Processors NPU": "643e",
    "Panther Lake NPU": "b03e",
    "Core Ultra Processors (Series 3) NPU": "b03e",
    "Data Streaming Accelerator (DSA)": "0b25",
    "Sapphire Rapids DSA": "0b25",
    "In-Memory Analytics Accelerator (IAA)": "0cfe",
    "4xxx Series QAT": "4940",
  },
  cabc: { "MLU270-S4": "0270", "MLU370-S4": "0370" },
};

export interface NamedIds {
  readonly vendor: string;
  /** Absent: the vendor alone is known. */
  readonly device?: string;
}

/** Ids behind what lspci prints after the class: "Tenstorrent Inc Blackhole", "Intel Corporation Device b004", "Device 1ac1:089a". */
export function idsOfName(name: string): NamedIds | undefined {
  const numeric = /^Device ([0-9a-f]{4}):([0-9a-f]{4})$/i.exec(name);
  if (numeric !== null) return { vendor: (numeric[1] ?? "").toLowerCase(), device: (numeric[2] ?? "").toLowerCase() };
  const vendorName = byLength.find((known) => name === known || name.startsWith(`${known} `));
  const vendor = vendorName === undefined ? undefined : row(vendors, vendorName);
  if (vendorName === undefined || vendor === undefined) return undefined;
  const rest = name.slice(vendorName.length).trim();
  const unnamed = /^Device ([0-9a-f]{4})$/i.exec(rest)?.[1];
  const device = unnamed?.toLowerCase() ?? row(devices[vendor] ?? {}, rest);
  return device === undefined ? { vendor } : { vendor, device };
}

/** As idsOfName, where the revision lspci appends may belong to the name ("Metis AIPU (rev 02)"). */
export function idsOfNameAndRevision(name: string, revision: string | undefined): NamedIds | undefined {
  const plain = idsOfName(name);
  if (revision === undefined || plain?.device !== undefined) return plain;
  return idsOfName(`${name} (rev ${revision})`) ?? plain;
}

/** What lspci calls base class and subclass, for those devices that matter here. */
export const classNames: Readonly<Record<string, string>> = {
  "Non-VGA unclassified device": "0000",
  "SCSI storage controller": "0100",
  "IDE interface": "0101",
  "RAID bus controller": "0104",
  "SATA controller": "0106",
  "Serial Attached SCSI controller": "0107",
  "Non-Volatile memory controller": "0108",
  "Mass storage controller": "0180",
  "Ethernet controller": "0200",
  "Infiniband controller": "0207",
  "Fabric controller": "0208",
  "Network controller": "0280",
  "VGA compatible controller": "0300",
  "3D controller": "0302",
  "Display controller": "0380",
  "Multimedia video controller": "0400",
  "Multimedia audio controller": "0401",
  "Audio device": "0403",
  "Multimedia controller": "0480",
  "RAM memory": "0500",
  "Memory controller": "0580",
  "Host bridge": "0600",
  "ISA bridge": "0601",
  "PCI bridge": "0604",
  Bridge: "0680",
  "Serial controller": "0700",
  "Communication controller": "0780",
  PIC: "0800",
  "SD Host controller": "0805",
  IOMMU: "0806",
  "Root Complex Event Collector": "0807",
  "System peripheral": "0880",
  "Co-processor": "0b40",
  "USB controller": "0c03",
  "Fibre Channel": "0c04",
  SMBus: "0c05",
  "Serial bus controller": "0c80",
  "Network and computing encryption device": "1000",
  "Encryption controller": "1080",
  "Performance counters": "1101",
  "Signal processing controller": "1180",
  "Processing accelerators": "1200",
  "Non-Essential Instrumentation": "1300",
};
