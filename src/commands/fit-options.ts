/** What fit and rank share: which model, and what about it or the devices is asked to be otherwise. */

import type { Assumptions } from "../fit/assume.ts";
import { linkKinds, parseAssumptions, precisions } from "../fit/assume-words.ts";
import { grouped, option, type Invocation, type OptionSpec } from "./command.ts";

export const whatIfOptions: readonly OptionSpec[] = grouped("What if", [
  {
    name: "precision",
    value: "TYPE",
    choices: precisions,
    says: "as if the model were of this type",
  },
  { name: "batch", value: "N", says: "as if it took N inputs at once" },
  { name: "input", value: "HxW", says: "as if its pictures were of another size: 320x320" },
  {
    name: "link",
    value: "LINK",
    choices: linkKinds,
    says: "as if devices behind a link hung on this one",
  },
]);

export const assumptionsOf = (invocation: Invocation): Assumptions =>
  parseAssumptions((name) => option(invocation, name));
