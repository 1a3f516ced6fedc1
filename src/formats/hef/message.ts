/**
 * The protobuf message of a HEF: networks, the streams that go in and out, post-processing on the host, and how much configuration is
 * written to the chip. Field numbers: https://github.com/hailo-ai/hailort hailort/libhailort/hef.proto (MIT); what follows from them:
 * libhailort/src/hef/hef.cpp
 */

import { plain } from "../sealed/parts.ts";
import type { Message } from "../wire/protobuf.ts";
import {
  LAYER_LIMIT,
  numberIn,
  readLayer,
  readMux,
  readNms,
  readNmsOp,
  readPad,
  readPlanes,
  type Nms,
  type Post,
  type Stream,
} from "./streams.ts";

const GROUP_LIMIT = 256;
/** HailoRT's index of a context has 16 bits. */
const CONTEXT_LIMIT = 65_536;
const EXTENSION_LIMIT = 1000;
const RESOURCE_LIMIT = 65_536;

/** hw_arch is 0 where the message does not name it. */
export interface Header {
  arch: number;
  timestamp: number;
  compiler: string;
  format: number;
}

export interface Resource {
  name: string;
  offset: number;
  bytes: number;
}

/** Filled field by field, so that of a file cut short what came before the cut is told. */
export interface Contents {
  header: Header;
  groups: Group[];
  extensions: number[];
  optional: number[];
  resources: Resource[];
  /** Bytes of a map of the network for the profiler. */
  mapping: { offset: number; bytes: number } | undefined;
}

export interface Group {
  name: string;
  /** Outputs in the order of the compiler. */
  order: string[];
  networks: string[];
  contexts: number;
  transposed: boolean;
  fps: number;
  latency: number;
  operations: number;
  /** One configuration for each set of clusters, of chips with some clusters switched off. */
  layouts: number;
  streams: Stream[];
  fused: Stream[];
  posts: Post[];
  /** From a pad of post-processing to the core's pad it is fed by. */
  edges: Map<number, number>;
  clusters: Set<number>;
  /** Configuration words within the message. */
  inline: number;
  /** Words the message points to: bytes in all, and where the last ends. */
  pointed: number;
  pointedEnd: number;
  bytes: number;
}

export const emptyContents = (): Contents => ({
  header: { arch: 0, timestamp: 0, compiler: "", format: 0 },
  groups: [],
  extensions: [],
  optional: [],
  resources: [],
  mapping: undefined,
});

export function readContents(message: Message, into: Contents): void {
  while (message.next()) {
    switch (message.field) {
      case 1:
        readHeader(message.message(), into.header);
        break;
      case 2: {
        if (into.groups.length >= GROUP_LIMIT) message.fail(`more than ${GROUP_LIMIT} network groups`);
        const group = emptyGroup();
        group.bytes = message.length;
        into.groups.push(group);
        readGroup(message.message(), group, 0);
        break;
      }
      case 3:
        into.mapping = { offset: message.start, bytes: message.length };
        break;
      case 5:
      case 6: {
        const list = message.field === 5 ? into.extensions : into.optional;
        if (list.length >= EXTENSION_LIMIT) message.fail(`more than ${EXTENSION_LIMIT} extensions`);
        list.push(numberIn(message.message(), 1));
        break;
      }
      case 7:
        if (into.resources.length >= RESOURCE_LIMIT) message.fail(`more than ${RESOURCE_LIMIT} external resources`);
        into.resources.push(readResource(message.message()));
    }
  }
}

function readHeader(message: Message, header: Header): void {
  while (message.next()) {
    switch (message.field) {
      case 1:
        header.arch = message.uint();
        break;
      case 2:
        header.timestamp = message.uint();
        break;
      case 3:
        header.compiler = plain(message.string(), 64);
        break;
      case 4:
        header.format = message.uint();
        break;
      case 5: {
        const parts = [0, 0, 0];
        const version = message.message();
        while (version.next()) if (version.field <= 3) parts[version.field - 1] = version.uint();
        // The words say the same and more where they are there.
        if (header.compiler === "") header.compiler = parts.join(".");
      }
    }
  }
}

