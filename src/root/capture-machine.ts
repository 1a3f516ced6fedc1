/**
 * Takes a capture: asks a question of a recording root, makes what was recorded small and discreet, and checks at every step that
 * the capture answers the question as the machine did. What the question is, the caller knows.
 */

import { openCapture, toCapturePaths, withoutImplied, writeCapture, type CapturePaths } from "./capture.ts";
import type { Names } from "./identities.ts";
import { record } from "./recording.ts";
import { redact } from "./redact.ts";
import type { Root } from "./root.ts";
import { trims, withoutSecrets, type Relevant } from "./trim.ts";

export interface CaptureOptions {
  /** Reads all that a capture must be able to answer; equal text means equal answers. */
  readonly question: (root: Root) => string;
  readonly relevant: Relevant;
  /** Program and version. */
  readonly by: string;
  readonly redact: boolean;
  readonly trim: boolean;
  readonly names: Names;
  /** Directories of Python environments that the question looks into. */
  readonly environments?: readonly string[];
}

export interface Capture {
  readonly text: string;
  /** The kernel's, for the file's name; "machine" when unknown. */
  readonly release: string;
  /** What was replaced, left out, or could not be, in sentences. */
  readonly notes: readonly string[];
}

export function captureMachine(source: Root, options: CaptureOptions): Capture {
  const recording = record(source);
  const answer = options.question(recording.root);
  const replays = (paths: CapturePaths, expected: string): boolean => {
    const text = writeCapture(paths, { by: options.by, redacted: false, notes: [] });
    return options.question(openCapture(Buffer.from(text), source.name, source.kind)) === expected;
  };

  const notes: string[] = [];
  let environments = options.environments ?? [];
  let paths: CapturePaths = withoutSecrets(toCapturePaths(recording.records));
  const faithful = replays(paths, answer);
  if (!faithful) notes.push("replayed, it does not give the same report to the letter");
  if (options.trim && faithful) {
    for (const { name, apply } of trims) {
      const trimmed = apply(paths, options.relevant);
      if (replays(trimmed, answer)) paths = trimmed;
      else notes.push(`${name}: kept whole, because the report changed without`);
    }
  }
  if (options.redact) {
    const redaction = redact(paths, options.names);
    if (redaction.note !== undefined) notes.push(redaction.note);
    if (faithful && !replays(redaction.paths, redaction.apply(answer))) {
      notes.push("with names replaced, the report differs in more than the names");
    }
    paths = redaction.paths;
    environments = environments.map((path) => redaction.apply(path));
  }
  paths = withoutImplied(paths);
  const text = writeCapture(paths, { by: options.by, redacted: options.redact, notes, environments });
  return { text, release: releaseOf(recording.root), notes };
}

function releaseOf(root: Root): string {
  const release = root.text("/proc/sys/kernel/osrelease");
  if (release.state === "read" && /^[A-Za-z0-9.+~_-]+$/.test(release.value.trim())) return release.value.trim();
  const version = root.text("/proc/version");
  const found = version.state === "read" ? /^Linux version ([A-Za-z0-9.+~_-]+)/.exec(version.value)?.[1] : undefined;
  return found ?? "machine";
}
