/** Axera: an ONNX whose one node is a program for the NPU, its parts initializers. As published files of Pulsar2 4.2 are laid out. */

import { bytes, concat, int, message, packed } from "../../support/protobuf.ts";
import type { Samples } from "./samples.ts";

const FLOAT = 1;
const UINT8 = 2;

const tensor = (name: string, size: number): Uint8Array =>
  message(5, packed(1, [size]), int(2, UINT8), bytes(8, name), bytes(9, new Uint8Array(size).fill(7)));
const value = (field: number, name: string, type: number, shape: readonly number[]): Uint8Array =>
  message(
    field,
    bytes(1, name),
    message(2, message(1, int(1, type), message(2, ...shape.map((size) => message(1, int(1, size)))))),
  );
const text = (name: string, value: string): Uint8Array => message(5, bytes(1, name), bytes(4, value), int(20, 3));

export interface Axmodel {
  readonly doc?: string;
  readonly operator?: string;
}

export const axmodel = ({
  doc = "Pulsar2 Version:  4.2\nPulsar2 Commit: 751f68f9",
  operator = "neu mode",
}: Axmodel = {}): Uint8Array =>
  concat([
    int(1, 10),
    bytes(2, "Pulsar2"),
    bytes(3, ""),
    bytes(6, doc),
    message(
      7,
      message(
        1,
        bytes(1, "image"),
        bytes(2, "scores"),
        bytes(3, "subgraph_npu_0"),
        bytes(4, operator),
        text("neu_name", "subgraph_npu_0"),
        text("outputs_info", '{"scores": ["FP32", [1, 10]]}'),
      ),
      bytes(2, "ax-model"),
      tensor("npu_params", 900),
      tensor("npu_dyn_params", 0),
      tensor("subgraph_npu_0_b1_neu", 700),
      value(11, "image", UINT8, [1, 8, 8, 3]),
      value(12, "scores", FLOAT, [1, 10]),
    ),
    message(8, bytes(1, ""), int(2, 18)),
    message(14, bytes(1, "extra_data"), bytes(2, "Cg0KB2lucHV0LjEQARgBCgQKAjE5EgExGkEK")),
  ]);

export const samples: Samples = { "espcn.axmodel": () => axmodel() };
