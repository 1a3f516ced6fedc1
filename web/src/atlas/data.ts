/** The atlas as the page uses it: loaded once, chosen from by facets and words, and all of that in the address. */

import { signal } from "@preact/signals";
import type { Openness } from "../../../src/base/finding.ts";
import type { Atlas, AtlasFamily } from "../../../src/export/atlas.ts";
import type { Report } from "../../../src/review/report.ts";
import { ask, ApiError, unescaped } from "../api.ts";
import { opennessWord } from "../parts/index.ts";

export type { Atlas, AtlasEvent, AtlasFamily, AtlasSource } from "../../../src/export/atlas.ts";

export type Loaded =
  | { readonly state: "loading" }
  | { readonly state: "ready"; readonly atlas: Atlas }
  | { readonly state: "failed"; readonly says: string };

export const loaded = signal<Loaded>({ state: "loading" });

/** An exported page holds the atlas in an element of this id; else the server has it. */
export const HELD = "accelctl-atlas";

export async function loadAtlas(): Promise<void> {
  if (loaded.peek().state === "ready") return;
  loaded.value = { state: "loading" };
  try {
    const held = document.getElementById(HELD)?.textContent;
    const atlas = held ? (JSON.parse(held) as Atlas) : await ask<Atlas>("api/catalog"); // our own exporter's
    loaded.value = { state: "ready", atlas };
  } catch (error) {
    loaded.value = { state: "failed", says: error instanceof ApiError ? error.message : "the atlas cannot be read" };
  }
}

/** Layers of which the catalogue tells how open they are. */
export const layers = ["kernel", "firmware", "runtime", "compiler"] as const;

export const originWord: Readonly<Record<AtlasFamily["facets"]["origin"][number], string>> = {
  mainline: "mainline",
  "out-of-tree": "out of tree",
  "vendor-kernel": "vendor's kernel",
  removed: "left mainline",
  none: "none needed",
  unknown: "none public",
};
export const useWord: Readonly<Record<AtlasFamily["use"], string>> = {
  inference: "inference",
  training: "training",
  both: "training and inference",
  unknown: "not known",
};
export const busWord: Readonly<Record<AtlasFamily["facets"]["bus"][number], string>> = {
  pci: "PCI",
  usb: "USB",
  of: "device tree",
  platform: "platform",
  cpu: "CPU",
};
const maintainedWord: Readonly<Record<AtlasFamily["facets"]["maintained"], string>> = {
  yes: "yes",
  partly: "partly",
  no: "no",
  unknown: "not known",
};

export interface Facet {
  readonly id: string;
  readonly title: string;
  readonly of: (family: AtlasFamily, here: ReadonlySet<string>) => readonly string[];
  readonly word: (value: string) => string;
  /** Open from the start where there is room. */
  readonly first?: true;
}

const opennessFacet = (layer: (typeof layers)[number]): Facet => ({
  id: layer,
  title: `${layer === "kernel" ? "Driver" : layer.charAt(0).toUpperCase() + layer.slice(1)}: how open`,
  of: ({ openness }) => [openness[layer]],
  word: (value) => opennessWord[value as Openness], // the facet's own values
});
/** A value out of an old link may have no word any more. */
const worded =
  <T extends string>(words: Readonly<Record<T, string>>) =>
  (value: string): string =>
    Object.hasOwn(words, value) ? words[value as T] : value;
const itself = (value: string): string => value;

export const facets: readonly Facet[] = [
  {
    id: "here",
    title: "This machine",
    of: ({ id }, here) => (here.has(id) ? ["yes"] : []),
    word: () => "has it",
    first: true,
  },
  { id: "origin", title: "Driver comes from", of: ({ facets: f }) => f.origin, word: worded(originWord), first: true },
  ...layers.map(opennessFacet),
  { id: "bus", title: "Bus", of: ({ facets: f }) => f.bus, word: worded(busWord), first: true },
  {
    id: "class",
    title: "Architecture",
    of: ({ architecture }) => [architecture],
    word: (value) => (value === "unknown" ? "not known" : value),
    first: true,
  },
  {
    id: "use",
    title: "Used for",
    of: ({ use }) => (use === "both" ? ["training", "inference"] : [use]),
    word: worded(useWord),
    first: true,
  },
  { id: "verified", title: "How verified", of: ({ facets: f }) => f.verified, word: itself },
  { id: "maintained", title: "Maintained", of: ({ facets: f }) => [f.maintained], word: worded(maintainedWord) },
  { id: "format", title: "Model format", of: ({ facets: f }) => f.formats, word: itself },
];

export type TabId = "landscape" | "peaks" | "timeline";
export const sortKeys = [
  "name",
  "kernel",
  "firmware",
  "runtime",
  "compiler",
  "origin",
  "since",
  "bus",
  "class",
  "use",
  "peak",
  "verified",
] as const;
export type SortKey = (typeof sortKeys)[number];

