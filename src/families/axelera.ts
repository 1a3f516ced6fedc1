/** Axelera Metis and Europa: in-memory computing on M.2 and PCIe cards. */

import { fact, type Source } from "../base/source.ts";
import { pci, type Family } from "./family.ts";

const driver: Source = { cited: "https://github.com/axelera-ai-hub/axelera-driver@82e9f04c", seen: "2026-11-25" };
const core: Source = {
  cited: "https://github.com/axelera-ai-hub/axelera-driver@82e9f04c axl-aipu-core.c",
  seen: "2026-11-25",
};
const metis: Source = { cited: "https://docs.ultralytics.com/integrations/axelera", seen: "2026-11-25" };
const sdk: Source = { cited: "https://github.com/axelera-ai-hub/voyager-sdk", seen: "2026-11-22" };
const installs: Source = {
  cited: "build logs and makefiles of programs for the Voyager SDK, public copies",
  says: "/opt/axelera/runtime-1.7.0-1/lib/libaxruntime.so, wheel axelera-runtime",
  seen: "2026-11-25",
};
const pciids: Source = { cited: "https://github.com/pciutils/pciids@c1c12547", seen: "2026-11-22" };

export default {
  id: "axelera",
  vendor: "Axelera AI",
  name: "Axelera Metis and Europa",
  says: "Cards for vision inference; one card may hold four chips. Open driver, closed core of the Voyager SDK.",
  architecture: "in-memory",
  architectureDetail: fact("digital in-memory computing", sdk),
  use: "inference",
  chips: [
    {
      id: "metis",
      name: "Metis AIPU",
      matches: [pci("1f9d:1100"), pci("1f9d:11aa")],
      peak: [{ ops: 214e12, precision: "int8", source: metis }],
      source: driver,
    },
    { id: "europa", name: "Europa AIPU", matches: [pci("1f9d:0001")], source: driver },
  ],
  routes: [
    {
      name: "voyager",
      says: "DKMS driver metis, Voyager SDK",
      driver: {
        module: "metis",
        // The PCI driver is called "axl" and serves both chips.
        binds: ["axl"],
        origin: "out-of-tree",
        openness: "open",
        licence: "GPL-2.0-or-later",
        repository: "https://github.com/axelera-ai-hub/axelera-driver",
        packages: {
          vendor: { says: "metis-dkms, as .deb and .rpm", link: "https://github.com/axelera-ai-hub/axelera-driver" },
        },
        source: driver,
      },
      firmware: { files: [], elsewhere: "brought by the SDK; file names are not public", openness: "closed" },
      node: {
        paths: ["/dev/metis-*", "/dev/europa-*"],
        class: "metis",
        group: "axelera",
        rule: "72-axelera.rules of metis-dkms",
        source: driver,
      },
      runtime: {
        libraries: ["libaxruntime.so*"],
        paths: ["/opt/axelera/runtime-*/lib/libaxruntime.so*"],
        name: "Voyager runtime",
        openness: "closed",
        licence: "proprietary",
        wheels: ["axelera-runtime"],
        source: installs,
      },
      delegate: { id: "vendor", name: "Voyager SDK", openness: "closed", source: sdk },
      models: [],
    },
  ],
  untold: {
    says: "its driver has no file for it, but its version, interrupts and a trigger for recovery",
    source: core,
  },
  traps: [
    "one module and one class serve Metis and Europa; the numbers in the node's name are hexadecimal",
    "1234:2023, 1234:2024 and 1234:2025 stand in the driver's table for emulated test devices",
  ],
  openness: { kernel: "open", firmware: "closed", runtime: "closed", compiler: "closed", says: "open driver only" },
  maintained: "yes",
  verified: [{ how: "documents", says: "driver source and an lspci of others" }],
  sources: [driver, core, sdk, installs, metis, pciids],
  unknown: ["firmware names", "model file's format", "throughput of Europa", "power"],
} as const satisfies Family;
