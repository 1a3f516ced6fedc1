import { describe, expect, it } from "vitest";
import { FileError } from "../../../src/base/errors.ts";
import { modelFileOf } from "../../../src/formats/file.ts";
import { Xml, type XmlEvent } from "../../../src/formats/wire/xml.ts";

const open = (text: string): Xml => new Xml(modelFileOf(Buffer.from(text), "a.xml"));
/** Events in short: "<a k=v", "text", "</a". */
function walk(text: string): string[] {
  const xml = open(text);
  const out: string[] = [];
  for (let event: XmlEvent | undefined = xml.next(); event !== undefined; event = xml.next()) {
    if (event.kind === "text") out.push(event.text);
    else if (event.kind === "close") out.push(`</${event.name}`);
    else out.push([`<${event.name}`, ...Object.entries(event.attributes).map(([k, v]) => `${k}=${v}`)].join(" "));
  }
  return out;
}
const fault = (text: string): { says: string; offset: number | undefined } => {
  try {
    walk(text);
  } catch (error) {
    if (error instanceof FileError) return { says: error.message, offset: error.offset };
    throw error;
  }
  throw new Error("read as if it were whole");
};

describe("XML", () => {
  it("gives elements, attributes and text in their order", () => {
    expect(walk(`<?xml version="1.0"?><a x="1" y='2'>\n <b/>text<c z = "3" >t</c >\n</a>`)).toEqual([
      "<a x=1 y=2",
      "<b",
      "</b",
      "text",
      "<c z=3",
      "t",
      "</c",
      "</a",
    ]);
  });

  it("leaves comments, processing instructions and what is behind the root out; keeps CDATA as it is", () => {
    expect(walk("<!-- <x> --><a><!-- - -- ?--><?php <b> ?><![CDATA[<c> & ]]></a>\n<!-- end -->")).toEqual([
      "<a",
      "<c> & ",
      "</a",
    ]);
    expect(walk("\uFEFF<a/>")).toEqual(["<a", "</a"]);
  });

  it("knows the five entities and characters by number; others stay as they are written", () => {
    expect(walk(`<a k="&lt;&amp;&quot;&apos;&gt;">&#228;&#x1F600;&nope;&#1114112;&amp;lt;</a>`)).toEqual([
      `<a k=<&"'>`,
      "ä😀&nope;\uFFFD&lt;",
      "</a",
    ]);
  });

  it("skips an element with all that is in it", () => {
    const xml = open("<a><b><b/><c>t</c></b><d/></a>");
    xml.next();
    xml.next();
    xml.skip();
    expect(xml.next()).toMatchObject({ kind: "open", name: "d" });
    xml.skip();
    expect(xml.next()).toMatchObject({ kind: "close", name: "a" });
    expect(xml.next()).toBeUndefined();
  });

  it("gives offsets in bytes, not in characters", () => {
    const xml = open("<a>ä😀<b/></a>");
    xml.next();
    xml.next();
    const event = xml.next();
    expect(event?.kind === "open" ? event.offset() : -1).toBe(3 + 2 + 4);
  });

  it("an attribute called __proto__ is one like any other", () => {
    const event = open(`<a __proto__="x" constructor="y"/>`).next();
    expect(event?.kind === "open" ? Object.entries(event.attributes).length : 0).toBeGreaterThan(0);
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
  });
});

describe("broken XML ends in a FileError with its place", () => {
  it.each([
    ["<a><b></a>", "</a> where </b> is expected", 6],
    ["<a><b>", "ends inside <b>", 6],
    ["<a", "has no end", 2],
    ["<a x=1/>", "has no end, or an attribute without a value", 2],
    [`<a x="1" x="2"/>`, "x is given twice", 8],
    [`<a x="<"/>`, "has no end", 2],
    ["<a><!-- never", "no --> follows", 3],
    ["<a><![CDATA[ never", "no ]]> follows", 3],
    ["<1/>", "no element name follows <", 0],
    ["", "ends inside <nothing>", 0],
  ])("%s", (text, says, offset) => {
    const found = fault(text);
    expect(found.says).toContain(says);
    expect(found.offset).toBe(offset);
  });

  it("declarations of entities, which could make a small file large or name another, are refused", () => {
    const laughs = `<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;">]><a>&y;</a>`;
    expect(() => walk(laughs)).toThrow(FileError);
    expect(() => walk(`<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>`)).toThrow(FileError);
  });

  it("depth and attributes have a limit", () => {
    expect(() => walk("<a>".repeat(200))).toThrow("deep");
    const many = Array.from({ length: 600 }, (_, i) => `k${i}="v"`).join(" ");
    expect(() => walk(`<a ${many}/>`)).toThrow("more attributes");
  });

  it("a long tail of no elements takes no longer than its length", () => {
    const start = performance.now();
    expect(() => walk(`<a ${" ".repeat(2_000_000)}`)).toThrow(FileError);
    expect(() => walk(`<a>${"<".repeat(200_000)}`)).toThrow(FileError);
    expect(performance.now() - start).toBeLessThan(1000);
  });
});
