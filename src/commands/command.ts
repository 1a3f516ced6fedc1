/**
 * Command: one verb of the command line, as data plus a function. `--help`, the man page and the shell completions are made from
 * these objects. Files beside this one are verbs; the index is generated and loads a verb only when it is used.
 */

import type { Terminal } from "../print/terminal.ts";

export interface OptionSpec {
  /** Long name without dashes. */
  readonly name: string;
  readonly short?: string;
  /** Present: the option takes a value, shown so in help (FILE, DIR, ID). */
  readonly value?: string;
  /** May be given more than once. */
  readonly many?: true;
  readonly choices?: readonly string[];
  readonly says: string;
  /** Heading it stands under in help and the man page: "Inputs"; absent: "Options". */
  readonly group?: string;
}

/** The same options under one heading. */
export const grouped = (group: string, specs: readonly OptionSpec[]): readonly OptionSpec[] =>
  specs.map((spec) => ({ ...spec, group }));

export type { Terminal };

export interface Invocation {
  /** Values of options: strings for those with a value (arrays when `many`), true for flags. */
  readonly options: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
  readonly args: readonly string[];
  readonly terminal: Terminal;
  /** Write to standard output / standard error. A line end is not added. */
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

export interface Command {
  readonly name: string;
  /** One line, imperative. */
  readonly summary: string;
  /** Arguments as shown: "[DEVICE]", "A B". */
  readonly usage: string;
  /** A paragraph or two for `accelctl help VERB` and the man page. */
  readonly says: string;
  readonly options: readonly OptionSpec[];
  readonly examples: readonly { readonly command: string; readonly says: string }[];
  /** Resolves to the exit code: 0 fine, 1 findings at or above --fail-on, 2 usage, 3 could not. */
  readonly run: (invocation: Invocation) => number | Promise<number>;
}

/** String value of an option, undefined when it was not given. */
export function option(invocation: Invocation, name: string): string | undefined {
  const value = invocation.options[name];
  return typeof value === "string" ? value : undefined;
}

export function flag(invocation: Invocation, name: string): boolean {
  return invocation.options[name] === true;
}

/** All values of an option that may be given more than once. */
export function options(invocation: Invocation, name: string): readonly string[] {
  const value = invocation.options[name];
  return Array.isArray(value) ? (value as readonly string[]) : typeof value === "string" ? [value] : [];
}
