/** Pictures: what encoders write comes back, whatever way it was packed; what is broken is told with its place. */

import * as zlib from "node:zlib";
import * as jpeg from "jpeg-js";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { FileError } from "../../src/base/errors.ts";
import { decodePicture, isPicture } from "../../src/media/picture.ts";
import { bmp, chunk, exif, jpegWith, png, withBytes } from "../support/pictures.ts";

/** A slope in every channel, and its rows. */
const slope = (width: number, height: number): Uint8Array =>
  Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const [pixel, c] = [Math.floor(i / 3), i % 3];
    return c === 0 ? pixel % width : c === 1 ? Math.floor(pixel / width) * 5 : 200 - (pixel % width);
  });

const rgba = (rgb: Uint8Array): Uint8Array =>
  Uint8Array.from({ length: (rgb.length / 3) * 4 }, (_, i) =>
    i % 4 === 3 ? 255 : (rgb[Math.floor(i / 4) * 3 + (i % 4)] ?? 0),
  );

describe("PNG", () => {
  it.each([0, 1])("reads RGB with every filter, interlace %i", async (interlace) => {
    const data = slope(13, 11);
    for (const filter of [0, 1, 2, 3, 4]) {
      const file = png({ width: 13, height: 11, depth: 8, type: 2, data, filter, interlace });
      expect(await decodePicture(file, "x.png")).toEqual({ width: 13, height: 11, channels: 3, data, done: [] });
    }
  });

  it.each([
    [1, 0],
    [2, 0],
    [4, 0],
    [1, 1],
    [2, 1],
    [4, 1],
  ])("stretches grey of %i bits to 0..255, interlace %i", async (depth, interlace) => {
    const most = 2 ** depth - 1;
    const grey = Uint8Array.from({ length: 13 * 11 }, (_, i) => (i * 7) & most);
    const file = png({ width: 13, height: 11, depth, type: 0, data: grey, filter: 0, interlace });
    const { data } = await decodePicture(file, "x.png");
    expect(Array.from(data.filter((_, i) => i % 3 === 1))).toEqual(Array.from(grey, (value) => (value * 255) / most));
  });

  it("reads a palette with transparency, and a transparent colour", async () => {
    const palette = Uint8Array.of(9, 8, 7, 60, 50, 40);
    const file = png({
      width: 3,
      height: 1,
      depth: 2,
      type: 3,
      data: Uint8Array.of(1, 0, 1),
      filter: 0,
      extra: [chunk("PLTE", palette), chunk("tRNS", Uint8Array.of(77))],
    });
    expect((await decodePicture(file, "x")).data).toEqual(Uint8Array.of(60, 50, 40, 255, 9, 8, 7, 77, 60, 50, 40, 255));
    const key = png({
      width: 2,
      height: 1,
      depth: 8,
      type: 2,
      data: Uint8Array.of(1, 2, 3, 1, 2, 4),
      filter: 0,
      extra: [chunk("tRNS", Uint8Array.of(0, 1, 0, 2, 0, 3))],
    });
    expect((await decodePicture(key, "x")).data).toEqual(Uint8Array.of(1, 2, 3, 0, 1, 2, 4, 255));
  });

  it("takes the upper half of 16 bits, and keeps alpha", async () => {
    const data = Uint8Array.of(10, 200, 20, 1, 30, 2, 40, 3);
    const file = png({ width: 1, height: 1, depth: 16, type: 6, data, filter: 0 });
    expect(await decodePicture(file, "x")).toMatchObject({ channels: 4, data: Uint8Array.of(10, 20, 30, 40) });
  });

  it("refuses a stream that inflates to more than the picture, and one that is damaged", async () => {
    const bomb = png({
      width: 2,
      height: 2,
      depth: 8,
      type: 0,
      data: new Uint8Array(4),
      filter: 0,
      raw: new Uint8Array(1e7),
    });
    await expect(decodePicture(bomb, "b.png")).rejects.toThrow(
      "b.png: offset 0x21: its pixels do not inflate: its pixels are more than the 6 bytes of its size",
    );
    const good = png({ width: 2, height: 2, depth: 8, type: 0, data: new Uint8Array(4), filter: 0 });
    await expect(decodePicture(withBytes(good, { 45: 0x55 }), "d.png")).rejects.toThrow(/IDAT chunk is damaged/);
  });
});

