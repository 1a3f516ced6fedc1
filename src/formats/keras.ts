/**
 * Keras 3's .keras: a ZIP of a configuration, which is the graph, and of weights in HDF5, which are not read.
 * keras.io/guides/serialization_and_saving; github.com/keras-team/keras/blob/master/keras/src/saving/saving_lib.py
 */

import { FileError } from "../base/errors.ts";
import { model } from "../model/graph.ts";
import type { ModelFile } from "./file.ts";
import type { Format } from "./format.ts";
import { isKerasModel, readKeras } from "./tensorflow/keras.ts";
import { get, JSON_LIMIT, parseJson, textOf } from "./wire/json.ts";
import { dataOffset, endOfZip, readZip, startsAsZip, stored, unpack, type ZipEntry } from "./wire/zip.ts";

const format: Format = {
  id: "keras",
  name: "Keras",
  vendor: "Keras",
  extensions: [".keras"],
  shows: "full",
  matches(file) {
    if (!startsAsZip(file) || endOfZip(file) === undefined) return 0;
    const names = new Set(readZip(file).entries.map(({ name }) => name));
    return names.has("config.json") && names.has("metadata.json") ? 2 : 0;
  },
  read(file) {
    const zip = readZip(file);
    const find = (name: string): ZipEntry | undefined => zip.entries.find((entry) => entry.name === name);
    const root = jsonOf(file, find("config.json"));
    const metadata = jsonOf(file, find("metadata.json"));
    if (!isKerasModel(root)) {
      const name = textOf(get(root, "class_name")) ?? "no class";
      return model("keras", {
        sealed: false,
        metadata: { class: name.slice(0, 200) },
        sections: [],
        integrity: zip.integrity,
        unseen: [
          `layers: ${JSON.stringify(name.slice(0, 80))} is a class of its own, whose code says what it computes`,
        ],
      });
    }
    const { graphs, integrity } = readKeras(file.name, root, []);
    const version = textOf(get(metadata, "keras_version"));
    const saved = textOf(get(metadata, "date_saved"));
    const weights = zip.entries.filter(({ name }) => name.endsWith(".h5"));
    return model("keras", {
      sealed: false,
      ...(version === undefined ? {} : { producer: { name: "Keras", version: version.slice(0, 80) } }),
      graphs,
      main: 0,
      metadata: saved === undefined ? {} : { saved: saved.slice(0, 80) },
      sections: weights.map((entry) => ({
        name: entry.name,
        kind: "weights",
        offset: dataOffset(file, entry),
        bytes: entry.packed,
      })),
      integrity: [...zip.integrity, ...integrity, ...weights.flatMap((entry) => checkHdf5(file, entry))],
      unseen: weights.map(({ name, bytes }) => `weights: ${name} is HDF5 of ${bytes} bytes, which is not read`),
    });
  },
  sources: [
    "https://keras.io/guides/serialization_and_saving/",
    "https://github.com/keras-team/keras/blob/master/keras/src/saving/saving_lib.py",
  ],
  checked: { files: 0, says: "files such as Keras 3.15 writes: shapes of 23 kinds of layers are as Keras gives them" },
};
export default format;

function jsonOf(file: ModelFile, entry: ZipEntry | undefined): unknown {
  if (entry === undefined) throw new FileError(file.name, "an archive without config.json and metadata.json", 0);
  return parseJson(unpack(file, entry, JSON_LIMIT), file.name, entry.header);
}

/** Stored weights begin as HDF5 does. */
function checkHdf5(
  file: ModelFile,
  entry: ZipEntry,
): readonly { severity: "error"; rule: string; says: string; offset: number }[] {
  if (entry.method !== stored || entry.bytes < 8) return [];
  const offset = dataOffset(file, entry);
  if (Buffer.from(file.slice(offset, 8)).toString("latin1") === "\x89HDF\r\n\x1a\n") return [];
  return [
    {
      severity: "error",
      rule: "archive/weights",
      says: `${JSON.stringify(entry.name.slice(0, 80))} is no HDF5 file`,
      offset,
    },
  ];
}
