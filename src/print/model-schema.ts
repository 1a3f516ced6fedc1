/** docs/inspection.schema.json: the shape of `inspect --json`, as JSON Schema 2020-12. Tests hold every inspection against it. */

type Schema = Readonly<Record<string, unknown>>;

const string: Schema = { type: "string" };
const boolean: Schema = { type: "boolean" };
const integer: Schema = { type: "integer" };
/** NaN and infinity of a broken file have no JSON: they are null, and a finding says which. */
const number: Schema = { type: ["number", "null"] };
const strings: Schema = { type: "array", items: string };
const words: Schema = { type: "object", additionalProperties: string };
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

const file = object({ name: string, bytes: integer });
const openness = oneOf("open", "closed", "mixed", "none", "unknown");
const works = oneOf("yes", "no", "unknown");

const tensorFields: Readonly<Record<string, Schema>> = {
  name: string,
  type: string,
  shape: { anyOf: [{ type: "null" }, list({ type: ["number", "string", "null"] })] },
};
const tensorOptional: Readonly<Record<string, Schema>> = {
  quantization: object({ scale: list(number), zeroPoint: list(number) }, { axis: integer, scheme: string }),
  data: object({ bytes: integer }, { offset: integer, file: string }),
  sparse: boolean,
};

const definitions: Readonly<Record<string, Schema>> = {
  tensor: object(tensorFields, tensorOptional),
  fit: object(
    {
      devices: list(
        object(
          {
            device: string,
            name: string,
            family: string,
            fits: oneOf("yes", "no", "unknown", "convert"),
            says: string,
            routes: list(object({ route: string, accepts: boolean, works, says: string })),
          },
          { chip: string },
        ),
      ),
      conversions: list(
        object({
          family: string,
          to: string,
          tool: string,
          openness,
          commands: strings,
          needs: list(object({ what: string, met: works, says: string })),
          sources: strings,
        }),
      ),
      locks: list(
        object(
          { lock: string, state: oneOf("fits", "broken", "unknown"), needs: string, says: string },
          { found: string, source: string },
        ),
      ),
    },
    {
      named: object({ family: string, takes: oneOf("yes", "no"), says: string }, { chip: string }),
    },
  ),
};

const inspection = object(
  {
    schema: { const: 1 },
    file,
    format: object(
      { id: string, name: string, vendor: string, shows: oneOf("full", "partly", "sealed"), checked: integer },
      { version: string },
    ),
    sealed: boolean,
    targets: list(object({ says: string }, { family: string, chip: string, not: list(string), refusedBy: string })),
    requires: list(
      object({
        what: string,
        relation: oneOf("at least", "exactly", "at most", "series", "other than", "built by"),
        version: string,
      }),
    ),
    inputs: list(ref("tensor")),
    outputs: list(ref("tensor")),
    graphs: list(object({ name: string, operators: integer, tensors: integer })),
    operators: list(object({ spelled: string, count: integer }, { op: string, domain: string, macs: integer })),
    cost: object(
      {
        open: integer,
        custom: integer,
        weights: list(object({ type: string, tensors: integer, bytes: integer })),
      },
      {
        assumes: { const: "batch of 1" },
        macs: integer,
        macs_at_least: integer,
        parameters: integer,
        weight_bytes: integer,
        peak_activation_bytes: integer,
      },
    ),
    metadata: words,
    sections: list(
      object({
        name: string,
        kind: oneOf("code", "weights", "graph", "metadata", "padding", "unknown"),
        offset: integer,
        bytes: integer,
      }),
    ),
    integrity: list(
      object({ severity: oneOf("error", "warning", "note"), rule: string, says: string }, { offset: integer }),
    ),
    needs: strings,
    unseen: strings,
  },
  {
    producer: object({ name: string }, { version: string }),
    quantization: object(
      { kind: string, says: string },
      { granularity: oneOf("per tensor", "per channel", "per block") },
    ),
    tensors: list(object({ graph: integer, ...tensorFields }, tensorOptional)),
    labels: strings,
    author: string,
    licence: string,
    description: string,
    machine: ref("fit"),
  },
);

export const inspectionSchema: Schema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "accelctl inspection",
  description:
    "What `accelctl inspect --json` prints: a model, what a file is instead, or what differs between two. Fields are added within a schema number, never changed or removed.",
  oneOf: [
    inspection,
    object({
      schema: { const: 1 },
      file,
      format: { type: "null" },
      looks: object({ kind: string, says: string }, { cure: string }),
    }),
    object({
      schema: { const: 1 },
      left: string,
      right: string,
      differences: list(
        object({
          what: string,
          left: { type: ["string", "number", "null"] },
          right: { type: ["string", "number", "null"] },
        }),
      ),
    }),
  ],
  $defs: definitions,
};
