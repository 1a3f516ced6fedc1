/**
 * What can be told of a QNN context binary, whose layout Qualcomm does not publish: the words it begins with, the SDK's build string and
 * the names of chips in its text. Words: https://github.com/lutzroeder/netron source/qnn.js; the build string stands in every one seen.
 */

import { latin1 } from "../../base/bytes.ts";
import type { Target } from "../../model/graph.ts";
import type { ModelFile } from "../file.ts";

/** How far text is looked for: in the one file seen the build stands 8 KiB in. */
const SEARCH = 256 * 1024;

/** Chips of the catalogue that QNN calls by the same word. */
const chips: ReadonlySet<string> = new Set(["SM8350", "SM8450", "SM8550", "SM8650", "SM8750"]);

/** Does a context binary begin here? Big-endian 2, then 1, 2 or 3. */
export function beginsAsContext(file: ModelFile, at = 0): boolean {
  if (at + 16 > file.size) return false;
  const head = file.slice(at, 8);
  const kind = head[7] ?? 0;
  return head.subarray(0, 7).every((byte, i) => byte === (i === 3 ? 2 : 0)) && kind >= 1 && kind <= 3;
}

export interface ContextText {
  /** "2.37.0.250724175447_124859" */
  readonly build?: string;
  /** The only chip named in it. */
  readonly soc?: string;
}

export function contextText(file: ModelFile, at: number, bytes: number): ContextText {
  const text = latin1(file.slice(at, Math.max(0, Math.min(bytes, SEARCH, file.size - at))));
  const build = /v(\d+\.\d+\.\d+\.\d{12}(?:_\d+)?)/.exec(text)?.[1];
  const named = new Set(text.match(/\b(?:SM|SA|SC|SXR|SSG|SAR|SW|QCS|QCM)\d{4}(?:XP|P)?\b/g) ?? []);
  const [soc] = named;
  return { ...(build === undefined ? {} : { build }), ...(named.size === 1 && soc !== undefined ? { soc } : {}) };
}

export function contextTarget(soc: string | undefined): Target {
  if (soc === undefined) return { family: "qualcomm", says: "Qualcomm, which chip is not said" };
  return { family: "qualcomm", ...(chips.has(soc) ? { chip: soc.toLowerCase() } : {}), says: soc };
}
