/** AWS Inferentia and Trainium: accelerators of EC2 instances, driven by the neuron module. */

import { fact, type Source } from "../base/source.ts";
import { pci, type Family } from "./family.ts";

const driver: Source = {
  cited: "https://github.com/aws-neuron/aws-neuron-driver@fca19f7d (2.24.7.0)",
  seen: "2026-11-25",
};
const metrics: Source = {
  cited: "https://github.com/aws-neuron/aws-neuron-driver@fca19f7d neuron_sysfs_metrics.c, v2/neuron_dhal_v2.c",
  seen: "2026-11-25",
};
const power: Source = {
  cited: "https://github.com/aws-neuron/aws-neuron-driver@fca19f7d neuron_power.c, neuron_power.h",
  says: "power utilization, expressed in basis points",
  seen: "2026-11-25",
};
const guide: Source = {
  cited: "https://awsdocs-neuron.readthedocs-hosted.com/en/latest/tools/neuron-sys-tools/neuron-sysfs-user-guide.html",
  says: "Neuron Driver 2.31 reorganized the Neuron sysfs tree and moved several nodes to new paths.",
  seen: "2026-11-25",
};
const pciids: Source = { cited: "https://github.com/pciutils/pciids@c1c12547", seen: "2026-11-22" };
/** The architecture of each chip, by AWS. */
const chip = (name: string): Source => ({
  cited: `https://awsdocs-neuron.readthedocs-hosted.com/en/latest/general/arch/neuron-hardware/${name}.html`,
  seen: "2026-11-25",
});
const inferentia = chip("inferentia");
const trainium = chip("trainium");
const inferentia2 = chip("inferentia2");
const trainium2: Source = {
  cited:
    "https://awsdocs-neuron.readthedocs-hosted.com/en/v2.29.0/_sources/about-neuron/arch/neuron-hardware/trainium2.rst",
  seen: "2026-11-25",
};
const trainium3: Source = {
  cited:
    "https://awsdocs-neuron.readthedocs-hosted.com/en/v2.29.1/_sources/about-neuron/arch/neuron-hardware/trainium3.rst",
  seen: "2026-11-25",
};
const sdk: Source = { cited: "https://github.com/aws-neuron/aws-neuron-sdk", seen: "2026-11-22" };