export interface Place {
  readonly tab: TabId;
  readonly family?: string;
  readonly q: string;
  readonly chosen: ReadonlyMap<string, ReadonlySet<string>>;
  readonly sort: { readonly key: SortKey; readonly down: boolean };
}

/** "#/atlas/landscape?origin=mainline,removed&q=npu&sort=-peak", "#/atlas/family/rockchip". */
export function placeOf(hash: string): Place {
  const [, , first = "", second = ""] = hash.split("/");
  const [tab = "", query = ""] = first.split("?");
  const given = new URLSearchParams(query);
  const chosen = new Map<string, ReadonlySet<string>>();
  for (const { id } of facets) {
    const values = (given.get(id) ?? "").split(",").filter(Boolean);
    if (values.length > 0) chosen.set(id, new Set(values));
  }
  const sort = given.get("sort") ?? "";
  const key = sortKeys.find((one) => one === sort.replace(/^-/, ""));
  return {
    tab: tab === "peaks" || tab === "timeline" ? tab : "landscape",
    ...(tab === "family" && second !== "" ? { family: unescaped(second) } : {}),
    q: given.get("q") ?? "",
    chosen,
    sort: { key: key ?? "name", down: sort.startsWith("-") },
  };
}

export function hashOf({ tab, family, q, chosen, sort }: Place): string {
  if (family !== undefined) return `#/atlas/family/${encodeURIComponent(family)}`;
  const parts = [...chosen].flatMap(([id, values]) =>
    values.size === 0 ? [] : [`${id}=${[...values].sort().map(encodeURIComponent).join(",")}`],
  );
  if (q !== "") parts.push(`q=${encodeURIComponent(q)}`);
  if (sort.key !== "name" || sort.down) parts.push(`sort=${sort.down ? "-" : ""}${sort.key}`);
  return `#/atlas/${tab}${parts.length === 0 ? "" : `?${parts.join("&")}`}`;
}

export const familyHash = (id: string): string => `#/atlas/family/${encodeURIComponent(id)}`;

/** What a search goes through, in lower case; made once for each family. */
const texts = new WeakMap<AtlasFamily, string>();
function textOf(family: AtlasFamily): string {
  const known = texts.get(family);
  if (known !== undefined) return known;
  const made = [
    ...[family.id, family.name, family.vendor, family.says, family.architecture, ...(family.aliases ?? [])],
    ...family.chips.flatMap(({ id, name, matches }) => [id, name, ...matches.flatMap((match) => Object.values(match))]),
    ...family.routes.flatMap(({ name, says, driver, runtime, delegate, models }) => [
      ...[name, says, driver.module ?? "", driver.config?.symbol ?? "", runtime.name, delegate.name],
      ...runtime.libraries,
      ...models.flatMap(({ format, compiler }) => [format, compiler ?? ""]),
    ]),
    ...(family.traps ?? []),
  ]
    .join(" ")
    .toLowerCase();
  texts.set(family, made);
  return made;
}

function holds(family: AtlasFamily, { q }: Place): boolean {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  return words.length === 0 || words.every((word) => textOf(family).includes(word));
}

const fits = (family: AtlasFamily, facet: Facet, place: Place, here: ReadonlySet<string>): boolean => {
  const wanted = place.chosen.get(facet.id);
  return wanted === undefined || wanted.size === 0 || facet.of(family, here).some((value) => wanted.has(value));
};

/** Within a facet any of the chosen values will do; all facets must agree. */
export function choose(
  families: readonly AtlasFamily[],
  place: Place,
  here: ReadonlySet<string>,
): readonly AtlasFamily[] {
  return families.filter((family) => holds(family, place) && facets.every((facet) => fits(family, facet, place, here)));
}

export interface Option {
  readonly value: string;
  readonly word: string;
  /** How many families it would leave, with what is chosen in the other facets. */
  readonly count: number;
  readonly chosen: boolean;
}

export function optionsOf(
  facet: Facet,
  families: readonly AtlasFamily[],
  place: Place,
  here: ReadonlySet<string>,
): Option[] {
  const others = families.filter(
    (family) => holds(family, place) && facets.every((one) => one.id === facet.id || fits(family, one, place, here)),
  );
  const counts = new Map<string, number>();
  // What no family has any more is still shown, with nothing, so that the list does not jump.
  for (const family of families) for (const value of facet.of(family, here)) counts.set(value, 0);
  for (const family of others)
    for (const value of new Set(facet.of(family, here))) counts.set(value, (counts.get(value) ?? 0) + 1);
  const wanted = place.chosen.get(facet.id);
  // What an old link asks for and nothing has: shown, so that it can be taken away.
  for (const value of wanted ?? []) if (!counts.has(value)) counts.set(value, 0);
  return [...counts]
    .map(([value, count]) => ({ value, word: facet.word(value), count, chosen: wanted?.has(value) === true }))
    .sort((a, b) => b.count - a.count || a.word.localeCompare(b.word));
}

