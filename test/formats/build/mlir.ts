/** MLIR bytecode for fixtures: sections, dialects, attributes and types by their codes, one program. As small as a portable artifact gets. */

export const varint = (value: number): Buffer => {
  if (value < 0x80) return Buffer.from([(value << 1) | 1]);
  if (value < 0x4000) return Buffer.from([((value << 2) | 2) & 0xff, (value << 2) >> 8]);
  const out = Buffer.alloc(9); // a zero byte, then eight
  out.writeBigUInt64LE(BigInt(value), 1);
  return out;
};
/** The lowest bit is a flag. */
export const flagged = (value: number, flag: boolean): Buffer => varint(value * 2 + (flag ? 1 : 0));
export const signed = (value: number): Buffer => varint(value < 0 ? -value * 2 - 1 : value * 2);
export const list = (items: readonly Buffer[]): Buffer => Buffer.concat([varint(items.length), ...items]);

export function section(id: number, data: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([id]), varint(data.length), data]);
}

/** Entries of one dialect are added one after the other; what is built refers to them by index. */
export class Module {
  readonly version: number;
  readonly #strings: string[] = [];
  readonly #attributes: { dialect: string; bytes: Buffer }[] = [];
  readonly #types: { dialect: string; bytes: Buffer }[] = [];
  readonly #operators: { dialect: string; name: string }[] = [];
  readonly #properties: Buffer[] = [];
  readonly #dialects: string[] = [];

  constructor(version = 6) {
    this.version = version;
  }

  string(text: string): number {
    const held = this.#strings.indexOf(text);
    return held >= 0 ? held : this.#strings.push(text) - 1;
  }

  attribute(dialect: string, ...parts: readonly Buffer[]): number {
    return this.#attributes.push({ dialect, bytes: Buffer.concat(parts) }) - 1;
  }

  type(dialect: string, ...parts: readonly Buffer[]): number {
    return this.#types.push({ dialect, bytes: Buffer.concat(parts) }) - 1;
  }

  /** Index of an operator's name; names of one dialect must follow each other. */
  operator(dialect: string, name: string): number {
    const held = this.#operators.findIndex((one) => one.dialect === dialect && one.name === name);
    return held >= 0 ? held : this.#operators.push({ dialect, name }) - 1;
  }

  properties(...indexes: readonly number[]): number {
    return this.#properties.push(Buffer.concat(indexes.map(varint))) - 1;
  }

  bytes(producer: string, program: Uint8Array): Buffer {
    for (const { dialect } of [...this.#attributes, ...this.#types, ...this.#operators])
      if (!this.#dialects.includes(dialect)) this.#dialects.push(dialect);
    const names = this.#dialects.map((dialect) => this.string(dialect));
    const operators = groups(this.#operators).map(([dialect, items]) =>
      Buffer.concat([
        varint(this.#dialects.indexOf(dialect)),
        list(
          items.map(({ name }) => (this.version >= 5 ? flagged(this.string(name), true) : varint(this.string(name)))),
        ),
      ]),
    );
    const dialects = Buffer.concat([
      list(names.map((name) => (this.version >= 1 ? flagged(name, false) : varint(name)))),
      ...(this.version >= 4 ? [varint(this.#operators.length)] : []),
      ...operators,
    ]);
    const offsets = Buffer.concat([
      varint(this.#attributes.length),
      varint(this.#types.length),
      ...[this.#attributes, this.#types].flatMap((entries) =>
        groups(entries).map(([dialect, items]) =>
          Buffer.concat([
            varint(this.#dialects.indexOf(dialect)),
            list(items.map(({ bytes }) => flagged(bytes.length, true))),
          ]),
        ),
      ),
    ]);
    const strings = this.#strings.map((text) => Buffer.from(`${text}\0`));
    return Buffer.concat([
      Buffer.from("ML\xefR", "latin1"),
      varint(this.version),
      Buffer.from(`${producer}\0`),
      section(1, dialects),
      section(2, Buffer.concat([...this.#attributes, ...this.#types].map(({ bytes }) => bytes))),
      section(3, offsets),
      section(4, program),
      ...(this.version >= 5
        ? [section(8, list(this.#properties.map((one) => Buffer.concat([varint(one.length), one]))))]
        : []),
      section(0, Buffer.concat([list(strings.map((one) => varint(one.length)).reverse()), ...strings])),
    ]);
  }
}

function groups<T extends { dialect: string }>(items: readonly T[]): [string, T[]][] {
  const out: [string, T[]][] = [];
  for (const item of items) {
    const last = out[out.length - 1];
    if (last?.[0] === item.dialect) last[1].push(item);
    else out.push([item.dialect, [item]]);
  }
  return out;
}

/** [name][mask][place][properties][results][operands][regions] */
export function operation(
  name: number,
  parts: {
    readonly attributes?: number;
    readonly properties?: number;
    readonly results?: readonly number[];
    readonly operands?: readonly number[];
    /** One region, its bytes; a section of its own when isolated. */
    readonly region?: { readonly bytes: Buffer; readonly isolated: boolean };
  },
): Buffer {
  const { attributes, properties, results = [], operands = [], region } = parts;
  const mask =
    (attributes === undefined ? 0 : 1) |
    (results.length > 0 ? 2 : 0) |
    (operands.length > 0 ? 4 : 0) |
    (region ? 16 : 0) |
    (properties === undefined ? 0 : 64);
  return Buffer.concat([
    varint(name),
    Buffer.from([mask]),
    varint(0),
    ...(attributes === undefined ? [] : [varint(attributes)]),
    ...(properties === undefined ? [] : [varint(properties)]),
    ...(results.length > 0 ? [list(results.map(varint))] : []),
    ...(operands.length > 0 ? [list(operands.map(varint))] : []),
    ...(region ? [flagged(1, region.isolated), region.isolated ? section(4, region.bytes) : region.bytes] : []),
  ]);
}

/** One block: [blocks][values][operators and flag][arguments with their types][no orders of uses][operators] */
export function region(values: number, types: readonly number[], operators: readonly Buffer[]): Buffer {
  return Buffer.concat([varint(1), varint(values), block(types, operators)]);
}

export function block(types: readonly number[], operators: readonly Buffer[]): Buffer {
  return Buffer.concat([
    flagged(operators.length, types.length > 0),
    ...(types.length > 0 ? [list(types.map((type) => flagged(type, false))), Buffer.from([0])] : []),
    ...operators,
  ]);
}
