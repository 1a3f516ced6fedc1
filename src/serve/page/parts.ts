/** All parts of a server that shows the page: its files, and what its views ask. `serve` and `dashboard` have the same. */

import { openRoot } from "../../root/open.ts";
import { openWatch } from "../../watch/watch.ts";
import type { Part } from "../door.ts";
import type { Engine } from "../engine.ts";
import { assetsPart } from "./assets.ts";
import { atlasPart } from "./atlas.ts";
import { livePart } from "./live.ts";
import { modelsPart, type ModelsPartOptions } from "./models.ts";
import { reportPart, type ReportPartOptions } from "./report.ts";

export interface PageOptions extends ReportPartOptions, Pick<ModelsPartOptions, "run"> {
  /** Absent: no models are served here. */
  readonly engine?: Pick<Engine, "models" | "figures">;
}

/** Throws CannotError where the page was not built. */
export function pageParts(options: PageOptions = {}): readonly Part[] {
  const { root, engine } = options;
  // A machine that was saved is read once, when somebody looks: it does not change.
  const live = livePart({ open: () => openWatch(openRoot(root)), ...(engine === undefined ? {} : { engine }) });
  return [assetsPart(), reportPart(options), atlasPart(), modelsPart(options), live];
}
