/**
 * Atlas: the landscape of accelerators as one plain object for the page: every family of the catalogue, what to sort and choose it
 * by, and the timeline. Made from src/families alone: no clock, no machine; GET /api/catalog and the static page hold the same bytes.
 */

import { describeSource, type Source } from "../base/source.ts";
import type { Family, Match } from "../families/family.ts";
import { kernelReleases, releaseSource, timeline, type EventKind, type TimelineEvent } from "../families/timeline.ts";

export const ATLAS_SCHEMA = 1;

export interface Atlas {
  readonly schema: typeof ATLAS_SCHEMA;
  readonly families: readonly AtlasFamily[];
  /** By date. */
  readonly events: readonly AtlasEvent[];
  /** Days of mainline releases, oldest first, and where they are written. */
  readonly kernels: readonly { readonly release: string; readonly date: string }[];
  readonly kernels_source: number;
  /** Each once; the rest names them by their place here. */
  readonly sources: readonly AtlasSource[];
}

export interface AtlasSource {
  readonly kind: "kernel" | "cited";
  /** One line. */
  readonly text: string;
  /** Where a person may read it; absent when it is a package, a capture or a text without an address. */
  readonly link?: string;
  /** The words it says there. */
  readonly says?: string;
  readonly seen?: string;
}

/** A catalogue object whose sources are numbers: places in Atlas.sources. */
export type Numbered<T> = T extends readonly (infer U)[]
  ? readonly Numbered<U>[]
  : T extends object
    ? {
        readonly [K in keyof T]: K extends "source" ? number : K extends "sources" ? readonly number[] : Numbered<T[K]>;
      }
    : T;

export type Origin = "mainline" | "out-of-tree" | "vendor-kernel" | "removed" | "none" | "unknown";

export interface AtlasFamily extends Numbered<Family> {
  /** What it is chosen by, in the words of the catalogue. */
  readonly facets: {
    readonly origin: readonly Origin[];
    readonly bus: readonly Match["bus"][];
    readonly formats: readonly string[];
    readonly verified: readonly Family["verified"][number]["how"][];
    readonly maintained: "yes" | "partly" | "no" | "unknown";
  };
  /** First mainline release with a driver for it; null when none is known. */
  readonly since: string | null;
}

export interface AtlasEvent {
  /** YYYY, YYYY-MM or YYYY-MM-DD. */
  readonly date: string;
  readonly kind: EventKind;
  readonly what: string;
  readonly family?: string;
  readonly release?: string;
  readonly source: number;
}

export function makeAtlas(families: readonly Family[]): Atlas {
  const sources: AtlasSource[] = [];
  const places = new Map<string, number>();
  const place = (source: Source): number => {
    const key = JSON.stringify(source);
    const at = places.get(key) ?? sources.push(atlasSource(source)) - 1;
    places.set(key, at);
    return at;
  };
  const removed = new Set(timeline.filter(({ kind }) => kind === "removed").map(({ family }) => family));
  return {
    schema: ATLAS_SCHEMA,
    families: families.map((family) => ({
      ...(numbered(family, place) as Numbered<Family>), // the same object, its sources told by place
      facets: {
        origin: origins(family, removed.has(family.id)),
        bus: unique(family.chips.flatMap(({ matches }) => matches.map(({ bus }) => bus))),
        formats: unique(family.routes.flatMap(({ models }) => models.map(({ format }) => format))),
        verified: unique(family.verified.map(({ how }) => how)),
        maintained: maintained(family.maintained),
      },
      since: firstRelease(family),
    })),
    events: atlasEvents(families, place),
    kernels: Object.entries(kernelReleases)
      .map(([release, date]) => ({ release, date }))
      .sort((a, b) => a.date.localeCompare(b.date)),
    kernels_source: place(releaseSource),
    sources,
  };
}

