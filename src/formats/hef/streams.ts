/**
 * Streams of a HEF between host and chip, as the host sees them: images, tensors, boxes of a non-maximum suppression; and the steps of
 * post-processing that HailoRT does on the host. Field numbers: https://github.com/hailo-ai/hailort hailort/libhailort/hef.proto (MIT)
 */

import type { ElementType, Quantization, Tensor } from "../../model/graph.ts";
import { plain } from "../sealed/parts.ts";
import type { Message } from "../wire/protobuf.ts";

/** Streams, pads, names of one network. */
export const LAYER_LIMIT = 65_536;
/** One scale for each feature; the widest layers have some thousand. */
const SCALE_LIMIT = 65_536;
/** Streams are merged in one another once; twice in no file seen. */
const MUX_DEPTH = 4;

/** A stream between host and chip, as the host sees it. */
export interface Stream {
  out: boolean;
  name: string;
  originals: string[];
  shape: [height: number, width: number, features: number];
  dataBytes: number;
  quantization: Quantization | undefined;
  transposed: boolean;
  nms: Nms | undefined;
  pad: number;
}

export interface Nms {
  classes: number;
  boxes: number;
  parts: number;
  defused: boolean;
}

/** Post-processing that HailoRT does on the host. */
export interface Post {
  name: string;
  kind: string;
  inputs: number[];
  outputs: { name: string; nms: Nms | undefined; shape: Stream["shape"] | undefined }[];
  says: string;
}

/** What of a network group makes its inputs and outputs. */
export interface Ports {
  readonly streams: readonly Stream[];
  readonly fused: readonly Stream[];
  readonly posts: readonly Post[];
  /** From a pad of post-processing to the core's pad it is fed by. */
  readonly edges: ReadonlyMap<number, number>;
  /** Outputs in the order of the compiler. */
  readonly order: readonly string[];
  readonly transposed: boolean;
}

/** An unsigned field of a message that is not looked at otherwise; 0 where it is not there. */
export function numberIn(message: Message, field: number): number {
  let value = 0;
  while (message.next()) if (message.field === field) value = message.uint();
  return value;
}

const emptyStream = (): Stream => ({
  out: false,
  name: "",
  originals: [],
  shape: [0, 0, 0],
  dataBytes: 0,
  quantization: undefined,
  transposed: false,
  nms: undefined,
  pad: -1,
});

export function readLayer(message: Message, into: Stream[]): void {
  const stream = emptyStream();
  while (message.next()) {
    switch (message.field) {
      case 1:
        stream.name = plain(message.string());
        break;
      case 2:
        readBase(message.message(), stream);
        break;
      case 3:
        stream.quantization = readNumbers(message.message());
        break;
      case 5:
        if (stream.originals.length < LAYER_LIMIT) stream.originals.push(plain(message.string()));
        break;
      case 6:
        stream.transposed = message.bool();
    }
  }
  into.push(stream);
}

/** Streams that share a channel. */
export function readMux(message: Message, into: Stream[], depth: number): void {
  if (depth > MUX_DEPTH) message.fail(`streams merged more than ${MUX_DEPTH} times`);
  while (message.next()) {
    if (message.field !== 5) continue;
    const edge = message.message();
    while (edge.next()) {
      if (edge.field === 1) readLayer(edge.message(), into);
      else if (edge.field === 2) readMux(edge.message(), into, depth + 1);
      else if (edge.field === 3) readPlanes(edge.message(), into);
    }
  }
}

/** An image in planes (NV12, I420): one input for the host, a stream each for the chip. */
export function readPlanes(message: Message, into: Stream[]): void {
  const stream = emptyStream();
  const planes: Stream[] = [];
  while (message.next()) {
    switch (message.field) {
      case 1:
        stream.name = plain(message.string());
        break;
      case 3: {
        const edge = message.message();
        while (edge.next()) if (edge.field === 1) readLayer(edge.message(), planes);
        break;
      }
      case 4:
      case 5:
      case 6:
        stream.shape[message.field - 4] = message.uint();
    }
  }
  const [first] = planes;
  into.push({ ...stream, dataBytes: first?.dataBytes ?? 0, quantization: first?.quantization });
}

function readBase(message: Message, stream: Stream): void {
  while (message.next()) {
    switch (message.field) {
      case 1:
        stream.shape[0] = message.uint();
        break;
      case 3:
        stream.shape[1] = message.uint();
        break;
      case 5:
        stream.shape[2] = message.uint();
        break;
      case 11: {
        const info = message.message();
        while (info.next()) if (info.field === 1) stream.nms = readNms(info.message());
        break;
      }
      case 12:
        stream.dataBytes = message.uint();
    }
  }
}

export function readNms(message: Message): Nms {
  const nms = { classes: 0, boxes: 0, parts: 1, defused: false };
  while (message.next()) {
    if (message.field === 2) nms.classes = message.uint();
    else if (message.field === 3) nms.boxes = message.uint();
    else if (message.field === 5) nms.defused = message.bool();
    else if (message.field === 7) nms.parts = Math.max(1, message.uint());
  }
  return nms;
}

