/** Samsung Exynos NPU: known from the vendor kernels of phones. No way to use it from plain Linux is public. */

import type { Source } from "../base/source.ts";
import { of, type Family } from "./family.ts";

const kernel: Source = {
  cited: "Samsung phone kernels, public copies: drivers/vision/npu/core/npu-device.c",
  says: "compatible samsung,exynos-npu, driver exynos-npu",
  seen: "2026-11-25",
};
const format: Source = { cited: "https://github.com/lutzroeder/netron/blob/main/source/nnc.js", seen: "2026-11-22" };

export default {
  id: "samsung",
  vendor: "Samsung",
  name: "Samsung Exynos NPU",
  aliases: ["exynos-npu"],
  says: "NPU of Exynos phone chips, reached through Android's ENN service only.",
  architecture: "unknown",
  use: "inference",
  chips: [{ id: "exynos", name: "Exynos NPU", matches: [of("samsung,exynos-npu")], source: kernel }],
  // The vendor kernel has a character device; without Samsung's Android service nothing public speaks to it.
  routes: [],
  traps: ["samsung,exynos-npu-hwdev, -core and -nshare are parts of the same NPU, not further ones"],
  openness: { kernel: "open", firmware: "closed", runtime: "closed", compiler: "closed", says: "Android only" },
  maintained: "for Android only",
  verified: [{ how: "documents", says: "vendor kernel source; never run" }],
  sources: [kernel, format],
  unknown: ["everything for plain Linux: node, firmware, runtime", "throughput", "power"],
} as const satisfies Family;
