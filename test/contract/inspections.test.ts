/**
 * Every inspection of every model file at hand is valid by the published schema, says what the corpus's truth says of it, and is
 * printable in every form. Truth sentences are of kinds; each kind has a row here.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { describeFile, isModel } from "../../src/inspect/describe.ts";
import type { Inspection, NoModel } from "../../src/inspect/inspection.ts";
import { modelText, noModelText } from "../../src/print/model.ts";
import { renderDot, renderGraphHtml, renderSvg } from "../../src/print/graph.ts";
import { plainTerminal, widthOf } from "../../src/print/terminal.ts";
import { hasShared, sharedPath, top, unlessShared } from "../support/shared.ts";

const schema = JSON.parse(readFileSync(join(top, "docs/inspection.schema.json"), "utf8")) as object;
const validate = new Ajv2020({ strict: true, strictTypes: false }).compile(schema);

interface Entry {
  readonly file: string;
  readonly kind: string;
  readonly bytes: number;
  readonly truth?: string;
}

/** Readers that other files of this folder wait for: named, so that the day they land this list must shrink. */
const unread: readonly RegExp[] = [/\/pte\//, /\/tfjs\//];

const models: readonly Entry[] = hasShared
  ? (JSON.parse(readFileSync(sharedPath("MANIFEST.json"), "utf8")) as Entry[]).filter(
      ({ file, kind }) => file.startsWith("models/") && kind === "model" && !unread.some((path) => path.test(file)),
    )
  : [];

/** A phrase of the truth, and where an inspection has to say it. */
const truths: readonly (readonly [
  phrase: RegExp,
  says: (inspection: Inspection, found: RegExpExecArray) => boolean,
])[] = [
  [/^magic BEEFFACE.*-t (h\d+)/, (i, [, chip]) => all(i).includes(chip ?? "")],
  [/chip (cv18\dx)/, (i, [, chip]) => i.targets.some((target) => target.says.includes(chip ?? ""))],
  [/compiler (\S+);/, (i, [, version]) => all(i).includes(plain(version))],
  [
    /^HEF header version (\d); hw_arch \d \(\d=(\w+)/,
    (i, [, version, arch]) => i.format.version === version && targets(i).includes((arch ?? "").toLowerCase()),
  ],
  [/Dataflow Compiler (\S+);/, (i, [, version]) => i.producer?.version === version],
  [/MD5 at 0x10 verified/, (i) => i.metadata["checksum"]?.endsWith("fits") === true],
  [/^Kneron (KL\d+)/, (i, [, chip]) => targets(i) === chip?.toLowerCase()],
  [/^kmodel v(\d)/, (i, [, version]) => i.format.version?.startsWith(version ?? "") === true],
  [/^LDMK v(\d)/, (i, [, version]) => i.format.version?.startsWith(version ?? "") === true],
  [/target_platform \['(\w+)'/, (i, [, chip]) => targets(i).includes((chip ?? "").toLowerCase())],
  [/compiler version '([\w.]+)/, (i, [, version]) => all(i).includes(version ?? "")],
  [
    /inputs (\d+) outputs (\d+); tensors/,
    (i, [, a, b]) => `${i.inputs.length} ${i.outputs.length}` === `${a ?? ""} ${b ?? ""}`,
  ],
  [/Myriad X; blob version (\d+\.\d+)/, (i, [, version]) => i.format.version === version],
  [/SHAVEs (\d+)/, (i, [, count]) => targets(i).includes(`${count ?? ""} shave`)],
  [
    /ETHOS-U: command streams \d+, MACs (\d+), product (\d)/,
    (i, [, macs, product]) =>
      targets(i).includes(`ethos-u${{ 0: "55", 1: "65", 2: "85" }[product ?? ""] ?? ""}-${macs ?? ""}`),
  ],
  [/Vela (\d+\.\d+\.\d+)/, (i, [, version]) => all(i).includes(version ?? "")],
  [
    /tt-mlir commit (\w+); arch (\w+)/,
    (i, [, commit, arch]) => all(i).includes(commit ?? "") && targets(i).includes(arch ?? ""),
  ],
  [/target AX620E/, (i) => i.format.id === "axmodel"],
  [/^ELF64 RISC-V/, (i) => i.format.id === "et-elf"],
];

const all = (inspection: Inspection): string => JSON.stringify(inspection);
const targets = (inspection: Inspection): string => inspection.targets.map(({ says }) => says.toLowerCase()).join(" ");
/** As JSON spells it. */
const plain = (text: string | undefined): string => JSON.stringify(text ?? "").slice(1, -1);

/** Of TFLite the truth gives inputs and outputs in Python's spelling: ('u8', [1, 128, 128, 3], 'input'). */
const types: Readonly<Record<string, string>> = {
  f32: "float32",
  f16: "float16",
  i32: "int32",
  u8: "uint8",
  i64: "int64",
  i16: "int16",
  i8: "int8",
  bool: "bool",
  str: "string",
};

function tensorsOf(truth: string, which: "inputs" | "outputs"): string[] | undefined {
  const part = new RegExp(`${which} \\[(.*?)\\]; (?:outputs|operators)`).exec(truth)?.[1];
  if (part === undefined) return undefined;
  return [...part.matchAll(/\('(\w+)', \[([\d, -]*)\], '([^']*)'\)/g)].map(
    ([, type, shape, name]) => `${types[type ?? ""] ?? type ?? ""} [${shape ?? ""}] ${name ?? ""}`,
  );
}

describe.skipIf(!hasShared)(`inspections${unlessShared}`, () => {
  it.each(models.map(({ file }) => file))("%s", (file) => {
    const entry = models.find((one) => one.file === file);
    const truth = entry?.truth ?? "";
    const described = describeFile(sharedPath(file), { tensors: true });
    const inspection: Inspection | NoModel = isModel(described) ? described.inspection : described;
    const json: unknown = JSON.parse(JSON.stringify(inspection));
    expect(validate(json) ? [] : validate.errors?.slice(0, 3)).toEqual([]);
    expect(inspection.file.bytes).toBe(entry?.bytes);
    if (!isModel(described)) {
      expect(
        noModelText(described, plainTerminal)
          .split("\n")
          .every((line) => widthOf(line) <= 80),
      ).toBe(true);
      if (file.includes("/lfs-pointer/")) expect(described.looks.kind).toBe("git-lfs-pointer");
      // What is no model is one of the corpus's negatives, or weights that mean something only beside their graph.
      expect(file).toMatch(/\/(lfs-pointer|misc|openvino)\//);
      return;
    }
    const { model } = described;
    expect(file).not.toMatch(/\/(lfs-pointer|misc)\//);
    for (const [phrase, says] of truths) {
      const found = phrase.exec(truth);
      if (found !== null) expect(says(described.inspection, found), `${phrase.source}: ${truth}`).toBe(true);
    }
    for (const which of ["inputs", "outputs"] as const) {
      const expected = tensorsOf(truth, which);
      if (expected === undefined) continue;
      // A batch that the signature leaves open is 1 in the truth, which gives the stored shape.
      const given = described.inspection[which].map(
        ({ type, shape, name }) =>
          `${type} [${(shape ?? []).map((d) => String(d ?? 1)).join(", ")}] ${name.slice(0, 40)}`,
      );
      // The truth names four at most, each by 40 letters.
      expect(expected.length === 4 ? given.slice(0, 4) : given).toEqual(expected);
    }
    const text = modelText(described.inspection, plainTerminal, { ops: true });
    expect(text.split("\n").filter((line) => widthOf(line) > 80)).toEqual([]);
    expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f]|undefined|NaN/);
    if ((model.graphs[model.main ?? 0]?.nodes.length ?? 0) === 0) return;
    const svg = renderSvg(model, file);
    expect(svg.match(/<rect /g)?.length).toBeLessThanOrEqual(400);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    expect(renderGraphHtml(model, file)).toContain("</html>");
    expect(renderDot(model, file)).toMatch(/^digraph .*\n\}\n$/s);
  });
});
