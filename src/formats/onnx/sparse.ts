/** SparseTensorProto: constant data of which only what is not zero is written, with where it stands. Schema as in tensor.ts. */

import { elementsOf } from "../../model/graph.ts";
import type { Message } from "../wire/protobuf.ts";
import { label, type Context } from "./draft.ts";
import { RANK_LIMIT, readTensor, summary, VALUES_LIMIT, type Constant } from "./tensor.ts";

/** SparseTensorProto: 1 values (named), 2 indices, 3 dims. The shape is that of the whole, the bytes are those of values and indices. */
export function readSparse(message: Message, context: Context): Constant | undefined {
  const at = message.from;
  let values: Constant | undefined;
  let indices: Constant | undefined;
  const shape: number[] = [];
  while (message.next()) {
    if (message.field === 1) values = readTensor(message.message(), context);
    else if (message.field === 2) indices = readTensor(message.message(), context);
    else if (message.field === 3) message.ints(shape, RANK_LIMIT);
    else {
      context.findings.add(
        "warning",
        "protobuf/unknown-field",
        `field ${message.field} of a sparse tensor is not in the schema`,
        message.at,
      );
    }
  }
  const wrong = (says: string): void => context.findings.add("error", "tensor/sparse", says, at);
  if (!values || !indices) {
    wrong("a sparse tensor lacks its values or its indices");
    return undefined;
  }
  const name = label(values.name);
  const [count = 0] = values.shape;
  const linear = indices.shape.length === 1;
  if (
    indices.shape[0] !== count ||
    indices.type !== "int64" ||
    !(linear || (indices.shape.length === 2 && indices.shape[1] === shape.length))
  ) {
    wrong(`${name} of ${shape.length} dimensions has ${count} values and ${summary(indices)} indices`);
  } else {
    const limits = linear ? [elementsOf(shape) ?? Number.POSITIVE_INFINITY] : shape;
    const places = indices.values(VALUES_LIMIT) ?? [];
    const past = places.findIndex((place, position) => place < 0 || place >= (limits[position % limits.length] ?? 0));
    if (past >= 0) wrong(`${name} has the index ${places[past]}, its shape is [${shape.join(",")}]`);
  }
  const { type, spelled } = values;
  return {
    name: values.name,
    type,
    ...(spelled === undefined ? {} : { spelled }),
    shape,
    data: { bytes: (values.data?.bytes ?? 0) + (indices.data?.bytes ?? 0) },
    sparse: true,
    values: () => undefined,
  };
}
