/**
 * StableHLO: programs of JAX, PyTorch/XLA and TensorFlow in MLIR, as text and as bytecode (the portable form, VHLO). Text in other
 * dialects (mhlo, tosa, linalg) is read by the same rules. https://openxla.org/stablehlo/spec, https://mlir.llvm.org/docs/LangRef/
 */

import { latin1 } from "../base/bytes.ts";
import { model, type Integrity, type Model } from "../model/graph.ts";
import type { ModelFile } from "./file.ts";
import type { Format } from "./format.ts";
import { isBytecode, readBytecode } from "./mlir/bytecode.ts";
import { readMlirText } from "./mlir/text.ts";

/** Where a text says what it is: a location table or a few constants may stand before the first operator. */
const HEAD = 256 * 1024;

const format: Format = {
  id: "stablehlo",
  name: "StableHLO and other MLIR",
  vendor: "OpenXLA",
  extensions: [".mlir", ".mlirbc", ".stablehlo", ".mlir.bc"],
  shows: "full",
  matches: (file) => (isBytecode(file) || isText(file) ? 2 : 0),
  read: (file) => (isBytecode(file) ? fromBytecode(file) : fromText(file)),
  sources: [
    "https://openxla.org/stablehlo/spec",
    "https://openxla.org/stablehlo/bytecode",
    "https://mlir.llvm.org/docs/LangRef/",
    "https://mlir.llvm.org/docs/BytecodeFormat/",
    "https://www.mlplatform.org/tosa/tosa_spec.html",
  ],
  checked: {
    files: 57,
    says: "27 texts and bytecodes such as JAX 0.10.2 writes, and 30 portable artifacts of StableHLO 0.9 to 1.16 from its repository: operators and types as MLIR's own parser gives them",
  },
};
export default format;

const opens =
  /(?:^|\n)(?:module(?:\s+@(?:"[^"\n]*"|[\w$.-]+))?\s*(?:attributes\b|\{)|"?builtin\.module\b|"?func\.func\b|func\s+(?:public\s+|private\s+)?@|"?vhlo\.func_v\d|[#!][\w.$-]+\s*=\s)/;
const operator =
  /(?:^|[\s"({])(?:stablehlo|mhlo|chlo|vhlo|tosa|func|linalg|arith|tensor|tfl|torch|onnx|hal|flow|util|stream|vm)\.\w+/;
const holds = /(?:^|[\s"])(?:builtin\.)?(?:module|func(?:\.func)?|vhlo\.func_v\d+)\b/;

/** A module, a function or an alias first, comments aside, and an operator of a dialect after it: text of other kinds has no such pair. */
function isText(file: ModelFile): boolean {
  if (file.size < 16) return false;
  // One look at the first bytes spares other formats' files the longer one.
  if (/[^\t\n\r\x20-\x7e\x80-\xff]/.test(latin1(file.head(64)))) return false;
  const start = latin1(file.head(4096)).replace(/^(?:\s|\/\/[^\n]*(?:\n|$))+/, "");
  if (start !== "" && opens.exec(start)?.index !== 0) return false;
  const head = latin1(file.head(HEAD));
  return (start !== "" || opens.test(head)) && operator.test(head) && holds.test(head);
}

function fromText(file: ModelFile): Model {
  const { draft, module, attributes, dialects, integrity: found, elided } = readMlirText(file);
  const { graphs, main, undefined: missing, functions } = draft.finish();
  const integrity: Integrity[] = [...found, ...absent(missing)];
  if (functions.length === 0)
    integrity.push({ severity: "warning", rule: "graph/none", says: "the program has no function" });
  return model("stablehlo", {
    sealed: false,
    graphs,
    ...(main === undefined ? {} : { main }),
    metadata: {
      form: "text",
      ...(module === undefined ? {} : { module }),
      dialects: [...dialects]
        .filter(([name]) => name !== "builtin")
        .map(([name, count]) => `${name} ${count}`)
        .join(", "),
      ...Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, String(value)])),
    },
    sections: [{ name: "text", kind: "graph", offset: 0, bytes: file.size }],
    integrity,
    unseen: elided > 0 ? [`the values of ${elided} constants: they were left out when the text was written`] : [],
  });
}

const absent = (symbols: readonly string[]): Integrity[] =>
  symbols.length === 0
    ? []
    : [
        {
          severity: "error",
          rule: "function/undefined",
          says: `${symbols
            .slice(0, 8)
            .map((symbol) => `@${symbol.slice(0, 80)}`)
            .join(", ")}${symbols.length > 8 ? " and more" : ""}: called and not in the file`,
        },
      ];

function fromBytecode(file: ModelFile): Model {
  const found = readBytecode(file);
  const { graphs, main, undefined: missing } = found.draft.finish();
  return model("stablehlo", {
    sealed: false,
    version: `MLIR bytecode ${found.version}`,
    producer: found.producer,
    graphs,
    ...(main === undefined ? {} : { main }),
    metadata: { form: "bytecode", ...(found.module === undefined ? {} : { module: found.module }), ...found.metadata },
    sections: found.sections,
    integrity: [...found.integrity, ...absent(missing)],
    requires: found.requires,
    unseen: found.unseen,
  });
}
