/** What the verbs that sample a machine share: seconds that were typed, and a watch of the devices that were named. */

import { UsageError } from "../base/errors.ts";
import type { Root } from "../root/root.ts";
import { isMeant } from "../watch/choose.ts";
import { openWatch, type Watch, type WatchOptions } from "../watch/watch.ts";
import { option, type Invocation } from "./command.ts";

/** Undefined when not given. */
export function secondsOption(invocation: Invocation, name: string, least: number, most: number): number | undefined {
  const text = option(invocation, name);
  if (text === undefined) return undefined;
  const seconds = /^\d{0,6}\.?\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (!(seconds >= least && seconds <= most)) {
    throw new UsageError(`--${name} takes seconds from ${least} to ${most}; not "${text}"`);
  }
  return seconds;
}

/** Of all devices where `words` is empty. */
export function watchOf(root: Root, words: readonly string[], options: Omit<WatchOptions, "only">): Watch {
  if (words.length === 0) return openWatch(root, options);
  const watch = openWatch(root, { ...options, only: (device) => isMeant(device, words) });
  if (watch.devices().length > 0) return watch;
  watch.close();
  throw new UsageError(`no device is "${words.join('", "')}" here; accelctl list shows them`);
}
