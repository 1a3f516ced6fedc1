/** Google Coral: Edge TPU by USB or PCIe. coral.ai/docs/edgetpu/benchmarks and coral.ai/models; others' measurements. */

import type { Device } from "../estimate.ts";

const peak = { value: 2e12, precision: "int8", source: "coral.ai/docs/edgetpu: 4 TOPS" };
const watts = { value: 2, source: "coral.ai/docs/edgetpu: 2 TOPS per watt at 4 TOPS" };
const onchip = { bytes: 8 * 1024 * 1024, source: "coral.ai/docs/edgetpu/compiler: 8 MB of SRAM for parameters" };

const edgeTpu = (
  id: string,
  name: string,
  chip: string,
  aliases: readonly string[],
  rest: Partial<Device>,
): Device => ({
  id,
  name,
  family: "coral",
  chip,
  class: "systolic array",
  targets: ["edgetpu"],
  pool: "coral",
  aliases,
  macs: peak,
  watts,
  onchip,
  ...rest,
});

const usb3 = {
  kind: "usb3",
  bytes_per_s: 3e8,
  source: "parameter upload of dense layers, CustomEdgeTPU notes",
} as const;

export default [
  edgeTpu(
    "coral-usb3",
    "Coral USB Accelerator, USB 3",
    "usb",
    [
      "Coral USB Accelerator (USB3, desktop host)",
      "Coral USB Accelerator (USB3)",
      "Coral USB Accelerator (i9-13900K, Ubuntu 24.04, kernel 6.17)",
      "Coral USB Accelerator on iMac 2015",
      "Coral USB Accelerator on MacBook Pro 13 2018",
      "Coral USB Accelerator",
    ],
    { link: usb3 },
  ),
  edgeTpu("coral-usb2", "Coral USB Accelerator, USB 2", "usb", ["Coral USB Accelerator (USB2)"], {
    link: { kind: "usb2", bytes_per_s: 4e7, source: "USB 2 high speed, as bulk transfers reach it" },
    // Two rows of its own tell next to nothing: the same stick over USB 3, moved.
    measuredAs: "coral-usb3",
    measuredLink: usb3,
  }),
  edgeTpu(
    "coral-dev-board",
    "Coral Dev Board (Edge TPU by PCIe)",
    "pcie",
    ["Coral Dev Board (Edge TPU)", "Coral Dev Board"],
    {
      link: { kind: "pcie", bytes_per_s: 4e8, source: "PCIe 2.0 x1" },
    },
  ),
] satisfies readonly Device[];
