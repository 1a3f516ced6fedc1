/** What watch prints is what its schema and docs/metrics.md say. */

import { Ajv2020 } from "ajv/dist/2020.js";
import { existsSync, readdirSync } from "node:fs";
import { expect, it } from "vitest";
import { families } from "../../src/families/index.ts";
import { sampleSchema } from "../../src/print/sample-schema.ts";
import { openRoot } from "../../src/root/open.ts";
import { schemeOf } from "../../src/watch/catalogue.ts";
import { checkSample } from "../../src/watch/check.ts";
import { openWatch } from "../../src/watch/watch.ts";
import { METRIC_WORDS } from "../../src/watch/words.ts";
import { sharedPath } from "../support/shared.ts";

const described = new Set(METRIC_WORDS.map(({ name }) => name));
const validate = new Ajv2020({ allErrors: false, strict: false, validateFormats: false }).compile(sampleSchema);
const shared = sharedPath("machines/kernel");
const machines = existsSync(shared)
  ? readdirSync(shared)
      .filter((name) => name.endsWith(".tar.gz"))
      .map((name) => `${shared}/${name}`)
  : [];

it("every metric of the catalogue is described, ends in its unit, and has a scheme that is read", () => {
  const schemes = [
    "device",
    "class",
    "hwmon",
    "debug",
    "proc",
    "thermal",
    "sys",
    "table",
    "ask",
    "fdinfo",
    "kfd",
    "vendor",
  ];
  for (const { id, metrics = [] } of families) {
    for (const spec of metrics) {
      expect([id, spec.name, schemes.includes(schemeOf(spec).scheme)]).toEqual([id, spec.name, true]);
      if (spec.form === "word") continue;
      for (const name of [spec.name, ...(spec.derived === undefined ? [] : [spec.derived.name])]) {
        expect([id, name, described.has(name)]).toEqual([id, name, true]);
        expect(name).toMatch(
          /_(ratio|seconds|bytes|hertz|celsius|watts|joules|volts|amperes|count|per_second|lanes|rpm|state|tasks)$/,
        );
      }
    }
  }
});

it("no metric is described twice", () => {
  expect(described.size).toBe(METRIC_WORDS.length);
});

it("what the catalogue takes a rate of is counted up, and so is said of all that grows and of nothing else", () => {
  const growing = new Set(METRIC_WORDS.filter(({ grows }) => grows === true).map(({ name }) => name));
  const counters = families.flatMap(({ metrics = [] }) =>
    metrics.filter(({ derived }) => derived !== undefined).map(({ name }) => name),
  );
  expect(counters).not.toEqual([]);
  expect(counters.filter((name) => !growing.has(name))).toEqual([]);
  expect(METRIC_WORDS.filter(({ says }) => says.includes("counted up")).map(({ name }) => name)).toEqual([...growing]);
});

it.each(["/", ...machines].map((path) => [path.slice(path.lastIndexOf("/") + 1) || "this machine", path]))(
  "samples of %s keep to the schema, the check of recordings, and the names that are described",
  (_, path) => {
    const watch = openWatch(openRoot(path));
    for (const sample of [watch.sample(), watch.sample()]) {
      const value: unknown = JSON.parse(JSON.stringify(sample));
      expect([validate(value), validate.errors]).toEqual([true, null]);
      expect(checkSample(value)).toEqual(sample);
      const names = sample.devices.flatMap(({ metrics }) => metrics.map(({ name }) => name));
      expect(names.filter((name) => !described.has(name))).toEqual([]);
    }
  },
);
