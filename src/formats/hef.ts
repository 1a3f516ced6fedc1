/**
 * HEF: a network compiled by Hailo's Dataflow Compiler for one of its chips. A big-endian header with a checksum, a protobuf message, and
 * since version 1 the configuration words behind it. https://github.com/hailo-ai/hailort hailort/libhailort (MIT)
 */

import { FileError } from "../base/errors.ts";
import { model, type Integrity, type Model, type Section } from "../model/graph.ts";
import type { ModelFile } from "./file.ts";
import type { Format } from "./format.ts";
import { readContainer, type Container } from "./hef/container.ts";
import { emptyContents, readContents, type Contents, type Group } from "./hef/message.ts";
import { extensionName, requirementsOf, targetsOf, unknownExtensions } from "./hef/releases.ts";
import { portsOf } from "./hef/streams.ts";
import { error, FINDING_LIMIT, has, plain, words } from "./sealed/parts.ts";
import { protobuf } from "./wire/protobuf.ts";

const format: Format = {
  id: "hef",
  name: "Hailo Executable Format",
  vendor: "Hailo",
  extensions: [".hef"],
  marks: [{ at: 0, is: "\x01HEF" }],
  shows: "sealed",
  matches: (file) => (has(file, "\x01HEF") ? 2 : 0),
  read: readHef,
  sources: [
    "https://github.com/hailo-ai/hailort/blob/master/hailort/libhailort/src/hef/hef_internal.hpp",
    "https://github.com/hailo-ai/hailort/blob/master/hailort/libhailort/hef.proto",
  ],
  checked: {
    files: 6,
    says: "header versions 0, 1 and 2 of Dataflow Compiler 3.27, 3.29 and 3.31 (guyp98/accelerated_features, hailo-ai/hailo-rpi5-examples, GURUKARTHIKC/Takumi); version 3 on files written with protobuf's Python classes of hef.proto",
  },
};
export default format;

function readHef(file: ModelFile): Model {
  const container = readContainer(file);
  const integrity: Integrity[] = [...container.integrity];
  const contents = emptyContents();
  let read = true;
  try {
    readContents(protobuf(file, container.proto.offset, container.proto.bytes), contents);
  } catch (cause) {
    if (!(cause instanceof FileError)) throw cause;
    read = false;
    if (container.whole) {
      const why = cause.message.split(": ").at(-1) ?? "";
      integrity.push(error("protobuf/contents", `the message cannot be followed: ${why}`, cause.offset));
    }
  }
  if (read && contents.groups.length === 0)
    integrity.push(error("graph/empty", "no network in it", container.proto.offset));
  integrity.push(...checkExtents(contents, container, file.size));
  const { header, extensions, optional, groups } = contents;
  const ports = groups.map(portsOf);
  for (const { name, quantization } of ports.flatMap(({ inputs, outputs }) => [...inputs, ...outputs])) {
    if (quantization?.scale.every(Number.isFinite) === false) {
      integrity.push(error("quantization/nan-scale", `${plain(name, 80)} has a scale that is no number`));
      break;
    }
  }
  const refused = unknownExtensions(extensions);
  if (refused.length > 0) {
    const names = refused.slice(0, 8).map(extensionName).join(", ");
    integrity.push({
      severity: "warning",
      rule: "extension/unknown",
      says: `it needs ${names}, which no HailoRT up to 5.2 has`,
    });
  }
  const compiler = header.compiler;
  return model("hef", {
    version: String(container.version),
    sealed: true,
    producer: { name: "Hailo Dataflow Compiler", ...(compiler === "" ? {} : { version: compiler }) },
    targets: read || header.timestamp > 0 ? targetsOf(header.arch) : [],
    requires: requirementsOf({
      header: container.version,
      arch: header.arch,
      extensions: read ? extensions : undefined,
      compiler,
    }),
    inputs: ports.flatMap(({ inputs }) => inputs),
    outputs: ports.flatMap(({ outputs }) => outputs),
    metadata: words({
      networks: list(groups.map(named)),
      contexts: sum(groups, ({ contexts }) => contexts),
      "on the host": list(groups.flatMap(({ posts }) => posts.map(({ says }) => says))),
      estimate: list(groups.map(estimate)),
      operations: sum(groups, ({ operations }) => operations),
      clusters: list(groups.map(({ clusters }) => (clusters.size > 0 ? String(clusters.size) : ""))),
      configured: bytesOf(groups),
      checksum: container.checksum,
      compiled: created(header.timestamp),
      layouts: sum(groups, ({ layouts }) => layouts),
      extensions: extensions.map(extensionName).join(" "),
      "optional extensions": optional.map(extensionName).join(" "),
      "message format": header.format,
    }),
    sections: sectionsOf(contents, container, file.size),
    integrity,
    unseen: [
      "operators and weights: registers and words for the chip's clusters",
      ...(container.whole ? [] : ["networks, inputs and outputs behind the cut"]),
    ],
  });
}

