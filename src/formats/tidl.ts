/**
 * TIDL: what TI's import tools leave of a network for the C7x: *_tidl_net.bin, a dump of sTIDL_Network_t with its weights behind it, and
 * *_tidl_io_1.bin, which says what goes in and out. A net begins with its version, a date in hexadecimal digits (0x20240401), which the
 * runtime wants to be its own. Header files itidl_ti.h and tidl_deviceInfo.h of TI's SDKs
 */

import { FileError } from "../base/errors.ts";
import { model, type Integrity, type Model, type Section, type Target } from "../model/graph.ts";
import type { ModelFile } from "./file.ts";
import type { Format } from "./format.ts";
import { cutShort, error, leftOver, note, words } from "./sealed/parts.ts";
import { countsOf, layoutOf, readDescriptor } from "./tidl/io.ts";

/** TIDL_NUM_MAX_LAYERS was 1024 and 1536; later ones may have more. */
const LAYER_LIMIT = 8192;
/** Where the four extents stand: after 21 numbers and, with cores, 24; a later release may have put more before them. */
const TABLES = [88, 96, 104, 112, 120, 128] as const;
/** Past the last of them. */
const HEAD = 128 + 4 * 16;
/** Only the low byte is the device. */
const DEVICE = 0xff;

/** eTIDL_DeviceName */
const devices: readonly (readonly [says: string, chip?: string])[] = [
  ["TDA4VM", "j721e"],
  ["TDA4AEP"],
  ["TDA4AM"],
  ["TDA4AMPlus"],
  ["AM62A", "am62a"],
];
/** eTIDL_QuantStyle */
const styles: Readonly<Record<number, string>> = {
  0: "fixed",
  1: "dynamic",
  2: "scales of any value, weights fixed",
  3: "scales of powers of two",
  5: "asymmetric, by the framework (TFLite)",
  6: "asymmetric, per channel",
};
/** TIDL_NET_STRUCTURE_BUF, _PARAMS_BUF, _COMPILER_BUF, _GC_BUF */
const extents: readonly (readonly [name: string, kind: Section["kind"]])[] = [
  ["network", "graph"],
  ["parameters", "weights"],
  ["compiler's plan", "code"],
  ["graph compiler's plan", "code"],
];

const format: Format = {
  id: "tidl",
  name: "TIDL artifact",
  vendor: "Texas Instruments",
  extensions: ["_net.bin", "_io_1.bin", ".bin"],
  shows: "sealed",
  matches(file) {
    if (isNet(file)) return 2;
    if (layoutOf(file) !== undefined) return 2;
    return isNamedIo(file) && countsOf(file) !== undefined ? 1 : 0;
  },
  read(file) {
    if (isNet(file)) return readNet(file);
    return readIo(file);
  },
  sources: [
    "https://github.com/TexasInstruments/edgeai-tidl-tools",
    "itidl_ti.h of tidl_j721e_08_06_00_10 and of netVersion 0x20240401, itidl_io.h: public copies of TI's SDKs",
  ],
  checked: {
    files: 1,
    says: "an I/O descriptor published in MattMak0402/od-8220-20250423 (AM62A); networks from TI's headers only",
  },
};
export default format;

const isNamedIo = (file: ModelFile): boolean => /_tidl_io_\d*\.bin$/.test(file.name);

