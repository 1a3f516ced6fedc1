/**
 * Pictures from files: rows of 8-bit RGB or RGBA, upright. JPEG, PNG and BMP are always decoded here, whatever else is installed, so
 * that the same file gives the same numbers on every machine; what else there is (WebP, AVIF, TIFF, GIF) is decoded by sharp.
 */

import { latin1 } from "../base/bytes.ts";
import { FileError } from "../base/errors.ts";
import { decodeBmp } from "./bmp.ts";
import { decodeJpeg } from "./jpeg.ts";
import { decodePng } from "./png.ts";
import { decodeBySharp } from "./sharp.ts";

/** 8K video has 33 million pixels, a phone's camera 50; decoded it is 200 MB of RGBA. */
export const PIXEL_LIMIT = 50_000_000;

export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: 3 | 4;
  /** height x width x channels, row by row from the top; 0 to 255. */
  readonly data: Uint8Array;
  /** What was done to the file's pixels, in a clause each: "turned as its EXIF orientation 6 says". */
  readonly done: readonly string[];
}

interface PictureFormat {
  readonly name: string;
  readonly extensions: readonly string[];
  /** Tells the format from its first bytes. */
  readonly begins: (start: string) => boolean;
  readonly decode: (bytes: Uint8Array, path: string) => Picture | Promise<Picture>;
}

/** ISO base media files name their brands behind "ftyp". */
const brand = (start: string, ...brands: readonly string[]): boolean =>
  start.slice(4, 8) === "ftyp" && brands.includes(start.slice(8, 12));

const formats: readonly PictureFormat[] = [
  {
    name: "JPEG",
    extensions: ["jpg", "jpeg", "jpe", "jfif"],
    begins: (start) => start.startsWith("\xff\xd8\xff"),
    decode: decodeJpeg,
  },
  { name: "PNG", extensions: ["png"], begins: (start) => start.startsWith("\x89PNG"), decode: decodePng },
  {
    name: "BMP",
    extensions: ["bmp", "dib"],
    // "BM" alone may be anything: the two reserved words are 0, and the header's size is that of a known version.
    begins: (start) => /^BM[^]{4}\0{4}[^]{4}[\x0c\x28\x34\x38\x40\x6c\x7c]\0{3}/.test(start),
    decode: decodeBmp,
  },
  {
    name: "WebP",
    extensions: ["webp"],
    begins: (start) => start.startsWith("RIFF") && start.slice(8, 12) === "WEBP",
    decode: decodeBySharp("WebP"),
  },
  { name: "GIF", extensions: ["gif"], begins: (start) => /^GIF8[79]a/.test(start), decode: decodeBySharp("GIF") },
  {
    name: "TIFF",
    extensions: ["tif", "tiff"],
    begins: (start) => start.startsWith("II*\0") || start.startsWith("MM\0*"),
    decode: decodeBySharp("TIFF"),
  },
  {
    name: "AVIF",
    extensions: ["avif"],
    begins: (start) => brand(start, "avif", "avis"),
    decode: decodeBySharp("AVIF"),
  },
  {
    name: "HEIF",
    extensions: ["heic", "heif"],
    begins: (start) => brand(start, "heic", "heix", "mif1"),
    decode: decodeBySharp("HEIF"),
  },
];

/** Files whose names say that their bytes mean nothing but numbers. */
const RAW = /\.(?:bin|raw|dat)$/i;

/** By its first bytes, whatever it is called (but .bin, .raw and .dat are numbers); by its name where the bytes do not tell. */
export function isPicture(bytes: Uint8Array, path: string): boolean {
  if (RAW.test(path)) return false;
  return formatOf(bytes) !== undefined || named(path) !== undefined;
}

/** Throws FileError for what is no such picture, broken or larger than PIXEL_LIMIT; CannotError where a library is missing. */
export async function decodePicture(bytes: Uint8Array, path: string): Promise<Picture> {
  const format = formatOf(bytes);
  if (format !== undefined) return format.decode(bytes, path);
  const expected = named(path)?.name ?? "picture";
  throw new FileError(path, bytes.length === 0 ? "the file is empty" : `no ${expected} begins here`, 0);
}

function formatOf(bytes: Uint8Array): PictureFormat | undefined {
  const start = latin1(bytes.subarray(0, 32));
  return formats.find(({ begins }) => begins(start));
}

function named(path: string): PictureFormat | undefined {
  const extension = /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase();
  return extension === undefined ? undefined : formats.find(({ extensions }) => extensions.includes(extension));
}