describe("JPEG", () => {
  const data = slope(40, 24);
  const file = jpeg.encode({ width: 40, height: 24, data: rgba(data) }, 95).data;

  it("reads what an encoder wrote, within its loss", async () => {
    const picture = await decodePicture(file, "x.jpg");
    expect(picture).toMatchObject({ width: 40, height: 24, channels: 3, done: [] });
    expect(Math.max(...picture.data.map((value, i) => Math.abs(value - (data[i] ?? 0))))).toBeLessThan(12);
  });

  it.each([
    [3, "40x24", (x: number, y: number) => [39 - x, 23 - y]],
    [6, "24x40", (x: number, y: number) => [y, 23 - x]],
    [8, "24x40", (x: number, y: number) => [39 - y, x]],
    [5, "24x40", (x: number, y: number) => [y, x]],
  ] as const)("is turned upright by EXIF orientation %i", async (orientation, size, stored) => {
    const plain = await decodePicture(file, "x.jpg");
    for (const little of [true, false]) {
      const picture = await decodePicture(jpegWith(file, exif(orientation, little)), "x.jpg");
      expect(`${picture.width}x${picture.height}`).toBe(size);
      expect(picture.done).toEqual([`turned as its EXIF orientation ${orientation} says`]);
      for (const [x, y] of [
        [0, 0],
        [5, 2],
        [picture.width - 1, 0],
      ] as const) {
        const [column, row] = stored(x, y);
        const at = (y * picture.width + x) * 3;
        const from = ((row ?? 0) * 40 + (column ?? 0)) * 3;
        expect(picture.data.subarray(at, at + 3)).toEqual(plain.data.subarray(from, from + 3));
      }
    }
  });

  it("refuses what is cut short, too large, or of a kind that is not decoded", async () => {
    const frame = file.indexOf(Buffer.from([0xff, 0xc0]));
    const broken: [Uint8Array, RegExp][] = [
      [file.subarray(0, file.length - 2), /^x\.jpg: offset 0x[0-9a-f]+: the file ends within its coded data$/],
      [file.subarray(0, 60), /^x\.jpg: offset 0x[0-9a-f]+: needs \d+ bytes, \d+ are left$/],
      [withBytes(file, { [frame + 5]: 0xff, [frame + 7]: 0xff }), /65304x65304? pixels|at most 50 million are read/],
      [withBytes(file, { [frame + 5]: 0x10, [frame + 7]: 0x10 }), /blocks in \d+ bytes/],
      [withBytes(file, { [frame + 1]: 0xc9 }), /arithmetic JPEG are not read/],
    ];
    for (const [bytes, says] of broken) await expect(decodePicture(bytes, "x.jpg")).rejects.toThrow(says);
  });
});

