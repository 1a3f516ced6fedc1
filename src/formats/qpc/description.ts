/**
 * networkdesc.bin of a QPC: AICNetworkDesc.proto, networkDescriptor. Of each input and output it has the tensor as the host gives or
 * takes it and as the card does; the host's are told here, as the runtime's default set has them (QBindingsParser.cpp).
 */

import type { ElementType, Tensor } from "../../model/graph.ts";
import { plain } from "../sealed/parts.ts";
import { type Message } from "../wire/protobuf.ts";

export interface Description {
  version: string;
  name: string;
  cores: number;
  batch: number;
  /** Combinations of shapes it may be run with, beside the first. */
  shapes: number;
  readonly inputs: Tensor[];
  readonly outputs: Tensor[];
}

const PORT_LIMIT = 4096;
const RANK_LIMIT = 16;

/** dataType; those with Q are quantised. */
const types: readonly ElementType[] = [
  "float32",
  "float16",
  "int8",
  "uint8",
  "int16",
  "int32",
  "int32",
  "int64",
  "int8",
];
const quantised: ReadonlySet<number> = new Set([2, 3, 4, 5]);

export function readDescription(message: Message): Description {
  const found: Description = { version: "", name: "", cores: 0, batch: 0, shapes: 0, inputs: [], outputs: [] };
  let [major, minor] = [0, 0];
  while (message.next()) {
    if (message.field === 1) major = message.uint();
    else if (message.field === 2) minor = message.uint();
    else if (message.field === 3) found.name = plain(message.string());
    else if (message.field === 4 || message.field === 5) {
      const ports = message.field === 4 ? found.inputs : found.outputs;
      if (ports.length >= PORT_LIMIT) message.fail(`more than ${PORT_LIMIT} ports`);
      ports.push(readPort(message.message(), message.field === 4 ? 2 : 3));
    } else if (message.field === 7) found.cores = message.uint();
    else if (message.field === 14) found.batch = message.int();
    else if (message.field === 18) found.shapes++;
  }
  found.version = `${major}.${minor}`;
  return found;
}

/** `side`: the field with the host's tensor, before the transforms of an input and after those of an output. */
function readPort(message: Message, side: number): Tensor {
  let name = "";
  let tensor: Omit<Tensor, "name"> = { type: "unknown", spelled: "not said" };
  while (message.next()) {
    if (message.field === 1) name = plain(message.string());
    else if (message.field === side) tensor = readTensor(message.message());
  }
  return { name, ...tensor };
}

function readTensor(message: Message): Omit<Tensor, "name"> {
  let [code, scale, offset] = [0, 0, 0];
  const shape: number[] = [];
  while (message.next()) {
    if (message.field === 1) code = message.uint();
    else if (message.field === 2) scale = message.float();
    else if (message.field === 3) offset = message.int();
    else if (message.field === 4) message.ints(shape, RANK_LIMIT);
  }
  const type = types[code];
  return {
    type: type ?? "unknown",
    ...(type === undefined ? { spelled: `type ${code}` } : {}),
    shape,
    ...(quantised.has(code) ? { quantization: { scale: [scale], zeroPoint: [offset] } } : {}),
  };
}