function readResource(message: Message): Resource {
  const resource = { name: "", offset: 0, bytes: 0 };
  while (message.next()) {
    if (message.field === 1) resource.offset = message.uint();
    else if (message.field === 2) resource.bytes = message.uint();
    else if (message.field === 3) resource.name = plain(message.string());
  }
  return resource;
}

const emptyGroup = (): Group => ({
  name: "",
  order: [],
  networks: [],
  contexts: 0,
  transposed: false,
  fps: 0,
  latency: 0,
  operations: 0,
  layouts: 0,
  streams: [],
  fused: [],
  posts: [],
  edges: new Map(),
  clusters: new Set(),
  inline: 0,
  pointed: 0,
  pointedEnd: 0,
  bytes: 0,
});

/** A network group; its core op has the same first seven fields, and so has each layout's part of it. */
function readGroup(message: Message, group: Group, depth: number): void {
  while (message.next()) {
    switch (message.field) {
      case 1:
        readMetadata(message.message(), group);
        break;
      case 2:
        readOperations(message.message(), 1, group);
        break;
      case 3:
        readContext(message.message(), group);
        break;
      case 4:
        if (group.order.length >= LAYER_LIMIT) message.fail(`more than ${LAYER_LIMIT} outputs`);
        group.order.push(plain(message.string()));
        break;
      case 5:
        readFused(message.message(), group);
        break;
      case 6:
        if (group.networks.length >= LAYER_LIMIT) message.fail(`more than ${LAYER_LIMIT} networks`);
        group.networks.push(plain(message.string()));
        break;
      case 7:
        if (depth > 1) message.fail("layouts within a layout");
        readLayout(message.message(), group, depth);
        break;
      case 8:
        if (depth === 0) readOp(message.message(), group);
        break;
      case 9: {
        const edge = message.message();
        let [from, to] = [0, 0];
        while (edge.next()) {
          if (edge.field === 1) from = edge.uint();
          else if (edge.field === 2) to = edge.uint();
        }
        if (group.edges.size >= LAYER_LIMIT) message.fail(`more than ${LAYER_LIMIT} pads`);
        group.edges.set(to, from);
        break;
      }
      case 10:
        if (depth === 0 && group.name === "") group.name = plain(message.string());
    }
  }
}

/** Streams are the same in every layout: the first one's are told, and its words are counted. */
function readLayout(message: Message, group: Group, depth: number): void {
  while (message.next()) {
    if (message.field !== 1) continue;
    group.layouts++;
    if (group.layouts === 1) {
      readGroup(message.message(), group, depth + 1);
      continue;
    }
    const other = emptyGroup();
    readGroup(message.message(), other, depth + 1);
    group.pointedEnd = Math.max(group.pointedEnd, other.pointedEnd);
    for (const cluster of other.clusters) group.clusters.add(cluster);
  }
}

function readMetadata(message: Message, group: Group): void {
  while (message.next()) {
    switch (message.field) {
      case 1:
        group.name = plain(message.string()) || group.name;
        break;
      case 3:
        group.transposed = message.bool();
        break;
      case 4:
        group.fps = message.double();
        break;
      case 6:
        group.latency = message.double();
        break;
      case 8:
        group.operations = message.uint();
    }
  }
}

function readContext(message: Message, group: Group): void {
  if (++group.contexts > CONTEXT_LIMIT) message.fail(`more than ${CONTEXT_LIMIT} contexts`);
  const operations = message.again();
  while (message.next()) {
    if (message.field !== 3) continue;
    const metadata = message.message();
    while (metadata.next()) if (metadata.field === 2) readEdgeLayer(metadata.message(), group);
  }
  readOperations(operations, 2, group);
}

/** What operations (at `field`) write to the chip, and on which clusters. */
function readOperations(message: Message, field: number, group: Group): void {
  while (message.next()) {
    if (message.field !== field) continue;
    const operation = message.message();
    while (operation.next()) if (operation.field === 2) readAction(operation.message(), group);
  }
}

