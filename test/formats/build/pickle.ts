/** Pickles written by hand, protocol 2: what torch.save makes, opcode by opcode. */

export type Piece = Uint8Array;

const latin = (text: string): Piece => Buffer.from(text, "latin1");
const join = (...pieces: readonly Piece[]): Piece => Buffer.concat(pieces);
const u32 = (value: number): Piece => {
  const out = Buffer.alloc(4);
  out.writeUInt32LE(value);
  return out;
};

export const text = (value: string): Piece => join(latin("X"), u32(Buffer.byteLength(value)), Buffer.from(value));
export const integer = (value: number): Piece =>
  value >= 0 && value < 256 ? Buffer.from([0x4b, value]) : join(latin("J"), u32(value >>> 0));
export const truth = (value: boolean): Piece => Buffer.from([value ? 0x88 : 0x89]);
export const global = (module: string, name: string): Piece => latin(`c${module}\n${name}\n`);
export const tuple = (...items: readonly Piece[]): Piece => join(latin("("), ...items, latin("t"));
export const list = (...items: readonly Piece[]): Piece => join(latin("]("), ...items, latin("e"));
export const dict = (pairs: Readonly<Record<string, Piece>>): Piece =>
  join(latin("}("), ...Object.entries(pairs).flatMap(([key, value]) => [text(key), value]), latin("u"));
export const call = (callee: Piece, ...args: readonly Piece[]): Piece => join(callee, tuple(...args), latin("R"));
export const build = (object: Piece, state: Piece): Piece => join(object, state, latin("b"));
export const persistent = (id: Piece): Piece => join(id, latin("Q"));
export const pickle = (value: Piece): Piece => join(Buffer.from([0x80, 2]), value, latin("."));

export const storage = (kind: string, key: string, count: number): Piece =>
  persistent(tuple(text("storage"), global("torch", `${kind}Storage`), text(key), text("cpu"), integer(count)));
const sizes = (values: readonly number[]): Piece => tuple(...values.map(integer));

/** torch._utils._rebuild_tensor_v2 of a storage, contiguous unless strides are given. */
export function tensor(from: Piece, start: number, shape: readonly number[], strides?: readonly number[]): Piece {
  const own = strides ?? shape.map((_, at) => shape.slice(at + 1).reduce((product, size) => product * size, 1));
  const hooks = call(global("collections", "OrderedDict"));
  return call(
    global("torch._utils", "_rebuild_tensor_v2"),
    from,
    integer(start),
    sizes(shape),
    sizes(own),
    truth(false),
    hooks,
  );
}
