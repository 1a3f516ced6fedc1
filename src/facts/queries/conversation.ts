/**
 * Conversation: asking one node several questions. Holds back those that wake a device unless that was allowed, stops after the
 * first one that hung, and tells a kernel's short answer (a struct that has grown since) from zeros.
 */

import { chain, malformed, read, uncaptured, unread, type Reading } from "../../base/reading.ts";
import { NO_ANSWER } from "../../root/ioctl.ts";
import type { Answer, Ask, Root } from "../../root/root.ts";
import { pack, type FieldOf, type Layout } from "../../uapi/layout.ts";

/** What a driver told, by name. Quantities end in their unit (_hertz, _bytes, _watts, _ratio); masks and ids are hex text. */
export type Answers = Readonly<Record<string, Reading<number | string | boolean>>>;

export type Say = (ask: Ask) => Reading<Answer>;

/** Why a question that costs the device something was not put. */
export const HELD_BACK = "wakes or disturbs the device; asked only with --query";

export function converse(root: Root, path: string, allowWake: boolean): Say {
  let hung: string | undefined;
  return (ask) => {
    const from = `${path} ${ask.name}`;
    const held = ask.wakes === true && !allowWake;
    if (held && root.kind === "live") return uncaptured(from, HELD_BACK);
    if (hung !== undefined) return uncaptured(from, `not asked: ${hung}`);
    const answer = root.ask(path, ask);
    if (answer.state === "read") return read(answer.value, from);
    if (answer.why?.startsWith(NO_ANSWER) === true) hung = `${ask.name} gave ${answer.why}`;
    return held && answer.state === "uncaptured" ? uncaptured(from, HELD_BACK) : unread(answer.state, from, answer.why);
  };
}

/** A request whose struct holds the address and, mostly, the size of a buffer into which the driver writes the answer. */
export interface BufferedAsk<L extends Layout> {
  readonly name: string;
  readonly code: number;
  readonly layout: L;
  readonly values: Partial<Record<FieldOf<L>, number>>;
  /** The field that takes the buffer's address. */
  readonly pointer: FieldOf<L>;
  /** Bytes we have room for. */
  readonly room: number;
  readonly wakes?: boolean;
}

/** The part of the buffer that the driver wrote, and the struct as it came back. */
export interface BufferedAnswer {
  readonly written: Uint8Array;
  readonly struct: Uint8Array;
}

export function sayBuffered<L extends Layout>(say: Say, ask: BufferedAsk<L>): Reading<BufferedAnswer> {
  const { name, code, layout, values, pointer, room, wakes } = ask;
  const at = layout.fields[pointer]?.offset ?? 0;
  const answer = say({
    name,
    code,
    input: pack(layout, values),
    pointers: [{ at, size: room, bytes: unwritten(room) }],
    ...(wakes === true ? { wakes } : {}),
  });
  return chain(answer, ({ struct, buffers }, from) => {
    const [buffer] = buffers;
    if (buffer === undefined || struct.length < layout.size) return malformed(from, "the recorded answer is cut short");
    return read({ struct, written: buffer.subarray(0, writtenLength(buffer)) }, from);
  });
}

/** Filler that no driver writes: bytes that differ from their neighbours. */
export function unwritten(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => filler(i));
}

const filler = (i: number): number => (0xa5 + 37 * i) & 0xff;
/** Fewer bytes of filler at the end may be chance. */
const LEAST_FILLER = 4;

function writtenLength(bytes: Uint8Array): number {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === filler(end - 1)) end--;
  return bytes.length - end < LEAST_FILLER ? bytes.length : end;
}

/** A number of the driver's as the word its header has for it; a number that has none stays a number. */
export function named(reading: Reading<number>, names: ReadonlyMap<number, string>): Reading<number | string> {
  return reading.state === "read" ? read(names.get(reading.value) ?? reading.value, reading.from) : reading;
}
