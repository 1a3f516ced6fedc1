/** Rebellions ATOM and REBEL: PCIe cards for language models, with virtual functions. */

import type { Source } from "../base/source.ts";
import { pci, type Family } from "./family.ts";

const docs: Source = {
  cited: "https://docs.rbln.ai/latest/getting_started/rbln_driver_installation_guide.html",
  seen: "2026-11-22",
};
const exporter: Source = {
  cited: "https://github.com/rebellions-sw/rbln-metrics-exporter@48f33c0e README.md",
  seen: "2026-11-25",
};
const pciids: Source = { cited: "https://github.com/pciutils/pciids@c1c12547", seen: "2026-11-22" };
const hosts: Source = {
  cited: "container recipes and device plug-ins for RBLN hosts, public copies",
  says: "/dev/rbln0 per card, /dev/rsd0 beside it",
  seen: "2026-11-25",
};

const chip = (id: string, name: string, physical: string, virtual: string) => ({
  id,
  name,
  matches: [pci(physical), pci(virtual, { virtual: true })],
  source: pciids,
});

export default {
  id: "rebellions",
  vendor: "Rebellions",
  name: "Rebellions ATOM, REBEL",
  aliases: ["rbln"],
  says: "PCIe inference cards from Korea. Driver, firmware tools and libraries come in one runfile; models run through PyTorch and vLLM.",
  architecture: "unknown",
  use: "inference",
  chips: [
    chip("ca2", "RBLN-CA2", "1eff:1020", "1eff:1021"),
    chip("ca11", "RBLN-CA11", "1eff:1110", "1eff:1111"),
    chip("ca12", "RBLN-CA12", "1eff:1120", "1eff:1121"),
    chip("ca21", "RBLN-CA21", "1eff:1210", "1eff:1211"),
    chip("ca22", "RBLN-CA22", "1eff:1220", "1eff:1221"),
    chip("ca25", "RBLN-CA25", "1eff:1250", "1eff:1251"),
    chip("cr03", "RBLN-CR03", "1eff:2030", "1eff:2031"),
    chip("cr13", "RBLN-CR13", "1eff:2130", "1eff:2131"),
    chip("cr23", "RBLN-CR23", "1eff:2230", "1eff:2231"),
  ],
  routes: [
    {
      name: "rbln",
      says: "driver rebellions, RBLN SDK, optimum-rbln and vllm-rbln",
      driver: {
        module: "rebellions",
        origin: "out-of-tree",
        openness: "closed",
        packages: {
          vendor: {
            says: "runfile rebellions-<arch>-<version>.run (DKMS); remove a deb or rpm of 2.x before",
            link: docs.cited,
          },
        },
        source: docs,
      },
      firmware: { files: [], elsewhere: "on the card, brought by the runfile", openness: "closed" },
      node: { paths: ["/dev/rbln[0-9]*"], class: "unknown", source: hosts },
      runtime: {
        libraries: ["librbln-thunk.so*", "librbln_runtime.so*"],
        name: "RBLN SDK",
        openness: "closed",
        licence: "proprietary",
        also: ["librbln-ml.so*"],
        wheels: ["rebel-compiler", "optimum-rbln", "vllm-rbln"],
        source: docs,
      },
      delegate: { id: "vendor", name: "RBLN runtime, vLLM", openness: "closed", source: docs },
      models: [{ format: "rbln", compiler: "RBLN compiler", openness: "closed" }],
    },
  ],
  untold: {
    says: "no file of its closed driver is known to tell it: the daemon that comes with it does (gRPC, 127.0.0.1:50051)",
    source: exporter,
  },
  traps: [
    "the odd device ids are virtual functions of the card before them",
    "the SDK asks for a least driver: 0.10.0 needs 3.0.0, 0.9.4 needs 2.0.1",
    "/dev/rsd* is a system device, no card",
  ],
  openness: { kernel: "closed", firmware: "closed", runtime: "closed", compiler: "closed", says: "closed" },
  maintained: "yes",
  verified: [{ how: "documents", says: "the maker's documentation; never run" }],
  sources: [docs, exporter, pciids, hosts],
  unknown: ["architecture", "name the driver link shows", "class of the node", "throughput", "power"],
} as const satisfies Family;
