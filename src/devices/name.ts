/** Names and reasons of devices, the same for every bus. */

import { describeSource } from "../base/source.ts";
import type { Chip, Family } from "../families/family.ts";
import type { Matched } from "../families/match.ts";
import type { Device } from "./device.ts";

export const hex = (n: number, digits: number): string => n.toString(16).padStart(digits, "0");

/** The chip's name with its maker's before it, where that does not stand in it anyway: "Wormhole" alone is a hole. */
export function nameOf({ family, chip }: { readonly family: Family; readonly chip: Chip }): string {
  return chip.name.toLowerCase().includes(family.vendor.toLowerCase()) || family.id === "cpu"
    ? chip.name
    : `${family.vendor} ${chip.name}`;
}

/** What is known of a family alone: no chip of the catalogue, but its driver or its device id is the family's. */
export function kinName(family: Family, id: string): string {
  return `${family.name} (${id})`;
}

export function becauseOfMatch(matched: Matched, id: string): Device["because"] {
  return { known: `${id} is ${matched.chip.name}`, source: describeSource(matched.chip.source) };
}

/** The chip a driver implies, where its route is for one chip only (rocket drives the RK3588). */
export function chipOfDriver(family: Family, driver: string): Chip | undefined {
  const route = family.routes.find((r) => (r.driver.binds ?? [r.driver.module]).includes(driver));
  const [only, ...more] = route?.chips ?? [];
  return only === undefined || more.length > 0 ? undefined : family.chips.find((chip) => chip.id === only);
}
