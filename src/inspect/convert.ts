/** From the table of conversions to commands for one file and one device, each need held against the model. */

import { shellWord } from "../base/shell.ts";
import { describeSource } from "../base/source.ts";
import type { Family } from "../families/family.ts";
import { unconverted } from "./conversions-makers.ts";
import { bridges, conversions, type Conversion, type Need } from "./conversions.ts";
import type { ConversionReport, Inspection } from "./inspection.ts";

type NeedReport = ConversionReport["needs"][number];

/** Formats of language models: nobody makes one of a network for pictures, or the other way round. */
const language: ReadonlySet<string> = new Set(["gguf", "rkllm", "safetensors"]);

/** Every way from this file to what the family's routes take; tools whose commands are not in the table are named with none. */
export function conversionsTo(family: Family, inspection: Inspection, path: string, chip?: string): ConversionReport[] {
  if (inspection.sealed) return [];
  const wanted = new Map<string, Family["routes"][number]>();
  for (const route of family.routes) {
    if (route.chips !== undefined && chip !== undefined && !route.chips.includes(chip)) continue;
    for (const { format } of route.models) if (!wanted.has(format)) wanted.set(format, route);
  }
  const own = inspection.format.id;
  const reports: ConversionReport[] = [];
  for (const [to, route] of wanted) {
    if (to === own) continue;
    const rows = [...conversions, ...bridges].filter(
      (row) => row.to === to && (row.families === undefined || row.families.includes(family.id)),
    );
    const direct = rows.find((row) => row.from.includes(own));
    if (direct !== undefined) reports.push(report(family, [direct], inspection, path, chip));
    else {
      const chain = rows.flatMap((row) => {
        const bridge = bridges.find(
          (first) => first.from.includes(own) && row.from.includes(first.to) && first !== row,
        );
        return bridge === undefined ? [] : [[bridge, row]];
      })[0];
      if (chain !== undefined) reports.push(report(family, chain, inspection, path, chip));
      else if ((rows.length === 0 || Object.hasOwn(unconverted, to)) && (!language.has(to) || language.has(own))) {
        const said = ({ tool, needs }: ConversionReport): string => [tool, ...needs.map(({ says }) => says)].join();
        reports.push(
          ...unnamed(family, route, to).filter((one) => !reports.some((other) => said(other) === said(one))),
        );
      }
    }
  }
  return reports;
}

/** The catalogue knows the compiler; there is no command for such a file, and where we know why, it is said. */
function unnamed(family: Family, route: Family["routes"][number], to: string): ConversionReport[] {
  const model = route.models.find((one) => one.format === to);
  if (model?.compiler === undefined) return [];
  const reason = Object.hasOwn(unconverted, to) ? unconverted[to] : undefined;
  return [
    {
      family: family.id,
      to,
      tool: model.compiler,
      openness: model.openness,
      commands: [],
      needs: [
        reason === undefined
          ? { what: "a model the compiler reads", met: "unknown", says: `see what ${model.compiler} takes` }
          : { what: "another way", met: "no", says: reason.says },
      ],
      sources: [describeSource(reason?.source ?? route.delegate.source)],
    },
  ];
}

function report(
  family: Family,
  steps: readonly Conversion[],
  inspection: Inspection,
  path: string,
  chip: string | undefined,
): ConversionReport {
  const commands: string[] = [];
  let model = path;
  let format = inspection.format.id;
  let [input] = inspection.inputs;
  const fixed = steps.some(({ needs }) => needs.includes("static shapes")) ? fixShapes(inspection, path) : undefined;
  if (fixed !== undefined) {
    commands.push(...fixed.commands);
    model = fixed.model;
    if (input?.shape != null) input = { ...input, shape: fixedSizes(input.shape, inspection) };
  }
  const stem = stemOf(model);
  for (const step of steps) {
    for (const command of step.commands) commands.push(fill(command, step, { model, stem, format, chip, input }));
    if (step.to === "tflite") model = `${stem}_tflite/${stem}_full_integer_quant.tflite`;
    else if (step.to === "onnx") model = `${stem}.onnx`;
    format = step.to;
  }
  const needs = new Set(steps.flatMap((step) => step.needs));
  // A bridge that quantises gives what the next tool wants; what it wants itself stays.
  if (steps.length > 1 && steps[0]?.needs.includes("calibration data") === true) needs.delete("full integer");
  if (steps.some((step) => step.commands.some((command) => command.includes("{chip}")))) needs.add("chip name");
  const last = steps.at(-1);
  return {
    family: family.id,
    to: last?.to ?? "",
    tool: steps.map((step) => step.tool).join(", then "),
    openness: opennessOf(steps),
    commands,
    needs: [...needs].map((need) => judge(need, inspection, { step: last, chip, commands })),
    sources: [...new Set(steps.map((step) => describeSource(step.source)))],
  };
}

