/** ST: STM32MP2 carries a Vivante VIP (family verisilicon); STM32N6's Neural-ART is a controller's, without Linux. */

import type { Source } from "../base/source.ts";
import type { Family } from "./family.ts";

const xlinux: Source = {
  cited: "https://wiki.st.com/stm32mpu/wiki/Category:X-LINUX-AI_expansion_package",
  seen: "2026-11-22",
};

export default {
  id: "stm",
  vendor: "STMicroelectronics",
  name: "ST STM32MP2, Neural-ART",
  says:
    "STM32MP2 processors have a Vivante NPU and are driven as the family verisilicon is; ST's X-LINUX-AI package brings the runtime. " +
    "STM32N6's Neural-ART has no Linux interface.",
  architecture: "unknown",
  use: "inference",
  // No id of its own was found in a source: an STM32MP2's NPU would show as verisilicon.
  chips: [],
  routes: [],
  openness: { kernel: "open", firmware: "none", runtime: "closed", compiler: "closed", says: "as verisilicon" },
  maintained: "yes",
  verified: [{ how: "documents", says: "nothing of it was confirmed" }],
  sources: [xlinux],
  unknown: ["device-tree compatible of the NPU under ST's kernel", "everything not in the family verisilicon"],
} as const satisfies Family;
