/**
 * XML as model files use it: elements, attributes, text. A pull reader with limits: no entities of its own making, nothing fetched,
 * a depth, and every complaint with its offset. https://www.w3.org/TR/xml/ ; why not a library: docs/decisions/030-own-xml-reader.md
 */

import { utf8 } from "../../base/bytes.ts";
import { FileError } from "../../base/errors.ts";
import type { ModelFile } from "../file.ts";

/** Graphs of the largest language models take some ten MiB of XML. */
const TEXT_LIMIT = 96 * 1024 * 1024;
/** Bodies within bodies (If in Loop in If) add some six levels each. */
const DEPTH_LIMIT = 96;
const ATTRIBUTE_LIMIT = 512;
const NAME_LIMIT = 256;

export interface XmlOpen {
  readonly kind: "open";
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Byte offset of its "<". Counted only when asked for: it costs a walk over what is before. */
  readonly offset: () => number;
}

export type XmlEvent = XmlOpen | { readonly kind: "close"; readonly name: string } | { kind: "text"; text: string };

export class Xml {
  readonly #file: ModelFile;
  readonly #text: string;
  readonly #open: string[] = [];
  #at: number;
  /** An element that closes itself gives its end as the next event. */
  #closing = false;
  #rooted = false;

  constructor(file: ModelFile) {
    if (file.size > TEXT_LIMIT) throw new FileError(file.name, `${file.size} bytes of XML, over ${TEXT_LIMIT}`, 0);
    this.#file = file;
    this.#text = utf8(file.slice(0, file.size));
    this.#at = this.#text.startsWith("\uFEFF") ? 1 : 0;
  }

  fail(why: string, at = this.#at): never {
    throw new FileError(this.#file.name, why, this.#offset(at));
  }

  /** The next element's start or end, or the text between; undefined behind the root element. */
  next(): XmlEvent | undefined {
    if (this.#closing) {
      this.#closing = false;
      return { kind: "close", name: this.#open.pop() ?? "" };
    }
    const text = this.#text;
    for (;;) {
      if (this.#open.length === 0 && this.#rooted) return undefined;
      const start = text.indexOf("<", this.#at);
      if (start < 0) return this.fail(`ends inside <${this.#open.at(-1) ?? "nothing"}>`, text.length);
      if (start > this.#at && this.#open.length > 0) {
        const between = text.slice(this.#at, start);
        this.#at = start;
        if (between.trim() !== "") return { kind: "text", text: plain(between) };
      }
      this.#at = start;
      if (text.startsWith("<!--", start)) this.#skipTo("-->", start + 4);
      else if (text.startsWith("<![CDATA[", start)) {
        const end = this.#skipTo("]]>", start + 9);
        return { kind: "text", text: text.slice(start + 9, end) };
      } else if (text.startsWith("<?", start)) this.#skipTo("?>", start + 2);
      else if (text.startsWith("<!", start)) {
        // A document type may name a file; one with declarations of its own could make text grow.
        const end = this.#skipTo(">", start + 2);
        if (text.slice(start, end).includes("[")) this.fail("a document type with declarations is not read", start);
      } else if (text.startsWith("</", start)) return this.#close(start);
      else return this.#start(start);
    }
  }

  /** Passes the rest of the element that was opened last, whatever is in it. */
  skip(): void {
    const depth = this.#open.length;
    while (this.#open.length >= depth && this.next() !== undefined);
  }

  /** Where something stands behind the root element that may not stand there; undefined when all is well. */
  rest(): number | undefined {
    const text = this.#text;
    for (let at = this.#at; ;) {
      somethingAt.lastIndex = at;
      const found = somethingAt.exec(text)?.index;
      if (found === undefined) return undefined;
      const end = text.startsWith("<!--", found) ? "-->" : text.startsWith("<?", found) ? "?>" : undefined;
      const to = end === undefined ? -1 : text.indexOf(end, found + 2);
      if (end === undefined || to < 0) return this.#offset(found);
      at = to + end.length;
    }
  }

  #skipTo(mark: string, from: number): number {
    const end = this.#text.indexOf(mark, from);
    if (end < 0) this.fail(`no ${mark} follows`, this.#at);
    this.#at = end + mark.length;
    return end;
  }

  #close(start: number): XmlEvent {
    const end = this.#skipTo(">", start);
    const name = this.#text.slice(start + 2, end).trim();
    const expected = this.#open.pop();
    if (name !== expected) {
      this.fail(`</${name.slice(0, 40)}> where </${expected ?? "nothing"}> is expected`, start);
    }
    return { kind: "close", name };
  }

  #start(start: number): XmlOpen {
    const text = this.#text;
    nameAt.lastIndex = start + 1;
    const name = nameAt.exec(text)?.[0];
    if (name === undefined || name.length > NAME_LIMIT) return this.fail("no element name follows <", start);
    if (this.#open.length >= DEPTH_LIMIT) this.fail(`elements within elements, over ${DEPTH_LIMIT} deep`, start);
    const attributes: Record<string, string> = {};
    let count = 0;
    let at = start + 1 + name.length;
    for (;;) {
      attributeAt.lastIndex = at;
      const found = attributeAt.exec(text);
      if (found === null) break;
      const [whole, key = "", double, single] = found;
      if (Object.hasOwn(attributes, key)) this.fail(`attribute ${key.slice(0, 40)} is given twice`, at);
      if (++count > ATTRIBUTE_LIMIT || key.length > NAME_LIMIT) this.fail("more attributes than anyone writes", at);
      attributes[key] = plain(double ?? single ?? "");
      at += whole.length;
    }
    endAt.lastIndex = at;
    const end = endAt.exec(text)?.[0];
    if (end === undefined) return this.fail(`<${name}> has no end, or an attribute without a value`, at);
    this.#at = at + end.length;
    this.#open.push(name);
    this.#rooted = true;
    this.#closing = end.endsWith("/>");
    return { kind: "open", name, attributes, offset: () => this.#offset(start) };
  }

  #offset(at: number): number {
    return Math.min(this.#file.size, Buffer.byteLength(this.#text.slice(0, at)));
  }
}

const somethingAt = /[^\s\0]/g;
const nameAt = /[A-Za-z_:][^\s/>=<]*/y;
const attributeAt = /\s+([^\s=/><"']+)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y;
const endAt = /\s*\/?>/y;

const entities: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

/** The five entities of XML and characters by number; any other stays as it is written. */
function plain(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&(?:#x([0-9a-fA-F]{1,6})|#([0-9]{1,7})|([a-z]{2,4}));/g, (whole, hex, decimal, name) => {
    const code = hex !== undefined ? parseInt(String(hex), 16) : decimal !== undefined ? Number(decimal) : undefined;
    if (code !== undefined) return code <= 0x10ffff ? String.fromCodePoint(code) : "\uFFFD";
    return Object.hasOwn(entities, String(name)) ? (entities[String(name)] ?? whole) : whole;
  });
}
