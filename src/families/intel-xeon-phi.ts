/** Intel Xeon Phi coprocessor (Knights Corner): recognised, past its life. The mic driver has left mainline. */

import { fact, type Source } from "../base/source.ts";
import { pci, type Family } from "./family.ts";

const mic: Source = {
  cited: "https://github.com/torvalds/linux",
  says: "@0324e745 drivers/misc/mic/host/mic_x100.h, mic_main.c",
  seen: "2026-11-25",
};
const pciids: Source = {
  cited: "https://github.com/pciutils/pciids",
  says: "@c1c12547 (2026-08-22)",
  seen: "2026-11-25",
};
const abi: Source = { kernel: "Documentation/ABI/testing/sysfs-class-mic", release: "5.9" };
const capture: Source = { cited: "hwloc test data 32em64t-2n8c+dax+nvme+mic+dimms", seen: "2026-11-22" };

export default {
  id: "xeon-phi",
  vendor: "Intel",
  name: "Intel Xeon Phi coprocessor",
  aliases: ["mic", "knights-corner"],
  says: "Many-core x86 card that runs a Linux of its own, ended. Found in old compute nodes; no current software runs on it.",
  architecture: "general purpose",
  architectureDetail: fact("many x86 cores with wide vector units", mic),
  use: "both",
  chips: [
    {
      id: "x100",
      name: "Xeon Phi x100 (Knights Corner)",
      matches: [
        pci("8086:2250"),
        pci("8086:2251"),
        pci("8086:2252"),
        pci("8086:2253"),
        pci("8086:2254"),
        pci("8086:2255"),
        pci("8086:2256"),
        pci("8086:2257"),
        pci("8086:2258"),
        pci("8086:2259"),
        pci("8086:225a"),
        pci("8086:225b"),
        pci("8086:225c"),
        pci("8086:225d"),
        pci("8086:225e"),
      ],
      source: mic,
    },
    { id: "x200", name: "Xeon Phi 7220 coprocessor (Knights Landing)", matches: [pci("8086:2262")], source: pciids },
  ],
  routes: [
    {
      name: "mpss",
      says: "Intel's MPSS: mic driver and offload libraries, ended",
      chips: ["x100"],
      driver: {
        module: "mic",
        binds: ["mic", "mic_host"],
        origin: "out-of-tree",
        openness: "open",
        licence: "GPL-2.0",
        source: mic,
      },
      firmware: { files: [], elsewhere: "a Linux image that MPSS boots on the card", openness: "mixed" },
      node: { paths: ["/dev/mic*"], class: "mic", source: capture },
      runtime: { name: "Intel MPSS (ended)", libraries: [], openness: "mixed", source: mic },
      delegate: { id: "vendor", name: "Intel offload compilers", openness: "closed", source: mic },
      models: [],
    },
  ],
  metrics: [
    // MPSS's module writes hexadecimal without a prefix: 3d cores and 7c0000 KiB of the captured card, which has 61 and 8 GB.
    { name: "core_count", read: "class:active_cores", form: "hexadecimal", source: capture },
    { name: "memory_total_bytes", read: "class:memsize", form: "hexadecimal", scale: 1024, source: capture },
  ],
  untold: { says: "its driver has no file for it: the card runs a Linux of its own, which knows", source: abi },
  traps: [
    "The class is 0b40 (co-processor), as that of QAT and Hailo.",
    "Knights Landing processors (not cards) are an ordinary x86 CPU with AVX-512.",
  ],
  openness: {
    kernel: "open",
    firmware: "mixed",
    runtime: "mixed",
    compiler: "closed",
    says: "open driver, ended",
  },
  maintained: "no",
  verified: [{ how: "documents", says: "a capture of real hardware (8086:225c under mic), read by our tests" }],
  sources: [mic, abi, pciids, capture],
  unknown: ["peak, memory and power per product: not read", "library names of MPSS"],
} as const satisfies Family;
