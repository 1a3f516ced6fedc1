/** What fit and rank share: which model, and what about it or the devices is asked to be otherwise. */

import { UsageError } from "../base/errors.ts";
import type { Assumptions } from "../fit/assume.ts";
import { grouped, option, type Invocation, type OptionSpec } from "./command.ts";

export const whatIfOptions: readonly OptionSpec[] = grouped("What if", [
  {
    name: "precision",
    value: "TYPE",
    choices: ["int8", "float16", "float32"],
    says: "as if the model were of this type",
  },
  { name: "batch", value: "N", says: "as if it took N inputs at once" },
  { name: "input", value: "HxW", says: "as if its pictures were of another size: 320x320" },
  {
    name: "link",
    value: "LINK",
    choices: ["usb2", "usb3", "pcie"],
    says: "as if devices behind a link hung on this one",
  },
]);

const BATCH_LIMIT = 4096;
const SIDE_LIMIT = 16_384;

export function assumptionsOf(invocation: Invocation): Assumptions {
  const batch = option(invocation, "batch");
  const input = option(invocation, "input");
  return {
    // Choices are held by the parser.
    ...optional("precision", option(invocation, "precision") as Assumptions["precision"]),
    ...optional("batch", batch === undefined ? undefined : whole("batch", batch, BATCH_LIMIT)),
    ...optional("input", input === undefined ? undefined : sizeOf(input)),
    ...optional("link", option(invocation, "link") as Assumptions["link"]),
  };
}

const optional = <K extends string, V>(name: K, value: V | undefined): { [P in K]?: V } =>
  (value === undefined ? {} : { [name]: value }) as { [P in K]?: V };

function whole(name: string, text: string, limit: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > limit) {
    throw new UsageError(`--${name} takes a whole number from 1 to ${limit}; not "${text}"`);
  }
  return value;
}

function sizeOf(text: string): readonly [number, number] {
  const [, height = "", width = height] = /^(\d+)(?:x(\d+))?$/i.exec(text) ?? [];
  if (height === "") throw new UsageError(`--input takes HEIGHTxWIDTH, as in 320x320; not "${text}"`);
  return [whole("input", height, SIDE_LIMIT), whole("input", width, SIDE_LIMIT)];
}
