/** Google Coral Edge TPU: PCIe by gasket/apex out of tree, USB by libusb with no kernel driver at all. */

import { fact, type Source } from "../base/source.ts";
import { pci, usb, type DelegateSpec, type Family, type RuntimeSpec } from "./family.ts";

const gasket: Source = {
  cited: "https://github.com/google/gasket-driver",
  says: "@5815ee39 src/apex_driver.c:37-38,276-311,857-880; src/gasket_core.c; debian/gasket-dkms.udev",
  seen: "2026-11-22",
};
const libedgetpu: Source = {
  cited: "https://github.com/google-coral/libedgetpu",
  says: "@e35aed18 debian/edgetpu-accelerator.rules, driver/driver_factory.cc",
  seen: "2026-11-22",
};
const datasheet: Source = {
  cited: "https://coral.ai/static/files/Coral-USB-Accelerator-datasheet.pdf",
  seen: "2026-11-22",
};
const faq: Source = { cited: "https://coral.ai/docs/edgetpu/faq/", seen: "2026-11-22" };
const pciids: Source = {
  cited: "https://github.com/pciutils/pciids",
  says: "@c1c12547 (2026-08-22)",
  seen: "2026-11-22",
};
const copr: Source = {
  cited: "https://copr.fedorainfracloud.org/coprs/kylegospo/google-coral-dkms/",
  seen: "2026-11-22",
};
const newKernels: Source = { cited: "https://github.com/google/gasket-driver/pull/35", seen: "2026-11-22" };

const runtime: RuntimeSpec = {
  name: "Edge TPU runtime",
  libraries: ["libedgetpu.so.1"],
  openness: "open",
  licence: "Apache-2.0",
  packages: {
    vendor: {
      says: "libedgetpu1-std or libedgetpu1-max of Google's apt suite coral-edgetpu-stable; in no distribution",
      link: "https://github.com/google-coral/libedgetpu",
    },
  },
  source: libedgetpu,
};

const delegate: DelegateSpec = {
  id: "tflite",
  name: "Edge TPU, TFLite external delegate",
  libraries: ["libedgetpu.so.1"],
  openness: "open",
  packages: { pypi: [{ name: "tflite-runtime", gives: "TFLite itself, up to 2.14" }] },
  source: libedgetpu,
};

