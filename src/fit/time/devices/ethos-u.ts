/** Arm Ethos-U55 and U65, told by Vela's own estimate (time/vela.ts). Clocks and memories: ethos-u-vela config_files/Arm/vela.ini. */

import type { Device } from "../estimate.ts";

const ini = "ethos-u-vela 3.10 config_files/Arm/vela.ini";

const ethosU = (
  id: string,
  name: string,
  chip: string,
  targets: readonly string[],
  macs: number,
  clock: number,
): Device => ({
  id,
  name,
  family: "ethos-u",
  chip,
  class: "MAC array",
  targets,
  macs: { value: macs * clock, precision: "int8", source: `${macs} multiplications a cycle; clock of ${ini}` },
});

export default [
  ethosU("imx93-ethos-u65-256", "i.MX 93 (Ethos-U65, 256 MACs, 1 GHz)", "u65", ["vela-nxp", "teflon-ethosu"], 256, 1e9),
  ethosU("ethos-u65-256", "Ethos-U65, 256 MACs, 1 GHz", "u65", ["vela4", "vela"], 256, 1e9),
  ethosU("ethos-u65-512", "Ethos-U65, 512 MACs, 1 GHz", "u65", ["vela4", "vela"], 512, 1e9),
  ...[32, 64, 128, 256].map((macs) =>
    ethosU(`ethos-u55-${macs}`, `Ethos-U55, ${macs} MACs, 500 MHz`, "stack", ["vela4", "vela"], macs, 5e8),
  ),
] satisfies readonly Device[];
