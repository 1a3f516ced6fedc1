/** One model file changed: blindly, by the structure of its container, or so that it contradicts itself by construction. */

import { below, mutateBytes, pick, type Random } from "../mutate.ts";
import {
  breakZip,
  changeJson,
  changeText,
  changeZip,
  elfSpots,
  headerSpots,
  sizeSpots,
  isText,
  jsonPartOf,
  zipOf,
  type JsonPart,
  type Zip,
} from "./container.ts";
import { breakFlatBuffer, flatBufferPlaces, type Places } from "./flatbuffer.ts";
import { breakProto, changeProto, fieldEnds, protoOf, type Proto } from "./protobuf.ts";
import { changeSpots, writeNumber, type Mutant, type Spot } from "./spot.ts";

/** What was found in a seed, once. */
export interface Anatomy {
  readonly bytes: Uint8Array;
  readonly text: boolean;
  readonly json: JsonPart | undefined;
  readonly zip: Zip | undefined;
  readonly flatBuffer: Places;
  readonly proto: Proto | undefined;
  /** Cut there, what is left is as whole as before. */
  readonly ends: ReadonlySet<number>;
  readonly elf: { readonly spots: readonly Spot[]; readonly links: readonly Spot[] };
  readonly header: readonly Spot[];
  /** Numbers that say where the file ends. */
  readonly sizes: readonly Spot[];
}

export function anatomyOf(bytes: Uint8Array, opaque?: RegExp): Anatomy {
  const text = isText(bytes);
  const json = jsonPartOf(bytes);
  const zip = zipOf(bytes);
  const elf = elfSpots(bytes);
  const plain = text || zip !== undefined || (json !== undefined && json.start === 0);
  const found = plain ? { spots: [], links: [] } : flatBufferPlaces(bytes);
  const flatBuffer = { ...found, links: found.links.filter(({ what }) => opaque?.test(what) !== true) };
  const sealed = plain || elf.links.length > 0 || found.links.length > 8;
  const proto = sealed ? undefined : protoOf(bytes);
  // What ends with its ELF is an NPU blob of before 2025.
  const ends = proto === undefined ? new Set([elf.end ?? -1]) : fieldEnds(proto);
  return {
    bytes,
    text,
    json,
    zip,
    flatBuffer,
    proto,
    ends,
    elf,
    header: headerSpots(bytes),
    sizes: plain ? [] : sizeSpots(bytes),
  };
}

type Change = (anatomy: Anatomy, random: Random) => Mutant | undefined;

const structured: readonly Change[] = [
  ({ bytes, json }, random) => json && changeJson(bytes, json, random),
  ({ bytes, text }, random) => (text ? changeText(bytes, random) : undefined),
  ({ bytes, zip }, random) => zip && changeZip(bytes, zip, random),
  ({ bytes, flatBuffer }, random) => changeSpots(bytes, flatBuffer.spots, random),
  ({ bytes, proto }, random) => proto && changeProto(bytes, proto, random),
  ({ bytes, elf }, random) => changeSpots(bytes, elf.spots, random),
];

/** A change by structure where the container has one, else a number of the header. */
export function changeByStructure(anatomy: Anatomy, random: Random): Mutant {
  const first = below(random, structured.length);
  for (let i = 0; i < structured.length; i++) {
    const mutant = structured[(first + i) % structured.length]?.(anatomy, random);
    if (mutant !== undefined) return mutant;
  }
  return changeHeader(anatomy, random);
}

export const changeHeader = ({ bytes, header }: Anatomy, random: Random): Mutant =>
  changeSpots(bytes, header, random) ?? changeBlindly({ bytes }, random);

export const changeBlindly = ({ bytes }: Pick<Anatomy, "bytes">, random: Random): Mutant => ({
  bytes: mutateBytes(bytes, random),
  how: "bytes changed",
});

/** The head of one and the tail of another. */
export function splice(one: Uint8Array, other: Uint8Array, random: Random): Mutant {
  const head = below(random, Math.min(one.length, 4096) + 1);
  const tail = below(random, other.length + 1);
  return {
    bytes: Buffer.concat([one.subarray(0, head), other.subarray(tail)]),
    how: `${head} bytes, then others from ${tail}`,
  };
}

/** Cut so that something is missing: more than the zeros that files are filled up with. */
export function cutShort({ bytes, ends }: Anatomy, random: Random): Mutant | undefined {
  const length = below(random, bytes.length);
  if (ends.has(length)) return undefined;
  if (bytes.subarray(length).every((byte) => byte === 0 || byte === 0x20 || byte === 0x0a || byte === 0x0d))
    return undefined;
  return { bytes: bytes.subarray(0, length), how: `cut to ${length} of ${bytes.length}`, contradicts: true };
}

const breaks: readonly Change[] = [
  ({ bytes, zip }, random) => zip && breakZip(bytes, zip, random),
  ({ bytes, flatBuffer }, random) => breakFlatBuffer(bytes, flatBuffer, random),
  ({ bytes, proto }, random) => proto && breakProto(bytes, proto, random),
  ({ bytes, elf }, random) => {
    if (elf.links.length === 0) return undefined;
    const broken = Uint8Array.from(bytes);
    const spot = pick(random, elf.links);
    const value = bytes.length + 1 + below(random, 2 ** 31);
    writeNumber(broken, spot, value);
    return { bytes: broken, how: `${spot.what} = ${value}` };
  },
  ({ bytes, sizes }, random) => {
    if (sizes.length === 0) return undefined;
    const spot = pick(random, sizes);
    const broken = Uint8Array.from(bytes);
    const value = bytes.length + 1 + below(random, 2 ** 24);
    writeNumber(broken, spot, value);
    return { bytes: broken, how: `${spot.what} at ${spot.at} = ${value}` };
  },
];

/** A link of the container that leads nowhere; undefined where the container has none that is known. */
export function breakLink(anatomy: Anatomy, random: Random): Mutant | undefined {
  const first = below(random, breaks.length);
  for (let i = 0; i < breaks.length; i++) {
    const mutant = breaks[(first + i) % breaks.length]?.(anatomy, random);
    if (mutant !== undefined) return { ...mutant, contradicts: true };
  }
  return undefined;
}
