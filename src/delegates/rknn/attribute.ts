/** Inputs and outputs as the RKNN runtime describes them (rknn_tensor_attr), and as what they are given and taken here. */

import { CannotError } from "../../base/errors.ts";
import type { ElementType } from "../../model/graph.ts";
import { Structs } from "../../base/c-struct.ts";
import { AFFINE, check, elementTypes, MAX_DIMS, NHWC, query, structs, type Rknn } from "./api.ts";

/** Models have some ten at most. */
const PORT_LIMIT = 1024;

export interface Attribute {
  readonly index: number;
  readonly name: string;
  readonly shape: readonly number[];
  /** As it is given or taken here. */
  readonly type: ElementType;
  /** Its rknn_tensor_type. */
  readonly number: number;
  /** rknn_tensor_format. */
  readonly format: number;
  readonly elements: number;
  /** Let the runtime turn what it computed into float32. */
  readonly wantFloat: boolean;
  /** Elements of a row in the runtime's memory, where that is more than the shape says; of NHWC inputs. */
  readonly stride?: number;
  /** The struct itself, for rknn_set_io_mem. */
  readonly struct: Structs<keyof (typeof structs)["rknn_tensor_attr"]["at"]>;
}

const FLOAT32 = elementTypes.indexOf("float32");
const UINT8 = elementTypes.indexOf("uint8");
/** What the runtime computes in, and turns from and to numbers itself. */
const computed: readonly ElementType[] = ["float32", "float16", "bfloat16", "int4", "int8", "uint8", "int16"];
const CHANNELS: readonly (number | undefined)[] = [1, 3, 4];

/**
 * Pictures (NHWC of 1, 3 or 4 channels) go in as uint8 as the runtime's examples do it: it normalises by the model's own mean and
 * deviation, and quantises. All else that it computes in goes in and comes out as float32; indices and truth values as they are.
 */
export function readAttributes(rknn: Rknn, context: bigint, which: "input" | "output", small: boolean): Attribute[] {
  const count = new Structs(structs.rknn_input_output_num);
  check("rknn_query", rknn.call("rknn_query", context, query.IN_OUT_NUM, count.buffer, count.buffer.length));
  const ports = count.get(which === "input" ? "n_input" : "n_output");
  if (ports > PORT_LIMIT) throw new CannotError(`RKNN: the model has ${ports} ${which}s, which no model has`);
  const command = which === "input" ? query.INPUT_ATTR : small ? query.NATIVE_NHWC_OUTPUT_ATTR : query.OUTPUT_ATTR;
  return Array.from({ length: ports }, (_, index) => {
    const struct = new Structs(structs.rknn_tensor_attr);
    struct.set("index", index);
    check("rknn_query", rknn.call("rknn_query", context, command, struct.buffer, struct.buffer.length));
    return describe(struct, index, which);
  });
}

function describe(struct: Attribute["struct"], index: number, which: "input" | "output"): Attribute {
  const rank = struct.get("n_dims");
  if (rank > MAX_DIMS) throw new CannotError(`RKNN: ${which} ${index} has ${rank} dimensions, ${MAX_DIMS} is the most`);
  const shape = Array.from({ length: rank }, (_, at) => struct.get("dims", 0, at));
  const [own, format] = [struct.get("type"), struct.get("fmt")];
  const kind = elementTypes[own] ?? "unknown";
  const name = struct.text("name");
  const isComputed = computed.includes(kind) || struct.get("qnt_type") === AFFINE;
  const isPicture = which === "input" && format === NHWC && rank === 4 && CHANNELS.includes(shape[3]);
  const number = !isComputed ? own : isPicture ? UINT8 : FLOAT32;
  const elements = shape.reduce((all, size) => all * size, 1);
  const told = struct.get("n_elems");
  if (told !== elements) {
    throw new CannotError(`RKNN: ${which} "${name}" [${shape.join(", ")}] is said to have ${told} elements`);
  }
  const stride = struct.get("w_stride");
  return {
    index,
    name: name === "" ? `${which} ${index}` : name,
    shape,
    type: elementTypes[number] ?? "unknown",
    number,
    format,
    elements,
    wantFloat: isComputed,
    ...(isPicture && stride > (shape[2] ?? 0) ? { stride } : {}),
    struct,
  };
}
