/**
 * MLIR as text: module, functions, operators in generic form ("stablehlo.add"(%0, %1) : ...) and in the forms dialects print, regions,
 * aliases, resources. What an operator is made of is told by brackets and the marks % @ ^ # : -> alone, so that dialects which nobody
 * described here are read too. https://mlir.llvm.org/docs/LangRef/
 */

import type { Integrity } from "../../model/graph.ts";
import type { ModelFile } from "../file.ts";
import { attributesOf, type Attributes } from "./attributes.ts";
import { constantOf, wrongSize } from "./constant.ts";
import { Draft, type Value } from "./draft.ts";
import { readElided, type ElidedText } from "./elide.ts";
import { kindOf } from "./kinds.ts";
import { calleeOf, cutArrow, initsLast, insideOf, symbolOf, target } from "./names.ts";
import { Scanner } from "./scanner.ts";
import { cutAt, parseType, type Typed } from "./types.ts";

/** Regions inside regions: loops and branches of generated programs stay below 20. */
const DEPTH_LIMIT = 64;
/** Brackets open at once in one operator. */
const BRACKET_LIMIT = 256;
/** Results that are counted and not written out, %0:65536, over all operators. */
const COUNTED_LIMIT = 262_144;
/** What aliases add to the text of types: a small file can name one long type from everywhere. */
const ALIASED_LIMIT = 4 * 1024 * 1024;
/** Findings told one by one. */
const TOLD = 8;

export interface MlirText {
  readonly draft: Draft;
  readonly module: string | undefined;
  readonly attributes: Attributes;
  /** How often each dialect's operators occur. */
  readonly dialects: ReadonlyMap<string, number>;
  readonly integrity: readonly Integrity[];
  /** Constants whose values were left out. */
  readonly elided: number;
}

export function readMlirText(file: ModelFile): MlirText {
  return new Parser(file.name, readElided(file)).read();
}

type Scope = { readonly values: Map<string, Value>; readonly parent: Scope | undefined };

interface Block {
  readonly graph: number;
  readonly scope: Scope;
  readonly depth: number;
}

interface Named {
  readonly name: string;
  readonly typed: Typed | undefined;
}

class Parser {
  readonly #s: Scanner;
  readonly #draft: Draft;
  readonly #integrity: Integrity[] = [];
  readonly #told = new Map<string, number>();
  readonly #dialects = new Map<string, number>();
  readonly #aliases = new Map<string, string>();
  readonly #asked = new Map<string, number>();
  /** Bytes of each resource at the end of the file. */
  readonly #resources = new Map<string, number>();
  readonly #wanted: { resource: string; data: { bytes: number }; typed: Typed; at: number }[] = [];
  readonly #types = new Map<string, Typed>();
  #module: string | undefined;
  #attributes: Attributes = {};
  #elided = 0;
  #counted = 0;
  #aliased = 0;

  constructor(name: string, text: ElidedText) {
    this.#s = new Scanner(name, text);
    this.#draft = new Draft(name);
  }

