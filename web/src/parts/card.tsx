/** A framed part of a page with a heading. */

import type { ComponentChildren } from "preact";

export interface CardProps {
  readonly title: ComponentChildren;
  /** Heading level below the view's h1. */
  readonly level?: 2 | 3 | 4;
  /** Beside the title, at the end of the line. */
  readonly aside?: ComponentChildren;
  readonly id?: string;
  readonly class?: string;
  readonly children: ComponentChildren;
}

export function Card({ title, level = 3, aside, id, class: more = "", children }: CardProps) {
  const Heading = `h${level}` as const;
  return (
    <article class={`card ${more}`} id={id}>
      <div class="card-head">
        <Heading>{title}</Heading>
        {aside !== undefined && <div class="card-aside">{aside}</div>}
      </div>
      {children}
    </article>
  );
}

export interface Fact {
  readonly name: string;
  readonly value: ComponentChildren;
}

/** Names and values, side by side where there is room. */
export function Facts({ facts }: { readonly facts: readonly Fact[] }) {
  return (
    <dl class="facts">
      {facts.map(({ name, value }) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