export default {
  id: "aws-neuron",
  vendor: "AWS",
  name: "AWS Inferentia, Trainium",
  aliases: ["neuron", "inferentia", "trainium"],
  says: "Accelerators of EC2's Inf and Trn instances, passed through to the guest as PCI devices. Only the driver is open.",
  architecture: "systolic array",
  architectureDetail: fact("a systolic array beside vector, scalar and general-purpose engines", sdk),
  use: "both",
  chips: [
    {
      id: "inf1",
      name: "Inferentia",
      matches: [pci("1d0f:7064"), pci("1d0f:7065"), pci("1d0f:7066"), pci("1d0f:7067")],
      peak: [
        { ops: 128e12, precision: "int8", source: inferentia },
        { ops: 64e12, precision: "bf16", source: inferentia },
      ],
      memory: fact("8 GiB DRAM", inferentia),
      cores: fact(4, inferentia),
      source: driver,
    },
    {
      id: "trn1",
      name: "Trainium",
      matches: [pci("1d0f:7164")],
      peak: [
        { ops: 380e12, precision: "int8", source: trainium },
        { ops: 190e12, precision: "bf16", source: trainium },
      ],
      memory: fact("32 GiB, 820 GiB/s", trainium),
      cores: fact(2, trainium),
      source: driver,
    },
    {
      id: "inf2",
      name: "Inferentia2",
      matches: [pci("1d0f:7264")],
      peak: [
        { ops: 380e12, precision: "int8", source: inferentia2 },
        { ops: 190e12, precision: "bf16", source: inferentia2 },
      ],
      memory: fact("32 GiB HBM, 820 GiB/s", inferentia2),
      cores: fact(2, inferentia2),
      source: driver,
    },
    {
      id: "trn2",
      name: "Trainium2",
      matches: [pci("1d0f:7364")],
      peak: [
        { ops: 1299e12, precision: "fp8", source: trainium2 },
        { ops: 667e12, precision: "bf16", source: trainium2 },
      ],
      cores: fact(8, trainium2),
      source: driver,
    },
    {
      id: "trn3",
      name: "Trainium3",
      matches: [pci("1d0f:7564"), pci("1d0f:7565")],
      peak: [
        { ops: 2517e12, precision: "mxfp8", source: trainium3 },
        { ops: 671e12, precision: "bf16", source: trainium3 },
      ],
      memory: fact("144 GiB, 4.9 TB/s", trainium3),
      cores: fact(8, trainium3),
      source: pciids,
    },
  ],
  routes: [
    {
      name: "neuron",
      says: "DKMS driver neuron, libnrt, PyTorch and JAX by PJRT",
      driver: {
        module: "neuron",
        binds: ["neuron-driver"],
        origin: "out-of-tree",
        openness: "open",
        licence: "GPL-2.0",
        repository: "https://github.com/aws-neuron/aws-neuron-driver",
        packages: { vendor: { says: "aws-neuronx-dkms, from AWS's apt and yum repositories" } },
        source: driver,
      },
      firmware: { files: [], elsewhere: "on the device", openness: "closed" },
      node: {
        paths: ["/dev/neuron[0-9]*"],
        class: "neuron_device",
        mode: "0666",
        rule: 'neuron-udev.rules: KERNEL=="neuron*", MODE="0666"',
        source: driver,
      },
      runtime: {
        libraries: ["libnrt.so.1"],
        paths: ["/opt/aws/neuron/lib/libnrt.so.1"],
        name: "Neuron runtime",
        openness: "closed",
        licence: "proprietary",
        wheels: ["torch-neuronx", "libneuronxla", "jax-neuronx"],
        packages: { vendor: { says: "aws-neuronx-runtime-lib and aws-neuronx-tools, from AWS's repositories" } },
        source: sdk,
      },
      delegate: { id: "pjrt", name: "Neuron PJRT plug-in", openness: "closed", source: sdk },
      models: [
        { format: "neff", compiler: "neuronx-cc", openness: "closed" },
        { format: "stablehlo", compiler: "neuronx-cc", openness: "closed" },
      ],
    },
  ],
  metrics: [
    // What the driver itself has given out, by core; the runtime's own counters (nc_time_in_use) stay 0 under PyTorch and tell no load.
    {
      name: "memory_bytes",
      read: "sys:class/neuron_device/neuron*/neuron_core*/stats/memory_usage/device_mem/total",
      owner: "alone",
      source: metrics,
    },
    {
      name: "memory_peak_bytes",
      read: "sys:class/neuron_device/neuron*/neuron_core*/stats/memory_usage/device_mem/peak",
      owner: "alone",
      source: metrics,
    },
    {
      name: "power_use_ratio",
      read: "sys:class/neuron_device/neuron*/stats/power/utilization",
      form: "watched",
      scale: 0.01,
      owner: "alone",
      source: power,
    },
    {
      name: "uncorrected_error_count",
      part: "SRAM",
      read: "sys:class/neuron_device/neuron*/stats/hardware/sram_ecc_uncorrected",
      owner: "alone",
      source: metrics,
    },
    {
      name: "uncorrected_error_count",
      part: "memory",
      read: "sys:class/neuron_device/neuron*/stats/hardware/mem_ecc_uncorrected",
      owner: "alone",
      source: metrics,
    },
  ],
  untold: {
    says: "its driver has no file for it: neuron-monitor asks the runtime of each process",
    source: guide,
  },
  traps: [
    "Trainium3's ids stand in pci.ids; the driver 2.24.7.0 does not match them",
    "the class is 0880 (system peripheral) on Inf2, not 1200",
    "1d0f is also the vendor of Amazon's network and block devices",
    "the package can be installed and the module not built for the running kernel: no /dev/neuron0",
    "runtime and driver carry a compatibility number: a runtime newer than the driver refuses",
  ],
  openness: { kernel: "open", firmware: "closed", runtime: "closed", compiler: "closed", says: "open driver only" },
  maintained: "yes",
  verified: [
    {
      how: "documents",
      says: "driver source and output of others; the id is seen in emulated machines without driver",
    },
  ],
  sources: [driver, metrics, power, guide, pciids, sdk, inferentia, trainium, inferentia2, trainium2, trainium3],
  unknown: [
    "power in watts: the driver tells a share of what the device may draw",
    "where the driver's files lie since driver 2.31: the metrics are those of 2.24",
    "which PCI function neuronN is where there are several: the driver numbers them by an id of its own, so files are read where there is one",
  ],
} as const satisfies Family;