export function atlasSource(source: Source): AtlasSource {
  const link = sourceAddress(source);
  const more = link === undefined ? {} : { link };
  if ("kernel" in source) return { kind: "kernel", text: describeSource(source), ...more };
  const { cited, says, seen } = source;
  return {
    kind: "cited",
    text: cited.replace(/^https:\/\//, ""),
    ...more,
    ...(says === undefined ? {} : { says }),
    seen,
  };
}

/** Where a source can be read: the kernel's tree at kernel.org, or the address that was cited. */
function sourceAddress(source: Source): string | undefined {
  if ("kernel" in source) {
    const path = source.kernel.replace(/[ ,:{].*$/s, "");
    const at = source.release === undefined ? "" : `?h=v${source.release}`;
    return `https://git.kernel.org/pub/scm/linux/kernel/git/stable/linux.git/tree/${path}${at}`;
  }
  const [, address] = /^(https:\/\/[^\s"'<>]+)/.exec(source.cited) ?? [];
  if (address === undefined) return undefined;
  // "repository@commit" is how the catalogue names a state of a repository.
  const [, repository, commit] = /^(https:\/\/github\.com\/[^/]+\/[^/@]+)@([0-9a-f]{7,40})$/.exec(address) ?? [];
  return repository === undefined || commit === undefined ? address : `${repository}/tree/${commit}`;
}

/** The same value, each source in it replaced by its place. */
function numbered(value: unknown, place: (source: Source) => number): unknown {
  if (Array.isArray(value)) return value.map((item) => numbered(item, place));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      if (key === "source") return [key, place(inner as Source)]; // by the catalogue's types
      if (key === "sources") return [key, (inner as readonly Source[]).map(place)];
      return [key, numbered(inner, place)];
    }),
  );
}

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];

function origins(family: Family, removed: boolean): Origin[] {
  const found: Origin[] = unique(family.routes.map(({ driver }) => driver.origin));
  if (removed || family.routes.some(({ driver }) => driver.until !== undefined)) found.push("removed");
  return found.length === 0 ? ["unknown"] : found;
}

/** The catalogue's word is for people; its beginning says yes or no. */
function maintained(says: string): AtlasFamily["facets"]["maintained"] {
  if (/^yes\b/.test(says)) return "yes";
  if (/^no\b/.test(says)) return "no";
  return says === "unknown" ? "unknown" : "partly";
}

/** 6.9 is before 6.10. */
export function compareReleases(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}

function firstRelease(family: Family): string | null {
  const since = family.routes.flatMap(({ driver }) =>
    driver.origin === "mainline" && driver.since !== undefined ? [driver.since] : [],
  );
  return since.sort(compareReleases)[0] ?? null;
}

function atlasEvents(families: readonly Family[], place: (source: Source) => number): AtlasEvent[] {
  const known = new Set(families.map(({ id }) => id));
  const ofDrivers = families.flatMap((family) =>
    family.routes.flatMap(({ driver }): TimelineEvent[] => {
      if (driver.origin !== "mainline" || driver.module === undefined) return [];
      const { module, source } = driver;
      const of = { family: family.id, source };
      return [
        ...(driver.since === undefined
          ? []
          : [{ ...of, kind: "driver" as const, release: driver.since, what: `${module} enters mainline` }]),
        ...(driver.until === undefined
          ? []
          : [{ ...of, kind: "removed" as const, release: driver.until, what: `${module} leaves mainline` }]),
      ];
    }),
  );
  const seen = new Set<string>();
  return [...timeline, ...ofDrivers]
    .flatMap((event): AtlasEvent[] => {
      const { kind, what, family, source } = event;
      const date = "release" in event ? kernelReleases[event.release] : event.date;
      // A release whose day is not known has no place on a line of days; two routes over one driver are one event.
      const key = `${kind} ${what} ${family ?? ""}`;
      if (date === undefined || seen.has(key) || (family !== undefined && !known.has(family))) return [];
      seen.add(key);
      return [
        {
          date,
          kind,
          what,
          ...(family === undefined ? {} : { family }),
          ...("release" in event ? { release: event.release } : {}),
          source: place(source),
        },
      ];
    })
    .sort((a, b) => a.date.localeCompare(b.date) || a.what.localeCompare(b.what));
}
