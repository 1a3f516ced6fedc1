/**
 * Names of Arm cores by implementer and part, as /proc/cpuinfo gives both. From the constants in the kernel's
 * arch/arm64/include/asm/cputype.h (linux-next, seen 2026-11-25); a core it does not name is called by its numbers.
 */

import { row } from "../base/table.ts";

/** "Cortex-A76" for "0x41" and "0xd0b"; the numbers themselves for a core without a name here. */
export function coreName(implementer: string, part: string): string {
  const cores = row(CORES, implementer.toLowerCase());
  return row(cores ?? {}, part.toLowerCase()) ?? `CPU implementer ${implementer}, part ${part}`;
}

const CORES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  // ARM_CPU_IMP_ARM
  "0x41": {
    "0xd03": "Cortex-A53",
    "0xd04": "Cortex-A35",
    "0xd05": "Cortex-A55",
    "0xd07": "Cortex-A57",
    "0xd08": "Cortex-A72",
    "0xd09": "Cortex-A73",
    "0xd0a": "Cortex-A75",
    "0xd0b": "Cortex-A76",
    "0xd0c": "Neoverse N1",
    "0xd0d": "Cortex-A77",
    "0xd0e": "Cortex-A76AE",
    "0xd40": "Neoverse V1",
    "0xd41": "Cortex-A78",
    "0xd42": "Cortex-A78AE",
    "0xd44": "Cortex-X1",
    "0xd46": "Cortex-A510",
    "0xd47": "Cortex-A710",
    "0xd48": "Cortex-X2",
    "0xd49": "Neoverse N2",
    "0xd4b": "Cortex-A78C",
    "0xd4c": "Cortex-X1C",
    "0xd4d": "Cortex-A715",
    "0xd4e": "Cortex-X3",
    "0xd4f": "Neoverse V2",
    "0xd80": "Cortex-A520",
    "0xd81": "Cortex-A720",
    "0xd82": "Cortex-X4",
    "0xd83": "Neoverse V3AE",
    "0xd84": "Neoverse V3",
    "0xd85": "Cortex-X925",
    "0xd87": "Cortex-A725",
    "0xd89": "Cortex-A720AE",
    "0xd8c": "C1-Ultra",
    "0xd8e": "Neoverse N3",
    "0xd90": "C1-Premium",
  },
  // ARM_CPU_IMP_BRCM
  "0x42": { "0x100": "Brahma-B53", "0x516": "Vulcan" },
  // ARM_CPU_IMP_CAVIUM
  "0x43": { "0x0a1": "ThunderX", "0x0a2": "ThunderX 81xx", "0x0a3": "ThunderX 83xx", "0x0af": "ThunderX2" },
  // ARM_CPU_IMP_FUJITSU
  "0x46": { "0x001": "A64FX" },
  // ARM_CPU_IMP_HISI
  "0x48": { "0xd01": "TSV110", "0xd02": "HIP09", "0xd06": "HIP12" },
  // ARM_CPU_IMP_NVIDIA
  "0x4e": { "0x003": "Denver", "0x004": "Carmel" },
  // ARM_CPU_IMP_QCOM
  "0x51": {
    "0x001": "Oryon X1",
    "0x200": "Kryo",
    "0x801": "Kryo 2xx Silver",
    "0x802": "Kryo 3xx Gold",
    "0x803": "Kryo 3xx Silver",
    "0x804": "Kryo 4xx Gold",
    "0x805": "Kryo 4xx Silver",
    "0xc00": "Falkor",
  },
  // ARM_CPU_IMP_APPLE
  "0x61": {
    "0x022": "M1 Icestorm",
    "0x023": "M1 Firestorm",
    "0x024": "M1 Pro Icestorm",
    "0x025": "M1 Pro Firestorm",
    "0x028": "M1 Max Icestorm",
    "0x029": "M1 Max Firestorm",
    "0x032": "M2 Blizzard",
    "0x033": "M2 Avalanche",
    "0x034": "M2 Pro Blizzard",
    "0x035": "M2 Pro Avalanche",
    "0x038": "M2 Max Blizzard",
    "0x039": "M2 Max Avalanche",
  },
  // ARM_CPU_IMP_MICROSOFT
  "0x6d": { "0xd49": "Azure Cobalt 100" },
  // ARM_CPU_IMP_AMPERE
  "0xc0": { "0xac3": "Ampere-1", "0xac4": "Ampere-1A" },
};