function readAction(message: Message, group: Group): void {
  while (message.next()) {
    switch (message.field) {
      case 2: // write_data
      case 4: // write_compressed_data
        group.inline += lengthIn(message.message(), 2);
        break;
      case 3: // write_data_ccw
        group.inline += lengthIn(message.message(), 1);
        break;
      case 5: // enable_sequencer
      case 6: // wait_for_sequencer
        group.clusters.add(numberIn(message.message(), 1));
        break;
      case 7: // disable_lcu
      case 8: // enable_lcu
        group.clusters.add(numberIn(message.message(), 2));
        break;
      case 14: // write_data_by_type
        group.inline += lengthIn(message.message(), 3);
        break;
      case 16: {
        const pointer = message.message();
        let [offset, bytes] = [0, 0];
        while (pointer.next()) {
          if (pointer.field === 1) offset = pointer.uint();
          else if (pointer.field === 2) bytes = pointer.uint();
        }
        group.pointed += bytes;
        group.pointedEnd = Math.max(group.pointedEnd, offset + bytes);
      }
    }
  }
}

/** Bytes of a payload that is not read. */
function lengthIn(message: Message, field: number): number {
  let length = 0;
  while (message.next()) if (message.field === field) length = message.length;
  return length;
}

function readEdgeLayer(message: Message, group: Group): void {
  let [out, connection, pad] = [false, 0, -1];
  const streams: Stream[] = [];
  while (message.next()) {
    switch (message.field) {
      case 1:
        out = message.uint() === 1;
        break;
      case 3:
        readLayer(message.message(), streams);
        break;
      case 4:
        readMux(message.message(), streams, 0);
        break;
      case 5:
        connection = numberIn(message.message(), 3);
        break;
      case 7:
        pad = message.uint();
        break;
      case 8:
        readPlanes(message.message(), streams);
    }
  }
  // The others lead from one context to the next, or to memory.
  if (connection !== 0) return;
  if (group.streams.length + streams.length > LAYER_LIMIT) message.fail(`more than ${LAYER_LIMIT} streams`);
  for (const stream of streams) group.streams.push({ ...stream, out, pad });
}

function readFused(message: Message, group: Group): void {
  while (message.next()) {
    if (message.field !== 3) continue;
    const layer = message.message();
    const streams: Stream[] = [];
    let nms: Nms | undefined;
    while (layer.next()) {
      if (layer.field === 1) readLayer(layer.message(), streams);
      else if (layer.field === 3) nms = readNms(layer.message());
    }
    if (group.fused.length >= LAYER_LIMIT) message.fail(`more than ${LAYER_LIMIT} fused layers`);
    for (const stream of streams) {
      group.fused.push({ ...stream, out: true, ...(nms === undefined ? {} : { nms: { ...nms, defused: false } }) });
    }
  }
}

function readOp(message: Message, group: Group): void {
  const post: Post = { name: "", kind: "", inputs: [], outputs: [], says: "" };
  while (message.next()) {
    switch (message.field) {
      case 1:
        post.name = plain(message.string());
        break;
      case 2:
        if (post.inputs.length >= LAYER_LIMIT) message.fail(`more than ${LAYER_LIMIT} pads`);
        post.inputs.push(numberIn(message.message(), 1));
        break;
      case 3:
        if (post.outputs.length >= LAYER_LIMIT) message.fail(`more than ${LAYER_LIMIT} pads`);
        post.outputs.push(readPad(message.message()));
        break;
      case 4:
        readGroup(message.message(), group, 1);
        break;
      case 5:
        readNmsOp(message.message(), post);
        break;
      case 6:
        post.kind = numberIn(message.message(), 1) === 1 ? "softmax" : "argmax";
        post.says = post.kind;
    }
  }
  if (post.kind === "") return;
  if (group.posts.length >= LAYER_LIMIT) message.fail(`more than ${LAYER_LIMIT} steps of post-processing`);
  group.posts.push(post);
}
