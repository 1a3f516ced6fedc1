/** MemryX MX3: a PCIe or M.2 chain of four dataflow chips. */

import { fact, type Source } from "../base/source.ts";
import { pci, type Family } from "./family.ts";

const driver: Source = {
  cited: "https://github.com/memryx/mx3_driver_pub@713d86a2 kdriver/linux/pcie",
  seen: "2026-11-25",
};
const load: Source = {
  cited:
    "https://github.com/memryx/mx3_driver_pub@713d86a2 kdriver/linux/pcie/memx_fs_sys.c, memx_fs_proc.c, memx_fs_hwmon.c",
  seen: "2026-11-25",
};
const repository: Source = { cited: "https://github.com/memryx/mx3_driver_pub@713d86a2", seen: "2026-11-25" };
const accl: Source = { cited: "https://github.com/memryx/MxAccl", seen: "2026-11-22" };
const packages: Source = {
  cited: "package contents and recipes of memx-drivers 2.1.1 and memx-accl 2.1.2, public copies",
  says: "libmemx.so.2.1.1, libmx_accl.so.2, mxa_manager, cascade*.bin",
  seen: "2026-11-25",
};
const pciids: Source = { cited: "https://github.com/pciutils/pciids@c1c12547", seen: "2026-11-22" };
const datasheet: Source = {
  cited: "https://developer.memryx.com/specs/mx3_datasheet.html",
  says: "Turbo Mode: 6 TOPS @1GHz; Total Weight memory: 10.5MB; Total Feature mapped memory: 5MB; approximately 0.5 - 2W per chip",
  seen: "2026-11-25",
};

export default {
  id: "memryx",
  vendor: "MemryX",
  name: "MemryX MX3",
  says: "M.2 module of four MX3 chips for vision models. Open driver, closed firmware and compiler.",
  architecture: "dataflow",
  architectureDetail: fact("dataflow cores beside their memory", repository),
  use: "inference",
  chips: [
    {
      id: "mx3",
      name: "MX3",
      matches: [pci("1fe9:0100")],
      peak: [{ ops: 6e12, precision: "unstated (one chip at 1 GHz)", source: datasheet }],
      memory: fact("10.5 MB for weights and 5 MB for feature maps, on chip", datasheet),
      watts: fact(2, datasheet),
      source: pciids,
    },
  ],
  routes: [
    {
      name: "memryx",
      says: "DKMS driver memx_cascade_plus_pcie, libmemx, DFP models",
      driver: {
        module: "memx_cascade_plus_pcie",
        // The PCI driver's own name; lsmod shows the module's.
        binds: ["memx_pcie_ai_chip"],
        origin: "out-of-tree",
        openness: "open",
        licence: "GPL-2.0+",
        repository: "https://github.com/memryx/mx3_driver_pub",
        source: driver,
      },
      firmware: {
        files: [{ path: "cascade.bin", source: driver }],
        openness: "closed",
        packages: {
          vendor: {
            says: "in the driver's repository, folder firmware",
            link: "https://github.com/memryx/mx3_driver_pub",
          },
        },
      },
      node: {
        paths: ["/dev/memx[0-9]*"],
        class: "memx_cdev",
        // The driver meant 0666 and wrote 0x0666: others may read and write, the owner's bits are odd. Read the mode, trust no name.
        mode: "03146",
        source: driver,
      },
      runtime: {
        libraries: ["libmemx.so*"],
        name: "MemryX driver library",
        openness: "mixed",
        packages: { vendor: { says: "memx-drivers and memx-accl, from MemryX's apt repository" } },
        source: packages,
      },
      delegate: { id: "vendor", name: "MxAccl", libraries: ["libmx_accl.so.2"], openness: "open", source: packages },
      models: [{ format: "dfp", compiler: "MemryX neural compiler", openness: "closed" }],
    },
  ],
  metrics: [
    // Four chips on a card.
    { name: "temperature_celsius", part: "chip 1", read: "hwmon:temp1_input", scale: 0.001, source: driver },
    { name: "temperature_celsius", part: "chip 2", read: "hwmon:temp2_input", scale: 0.001, source: driver },
    { name: "temperature_celsius", part: "chip 3", read: "hwmon:temp3_input", scale: 0.001, source: driver },
    { name: "temperature_celsius", part: "chip 4", read: "hwmon:temp4_input", scale: 0.001, source: driver },
    // By chip, of those that a group of models uses. Its folder, /sys/memxN or /proc/memxN by the driver's option, is called as its hwmon.
    {
      name: "busy_ratio",
      read: "sys:{hwmon}/utilization",
      form: "percents",
      scale: 0.01,
      source: load,
    },
    {
      name: "busy_ratio",
      read: "proc:{hwmon}/utilization",
      form: "percents",
      scale: 0.01,
      source: load,
    },
  ],
  traps: [
    "the driver stays bound when its initialisation fails: a driver link without a node means it did",
    "its own files lie in /sys/memxN, at the root of sysfs, unless g_drv_fs_type says otherwise",
    "each card has a second node, /dev/memxN_feature",
  ],
  openness: {
    kernel: "open",
    firmware: "closed",
    runtime: "mixed",
    compiler: "closed",
    says: "open driver, closed firmware and compiler",
  },
  maintained: "yes",
  verified: [
    {
      how: "real kernel driver",
      says: "bound on Debian 7.3.4 to an emulated 1fe9:0100; initialisation fails for lack of registers",
    },
  ],
  sources: [driver, load, repository, accl, packages, pciids],
  unknown: ["of which numbers the throughput is told"],
} as const satisfies Family;
