/** All outputs of a run as people read them: ranges, highest scores with labels, and boxes, points or classes where a head is known. */

import type { Value } from "../delegates/value.ts";
import { candidates, interpret, type About, type Interpretation, type Read } from "./interpret.ts";
import { outputReport, TOP, type OutputReport } from "./result.ts";

export interface OutputsRead {
  /** One for each output, in the model's order. */
  readonly outputs: readonly OutputReport[];
  /** Boxes, points or classes of pixels, where the outputs are of a head that is known. */
  readonly read?: Interpretation;
  /** Ids of heads that would fit as well, where none is read for want of evidence. */
  readonly maybe?: readonly string[];
}

/** `top`: scores of a row that are told; those of a head are told there. Throws UsageError for a head that does not fit. */
export function readAll(
  outputs: ReadonlyMap<string, Value>,
  about: About,
  top: number = TOP,
): OutputsRead & { readonly map?: Read["map"] } {
  const read = interpret(outputs, about);
  const maybe = read === undefined && about.head === "auto" ? candidates(outputs, about) : [];
  const reports = [...outputs].map(([name, value]) => {
    const port = about.ports.find((one) => one.name === name);
    return outputReport(name, value, {
      ...(port === undefined ? {} : { port }),
      ...(about.labels === undefined ? {} : { labels: about.labels }),
      top: read === undefined ? top : 0,
    });
  });
  return {
    outputs: reports,
    ...(read === undefined ? {} : { read: read.report }),
    ...(maybe.length === 0 ? {} : { maybe }),
    ...(read?.map === undefined ? {} : { map: read.map }),
  };
}