export default {
  id: "coral",
  vendor: "Google",
  name: "Google Coral Edge TPU",
  aliases: ["edgetpu", "apex"],
  says: "Small int8 inference chip on M.2, Mini PCIe and USB sticks, and on Google's Dev Board. Its models are TFLite files recompiled by Google's closed Edge TPU compiler.",
  architecture: "systolic array",
  use: "inference",
  chips: [
    {
      id: "pcie",
      name: "Coral Edge TPU (PCIe)",
      matches: [pci("1ac1:089a")],
      peak: [{ ops: 4e12, precision: "int8", source: datasheet }],
      memory: fact("about 8 MB on chip for parameters", faq),
      watts: fact(2, datasheet),
      source: gasket,
    },
    {
      id: "usb",
      name: "Coral USB Accelerator",
      matches: [usb("1a6e:089a", "before the runtime uploads its firmware"), usb("18d1:9302", "running")],
      peak: [{ ops: 4e12, precision: "int8", source: datasheet }],
      memory: fact("about 8 MB on chip for parameters", faq),
      watts: fact(2, datasheet),
      source: libedgetpu,
    },
  ],
  routes: [
    {
      name: "pcie",
      says: "gasket and apex out of tree, Google's runtime, TFLite",
      chips: ["pcie"],
      driver: {
        module: "apex",
        with: ["gasket"],
        origin: "out-of-tree",
        config: { symbol: "STAGING_APEX_DRIVER", needs: ["STAGING_GASKET_FRAMEWORK", "PCI", "DMA_SHARED_BUFFER"] },
        openness: "open",
        licence: "GPL-2.0",
        repository: "https://github.com/google/gasket-driver",
        packages: {
          fedora: [{ name: "gasket-dkms", from: "COPR kylegospo/google-coral-dkms, a third party; fails on 6.19.7" }],
          vendor: {
            says: "gasket-dkms of Google's apt suite (1.0-18 of 2022) fails on kernels 6.8 and later; the repository builds up to 6.11, and later only with its pull requests 35 and 50 applied",
            link: "https://github.com/google/gasket-driver",
          },
        },
        source: gasket,
      },
      node: {
        paths: ["/dev/apex_*"],
        class: "apex",
        group: "apex",
        mode: "0660",
        rule: 'SUBSYSTEM=="apex"',
        source: gasket,
      },
      runtime,
      delegate,
      models: [{ format: "edgetpu-tflite", compiler: "edgetpu_compiler", openness: "closed" }],
    },
    {
      name: "usb",
      says: "libusb from Google's runtime, TFLite; no kernel driver and no node of its own",
      chips: ["usb"],
      driver: { origin: "none", openness: "none", source: libedgetpu },
      firmware: {
        files: [],
        elsewhere: "inside libedgetpu, uploaded by the first program that opens the stick",
        openness: "closed",
      },
      node: {
        paths: ["/dev/bus/usb/*/*"],
        class: "usb",
        group: "plugdev",
        rule: 'SUBSYSTEM=="usb" with idVendor 1a6e, idProduct 089a and idVendor 18d1, idProduct 9302',
        source: libedgetpu,
      },
      runtime: { ...runtime, also: ["libusb-1.0.so.0"] },
      delegate,
      models: [{ format: "edgetpu-tflite", compiler: "edgetpu_compiler", openness: "closed" }],
    },
  ],
  metrics: [
    { name: "temperature_celsius", read: "class:temp", scale: 0.001, source: gasket },
    { name: "throttle_celsius", read: "class:trip_point0_temp", scale: 0.001, source: gasket },
    { name: "shutdown_celsius", read: "class:hw_temp_warn2", scale: 0.001, source: gasket },
    { name: "mapped_page_count", read: "class:node_0_num_mapped_pages", source: gasket },
    { name: "reset_count", read: "class:reset_count", source: gasket },
  ],
  traps: [
    "The USB stick is 1a6e:089a until a program first opens it and 18d1:9302 afterwards; a virtual machine must be given both.",
    "The USB stick has no kernel driver and no /dev/apex_*; that is right, not missing.",
    "The PCIe chip is of class 0880, not 1200.",
    "A dual Edge TPU module shows two functions only in a slot with two lanes of PCIe wired; one is normal elsewhere.",
    "gasket was removed from drivers/staging: no kernel from Debian 12 on has it, and 'modprobe apex' needs a build.",
    "Upstream gasket stops at kernel 6.11 (no_llseek, string MODULE_IMPORT_NS); forks carry on.",
    "The vendor's udev rule names the group apex and does not create it.",
    "It needs MSI-X: hosts, virtual machines and Arm boards without it fail in probe with -22, -28 or -110.",
    "libedgetpu must fit the TensorFlow that the TFLite runtime was built from.",
    "1ae0:abcd (Pixel Neural Core) also carries an Edge TPU and is another chip, in phones only.",
  ],
  openness: {
    kernel: "open",
    firmware: "closed",
    runtime: "open",
    compiler: "closed",
    says: "open runtime on a driver that upstream left; the compiler is closed",
  },
  maintained:
    "no: last driver commit April 2024, last apt package February 2022; community forks keep the driver building",
  verified: [
    {
      how: "real kernel driver",
      says: "gasket and apex built for Debian 7.3.4 amd64 bind an emulated 1ac1:089a and make /dev/apex_0; both USB ids enumerated by the real USB stack",
    },
    { how: "documents", says: "captures of real hardware (PCIe and USB), read by our tests" },
  ],
  sources: [gasket, libedgetpu, datasheet, faq, pciids, copr, newKernels],
} as const satisfies Family;
