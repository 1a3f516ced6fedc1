/** Quantities, as the command line prints them: src/base/units.ts holds no more than arithmetic, so the page uses it as it is. */

import type { Reading } from "../../../src/base/reading.ts";

export { bytes, celsius, count, hertz, percent, seconds, watts } from "../../../src/base/units.ts";

/** Characters that turn the direction of what follows, or that nobody sees: a command that is copied must be the one that is read. */
export const harmless = (text: string): string =>
  text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u2028-\u202e\u2060-\u2069\ufeff]/g, "\ufffd");

const unreadWords = { absent: "none", denied: "denied", uncaptured: "not captured", malformed: "unreadable" } as const;
export type UnreadState = keyof typeof unreadWords;

/** In a word why there is no value. */
export const unreadWord = (state: UnreadState): string => unreadWords[state];

export const valueOf = <T>(reading: Reading<T>): T | undefined =>
  reading.state === "read" ? reading.value : undefined;

/** "1 device", "3 devices", "2 entries". */
export const plural = (n: number, one: string, more = `${one}s`): string => `${n} ${n === 1 ? one : more}`;

/** Only these become links; anything else that calls itself one stays text. */
export const isLink = (text: string): boolean => /^https:\/\/[^\s"'<>]+$/.test(text);
