/** accelctl fit: where a model would run on each accelerator, how fast, and why not, without having the device. */

import { writeFileSync } from "node:fs";
import { CannotError, UsageError } from "../base/errors.ts";
import type { Chosen } from "../fit/choose.ts";
import type { FitReport } from "../fit/fit.ts";
import { subjectOf, type Subject } from "../fit/subject.ts";
import type { Device } from "../fit/time/estimate.ts";
import type { ConversionReport } from "../inspect/inspection.ts";
import { flag, option, options, type Command, type Invocation } from "./command.ts";
import { environmentsOf, rootOf, rootOptions, toJson } from "./common.ts";
import { assumptionsOf, whatIfOptions } from "./fit-options.ts";

/** Devices for which it is told how the model would be converted. */
const CONVERTED = 8;

const command: Command = {
  name: "fit",
  summary: "say where a model would run on each accelerator, how fast, and why not",
  usage: "MODEL",
  says:
    "For each accelerator of this machine, of --root's, or of what --for names: which operators each compiler or delegate takes, which it " +
    "refuses and why in its own words, how the graph falls into partitions, what has to be done to the model first, and how long one " +
    "inference takes: a median and the bounds between which 80 of 100 models lie, or why nothing carries an estimate. MODEL is a file, or " +
    "the name of a known model (mobilenet_v2), whose layers are built from its paper. Nothing is compiled, loaded or run; no device is " +
    "needed. What the answers rest on, and what they cannot say: docs/fit.md.",
  options: [
    {
      name: "for",
      value: "WHAT",
      many: true,
      says: "instead of this machine's: all, or a device, a compiler or delegate, a family or a chip (hailo, rk3588, edgetpu)",
    },
    ...rootOptions,
    {
      name: "why",
      value: "OPERATOR|NODE",
      says: "what each compiler or delegate answers of one operator (CONV_2D) or one node (its number or name), with the source",
    },
    {
      name: "graph",
      value: "FILE.html",
      says: "write the graph as one page, coloured by partition and by what is refused",
    },
    { name: "check", says: "also ask the delegates that are installed here, and tell where they answer otherwise" },
    { name: "nodes", says: "with --json: also what becomes of every node" },
    { name: "json", says: "print everything as JSON (docs/fit.schema.json)" },
    ...whatIfOptions,
    {
      name: "eval",
      value: "FILE",
      says: "no MODEL: hold the answers against the rows of a file, compile decisions or measured times, and print how far they are off",
    },
    { name: "models", value: "DIR", says: "with --eval: a folder with the model files that the rows name" },
  ],
  examples: [
    { command: "accelctl fit model.tflite", says: "on the accelerators of this machine" },
    { command: "accelctl fit mobilenet_v2 --for all", says: "a known model on every accelerator of the catalogue" },
    { command: "accelctl fit model.onnx --for rk3588 --precision int8", says: "on a board you do not have yet" },
    { command: "accelctl fit model.tflite --for edgetpu --why RESIZE_BILINEAR", says: "why it stays on the CPU" },
    { command: "accelctl fit model.tflite --for hailo --graph graph.html", says: "see where it falls apart" },
  ],
  async run(invocation) {
    const evaluated = option(invocation, "eval");
    if (evaluated !== undefined) return evaluate(invocation, evaluated);
    const [word, ...more] = invocation.args;
    if (word === undefined) throw new UsageError("fit needs a model: accelctl fit FILE, or a known one: mobilenet_v2");
    if (more.length > 0) throw new UsageError(`fit takes one model; "${more[0] ?? ""}" is one too many`);
    refuseContradictions(invocation);
    const subject = subjectOf(word);
    const chosen = await chosenOf(invocation);
    if (chosen.devices.length === 0) throw new CannotError(noneHere(word));
    const report = await reportOf(invocation, subject, chosen);
    const why = option(invocation, "why");
    if (why !== undefined) return tellWhy(invocation, report, why);
    const graph = option(invocation, "graph");
    if (graph !== undefined) return writeGraph(invocation, subject, report, graph);
    if (flag(invocation, "check")) return check(invocation, subject, report);
    if (flag(invocation, "json")) invocation.out(toJson(report));
    else {
      const { fitText } = await import("../print/fit.ts");
      invocation.out(fitText(report, invocation.terminal));
    }
    return report.model.operators === 0 ? 3 : 0;
  },
};
export default command;

interface Asked extends Chosen {
  readonly here: ReadonlySet<string>;
}

/** The review's inventory is loaded only when a machine is asked. */
async function chosenOf(invocation: Invocation): Promise<Asked> {
  const { devicesFor, devicesHere } = await import("../fit/choose.ts");
  const named = options(invocation, "for")
    .flatMap((word) => word.split(","))
    .filter((word) => word !== "");
  const machine = option(invocation, "root") ?? option(invocation, "paste");
  if (named.length > 0 && machine === undefined) return { ...devicesFor(named), here: new Set() };
  const { listDevices } = await import("../review/inventory.ts");
  const devices = devicesHere(listDevices(rootOf(invocation), { environments: environmentsOf(invocation) }));
  const here = new Set(devices.map(({ id }) => id));
  return named.length > 0 ? { ...devicesFor(named), here } : { devices, here };
}

