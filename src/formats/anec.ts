/**
 * ANEC: what anecc makes of an .hwx for the reverse-engineered Linux driver of Apple's Neural Engine. [header, padded][tasks][constants].
 * The header (struct anec) counts inputs and outputs and gives 32 channels with their 16 KiB tiles and shapes: 0 holds the file's own
 * contents, 4 and after it the outputs, then the inputs. https://github.com/eiln/ane libane, https://github.com/eiln/anecc (both MIT)
 */

import { FileError } from "../base/errors.ts";
import { model, type Integrity, type Section, type Tensor } from "../model/graph.ts";
import type { ModelFile } from "./file.ts";
import type { Format } from "./format.ts";
import { cutShort, error, leftOver, words } from "./sealed/parts.ts";

const FIELDS = 1704;
/** Where contents begin: anecc pads to the second; eiln's libane of 2023 reads at the first. */
const [SHORT, LONG] = [0x800, 0x1000];
const CHANNELS = 32;
/** First channel of a port. */
const PORTS = 4;
const TILE = 0x4000;
/** Constants begin aligned: to 16 bytes by anecc, to 64 and more by others. */
const PADDING = 4096;

interface Channel {
  readonly tiles: number;
  readonly shape: readonly number[];
  readonly plane: number;
  readonly row: number;
}

interface Header {
  readonly size: number;
  readonly firstTask: number;
  readonly tasks: number;
  readonly taskBytes: number;
  readonly constantBytes: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly channels: readonly Channel[];
}

const format: Format = {
  id: "anec",
  name: "ANEC",
  vendor: "eiln (Apple Neural Engine)",
  extensions: [".anec"],
  shows: "sealed",
  matches(file) {
    // No mark: sizes that agree with each other, ports that have memory, and zeros up to where contents may begin.
    if (file.size < SHORT) return 0;
    const header = readHeader(file);
    const { size, inputs, outputs, channels } = header;
    const ports = channels.slice(PORTS, PORTS + inputs + outputs);
    return header.tasks > 0 &&
      inputs > 0 &&
      outputs > 0 &&
      PORTS + inputs + outputs <= CHANNELS &&
      header.taskBytes > 0 &&
      gap(header) >= 0 &&
      gap(header) < PADDING &&
      channels[0]?.tiles === Math.ceil(size / TILE) &&
      ports.every(({ tiles }) => tiles > 0) &&
      empty(file, FIELDS, SHORT)
      ? 2
      : 0;
  },
  read(file) {
    const header = readHeader(file);
    const integrity: Integrity[] = [];
    const { inputs, outputs, channels } = header;
    if (PORTS + inputs + outputs > CHANNELS) {
      throw new FileError(file.name, `${inputs} inputs and ${outputs} outputs, there are ${CHANNELS} channels`, 32);
    }
    const start = startOf(file, header.size);
    const end = start + header.size;
    if (gap(header) < 0) {
      integrity.push(
        error("extent/wrong-size", `tasks and constants do not fit its ${header.size} bytes of contents`, 0),
      );
    }
    integrity.push(...cutShort(file, end, "its contents"), ...leftOver(file, end, "its contents"));
    const ports = (first: number, count: number, name: string): Tensor[] =>
      channels
        .slice(first, first + count)
        .map((channel, index) => tensorOf(channel, `${name}${index}`, first + index, integrity));
    const results = ports(PORTS, outputs, "dst");
    return model("anec", {
      sealed: true,
      targets: [{ family: "apple-ane", says: "Apple Neural Engine" }],
      inputs: ports(PORTS + outputs, inputs, "src"),
      outputs: results,
      metadata: words({
        tasks: header.tasks,
        "first task, bytes": header.firstTask,
        "contents begin at": start,
        "memory of all channels, bytes": channels.reduce((sum, { tiles }) => sum + tiles * TILE, 0),
      }),
      sections: sectionsOf(header, start),
      integrity,
      unseen: [
        "operators: task descriptors for the engine",
        "weights as the engine wants them",
        "for which generation of the engine: the header does not say it",
        "names of inputs and outputs: the file has none, src and dst are libane's words",
      ],
    });
  },
  sources: [
    "https://github.com/eiln/ane/blob/main/libane/ane.h",
    "https://github.com/eiln/anecc/blob/main/anecc/anecc/__init__.py",
    "https://github.com/joshuaswarren/mil-hwx-compiler/blob/main/docs/ane/containers.md",
  ],
  checked: { files: 0, says: "from the driver's library and the converter only" },
};
export default format;

function readHeader(file: ModelFile): Header {
  const cursor = file.cursor(0, FIELDS);
  const u64 = (): number => Number(cursor.u64());
  const [size, firstTask, tasks] = [u64(), cursor.u32(), cursor.u32()];
  const [taskBytes, constantBytes] = [u64(), u64()];
  const [inputs, outputs] = [cursor.u32(), cursor.u32()];
  const tiles = Array.from({ length: CHANNELS }, () => cursor.u32());
  const channels = tiles.map((count) => ({
    tiles: count,
    shape: [u64(), u64(), u64(), u64()],
    plane: u64(),
    row: u64(),
  }));
  return { size, firstTask, tasks, taskBytes, constantBytes, inputs, outputs, channels };
}

/** Bytes of the contents that are neither tasks nor constants. */
const gap = ({ size, taskBytes, constantBytes }: Header): number => size - taskBytes - constantBytes;

function empty(file: ModelFile, from: number, to: number): boolean {
  return file.slice(from, Math.max(0, Math.min(to, file.size) - from)).every((byte) => byte === 0);
}

/** The header does not say how long it is: the file's size does, or, of a cut file, where its zeros end. */
function startOf(file: ModelFile, size: number): number {
  if (file.size === LONG + size) return LONG;
  return file.size === SHORT + size || !empty(file, Math.min(SHORT, file.size), LONG) ? SHORT : LONG;
}

function tensorOf(channel: Channel, name: string, index: number, integrity: Integrity[]): Tensor {
  const { shape, plane, row, tiles } = channel;
  const [batch = 0, depth = 0, height = 0, width = 0] = shape;
  const at = 168 + index * 48;
  // The library's own tiling knows 16-bit elements only.
  const [bytes, least] = [batch * depth * plane, 2 * width];
  if (shape.some((size) => size < 1)) {
    integrity.push(error("shape/impossible", `${name}: [${shape.join(", ")}]`, at));
  } else if (row < least || plane < row * height) {
    integrity.push(error("shape/impossible", `${name}: rows of ${row} and planes of ${plane} bytes are too small`, at));
  } else if (bytes > tiles * TILE) {
    integrity.push(error("extent/past-end", `${name} needs ${bytes} bytes, its channel has ${tiles * TILE}`, at));
  }
  return { name, type: "float16", shape };
}

function sectionsOf(header: Header, start: number): Section[] {
  const { size, taskBytes, constantBytes } = header;
  const found: Section[] = [
    { name: "header", kind: "metadata", offset: 0, bytes: FIELDS },
    { name: "tasks", kind: "code", offset: start, bytes: Math.min(taskBytes, size) },
    // They end where the contents do; how far they are aligned differs.
    {
      name: "constants",
      kind: "weights",
      offset: start + Math.max(0, size - constantBytes),
      bytes: Math.min(constantBytes, size),
    },
  ];
  return found.filter(({ bytes }) => bytes > 0);
}
