/**
 * Reading<T>: what asking a machine one question gave. Hardware tools go wrong by guessing, so a value is kept apart from
 * "it is not there", "I may not look", "nobody captured it" and "it is there and makes no sense". Only a printer turns
 * these into words.
 */

export type Reading<T> = Read<T> | Unread;

export interface Read<T> {
  readonly state: "read";
  readonly value: T;
  /** The path (or request) the value came from. */
  readonly from: string;
}

export interface Unread {
  readonly state: "absent" | "denied" | "uncaptured" | "malformed";
  readonly from: string;
  /** What the kernel or the reader said, in a few words. */
  readonly why?: string;
}

export function read<T>(value: T, from: string): Read<T> {
  return { state: "read", value, from };
}

export function unread(state: Unread["state"], from: string, why?: string): Unread {
  return why === undefined ? { state, from } : { state, from, why };
}

export const absent = (from: string, why?: string): Unread => unread("absent", from, why);
export const denied = (from: string, why?: string): Unread => unread("denied", from, why);
export const uncaptured = (from: string, why?: string): Unread => unread("uncaptured", from, why);
export const malformed = (from: string, why?: string): Unread => unread("malformed", from, why);

/** Apply `f` to a value that was read; anything else passes through unchanged. */
export function map<T, U>(reading: Reading<T>, f: (value: T) => U): Reading<U> {
  return reading.state === "read" ? read(f(reading.value), reading.from) : reading;
}

/** As `map`, where `f` may itself fail to make sense of the value. */
export function chain<T, U>(reading: Reading<T>, f: (value: T, from: string) => Reading<U>): Reading<U> {
  return reading.state === "read" ? f(reading.value, reading.from) : reading;
}

/** The value, or undefined for all four ways of not having one. For callers to whom the difference does not matter. */
export function valueOf<T>(reading: Reading<T>): T | undefined {
  return reading.state === "read" ? reading.value : undefined;
}

/** The first reading that holds a value, else the first that says more than "absent", else the last. */
export function firstRead<T>(readings: Iterable<Reading<T>>, from: string): Reading<T> {
  let fallback: Reading<T> | undefined;
  for (const reading of readings) {
    if (reading.state === "read") return reading;
    if (fallback === undefined || fallback.state === "absent") fallback = reading;
  }
  return fallback ?? absent(from);
}

/** A decimal or 0x-prefixed integer as sysfs prints them, trimmed. */
export function parseInteger(reading: Reading<string>): Reading<number> {
  return chain(reading, (text, from) => {
    const trimmed = text.trim();
    if (!/^(0x[0-9a-f]{1,13}|-?[0-9]{1,15})$/i.test(trimmed)) {
      return malformed(from, `not a number: ${JSON.stringify(trimmed.slice(0, 40))}`);
    }
    return read(Number(trimmed), from);
  });
}
