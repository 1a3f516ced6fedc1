/** Arm's Ethos-U55 and U65 by Vela: of 3.10, of NXP's fork of it (i.MX 93), and of 4.2. */

import type { Target } from "../target.ts";
import type { VelaVersion } from "../vela-checks.ts";
import { velaRules } from "../vela-rules.ts";

const target = (
  rules: VelaVersion,
  own: Pick<Target, "id" | "name" | "tool" | "version" | "devices" | "sources" | "confidence">,
): Target => ({
  ...own,
  formats: ["tflite"],
  names: "tflite",
  preconditions: [
    {
      rule: "full integer",
      says: "Vela takes 8- and 16-bit integers only",
      holds: ({ scheme, views }) =>
        views.some(({ quantized }) => quantized) ? true : scheme === undefined ? undefined : false,
      else: "warns",
      cure: "quantise the model to full integers first",
      source: "https://gitlab.arm.com/artificial-intelligence/ethos-u/ethos-u-vela SUPPORTED_OPS.md",
    },
  ],
  every: [],
  operators: velaRules(rules),
  others: "no",
  otherSays: "CPU only op",
  partition: rules.major === 3 ? { way: "runs" } : { way: "subgraphs" },
});

// 330 of the files: what was left beside the NPU's operator in what it wrote.
const run85 = "run on 330 TFLite files, by what it left to the CPU";
const run = "run on 340 TFLite files, operator by operator";

export default [
  target(
    { major: 3, padsChannels: false },
    {
      id: "vela",
      name: "Arm Ethos-U55, U65 (Vela 3)",
      tool: "Vela",
      version: "3.10.0",
      devices: ["ethos-u/u65", "ethos-u/stack"],
      confidence: "run",
      sources: ["https://pypi.org/project/ethos-u-vela/3.10.0/", run],
    },
  ),
  target(
    { major: 3, padsChannels: true },
    {
      id: "vela-nxp",
      name: "Arm Ethos-U65 of i.MX 93 (NXP's Vela)",
      tool: "Vela (NXP)",
      version: "3.10.0",
      devices: ["ethos-u/u65"],
      confidence: "run",
      sources: ["github.com/nxp-imx/ethos-u-vela@a6f65663db123c131cdd12aab6aad9a50470d5c0 ethosu/vela", run],
    },
  ),
  target(
    { major: 4, padsChannels: true },
    {
      id: "vela4",
      name: "Arm Ethos-U55, U65 (Vela 4)",
      tool: "Vela",
      version: "4.2.0",
      devices: ["ethos-u/u65", "ethos-u/stack"],
      confidence: "run",
      sources: ["https://pypi.org/project/ethos-u-vela/4.2.0/", run],
    },
  ),
  target(
    { major: 4, padsChannels: true, u85: true },
    {
      id: "vela4-u85",
      name: "Arm Ethos-U85 (Vela 4)",
      tool: "Vela",
      version: "4.2.0",
      devices: ["ethos-u/u85"],
      confidence: "documents",
      sources: [
        "github.com/hapv3/neural-compiler@037f02e9622da2d2551b975494cbf41ebd1c6fe4 SUPPORTED_OPS.md",
        "https://pypi.org/project/ethos-u-vela/4.2.0/",
        run85,
      ],
    },
  ),
];
