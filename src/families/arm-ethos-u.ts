/** Arm Ethos-U: a MAC array that runs command streams compiled by Vela. The smallest whole family: copy it to start another. */

import { fact, type Source } from "../base/source.ts";
import { of, type Family } from "./family.ts";

const kernel: Source = { kernel: "drivers/accel/ethosu", module: "ethosu", release: "7.3.4" };
const vela: Source = {
  cited: "https://gitlab.arm.com/artificial-intelligence/ethos-u/ethos-u-vela",
  seen: "2026-11-22",
};
const stack: Source = { cited: "https://github.com/nxp-imx/ethos-u-driver-stack-imx", seen: "2026-11-22" };
const mesa: Source = { cited: "https://docs.mesa3d.org/teflon.html", seen: "2026-11-22" };

export default {
  id: "ethos-u",
  vendor: "Arm",
  name: "Arm Ethos-U NPU",
  says: "Small NPU of microcontrollers and application processors (i.MX93, Corstone). Models are compiled to a command stream.",
  architecture: "MAC array",
  use: "inference",
  chips: [
    {
      id: "u65",
      name: "Ethos-U65",
      matches: [of("arm,ethos-u65"), of("fsl,imx93-npu")],
      source: kernel,
    },
    { id: "u85", name: "Ethos-U85", matches: [of("arm,ethos-u85"), of("arm,corstone1000-ethos-u85")], source: kernel },
  ],
  routes: [
    {
      name: "open",
      says: "mainline driver, Mesa's Teflon, int8 TFLite: nothing closed anywhere",
      driver: {
        module: "ethosu",
        origin: "mainline",
        since: "6.19",
        config: { symbol: "DRM_ACCEL_ARM_ETHOSU", needs: ["DRM_ACCEL"] },
        packages: { debian: [{ name: "linux-image-arm64", from: "trixie-backports 7.3.4 or later (7.2 has it off)" }] },
        openness: "open",
        licence: "Dual MIT/GPL",
        source: kernel,
      },
      node: {
        paths: ["/dev/accel/accel*"],
        class: "accel",
        drmName: "ethosu",
        group: "render",
        mode: "0660",
        source: kernel,
      },
      runtime: {
        libraries: ["libteflon.so"],
        paths: ["/usr/lib/teflon/libteflon.so", "/usr/lib64/libteflon.so"],
        name: "Mesa Teflon",
        openness: "open",
        licence: "MIT",
        packages: {
          debian: [
            { name: "mesa-teflon-delegate", from: "trixie-backports 26.1.6 or later (25.0.7 of trixie has no ethosu)" },
          ],
          ubuntu: [{ name: "mesa-teflon-delegate" }],
          fedora: [{ name: "mesa-libTeflon" }],
        },
        source: mesa,
      },
      delegate: {
        id: "tflite",
        name: "TFLite external delegate",
        libraries: ["libteflon.so"],
        openness: "open",
        source: mesa,
      },
      models: [{ format: "tflite", openness: "open" }],
    },
    {
      name: "arm-stack",
      says: "Arm/NXP kernel driver over a Cortex-M, Vela-compiled TFLite",
      driver: {
        module: "ethosu",
        origin: "vendor-kernel",
        openness: "open",
        repository: "https://github.com/nxp-imx/ethos-u-driver-stack-imx",
        source: stack,
      },
      node: { paths: ["/dev/ethosu*"], class: "ethosu", source: stack },
      runtime: { libraries: ["libethosu.so*"], name: "libethosu", openness: "open", source: stack },
      delegate: {
        id: "tflite",
        name: "ethosu delegate",
        libraries: ["libethosu_delegate.so"],
        openness: "open",
        source: stack,
      },
      models: [{ format: "vela-tflite", compiler: "Vela", openness: "open" }],
    },
  ],
  openness: { kernel: "open", firmware: "none", runtime: "open", compiler: "open", says: "fully open" },
  maintained: "yes",
  verified: [
    {
      how: "real kernel driver",
      says: "Debian 7.3.4 arm64 binds U65 and U85 and makes accel nodes (emulated registers)",
    },
  ],
  architectureDetail: fact("MAC array with a command stream", vela),
  sources: [kernel, vela, stack, mesa],
} as const satisfies Family;
