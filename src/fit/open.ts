/** Open: whether a device can be used by a way of which every part has free sources: driver, firmware, runtime, delegate, compiler. */

import type { Openness } from "../base/finding.ts";
import { loadFamily } from "../families/load.ts";

const free = (openness: Openness | undefined): boolean => openness === "open" || openness === "none";

/** Names of such routes of the catalogue. */
export function openRoutes(family: string, chip?: string): readonly string[] {
  return (loadFamily(family)?.routes ?? [])
    .filter(
      ({ chips, driver, firmware, runtime, delegate, models }) =>
        (chips === undefined || chip === undefined || chips.includes(chip)) &&
        (driver.origin === "none" || free(driver.openness)) &&
        (firmware === undefined || free(firmware.openness)) &&
        free(runtime.openness) &&
        free(delegate.openness) &&
        models.some(({ openness }) => free(openness)),
    )
    .map(({ name }) => name);
}
