/** accelctl run: run a model once and say what came out, which device worked and how that is known. */

import { UsageError } from "../base/errors.ts";
import { runText } from "../print/run.ts";
import { makeInputs } from "../session/inputs.ts";
import { openSession } from "../session/open.ts";
import { RUN_SCHEMA, timedRuns, type RunResult } from "../session/result.ts";
import { flag, option, options, type Command, type Invocation } from "./command.ts";
import { toJson } from "./common.ts";
import { sessionOptionSpecs, sessionOptionsOf } from "./session-options.ts";
import { outputOptions, outputsOf, outputWishes } from "./output-options.ts";

/** Counted runs: more belong into a bench. */
const RUNS_LIMIT = 1_000_000;

const command: Command = {
  name: "run",
  summary: "run a model and prove which device worked",
  usage: "MODEL",
  says:
    "Runs a model with what is given for its inputs, or with values made from a seed, and prints the outputs, the time, the device " +
    "that worked and how that is known. When no device is named, the best route that works on this machine and takes the model is " +
    "chosen, and the CPU where there is none; --json lists what was passed over and why. A vendor's library works in a process of its " +
    "own. A device that is asked for and cannot be used is an " +
    "error, never a silent run on the CPU; --fallback cpu allows one and says so.",
  options: [
    {
      name: "input",
      value: "NAME=FILE",
      many: true,
      says: "what goes into an input: .npy, .pb (ONNX TensorProto), .json (nested numbers), else raw bytes; FILE alone where there is one input",
    },
    { name: "shape", value: "NAME=1x3x224x224", many: true, says: "the shape of an input that the model leaves open" },
    { name: "seed", value: "N", says: "make the other inputs from this seed (0 when nothing is said)" },
    ...sessionOptionSpecs,
    { name: "warmup", value: "N", says: "runs that are not counted (0)" },
    { name: "repeat", value: "N", says: "runs that are counted (1)" },
    ...outputOptions,
    { name: "json", says: "print everything as JSON" },
  ],
  examples: [
    { command: "accelctl run model.onnx", says: "does it run, and how fast, with made-up values?" },
    {
      command: "accelctl run model.onnx --input picture.npy --json",
      says: "with values of yours, for another program",
    },
    {
      command: "accelctl run model.onnx --shape x=1x3x224x224 --repeat 20",
      says: "where the model leaves dimensions open",
    },
  ],
  async run(invocation) {
    const [path, ...more] = invocation.args;
    if (path === undefined) throw new UsageError("run needs a model file: accelctl run MODEL");
    if (more.length > 0) throw new UsageError(`run takes one model; "${more[0] ?? ""}" is one too many`);
    const wishes = outputWishes(invocation);
    const start = performance.now();
    const opened = await openSession(path, sessionOptionsOf(invocation));
    const openedMs = performance.now() - start;
    const { session, instead, described, passed, candidate } = opened;
    try {
      const given = await makeInputs(session.inputs, {
        files: pairs(invocation, "input", session.inputs),
        shapes: new Map([...pairs(invocation, "shape", session.inputs)].map(([name, text]) => [name, shapeOf(text)])),
        seed: count(invocation, "seed", 0, 0xffff_ffff) ?? 0,
      });
      const { outputs, runs } = await timedRuns(opened, given.values, {
        warmup: count(invocation, "warmup", 0, RUNS_LIMIT) ?? 0,
        repeat: Math.max(1, count(invocation, "repeat", 1, RUNS_LIMIT) ?? 1),
      });
      const result: RunResult = {
        schema: RUN_SCHEMA,
        model: path.slice(path.lastIndexOf("/") + 1),
        format: described.format.id,
        delegate: { id: opened.delegate.id, version: session.version },
        device: session.placement.device,
        proof: session.placement.says,
        chosen: candidate.why,
        passed_over: passed,
        ...(candidate.route === undefined ? {} : { route: candidate.route }),
        ...(instead === undefined ? {} : { instead }),
        assumed: given.assumed,
        opened_ms: openedMs,
        runs_ms: runs,
        ...outputsOf(wishes, {
          outputs,
          ports: session.outputs,
          inputs: given.values,
          model: described.model,
          file: path.slice(path.lastIndexOf("/") + 1),
        }),
      };
      invocation.out(flag(invocation, "json") ? toJson(result) : runText(result, invocation.terminal));
      return 0;
    } finally {
      await session.close();
    }
  },
};
export default command;

function count(invocation: Invocation, name: string, otherwise: number | undefined, most: number): number | undefined {
  const text = option(invocation, name);
  if (text === undefined) return otherwise;
  if (!/^\d{1,10}$/.test(text) || Number(text) > most) {
    throw new UsageError(`--${name} takes a whole number up to ${most}; not "${text}"`);
  }
  return Number(text);
}

/** NAME=VALUE; a value alone where the model has one input. Names may hold "=": the longest that is an input's counts. */
function pairs(
  invocation: Invocation,
  name: string,
  inputs: readonly { readonly name: string }[],
): Map<string, string> {
  const out = new Map<string, string>();
  for (const text of options(invocation, name)) {
    const known = inputs
      .map((port) => port.name)
      .filter((own) => text.startsWith(`${own}=`))
      .sort((a, b) => b.length - a.length)[0];
    const at = text.indexOf("=");
    if (known !== undefined) out.set(known, text.slice(known.length + 1));
    else if (at < 0 && inputs.length === 1) out.set(inputs[0]?.name ?? "", text);
    else if (at < 0) {
      throw new UsageError(`--${name} takes NAME=VALUE: the model has ${inputs.map((one) => one.name).join(", ")}`);
    } else out.set(text.slice(0, at), text.slice(at + 1));
  }
  return out;
}

function shapeOf(text: string): number[] {
  if (!/^\d{1,9}(?:[x,]\d{1,9})*$/.test(text)) throw new UsageError(`--shape takes NAME=1x3x224x224; not "${text}"`);
  return text.split(/[x,]/).map(Number);
}