function readNumbers(message: Message): Quantization | undefined {
  let [zero, scale] = [0, 0];
  const zeros: number[] = [];
  const scales: number[] = [];
  while (message.next()) {
    switch (message.field) {
      case 1:
        zero = message.float();
        break;
      case 2:
        scale = message.float();
        break;
      case 5:
        message.doubles(zeros, SCALE_LIMIT);
        break;
      case 6:
        message.doubles(scales, SCALE_LIMIT);
    }
  }
  // Files since 2023 have one for each feature beside the one for all; most of them are the same.
  const one = scales[0] ?? scale;
  const none = (value: number): number => (value === 0 ? 0 : value); // the compiler writes -0 too
  const same = scales.every((value) => value === one) && zeros.every((value) => value === zeros[0]);
  if (same) return one === 0 ? undefined : { scale: [one], zeroPoint: [none(zeros[0] ?? zero)] };
  return { scale: scales, zeroPoint: zeros.length === scales.length ? zeros.map(none) : [], axis: 2 };
}

export function readPad(message: Message): Post["outputs"][number] {
  let name = "";
  let nms: Nms | undefined;
  let shape: Stream["shape"] | undefined;
  while (message.next()) {
    if (message.field === 2) name = plain(message.string());
    else if (message.field === 6) {
      const stream = emptyStream();
      readBase(message.message(), stream);
      shape = stream.shape;
    } else if (message.field === 7) {
      const found = { classes: 0, boxes: 0, parts: 1, defused: false };
      const inner = message.message();
      while (inner.next()) {
        if (inner.field === 1) found.classes = inner.uint();
        else if (inner.field === 2) found.boxes = inner.uint();
      }
      nms = found;
    }
  }
  return { name, nms, shape };
}

/** oneof nms_op */
const nmsKinds: Readonly<Record<number, string>> = {
  7: "YOLOv5",
  8: "YOLOX",
  9: "SSD",
  10: "IoU",
  11: "YOLOv5 segmentation",
  12: "YOLOv8",
};

export function readNmsOp(message: Message, post: Post): void {
  let [score, iou, boxes, classes, kind, only] = [0, 0, 0, 0, "", false];
  while (message.next()) {
    switch (message.field) {
      case 1:
        score = message.double();
        break;
      case 2:
        iou = message.double();
        break;
      case 3:
        boxes = message.uint();
        break;
      case 4:
        classes = message.uint();
        break;
      case 13:
        only = message.bool();
        break;
      default:
        kind = nmsKinds[message.field] ?? kind;
    }
  }
  post.kind = only ? "boxes" : kind === nmsKinds[11] ? "masks" : "nms";
  post.says = only
    ? `${kind} boxes decoded without suppression, ${classes} classes`
    : `${kind} NMS: ${classes} classes, at most ${boxes} boxes of each, score from ${+score.toPrecision(6)}, IoU ${+iou.toPrecision(6)}`;
  for (const output of post.outputs) output.nms ??= { classes, boxes, parts: 1, defused: false };
}

/** Streams as the host's buffers: outputs of post-processing stand for the streams they are made of. */
export function portsOf(group: Ports): { inputs: Tensor[]; outputs: Tensor[] } {
  const inputs: Tensor[] = [];
  const outputs: Tensor[] = [];
  const taken = new Set(group.posts.flatMap((post) => post.inputs.map((pad) => group.edges.get(pad) ?? -1)));
  const fused = group.fused.length > 0;
  const seen = new Set<string>();
  for (const stream of [...group.streams, ...group.fused]) {
    const key = `${stream.out ? "out" : "in"} ${stream.name}`;
    const replaced =
      stream.out && ((fused && stream.nms?.defused === true) || (stream.pad >= 0 && taken.has(stream.pad)));
    if (replaced || seen.has(key)) continue;
    seen.add(key);
    (stream.out ? outputs : inputs).push(tensorOf(stream, group.transposed));
  }
  for (const post of group.posts) {
    for (const { name, nms, shape } of post.outputs) {
      outputs.push({
        name: name === "" ? post.name : name,
        ...(post.kind === "masks" ? { type: "unknown", spelled: "boxes with byte masks" } : { type: "float32" }),
        ...(post.kind === "nms" && nms ? { shape: nmsShape(nms) } : {}),
        ...(post.kind === "softmax" && shape ? { shape } : {}),
        ...(post.kind === "argmax" ? { type: "unknown", spelled: "index of the largest" } : {}),
      });
    }
  }
  const order = new Map(group.order.map((name, index) => [name, index]));
  const rank = (tensor: Tensor): number => order.get(tensor.name) ?? order.size;
  return { inputs, outputs: outputs.sort((a, b) => rank(a) - rank(b)) };
}

/** A box has four corners and a score. */
const nmsShape = ({ classes, boxes, parts }: Nms): number[] => [classes, 5, boxes * parts];

const elementTypes: Readonly<Record<number, ElementType>> = { 1: "uint8", 2: "uint16" };

function tensorOf({ name, shape, dataBytes, quantization, transposed, nms }: Stream, all: boolean): Tensor {
  const type = elementTypes[dataBytes];
  const [height, width, features] = shape;
  // The chip computes on the transposed image then; the host's is as the network's.
  const turned: number[] = transposed || all ? [width, height, features] : [height, width, features];
  return {
    name,
    ...(type === undefined ? { type: "unknown", spelled: `${dataBytes} bytes` } : { type }),
    shape: nms ? nmsShape(nms) : turned,
    ...(quantization ? { quantization } : {}),
  };
}
