/** A known model from its layers: what most families share of KnownModel is filled in here. */

import type { BuildOptions, KnownModel } from "./known.ts";
import { Layers, type Value } from "./layers.ts";

export interface Made extends Omit<KnownModel, "aliases" | "task" | "input" | "build"> {
  readonly aliases?: readonly string[];
  readonly task?: KnownModel["task"];
  /** One number: so many pixels in height and width, of three colours. */
  readonly input: number | KnownModel["input"];
  /** The input itself, where it is no image of the size: a clip, tokens. */
  readonly enter?: (net: Layers, size: KnownModel["input"]) => Value;
  readonly layers: (net: Layers, x: Value) => Value | readonly Value[];
}

export function makeKnown(made: Made): KnownModel {
  const { layers, aliases = [], task = "classification", input, enter, ...rest } = made;
  const size = typeof input === "number" ? ([3, input, input] as const) : input;
  const build = (options: BuildOptions): ReturnType<Layers["finish"]> => {
    const net = new Layers(rest.id, options);
    const asked = options.input ?? size;
    const out = layers(net, enter ? enter(net, asked) : net.input(asked));
    return net.finish(...("tensor" in out ? [out] : out));
  };
  return { ...rest, aliases, task, input: size, build };
}
