/** What colours and hatching of layers mean. */

import type { LayerStatus, Openness } from "../../../src/base/finding.ts";
import { layerStatus, opennessWord } from "../parts/index.ts";

const states: readonly LayerStatus[] = ["ok", "missing", "faulty", "unknown", "unneeded"];
const hatches: readonly Openness[] = ["open", "mixed", "closed"];

export function Legend() {
  return (
    <ul class="legend" aria-label="Legend of layers">
      {states.map((status) => (
        <li key={status}>
          <span class={`swatch layer-${status}`} aria-hidden="true">
            {layerStatus[status].symbol}
          </span>
          {layerStatus[status].word}
        </li>
      ))}
      {hatches.map((openness) => (
        <li key={openness}>
          <span class={`swatch open-${openness}`} aria-hidden="true" />
          {opennessWord[openness]}
        </li>
      ))}
    </ul>
  );
}
