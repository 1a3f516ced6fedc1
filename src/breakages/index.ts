/** All breakages, in one list; ids are unique. */

import { amd } from "./amd.ts";
import type { Breakage } from "./breakage.ts";
import { cloudTpu } from "./cloud-tpu.ts";
import { coral } from "./coral.ts";
import { gaudi } from "./gaudi.ts";
import { hailo } from "./hailo.ts";
import { intel } from "./intel.ts";
import { anyFamily } from "./modules.ts";
import { nvidia } from "./nvidia.ts";
import { others } from "./others.ts";
import { qualcomm } from "./qualcomm.ts";
import { rockchip } from "./rockchip.ts";
import { tenstorrent } from "./tenstorrent.ts";
import { verisilicon } from "./verisilicon.ts";

export const breakages: readonly Breakage[] = [
  ...coral,
  ...cloudTpu,
  ...tenstorrent,
  ...rockchip,
  ...hailo,
  ...intel,
  ...gaudi,
  ...amd,
  ...nvidia,
  ...qualcomm,
  ...verisilicon,
  ...others,
  ...anyFamily,
];

/** The breakage with this id, for rules that name one. Throws on an id that does not exist: that is a bug of ours. */
export function breakage(id: string): Breakage {
  const found = breakages.find((b) => b.id === id);
  if (found === undefined) throw new Error(`no breakage is called ${id}`);
  return found;
}