const list = (found: readonly string[]): string | undefined =>
  found.filter((one) => one !== "").join("; ") || undefined;

/** A group of one network has its name. */
function named({ name, networks }: Group): string {
  return networks.length > 1 ? `${name} (${networks.join(", ")})` : name;
}

/** Simulated by the compiler; in seconds, and of the slowest part. */
function estimate({ fps, latency }: Group): string {
  const parts = [
    ...(fps > 0 ? [`${fps.toFixed(1)} frames per second at the bottleneck`] : []),
    ...(latency > 0 ? [`${(latency * 1000).toFixed(3)} ms`] : []),
  ];
  return parts.length === 0 ? "" : `${parts.join(", ")}, by the compiler`;
}

function bytesOf(groups: readonly Group[]): string | undefined {
  const total = sum(groups, ({ inline, pointed }) => inline + pointed);
  return total === undefined ? undefined : `by ${total} bytes of registers and weights`;
}

function sum(groups: readonly Group[], of: (group: Group) => number): number | undefined {
  const total = groups.reduce((all, group) => all + of(group), 0);
  return total === 0 ? undefined : total;
}

/** Milliseconds since 1970. */
function created(timestamp: number): string | undefined {
  return timestamp > 0 && timestamp < 8.64e15 ? new Date(timestamp).toISOString().replace(/\.\d+Z$/, "Z") : undefined;
}

/** What the message points to lies in the file. */
function checkExtents({ groups, resources }: Contents, { words, whole }: Container, size: number): Integrity[] {
  const found: Integrity[] = [];
  for (const { name, pointedEnd } of groups) {
    if (pointedEnd <= words.bytes) continue;
    const says = `${plain(name, 80)} is configured by words up to ${pointedEnd}, and there are ${words.bytes}`;
    found.push(error("extent/past-end", says, words.offset));
  }
  for (const { name, offset, bytes } of resources) {
    const end = words.offset + offset + bytes;
    if (end <= size || !whole) continue;
    found.push(error("extent/past-end", `${plain(name, 80)} ends at ${end}, the file at ${size}`, words.offset));
  }
  return found.slice(0, FINDING_LIMIT);
}

/** The parts the header declares; of the message what lies in one stretch. */
function sectionsOf({ mapping, resources }: Contents, { sections, words }: Container, size: number): Section[] {
  const found = sections.flatMap((section): Section[] => {
    if (!section.name.startsWith("networks") || mapping === undefined) return [section];
    const end = section.offset + section.bytes;
    const from = mapping.offset + mapping.bytes;
    return [
      { ...section, bytes: mapping.offset - section.offset },
      { name: "map of the network (for the profiler)", kind: "metadata" as const, ...mapping },
      {
        ...section,
        name: "features (message)",
        kind: "metadata" as const,
        offset: from,
        bytes: Math.max(0, end - from),
      },
    ].filter(({ bytes }) => bytes > 0);
  });
  if (resources.length === 0) return found;
  const named = resources
    .map(({ name, offset, bytes }): Section => ({ name, kind: "unknown", offset: words.offset + offset, bytes }))
    .filter(({ offset, bytes }) => offset + bytes <= size);
  return [...found.filter(({ name }) => name !== "external resources"), ...named];
}
