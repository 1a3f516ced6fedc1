/** Requests of inference over gRPC: protobuf from the network. */

import { Refusal } from "../../../src/serve/engine.ts";
import { readAsked, writeAnswer } from "../../../src/serve/grpc/infer.ts";
import {
  bytes,
  concat,
  double,
  float,
  int,
  message,
  packed,
  packedFloats,
  type Piece,
} from "../../support/protobuf.ts";
import { below, mutateBytes, pick, type Random } from "../mutate.ts";
import { Complaint, type Target } from "../target.ts";

const datatypes: readonly (readonly [name: string, bytes: number, field: number])[] = [
  ["BOOL", 1, 1],
  ["INT8", 1, 2],
  ["INT16", 2, 2],
  ["INT32", 4, 2],
  ["INT64", 8, 3],
  ["UINT8", 1, 4],
  ["UINT16", 2, 4],
  ["UINT32", 4, 4],
  ["UINT64", 8, 5],
  ["FP16", 2, 0],
  ["BF16", 2, 0],
  ["FP32", 4, 6],
  ["FP64", 8, 7],
  ["BYTES", 0, 8],
];

function contents(field: number, count: number, random: Random): Piece {
  const values = Array.from({ length: count }, () => below(random, 2));
  if (field === 6) return random() < 0.5 ? packedFloats(6, values) : concat(values.map((value) => float(6, value)));
  if (field === 7) return concat(values.map((value) => double(7, value)));
  if (field === 8) return concat(values.map((value) => bytes(8, "ü".repeat(value))));
  return random() < 0.5 ? packed(field, values) : concat(values.map((value) => int(field, value)));
}

function request(random: Random): Piece {
  const raw = random() < 0.5;
  const rows = Array.from({ length: below(random, 4) }, (_, at) => {
    const [datatype, size, field] = pick(random, datatypes);
    const shape = Array.from({ length: below(random, 4) }, () => below(random, 4));
    const count = shape.reduce((all, one) => all * one, 1);
    const inside = raw || field === 0 ? [] : [message(5, contents(field, count, random))];
    const own = size === 0 ? Buffer.alloc(4 * count) : Buffer.alloc(size * count, 1);
    const parameter = random() < 0.2 ? [message(4, bytes(1, "a"), message(2, bytes(3, "b")))] : [];
    const input = [bytes(1, `x${at}`), bytes(2, datatype), packed(3, shape), ...parameter, ...inside];
    return { input: message(5, ...input), raw: bytes(7, own) };
  });
  return concat([
    bytes(1, "model"),
    bytes(2, "1"),
    bytes(3, "id"),
    message(4, bytes(1, "priority"), message(2, int(2, below(random, 5)))),
    ...rows.map(({ input }) => input),
    ...(random() < 0.3 ? [message(6, bytes(1, "y"))] : []),
    ...(raw ? rows.map((row) => row.raw) : []),
  ]);
}

export const inferences: Target = {
  name: "gRPC inferences",
  share: 8,
  memory: 256 * 1024 * 1024,
  make: (random) => {
    const whole = request(random);
    const input = random() < 0.05 ? whole : mutateBytes(whole, random);
    return {
      input,
      run: () => {
        const bytes = Buffer.from(input);
        try {
          const asked = readAsked(bytes, { tensors: 16, elements: 1 << 24 });
          for (const [name, { shape, data }] of asked.inputs) {
            const count = shape.includes(0) ? 0 : shape.reduce((all, one) => all * one, 1);
            if (data.length !== count) throw new Complaint(`${name}: ${data.length} elements of ${count}`);
          }
          writeAnswer({ model: asked.model, version: asked.version, id: asked.id, outputs: asked.inputs }, asked.raw);
        } catch (error) {
          if (!(error instanceof Refusal && error.kind === "invalid")) throw error;
        }
      },
    };
  },
};
