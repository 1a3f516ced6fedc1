/** Kneron KL520 to KL730: USB sticks and boards driven by libusb, without kernel driver or node. */

import type { Source } from "../base/source.ts";
import { usb, type Family } from "./family.ts";

const host: Source = { cited: "https://github.com/kneron/host_lib python/common/constants.py", seen: "2026-11-22" };
const rules: Source = {
  cited: "install_libusb.sh and 10-local.rules of Kneron PLUS and host_lib, public copies",
  says: '3231:0100 "Kneron KL520", 3231:0200 "Kneron KL720l", 3231:0720 "Kneron KL720"',
  seen: "2026-11-25",
};

const products: Source = {
  cited: "kp_struct.h of Kneron PLUS 2.3.0 (kp_product_id_t), public copies",
  says: "KL530 0530, KL630 0630, KL730 0732 and KL830 0832 of vendor 3231",
  seen: "2026-11-25",
};

const plus: Source = {
  cited: "build notes of Kneron PLUS, public copies",
  says: "libkplus.so in build/src, wheel KneronPLUS",
  seen: "2026-11-25",
};

export default {
  id: "kneron",
  vendor: "Kneron",
  name: "Kneron KL520, KL630, KL720, KL730",
  says: "USB sticks and modules for small vision models. There is no kernel driver: Kneron's library talks USB.",
  architecture: "unknown",
  use: "inference",
  chips: [
    { id: "kl520", name: "KL520", matches: [usb("3231:0100")], source: rules },
    {
      id: "kl720",
      name: "KL720",
      matches: [usb("3231:0720"), usb("3231:0200", "older firmware (KL720l)")],
      source: rules,
    },
    { id: "kl530", name: "KL530", matches: [usb("3231:0530")], source: products },
    { id: "kl630", name: "KL630", matches: [usb("3231:0630")], source: products },
    {
      id: "kl730",
      name: "KL730, KL830",
      matches: [usb("3231:0732"), usb("3231:0832", "KL830, which takes a KL730's models")],
      source: products,
    },
  ],
  routes: [
    {
      name: "plus",
      says: "Kneron PLUS over libusb, NEF models",
      driver: { origin: "none", openness: "none", source: host },
      firmware: { files: [], elsewhere: "in the stick's flash, or uploaded by Kneron PLUS", openness: "closed" },
      runtime: {
        libraries: ["libkplus.so*"],
        name: "Kneron PLUS",
        openness: "closed",
        licence: "proprietary",
        also: ["libusb-1.0.so.0"],
        wheels: ["KneronPLUS"],
        source: plus,
      },
      delegate: { id: "vendor", name: "Kneron PLUS", openness: "closed", source: host },
      models: [{ format: "nef", compiler: "Kneron toolchain", openness: "closed" }],
    },
  ],
  traps: [
    "no kernel node exists: access is that of /dev/bus/usb, and a rule with MODE 0666 for vendor 3231 is the maker's way",
    "a KL720 changes its product id with its firmware",
  ],
  openness: { kernel: "none", firmware: "closed", runtime: "closed", compiler: "closed", says: "closed" },
  maintained: "unknown",
  verified: [{ how: "documents", says: "rules and samples read; never run" }],
  sources: [host, rules, products, plus],
  unknown: ["architecture", "throughput", "power"],
} as const satisfies Family;
