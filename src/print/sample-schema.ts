/** docs/sample.schema.json: the shape of a line of `watch --json`, as JSON Schema 2020-12. Tests hold samples against it. */

type Schema = Readonly<Record<string, unknown>>;

const string: Schema = { type: "string" };
const number: Schema = { type: "number" };
const list = (items: Schema): Schema => ({ type: "array", items });
const ref = (name: string): Schema => ({ $ref: `#/$defs/${name}` });

function object(required: Readonly<Record<string, Schema>>, optional: Readonly<Record<string, Schema>> = {}): Schema {
  return {
    type: "object",
    properties: { ...required, ...optional },
    required: Object.keys(required),
    additionalProperties: false,
  };
}

const whys = ["asleep", "first", "denied", "absent", "uncaptured", "malformed"];

const definitions: Readonly<Record<string, Schema>> = {
  metric: {
    oneOf: [
      object({ name: string, from: string, value: number }, { part: string }),
      object(
        { name: string, from: string, value: { type: "null" }, why: { enum: whys }, says: string },
        { part: string },
      ),
    ],
  },
  process: object(
    {
      pid: { type: "integer" },
      command: string,
      how: { enum: ["fdinfo", "open", "vendor's library"] },
      metrics: list(ref("metric")),
    },
    { user: string },
  ),
  device: object(
    {
      id: string,
      name: string,
      bus: { enum: ["pci", "usb", "platform", "cpu", "virtual"] },
      address: string,
      power_state: { type: ["string", "null"] },
      metrics: list(ref("metric")),
      processes: { oneOf: [list(ref("process")), { type: "null" }] },
    },
    { family: string, driver: string, processes_because: string },
  ),
};

export const sampleSchema: Schema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "accelctl sample",
  description: "A line of `accelctl watch --json`. Fields are added within a schema number, never changed or removed.",
  ...object({
    schema: { const: 1 },
    sequence: { type: "integer" },
    at: { type: "string", format: "date-time" },
    elapsed_seconds: { type: ["number", "null"] },
    took_seconds: number,
    devices: list(ref("device")),
  }),
  $defs: definitions,
};
