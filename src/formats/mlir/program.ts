/**
 * The program of an MLIR bytecode file: operators with operands, results, attributes and regions, in the order of the file. Values have
 * numbers in the scope of the region that is isolated from what is around it. https://mlir.llvm.org/docs/BytecodeFormat/#ir-section
 */

import type { Attribute, Integrity } from "../../model/graph.ts";
import type { OperatorName, Tables } from "./bytecode.ts";
import { Draft, type Value } from "./draft.ts";
import type { Entries } from "./entries.ts";
import { kindOf } from "./kinds.ts";
import { inherent } from "./properties.ts";
import { BytecodeReader } from "./reader.ts";

/** Regions inside regions: loops and branches of generated programs stay below 20. */
const DEPTH_LIMIT = 64;
/** Values of one function: operators of unrolled programs. */
const VALUE_LIMIT = 4_000_000;
const OPERATOR_LIMIT = 4_000_000;
/** Operands or results of one operator: a call takes every parameter of a network. */
const ARITY_LIMIT = 1_000_000;
const REGION_LIMIT = 65_536;
const BLOCK_LIMIT = 1_000_000;

const HAS_ATTRIBUTES = 1;
const HAS_RESULTS = 2;
const HAS_OPERANDS = 4;
const HAS_SUCCESSORS = 8;
const HAS_REGIONS = 16;
const HAS_USE_ORDERS = 32;
const HAS_PROPERTIES = 64;

export interface Program {
  readonly draft: Draft;
  readonly module: string | undefined;
  readonly dialects: ReadonlyMap<string, number>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly integrity: readonly Integrity[];
}

export function readProgram(tables: Tables, reader: BytecodeReader): Program {
  return new Walk(tables).run(reader);
}

/** Values of one isolated region; each region inside takes its numbers from the end and gives them back. */
interface Scope {
  readonly values: (Value | undefined)[];
  next: number;
}

interface Place {
  readonly graph: number;
  readonly depth: number;
}

/** What an operator's attributes and properties say, by name: index of the attribute. */
type Named = ReadonlyMap<string, number>;

class Walk {
  readonly #tables: Tables;
  readonly #entries: Entries;
  readonly #draft: Draft;
  readonly #dialects = new Map<string, number>();
  readonly #metadata: Record<string, string> = {};
  readonly #integrity: Integrity[] = [];
  #module: string | undefined;
  #operators = 0;

  constructor(tables: Tables) {
    this.#tables = tables;
    this.#entries = tables.entries;
    this.#draft = new Draft(tables.file.name);
  }

  run(reader: BytecodeReader): Program {
    const scope: Scope = { values: [], next: 0 };
    this.#block(reader, scope, { graph: -1, depth: 0 }, false, []);
    if (reader.left > 0) reader.fail(`${reader.left} bytes after the program`);
    return {
      draft: this.#draft,
      module: this.#module,
      dialects: this.#dialects,
      metadata: this.#metadata,
      integrity: this.#integrity,
    };
  }

