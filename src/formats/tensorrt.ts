/**
 * TensorRT engines (.engine, .plan, .trt). NVIDIA publishes no layout. What is read here is what published engines of 7.1 to 10.15
 * show of themselves and netron knows of older ones: a container "ftrt" with a table of sections, the archive "ptrt" with its
 * serialization version, the release that wrote it, and the GPU it was built on. Ultralytics writes its JSON before it.
 */

import { FileError } from "../base/errors.ts";
import { model, type Integrity, type Model, type Requirement, type Section, type Target } from "../model/graph.ts";
import type { ModelFile } from "./file.ts";
import type { Format } from "./format.ts";
import { cutShort, error, has, isRecord, leftOver, plain, words } from "./sealed/parts.ts";
import { parseJson } from "./wire/json.ts";

/** Ultralytics' description: names of some hundred classes. */
const JSON_LIMIT = 1024 * 1024;
/** Two in the newest engine seen. */
const SECTION_LIMIT = 64;
const LABEL_LIMIT = 10_000;
const HEADER = 32;
const ROW = 24;
/** The container ends with its mark's bits turned over. */
const END = "\x99\x8b\x8d\x8b";
/** Tags of the archive's values, each before its value: 7.x; since 8 with one bit more. */
const U8 = 0x10002;
const I32 = 0x10007;
const U64 = 0x10009;
const OPEN = 0x10010;
const SINCE_8 = 0x8000;
/** Clocks of GPUs in kHz, which follow the compute capability: 100 MHz to 10 GHz. */
const CLOCK = [100_000, 10_000_000] as const;

const sectionNames: Readonly<Record<string, { name: string; kind: Section["kind"] }>> = {
  ENGN: { name: "engine", kind: "code" },
  WGHT: { name: "weights", kind: "weights" },
};

/** Compute capabilities of Tegra chips, which no card has. */
const tegra: ReadonlySet<string> = new Set(["3.2", "5.3", "6.2", "7.2", "8.7", "10.1", "11.0"]);

/** Xavier and Orin, which have a DLA beside the GPU. */
const withDla: ReadonlySet<string> = new Set(["7.2", "8.7"]);

const format: Format = {
  id: "tensorrt",
  name: "TensorRT engine",
  vendor: "NVIDIA",
  extensions: [".engine", ".plan", ".trt"],
  shows: "sealed",
  matches: (file) => {
    const at = startOf(file);
    return at !== undefined && (has(file, "ftrt", at) || has(file, "ptrt", at)) ? 2 : 0;
  },
  read: readTensorrt,
  sources: [
    "https://github.com/lutzroeder/netron/blob/main/source/tensorrt.js",
    "https://github.com/ultralytics/ultralytics (engine/exporter.py: the JSON before the engine)",
    "https://github.com/NVIDIA/TensorRT/issues/2041 (serialization versions)",
  ],
  checked: {
    files: 8,
    says: "published engines of TensorRT 7.1.3 (swc-17/PPO_HIL), 8.2.1 (guorbit/processing-pipeline), 8.6.1 (smile2game/nvidia-game, three of ybwerneck/inference_TensorRT), 10.6.0 (tuan1011nguyen/ModelDetectSBD_MDT) and 10.15.1 (Mycoearthdome/camera); the layout was learnt from those of 8.2.1, 8.6.1 and 10.15.1 and held for the rest",
  },
};
export default format;

/** 0, or where the engine begins after Ultralytics' JSON. */
function startOf(file: ModelFile): number | undefined {
  if (file.size < 16) return undefined;
  const length = file.cursor(0, 4).u32();
  if (!has(file, "{", 4)) return 0;
  const at = 4 + length;
  return length > 1 && length <= JSON_LIMIT && at + 4 <= file.size ? at : undefined;
}

interface Archive {
  readonly serialization: number;
  readonly release?: readonly [number, number, number, number];
  readonly capability?: string;
}

