/** ExecuTorch: a program of kernels with all kinds of values and instructions, one with its constants inside, and one of each delegate read. */

import {
  bool,
  call,
  delegate,
  double,
  free,
  int,
  ints,
  jump,
  kernel,
  move,
  none,
  plan,
  program,
  tensor,
  tensors,
  text,
} from "../build/executorch.ts";
import {
  bools,
  commandStream,
  qnnContext,
  qnnOptions,
  velaStream,
  vulkanGraph,
  xnnpackGraph,
} from "../build/delegates.ts";
import type { Samples } from "./samples.ts";

const ascii = (words: string): Uint8Array => Buffer.from(words, "latin1");
const filled = (bytes: number): Uint8Array => Buffer.alloc(bytes, 7);

export const samples: Samples = {
  "kernels.pte": kernels,
  "inside.pte": () =>
    program({
      plans: [
        plan({
          values: [
            tensor({ sizes: [2, 4], planned: 0 }),
            tensor({ sizes: [3, 4], data: 1 }),
            tensor({ sizes: [3], data: 2 }),
            tensor({ sizes: [2, 3], planned: 32 }),
          ],
          inputs: [0],
          outputs: [3],
          operators: ["aten::linear.out"],
          instructions: [kernel(0, 0, 1, 2, 3, 3)],
          memory: [64],
        }),
      ],
      inside: [new Uint8Array(0), filled(48), filled(12)],
    }),
  "ethosu.pte": () =>
    program({
      plans: [
        plan({
          values: [tensor({ type: 1, sizes: [1, 8], planned: 0 }), tensor({ type: 1, sizes: [1, 4], planned: 16 })],
          inputs: [0],
          outputs: [1],
          instructions: [call(0, 0, 1)],
          delegates: [
            delegate(
              "EthosUBackend",
              { inline: 0 },
              { target: ascii("ethos-u85-256"), compile_flags: ascii("--accelerator-config=ethos-u85-256") },
            ),
          ],
          memory: [32],
        }),
      ],
      inline: [velaStream(commandStream(2, 8), filled(40))],
    }),
  "xnnpack.pte": () =>
    program({
      plans: [
        plan({
          values: [tensor({ sizes: [1, 4, 4, 2], planned: 0 }), tensor({ sizes: [1, 12], planned: 128 })],
          inputs: [0],
          outputs: [1],
          instructions: [call(0, 0, 1)],
          delegates: [delegate("XnnpackBackend", { segment: 0 })],
          memory: [256],
        }),
      ],
      segments: [xnnpackGraph()],
    }),
  "vulkan.pte": () =>
    program({
      plans: [
        plan({
          values: [tensor({ sizes: [1, 4], planned: 0 }), tensor({ sizes: [1, 3], planned: 16 })],
          inputs: [0],
          outputs: [1],
          instructions: [call(0, 0, 1)],
          delegates: [delegate("VulkanBackend", { segment: 0 })],
          memory: [32],
        }),
      ],
      segments: [vulkanGraph()],
    }),
  "qnn.pte": () =>
    program({
      plans: [
        plan({
          name: "prefill",
          values: [tensor({ sizes: [1, 4], planned: 0 }), tensor({ sizes: [1, 3], planned: 16 })],
          inputs: [0],
          outputs: [1],
          instructions: [call(0, 0, 1)],
          delegates: [delegate("QnnBackend", { segment: 0 }, { qnn_compile_spec: qnnOptions(69, 79) })],
          memory: [32],
        }),
        plan({ name: "get_vocab_size", values: [int(32000)], inputs: [], outputs: [0], instructions: [] }),
      ],
      segments: [qnnContext("v2.37.0.250724175447_124859")],
    }),
};

/** A convolution, a loop over rows, a condition, state that is updated, weights outside. */
export function kernels(): Uint8Array {
  const values = [
    tensor({ sizes: [1, 2, 4, 4], planned: 0 }), // 0: input
    tensor({ sizes: [3, 2, 3, 3], data: 1, name: "conv.weight" }),
    tensor({ sizes: [3], data: 2, name: "conv.bias" }),
    ints(6, 6), // 3: stride
    ints(7, 7), // 4: padding
    bool(false),
    int(1),
    int(1),
    tensor({ sizes: [1, 3, 4, 4], order: [0, 2, 3, 1], planned: 128 }), // 8: convolved
    tensor({ sizes: [3, 16], planned: 128 }), // 9: a view of it
    tensor({ sizes: [16, 5], name: "head.weight", external: true }),
    tensor({ sizes: [3, 5], planned: 320, dynamism: 1 }), // 11: product
    tensor({ sizes: [4], data: 1, planned: 384 }), // 12: state with a first value
    tensor({ sizes: [4], planned: 400 }),
    double(0.5),
    int(0), // 15: counts rows
    int(3),
    tensor({ type: 11, sizes: [], planned: 416 }), // 17: condition
    tensor({ sizes: [3, 2], planned: 448 }),
    tensor({ sizes: [3, 3], planned: 480 }),
    tensors(18, 19), // 20: both parts
    bools(true, false),
    none(),
    text("gelu"),
    int(-1),
    tensor({ type: 1, sizes: [3, 2], planned: 512 }), // 25: quantised
    int(-128),
    int(127),
    tensor({ sizes: [3, 2], planned: 576 }), // 28: the result
    ints(15, 24), // 29: a size with one number that is made
    tensor({ sizes: [3, 2], planned: 640 }),
  ];
  const operators = [
    "aten::convolution.out",
    "aten::mm.out",
    "aten::split_with_sizes_copy.out",
    "aten::add.out",
    "aten::copy_",
    "executorch_prim::add.Scalar",
    "aten::gt.Scalar_out",
    "quantized_decomposed::quantize_per_tensor.out",
    "aten::gelu.out",
    "executorch_prim::et_view.default",
    "mine::act.out",
  ];
  const instructions = [
    kernel(0, 0, 1, 2, 3, 4, 3, 5, 4, 6, 8, 8),
    kernel(1, 9, 10, 11, 11),
    kernel(2, 11, 3, 24, 20, 20),
    kernel(3, 12, 13, 14, 13, 13),
    kernel(4, 12, 13, 5, 12),
    kernel(5, 15, 6, 15),
    kernel(6, 13, 14, 17, 17),
    jump(17, 5),
    jump(5, 9),
    kernel(7, 18, 14, 26, 26, 27, 6, 25, 25),
    kernel(8, 18, 23, 28, 28),
    move(18, 28),
    kernel(9, 28, 29, 30),
    kernel(10, 30, 22, 21, 28, 28),
    free(25),
  ];
  return program({
    plans: [
      plan({ values, inputs: [0, 15], outputs: [28], operators, instructions, memory: [1024, 64] }),
      plan({
        name: "eos",
        values: [int(2), double(0.5), text("</s>")],
        inputs: [],
        outputs: [0, 1, 2],
        instructions: [],
      }),
    ],
    segments: [filled(272), filled(16), filled(24)],
    constants: { segment: 0, offsets: [0, 0, 224] },
    mutable: { segment: 1, offsets: [0, 0] },
    named: { blob: 2 },
  });
}
