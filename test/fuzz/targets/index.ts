/** All targets of the fuzzer. */

import type { Target } from "../target.ts";
import * as files from "./files.ts";
import { floods } from "./floods.ts";
import { inferences } from "./grpc.ts";
import { calls } from "./h2.ts";
import { commandLines } from "./lines.ts";
import * as machine from "./machine.ts";
import { media } from "./media.ts";
import { models } from "./models.ts";
import * as pasted from "./pasted.ts";
import { requests } from "./rest.ts";
import * as text from "./text.ts";

export const targets: readonly Target[] = [
  machine.sysfs,
  ...machine.parts,
  floods,
  machine.kernel,
  machine.ko,
  machine.programs,
  machine.loaderCache,
  files.deviceTree,
  files.archives,
  files.packages,
  files.packed,
  files.captures,
  files.answers,
  files.real,
  pasted.pastes,
  pasted.pasteFloods,
  pasted.taken,
  text.logs,
  text.explanations,
  text.configurations,
  text.harvests,
  commandLines,
  media,
  inferences,
  calls,
  requests,
  ...models,
];
