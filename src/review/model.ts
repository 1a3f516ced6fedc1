/** Layer model: which model formats the route takes. The machine holds no answer to it; `accelctl inspect` looks at a file. */

import type { Layer, Openness } from "../base/finding.ts";
import { known, type RouteContext } from "./context.ts";

export function judgeModel({ route }: RouteContext): Layer {
  if (route.models.length === 0) {
    return { name: "model", status: "unknown", openness: "unknown", is: "format not known", evidence: [] };
  }
  const is = route.models.map((m) => (m.compiler === undefined ? m.format : `${m.format} (${m.compiler})`)).join(", ");
  return {
    name: "model",
    status: "ok",
    openness: best(route.models.map((m) => m.openness)),
    is,
    evidence: [known(is, route.delegate.source)],
  };
}

/** The most open way to make a model for this route counts: any one will do. */
function best(values: readonly Openness[]): Openness {
  for (const value of ["open", "none", "mixed", "closed"] as const) if (values.includes(value)) return value;
  return "unknown";
}
