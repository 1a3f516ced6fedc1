/** accelctl inspect: what a model file is, what is in it, whether it is whole, and where it can run. */

import { FileError, UsageError } from "../base/errors.ts";
import { describeFile, isModel, noModelSentence, type Described } from "../inspect/describe.ts";
import type { Inspection } from "../inspect/inspection.ts";
import { modelText, noModelText } from "../print/model.ts";
import { flag, option, type Command, type Invocation } from "./command.ts";
import { environmentsOf, rootOptions, rootOf, toJson } from "./common.ts";

const command: Command = {
  name: "inspect",
  summary: "say what a model file is, what is in it, and where it can run",
  usage: "FILE [FILE]",
  says:
    "Tells of any model file what format it has, for which chip and by which compiler it was made, what goes in and out, its operators, " +
    "cost and quantisation, and whether it contradicts itself; then which devices of this machine take it, which version locks hold " +
    "between the file and what is installed, and what would convert it. Only the file itself is opened; weights are never read, " +
    "nothing is loaded or run. With two files: what differs. Exit 3 when a file is no model, or broken (it is still told what can be).",
  options: [
    ...rootOptions,
    {
      name: "for",
      value: "FAMILY",
      says: "also say what would make it fit this family of accelerators, or this chip: hailo, rk3588 (accelctl catalog)",
    },
    { name: "no-machine", says: "only the file: look at no machine" },
    { name: "ops", says: "list every kind of operator with its count and cost" },
    { name: "tensors", says: "list every tensor" },
    {
      name: "graph",
      value: "FORM",
      choices: ["dot", "svg", "html"],
      says: "print the graph: for Graphviz, as a picture, or as one page",
    },
    { name: "json", says: "print everything as JSON (docs/inspection.schema.json)" },
  ],
  examples: [
    { command: "accelctl inspect model.tflite", says: "what it is and whether this machine takes it" },
    { command: "accelctl inspect model.rknn --root board.json", says: "will it run on that board?" },
    { command: "accelctl inspect model.onnx --for hailo", says: "how to convert it" },
    { command: "accelctl inspect a.tflite b.tflite", says: "what differs" },
    { command: "accelctl inspect model.onnx --graph svg > graph.svg", says: "a picture of the graph" },
  ],
  async run(invocation) {
    const [path, second, ...more] = invocation.args;
    if (path === undefined) throw new UsageError("inspect needs a model file: accelctl inspect FILE");
    if (more.length > 0)
      throw new UsageError(`inspect takes one file, or two to compare; "${more[0] ?? ""}" is one too many`);
    if (second !== undefined) return compare(invocation, path, second);
    refuseContradictions(invocation);
    const described = describeFile(path, { tensors: flag(invocation, "tensors") });
    const json = flag(invocation, "json");
    if (!isModel(described)) {
      if (json) invocation.out(toJson(described));
      else invocation.err(noModelText(described, invocation.terminal));
      return 3;
    }
    const graph = option(invocation, "graph");
    if (graph !== undefined) return drawGraph(invocation, described, graph);
    const inspection = flag(invocation, "no-machine") ? described.inspection : await onMachine(invocation, described);
    if (json) invocation.out(toJson(inspection));
    else
      invocation.out(
        modelText(inspection, invocation.terminal, {
          ops: flag(invocation, "ops"),
          tensors: flag(invocation, "tensors"),
        }),
      );
    return isBroken(inspection) ? 3 : 0;
  },
};
export default command;

/** The review is loaded only when a machine is asked. */
async function onMachine(invocation: Invocation, described: Described): Promise<Inspection> {
  const { fitModel } = await import("../inspect/fit.ts");
  const family = option(invocation, "for");
  const machine = fitModel(described.model, described.inspection, rootOf(invocation), {
    environments: environmentsOf(invocation),
    path: invocation.args[0] ?? described.inspection.file.name,
    ...(family === undefined ? {} : { family }),
  });
  return { ...described.inspection, machine };
}

async function drawGraph(invocation: Invocation, described: Described, form: string): Promise<number> {
  const { renderDot, renderGraphHtml, renderSvg } = await import("../print/graph.ts");
  const { model, inspection } = described;
  if ((model.graphs[model.main ?? 0]?.nodes.length ?? 0) === 0) {
    throw new FileError(inspection.file.name, `no graph can be seen in it (${inspection.format.name})`);
  }
  const render = form === "dot" ? renderDot : form === "svg" ? renderSvg : renderGraphHtml;
  invocation.out(render(model, inspection.file.name));
  return isBroken(described.inspection) ? 3 : 0;
}

const isBroken = ({ integrity }: Inspection): boolean => integrity.some(({ severity }) => severity === "error");

/** An option that would be passed over in silence is a mistake of who typed it. */
function refuseContradictions(invocation: Invocation): void {
  const given = (name: string): boolean => invocation.options[name] !== undefined;
  if (given("no-machine")) {
    const other = ["root", "paste", "for"].find(given);
    if (other !== undefined)
      throw new UsageError(`--${other} asks about a machine, --no-machine looks at none: leave one out`);
  }
  if (given("graph")) {
    const other = ["json", "ops", "tensors", "for"].find(given);
    if (other !== undefined) throw new UsageError(`--graph prints the graph alone: leave --${other} out`);
  }
}

async function compare(invocation: Invocation, left: string, right: string): Promise<number> {
  for (const name of ["ops", "tensors", "graph", "for", "root", "paste", "env"]) {
    const given = invocation.options[name];
    // --env may be given more than once: none given is an empty list.
    if (given !== undefined && !(Array.isArray(given) && given.length === 0))
      throw new UsageError(`--${name} is for one file, not for two`);
  }
  const { compareModels } = await import("../inspect/compare.ts");
  const { comparisonText } = await import("../print/comparison.ts");
  const [a, b] = [left, right].map((path) => {
    const described = describeFile(path);
    if (!isModel(described)) throw new FileError(path, noModelSentence(described));
    return described.inspection;
  });
  if (a === undefined || b === undefined) return 3;
  const comparison = compareModels(a, b);
  invocation.out(flag(invocation, "json") ? toJson(comparison) : comparisonText(comparison, invocation.terminal));
  return isBroken(a) || isBroken(b) ? 3 : 0;
}
