/** Inspect a model file: what it is, and, when a machine is given, where it can run there. */

import { FileError, UsageError } from "../base/errors.ts";
import type { Root } from "../root/root.ts";
import { describeFile, isModel, noModelSentence, type DescribeOptions } from "./describe.ts";
import { fitModel } from "./fit.ts";
import type { Inspection } from "./inspection.ts";

export interface InspectOptions extends DescribeOptions {
  /** Join with this machine: openRoot() for the live one. */
  readonly machine?: Root;
  /** Also say what would make the model fit this family of the catalogue, or this chip of one; needs a machine. */
  readonly family?: string;
  /** Directories of Python environments or SDKs to look for libraries in. */
  readonly environments?: readonly string[];
}

/**
 * Reads the file and nothing else of the folder. Throws FileError for what is no model or is broken beyond description; what is only
 * contradictory stands in `integrity`.
 */
export function inspect(path: string, options: InspectOptions = {}): Inspection {
  if (options.family !== undefined && options.machine === undefined)
    throw new UsageError("a family is asked about with a machine: inspect(path, { machine: openRoot(), family })");
  const described = describeFile(path, options);
  if (!isModel(described)) throw new FileError(path, noModelSentence(described));
  const { machine: root, family, environments = [] } = options;
  if (root === undefined) return described.inspection;
  const machine = fitModel(described.model, described.inspection, root, {
    environments,
    path,
    ...(family === undefined ? {} : { family }),
  });
  return { ...described.inspection, machine };
}
