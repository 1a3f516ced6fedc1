/** AttributeProto: what a node's operator is told. Schema as in tensor.ts. */

import type { Attribute } from "../../model/graph.ts";
import { BYTES, type Message } from "../wire/protobuf.ts";
import { label, type Context, type Draft, type DraftNode } from "./draft.ts";
import { readSparse } from "./sparse.ts";
import { readTensor, summary, type Constant } from "./tensor.ts";
import { readType } from "./types.ts";

/** Values of a list attribute that are kept; tree ensembles have more, their number is told instead. */
const LIST_LIMIT = 65_536;
/** Bytes of a text attribute that are kept: embedded configurations. Longer ones are blobs (EPContext) and told by their size. */
const TEXT_LIMIT = 4096;

/** Field by type, of AttributeProto.AttributeType. */
const fieldOfType: Readonly<Record<number, number>> = {
  1: 2,
  2: 3,
  3: 4,
  4: 5,
  5: 6,
  6: 7,
  7: 8,
  8: 9,
  9: 10,
  10: 11,
  11: 22,
  12: 23,
  13: 14,
  14: 15,
};

/**
 * AttributeProto: 1 name, 2 f, 3 i, 4 s, 5 t, 6 g, 7 floats, 8 ints, 9 strings, 10 tensors, 11 graphs, 13 doc, 14 tp, 15 type_protos,
 * 20 type, 21 ref_attr_name, 22 sparse_tensor, 23 sparse_tensors. Gives the tensor of `value` and of `sparse_value`.
 */
export function readAttribute(
  message: Message,
  node: DraftNode,
  draft: Draft,
  context: Context,
  readGraph: (message: Message, draft: Draft, context: Context) => void,
): Constant | undefined {
  let name = "";
  let type = 0;
  let reference = "";
  let value: Attribute | undefined;
  let constant: Constant | undefined;
  let graphs = false;
  let list: number[] | undefined;
  let words: string[] | undefined;
  let fields = 0;
  let last = 0;
  while (message.next()) {
    const { field } = message;
    if ((field >= 2 && field <= 11) || field === 14 || field === 15 || field >= 22) {
      if (field !== last) fields++;
      last = field;
    }
    switch (field) {
      case 1:
        name = message.string();
        break;
      case 2:
        value = message.float();
        break;
      case 3: {
        const int = message.int();
        value = Number.isSafeInteger(int) ? int : message.int64();
        break;
      }
      case 4:
        value = text(message);
        break;
      case 5:
      case 10:
        constant = readTensor(message.message(), context);
        if (field === 5) value = summary(constant);
        else (words ??= []).push(summary(constant));
        break;
      case 6:
      case 11: {
        const child = context.draft(draft);
        (node.graphs ??= []).push(context.drafts.length - 1);
        readGraph(message.message(), child, context);
        graphs = true;
        break;
      }
      case 7:
        message.floats((list ??= []), 1_000_000);
        break;
      case 8:
        message.ints((list ??= []), 1_000_000);
        break;
      case 9:
        words ??= [];
        if (words.length < LIST_LIMIT) words.push(text(message));
        break;
      case 14:
      case 15: {
        const found = readType(message.message(), context, 0);
        value = found?.spelled ?? found?.type ?? "?";
        break;
      }
      case 20:
        type = message.int();
        break;
      case 21:
        reference = message.string();
        break;
      case 22:
      case 23:
        constant = readSparse(message.message(), context);
        if (!constant) break;
        if (field === 22) value = `sparse ${summary(constant)}`;
        else (words ??= []).push(`sparse ${summary(constant)}`);
        break;
      case 13:
        break;
      default:
        context.findings.add(
          "warning",
          "protobuf/unknown-field",
          `field ${field} of an attribute is not in the schema`,
          message.at,
        );
    }
  }
  const right = fieldOfType[type];
  const at = message.from;
  if (name === "")
    context.findings.add("error", "attribute/no-name", `an attribute of ${label(node.spelled)} has no name`, at);
  if ((type !== 0 && right === undefined) || fields > 1 || (right !== undefined && last !== 0 && last !== right)) {
    context.findings.add(
      "error",
      "attribute/type",
      `attribute ${label(name)} says type ${type} and has its value in field ${last}`,
      at,
    );
  }
  if (graphs) return undefined;
  if (reference !== "") value = `@${reference}`;
  else if (list) value = list.length > LIST_LIMIT ? `${list.length} numbers` : list;
  else if (words) value = words;
  else value ??= empty[type];
  if (value !== undefined && name !== "__proto__") node.attributes[name] = value;
  return (name === "value" && last === 5) || (name === "sparse_value" && last === 22) ? constant : undefined;
}

/** What an attribute of a type holds when nothing was written: protobuf leaves out zeros and empty lists. */
const empty: Readonly<Partial<Record<number, Attribute>>> = { 1: 0, 2: 0, 3: "", 6: [], 7: [], 8: [] };

function text(message: Message): string {
  if (message.wire === BYTES && message.length > TEXT_LIMIT) return `${message.length} bytes`;
  return message.string(TEXT_LIMIT);
}
