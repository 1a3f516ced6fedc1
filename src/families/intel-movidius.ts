/** Intel Movidius Myriad (Neural Compute Stick, OAK cameras): USB by libusb, no kernel driver; dropped from OpenVINO after 2022.3. */

import { fact, type Source } from "../base/source.ts";
import { usb, type Family } from "./family.ts";

const xlink: Source = {
  cited: "https://github.com/openvinotoolkit/openvino",
  says: "inference-engine/thirdparty/movidius/XLink/pc/protocols/usb_boot.h: 03e7:2150, 2485, f63b",
  seen: "2026-11-25",
};
const luxonis: Source = {
  cited: "https://github.com/luxonis/XLink",
  says: "usb_boot.h: 03e7:f63c, f63d",
  seen: "2026-11-25",
};
const dropped: Source = {
  cited: "https://docs.openvino.ai/2023.3/openvino_docs_OV_UG_supported_plugins_Supported_Devices.html",
  seen: "2026-11-25",
};
const rules: Source = {
  cited: "https://github.com/openvinotoolkit/openvino",
  says: "scripts/install_dependencies/install_NCS_udev_rules.sh, 97-myriad-usbboot.rules",
  seen: "2026-11-25",
};
const ncsdk: Source = { cited: "https://movidius.github.io/ncsdk/ncs.html", seen: "2026-11-25" };
const depthai: Source = { cited: "https://pypi.org/project/depthai/", seen: "2026-11-25" };
const issue: Source = { cited: "https://github.com/openvinotoolkit/openvino/issues/13485", seen: "2026-11-22" };
const toms: Source = {
  cited: "http://www.tomshardware.com/news/intel-movidius-vpu-ai-inference,35327.html",
  says: "up to 4 TOPS within a slim 1.5W power envelope; Neural Compute Engine more than 1 TOPS; 2.5MB of on-chip memory, 16 SHAVE vector processors",
  seen: "2026-11-25",
};

export default {
  id: "movidius",
  vendor: "Intel",
  name: "Intel Movidius Myriad",
  aliases: ["myriad", "ncs2", "neural-compute-stick"],
  says: "Vision processor on USB sticks (Neural Compute Stick 1 and 2) and in Luxonis OAK cameras. Intel has ended it; the cameras live on.",
  architecture: "VLIW DSP",
  architectureDetail: fact("array of SHAVE VLIW vector processors", ncsdk),
  use: "inference",
  chips: [
    {
      id: "myriad-x",
      name: "Movidius Myriad X",
      matches: [
        usb("03e7:2485", "in its boot ROM, before a program uploads its firmware"),
        usb("03e7:f63b", "running"),
        usb("03e7:f63c", "in a bootloader (OAK cameras)"),
        usb("03e7:f63d", "booted from flash (OAK cameras)"),
      ],
      peak: [
        { ops: 4e12, precision: "unstated (all units)", watts: fact(1.5, toms), source: toms },
        { ops: 1e12, precision: "unstated (Neural Compute Engine)", source: toms },
      ],
      memory: fact("2.5 MB on chip", toms),
      cores: fact(16, toms),
      source: xlink,
    },
    {
      id: "myriad-2",
      name: "Movidius Myriad 2",
      matches: [usb("03e7:2150", "in its boot ROM, before a program uploads its firmware")],
      cores: fact(12, ncsdk),
      memory: fact("4 Gbit LPDDR3", ncsdk),
      source: xlink,
    },
  ],
  routes: [
    {
      name: "openvino-2022",
      says: "OpenVINO 2022.3 LTS, the last release with the MYRIAD plugin",
      driver: { origin: "none", openness: "none", source: xlink },
      firmware: { files: [], elsewhere: "in OpenVINO's package, uploaded over USB", openness: "closed" },
      node: {
        paths: ["/dev/bus/usb/*/*"],
        class: "usb",
        group: "users",
        mode: "0666",
        rule: 'SUBSYSTEM=="usb" with idVendor 03e7',
        source: rules,
      },
      runtime: {
        name: "OpenVINO 2022.3 MYRIAD plugin",
        libraries: ["libopenvino_intel_myriad_plugin.so"],
        openness: "open",
        licence: "Apache-2.0",
        packages: { pypi: [{ name: "openvino", from: "2022.3 and no later" }] },
        source: dropped,
      },
      delegate: {
        id: "vendor",
        name: "OpenVINO 2022.3, device MYRIAD",
        libraries: ["libopenvino_intel_myriad_plugin.so"],
        openness: "open",
        source: dropped,
      },
      models: [
        { format: "openvino-ir", compiler: "OpenVINO 2022.3", openness: "open" },
        { format: "myriad-blob", compiler: "compile_tool of OpenVINO 2022.3", openness: "open" },
      ],
    },
    {
      name: "depthai",
      says: "Luxonis DepthAI for OAK cameras",
      chips: ["myriad-x"],
      driver: { origin: "none", openness: "none", source: luxonis },
      firmware: { files: [], elsewhere: "in the depthai package, uploaded over USB", openness: "closed" },
      node: {
        paths: ["/dev/bus/usb/*/*"],
        class: "usb",
        mode: "0666",
        rule: 'SUBSYSTEM=="usb" with idVendor 03e7',
        source: luxonis,
      },
      runtime: {
        name: "DepthAI",
        libraries: ["libdepthai-core.so"],
        openness: "open",
        wheels: ["depthai"],
        packages: { pypi: [{ name: "depthai" }] },
        source: depthai,
      },
      delegate: {
        id: "vendor",
        name: "DepthAI",
        openness: "open",
        packages: { pypi: [{ name: "depthai" }] },
        source: depthai,
      },
      models: [
        { format: "openvino-ir", compiler: "OpenVINO 2022.3", openness: "open" },
        { format: "myriad-blob", compiler: "compile_tool of OpenVINO 2022.3", openness: "open" },
      ],
    },
  ],
  traps: [
    "The stick changes its id from 03e7:2485 to 03e7:f63b when a program opens it: give a virtual machine both.",
    "It has no kernel driver and no node but its USB one; that is right.",
    "OpenVINO 2023.0 and later list no such device: no error, just nothing.",
    "03e7:f63b does not tell Myriad 2 from Myriad X.",
    "OAK cameras show the same ids as the sticks.",
  ],
  openness: {
    kernel: "none",
    firmware: "closed",
    runtime: "open",
    compiler: "open",
    says: "open host library, closed firmware",
  },
  maintained: "no by Intel (last OpenVINO 2022.3); Luxonis maintains DepthAI",
  verified: [
    {
      how: "documents",
      says: "a capture of a real NCS2, read by our tests; its boot id enumerated by the real USB stack of Debian 7.3.4",
    },
  ],
  sources: [xlink, luxonis, dropped, rules, ncsdk, depthai, issue],
  unknown: [
    "peak operations and power of Myriad 2",
    "PCIe cards with several Myriads (HDDL): ids not read",
    "today's udev rule of DepthAI from its own repository",
  ],
} as const satisfies Family;
