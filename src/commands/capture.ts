/** accelctl capture: keep this machine in one file, so that somebody else can review it. */

import { writeFileSync } from "node:fs";
import type * as Os from "node:os";
import type * as Zlib from "node:zlib";

import { CannotError } from "../base/errors.ts";
import { requireLate } from "../base/package.ts";
import { refusal } from "../root/file.ts";
import { takeCapture } from "../review/take-capture.ts";
import { flag, option, type Command } from "./command.ts";
import { environmentsOf, queryOption, rootOf, rootOptions } from "./common.ts";

const command: Command = {
  name: "capture",
  summary: "keep this machine in one file, for a bug report or another desk",
  usage: "",
  says:
    "Reviews the machine and writes down every file, link, listing and driver's answer the review rests on, refusals included, so " +
    "that `accelctl review --root FILE` says the same elsewhere. Serial numbers, MAC and IP addresses, host and user names and " +
    "UUIDs are replaced by others, the same by the same. Long files are cut down to what matters, and the file is checked: " +
    "replayed, it must give the same report. It is JSON, one path a line: read it before you send it.",
  options: [
    {
      name: "output",
      short: "o",
      value: "FILE",
      says: "write here instead of accelctl-capture-RELEASE.json; .gz or .zst packs; - is standard output",
    },
    { name: "keep-names", says: "replace nothing: serial numbers, addresses and names stay in the file" },
    { name: "whole", says: "do not cut long files down" },
    ...rootOptions,
    queryOption,
  ],
  examples: [
    { command: "accelctl capture", says: "writes accelctl-capture-6.12.107+deb13-amd64.json here" },
    {
      command: "accelctl capture -o board.json.gz --query",
      says: "packed, with what drivers say of a device when woken",
    },
    { command: "accelctl review --root board.json.gz", says: "the review, anywhere" },
  ],
  run(invocation) {
    const root = rootOf(invocation);
    const keepNames = flag(invocation, "keep-names");
    const { text, release, notes } = takeCapture(root, {
      environments: environmentsOf(invocation),
      query: flag(invocation, "query"),
      redact: !keepNames,
      trim: !flag(invocation, "whole"),
      names: root.kind === "live" ? ownNames() : { users: [], hosts: [] },
    });
    const output = option(invocation, "output") ?? `accelctl-capture-${release}.json`;
    if (output === "-") invocation.out(text);
    else write(output, text, option(invocation, "output") === undefined);
    const kept = keepNames ? ["names, serial numbers and addresses are in it as they are (--keep-names)"] : [];
    for (const note of [...(output === "-" ? [] : [`wrote ${output}`]), ...kept, ...notes]) invocation.err(`${note}\n`);
    return 0;
  },
};
export default command;

/** Who runs this on what: words that also stand in logs and paths. */
function ownNames(): { users: string[]; hosts: string[] } {
  const os = requireLate("node:os") as typeof Os;
  const users = [process.env["SUDO_USER"], process.env["USER"]];
  try {
    users.push(os.userInfo().username);
  } catch {
    // An id without an account, as containers have: then there is no name to hide.
  }
  return {
    users: users.filter((user): user is string => user !== undefined && user !== "root"),
    hosts: [os.hostname()],
  };
}

function write(path: string, text: string, chosenByUs: boolean): void {
  try {
    writeFileSync(path, packed(path, text), { flag: chosenByUs ? "wx" : "w" });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") {
      throw new CannotError(`${path}: is there already; give another name with -o`, { cause: error });
    }
    throw refusal(path, error);
  }
}

function packed(path: string, text: string): string | Uint8Array {
  const zlib = requireLate("node:zlib") as typeof Zlib & {
    zstdCompressSync?: (text: string) => Uint8Array;
  };
  if (path.endsWith(".gz")) return zlib.gzipSync(text, { level: 9 });
  if (!path.endsWith(".zst")) return text;
  if (zlib.zstdCompressSync === undefined) {
    throw new CannotError(`${path}: this Node (${process.version}) cannot pack zstd; use a name that ends with .gz`);
  }
  return zlib.zstdCompressSync(text);
}
