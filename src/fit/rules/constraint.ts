/** Any constraint, and how several become one. */

import type { Constraint } from "../target.ts";
import type { Pair, View } from "../view.ts";

/** [least, most]; one number is the most. */
export type Range = number | readonly [number, number];

/** Any constraint: what the others are made of. */
export function constraint(
  rule: string,
  says: string,
  holds: Constraint["holds"],
  found?: Constraint["found"],
  source?: string,
): Constraint {
  return { rule, says, holds, ...(found === undefined ? {} : { found }), ...(source === undefined ? {} : { source }) };
}

/** The same constraint, asked only where `when` holds. */
export function only(when: (view: View) => boolean | undefined, inner: Constraint): Constraint {
  return {
    ...inner,
    holds: (view) => (when(view) === true ? inner.holds(view) : when(view) === undefined ? undefined : true),
  };
}

/** At least one of them: refused in the words of `says`. */
export function anyOf(rule: string, says: string, ...inner: readonly Constraint[]): Constraint {
  return constraint(
    rule,
    says,
    (view) => {
      const answers = inner.map((one) => one.holds(view));
      return answers.includes(true) ? true : answers.includes(undefined) ? undefined : false;
    },
    (view) => inner.map((one) => one.found?.(view) ?? "").find((text) => text !== "") ?? "",
  );
}

export const times = (pair: Pair | undefined): string => (pair === undefined ? "" : pair.join("x"));

export const within = (value: number, range: Range): boolean =>
  typeof range === "number" ? value <= range : value >= range[0] && value <= range[1];

export const both = (pair: Pair | undefined, test: (value: number) => boolean): boolean | undefined =>
  pair === undefined ? undefined : test(pair[0]) && test(pair[1]);

export const rangeWords = (range: Range): string =>
  typeof range === "number" ? `at most ${range}` : `${range[0]} to ${range[1]}`;

export function mapped<T, R>(value: T | undefined, use: (value: T) => R): R | undefined {
  return value === undefined ? undefined : use(value);
}
