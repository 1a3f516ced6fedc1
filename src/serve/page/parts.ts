/** All parts of a server that shows the page: its files, and what its views ask. `serve` and `dashboard` have the same. */

import type { Part } from "../door.ts";
import { assetsPart } from "./assets.ts";
import { atlasPart } from "./atlas.ts";
import { modelsPart, type ModelsPartOptions } from "./models.ts";
import { reportPart, type ReportPartOptions } from "./report.ts";

export type PageOptions = ReportPartOptions & Pick<ModelsPartOptions, "run" | "engine">;

/** Throws CannotError where the page was not built. */
export function pageParts(options: PageOptions = {}): readonly Part[] {
  return [assetsPart(), reportPart(options), atlasPart(), modelsPart(options)];
}
