/** Findings of one file: of each kind some are told one by one, then that there are more. */

import type { Integrity } from "../../model/graph.ts";

/** Told one by one. */
const TOLD = 8;

export class Notes {
  readonly integrity: Integrity[] = [];
  readonly #counts = new Map<string, number>();

  error(rule: string, says: string, offset?: number): void {
    this.add("error", rule, says, offset);
  }

  warning(rule: string, says: string, offset?: number): void {
    this.add("warning", rule, says, offset);
  }

  note(rule: string, says: string, offset?: number): void {
    this.add("note", rule, says, offset);
  }

  add(severity: Integrity["severity"], rule: string, says: string, offset?: number): void {
    const key = `${severity} ${rule}`;
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    if (count > TOLD + 1) return;
    this.integrity.push({
      severity,
      rule,
      says: count > TOLD ? "and more of this kind" : says,
      ...(offset === undefined ? {} : { offset }),
    });
  }
}
