/**
 * Device-tree source, as far as it tells which nodes there are: names, compatible, status and addresses. Overlays name their place by
 * a label (&npu) or a path (&{/soc}); a label's place is not known, so such nodes stand at the root. Devicetree Specification 0.4, ch. 6
 */

import type { PastedMachine } from "./paste-machine.ts";

const BASE = "/sys/firmware/devicetree/base";
const DEPTH_LIMIT = 32;
const NODE_LIMIT = 20_000;

export function isDts(text: string): boolean {
  return /^[ \t]*\/dts-v1\//m.test(text) || (/^[ \t]*\/plugin\/;/m.test(text) && text.includes("compatible ="));
}

export function readDts(text: string, machine: PastedMachine): void {
  const plain = text
    .replace(/\/\*[\s\S]*?(?:\*\/|$)/g, " ")
    .replace(/\/\/[^\n]*/g, "")
    .replace(/^[ \t]*#(include|define|if|endif|else|undef)\b.*$/gm, "");
  const path: string[] = [];
  let nodes = 0;
  machine.listed.add(BASE);
  for (const [before, sign] of tokens(plain)) {
    if (sign === "{") {
      if (path.length >= DEPTH_LIMIT || ++nodes > NODE_LIMIT) return;
      path.push(nodeName(before));
    } else if (sign === "}") path.pop();
    else property(before.trim(), path, machine);
  }
  nameCells(machine);
}

/** What stands before each brace and semicolon that is not inside of a string. By hand, since texts without any would be searched again and again. */
function* tokens(text: string): Generator<readonly [before: string, sign: string]> {
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    const sign = text.charAt(at);
    if (sign === "{" || sign === "}" || sign === ";") {
      yield [text.slice(start, at), sign];
      start = at + 1;
    } else if (sign === '"') {
      let end = at + 1;
      while (end < text.length && text[end] !== '"' && text[end] !== "\n") end++;
      if (text[end] === '"') at = end;
    }
  }
}

/** An overlay does not say how wide the addresses of the tree are that it is put into; what its own nodes write tells. */
function nameCells(machine: PastedMachine): void {
  if (machine.binary.has(`${BASE}/#address-cells`)) return;
  const first = [...machine.binary].find(([path]) => /^[^/]*\/reg$/.test(path.slice(BASE.length + 1)));
  const [address, size] = WIDTHS[(first?.[1].length ?? 0) / 4] ?? [];
  if (address === undefined || size === undefined) return;
  machine.binary.set(`${BASE}/#address-cells`, Uint8Array.of(0, 0, 0, address));
  machine.binary.set(`${BASE}/#size-cells`, Uint8Array.of(0, 0, 0, size));
}

/** Cells of one `reg` to those of address and size. */
const WIDTHS: Readonly<Record<number, readonly [number, number]>> = { 2: [1, 1], 3: [2, 1], 4: [2, 2] };

/** "npu: npu@fde40000 " -> "npu@fde40000"; "&{/soc}" -> "soc"; "/" -> "" */
function nodeName(text: string): string {
  const name = text.trim().split(/\s+/).pop() ?? "";
  if (name === "/") return "";
  return name.replace(/^&/, "").replace(/[^\w,.+@-]/g, "");
}

function property(text: string, path: readonly string[], machine: PastedMachine): void {
  const [, name = "", value = ""] = /^(?:\w+:\s*)?([\w,.+#-]{1,64})\s*=\s*([\s\S]*)$/.exec(text) ?? [];
  if (!KEPT.has(name)) return;
  const parts = path.filter((part) => part !== "");
  const directory = [BASE, ...parts].join("/");
  for (let i = 1; i <= parts.length; i++) machine.listed.add([BASE, ...parts.slice(0, i)].join("/"));
  const strings = [...value.matchAll(/"([^"]*)"/g)].map((found) => found[1] ?? "");
  if (strings.length > 0) {
    machine.file(`${directory}/${name}`, `${strings.join("\0")}\0`);
    return;
  }
  const cells = /^<([^>]*)>/.exec(value.trim())?.[1]?.trim().split(/\s+/) ?? [];
  if (cells.length > 0 && cells.every((cell) => /^(0x[0-9a-f]{1,8}|\d{1,10})$/i.test(cell))) {
    const bytes = Buffer.alloc(cells.length * 4);
    for (const [i, cell] of cells.entries()) bytes.writeUInt32BE(Number(cell) >>> 0, i * 4);
    machine.binary.set(`${directory}/${name}`, bytes);
  }
}

const KEPT: ReadonlySet<string> = new Set([
  "compatible",
  "status",
  "model",
  "reg",
  "#address-cells",
  "#size-cells",
  "label",
]);
