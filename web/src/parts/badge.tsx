/** A status in a symbol, a word and a colour; never in colour alone. */

import type { LayerStatus, Openness, Route, Severity } from "../../../src/base/finding.ts";

/** Colours of style.css. `plain` is for what is neither good nor bad. */
export type Tone = "ok" | "bad" | "maybe" | "unknown" | "note" | "plain";

export interface Mark {
  readonly symbol: string;
  readonly word: string;
  readonly tone: Tone;
}

export const works: Readonly<Record<Route["works"], Mark>> = {
  yes: { symbol: "✓", word: "works", tone: "ok" },
  no: { symbol: "✗", word: "does not work", tone: "bad" },
  unknown: { symbol: "?", word: "not known", tone: "unknown" },
};

export const layerStatus: Readonly<Record<LayerStatus, Mark>> = {
  ok: { symbol: "✓", word: "ok", tone: "ok" },
  missing: { symbol: "✗", word: "missing", tone: "bad" },
  faulty: { symbol: "!", word: "faulty", tone: "bad" },
  unknown: { symbol: "?", word: "not known", tone: "unknown" },
  unneeded: { symbol: "–", word: "not needed", tone: "plain" },
};

export const severity: Readonly<Record<Severity, Mark>> = {
  error: { symbol: "✗", word: "error", tone: "bad" },
  warning: { symbol: "▲", word: "warning", tone: "maybe" },
  note: { symbol: "•", word: "note", tone: "note" },
};

export const opennessWord: Readonly<Record<Openness, string>> = {
  open: "open",
  closed: "closed",
  mixed: "partly open",
  none: "none",
  unknown: "not known",
};

export interface BadgeProps extends Mark {
  /** Without a frame, for tables and dense lists. */
  readonly bare?: boolean;
}

export function Badge({ symbol, word, tone, bare = false }: BadgeProps) {
  return (
    <span class={`badge ${tone}${bare ? " bare" : ""}`}>
      <span class="symbol" aria-hidden="true">
        {symbol}
      </span>
      {word}
    </span>
  );
}
