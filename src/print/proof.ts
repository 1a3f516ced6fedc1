/** Proof of run for people: the verdict, the numbers it rests on, what could not be read. */

import type { Proof, ProofEvidence } from "../proof/verdict.ts";
import { grew } from "../proof/verdict.ts";

/** First the verdict with its reason, then a line each for the other readings and for what is closed. Not wrapped, no colour. */
export function proofLines(proof: Proof): readonly string[] {
  const rest = proof.evidence.filter((one) => !proof.because.includes(grew(one)));
  return [
    `${proof.says}: ${proof.because}`.replace(/^(cannot tell: .*?|.*?: cannot tell): /, "$1; "),
    ...rest.map(evidenceLine),
    ...proof.blind.map(({ path, because }) => `not read: ${path} (${because})`),
  ];
}

const units: Readonly<Partial<Record<string, { readonly per: number; readonly unit: string }>>> = {
  ns: { per: 1e6, unit: "ms" },
  us: { per: 1e3, unit: "ms" },
  uJ: { per: 1e6, unit: "J" },
};

function evidenceLine({ counts, before, after, unit, because }: ProofEvidence): string {
  const { per, unit: printed } = units[unit] ?? { per: 1, unit };
  const more = Number(((after - before) / per).toPrecision(4));
  const change = unit === "%" ? `${before} % before, ${after} % after` : `${more < 0 ? "" : "+"}${more} ${printed}`;
  return `${counts}: ${change}${because === undefined ? "" : ` (${because})`}`;
}
