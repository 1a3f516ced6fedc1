/** TIDL artifacts in code: a network's head with the extents of its parts, and I/O descriptors as releases dump them. */

export interface NetParts {
  readonly version: number;
  readonly device: number;
  readonly layers: number;
  /** Where the table of extents stands: 88 in 20230208, 96 in 20240401. */
  readonly table: number;
  readonly network: number;
  readonly plan: number;
  readonly parameters: number;
  readonly graphPlan?: number;
}

export function buildNet(parts: NetParts): Buffer {
  const graphPlan = parts.graphPlan ?? 0;
  const out = Buffer.alloc(parts.network + parts.plan + parts.parameters + graphPlan, 3);
  out.fill(0, 0, parts.network);
  for (const [index, value] of [parts.version, parts.device, parts.layers, 1, 1, 4, 1, 2, 3, 7].entries()) {
    out.writeUInt32LE(value, 4 * index);
  }
  const planAt = parts.network;
  const parametersAt = planAt + parts.plan;
  const extents = [
    [parts.network, 0],
    [parts.parameters, parametersAt],
    [parts.plan, planAt],
    ...(graphPlan > 0 ? [[graphPlan, parametersAt + parts.parameters]] : []),
  ];
  for (const [index, [bytes = 0, offset = 0]] of extents.entries()) {
    out.writeUInt32LE(bytes, parts.table + 16 * index + 8);
    out.writeUInt32LE(offset, parts.table + 16 * index + 12);
  }
  return out;
}

export interface IoPort {
  readonly name: string;
  /** Width, height, channels, batches. */
  readonly shape: readonly [W: number, H: number, C: number, N: number];
  readonly type: number;
  readonly scale: number;
  readonly zero?: number;
  readonly dims?: number;
}

const ints = (values: readonly number[], places: number): Buffer => {
  const out = Buffer.alloc(4 * places);
  for (const [index, value] of values.entries()) out.writeInt32LE(value, 4 * index);
  return out;
};
const floats = (values: readonly number[], places: number): Buffer => {
  const out = Buffer.alloc(4 * places);
  for (const [index, value] of values.entries()) out.writeFloatLE(value, 4 * index);
  return out;
};
const names = (values: readonly string[], places: number): Buffer => {
  const out = Buffer.alloc(512 * places);
  for (const [index, value] of values.entries()) out.write(value, 512 * index);
  return out;
};

/** The header's arrays, in its order; `release` 1, 2 or 3 as fields were added. */
export function buildIo(
  release: 1 | 2 | 3,
  cores: number,
  inputs: readonly IoPort[],
  outputs: readonly IoPort[],
): Buffer {
  const [ins, outs] = [32 * cores, (release === 1 ? 32 : 128) * cores];
  const zeros = (count: number, places: number): Buffer[] => Array.from({ length: count }, () => ints([], places));
  const each = (ports: readonly IoPort[], places: number, get: (port: IoPort) => number): Buffer =>
    ints(ports.map(get), places);
  const later = release > 1;
  return Buffer.concat([
    ints([inputs.length, outputs.length, ...(later ? [1, 1, 1, 0] : [])], later ? 6 : 2),
    ...zeros(2, ins), // format, resize
    each(inputs, ins, ({ shape }) => shape[0]),
    each(inputs, ins, ({ shape }) => shape[1]),
    each(inputs, ins, ({ shape }) => shape[0]),
    each(inputs, ins, ({ shape }) => shape[1]),
    each(inputs, ins, ({ shape }) => shape[2]),
    ...(later ? [each(inputs, ins, () => 1), each(inputs, ins, () => 1)] : []),
    each(inputs, ins, ({ shape }) => shape[0] * shape[1]),
    each(inputs, ins, ({ shape }) => shape[3]),
    ...zeros(5, ins), // padding
    each(inputs, ins, ({ type }) => type),
    each(inputs, ins, ({ type }) => type),
    each(inputs, ins, ({ zero }) => zero ?? 0),
    ...zeros(2, ins), // layout, data id
    floats(
      inputs.map(({ scale }) => scale),
      ins,
    ),
    names(
      inputs.map(({ name }) => name),
      ins,
    ),
    ...(release === 3 ? [each(inputs, ins, ({ shape }) => shape[0] * shape[1] * shape[2])] : []),
    each(outputs, outs, ({ shape }) => shape[0]),
    each(outputs, outs, ({ shape }) => shape[1]),
    ...(later ? [each(outputs, outs, () => 1), each(outputs, outs, () => 1)] : []),
    each(outputs, outs, ({ shape }) => shape[2]),
    each(outputs, outs, ({ shape }) => shape[0] * shape[1]),
    each(outputs, outs, ({ shape }) => shape[3]),
    ...zeros(5, outs),
    each(outputs, outs, ({ type }) => type),
    ...zeros(1, outs),
    names(
      outputs.map(({ name }) => name),
      outs,
    ),
    floats(
      outputs.map(({ scale }) => scale),
      outs,
    ),
    each(outputs, outs, ({ zero }) => zero ?? 0),
    ...zeros(1, outs),
    ...(release === 3 ? [each(outputs, outs, ({ shape }) => shape[0] * shape[1] * shape[2])] : []),
    ...(later ? [each(outputs, outs, ({ dims }) => dims ?? 4)] : []),
  ]);
}
