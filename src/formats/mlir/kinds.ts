/** What an operator's name says of it, once for each name: programs repeat some twenty names a hundred thousand times. */

import { sharedOp } from "../../model/ops.ts";

export interface OperatorKind {
  readonly dialect: string;
  /** Shared name; none of custom calls, which only their target knows. */
  readonly op: string | undefined;
  readonly module: boolean;
  readonly function: boolean;
  /** Ends a block: what it names are the outputs of its graph. */
  readonly terminator: boolean;
  readonly constant: boolean;
  readonly custom: boolean;
  readonly reduce: boolean;
  /** Runs a function of the program. */
  readonly calls: "call" | "composite" | undefined;
  /** Its function must be in the file: other dialects have functions that the runtime brings. */
  readonly closed: boolean;
}

/** Names that are kept: dialects have some hundreds. */
const KEPT = 4096;
const kinds = new Map<string, OperatorKind>();

export function kindOf(name: string): OperatorKind {
  const held = kinds.get(name);
  if (held !== undefined) return held;
  if (kinds.size >= KEPT) kinds.clear();
  const made = make(name);
  kinds.set(name, made);
  return made;
}

function make(name: string): OperatorKind {
  const dot = name.indexOf(".");
  const dialect = dot < 0 ? "builtin" : name.slice(0, dot);
  const bare = name.slice(dot + 1).replace(/_v\d+$/, "");
  const custom = bare === "custom_call";
  return {
    dialect,
    op: custom ? undefined : sharedName(name, dialect),
    module: bare === "module",
    function: bare === "func",
    terminator: /(?:^|[._])(?:return|yield|terminator)$/.test(bare),
    constant: bare === "constant" || bare === "const",
    custom,
    reduce: bare === "reduce",
    calls: bare === "call" || bare === "composite" ? bare : undefined,
    closed: dialect === "func" || dialect === "builtin" || dialect === "vhlo" || dialect === "stablehlo",
  };
}

function sharedName(name: string, dialect: string): string | undefined {
  if (dialect === "tosa") return sharedOp("tosa", name.slice(5));
  if (name === "arith.constant") return "Constant";
  return dialect === "stablehlo" || dialect === "mhlo" || dialect === "chlo" || dialect === "vhlo"
    ? sharedOp("stablehlo", name)
    : undefined;
}
