/** What a family that was asked for by --for makes of a file, and a file that was made for another chip. */

import type { Family } from "../families/family.ts";
import { allFamilies } from "../families/load.ts";
import { familyById } from "../families/match.ts";
import type { Model } from "../model/graph.ts";
import { refusedByDelegates } from "./delegated.ts";
import type { FamilyFit, Fit, Inspection } from "./inspection.ts";

export interface Named {
  readonly family: Family;
  readonly chip?: string;
}

/** "rockchip", "rknpu" (an alias), or "rk3588": then the chip is known too. */
export function familyOrChip(word: string): Named | undefined {
  const family = familyById(word) ?? familyById(word.toLowerCase());
  if (family !== undefined) return { family };
  const chip = word.toLowerCase();
  const owner = allFamilies().find(({ chips }) => chips.some(({ id }) => id === chip));
  return owner && { family: owner, chip };
}

/** What the family that was asked for makes of this file, whether or not a device of it is here. */
export function fitFamily(
  model: Model,
  inspection: Inspection,
  { family, chip }: Named,
  conversions: Fit["conversions"],
): FamilyFit {
  const { name } = inspection.format;
  const base = { family: family.id, ...(chip === undefined ? {} : { chip }) };
  const takes = takesFormat(family, inspection, chip);
  const refused = refusedByDelegates(model, family);
  if (takes && refused !== undefined) return { ...base, takes: "no", says: refused };
  const wrong = takes ? wrongChip(model, { chip, name: chip ?? family.name }, family) : undefined;
  if (wrong !== undefined) return { ...base, takes: "no", says: wrong };
  const own = model.targets.filter((target) => target.family === family.id);
  const made = own.length === 0 ? "" : `; this file was made for ${own.map(({ says }) => says).join(", ")}`;
  if (takes) return { ...base, takes: "yes", says: `${family.name} takes ${name} as it is${made}` };
  const none = `no route of ${family.name} takes ${name}`;
  if (inspection.sealed) return { ...base, takes: "no", says: `${none}, and ${again(family, chip)}` };
  if (canConvert(conversions, family.id)) {
    return { ...base, takes: "no", says: `${none} as it is; it has to be converted` };
  }
  return { ...base, takes: "no", says: `${none}, and no command that would convert it is known` };
}

const takesFormat = ({ routes }: Family, { format }: Inspection, chip: string | undefined): boolean =>
  routes.some(
    (route) =>
      (chip === undefined || route.chips === undefined || route.chips.includes(chip)) &&
      route.models.some((one) => one.format === format.id),
  );

const again = ({ id }: Family, chip?: string): string =>
  `a compiled file cannot be converted: inspect the model it was made from with --for ${chip ?? id}`;

/** Conversions without a command say why there is none. */
export const canConvert = (conversions: Fit["conversions"], id: string): boolean =>
  conversions.some(({ family, commands }) => family === id && commands.length > 0);

/** A file that names its chips and not this one. Words are compared by the catalogue's chip ids only: no guess by spelling. */
export function wrongChip(
  model: Model,
  report: { readonly chip?: string | undefined; readonly name: string },
  family: Family,
): string | undefined {
  const own = model.targets.filter((target) => target.family === family.id);
  if (model.targets.some((target) => target.family !== undefined) && own.length === 0) {
    return `made for ${model.targets.map((target) => target.says).join(", ")}, not for ${family.name}`;
  }
  const { chip } = report;
  if (chip === undefined || own.length === 0) return undefined;
  const others = own.every((target) =>
    target.not === undefined ? target.chip !== undefined && target.chip !== chip : target.not.includes(chip),
  );
  if (!others) return undefined;
  const made = own.map((target) => target.says).join(", ");
  return `made for ${made}; this is ${report.name}, and ${again(family, chip)}`;
}