describe("BMP", () => {
  it.each([
    ["24 bits, bottom-up", { bits: 24 }],
    ["24 bits, top-down", { bits: 24, topDown: true }],
    ["32 bits", { bits: 32 }],
    ["32 bits with masks", { bits: 32, masks: [0xff, 0xff00, 0xff0000] }],
  ])("reads %s", async (_, how) => {
    const data = slope(5, 4);
    expect(await decodePicture(bmp({ width: 5, height: 4, data, ...how }), "x.bmp")).toEqual({
      width: 5,
      height: 4,
      channels: 3,
      data,
      done: [],
    });
  });

  it.each([1, 4, 8])("reads a palette of %i bits", async (bits) => {
    const indexes = Uint8Array.from({ length: 20 }, (_, i) => i % 2);
    const file = bmp({ width: 5, height: 4, data: indexes, bits, palette: [1, 2, 3, 100, 110, 120] });
    const { data } = await decodePicture(file, "x.bmp");
    expect(Array.from(data)).toEqual(Array.from(indexes).flatMap((i) => (i === 0 ? [1, 2, 3] : [100, 110, 120])));
  });

  it("stretches 16 bits, 5-5-5 or by masks", async () => {
    const plain = bmp({ width: 1, height: 1, bits: 16, data: Uint8Array.of(0, 0, 0), words: [(31 << 10) | (15 << 5)] });
    expect((await decodePicture(plain, "x.bmp")).data).toEqual(Uint8Array.of(255, 123, 0));
    const masks = [0xf800, 0x07e0, 0x001f];
    const file = bmp({ width: 1, height: 1, bits: 16, data: Uint8Array.of(0, 0, 0), words: [(63 << 5) | 16], masks });
    expect((await decodePicture(file, "x.bmp")).data).toEqual(Uint8Array.of(0, 255, 132));
  });

  it("says what it does not read, and where rows are missing", async () => {
    const file = bmp({ width: 5, height: 4, data: slope(5, 4), bits: 24 });
    await expect(decodePicture(withBytes(file, { 30: 1 }), "r.bmp")).rejects.toThrow(
      "r.bmp: offset 0x1e: its run-length compression is not read; save it uncompressed",
    );
    await expect(decodePicture(file.subarray(0, file.length - 20), "c.bmp")).rejects.toThrow(
      "c.bmp: offset 0x36: 4 rows of 16 bytes, 44 are there",
    );
  });
});

describe("other pictures", () => {
  it("come from sharp where it is installed, and equal what it was given", async () => {
    const data = slope(13, 11);
    const file = await sharp(data, { raw: { width: 13, height: 11, channels: 3 } })
      .webp({ lossless: true })
      .toBuffer();
    expect(await decodePicture(file, "x.webp")).toEqual({ width: 13, height: 11, channels: 3, data, done: [] });
    await expect(decodePicture(file.subarray(0, 40), "x.webp")).rejects.toThrow(/^x\.webp: WebP by sharp: /);
  });

  it("are told by their bytes, and numbers are not taken for one", async () => {
    const file = png({ width: 1, height: 1, depth: 8, type: 0, data: Uint8Array.of(5), filter: 0 });
    expect(isPicture(file, "a")).toBe(true);
    expect(isPicture(file, "a.bin")).toBe(false);
    expect(isPicture(Buffer.from("BMxyzw"), "a")).toBe(false);
    await expect(decodePicture(Buffer.from("hello"), "a.jpg")).rejects.toThrow(
      "a.jpg: offset 0x0: no JPEG begins here",
    );
  });
});

it("any picture cut anywhere is a FileError, quickly", async () => {
  const data = slope(40, 24);
  const files = {
    "x.png": png({ width: 40, height: 24, depth: 8, type: 2, data, filter: 4 }),
    "x.jpg": jpeg.encode({ width: 40, height: 24, data: rgba(data) }, 90).data,
    "x.bmp": bmp({ width: 40, height: 24, data, bits: 24 }),
  };
  for (const [name, file] of Object.entries(files)) {
    for (let at = 0; at < file.length; at += 16) {
      const start = performance.now();
      await expect(decodePicture(file.subarray(0, at), name)).rejects.toThrow(FileError);
      expect(performance.now() - start).toBeLessThan(1000);
    }
  }
});

it("a header of a huge picture costs nothing", async () => {
  const before = process.memoryUsage().arrayBuffers;
  const header = (width: number, height: number): Uint8Array => {
    const out = Buffer.alloc(13);
    out.writeUInt32BE(width, 0);
    out.writeUInt32BE(height, 4);
    out[8] = 8;
    out[9] = 2;
    return out;
  };
  const signature = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");
  const file = (width: number, height: number): Uint8Array =>
    Buffer.concat([
      signature,
      chunk("IHDR", header(width, height)),
      chunk("IDAT", zlib.deflateSync(new Uint8Array(100))),
      chunk("IEND", new Uint8Array()),
    ]);
  await expect(decodePicture(file(7000, 7000), "x")).rejects.toThrow("it holds 100 bytes of pixels, not 147007000");
  await expect(decodePicture(file(2 ** 31, 2 ** 31), "x")).rejects.toThrow("at most 50 million are read");
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50e6);
});
