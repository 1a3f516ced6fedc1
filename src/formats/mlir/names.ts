/** What the text of an operator says beside its operands and types: names of functions, targets, the forms some operators print in. */

import { textOf, type Attributes } from "./attributes.ts";
import type { Value } from "./draft.ts";
import type { OperatorKind } from "./kinds.ts";

/** @name of a function, or its sym_name in the generic form. */
export function symbolOf(head: string): string | undefined {
  const found =
    /\bsym_name\s*=\s*(?:#vhlo\.string_v1<)?"([^"]*)"/.exec(head)?.[1] ?? /@("[^"]*"|[\w$.-]+)/.exec(head)?.[1];
  return found === undefined ? undefined : textOf(found.replace(/^"|"$/g, ""));
}

/** Functions that an operator runs. */
export function calleeOf({ calls }: OperatorKind, front: string): string | undefined {
  const pattern =
    calls === "call"
      ? /@("[^"]*"|[\w$.-]+)|callee\s*=\s*#vhlo\.string_v1<"([^"]*)">/
      : calls === "composite"
        ? /decomposition\s*=\s*@("[^"]*"|[\w$.-]+)/
        : undefined;
  const found = pattern?.exec(front);
  const symbol = found?.[1] ?? found?.[2];
  return symbol === undefined ? undefined : textOf(symbol.replace(/^"|"$/g, ""));
}

/** @target of a custom call, in its pretty form; the operator a short reduction applies. */
export function target({ custom }: OperatorKind, front: string, attributes: Attributes): Attributes {
  if (custom && attributes["call_target_name"] === undefined) {
    const found = /^\s*@("[^"]*"|[\w$.-]+)/.exec(front)?.[1];
    return found === undefined ? attributes : { ...attributes, call_target_name: textOf(found.replace(/^"|"$/g, "")) };
  }
  if (!front.includes("applies")) return attributes;
  const applied = /\bapplies\s+([\w.]+)/.exec(front)?.[1];
  return applied === undefined ? attributes : { ...attributes, applies: applied };
}

/** (%a init: %x), (%b init: %y): inputs first, then initial values, as the generic form has them. */
export const initsLast = (operands: readonly Value[]): Value[] => [
  ...operands.filter((_, at) => at % 2 === 0),
  ...operands.filter((_, at) => at % 2 === 1),
];

/** Cut at "->" outside of brackets. */
export function cutArrow(text: string): string[] {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const c = text[at] ?? "";
    if (c === "-" && text[at + 1] === ">") {
      if (depth === 0) return [text.slice(0, at), text.slice(at + 2)];
      at++;
    } else if ("({[<".includes(c)) depth++;
    else if (")}]>".includes(c)) depth--;
  }
  return [text];
}

/** What stands in the parentheses that open a text. */
export function insideOf(text: string): string {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const c = text[at] ?? "";
    if (c === "-" && text[at + 1] === ">") at++;
    else if ("({[<".includes(c)) depth++;
    else if (")}]>".includes(c) && --depth === 0) return text.slice(1, at);
  }
  return text.slice(1);
}
