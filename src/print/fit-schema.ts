/** docs/fit.schema.json: the shape of `fit --json` and `rank --json`, as JSON Schema 2020-12. Tests hold what is printed against it. */

type Schema = Readonly<Record<string, unknown>>;

const string: Schema = { type: "string" };
const boolean: Schema = { type: "boolean" };
const integer: Schema = { type: "integer" };
const number: Schema = { type: "number" };
const strings: Schema = { type: "array", items: string };
const list = (items: Schema): Schema => ({ type: "array", items });
const oneOf = (...values: readonly string[]): Schema => ({ enum: values });
const ref = (name: string): Schema => ({ $ref: `#/$defs/${name}` });

function object(required: Readonly<Record<string, Schema>>, optional: Readonly<Record<string, Schema>> = {}): Schema {
  return {
    type: "object",
    properties: { ...required, ...optional },
    required: Object.keys(required),
    additionalProperties: false,
  };
}

const takes = oneOf("yes", "no", "unsure");
const where: Schema = { anyOf: [{ type: "integer" }, oneOf("cpu", "melted")] };
const works = oneOf("yes", "no", "unknown");
const sourced = object({ value: number, source: string });

const row = {
  required: {
    device: string,
    name: string,
    family: string,
    here: boolean,
    placements: list(ref("placement")),
    estimate: ref("estimate"),
  },
  optional: { chip: string, watts: sourced },
};

const report = {
  required: { schema: { const: 1 }, model: ref("model"), targets: list(ref("target")), findings: strings },
  optional: { conversions: list(ref("conversion")) },
};

const definitions: Readonly<Record<string, Schema>> = {
  model: object(
    {
      name: string,
      from: oneOf("file", "known"),
      input: list(list({ type: ["number", "string", "null"] })),
      operators: integer,
      assumed: strings,
    },
    { source: string, macs: number, parameters: number, precision: string },
  ),
  target: object({
    id: string,
    name: string,
    tool: string,
    version: string,
    confidence: oneOf("run", "source", "documents", "inferred"),
    sources: strings,
  }),
  placement: object(
    {
      target: string,
      fits: oneOf("whole", "part", "none", "unsure"),
      total: integer,
      taken: integer,
      cpu: integer,
      unsure: integer,
      partitions: list(list(integer)),
      refusals: list(
        object({ op: string, rule: string, because: string, nodes: list(integer) }, { unsure: { const: true } }),
      ),
      prerequisites: list(
        object({ rule: string, says: string, met: works, else: oneOf("refuses", "warns") }, { cure: string }),
      ),
    },
    {
      share: number,
      once: string,
      as: oneOf("onnx", "tflite"),
      nodes: list(
        object(
          { node: integer, op: string, takes, where },
          { shared: string, name: string, rule: string, because: string, left: string },
        ),
      ),
    },
  ),
  estimate: object(
    {
      device: string,
      from: oneOf("fitted", "class", "none"),
      kind: oneOf("maker", "independent"),
      costly: list(object({ node: integer, op: string, share: number })),
      nearest: list(object({ model: string, device: string, ms: number, says: string, source: string })),
      says: strings,
    },
    {
      median_ms: number,
      low_ms: number,
      high_ms: number,
      bound: oneOf("compute", "memory", "link", "cpu", "overhead"),
      millijoules: object({ low: number, high: number, source: string }),
      basis: object({ rows: integer, median_error: number, p90_error: number, held: number }),
      byClass: object({
        class: oneOf("systolic array", "MAC array", "dataflow", "vector DSP", "SIMT", "CPU"),
        rests: oneOf("device", "line", "class"),
        rows: integer,
        devices: strings,
        lines: strings,
      }),
    },
  ),
  conversion: object({
    family: string,
    to: string,
    tool: string,
    openness: oneOf("open", "closed", "mixed", "none", "unknown"),
    commands: strings,
    needs: list(object({ what: string, met: works, says: string })),
    sources: strings,
  }),
};

export const fitSchema: Schema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "accelctl fit",
  description:
    "What `accelctl fit --json`, `fit --why --json`, `fit --check --json` and `rank --json` print. Fields are added within a schema number, never changed or removed.",
  oneOf: [
    object(
      { ...report.required, rows: list(object(row.required, row.optional)) },
      {
        ...report.optional,
        checked: list(object({ target: string, delegate: string, says: string }, { version: string, agrees: boolean })),
      },
    ),
    object(
      {
        ...report.required,
        rows: list(object({ ...row.required, rank: integer, alike: integer, open: strings }, row.optional)),
        left: list(object({ device: string, name: string, because: string })),
      },
      report.optional,
    ),
    object({
      schema: { const: 1 },
      model: ref("model"),
      asked: string,
      targets: list(ref("target")),
      why: list(
        object(
          {
            target: string,
            answers: list(
              object(
                { op: string, nodes: list(integer), takes, where, source: string },
                { rule: string, because: string, left: string },
              ),
            ),
          },
          { once: string },
        ),
      ),
    }),
  ],
  $defs: definitions,
};