export function toggled(place: Place, facet: string, value: string): Place {
  const chosen = new Map(place.chosen);
  const values = new Set(chosen.get(facet));
  if (!values.delete(value)) values.add(value);
  if (values.size === 0) chosen.delete(facet);
  else chosen.set(facet, values);
  return { ...place, chosen };
}

export interface Peak {
  readonly ops: number;
  readonly precision: string;
  readonly source: number;
}

/** The highest that the catalogue tells, whichever precision it holds for. */
export function peakOf({ chips }: AtlasFamily): Peak | undefined {
  return chips
    .flatMap(({ peak }) => peak ?? [])
    .reduce<Peak | undefined>((a, b) => (a === undefined || b.ops > a.ops ? b : a), undefined);
}

const opennessRank: Readonly<Record<Openness, number>> = { open: 0, mixed: 1, closed: 2, none: 3, unknown: 4 };
const verifiedRank = ["hardware", "real kernel driver", "vendor's library", "documents"];

type Value = string | number | undefined;
const values: Readonly<Record<SortKey, (family: AtlasFamily) => Value>> = {
  name: ({ name }) => name.toLowerCase(),
  kernel: ({ openness }) => opennessRank[openness.kernel],
  firmware: ({ openness }) => opennessRank[openness.firmware],
  runtime: ({ openness }) => opennessRank[openness.runtime],
  compiler: ({ openness }) => opennessRank[openness.compiler],
  origin: ({ facets: f }) => f.origin[0],
  since: ({ since }) => since ?? undefined,
  bus: ({ facets: f }) => f.bus[0],
  class: ({ architecture }) => (architecture === "unknown" ? undefined : architecture),
  use: ({ use }) => (use === "unknown" ? undefined : use),
  peak: (family) => peakOf(family)?.ops,
  verified: ({ facets: f }) => Math.min(...f.verified.map((how) => verifiedRank.indexOf(how))),
};

/** What is not known comes last, whichever way. */
export function sorted(families: readonly AtlasFamily[], { sort }: Place): readonly AtlasFamily[] {
  const of = values[sort.key];
  const way = sort.down ? -1 : 1;
  return [...families].sort((a, b) => {
    const [one, other] = [of(a), of(b)];
    if (one === undefined || other === undefined) return Number(one === undefined) - Number(other === undefined);
    const order =
      typeof one === "number" && typeof other === "number"
        ? one - other
        : String(one).localeCompare(String(other), "en", { numeric: true });
    return way * order || a.name.localeCompare(b.name);
  });
}

/** Families of which the machine in sight has a device, switched off or not, with the devices' names. */
export function familiesHere(report: Report | undefined): ReadonlyMap<string, readonly string[]> {
  const here = new Map<string, string[]>();
  for (const { family, name } of [...(report?.devices ?? []), ...(report?.dormant ?? [])]) {
    if (family === undefined) continue;
    const names = here.get(family);
    if (names === undefined) here.set(family, [name]);
    else names.push(name);
  }
  return here;
}

/** "4 TOPS": a catalogue number is exact, so no digit is made up. */
export function opsWord(ops: number): string {
  const [value, unit] = ops >= 1e15 ? [ops / 1e15, "POPS"] : ops >= 1e12 ? [ops / 1e12, "TOPS"] : [ops / 1e9, "GOPS"];
  return `${Number(value.toFixed(2))} ${unit}`;
}

type Match = AtlasFamily["chips"][number]["matches"][number];

/** As `accelctl catalog` writes it. */
export function matchWord(match: Match): string {
  switch (match.bus) {
    case "pci": {
      const more = [
        match.below === undefined ? "" : ` below ${match.below}`,
        match.revisions === undefined ? "" : ` rev ${match.revisions.join("/")}`,
        match.classes === undefined ? "" : ` class ${match.classes.join("/")}`,
        match.helper === true ? " (helper)" : "",
        match.virtual === true ? " (virtual function)" : "",
      ];
      return `pci ${match.vendor}:${match.device ?? "*"}${more.join("")}`;
    }
    case "usb":
      return `usb ${match.id}${match.phase === undefined ? "" : ` (${match.phase})`}`;
    case "of":
      return `${match.compatible}${match.names === undefined ? "" : ` as ${match.names.join("/")}@`}${match.hint === true ? " (SoC only)" : ""}`;
    case "platform":
      return match.modalias;
    case "cpu":
      return match.arch;
  }
}