const noneHere = (word: string): string =>
  `no accelerator is in this machine; accelctl fit ${word} --for all asks every one that is known, --for rk3588 or --for hailo some`;

async function reportOf(
  invocation: Invocation,
  { subject, name, asked, path, inspection }: Subject,
  chosen: Asked,
): Promise<FitReport> {
  const { fitOn } = await import("../fit/fit.ts");
  const needsNodes = ["why", "graph", "nodes", "check"].some((one) => invocation.options[one] !== undefined);
  const report = fitOn(subject, chosen.devices, {
    ...asked,
    ...assumptionsOf(invocation),
    name,
    here: chosen.here,
    nodes: needsNodes,
    // A table of many devices has no room for it.
    ...(!flag(invocation, "json") && chosen.devices.length > CONVERTED ? { brief: true, watts: false } : {}),
    ...(chosen.targets === undefined ? {} : { targets: chosen.targets }),
  });
  if (chosen.devices.length > CONVERTED) return report;
  const conversions = await conversionsFor(chosen.devices, inspection(), path);
  return conversions.length === 0 ? report : { ...report, conversions };
}

/** Each way once for a family; the chip of its first device gives the tool's word for it. */
async function conversionsFor(
  devices: readonly Device[],
  inspection: ReturnType<Subject["inspection"]>,
  path: string,
): Promise<readonly ConversionReport[]> {
  const { conversionsTo } = await import("../inspect/convert.ts");
  const { loadFamily } = await import("../families/load.ts");
  const chips = new Map<string, string | undefined>();
  for (const { family, chip } of devices) if (!chips.has(family)) chips.set(family, chip);
  return [...chips].flatMap(([id, chip]) => {
    const family = loadFamily(id);
    return family === undefined ? [] : conversionsTo(family, inspection, path, chip);
  });
}

async function tellWhy(invocation: Invocation, report: FitReport, word: string): Promise<number> {
  const { whyOf } = await import("../fit/why.ts");
  const whys = whyOf(report.rows, word);
  if (whys.every(({ answers }) => answers.length === 0)) {
    const { operatorsOf } = await import("../fit/why.ts");
    throw new UsageError(`no operator or node "${word}" in ${report.model.name}; it has ${operatorsOf(report.rows)}`);
  }
  if (flag(invocation, "json")) {
    invocation.out(
      toJson({ schema: report.schema, model: report.model, asked: word, targets: report.targets, why: whys }),
    );
  } else {
    const { whyText } = await import("../print/fit-why.ts");
    invocation.out(whyText(report, whys, word, invocation.terminal));
  }
  return 0;
}

async function writeGraph(invocation: Invocation, subject: Subject, report: FitReport, path: string): Promise<number> {
  const { drawnAs, renderFitGraph } = await import("../print/fit-graph.ts");
  const { graphOf } = await import("../fit/fit.ts");
  const options = { ...subject.asked, ...assumptionsOf(invocation) };
  const page = renderFitGraph(graphOf(subject.subject, options, drawnAs(report.rows)), report);
  if (path === "-") invocation.out(page);
  else {
    try {
      writeFileSync(path, page);
    } catch (error) {
      throw new CannotError(`${path}: ${(error as Error).message}`, { cause: error });
    }
    invocation.err(`${path} written\n`);
  }
  return 0;
}

async function check(invocation: Invocation, { subject }: Subject, report: FitReport): Promise<number> {
  const { checkDelegates } = await import("../fit/check.ts");
  if ("build" in subject) throw new UsageError("--check asks delegates of a file; a known model has none");
  const checked = checkDelegates(subject, report);
  if (flag(invocation, "json")) invocation.out(toJson({ ...report, checked }));
  else {
    const { fitText } = await import("../print/fit.ts");
    const { checkText } = await import("../print/fit-why.ts");
    invocation.out(`${fitText(report, invocation.terminal)}\n${checkText(checked, invocation.terminal)}`);
  }
  return 0;
}

async function evaluate(invocation: Invocation, path: string): Promise<number> {
  if (invocation.args.length > 0) throw new UsageError("--eval takes its models from the rows: leave MODEL out");
  const { evaluateFile } = await import("../fit/evaluate.ts");
  const evaluation = evaluateFile(path, option(invocation, "models"));
  if (flag(invocation, "json")) invocation.out(toJson(evaluation));
  else {
    const { evaluationText } = await import("../print/fit-eval.ts");
    invocation.out(evaluationText(evaluation, invocation.terminal));
  }
  return 0;
}

/** An option that would be passed over in silence is a mistake of who typed it. */
function refuseContradictions(invocation: Invocation): void {
  const given = (name: string): boolean => invocation.options[name] !== undefined;
  for (const [one, others] of [
    ["graph", ["json", "why", "check", "nodes"]],
    ["why", ["check", "nodes"]],
  ] as const) {
    const other = given(one) ? others.find(given) : undefined;
    if (other !== undefined) throw new UsageError(`--${one} prints something else than --${other}: leave one out`);
  }
  if (given("models")) throw new UsageError("--models is for --eval: leave it out");
  if (given("nodes") && !given("json")) throw new UsageError("--nodes adds to what --json prints: give --json too");
}
