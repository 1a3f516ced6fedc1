/** docs/report.schema.json: the shape of `review --json`, as JSON Schema 2020-12. Tests hold every report against it. */

import { layerNames, severities } from "../base/finding.ts";

type Schema = Readonly<Record<string, unknown>>;

const string: Schema = { type: "string" };
const boolean: Schema = { type: "boolean" };
const integer: Schema = { type: "integer" };
const strings: Schema = { type: "array", items: string };
const list = (items: Schema): Schema => ({ type: "array", items });
const oneOf = (values: readonly string[]): Schema => ({ enum: values });
const ref = (name: string): Schema => ({ $ref: `#/$defs/${name}` });

function object(required: Readonly<Record<string, Schema>>, optional: Readonly<Record<string, Schema>> = {}): Schema {
  return {
    type: "object",
    properties: { ...required, ...optional },
    required: Object.keys(required),
    additionalProperties: false,
  };
}

/** A value, or why there is none: the four ways are kept apart. */
function reading(value: Schema): Schema {
  return {
    oneOf: [
      object({ state: { const: "read" }, value, from: string }),
      object({ state: oneOf(["absent", "denied", "uncaptured", "malformed"]), from: string }, { why: string }),
    ],
  };
}

const works = oneOf(["yes", "no", "unknown"]);

const definitions: Readonly<Record<string, Schema>> = {
  evidence: { oneOf: [object({ seen: string, says: string }), object({ known: string, source: string })] },
  openness: oneOf(["open", "closed", "mixed", "none", "unknown"]),
  kernelState: oneOf([
    "not in this kernel",
    "configured off",
    "shipped as a module",
    "built in",
    "loaded",
    "bound",
    "unknown",
    "not needed",
  ]),
  layer: object(
    {
      name: oneOf(layerNames),
      status: oneOf(["ok", "missing", "faulty", "unknown", "unneeded"]),
      openness: ref("openness"),
      is: string,
      evidence: list(ref("evidence")),
    },
    { kernelState: ref("kernelState") },
  ),
  route: object({ name: string, works, open: boolean, layers: list(ref("layer")) }),
  node: object(
    {
      path: string,
      class: string,
      mode: reading(string),
      owner: reading(string),
      group: reading(string),
      opens: reading(boolean),
    },
    {
      drm: reading(object({ name: string, version: string })),
      held_by: list(object({ pid: integer, command: string })),
    },
  ),
  device: object(
    {
      id: string,
      name: string,
      bus: oneOf(["pci", "usb", "platform", "cpu", "virtual"]),
      address: string,
      ids: { type: "object", additionalProperties: string },
      modalias: reading(string),
      driver: reading(string),
      nodes: list(ref("node")),
      parts: strings,
      virtual_functions: integer,
      enabled: boolean,
      because: ref("evidence"),
      routes: list(ref("route")),
      verdict: object({ works, says: string }, { route: string, most_open: string }),
    },
    {
      family: string,
      chip: string,
      driver_version: reading(string),
      link: object({
        speed_transfers: reading({ type: "number" }),
        max_speed_transfers: reading({ type: "number" }),
        width: reading(integer),
        max_width: reading(integer),
      }),
      iommu_group: reading(string),
      sensors: list(object({ kind: oneOf(["hwmon", "devfreq", "thermal"]), label: string, path: string })),
      answers: { type: "object", additionalProperties: reading({ type: ["string", "number", "boolean"] }) },
      openness: object({
        kernel: ref("openness"),
        firmware: ref("openness"),
        runtime: ref("openness"),
        compiler: ref("openness"),
      }),
    },
  ),
  finding: object(
    {
      rule: { type: "string", pattern: "^(silicon|driver|firmware|node|runtime|delegate|model|machine)/" },
      severity: oneOf(severities),
      device: string,
      says: string,
      evidence: list(ref("evidence")),
    },
    { route: string, remedy: object({ says: string }, { commands: strings, links: strings }) },
  ),
};

export const reportSchema: Schema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "accelctl report",
  description:
    "What `accelctl review --json` prints. Fields are added within a schema number, never changed or removed.",
  ...object({
    schema: { const: 1 },
    machine: object({
      model: reading(string),
      distribution: reading(string),
      arch: reading(string),
      cpu: reading(string),
      memory_bytes: reading(integer),
      container: reading(string),
      virtual: reading(string),
    }),
    kernel: object(
      {
        release: { type: ["string", "null"] },
        version: reading(string),
        taint: reading(string),
        accel: reading(boolean),
      },
      {
        abilities: list(
          object({
            family: string,
            route: string,
            module: string,
            state: ref("kernelState"),
            evidence: list(ref("evidence")),
          }),
        ),
      },
    ),
    devices: list(ref("device")),
    dormant: list(ref("device")),
    findings: list(ref("finding")),
    blind: list(object({ path: string, because: string })),
  }),
  $defs: definitions,
};