function readTensorrt(file: ModelFile): Model {
  const start = startOf(file) ?? 0;
  const integrity: Integrity[] = [];
  const sections: Section[] = [];
  const notes = start > 0 ? readJson(file, start, integrity) : undefined;
  if (start > 0) sections.push({ name: "Ultralytics' description", kind: "metadata", offset: 0, bytes: start });
  const contained = has(file, "ftrt", start);
  const { release, at, bytes } = contained
    ? readContainer(file, start, sections, integrity)
    : { release: undefined, at: start, bytes: file.size - start };
  const archive = at === undefined ? undefined : readArchive(file, at, bytes, contained, integrity);
  if (!contained && archive) sections.push({ name: "engine", kind: "code", offset: start, bytes });
  const numbers = release ?? archive?.release;
  const version = numbers?.slice(0, 3).join(".");
  return model("tensorrt", {
    ...(archive ? { version: String(archive.serialization) } : {}),
    sealed: true,
    producer: { name: "TensorRT", ...(numbers ? { version: numbers.join(".") } : {}) },
    targets: [targetOf(archive?.capability)],
    requires: version === undefined ? [] : [requirement(version)],
    ...notes?.described,
    metadata: words({
      "serialization version": archive?.serialization,
      "compute capability": archive?.capability,
      ...notes?.metadata,
    }),
    sections,
    integrity,
    unseen: [
      "inputs, outputs, layers and weights: NVIDIA publishes no layout; only TensorRT of that release reads them",
      ...(archive?.capability === undefined
        ? ["which GPU it was built on: where releases other than those seen say so is not known"]
        : []),
      ...(archive?.capability !== undefined && withDla.has(archive.capability)
        ? ["whether parts of it run on the DLA"]
        : []),
      "whether it was built to run under other releases or on other GPUs (version and hardware compatibility)",
    ],
  });
}

/** [ftrt, 0, sections u64, size u64, release 4 x u8, u32][tag, 0, offset u64, size u64] ... the turned mark at the end. */
function readContainer(
  file: ModelFile,
  start: number,
  sections: Section[],
  integrity: Integrity[],
): { release: [number, number, number, number]; at: number | undefined; bytes: number } {
  const cursor = file.cursor(start, HEADER);
  const count = cursor.skip(8).size64();
  const end = start + cursor.size64();
  const release: [number, number, number, number] = [cursor.u8(), cursor.u8(), cursor.u8(), cursor.u8()];
  if (count === 0 || count > SECTION_LIMIT) {
    throw new FileError(file.name, `${count} sections; there are 1 to ${SECTION_LIMIT}`, start + 8);
  }
  integrity.push(...cutShort(file, end, "the engine"), ...leftOver(file, end, "the engine"));
  sections.push({ name: "header", kind: "metadata", offset: start, bytes: HEADER + count * ROW });
  let at: number | undefined;
  let bytes = 0;
  let before = start + HEADER + count * ROW;
  const table = file.cursor(start + HEADER, count * ROW);
  for (let index = 0; index < count; index++) {
    const tag = Buffer.from(table.take(4)).reverse().toString("latin1");
    const offset = start + table.skip(4).size64();
    const size = table.size64();
    const known = Object.hasOwn(sectionNames, tag) ? sectionNames[tag] : undefined;
    const name = known?.name ?? `section ${plain(tag)}`;
    if (offset < before || offset + size > end) {
      integrity.push(error("extent/overlap", `${name} lies at ${offset}, ${size} bytes, outside its place`, offset));
    }
    before = Math.max(before, offset + size);
    sections.push({ name, kind: known?.kind ?? "unknown", offset, bytes: size });
    if (tag === "ENGN") [at, bytes] = [offset, size];
  }
  if (at === undefined) integrity.push(error("graph/empty", "no engine among its sections", start));
  if (end <= file.size && !has(file, END, end - END.length)) {
    integrity.push(error("header/mark", "the mark at its end is missing", end - END.length));
  }
  return { release, at: at !== undefined && at + 24 <= file.size ? at : undefined, bytes };
}

/** Where the serialization version and the size of the rest stand: 10.15, 8 to 10.6, one that is not seen, 7. */
const layouts = [
  { version: 4, size: 8, header: 20 },
  { version: 8, size: 16, header: 24 },
  { version: 4, size: 16, header: 24 },
  { version: 4, size: 12, header: 24 },
];

function readArchive(
  file: ModelFile,
  at: number,
  bytes: number,
  contained: boolean,
  integrity: Integrity[],
): Archive | undefined {
  if (!has(file, "ptrt", at)) {
    integrity.push(error("header/mark", "the engine does not begin with its mark", at));
    return undefined;
  }
  if (bytes < 32) throw new FileError(file.name, `an engine of ${bytes} bytes`, at);
  const fitting = layouts.find(({ version, size, header }) => {
    const word = file.cursor(at + version, 4).u32();
    return word > 0 && word < 0x10000 && header + Number(file.cursor(at + size, 8).u64()) === bytes;
  });
  if (fitting === undefined) {
    const says = contained
      ? "the size inside the engine is not its section's"
      : "no size in its header fits the file: cut short, or of a release whose header is not known";
    integrity.push(error("extent/wrong-size", says, at + 4));
  }
  const { version, header } = fitting ??
    layouts[file.cursor(at + 4, 4).u32() === 0 ? 1 : 0] ?? { version: 4, header: 24 };
  const serialization = file.cursor(at + version, 4).u32();
  return { serialization, ...readStream(file, at + header, at + bytes) };
}

