/** accelctl run: run a model once and say what came out, which device worked and how that is known. */

import { CannotError, MishapError, UsageError } from "../base/errors.ts";
import { runText } from "../print/run.ts";
import { harmlessLines } from "../print/terminal.ts";
import { makeInputs } from "../session/inputs.ts";
import { openSession } from "../session/open.ts";
import { runResult, timedRuns, type RunResult } from "../session/result.ts";
import { flag, grouped, option, type Command, type Invocation } from "./command.ts";
import { toJson } from "./common.ts";
import { inputOptions, inputsOf, inputWishes } from "./input-options.ts";
import { progressOf } from "./progress.ts";
import { RUNNING, sessionOptionSpecs, sessionOptionsOf } from "./session-options.ts";
import { outputOptions, outputsOf, outputWishes } from "./output-options.ts";

/** Counted runs: more belong into a bench. */
const RUNS_LIMIT = 1_000_000;

const command: Command = {
  name: "run",
  summary: "run a model and prove which device worked",
  usage: "MODEL [INPUT]",
  says:
    "Runs a model with what is given for its inputs, or with values made from a seed, and prints the outputs, the time, the device " +
    "that worked and how that is known. When no device is named, the best route that works on this machine and takes the model is " +
    "chosen, and the CPU where there is none; --json lists what was passed over and why. Every runtime works in a process of its " +
    "own. A device that is asked for and cannot be used is an " +
    "error, never a silent run on the CPU; --fallback cpu allows one and says so.",
  options: [
    ...inputOptions,
    ...sessionOptionSpecs,
    ...grouped(RUNNING, [
      { name: "warmup", value: "N", says: "runs that are not counted (0)" },
      { name: "repeat", value: "N", says: "runs that are counted (1)" },
      { name: "profile", says: "measure what a run is made of, where the runtime can; makes it slower" },
    ]),
    ...grouped("Outputs", [...outputOptions, { name: "json", says: "print everything as JSON" }]),
  ],
  examples: [
    { command: "accelctl run model.onnx", says: "does it run, and how fast, with made-up values?" },
    {
      command: "accelctl run model.onnx --input picture.npy --json",
      says: "with values of yours, for another program",
    },
    { command: "accelctl run model.tflite cat.jpg", says: "what is in this picture?" },
    {
      command: "accelctl run model.onnx --shape x=1x3x224x224 --repeat 20",
      says: "where the model leaves dimensions open",
    },
  ],
  async run(invocation) {
    const [path, input, ...more] = invocation.args;
    if (path === undefined) throw new UsageError("run needs a model file: accelctl run MODEL");
    if (more.length > 0) throw new UsageError(`run takes a model and an input; "${more[0] ?? ""}" is one too many`);
    const asked = inputWishes(invocation);
    const wishes = outputWishes(invocation);
    const profile = flag(invocation, "profile");
    const progress = progressOf(invocation);
    progress.say(`opening ${path.slice(path.lastIndexOf("/") + 1)}`);
    const start = performance.now();
    const opened = await openSession(path, {
      ...sessionOptionsOf(invocation),
      ...(profile ? { profile } : {}),
    }).finally(progress.end);
    const openedMs = performance.now() - start;
    const { session, described } = opened;
    try {
      const given = await makeInputs(session.inputs, {
        ...inputsOf(invocation, session.inputs, input),
        ...asked,
        model: described.model,
      });
      const [picture] = given.pictures.values();
      const repeat = Math.max(1, count(invocation, "repeat", 1, RUNS_LIMIT) ?? 1);
      const writer = session.stream === undefined || repeat > 1 ? undefined : writerOf(invocation, progress.end);
      progress.say("running");
      const timed = await timedRuns(opened, given.values, {
        warmup: count(invocation, "warmup", 0, RUNS_LIMIT) ?? 0,
        repeat,
        ...(writer === undefined ? {} : { piece: writer.piece }),
      }).catch((error: unknown) => {
        throw withHint(error, given.assumed);
      });
      progress.end();
      const file = path.slice(path.lastIndexOf("/") + 1);
      const result = runResult(opened, {
        file,
        openedMs,
        timed,
        assumed: given.assumed,
        outputs: outputsOf(wishes, {
          outputs: timed.last.outputs,
          ports: session.outputs,
          inputs: given.values,
          ...(picture === undefined ? {} : { picture }),
          model: described.model,
          file,
        }),
      });
      invocation.out(
        flag(invocation, "json") ? toJson(result) : runText(writer?.rest(result) ?? result, invocation.terminal),
      );
      return 0;
    } finally {
      progress.end();
      await session.close();
    }
  },
};
export default command;

/** Writes a text as it comes, for people only, who read while they wait; rest() is what is left to be told of the result. */
function writerOf(
  { out, options: { json } }: Invocation,
  begin: () => void,
  terminal = process.stdout.isTTY,
): { readonly piece: (text: string) => void; readonly rest: (result: RunResult) => RunResult } | undefined {
  if (!terminal || json === true) return undefined;
  let all = "";
  return {
    piece(text) {
      begin();
      out(harmlessLines(text));
      all += text;
    },
    rest(result) {
      if (all !== "" && !all.endsWith("\n")) out("\n");
      return { ...result, outputs: result.outputs.filter(({ values }) => values?.[0] !== all) };
    },
  };
}

/** Models that leave sizes open seldom take 1 for all of them. */
function withHint(error: unknown, assumed: readonly string[]): unknown {
  const open = assumed.find((says) => says.includes(": 1 for what its shape leaves open"));
  if (open === undefined || !(error instanceof CannotError) || error instanceof MishapError) return error;
  const name = open.slice(0, open.indexOf(": 1 for"));
  const says = `${error.message.replace(/[.\s]+$/, "")}; ${open}: --shape ${name}=... says others`;
  return new CannotError(says, { cause: error });
}

function count(invocation: Invocation, name: string, otherwise: number | undefined, most: number): number | undefined {
  const text = option(invocation, name);
  if (text === undefined) return otherwise;
  if (!/^\d{1,10}$/.test(text) || Number(text) > most) {
    throw new UsageError(`--${name} takes a whole number up to ${most}; not "${text}"`);
  }
  return Number(text);
}