/** A date, a device, some layers, sizes of elements: each of them little, together no accident. */
function isNet(file: ModelFile): boolean {
  if (file.size < HEAD) return false;
  const cursor = file.cursor(0, 40);
  const version = cursor.u32().toString(16);
  const date = /^20(1[89]|[23]\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$/.test(version);
  const device = cursor.u32();
  const layers = cursor.u32();
  const sizes = [cursor.u32(), cursor.u32(), cursor.u32(), cursor.u32(), cursor.u32()];
  return (
    date &&
    (device & ~0x100) < 32 &&
    layers >= 2 &&
    layers <= LAYER_LIMIT &&
    sizes.every((size) => size <= 8) &&
    cursor.u32() <= 16
  );
}

function readNet(file: ModelFile): Model {
  const cursor = file.cursor(0, 40);
  const version = cursor.u32().toString(16);
  const device = cursor.u32();
  const layers = cursor.u32();
  const weights = cursor.u32();
  cursor.skip(8);
  const data = cursor.u32();
  cursor.skip(4);
  const style = cursor.u32();
  const integrity: Integrity[] = [];
  const sections = sectionsOf(file, integrity);
  return model("tidl", {
    version,
    sealed: true,
    producer: { name: "TIDL import tools" },
    targets: [targetOf(device)],
    requires: [{ what: "TIDL network version", relation: "exactly", version }],
    metadata: words({
      layers,
      "bytes of a weight": weights,
      "bytes of a value": data,
      quantisation: (Object.hasOwn(styles, style) ? styles[style] : undefined) ?? `style ${style}`,
    }),
    sections: sections ?? [{ name: "all of it", kind: "unknown", offset: 0, bytes: file.size }],
    integrity,
    needs: needsOf(file, /_net\.bin$/, "_io_1.bin"),
    unseen: [
      "layers: their layout changes with the version",
      "inputs and outputs: the I/O descriptor beside it has them",
      ...(sections === undefined ? ["whether it is whole: where its parts lie is not public for this version"] : []),
    ],
  });
}

function targetOf(device: number): Target {
  const [says, chip] = devices[device & DEVICE] ?? [`device ${device & DEVICE}`];
  return { family: "ti-tidl", ...(chip === undefined ? {} : { chip }), says };
}

/** Pointer, size, offset per part; the network itself comes first, the others lie behind it. */
function sectionsOf(file: ModelFile, integrity: Integrity[]): Section[] | undefined {
  for (const table of TABLES) {
    const cursor = file.cursor(table, 4 * 16);
    const found = extents.map(([name, kind]) => {
      const bytes = cursor.skip(8).u32();
      return { name, kind, bytes, offset: cursor.u32() };
    });
    const [network, parameters, plan] = found;
    if (network === undefined || parameters === undefined || plan === undefined) return undefined;
    if (network.offset !== 0 || network.bytes < table + 3 * 16) continue;
    if (plan.offset < network.bytes || parameters.offset < network.bytes || plan.bytes === 0) continue;
    // The fourth came with the table at 96; before that the first layer stands there.
    const held = table === 88 ? found.slice(0, 3) : found.filter(({ bytes }) => bytes > 0);
    const sorted = held.sort((a, b) => a.offset - b.offset);
    for (const [index, one] of sorted.entries()) {
      const next = sorted[index + 1];
      if (next !== undefined && one.offset + one.bytes > next.offset) {
        integrity.push(error("extent/overlap", `the ${one.name} lies over the ${next.name}`, table));
      }
    }
    const end = Math.max(...sorted.map(({ offset, bytes }) => offset + bytes));
    integrity.push(...cutShort(file, end, "the last part"), ...leftOver(file, end, "the last part"));
    return sorted;
  }
  integrity.push(note("extent/unknown", "its parts are not where known versions have them", 88));
  return undefined;
}

function readIo(file: ModelFile): Model {
  const integrity: Integrity[] = [];
  const layout = layoutOf(file);
  if (layout === undefined && !isNamedIo(file)) throw new FileError(file.name, "neither a network nor a descriptor", 0);
  const found = layout === undefined ? undefined : readDescriptor(file, layout, integrity);
  if (found === undefined) {
    integrity.push(error("extent/wrong-size", `${file.size} bytes are the size of no known descriptor`, file.size));
  }
  return model("tidl", {
    version: found === undefined ? "I/O descriptor" : `I/O descriptor, ${found.since}`,
    sealed: true,
    producer: { name: "TIDL import tools" },
    targets: [{ family: "ti-tidl", says: "not said" }],
    inputs: found?.inputs ?? [],
    outputs: found?.outputs ?? [],
    metadata: words({ cores: found?.cores }),
    sections: [{ name: "descriptor", kind: "metadata", offset: 0, bytes: file.size }],
    integrity,
    needs: needsOf(file, /_io_\d*\.bin$/, "_net.bin"),
    unseen: ["the network: it is in the file beside it", "device and version: the network has them"],
  });
}

const needsOf = (file: ModelFile, own: RegExp, other: string): string[] => {
  const name = file.name.slice(file.name.lastIndexOf("/") + 1);
  return own.test(name) ? [name.replace(own, other)] : [];
};
