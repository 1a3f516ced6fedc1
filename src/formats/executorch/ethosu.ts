/**
 * Payload of ExecuTorch's EthosUBackend (ArmBackend before 2025): blocks of 32 bytes of header and data padded to 16, from
 * vela_bin_stream to vela_end_stream. cmd_data is the command stream Vela hands to the driver. pytorch/executorch
 * backends/arm/arm_vela.py, backends/arm/runtime/VelaBinStream.cpp.
 */

import type { Section, Target } from "../../model/graph.ts";
import type { ModelFile } from "../file.ts";
import { has, word } from "../sealed/parts.ts";
import { readCommandStream, type CommandStream } from "../tflite/cop1.ts";
import type { Stretch } from "./container.ts";
import { specText, whole, type Delegate, type DelegateContext, type Told } from "./delegate.ts";

const HEADER = 32;
/** Seven in all files; the runtime refuses blocks it does not know. */
const BLOCK_LIMIT = 64;
const FIRST = "vela_bin_stream";
const LAST = "vela_end_stream";
/** An input or output: six dimensions, element size, offset, region. */
const PORT = 36;

interface Block extends Stretch {
  readonly name: string;
  /** Its data is the name of a blob instead. */
  readonly external: boolean;
}

export function readEthosU(delegate: Delegate, context: DelegateContext): Told {
  const { file, notes } = context;
  const { payload } = delegate;
  const said = specText(file, delegate, "target") ?? flagOf(specText(file, delegate, "compile_flags"));
  if (payload === undefined) return { ...targetOf(said, undefined), sealed: true };
  if (!has(file, FIRST, payload.offset)) {
    // Without --output-format=raw the payload is the TOSA graph that Vela would have compiled.
    const tosa = has(file, "TOSA", payload.offset + 4);
    if (!tosa)
      notes.error("payload/mark", `the payload of ${delegate.id} does not begin with ${FIRST}`, payload.offset);
    return {
      ...targetOf(said, undefined),
      sections: whole(delegate, tosa ? "graph" : "unknown"),
      ...(tosa ? { unseen: ["operators of the TOSA graph inside: it was not compiled for a chip yet"] } : {}),
      sealed: true,
    };
  }
  const blocks = readBlocks(file, payload, context);
  const find = (name: string): Block | undefined => blocks.find((block) => block.name === name);
  const commands = follow(find("cmd_data"), context);
  const stream = commands === undefined ? undefined : readStream(commands, context);
  const weights = follow(find("weight_data"), context);
  const scratch = find("scratch_size");
  const section = (name: string, kind: Section["kind"], at: Stretch | undefined): Section[] =>
    at === undefined || at.bytes === 0 ? [] : [{ name, kind, offset: at.offset, bytes: at.bytes }];
  if (stream?.accelerator !== undefined && said !== undefined && stream.accelerator !== said) {
    const says = `compiled for ${stream.accelerator}, and its compile spec says ${said}`;
    notes.error("target/contradicts", says, payload.offset);
  }
  const outputs = portsOf(file, find("outputs"));
  return {
    ...targetOf(said, stream),
    metadata: {
      ...(stream?.macs === undefined ? {} : { macs_per_cycle: String(stream.macs) }),
      ...(stream?.architecture === undefined ? {} : { architecture: stream.architecture }),
      ...(stream?.shramKib === undefined ? {} : { shram_kib: String(stream.shramKib) }),
      ...(commands === undefined ? {} : { command_bytes: String(commands.bytes) }),
      ...(weights === undefined ? {} : { packed_weight_bytes: String(weights.bytes) }),
      ...(scratch === undefined || scratch.bytes < 4
        ? {}
        : { scratch_bytes: String(file.cursor(scratch.offset, 4).u32()) }),
    },
    sections: [...section("command stream", "code", commands), ...section("packed weights", "weights", weights)],
    unseen: ["which operators run on the Ethos-U: they are a command stream now"],
    ...(outputs === undefined ? {} : { outputs }),
    sealed: true,
  };
}

/** --accelerator-config=ethos-u55-64 of the flags Vela was called with. */
const flagOf = (flags: string | undefined): string | undefined =>
  /--accelerator-config[= ](\S+)/.exec(flags ?? "")?.[1];

function targetOf(said: string | undefined, stream: CommandStream | undefined): { targets: Target[] } {
  const says = stream?.accelerator ?? said ?? "Ethos-U";
  // The U55 stands behind a Cortex-M only, and is no chip of the catalogue: for it, the others are told to be wrong.
  const own = /u[568]5/.exec(says)?.[0];
  const chip = own === "u55" ? undefined : own;
  const not = own === undefined ? [] : ["u65", "u85"].filter((other) => other !== own);
  return {
    targets: [
      { family: "ethos-u", ...(chip === undefined ? {} : { chip }), says, ...(not.length === 0 ? {} : { not }) },
    ],
  };
}

function readBlocks(file: ModelFile, payload: Stretch, { notes }: DelegateContext): Block[] {
  const blocks: Block[] = [];
  const end = payload.offset + payload.bytes;
  let at = payload.offset;
  while (at + HEADER <= end && blocks.length < BLOCK_LIMIT) {
    const cursor = file.cursor(at, HEADER);
    const name = word(cursor.take(16));
    const bytes = cursor.u32();
    const external = cursor.u8() === 1;
    const padded = Math.ceil(bytes / 16) * 16;
    if (at + HEADER + padded > end) {
      notes.error("payload/past-end", `block ${name} of ${bytes} bytes runs past its payload`, at);
      return blocks;
    }
    blocks.push({ name, offset: at + HEADER, bytes, external });
    at += HEADER + padded;
    if (name === LAST) break;
  }
  if (blocks.at(-1)?.name !== LAST || at !== end) {
    notes.error("payload/end", `the payload does not end with ${LAST}`, Math.min(at, end));
  }
  return blocks;
}

/** A block whose data lies in a named blob, of this program or of a .ptd file. */
function follow(block: Block | undefined, { file, named }: DelegateContext): Stretch | undefined {
  if (block === undefined || !block.external) return block;
  const key = word(file.slice(block.offset, Math.min(block.bytes, 256)));
  return named.get(key);
}

function readStream(commands: Stretch, { file, notes }: DelegateContext): CommandStream | undefined {
  const stream = readCommandStream(file, commands.offset, commands.bytes);
  if (stream === undefined) {
    notes.error("stream/broken", "the command stream does not begin with COP1", commands.offset);
    return undefined;
  }
  for (const fault of stream.faults) notes.error("stream/broken", fault, commands.offset);
  return stream;
}

/** How many there are; undefined where the block does not hold what it counts. */
function portsOf(file: ModelFile, block: Block | undefined): number | undefined {
  if (block === undefined || block.bytes < 4) return undefined;
  const count = file.cursor(block.offset, 4).u32();
  return block.bytes === 4 + count * PORT ? count : undefined;
}
