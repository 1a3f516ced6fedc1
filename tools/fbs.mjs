// Reads a FlatBuffers schema as far as tables of ids and names need it.
import { readFileSync } from "node:fs";

export function readSchema(path) {
  const text = readFileSync(path, "utf8").replace(/\/\/.*$/gm, "");
  const found = { enum: new Map(), union: new Map(), table: new Map(), struct: new Map() };
  for (const [, kind, name, body] of text.matchAll(/\b(enum|union|table|struct)\s+(\w+)[^{;]*\{([^}]*)\}/g)) {
    found[kind].set(name, body);
  }
  const items = (body, separator) =>
    body
      .split(separator)
      .map((item) => item.trim())
      .filter(Boolean);

  /** Names by number; "" where a number has none. */
  function enumNames(name) {
    const names = [];
    let next = 0;
    for (const item of items(found.enum.get(name) ?? "", ",")) {
      const [, word, value] = /^(\w+)(?:\s*=\s*(\d+))?/.exec(item);
      next = value === undefined ? next : Number(value);
      while (names.length < next) names.push("");
      names[next++] = word;
    }
    return names;
  }
  const unionNames = (name) => [
    "NONE",
    ...items(found.union.get(name), ",").map((item) => /^(?:\w+\s*:\s*)?(\w+)/.exec(item)[1]),
  ];

  /** Fields in the order of their ids: a union takes two. */
  function fieldsOf(table) {
    return items(found.table.get(table) ?? "", ";").flatMap((item) => {
      const [, name, type, value] = /^(\w+)\s*:\s*(\[?\s*[\w.]+\s*\]?)(?:\s*=\s*([\w.-]+))?/.exec(item);
      const field = { name, type: type.replace(/\s/g, ""), value, deprecated: /\(\s*deprecated/.test(item) };
      return found.union.has(type) ? [{ ...field, name: `${name}_type`, type: "ubyte" }, field] : [field];
    });
  }
  return { found, enumNames, unionNames, fieldsOf };
}

/** The id of each field of some tables, as source text. */
export function fieldsText(schema, tables) {
  const rows = tables.map((name) => {
    const ids = schema.fieldsOf(name).map((field, id) => `${field.name}: ${id}`);
    return `  ${name}: { ${ids.join(", ")} },`;
  });
  return `export const fields = {\n${rows.join("\n")}\n} as const;\n`;
}
