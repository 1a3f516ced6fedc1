/** The demo for people: what was seen, where, and what to type next. */

import type { PassedOver } from "../session/choose.ts";
import type { Proof } from "../proof/verdict.ts";
import { proofLines } from "./proof.ts";
import { harmless, marksOf, paint, wrapText, type Terminal } from "./terminal.ts";

export interface Demo {
  readonly picture: string;
  readonly model: string;
  readonly seen: readonly { readonly label: string; readonly score: number }[];
  readonly delegate: { readonly id: string; readonly version: string };
  readonly device: string;
  /** The library is of a package that this project pins, and nothing of the machine's. */
  readonly embedded: boolean;
  readonly route?: string;
  readonly passed_over: readonly PassedOver[];
  readonly opened_ms: number;
  readonly run_ms: number;
  readonly proof: Proof;
}

/** `command`: how accelctl is called here. */
export function demoText(demo: Demo, terminal: Terminal, command: string): string {
  const { dot } = marksOf(terminal);
  const lines: string[] = [];
  const add = (text: string, head = "  "): void => void lines.push(...wrapText(harmless(text), terminal.columns, head));
  lines.push(paint(terminal, "bold", `One real inference ${dot} ${demo.model}`));
  const seen = demo.seen.map(({ label, score }) => `${label.split(",", 1)[0] ?? ""} ${(score * 100).toFixed(0)} %`);
  add(`${demo.picture}: ${seen.join(", ")}`);
  const by = demo.route === undefined ? "" : ` by route ${demo.route}`;
  add(
    `${demo.run_ms.toFixed(2)} ms on ${demo.device}${by} with ${demo.delegate.id} ${demo.delegate.version}${demo.embedded ? ", which came with npm for accelctl alone" : ""}`,
  );
  for (const words of proofLines(demo.proof).slice(0, 1)) add(words);
  // What else could use the processor is no news.
  const accelerators = demo.passed_over.filter(({ what }) => !what.endsWith(" on cpu"));
  for (const { what, because } of accelerators) add(`not ${what}: ${because}`);
  add(`your own model: ${command} run MODEL [PICTURE]`);
  add(`how fast it is: ${command} bench MODEL`);
  return `${lines.join("\n")}\n`;
}
