/**
 * TFLite compiled by Vela for an Arm Ethos-U: operators that fit became "ethos-u" custom operators, whose first input is the chip's
 * command stream and whose second its packed weights; the others stay on the CPU. nxp-imx/ethos-u-vela ethosu/vela/tflite_writer.py.
 */

import { model, type Integrity, type Model, type Section, type TensorData } from "../model/graph.ts";
import type { ModelFile } from "./file.ts";
import type { Format } from "./format.ts";
import { readTfliteModel } from "./tflite.ts";
import { readCommandStream, type CommandStream } from "./tflite/cop1.ts";
import { hasCustomCode, type TfliteFile } from "./tflite/read.ts";
import { carve } from "./tflite/sections.ts";

const CODE = "ethos-u";

const format: Format = {
  id: "vela-tflite",
  name: "Vela-optimised TFLite",
  vendor: "Arm",
  extensions: [".tflite"],
  marks: [{ at: 4, is: "TFL3" }],
  shows: "partly",
  matches: (file) => (hasCustomCode(file, [CODE]) ? 3 : 0),
  read: readVela,
  sources: [
    "https://github.com/nxp-imx/ethos-u-vela/blob/main/ethosu/vela/driver_actions.py",
    "https://github.com/nxp-imx/ethos-u-vela/blob/main/ethosu/vela/tflite_writer.py",
  ],
  checked: {
    files: 11,
    says: "files of Vela 3.9.0 to 4.5.0 for Ethos-U55-64, one of 3.11.0 for U55-256; U65 and U85 from documents only",
  },
};
export default format;

interface NpuOperator {
  readonly stream: CommandStream;
  readonly code: Section;
  readonly weights: Section | undefined;
}

function readVela(file: ModelFile): Model {
  const { model: base, tflite } = readTfliteModel(file, format.id, [CODE]);
  const integrity: Integrity[] = [...base.integrity];
  const operators = readOperators(file, tflite, integrity);
  const version = versionOf(tflite, base);
  const accelerators = [...new Set(operators.flatMap(({ stream }) => stream.accelerator ?? []))].sort();
  if (accelerators.length > 1) {
    const says = `its operators are compiled for different chips: ${accelerators.join(", ")}`;
    integrity.push({ severity: "error", rule: "target/contradicts", says });
  }
  const nodes = tflite.graphs.flatMap((graph) => graph.nodes);
  const onCpu = nodes.filter((node) => node.spelled !== CODE);
  const converter = base.producer;
  return model(format.id, {
    ...base,
    sealed: true,
    producer: { name: "Vela", ...(version === undefined ? {} : { version }) },
    targets: (accelerators.length > 0 ? accelerators : ["Ethos-U"]).map((says) => {
      // The U55 stands behind a Cortex-M only; which of the three does is not to be seen of a device there ("stack").
      const own = /u[568]5/.exec(says)?.[0];
      const chip = own === "u55" ? undefined : own;
      const not = own === undefined ? [] : ["u65", "u85"].filter((other) => other !== own);
      return {
        family: "ethos-u",
        ...(chip === undefined ? {} : { chip }),
        says,
        ...(not.length === 0 ? {} : { not }),
      };
    }),
    metadata: {
      ...base.metadata,
      ...(converter === undefined ? {} : { converter: [converter.name, converter.version ?? ""].join(" ").trim() }),
      ...describe(operators),
      npu_operators: String(nodes.length - onCpu.length),
      cpu_operators: String(onCpu.length),
    },
    sections: carve(
      base.sections,
      operators.flatMap(({ code, weights }) => [code, ...(weights === undefined ? [] : [weights])]),
    ),
    integrity,
    unseen: [
      ...base.unseen,
      `which operators run on the Ethos-U: they are command streams now${onCpu.length > 0 ? `; ${onCpu.length} ${onCpu.length === 1 ? "operator stays" : "operators stay"} on the CPU` : ""}`,
    ],
  });
}

function readOperators(file: ModelFile, tflite: TfliteFile, integrity: Integrity[]): NpuOperator[] {
  const out: NpuOperator[] = [];
  const tell = (rule: string, says: string, offset?: number): void => {
    if (integrity.length < 64)
      integrity.push({ severity: "error", rule, says, ...(offset === undefined ? {} : { offset }) });
  };
  for (const custom of tflite.customs.filter(({ code }) => code === CODE)) {
    const graph = tflite.graphs[custom.graph];
    const node = graph?.nodes[custom.node];
    const constant = (input: number): TensorData | undefined => graph?.tensors[node?.inputs[input] ?? -1]?.data;
    const [program, packed] = [constant(0), constant(1)];
    if (program?.offset === undefined) {
      tell("stream/none", "an ethos-u operator has no command stream");
      continue;
    }
    const stream = readCommandStream(file, program.offset, program.bytes);
    if (stream === undefined) {
      tell("stream/broken", "the command stream of an ethos-u operator does not begin with COP1", program.offset);
      continue;
    }
    for (const fault of stream.faults) tell("stream/broken", fault, program.offset);
    out.push({
      stream,
      code: { name: "command stream", kind: "code", offset: program.offset, bytes: program.bytes },
      weights:
        packed?.offset === undefined
          ? undefined
          : { name: "packed weights", kind: "weights", offset: packed.offset, bytes: packed.bytes },
    });
  }
  return out;
}

/** Its metadata says it; the description does in files of some releases; old ones say only that it was Vela. */
function versionOf(tflite: TfliteFile, base: Model): string | undefined {
  const said = base.metadata["vela_version"];
  if (said !== undefined && /^\d/.test(said)) return said;
  return /^Vela (\d\S*) Optimised/.exec(tflite.description ?? "")?.[1];
}

function describe(operators: readonly NpuOperator[]): Record<string, string> {
  const all = (of: (stream: CommandStream) => string | number | undefined): string =>
    [...new Set(operators.map(({ stream }) => of(stream)))].filter((value) => value !== undefined).join(", ");
  const bytes = operators.reduce((sum, { stream }) => sum + (stream.commands?.bytes ?? 0), 0);
  // Weights are one tensor that all operators of a file share.
  const weights = new Map(
    operators.flatMap(({ weights: w }) => (w === undefined ? [] : [[w.offset, w.bytes] as const])),
  );
  const out = {
    macs_per_cycle: all((stream) => stream.macs),
    architecture: all((stream) => stream.architecture),
    shram_kib: all((stream) => stream.shramKib),
    command_stream_version: all((stream) => stream.streamVersion),
    command_bytes: String(bytes),
    packed_weight_bytes: String([...weights.values()].reduce((sum, one) => sum + one, 0)),
  };
  return Object.fromEntries(Object.entries(out).filter(([, value]) => value !== ""));
}
