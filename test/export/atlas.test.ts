/** The atlas: each fact keeps its source, each date its precision, and nothing depends on machine or clock. */

import { expect, test } from "vitest";
import { atlasSource, compareReleases, makeAtlas, type Atlas } from "../../src/export/atlas.ts";
import { families } from "../../src/families/index.ts";
import { kernelReleases, timeline } from "../../src/families/timeline.ts";

const atlas = makeAtlas(families);

/** Every number that stands for a source, with where it stands. */
function places(value: unknown, path = "$"): [string, unknown][] {
  if (Array.isArray(value)) return value.flatMap((item, i) => places(item, `${path}[${i}]`));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]): [string, unknown][] => {
    if (key === "source") return [[`${path}.source`, inner]];
    if (key === "sources")
      return (inner as unknown[]).map((one, i): [string, unknown] => [`${path}.sources[${i}]`, one]);
    return places(inner, `${path}.${key}`);
  });
}

test("every family is there, and every source of it can be looked up", () => {
  expect(atlas.families.map(({ id }) => id)).toEqual(families.map(({ id }) => id));
  const all = places({ families: atlas.families, events: atlas.events });
  expect(all.length).toBeGreaterThan(900);
  const wrong = all.filter(([, at]) => typeof at !== "number" || atlas.sources[at] === undefined);
  expect(wrong).toEqual([]);
  expect(atlas.sources[atlas.kernels_source]?.link).toMatch(/^https:/);
});

test("a peak, a power and a driver of the atlas have a source where the catalogue has one", () => {
  const coral = atlas.families.find(({ id }) => id === "coral");
  const peak = coral?.chips[0]?.peak?.[0];
  expect(peak).toMatchObject({ ops: 4e12, precision: "int8" });
  expect(atlas.sources[peak?.source ?? -1]?.link).toBe(
    "https://coral.ai/static/files/Coral-USB-Accelerator-datasheet.pdf",
  );
  expect(coral?.openness.kernel).toBe("open");
});

test("links are https, point at kernel.org for the kernel, and at the commit a repository was read at", () => {
  for (const { link } of atlas.sources) if (link !== undefined) expect(link).toMatch(/^https:\/\/[^\s"'<>]+$/);
  expect(atlasSource({ kernel: "drivers/accel/rocket/rocket_drv.c", module: "rocket", release: "7.3.4" })).toEqual({
    kind: "kernel",
    text: "Linux 7.3.4 drivers/accel/rocket/rocket_drv.c (rocket)",
    link: "https://git.kernel.org/pub/scm/linux/kernel/git/stable/linux.git/tree/drivers/accel/rocket/rocket_drv.c?h=v7.3.4",
  });
  expect(atlasSource({ cited: "https://github.com/eiln/ane@0dcea997", seen: "2026-11-22" }).link).toBe(
    "https://github.com/eiln/ane/tree/0dcea997",
  );
  const unlinked = atlasSource({ cited: "Debian packages libxrt2 (file lists)", seen: "2026-11-22" });
  expect(unlinked.link).toBeUndefined();
  expect(unlinked.text).toBe("Debian packages libxrt2 (file lists)");
});

test("the timeline is in order, of real days, and no later than its sources were seen", () => {
  const dates = atlas.events.map(({ date }) => date);
  expect(dates).toEqual([...dates].sort());
  for (const date of dates) {
    expect(date).toMatch(/^\d{4}(-\d{2}(-\d{2})?)?$/);
    expect(Number.isNaN(Date.parse(date))).toBe(false);
    expect(date < "2026-11-26").toBe(true);
  }
});

test("events of a kernel release have that release's day", () => {
  const rocket = atlas.events.find(({ what }) => what === "rocket enters mainline");
  expect(rocket).toMatchObject({ date: "2025-11-30", release: "6.18", kind: "driver", family: "rockchip" });
  for (const { release, date } of atlas.events) {
    if (release !== undefined) expect(date).toBe(kernelReleases[release]);
  }
  // A mainline driver whose first release is known and dated is on the line.
  const drivers = families.flatMap((family) => family.routes.map(({ driver }) => ({ family: family.id, driver })));
  for (const { family, driver } of drivers) {
    if (driver.origin !== "mainline" || driver.since === undefined || driver.module === undefined) continue;
    const words = `${driver.module} enters mainline`;
    expect(atlas.events.filter((event) => event.family === family && event.what === words)).toHaveLength(1);
  }
});

test("what left the kernel is told as removed, one chip given up is not", () => {
  const origin = (id: string): readonly string[] => atlas.families.find((f) => f.id === id)?.facets.origin ?? [];
  expect(origin("coral")).toEqual(["out-of-tree", "none", "removed"]);
  expect(origin("xeon-phi")).toContain("removed");
  expect(origin("amd-xdna")).toEqual(["mainline", "out-of-tree"]);
  expect(origin("brainchip")).toEqual(["unknown"]);
});

test("events name families of the catalogue", () => {
  const ids = new Set(families.map(({ id }) => id));
  expect(timeline.filter(({ family }) => family !== undefined && !ids.has(family))).toEqual([]);
});

test("a release without a known day makes no event, and no invented date", () => {
  const [first] = families.filter(({ id }) => id === "qaic");
  if (first === undefined) throw new Error("no family qaic");
  const [route] = first.routes;
  if (route === undefined) throw new Error("no route of qaic");
  const later = { ...first, routes: [{ ...route, driver: { ...route.driver, since: "99.1" } }] };
  const made: Atlas = makeAtlas([later]);
  expect(made.families[0]?.since).toBe("99.1");
  expect(made.events.filter(({ what }) => what === "qaic enters mainline")).toEqual([]);
});

test("releases compare as versions", () => {
  expect(["6.9", "6.18", "5.1", "6.2"].sort(compareReleases)).toEqual(["5.1", "6.2", "6.9", "6.18"]);
  expect(atlas.families.find(({ id }) => id === "nvidia")?.since).toBe("6.15");
  expect(atlas.families.find(({ id }) => id === "tenstorrent")?.since).toBeNull();
});

test("it is plain JSON, the same each time, and small enough to be loaded at once", () => {
  const text = JSON.stringify(atlas);
  expect(JSON.parse(text)).toEqual(atlas);
  expect(JSON.stringify(makeAtlas(families))).toBe(text);
  expect(text.length).toBeLessThan(400_000);
});
