/** Pictures, sound and archives of arrays: small ones of our own, changed at random, checksums put right. */

import * as zlib from "node:zlib";
import { zipSync } from "fflate";
import { encode } from "jpeg-js";
import { decodePicture } from "../../../src/media/picture.ts";
import { readWav } from "../../../src/media/wav.ts";
import { readNpz } from "../../../src/session/inputs-files.ts";
import { writeNpy } from "../../../src/session/npy.ts";
import { bmp, chunk, exif, jpegWith, png } from "../../support/pictures.ts";
import { wav } from "../../support/wav.ts";
import { mutateBytes, pick, type Random } from "../mutate.ts";
import { Complaint, type Target } from "../target.ts";

type Seed = readonly [name: string, bytes: Uint8Array];

const data = Uint8Array.from({ length: 40 * 24 * 4 }, (_, i) => (i * 7 + (i >> 5)) & 255);
const rgb = { width: 40, height: 24, data: data.subarray(0, 40 * 24 * 3) };
let made: readonly Seed[] | undefined;
const seeds = (): readonly Seed[] => (made ??= make());

function make(): readonly Seed[] {
  const jpeg = encode({ width: 40, height: 24, data }, 80).data;
  const array = writeNpy({ type: "float32", shape: [3], data: Float32Array.of(1, 2, 3) }) ?? new Uint8Array();
  return [
    ["a.jpg", jpeg],
    ["b.jpg", jpegWith(jpeg, exif(6, true))],
    ["a.png", png({ ...rgb, depth: 8, type: 2, filter: 4 })],
    ["b.png", png({ ...rgb, data: rgb.data.map((value) => value & 3), depth: 2, type: 0, filter: 1, interlace: 1 })],
    ["c.png", palette()],
    ["a.bmp", bmp({ ...rgb, bits: 24 })],
    ["b.bmp", bmp({ ...rgb, bits: 32, masks: [0xff, 0xff00, 0xff0000] })],
    ["c.bmp", bmp({ ...rgb, data: rgb.data.map((value) => value & 1), bits: 4, palette: [1, 2, 3, 4, 5, 6] })],
    ["a.wav", wav({ coding: 1, bits: 16, channels: 2, rate: 16000, samples: [0, 0.5, -0.5, 0.25] })],
    ["b.wav", wav({ coding: 3, bits: 32, channels: 1, rate: 16000, samples: [0, 0.5], extensible: true, before: 3 })],
    ["a.npz", zipSync({ "x.npy": array, "y.npy": array })],
    ["b.npz", zipSync({ "x.npy": array }, { level: 0 })],
  ];
}

const palette = (): Uint8Array =>
  png({
    ...rgb,
    data: rgb.data.map((value) => value & 1),
    depth: 1,
    type: 3,
    filter: 0,
    extra: [chunk("PLTE", Uint8Array.of(1, 2, 3, 4, 5, 6)), chunk("tRNS", Uint8Array.of(7))],
  });

/** So that what is changed is looked at, and not only its checksum. */
function summed(bytes: Uint8Array): Uint8Array {
  const out = Buffer.from(bytes);
  for (let at = 8; at + 12 <= out.length;) {
    const length = out.readUInt32BE(at);
    if (at + 12 + length > out.length) break;
    out.writeUInt32BE(zlib.crc32(out.subarray(at + 4, at + 8 + length)), at + 8 + length);
    at += 12 + length;
  }
  return out;
}

async function read(name: string, bytes: Uint8Array): Promise<void> {
  if (name.endsWith(".npz")) readNpz(bytes, name);
  else if (name.endsWith(".wav")) {
    const { mono, rate } = readWav(bytes, name);
    if (!(rate > 0) || mono.length > bytes.length)
      throw new Complaint(`${mono.length} samples of ${bytes.length} bytes`);
  } else {
    const { width, height, channels, data } = await decodePicture(bytes, name);
    if (data.length !== width * height * channels) throw new Complaint(`${data.length} bytes of ${width}x${height}`);
  }
}

export const media: Target = {
  name: "pictures, sound and arrays",
  share: 4,
  make: (random: Random) => {
    const [name, bytes] = pick(random, seeds());
    const changed = mutateBytes(bytes, random);
    const input = name.endsWith(".png") && random() < 0.8 ? summed(changed) : changed;
    return { input, run: () => read(name, input) };
  },
};