function opennessOf(steps: readonly Conversion[]): Conversion["openness"] {
  if (steps.every((step) => step.openness === "open")) return "open";
  return steps.some((step) => step.openness === "closed") ? "closed" : "mixed";
}

const stemOf = (path: string): string => {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const dot = name.lastIndexOf(".");
  // Tools make file names and C symbols of it; anything else the user has to name.
  return (dot > 0 ? name.slice(0, dot) : name).replace(/[^\w.-]/g, "_").replace(/^-/, "_");
};

interface Filling {
  readonly model: string;
  readonly stem: string;
  readonly format: string;
  readonly chip: string | undefined;
  readonly input: Inspection["inputs"][number] | undefined;
}

function fill(command: string, step: Conversion, { model, stem, format, chip, input }: Filling): string {
  const at = model.lastIndexOf("/");
  const dir = at > 0 ? model.slice(0, at) : at === 0 ? "/" : ".";
  const sizes = input?.shape?.every((size) => typeof size === "number" && size >= 0) === true ? input.shape : undefined;
  const words: Readonly<Record<string, string>> = {
    model: shellWord(model.startsWith("-") ? `./${model}` : model),
    dir: shellWord(dir.startsWith("-") ? `./${dir}` : dir),
    stem,
    chip: chipWord(step, chip),
    loader: (Object.hasOwn(step.loaders ?? {}, format) ? step.loaders?.[format] : undefined) ?? format,
    input: input === undefined || input.name === "" ? "INPUT" : shellWord(input.name),
    shape: sizes?.join(",") ?? "SHAPE",
    python: pythonWord(model),
    pythondir: pythonWord(dir),
    pythoninput: pythonWord(input === undefined || input.name === "" ? "INPUT" : input.name),
    out: pythonWord(`${stem}.${step.to}`),
  };
  return command.replace(
    /\{(model|dir|stem|chip|loader|input|shape|python|pythondir|pythoninput|out)\}/g,
    (_, name: string) => words[name] ?? "",
  );
}

/** A Python string inside single quotes of a shell: neither a quote of the shell nor of Python may end it. */
const pythonWord = (text: string): string =>
  `"${text
    .replace(/[\\"]/g, "\\$&")
    .replaceAll("'", `'\\''`)
    .replace(/[\n\r]/g, "?")}"`;

const chipWord = (step: Conversion, chip: string | undefined): string =>
  (chip !== undefined && Object.hasOwn(step.chips ?? {}, chip) ? step.chips?.[chip] : undefined) ??
  step.placeholder ??
  "CHIP";

interface Way {
  /** The last one. */
  readonly step: Conversion | undefined;
  readonly chip: string | undefined;
  readonly commands: readonly string[];
}

/** What commands take typical inputs from: names of files that the user makes. */
const CALIBRATION = /\b(?:dataset\.txt|calib\.npy|input_list\.txt|data_quant\.json|IMAGES)\b/;

