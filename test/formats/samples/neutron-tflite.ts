/** NXP Neutron: the graph's inputs, then microcode, weights and kernels. From the delegate's source; no published file. */

import { compiled, type Compiled } from "../build/tflite.ts";
import type { Samples } from "./samples.ts";

const part = (bytes: number, value: number): Uint8Array => new Uint8Array(bytes).fill(value);

export const neutron = (more: Partial<Compiled> = {}): Uint8Array =>
  compiled({
    code: "NeutronGraph",
    constants: [part(64, 1), part(320, 2), part(96, 3)],
    constantsFirst: false,
    ...more,
  });

export const samples: Samples = {
  "neutron.tflite": () => neutron({ cpu: true }),
  "neutron_mcu.tflite": () => neutron({ code: "NEUTRON_GRAPH", operators: 2 }),
};
