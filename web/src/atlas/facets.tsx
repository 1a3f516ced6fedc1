/** What the landscape is narrowed by: words, and facets with how many each would leave. */

import { useState } from "preact/hooks";
import { plural } from "../parts/index.ts";
import { facets, optionsOf, toggled, type Atlas, type Facet, type Place } from "./data.ts";

export interface FacetPanelProps {
  readonly atlas: Atlas;
  readonly place: Place;
  readonly here: ReadonlySet<string>;
  readonly found: number;
  readonly onPlace: (place: Place) => void;
}

/** More options than this are shown when asked for. */
const SOME = 8;

export function FacetPanel(props: FacetPanelProps) {
  const { atlas, place, found, onPlace } = props;
  const narrow = useNarrow();
  const chosen = facets.flatMap((facet) =>
    [...(place.chosen.get(facet.id) ?? [])].map((value) => ({ facet, value, word: facet.word(value) })),
  );
  const groups = facets.map((facet) => (
    <FacetGroup key={facet.id} {...props} facet={facet} open={!narrow && facet.first === true} />
  ));
  return (
    <aside class="facets-panel" aria-label="Choose families">
      <input
        type="search"
        aria-label="Search families, chips, ids, modules, libraries, formats"
        placeholder="Search: npu, 1e52, rocket, onnx …"
        value={place.q}
        onInput={(event) => onPlace({ ...place, q: event.currentTarget.value })}
      />
      <p class="found" role="status">
        {found === atlas.families.length
          ? plural(found, "family", "families")
          : `${found} of ${plural(atlas.families.length, "family", "families")}`}
      </p>
      {(chosen.length > 0 || place.q !== "") && (
        <ul class="chosen" aria-label="Chosen">
          {chosen.map(({ facet, value, word }) => (
            <li key={`${facet.id} ${value}`}>
              <button
                type="button"
                aria-label={`Take away: ${facet.title}, ${word}`}
                onClick={() => onPlace(toggled(place, facet.id, value))}
              >
                {layered(facet, word)} <span aria-hidden="true">✕</span>
              </button>
            </li>
          ))}
          <li>
            <button type="button" onClick={() => onPlace({ ...place, q: "", chosen: new Map() })}>
              Show all
            </button>
          </li>
        </ul>
      )}
      {narrow ? (
        <details class="filters">
          <summary>Filters</summary>
          {groups}
        </details>
      ) : (
        groups
      )}
    </aside>
  );
}

const layered = ({ title }: Facet, word: string): string => `${title.replace(": how open", "")}: ${word}`;

function FacetGroup({
  atlas,
  place,
  here,
  facet,
  open,
  onPlace,
}: FacetPanelProps & { readonly facet: Facet; readonly open: boolean }) {
  const [more, setMore] = useState(false);
  const options = optionsOf(facet, atlas.families, place, here);
  if (options.length === 0) return null;
  const shown = more ? options : options.filter(({ chosen }, i) => chosen || i < SOME);
  return (
    <details open={open || place.chosen.has(facet.id)}>
      <summary>{facet.title}</summary>
      <fieldset>
        <legend class="unseen">{facet.title}</legend>
        {shown.map(({ value, word, count, chosen }) => (
          <label key={value} class={count === 0 && !chosen ? "none" : undefined}>
            <input type="checkbox" checked={chosen} onChange={() => onPlace(toggled(place, facet.id, value))} />
            <span class="word">{word}</span>
            <span class="count">{count}</span>
          </label>
        ))}
        {shown.length < options.length && (
          <button type="button" class="more" onClick={() => setMore(true)}>
            {options.length - shown.length} more
          </button>
        )}
      </fieldset>
    </details>
  );
}

/** On a phone the facets come before what they choose from: folded, or nobody would see it. */
function useNarrow(): boolean {
  return useState(() => window.matchMedia("(max-width: 60rem)").matches)[0];
}
