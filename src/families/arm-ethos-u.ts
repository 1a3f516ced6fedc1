/** Arm Ethos-U: a MAC array that runs command streams compiled by Vela. The smallest whole family: copy it to start another. */

import { fact, type Source } from "../base/source.ts";
import { of, type Family } from "./family.ts";

const kernel: Source = { kernel: "drivers/accel/ethosu", module: "ethosu", release: "7.3.4" };
const bindings: Source = { kernel: "Documentation/devicetree/bindings/npu/arm,ethos.yaml", release: "7.3.4" };
const u65: Source = {
  cited: "https://nxp.com.cn/company/about-nxp/smarter-world-blog/BL-ARM-ETHOS-U65-MICRONPU",
  seen: "2026-11-25",
};
const u85: Source = { cited: "https://xpu.pub/?p=565", says: "from 256 GOPS to 4 TOPS", seen: "2026-11-25" };
const udev: Source = { cited: "Debian udev 257.13: 50-udev-default.rules, SUBSYSTEM accel", seen: "2026-11-22" };
const mesa: Source = { cited: "https://docs.mesa3d.org/teflon.html", seen: "2026-11-22" };
const stack: Source = { cited: "https://github.com/nxp-imx/ethos-u-driver-stack-imx@2acb7e2", seen: "2026-11-22" };
const teflon = ["libteflon.so"] as const;
// The compatible of the SoC stands before the one that the driver matches.
const hint = { hint: true } as const;

export default {
  id: "ethos-u",
  vendor: "Arm",
  name: "Arm Ethos-U NPU",
  says: "Small NPU of application processors (i.MX93, Corstone-1000). Models are compiled ahead into a command stream.",
  architecture: "MAC array",
  architectureDetail: fact("MAC array with a command stream, 8- and 16-bit integers", bindings),
  use: "inference",
  chips: [
    {
      id: "u65",
      name: "Ethos-U65",
      matches: [of("arm,ethos-u65"), of("fsl,imx93-npu", hint)],
      peak: [{ ops: 1e12, precision: "int8", source: u65 }],
      source: bindings,
    },
    {
      id: "u85",
      name: "Ethos-U85",
      matches: [of("arm,ethos-u85"), of("arm,corstone1000-ethos-u85", hint)],
      peak: [{ ops: 4e12, precision: "int8", source: u85 }],
      source: kernel,
    },
    { id: "stack", name: "Ethos-U behind a Cortex-M", matches: [of("arm,ethosu")], source: stack },
  ],
  routes: [
    {
      name: "open",
      says: "mainline driver, Mesa's Teflon, int8 TFLite: nothing closed anywhere",
      chips: ["u65", "u85"],
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
        source: udev,
      },
      runtime: {
        libraries: teflon,
        paths: ["/usr/lib/teflon/libteflon.so", "/usr/lib64/libteflon.so"],
        name: "Mesa Teflon",
        openness: "open",
        licence: "MIT",
        packages: {
          debian: [
            { name: "mesa-teflon-delegate", from: "trixie-backports 26.1.6 or later (trixie's 25.0.7 has no ethosu)" },
          ],
          ubuntu: [{ name: "mesa-teflon-delegate" }],
          fedora: [{ name: "mesa-libTeflon" }],
        },
        source: mesa,
      },
      delegate: { id: "tflite", name: "TFLite external delegate", libraries: teflon, openness: "open", source: mesa },
      models: [{ format: "tflite", openness: "open" }],
    },
    {
      name: "arm-stack",
      says: "Arm's and NXP's kernel driver over a Cortex-M, TFLite compiled by Vela",
      driver: {
        module: "ethosu",
        origin: "vendor-kernel",
        openness: "open",
        licence: "GPL-2.0",
        repository: "https://github.com/nxp-imx/ethos-u-driver-stack-imx",
        source: stack,
      },
      firmware: { files: [{ path: "ethosu_firmware", source: stack }], openness: "open" },
      node: { paths: ["/dev/ethosu*"], class: "ethosu", source: stack },
      runtime: { libraries: ["libethosu.so*"], name: "libethosu", openness: "open", source: stack },
      delegate: {
        id: "tflite",
        name: "ethosu delegate",
        libraries: ["libethosu_delegate.so"],
        openness: "open",
        source: stack,
      },
      models: [
        { format: "vela-tflite", compiler: "Vela", openness: "open" },
        // By the delegate EthosUBackend, whose runtime for Cortex-A calls the same library.
        { format: "pte", compiler: "ExecuTorch with Vela", openness: "open" },
      ],
    },
  ],
  metrics: [{ name: "sram_bytes", read: "ask:ethosu DEV_QUERY NPU_INFO sram_size", source: kernel }],
  traps: ["two drivers are named ethosu: mainline's node is of class accel, Arm's of class ethosu"],
  openness: { kernel: "open", firmware: "none", runtime: "open", compiler: "open", says: "fully open" },
  maintained: "yes",
  verified: [
    { how: "real kernel driver", says: "Debian 7.3.4 arm64 binds U65 and U85, makes accel nodes (emulated registers)" },
    { how: "documents", says: "the arm-stack route" },
  ],
  sources: [kernel, bindings, udev, u65, u85, mesa, stack],
  unknown: ["power", "mode and owner of /dev/ethosu*: the board's image sets them"],
} as const satisfies Family;
