/** Which devices are meant by what somebody typed: an id, an address, a node, a family, or a pattern (glob) of one of these. */

import type { Device } from "../devices/device.ts";
import { globMatches } from "../families/match.ts";
import type { DeviceSample } from "./sample.ts";

export function isMeant(device: Device, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const names = [
    device.id,
    device.address,
    ...device.parts,
    ...(device.family === undefined ? [] : [device.family.id, ...(device.family.aliases ?? [])]),
    ...(device.chip === undefined ? [] : [device.chip.id]),
    ...device.nodes.map(({ path }) => path),
  ];
  return words.some((word) => names.some((name) => globMatches(word, name)));
}

/** The same of a device in a recording, which holds less of it. */
export function isSampleMeant({ id, address, family }: DeviceSample, words: readonly string[]): boolean {
  const names = [id, address, ...(family === undefined ? [] : [family])];
  return words.length === 0 || words.some((word) => names.some((name) => globMatches(word, name)));
}