/** Tagged values: four bytes of the release; soon after them the properties of the GPU, up to 10.6 compute capability first. */
function readStream(file: ModelFile, at: number, end: number): Omit<Archive, "serialization"> {
  const head = file.slice(at, Math.max(0, Math.min(192, end - at, file.size - at)));
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const tag = (offset: number): number =>
    offset < 0 || offset + 4 > head.length ? 0 : (view.getUint32(offset, true) & ~SINCE_8) >>> 0;
  const numbers: number[] = [];
  let offset = 0;
  for (; numbers.length < 4; offset += 5) {
    if (offset + 5 > head.length || tag(offset) !== U8) return {};
    numbers.push(head[offset + 4] ?? 0);
  }
  const [major = 0, minor = 0, patch = 0, build = 0] = numbers;
  const release = [major, minor, patch, build] as const;
  const number = (step: number): number =>
    tag(step) === I32 && step + 8 <= head.length ? view.getInt32(step + 4, true) : -1;
  // Some tags without values come between, in newer releases a number too.
  for (; offset + 24 <= head.length; offset++) {
    // 10.15: memory and two more sizes of 12 bytes each, nine numbers from the clock on, then the compute capability.
    const late = tag(offset) === U64 && tag(offset - 4) === OPEN;
    if (!late && (tag(offset) !== I32 || tag(offset + 8) !== I32 || tag(offset + 16) !== I32)) continue;
    const first = late ? offset + 36 : offset;
    const [high, low] = late ? [number(first + 72), number(first + 80)] : [number(first), number(first + 8)];
    const clock = number(late ? first : first + 16);
    const likely = high >= 3 && high <= 15 && low >= 0 && low <= 9 && clock >= CLOCK[0] && clock <= CLOCK[1];
    return likely ? { release, capability: `${high}.${low}` } : { release };
  }
  return { release };
}

function targetOf(capability: string | undefined): Target {
  if (capability === undefined) return { family: "nvidia", says: "an NVIDIA GPU, which one is not said" };
  const chip = tegra.has(capability) ? "tegra" : Number(capability) < 7.5 ? "gpu-before-turing" : "gpu";
  return { family: "nvidia", chip, says: `compute capability ${capability}` };
}

/** Before 8.6 an engine ran under its own release only; since then it may have been built to run under later ones. */
function requirement(version: string): Requirement {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const own = major < 8 || (major === 8 && minor < 6);
  return own
    ? { what: "tensorrt-engine", relation: "exactly", version }
    : { what: "TensorRT", relation: "built by", version };
}

interface Notes {
  readonly described: Partial<Pick<Model, "description" | "author" | "licence" | "labels">>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** What Ultralytics' exporter notes before the engine. */
function readJson(file: ModelFile, start: number, integrity: Integrity[]): Notes | undefined {
  let parsed: unknown;
  try {
    parsed = parseJson(file.slice(4, start - 4), file.name, 4);
  } catch {
    integrity.push(error("metadata/json", "the description before the engine is no JSON", 4));
    return undefined;
  }
  if (!isRecord(parsed)) return undefined;
  const text = (key: string): string | undefined => {
    const value = parsed[key];
    return typeof value === "string" ? plain(value) : typeof value === "number" ? String(value) : undefined;
  };
  const names = isRecord(parsed["names"]) ? Object.values(parsed["names"]) : [];
  const labels = names.slice(0, LABEL_LIMIT).map((name) => (typeof name === "string" ? plain(name, 64) : "?"));
  const size = parsed["imgsz"];
  const described: Notes["described"] = {
    ...(text("description") === undefined ? {} : { description: text("description") ?? "" }),
    ...(text("author") === undefined ? {} : { author: text("author") ?? "" }),
    ...(text("license") === undefined ? {} : { licence: text("license") ?? "" }),
    ...(labels.length > 0 ? { labels } : {}),
  };
  const metadata = words({
    "Ultralytics version": text("version"),
    task: text("task"),
    date: text("date"),
    stride: text("stride"),
    batch: text("batch"),
    "image size": Array.isArray(size)
      ? size
          .slice(0, 4)
          .filter((one) => typeof one === "number")
          .join("x")
      : undefined,
  });
  return { described, metadata };
}
