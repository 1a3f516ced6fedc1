/** What a delegate's payload says of itself, as each back end's reader gives it, and what all of them share. */

import type { Graph, Requirement, Section, Target } from "../../model/graph.ts";
import type { ModelFile } from "../file.ts";
import { plain } from "../sealed/parts.ts";
import type { Stretch } from "./container.ts";
import type { Notes } from "./notes.ts";

export interface Spec extends Stretch {
  readonly key: string;
}

/** A back end's part of the program. */
export interface Delegate {
  readonly id: string;
  /** Its payload; undefined when its place is not known. */
  readonly payload: Stretch | undefined;
  readonly specs: readonly Spec[];
}

export interface Told {
  readonly targets?: readonly Target[];
  readonly requires?: readonly Requirement[];
  readonly metadata?: Readonly<Record<string, string>>;
  /** Parts of the payload. */
  readonly sections?: readonly Section[];
  readonly unseen?: readonly string[];
  /** The payload's own graph, where it is one. */
  readonly graph?: Graph;
  /** How many of a call's last arguments are outputs. */
  readonly outputs?: number;
  /** Compiled for a chip: operators cannot be seen. */
  readonly sealed: boolean;
}

export interface DelegateContext {
  readonly file: ModelFile;
  readonly notes: Notes;
  /** Segment of a name, for what delegates share or keep outside their payload. */
  readonly named: ReadonlyMap<string, Stretch>;
}

/** A payload is data of a stranger: its own section where no more is known. */
export const whole = ({ id, payload }: Delegate, kind: Section["kind"] = "unknown"): Section[] =>
  payload === undefined || payload.bytes === 0 ? [] : [{ name: id, kind, ...payload }];

/** Longest compile spec read as a word. */
const SPEC_LIMIT = 4096;

/** A compile spec as text, undefined when there is none or it is no text. */
export function specText(file: ModelFile, { specs }: Delegate, key: string): string | undefined {
  const spec = specs.find((one) => one.key === key);
  return spec === undefined ? undefined : textOf(file, spec);
}

export function textOf(file: ModelFile, { offset, bytes }: Stretch): string | undefined {
  if (bytes === 0 || bytes > SPEC_LIMIT) return undefined;
  const text = file.slice(offset, bytes);
  if (text.some((byte) => byte < 0x20 || byte > 0x7e)) return undefined;
  return plain(Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString("latin1"), 1024);
}

/** A graph inside a payload, and where its constants begin. */
export interface GraphPlace {
  readonly flatbuffer: Stretch;
  /** Where offsets of constants count from. */
  readonly constants: number;
}

/** XH00 and VH00: a header of 30 bytes with where flatbuffer and constants lie in the payload. */
export function graphPlace(payload: Stretch, { file, notes }: DelegateContext): GraphPlace | undefined {
  const { offset, bytes } = payload;
  const cursor = file.cursor(offset, 30).seek(10);
  const [at, length, constants] = [cursor.u32(), cursor.u32(), cursor.u32()];
  const size = cursor.size64();
  if (at + length > bytes || constants + size > bytes) {
    notes.error("payload/past-end", `the header of a payload tells of more than its ${bytes} bytes`, offset);
    return undefined;
  }
  return { flatbuffer: { offset: offset + at, bytes: length }, constants: offset + constants };
}
