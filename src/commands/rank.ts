/** accelctl rank: boards and devices in the order of how long one inference of a model takes on them. */

import { UsageError } from "../base/errors.ts";
import { subjectOf } from "../fit/subject.ts";
import { flag, option, options, type Command, type Invocation } from "./command.ts";
import { toJson } from "./common.ts";
import { assumptionsOf, whatIfOptions } from "./fit-options.ts";

const command: Command = {
  name: "rank",
  summary: "order accelerators by how fast a model would run on them",
  usage: "MODEL",
  says:
    "Every accelerator that is known (or that --for names), the quickest first, by the median of its estimate, with the bounds between " +
    "which 80 of 100 models lie, how much of the model it takes, and its power where that is published. Two devices whose bounds overlap " +
    "cannot be told apart. Devices that take none of it, or for which nothing carries an estimate, are counted at the end. MODEL is a " +
    "file, or the name of a known model; --list names those.",
  options: [
    { name: "max-ms", value: "MS", says: "only those whose median is at most this" },
    { name: "max-watts", value: "W", says: "only those that are known to draw at most this" },
    {
      name: "open",
      says: "only those to which some way is open throughout: driver, firmware, runtime, delegate, compiler",
    },
    {
      name: "for",
      value: "WHAT",
      many: true,
      says: "only these: a device, a compiler or delegate, a family or a chip (default: all)",
    },
    { name: "list", says: "no MODEL: list the models that are known by name" },
    { name: "json", says: "print everything as JSON (docs/fit.schema.json)" },
    ...whatIfOptions,
  ],
  examples: [
    { command: "accelctl rank mobilenet_v2", says: "what runs it how fast" },
    { command: "accelctl rank yolov8n --max-ms 30 --max-watts 5", says: "thirty pictures a second on five watts" },
    { command: "accelctl rank model.onnx --open --json", says: "only what has no closed part, for a script" },
  ],
  async run(invocation) {
    if (flag(invocation, "list")) return list(invocation);
    const [word, ...more] = invocation.args;
    if (word === undefined)
      throw new UsageError("rank needs a model: accelctl rank FILE, or a known one: mobilenet_v2");
    if (more.length > 0) throw new UsageError(`rank takes one model; "${more[0] ?? ""}" is one too many`);
    const maxMs = limit(invocation, "max-ms");
    const maxWatts = limit(invocation, "max-watts");
    const { subject, name, asked } = subjectOf(word);
    const { devicesFor } = await import("../fit/choose.ts");
    const named = options(invocation, "for")
      .flatMap((one) => one.split(","))
      .filter((one) => one !== "");
    const { devices, targets } = devicesFor(named.length === 0 ? ["all"] : named);
    const { fitOn } = await import("../fit/fit.ts");
    const { rank } = await import("../fit/rank.ts");
    const report = fitOn(subject, devices, {
      ...asked,
      ...assumptionsOf(invocation),
      name,
      brief: !flag(invocation, "json"),
      ...(targets === undefined ? {} : { targets }),
    });
    const ranked = rank(report, {
      open: flag(invocation, "open"),
      ...(maxMs === undefined ? {} : { maxMs }),
      ...(maxWatts === undefined ? {} : { maxWatts }),
    });
    if (flag(invocation, "json")) invocation.out(toJson(ranked));
    else {
      const { rankText } = await import("../print/rank.ts");
      invocation.out(rankText(ranked, invocation.terminal));
    }
    return report.model.operators === 0 ? 3 : 0;
  },
};
export default command;

async function list(invocation: Invocation): Promise<number> {
  if (invocation.args.length > 0) throw new UsageError("--list names all models: leave MODEL out");
  const { all } = await import("../fit/known/index.ts");
  const { knownText } = await import("../print/rank.ts");
  const models = all.map(({ id, name, aliases, family, task, input, source }) => ({
    id,
    name,
    aliases,
    family,
    task,
    input,
    source,
  }));
  invocation.out(flag(invocation, "json") ? toJson(models) : knownText(models, invocation.terminal));
  return 0;
}

function limit(invocation: Invocation, name: string): number | undefined {
  const text = option(invocation, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+(?:\.\d+)?$/.test(text) || value <= 0)
    throw new UsageError(`--${name} takes a number above 0; not "${text}"`);
  return value;
}
