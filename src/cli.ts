/** The command line: parse, dispatch, exit code. Verbs are loaded one at a time, so that none pays for another's start. */

import { parseArgs } from "node:util";
import { AccelctlError, UsageError } from "./base/errors.ts";
import { row } from "./base/table.ts";
import { nearest } from "./base/words.ts";
import type { Command, Invocation, OptionSpec } from "./commands/command.ts";
import { commands } from "./commands/index.ts";
import { harmless, type Terminal } from "./print/terminal.ts";

export interface Streams {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly terminal: Terminal;
}

const common: readonly OptionSpec[] = [{ name: "help", short: "h", says: "show this help" }];

/** Run one command line (without node and script). Resolves to the exit code; never throws for what a user did. */
export async function main(argv: readonly string[], streams: Streams): Promise<number> {
  try {
    return await dispatch(argv, streams);
  } catch (error) {
    if (error instanceof AccelctlError) {
      // The message may hold a path out of an archive, or what was typed.
      streams.err(`accelctl: ${harmless(error.message)}\n`);
      return error.exitCode;
    }
    throw error;
  }
}

async function dispatch(argv: readonly string[], streams: Streams): Promise<number> {
  const [first = "review", ...rest] = argv;
  if (first === "--version" || first === "-V") return run("version", [], streams);
  if (first === "help" || first === "--help" || first === "-h") return run("help", rest, streams);
  // No verb: the review, with its options.
  if (first.startsWith("-") && first !== "-") return run("review", argv, streams);
  return run(first, rest, streams);
}

async function run(name: string, args: readonly string[], streams: Streams): Promise<number> {
  const load = row(commands, name);
  if (!load) throw new UsageError(`no verb "${name}"; ${suggestion(name)}`);
  const command = await load();
  if (args.includes("--help") || args.includes("-h")) return run("help", [name], streams);
  const invocation = parse(command, args, streams);
  return command.run(invocation);
}

function parse(command: Command, args: readonly string[], streams: Streams): Invocation {
  const specs = [...command.options, ...common];
  const options: NonNullable<Parameters<typeof parseArgs>[0]>["options"] = {};
  for (const spec of specs) {
    options[spec.name] = {
      type: spec.value === undefined ? "boolean" : "string",
      ...(spec.short === undefined ? {} : { short: spec.short }),
      ...(spec.many ? { multiple: true } : {}),
    };
  }
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    // Node's words name the option; its advice about "--" does not help here.
    const message = (error as Error).message.replace(/\. To specify a positional.*$/s, "").replace(/\.$/, "");
    throw new UsageError(`${message}; see accelctl ${command.name} --help`);
  }
  for (const spec of specs) {
    const value = parsed.values[spec.name];
    for (const one of Array.isArray(value) ? value : [value]) {
      if (spec.choices && typeof one === "string" && !spec.choices.includes(one)) {
        throw new UsageError(`--${spec.name} takes ${spec.choices.join(", ")}; not "${one}"`);
      }
    }
  }
  const extra = command.usage === "" ? parsed.positionals[0] : undefined;
  if (extra !== undefined) {
    throw new UsageError(`${command.name} takes no "${extra}", only options; see accelctl ${command.name} --help`);
  }
  return {
    options: parsed.values as Invocation["options"], // strings, booleans and arrays of strings, as declared above
    args: parsed.positionals,
    terminal: streams.terminal,
    out: streams.out,
    err: streams.err,
  };
}

/** The nearest verb, when one is near enough to be meant. */
function suggestion(name: string): string {
  const near = nearest(
    name,
    Object.keys(commands).filter((candidate) => !candidate.startsWith("_")),
  );
  return near !== undefined ? `did you mean "accelctl ${near}"?` : "see accelctl help for all verbs";
}