  /** [operators and flag][arguments][orders of uses][operators] */
  #block(reader: BytecodeReader, scope: Scope, place: Place, entry: boolean, names: readonly string[]): void {
    const { value: operators, flag: hasArguments } = reader.flagged();
    if (operators > reader.left) reader.fail(`${operators} operators, ${reader.left} bytes are left`);
    if (hasArguments) this.#arguments(reader, scope, place, entry, names);
    for (let i = 0; i < operators; i++) this.#operator(reader, scope, place);
  }

  #arguments(reader: BytecodeReader, scope: Scope, { graph }: Place, entry: boolean, names: readonly string[]): void {
    const { version } = this.#tables;
    const count = reader.count(ARITY_LIMIT, "arguments of a block");
    for (let i = 0; i < count; i++) {
      let type: number;
      if (version >= 4) {
        const { value, flag } = reader.flagged();
        type = value;
        if (flag) reader.varint();
      } else {
        type = reader.varint();
        reader.varint();
      }
      const value: Value = { name: names[i] ?? `arg${i}`, typed: this.#entries.type(type) };
      this.#define(reader, scope, value);
      if (entry && graph >= 0) this.#draft.input(graph, value);
    }
    if (version >= 3 && reader.byte() !== 0) this.#useOrders(reader, count);
  }

  #useOrders(reader: BytecodeReader, values: number): void {
    const count = values > 1 ? reader.count(values, "orders of uses") : 1;
    for (let i = 0; i < count; i++) {
      if (values > 1) reader.varint();
      const { value } = reader.flagged(); // pairs or a whole permutation: as many numbers either way
      if (value > reader.left) reader.fail(`${value} uses, ${reader.left} bytes are left`);
      for (let use = 0; use < value; use++) reader.varint();
    }
  }

  #operator(reader: BytecodeReader, scope: Scope, place: Place): void {
    const { version, operators } = this.#tables;
    const from = reader.at;
    if (++this.#operators > OPERATOR_LIMIT) reader.fail(`more than ${OPERATOR_LIMIT} operators`, from);
    const index = reader.varint();
    const operator = operators[index] ?? reader.fail(`operator name ${index}, there are ${operators.length}`, from);
    const mask = reader.byte();
    if ((mask & 0x80) !== 0 || (version < 5 && (mask & HAS_PROPERTIES) !== 0))
      reader.fail("an operator with parts that are not known", from);
    reader.varint(); // its place in the source
    const named = new Map<string, number>();
    if ((mask & HAS_ATTRIBUTES) !== 0) this.#dictionary(reader.varint(), named);
    if ((mask & HAS_PROPERTIES) !== 0) this.#properties(reader, operator, named);
    const types: number[] = [];
    if ((mask & HAS_RESULTS) !== 0)
      for (let i = 0, count = reader.count(ARITY_LIMIT, "results"); i < count; i++) types.push(reader.varint());
    const operands: Value[] = [];
    if ((mask & HAS_OPERANDS) !== 0) {
      const count = reader.count(ARITY_LIMIT, "operands");
      for (let i = 0; i < count; i++) operands.push(this.#value(reader, scope));
    }
    if ((mask & HAS_SUCCESSORS) !== 0)
      for (let i = 0, count = reader.count(BLOCK_LIMIT, "successors"); i < count; i++) reader.varint();
    if (version >= 3 && (mask & HAS_USE_ORDERS) !== 0) this.#useOrders(reader, types.length);
    const { name } = operator;
    const kind = kindOf(name);
    const label = `${name} ${this.#operators - 1}`;
    const constant = named.get("value") ?? named.get("values");
    const results = types.map((type, i): Value => {
      const data =
        kind.constant && constant !== undefined && i === 0 ? this.#entries.constant(constant, label) : undefined;
      return {
        name: `v${this.#operators - 1}${types.length > 1 ? `#${i}` : ""}`,
        typed: this.#entries.type(type),
        ...(data ? { data } : {}),
      };
    });
    for (const value of results) this.#define(reader, scope, value);
    const { dialect } = kind;
    this.#dialects.set(dialect, (this.#dialects.get(dialect) ?? 0) + 1);
    const graphs = (mask & HAS_REGIONS) !== 0 ? this.#regions(reader, scope, place, operator, named, from) : [];
    if (name === "builtin.module") this.#moduleFacts(named, place);
    if (kind.module || kind.function || place.graph < 0) return;
    if (kind.terminator) {
      this.#draft.outputs(place.graph, operands);
      return;
    }
    const calls = this.#callee(name, named);
    const attributes = this.#plain(named);
    this.#draft.add(
      place.graph,
      { name, operands, results, attributes, graphs, ...(calls === undefined ? {} : { calls }) },
      from,
    );
  }

  /** [regions and whether they are isolated] then each, in a section of its own where it is. */
  #regions(
    reader: BytecodeReader,
    scope: Scope,
    place: Place,
    { name }: OperatorName,
    named: Named,
    from: number,
  ): number[] {
    const { value: count, flag: isolated } = reader.flagged();
    if (count > REGION_LIMIT || count > reader.left) reader.fail(`${count} regions`, from);
    if (place.depth >= DEPTH_LIMIT) reader.fail(`more than ${DEPTH_LIMIT} regions inside each other`, from);
    const graphs: number[] = [];
    let inner = reader;
    if (isolated && this.#tables.version >= 2 && count > 0) {
      const { id, at, end } = reader.section();
      if (id !== 4) reader.fail(`a section of kind ${id} where a region must be`, at);
      inner = new BytecodeReader(reader.file, at, end);
    }
    for (let i = 0; i < count; i++) {
      const inside: Scope = isolated ? { values: [], next: 0 } : scope;
      const graph = this.#region(inner, inside, place, name, named, from);
      if (graph >= 0) graphs.push(graph);
    }
    if (inner !== reader && inner.left > 0) inner.fail(`${inner.left} bytes after a region`);
    return graphs;
  }

  /** [blocks][values][blocks] */
  #region(reader: BytecodeReader, scope: Scope, place: Place, owner: string, named: Named, from: number): number {
    const kind = kindOf(owner);
    const isolated = kind.module || kind.function;
    const symbol = kind.function ? this.#symbol(named) : undefined;
    const graph = kind.module ? -1 : this.#draft.open(symbol ?? owner, from);
    if (isolated && symbol !== undefined) this.#draft.function(symbol, graph, this.#isPublic(named));
    const blocks = reader.count(BLOCK_LIMIT, "blocks");
    if (blocks === 0) {
      // A declaration: its arguments have types and nothing else.
      this.#typesOf(named).forEach((type, i) => {
        if (graph >= 0) this.#draft.input(graph, { name: `arg${i}`, typed: this.#entries.type(type) });
      });
      return graph;
    }
    const values = reader.varint();
    const start = scope.values.length;
    if (values > reader.left || start + values > VALUE_LIMIT)
      reader.fail(`${values} values, ${reader.left} bytes are left`);
    const before = scope.next;
    scope.next = start;
    for (let i = 0; i < values; i++) scope.values.push(undefined);
    for (let i = 0; i < blocks; i++) this.#block(reader, scope, { graph, depth: place.depth + 1 }, i === 0, []);
    if (scope.next !== start + values) reader.fail(`a region of ${values} values makes ${scope.next - start}`);
    scope.values.length = start;
    scope.next = before;
    return graph;
  }

  #define(reader: BytecodeReader, scope: Scope, value: Value): void {
    if (scope.next >= scope.values.length) reader.fail("more values than the region says");
    // A use before this one has its own stand-in already.
    scope.values[scope.next++] = value;
  }

  #value(reader: BytecodeReader, scope: Scope): Value {
    const at = reader.at;
    const index = reader.varint();
    if (index >= scope.values.length) reader.fail(`value ${index}, there are ${scope.values.length}`, at);
    const value = scope.values[index];
    if (value !== undefined) return value;
    // Allowed between blocks, where a branch comes first in the file and not in the program.
    if (this.#integrity.length < 8)
      this.#integrity.push({
        severity: "warning",
        rule: "value/forward",
        says: `value ${index} is used before it is made`,
        offset: at,
      });
    return { name: `value ${index}`, typed: { type: "unknown" } };
  }

  #dictionary(index: number, named: Map<string, number>): void {
    const found = this.#entries.attribute(index);
    if (found.is === "dictionary") for (const [key, value] of found.pairs) named.set(key, value);
  }

  #properties(reader: BytecodeReader, operator: OperatorName, named: Map<string, number>): void {
    const at = reader.at;
    const index = reader.varint();
    if (!operator.registered) {
      this.#dictionary(index, named);
      return;
    }
    const place =
      this.#tables.properties[index] ??
      reader.fail(`properties ${index}, there are ${this.#tables.properties.length}`, at);
    const inner = new BytecodeReader(reader.file, place.at, place.end);
    for (const [name, value] of inherent(operator.name, inner)) named.set(name, value);
  }

  #plain(named: Named): Record<string, Attribute> {
    const out: Record<string, Attribute> = {};
    for (const [name, index] of named) {
      if (name === "value" || name === "values") continue;
      const found = this.#entries.attribute(index);
      if (found.is === "named") Object.assign(out, found.values);
      else {
        const value = this.#entries.plain(index);
        if (value !== undefined) out[name] = typeof value === "string" ? value.slice(0, 240) : value;
      }
    }
    return out;
  }

  #symbol(named: Named): string | undefined {
    const index = named.get("sym_name");
    return index === undefined ? undefined : this.#entries.text(index);
  }

  #isPublic(named: Named): boolean {
    const index = named.get("sym_visibility");
    return index === undefined || this.#entries.text(index) !== "private";
  }

  #typesOf(named: Named): readonly number[] {
    const index = named.get("function_type");
    const found = index === undefined ? undefined : this.#entries.attribute(index);
    return found?.is === "type" ? (this.#entries.functionType(found.type)?.inputs ?? []) : [];
  }

  #callee(name: string, named: Named): string | undefined {
    const { calls } = kindOf(name);
    const key = calls === "call" ? "callee" : calls === "composite" ? "decomposition" : undefined;
    const index = key === undefined ? undefined : named.get(key);
    return index === undefined ? undefined : this.#entries.text(index);
  }

  #moduleFacts(named: Named, { depth }: Place): void {
    if (depth > 0) return;
    this.#module = this.#symbol(named);
    for (const [name, index] of [...named].slice(0, 32)) {
      if (name === "sym_name") continue;
      const value = this.#entries.plain(index);
      if (value !== undefined) this.#metadata[name] = String(value).slice(0, 240);
    }
  }
}
