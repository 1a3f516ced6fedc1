/** All parts of a server that shows the page: its files, and what its views ask. `serve` and `dashboard` have the same. */

import { openRoot } from "../../root/open.ts";
import type { Sample } from "../../watch/sample.ts";
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
  /** Ask NVIDIA's library for what Live shows. */
  readonly vendor?: boolean;
  /** Shown by Live in the place of the machine. */
  readonly recording?: { readonly name: string; readonly samples: Iterable<Sample> };
}

/** Throws CannotError where the page was not built. */
export function pageParts(options: PageOptions = {}): readonly Part[] {
  const { root, name, engine, recording, vendor = false } = options;
  const live = livePart({
    open: () => openWatch(openRoot(root), { vendor }),
    ...(engine === undefined ? {} : { engine }),
    ...(recording !== undefined
      ? { recorded: recording.samples, name: recording.name }
      : root === undefined || root === "/"
        ? {}
        : { saved: true, ...(name === undefined ? {} : { name }) }),
  });
  return [assetsPart(), reportPart(options), atlasPart(), modelsPart(options), live];
}
