/** The landscape: families by how open each layer is, with what else one chooses by. */

import type { Openness } from "../../../src/base/finding.ts";
import { opennessWord } from "../parts/index.ts";
import {
  busWord,
  familyHash,
  layers,
  opsWord,
  originWord,
  peakOf,
  sorted,
  type AtlasFamily,
  type Place,
  type SortKey,
} from "./data.ts";

export interface LandscapeProps {
  readonly families: readonly AtlasFamily[];
  readonly place: Place;
  readonly here: ReadonlyMap<string, readonly string[]>;
  readonly onPlace: (place: Place) => void;
}

const columns: readonly {
  readonly key: SortKey;
  readonly title: string;
  readonly class?: string;
  readonly down?: true;
}[] = [
  { key: "name", title: "Family" },
  { key: "kernel", title: "Driver", class: "layer-column" },
  { key: "firmware", title: "Firmware", class: "layer-column" },
  { key: "runtime", title: "Runtime", class: "layer-column" },
  { key: "compiler", title: "Compiler", class: "layer-column" },
  { key: "origin", title: "Driver comes from" },
  { key: "since", title: "Linux" },
  { key: "bus", title: "Bus", class: "wide" },
  { key: "class", title: "Architecture", class: "wide" },
  { key: "use", title: "Used for", class: "wide" },
  { key: "peak", title: "Peak", class: "end", down: true },
  { key: "verified", title: "Verified by", class: "wide" },
];

/** In a cell of the matrix there is room for one word. */
export const shortWord: Readonly<Record<Openness, string>> = { ...opennessWord, mixed: "partly", unknown: "?" };

const shortUse: Readonly<Record<AtlasFamily["use"], string>> = {
  inference: "inference",
  training: "training",
  both: "both",
  unknown: "not known",
};

export function Landscape({ families, place, here, onPlace }: LandscapeProps) {
  if (families.length === 0) return <p class="soft">No family is like that.</p>;
  return (
    <>
      <OpennessLegend />
      <div class="scroll" role="region" aria-label="Families and how open their layers are" tabIndex={0}>
        <table class="landscape">
          <caption class="unseen">Families of accelerators: how open each layer is, and what else is known</caption>
          <thead>
            <tr>
              {columns.map(({ key, title, class: more, down }) => {
                const own = place.sort.key === key;
                return (
                  <th
                    key={key}
                    scope="col"
                    class={more}
                    aria-sort={own ? (place.sort.down ? "descending" : "ascending") : undefined}
                  >
                    <button
                      type="button"
                      onClick={() => onPlace({ ...place, sort: { key, down: own ? !place.sort.down : down === true } })}
                    >
                      {title}
                      <span class="way" aria-hidden="true">
                        {own ? (place.sort.down ? "▾" : "▴") : ""}
                      </span>
                    </button>
                  </th>
                );
              })}
            </tr>
          </thead>
          <tbody>
            {sorted(families, place).map((family) => (
              <Row key={family.id} family={family} here={here.get(family.id)} />
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function Row({ family, here }: { readonly family: AtlasFamily; readonly here: readonly string[] | undefined }) {
  const peak = peakOf(family);
  const { facets, openness, since } = family;
  return (
    <tr class={here === undefined ? undefined : "here"}>
      <th scope="row">
        <a href={familyHash(family.id)}>{family.name}</a>
        {here !== undefined && (
          <span class="badge note" title={here.join(", ")}>
            here
          </span>
        )}
        {!family.name.startsWith(family.vendor) && <span class="vendor soft">{family.vendor}</span>}
      </th>
      {layers.map((layer) => (
        <td key={layer} class={`layer-column o-${openness[layer]}`}>
          <span class="unseen">{opennessWord[openness[layer]]}</span>
          <span aria-hidden="true">{shortWord[openness[layer]]}</span>
        </td>
      ))}
      <td>{facets.origin.map((origin) => originWord[origin]).join(", ")}</td>
      <td>{since === null ? "" : `${since}+`}</td>
      <td class="wide">{facets.bus.map((bus) => busWord[bus]).join(", ")}</td>
      <td class="wide words">
        {family.architecture === "unknown" ? <span class="unknown">not known</span> : family.architecture}
      </td>
      <td class="wide words">
        {family.use === "unknown" ? <span class="unknown">not known</span> : shortUse[family.use]}
      </td>
      <td class="end">
        {peak === undefined ? (
          <span class="unknown">no source</span>
        ) : (
          <span title={peak.precision}>
            {opsWord(peak.ops)} <span class="soft">{peak.precision.split(" ")[0]}</span>
          </span>
        )}
      </td>
      <td class="wide" title={facets.verified.join(", ")}>
        {facets.verified[0]}
      </td>
    </tr>
  );
}

export function OpennessLegend() {
  return (
    <ul class="atlas-legend" aria-label="How open">
      {(["open", "mixed", "closed", "none", "unknown"] as const).map((openness) => (
        <li key={openness}>
          <span class={`patch o-${openness}`} aria-hidden="true" />
          {opennessWord[openness]}
        </li>
      ))}
    </ul>
  );
}