function judge(what: Need, inspection: Inspection, { step, chip, commands }: Way): NeedReport {
  switch (what) {
    case "static shapes": {
      const open = openInputs(inspection);
      if (inspection.inputs.length === 0) return { what, met: "unknown", says: "the file declares no inputs" };
      return open.length === 0
        ? { what, met: "yes", says: "every input has one" }
        : { what, met: "no", says: `${open.map(({ name }) => name).join(", ")} left open; ${fixing(commands)}` };
    }
    case "full integer": {
      const kind = inspection.quantization?.kind;
      const says = inspection.quantization?.says ?? "how it is quantised cannot be seen";
      if (kind === "full integer") return { what, met: "yes", says };
      return kind === undefined
        ? { what, met: "unknown", says }
        : {
            what,
            met: "no",
            says: `it is ${says}; make it anew from the model it was trained as, quantised with calibration data`,
          };
    }
    case "calibration data": {
      const where = CALIBRATION.exec(commands.join("\n"))?.[0];
      const says = "some hundred typical inputs, from you";
      const { kind, says: scheme } = inspection.quantization ?? {};
      const done = kind === "full integer" || kind === "qdq";
      const rather = done
        ? `; the file is quantised already (${scheme ?? ""}), the float one it was made from is the better start`
        : "";
      if (where !== undefined) return { what, met: "unknown", says: `${says}: ${where}${rather}` };
      const own = "onnx2tf has sample pictures for image inputs; -cind gives it yours, and other inputs need that";
      return {
        what,
        met: "unknown",
        says: commands.some((one) => one.startsWith("onnx2tf")) ? own : `${says}${rather}`,
      };
    }
    case "x86-64":
      return { what, met: "unknown", says: "the tool is made for x86-64 machines" };
    case "free account":
      return { what, met: "unknown", says: "the maker gives the tool after a registration" };
    case "maker's licence":
      return { what, met: "unknown", says: "the tool's licence is for those whom the maker supplies with its devices" };
    case "configuration":
      return { what, met: "unknown", says: "a file you write: what the inputs are and where typical ones lie" };
    case "whole folder":
      return { what, met: "unknown", says: "the model's folder as published, with its configuration and tokenizer" };
    case "the device itself":
      return { what, met: "unknown", says: "the tool compiles on a machine that has the device and its driver" };
    case "macOS":
      return {
        what,
        met: "unknown",
        says: "Apple's compiler is part of macOS; it takes an .mlmodel here, no .mlpackage",
      };
    case "TensorRT 10.7 or before":
      return { what, met: "unknown", says: "the last release whose tools build for a DLA" };
    case "chip name": {
      const known = chip !== undefined && Object.hasOwn(step?.chips ?? {}, chip);
      const placeholder = step?.placeholder ?? "CHIP";
      const examples = step?.words ?? [...new Set(Object.values(step?.chips ?? {}))].join(", ");
      const words = examples === "" ? "" : `: ${examples}`;
      return known
        ? { what, met: "yes", says: step === undefined ? "" : chipWord(step, chip) }
        : { what, met: "unknown", says: `put the tool's word for yours in place of ${placeholder}${words}` };
    }
  }
}

/**
 * Commands that fix open sizes of an ONNX file, and the file they leave; an open first dimension is a batch of one.
 * https://onnxruntime.ai/docs/tutorials/mobile/helpers/make-dynamic-shape-fixed.html
 */
function fixShapes(inspection: Inspection, path: string): { commands: string[]; model: string } | undefined {
  const open = openInputs(inspection);
  if (inspection.format.id !== "onnx" || open.length === 0) return undefined;
  const model = `${stemOf(path)}_fixed.onnx`;
  const commands = ["pip install onnx onnxruntime"];
  for (const [at, { name, shape }] of open.entries()) {
    if (shape === null || name === "") return undefined;
    const sizes = fixedSizes(shape, inspection);
    commands.push(
      `python3 -m onnxruntime.tools.make_dynamic_shape_fixed --input_name ${shellWord(name)} --input_shape ${sizes.join(",")} ` +
        `${at === 0 ? shellWord(path.startsWith("-") ? `./${path}` : path) : model} ${model}`,
    );
  }
  return { commands, model };
}

/** A size that one input has in front is the batch wherever it is named. */
function fixedSizes(shape: readonly (number | string | null)[], { inputs }: Inspection): (number | string)[] {
  const batch = new Set(inputs.map((input) => input.shape?.[0]).filter((size) => typeof size === "string"));
  return shape.map((size, at) => {
    if (typeof size === "number" && size >= 0) return size;
    return at === 0 || (typeof size === "string" && batch.has(size)) ? 1 : "SIZE";
  });
}

function fixing(commands: readonly string[]): string {
  if (!commands.some((command) => command.includes("make_dynamic_shape_fixed"))) return "fix them before converting";
  const sizes = commands.some((command) => command.includes("SIZE"));
  return sizes ? "the first commands fix them: put a number in place of SIZE" : "the first commands fix them";
}

const openInputs = ({ inputs }: Inspection): Inspection["inputs"] =>
  inputs.filter(
    ({ shape }) => shape === null || shape.some((dimension) => typeof dimension !== "number" || dimension < 0),
  );
