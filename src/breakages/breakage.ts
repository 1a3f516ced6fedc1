/**
 * Breakage: one way in which an accelerator is known to fail (or only seems to), as data: the words it is known by, the layer it
 * sits in, why it happens and what cures it. Kernel logs, program output and what a person types are held against these tables;
 * nothing else in accelctl knows an error message. Add one: a row in its vendor's file, its words in test/breakages.
 */

import type { LayerName, Severity } from "../base/finding.ts";

/** One wording. `has` is cheap to look for and must be in every line that `like` matches; both ignore case. */
export interface Signature {
  /** Literal text, lower case, four letters or more. Several: any one of them. */
  readonly has: readonly string[];
  readonly like: RegExp;
}

export type BreakageKind =
  | "abi"
  | "benign"
  | "bios"
  | "build"
  | "busy"
  | "config"
  | "container"
  | "driver-missing"
  | "firmware"
  | "hang"
  | "hardware"
  | "interrupt"
  | "iommu"
  | "limit"
  | "memory"
  | "misconception"
  | "model"
  | "permission"
  | "runtime"
  | "topology"
  | "version";

export interface Breakage {
  /** Stable: findings and links use it. */
  readonly id: string;
  /** Catalogue id, or "any" for what befalls several families. */
  readonly family: string;
  readonly kind: BreakageKind;
  /** One line for people: what is wrong, not what was printed. */
  readonly title: string;
  /** Exact wordings. Empty for what only a person's words describe. */
  readonly patterns: readonly Signature[];
  /**
   * For symptoms told in own words: each entry is a set of words that must all be there, in any order; `a|b` takes either; a word
   * matches from the start of a word of the text ("hugepage" finds "hugepages").
   */
  readonly mentions: readonly string[];
  readonly cause: string;
  /** Steps, in order. */
  readonly cure: readonly string[];
  /** To be typed by the reader, never run by us. */
  readonly commands?: readonly string[];
  readonly links: readonly string[];
  /** Where people meet it: "dmesg", "Python", "DKMS make.log". */
  readonly seenIn: string;
  readonly layer: LayerName;
  readonly severity: Severity;
  /** True when cause and cure were read at a primary source. */
  readonly checked: boolean;
  /**
   * How a machine shows it: a line of the kernel log, a state its files hold (a rule of rules.ts), the output of some program. A missing
   * firmware file is the review's firmware layer's to find, for every family alike, and no rule here.
   */
  readonly visible: readonly ("log" | "facts" | "text")[];
  /** Ids that, when met at the same address, explain this one away: the harmless reading of a line gives way to the harmful one. */
  readonly unless?: readonly string[];
  /** Routes it stops, where the family has others that go on: kfd's refusal leaves Vulkan alone. */
  readonly routes?: readonly string[];
  /** Rules of the review that say the same of one machine, with its own paths and files: beside them this adds only its links. */
  readonly sameAs?: readonly string[];
}

/** Spells one signature. `has` is one literal or several, separated by "|". */
export function says(has: string, like: RegExp): Signature {
  return { has: has.split("|"), like };
}
