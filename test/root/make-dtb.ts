/** Writes small flattened device trees for tests: a string or bytes is a property, an object a node; pairs may repeat a name. */

export type Source =
  { readonly [name: string]: string | Uint8Array | Source } | readonly (readonly [string, string | Source])[];

export interface Shape {
  readonly version?: 16 | 17;
  /** Leave out the last node's end. */
  readonly unclosed?: boolean;
}

export function makeDtb(source: Source, shape: Shape = {}): Buffer {
  const structure: Buffer[] = [];
  const strings: Buffer[] = [];
  const offsets = new Map<string, number>();
  const word = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
  };
  const padded = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
  const offsetOf = (name: string): number => {
    const known = offsets.get(name);
    if (known !== undefined) return known;
    const offset = strings.reduce((sum, { length }) => sum + length, 0);
    strings.push(Buffer.from(`${name}\0`));
    offsets.set(name, offset);
    return offset;
  };
  const write = (name: string, node: Source): void => {
    structure.push(word(1), padded(Buffer.from(`${name}\0`)));
    const entries: readonly (readonly [string, string | Uint8Array | Source])[] = isPairs(node)
      ? node
      : Object.entries(node);
    for (const [key, value] of entries) {
      if (typeof value === "string" || value instanceof Uint8Array) {
        const bytes = Buffer.from(value);
        structure.push(word(3), word(bytes.length), word(offsetOf(key)), padded(bytes));
      } else write(key, value);
    }
    structure.push(word(2));
  };
  write("", source);
  if (shape.unclosed) structure.pop();
  structure.push(word(9));
  const [tokens, names] = [Buffer.concat(structure), Buffer.concat(strings)];
  const version = shape.version ?? 17;
  const start = 40 + 16; // an empty list of memory reservations
  const header = [0xd00dfeed, start + tokens.length + names.length, start, start + tokens.length, 40, version, 16, 0];
  header.push(names.length, version === 17 ? tokens.length : 0);
  return Buffer.concat([...header.map(word), Buffer.alloc(16), tokens, names]);
}

function isPairs(source: Source): source is readonly (readonly [string, string | Source])[] {
  return Array.isArray(source);
}
