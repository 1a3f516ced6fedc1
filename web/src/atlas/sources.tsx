/** Where a fact is written: a number beside it that links there, and the list of them all. */

import { harmless, OutLink } from "../parts/index.ts";
import type { Atlas, AtlasSource } from "./data.ts";

/** Numbers the sources of one page in the order they are met. */
export class Notes {
  readonly met: number[] = [];
  readonly #sources: readonly AtlasSource[];

  constructor({ sources }: Atlas) {
    this.#sources = sources;
  }

  number(at: number): number {
    const known = this.met.indexOf(at);
    return known < 0 ? this.met.push(at) : known + 1;
  }

  source(at: number): AtlasSource | undefined {
    return this.#sources[at];
  }
}

const wordsOf = ({ text, says, seen }: AtlasSource): string =>
  [text, says === undefined ? "" : `“${says}”`, seen === undefined ? "" : `seen ${seen}`].filter(Boolean).join(", ");

export function Ref({ notes, at }: { readonly notes: Notes; readonly at: number }) {
  const source = notes.source(at);
  if (source === undefined) return null;
  const n = notes.number(at);
  const words = harmless(wordsOf(source));
  if (source.link === undefined) {
    return (
      <span class="ref" title={words}>
        <span class="unseen">
          source {n}: {words}
        </span>
        <span aria-hidden="true">{n}</span>
      </span>
    );
  }
  return (
    <a
      class="ref"
      href={source.link}
      target="_blank"
      rel="noreferrer noopener"
      title={words}
      aria-label={`source ${n}: ${words}`}
    >
      {n}
    </a>
  );
}

export function SourceList({ notes }: { readonly notes: Notes }) {
  return (
    <ol class="source-list">
      {notes.met.map((at) => {
        const source = notes.source(at);
        if (source === undefined) return null;
        return (
          <li key={at}>
            <span class="kind">{source.kind === "kernel" ? "kernel" : "cited"}</span>{" "}
            {source.link === undefined ? (
              harmless(source.text)
            ) : (
              <OutLink to={source.link}>{harmless(source.text)}</OutLink>
            )}
            {source.says !== undefined && <span class="soft"> “{harmless(source.says)}”</span>}
            {source.seen !== undefined && <span class="soft"> seen {source.seen}</span>}
          </li>
        );
      })}
    </ol>
  );
}

/** In a table: the place itself. */
export function SourceLink({ atlas, at }: { readonly atlas: Atlas; readonly at: number }) {
  const source = atlas.sources[at];
  if (source === undefined) return null;
  if (source.link === undefined) return <>{harmless(source.text)}</>;
  return (
    <OutLink to={source.link}>
      {harmless(source.text.length > 60 ? `${source.text.slice(0, 58)}…` : source.text)}
    </OutLink>
  );
}