  read(): MlirText {
    const top: Block = { graph: -1, scope: { values: new Map(), parent: undefined }, depth: 0 };
    for (this.#s.space(); this.#s.at < this.#s.text.length; this.#s.space()) {
      if (this.#s.text.startsWith("{-#", this.#s.at)) this.#readResources();
      else if (/^[#!][\w.$-]+\s*=/.test(this.#s.text.slice(this.#s.at, this.#s.at + 200))) this.#readAlias();
      else {
        // Inside of a function older dialects write operators without their dialect; around it stand these.
        if (!/^(?:[%"]|module\b|func\b|[\w$-]+\.[\w$.-])/.test(this.#s.text.slice(this.#s.at, this.#s.at + 200)))
          this.#s.fail("no operator begins here", this.#s.at);
        this.#readOperation(top);
      }
    }
    for (const [alias, at] of this.#asked)
      if (!this.#aliases.has(alias)) this.#note("alias/undefined", `${alias} is used and not defined`, at);
    for (const { resource, data, typed, at } of this.#wanted) {
      const bytes = this.#resources.get(resource);
      const label = resource.slice(0, 80);
      if (bytes === undefined) {
        this.#note("resource/undefined", `the resource ${label} of a constant is not in the file`, at);
        continue;
      }
      data.bytes = bytes;
      const wrong = wrongSize(bytes, typed);
      if (wrong !== undefined) this.#note("constant/wrong-size", `the resource ${label}: ${wrong}`, at);
    }
    return {
      draft: this.#draft,
      module: this.#module,
      attributes: this.#attributes,
      dialects: this.#dialects,
      integrity: this.#integrity,
      elided: this.#elided,
    };
  }

  #readAlias(): void {
    const from = this.#s.at;
    const name = this.#s.match(/[#!][\w.$-]+/y) ?? "";
    this.#s.match(/\s*=\s*/y);
    const start = this.#s.at;
    this.#s.run(from, (c) => c === "\n");
    const value = this.#s.text.slice(start, this.#s.at).trim();
    if (value === "") this.#s.fail(`the alias ${name} has no value`, from);
    this.#aliases.set(name, value);
    this.#refer(value, start);
  }

  /** {-# dialect_resources: { builtin: { name: "0x..." } } #-} */
  #readResources(): void {
    const from = this.#s.at;
    const end = this.#s.text.indexOf("#-}", from);
    if (end < 0) this.#s.fail("resources without their end", from);
    // Hexadecimal behind 0x: four bytes of alignment, then the data.
    for (const [, name = "", mark, digits = ""] of this.#s.text
      .slice(from, end)
      .matchAll(/(?<![\w.$-])([\w.$-]+)"?\s*:\s*"(?:\u0001h(\d+),\d+\u0002)?([^"]*)/g))
      this.#resources.set(name, Math.max(0, ((mark === undefined ? digits.length : Number(mark)) - 2) / 2 - 4));
    this.#s.at = end + 3;
  }

  #readOperation(block: Block): void {
    const from = this.#s.at;
    const results = this.#readResults();
    const quoted = this.#s.text[this.#s.at] === '"';
    const name = quoted
      ? (this.#s.match(/"[\w.$-]+"/y) ?? "").slice(1, -1)
      : (this.#s.match(/[A-Za-z_][\w$.-]*/y) ?? "");
    if (name === "") this.#s.fail("no operator where one must be", from);
    const said = this.#readBody(name, block, from, results.length === 0);
    this.#refer(said.head, from);
    const [front = "", ...rest] = cutAt(said.head, ":");
    const kind = kindOf(name);
    const { dialect } = kind;
    this.#dialects.set(dialect, (this.#dialects.get(dialect) ?? 0) + 1);
    if (kind.module) {
      this.#module ??= /@("[^"]*"|[\w$.-]+)/.exec(front)?.[1]?.replace(/"/g, "");
      if (block.depth === 0) this.#attributes = attributesOf(front.replace(/\battributes\b/, ""));
      return;
    }
    if (kind.function) return;
    const { inputs, outputs } = this.#typesOf(rest.join(":"));
    if (kind.terminator) {
      if (block.graph >= 0) this.#draft.outputs(block.graph, said.operands);
      return;
    }
    const attributes = attributesOf(front);
    const values = results.map((label, index): Value => {
      const typed = outputs
        ? outputs[index]
        : inputs.length === results.length
          ? inputs[index]
          : inputs[inputs.length - 1];
      const constant = kind.constant && typed ? constantOf(front, typed) : undefined;
      if (constant?.wrong !== undefined) this.#note("constant/wrong-size", `%${label}: ${constant.wrong}`, from);
      if (constant?.elided === true) this.#elided++;
      const data = constant && { ...constant.data };
      if (constant?.resource !== undefined && data !== undefined && typed !== undefined)
        this.#wanted.push({ resource: constant.resource, data, typed, at: from });
      return { name: label, typed: typed ?? { type: "unknown" }, ...(data ? { data } : {}) };
    });
    values.forEach((value) => block.scope.values.set(value.name, value));
    if (block.graph < 0) return;
    const calls = calleeOf(kind, front);
    this.#draft.add(
      block.graph,
      {
        name,
        operands: kind.reduce && !quoted ? initsLast(said.operands) : said.operands,
        results: values,
        attributes: target(kind, front, attributes),
        graphs: said.graphs,
        ...(calls === undefined ? {} : { calls }),
      },
      this.#s.offsetOf(from),
    );
  }

  /** %a, %b:2 = : a name for each result. */
  #readResults(): string[] {
    if (this.#s.text[this.#s.at] !== "%") return [];
    const from = this.#s.at;
    const out: string[] = [];
    for (;;) {
      const label = this.#s.match(/%[\w$.-]+/y)?.slice(1);
      if (label === undefined) this.#s.fail("no name of a result", from);
      const count = Number(this.#s.match(/:\d+/y)?.slice(1) ?? 1);
      this.#counted += count - 1;
      if (this.#counted > COUNTED_LIMIT) this.#s.fail(`more than ${COUNTED_LIMIT} results that are only counted`, from);
      if (count === 1) out.push(label);
      else for (let i = 0; i < count; i++) out.push(`${label}#${i}`);
      if (this.#s.match(/\s*,\s*/y) === undefined) break;
    }
    if (this.#s.match(/\s*=\s*/y) === undefined) this.#s.fail("results without an operator", from);
    return out;
  }

  /** Everything after the operator's name: operands, graphs of regions, and the text that is left. */
  #readBody(
    name: string,
    block: Block,
    from: number,
    alone: boolean,
  ): { head: string; operands: Value[]; graphs: number[] } {
    const text = this.#s.text;
    const operands: Value[] = [];
    const graphs: number[] = [];
    const pieces: string[] = [];
    let pending: Named[] = [];
    let renamed: { name: string; value: Value }[] = [];
    let piece = this.#s.at;
    const open: string[] = [];
    const take = (): void => {
      pieces.push(text.slice(piece, this.#s.at));
    };
    for (;;) {
      const c = text[this.#s.at];
      if (c === undefined) {
        if (open.length > 0) this.#s.fail(`the text ends inside of ${name}`, from);
        break;
      }
      if (c === "\n" && open.length === 0) {
        const here = this.#s.at;
        const unfinished = /(?:[,=:]|->)[ \t]*$/.test(text.slice(Math.max(0, here - 16), here));
        this.#s.space();
        if (unfinished || this.#continues(name)) continue;
        this.#s.at = here;
        break;
      }
      if (c === "/" && text[this.#s.at + 1] === "/") {
        take();
        const end = text.indexOf("\n", this.#s.at);
        this.#s.at = end < 0 ? text.length : end;
        piece = this.#s.at;
      } else if (c === '"') this.#s.skipString();
      else if ((c === "-" || c === "=") && text[this.#s.at + 1] === ">") this.#s.at += 2;
      else if (c === "%") {
        const here = this.#s.at;
        const label = this.#s.match(/%[\w$.-]+(?:#\d+)?/y)?.slice(1) ?? this.#s.fail("% without a name", here);
        const defines = open.length > 0 ? this.#s.match(/\s*:\s*/y) : undefined;
        if (defines !== undefined) {
          pending.push({ name: label, typed: this.#type(this.#typeText(here)) });
          continue;
        }
        const assigned = this.#s.match(/\s*=\s*%/y) !== undefined;
        if (assigned) this.#s.at--;
        const source = assigned ? (this.#s.match(/%[\w$.-]+(?:#\d+)?/y)?.slice(1) ?? "") : label;
        const value = this.#resolve(source, block.scope, here);
        operands.push(value);
        if (assigned) renamed.push({ name: label, value });
      } else if (c === "{" && this.#opensRegion(name, open)) {
        take();
        const symbol = kindOf(name).function ? symbolOf(pieces.join("")) : undefined;
        const given =
          pending.length > 0 ? pending : renamed.map(({ name: n, value }) => ({ name: n, typed: value.typed }));
        const graph = this.#readRegion(name, symbol, block, given, pieces.join(""), from);
        if (graph >= 0) graphs.push(graph);
        pending = [];
        piece = this.#s.at;
      } else if ("({[<".includes(c)) {
        if (open.length >= BRACKET_LIMIT) this.#s.fail(`more than ${BRACKET_LIMIT} brackets are open`, this.#s.at);
        open.push(c);
        this.#s.at++;
      } else if (")}]>".includes(c)) {
        const last = open.pop();
        if (last === undefined) {
          if (c === "}") break;
          this.#s.fail(`${c} closes nothing`, this.#s.at);
        }
        if ("({[<".indexOf(last) !== ")}]>".indexOf(c)) this.#s.fail(`${last} is closed by ${c}`, this.#s.at);
        this.#s.at++;
      } else this.#s.at++;
    }
    renamed = [];
    take();
    const head = pieces.join("");
    if (kindOf(name).function && graphs.length === 0 && alone) this.#declare(head, pending, from);
    return { head, operands, graphs };
  }

  /** Does the next line go on with this operator: a reducer, a branch, the types. */
  #continues(name: string): boolean {
    if (
      /^(?:reducer|cond|do|else|attributes|body|applies|across|dimensions|init|loc)\b(?!\s*\.)/.test(
        this.#s.text.slice(this.#s.at, this.#s.at + 12),
      )
    )
      return true;
    // A key of the operator's own: no operator begins so.
    if (/^[A-Za-z_]\w*\s*=/.test(this.#s.text.slice(this.#s.at, this.#s.at + 80))) return true;
    const c = this.#s.text[this.#s.at];
    return (
      c === ":" ||
      c === "-" ||
      c === "(" ||
      c === ")" ||
      c === "<" ||
      (c === "{" && !this.#s.text.startsWith("{-#", this.#s.at) && name !== "")
    );
  }

  /** A brace opens a region or a dictionary of attributes; what follows tells. */
  #opensRegion(name: string, open: readonly string[]): boolean {
    if (open.length > 1 || (open.length === 1 && open[0] !== "(")) return false;
    const here = this.#s.at;
    // Sizes stand close behind a type: !hal.buffer{%c4}.
    if (!kindOf(name).function && !/[\s(){}]/.test(this.#s.text[here - 1] ?? "")) return false;
    this.#s.at++;
    this.#s.space();
    const c = this.#s.text[this.#s.at] ?? "";
    let is: boolean;
    if (c === "}") is = open.length === 1 || kindOf(name).module || kindOf(name).function;
    else if (c === "%" || c === "^") is = true;
    else if (c === '"') {
      this.#s.skipString();
      this.#s.space();
      is = this.#s.text[this.#s.at] === "(";
    } else {
      const word = this.#s.match(/[A-Za-z_][\w$.-]*/y) ?? "";
      this.#s.space();
      const after = this.#s.text[this.#s.at] ?? "";
      is = word !== "" && (kindOf(word).terminator || !(after === "=" || after === "," || after === "}"));
    }
    this.#s.at = here;
    return is;
  }

  #readRegion(
    owner: string,
    symbol: string | undefined,
    around: Block,
    given: readonly Named[],
    head: string,
    from: number,
  ): number {
    if (around.depth >= DEPTH_LIMIT) this.#s.fail(`more than ${DEPTH_LIMIT} regions inside each other`, this.#s.at);
    const { module, function: function_ } = kindOf(owner);
    const graph = module ? -1 : this.#draft.open(symbol ?? owner, this.#s.offsetOf(from));
    // A function sees nothing of what is around it.
    const scope: Scope = { values: new Map(), parent: function_ || module ? undefined : around.scope };
    const block: Block = { graph, scope, depth: around.depth + 1 };
    if (function_ && symbol !== undefined) this.#draft.function(symbol, graph, !/\bprivate\b|"private"/.test(head));
    this.#define(block, given, true);
    let first = given.length === 0;
    this.#s.at++;
    for (this.#s.space(); this.#s.text[this.#s.at] !== "}"; this.#s.space()) {
      if (this.#s.at >= this.#s.text.length) this.#s.fail(`the text ends inside of a region of ${owner}`, from);
      if (this.#s.text[this.#s.at] === "^") {
        this.#define(block, this.#readLabel(), first);
        first = false;
      } else if (this.#s.text.startsWith("{-#", this.#s.at)) this.#readResources();
      else this.#readOperation(block);
    }
    this.#s.at++;
    return graph;
  }

  #define({ graph, scope }: Block, given: readonly Named[], entry: boolean): void {
    for (const { name, typed } of given) {
      const value: Value = { name, typed: typed ?? { type: "unknown" } };
      scope.values.set(name, value);
      // Arguments of later blocks are handed over by branches; the first block's are the graph's inputs.
      if (entry && graph >= 0) this.#draft.input(graph, value);
    }
  }

  /** ^bb0(%a: tensor<f32>, %b: tensor<f32>): */
  #readLabel(): Named[] {
    const from = this.#s.at;
    this.#s.match(/\^[\w$.-]+/y);
    this.#s.space();
    const out: Named[] = [];
    if (this.#s.text[this.#s.at] === "(") {
      this.#s.at++;
      for (this.#s.space(); this.#s.text[this.#s.at] !== ")"; this.#s.space()) {
        const label = this.#s.match(/%[\w$.-]+/y)?.slice(1);
        if (label === undefined || this.#s.match(/\s*:\s*/y) === undefined)
          this.#s.fail("a block without its arguments", from);
        out.push({ name: label, typed: this.#type(this.#typeText(from)) });
        this.#s.match(/\s*,/y);
      }
      this.#s.at++;
    }
    if (this.#s.match(/\s*:/y) === undefined) this.#s.fail("a block without its colon", from);
    return out;
  }

  /** A function without a body: its arguments have types only. */
  #declare(head: string, pending: readonly Named[], from: number): void {
    const symbol = symbolOf(head);
    if (symbol === undefined) return;
    const graph = this.#draft.open(symbol, this.#s.offsetOf(from));
    this.#draft.function(symbol, graph, false);
    for (const { name, typed } of pending) this.#draft.input(graph, { name, typed: typed ?? { type: "unknown" } });
  }

  /** The type that begins here, up to a comma, a blank or a bracket that closes; locations after it are passed over. */
  #typeText(from: number): string {
    const start = this.#s.at;
    this.#s.run(from, (c) => c === "," || c === " " || c === "\n");
    const type = this.#s.text.slice(start, this.#s.at);
    if (this.#s.match(/\s*loc(?=\()/y) !== undefined) {
      const at = this.#s.at;
      this.#s.run(from, (c) => c === "," || c === " " || c === "\n");
      this.#refer(this.#s.text.slice(at, this.#s.at), at);
    }
    return type;
  }

  #resolve(label: string, scope: Scope, at: number): Value {
    for (let around: Scope | undefined = scope; around !== undefined; around = around.parent) {
      const value =
        around.values.get(label) ?? around.values.get(label.endsWith("#0") ? label.slice(0, -2) : `${label}#0`);
      if (value !== undefined) return value;
    }
    const value: Value = { name: label, typed: { type: "unknown" } };
    this.#note("value/undefined", `%${label.slice(0, 80)} is used and not defined before`, at);
    scope.values.set(label, value);
    return value;
  }

  /** Types after the colon: of operands and results, or of results alone where operands have the same. */
  #typesOf(text: string): { inputs: Typed[]; outputs: Typed[] | undefined } {
    const [left = "", ...right] = cutArrow(text);
    const outputs = right.length === 0 ? undefined : this.#typeList(right.join("->"));
    return { inputs: this.#typeList(left), outputs };
  }

  #typeList(text: string): Typed[] {
    const plain = text.trim();
    const inner = plain.startsWith("(") ? insideOf(plain) : plain;
    if (inner.trim() === "") return [];
    return cutAt(inner, ",").map((part) => this.#type((cutAt(part.trim(), " ")[0] ?? "").trim()));
  }

  #type(text: string): Typed {
    let typed = this.#types.get(text);
    if (typed === undefined) {
      const whole = text.startsWith("!") && this.#aliases.has(text) ? (this.#aliases.get(text) ?? "") : text;
      const named = this.#unaliased(whole);
      typed = parseType(
        named.replace(/!vhlo\.([A-Za-z0-9]+?)_v1/g, (_, word: string) => (word === "bool" ? "i1" : word)),
      );
      const wide = typed.shape?.some((d) => typeof d === "number" && !Number.isSafeInteger(d)) === true;
      if (wide) this.#note("shape/impossible", `the type ${text.slice(0, 80)}`, this.#s.at);
      this.#types.set(text, typed);
    }
    return typed;
  }

  #unaliased(text: string): string {
    return text.replace(/![\w.$-]+/g, (name) => {
      const alias = this.#aliases.get(name);
      if (alias === undefined) return name;
      this.#aliased += alias.length;
      if (this.#aliased > ALIASED_LIMIT)
        this.#s.fail(`aliases add more than ${ALIASED_LIMIT} bytes to types`, this.#s.at);
      return alias;
    });
  }

  /** Names of aliases that a text uses: #loc3, #map; dialects' own attributes (#stablehlo.dot) are none. */
  #refer(text: string, at: number): void {
    if (!text.includes("#")) return;
    for (const [, name] of text.replace(/"[^"]*"/g, '""').matchAll(/(?<![\w%@$.\]])(#[A-Za-z_][\w$-]*)(?![\w$.<-])/g))
      if (name !== undefined && !this.#asked.has(name)) this.#asked.set(name, this.#s.offsetOf(at));
  }

  #note(rule: string, says: string, at: number): void {
    const count = (this.#told.get(rule) ?? 0) + 1;
    this.#told.set(rule, count);
    if (count <= TOLD) this.#integrity.push({ severity: "error", rule, says, offset: this.#s.offsetOf(at) });
  }
}
