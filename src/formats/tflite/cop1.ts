/**
 * Command stream of an Arm Ethos-U as Vela hands it to the driver: "COP1", then driver actions, u32 each, low byte its kind. In the first
 * input of a TFLite's ethos-u operator, and inside the payload of ExecuTorch's EthosUBackend.
 * nxp-imx/ethos-u-vela ethosu/vela/driver_actions.py; Arm's ethos-u-core-driver, ethosu_device (config_r, id_r).
 */

import type { ModelFile } from "../file.ts";

const COP1 = 0x31504f43;
/** Actions before the command stream: configuration and padding, at most some ten. */
const ACTION_LIMIT = 4096;

const [OPTIMIZER_CONFIG, COMMAND_STREAM, READ_APB, DUMP_SHRAM, NOP] = [1, 2, 3, 4, 5];

/** Products by the config word's highest four bits. */
const products = ["ethos-u55", "ethos-u65", "ethos-u85"] as const;

export interface CommandStream {
  /** ethos-u55-64, as Vela's --accelerator-config spells it; undefined when the stream does not say. */
  readonly accelerator?: string;
  readonly product?: (typeof products)[number];
  /** Multiply-accumulates per cycle. */
  readonly macs?: number;
  /** Version of the command stream's own encoding. */
  readonly streamVersion?: number;
  /** KiB of shared RAM, of U55 and U65. */
  readonly shramKib?: number;
  /** Of the architecture, 1.0.6. */
  readonly architecture?: string;
  /** Absolute offset and bytes of the register commands. */
  readonly commands?: { readonly offset: number; readonly bytes: number };
  /** What contradicts itself. */
  readonly faults: readonly string[];
}

/** The stream at an offset of the file, `bytes` long; undefined when it is none. */
export function readCommandStream(file: ModelFile, offset: number, bytes: number): CommandStream | undefined {
  if (bytes < 8 || offset + bytes > file.size || file.cursor(offset, 4).u32() !== COP1) return undefined;
  const head = file.cursor(offset, Math.min(bytes, 4 + ACTION_LIMIT * 4)).seek(4);
  const faults: string[] = [];
  let found: CommandStream = { faults };
  while (head.left >= 4) {
    const word = head.u32();
    const action = word & 0xff;
    if (action === OPTIMIZER_CONFIG && head.left >= 8) {
      found = { ...found, ...readConfig(head.u32(), head.u32(), faults) };
    } else if (action === COMMAND_STREAM) {
      // Bits 16-31 are the low half of the length in words, bits 8-15 what is above it.
      const words = ((word >>> 8) & 0xff) * 0x10000 + (word >>> 16);
      const at = offset + head.offset;
      const left = offset + bytes - at;
      if (words * 4 > left) faults.push(`command stream of ${words * 4} bytes, ${left} are left`);
      return { ...found, commands: { offset: at, bytes: Math.min(words * 4, left) } };
    } else if (action !== NOP && action !== READ_APB && action !== DUMP_SHRAM) {
      faults.push(`driver action ${action} is not known`);
      return found;
    }
  }
  faults.push("no command stream follows the driver actions");
  return found;
}

function readConfig(config: number, id: number, faults: string[]): Omit<CommandStream, "faults"> {
  const number = config >>> 28;
  const product = products[number];
  const macs = 2 ** (config & 0xf);
  if (product === undefined) faults.push(`product ${number} is not known`);
  else if (!sizes[product].includes(macs)) faults.push(`${product} has no variant of ${macs} MACs per cycle`);
  return {
    ...(product === undefined ? {} : { product, accelerator: `${product}-${macs}` }),
    macs,
    streamVersion: (config >>> 4) & 0xf,
    ...(product === "ethos-u85" ? {} : { shramKib: (config >>> 8) & 0xff }),
    architecture: `${id >>> 28}.${(id >>> 20) & 0xff}.${(id >>> 16) & 0xf}`,
  };
}

/** MACs per cycle of each product's variants: Vela's list of accelerator configurations. */
const sizes: Readonly<Record<(typeof products)[number], readonly number[]>> = {
  "ethos-u55": [32, 64, 128, 256],
  "ethos-u65": [256, 512],
  "ethos-u85": [128, 256, 512, 1024, 2048],
};
