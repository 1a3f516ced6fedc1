/** accelctl delegates: by which runtimes models can be run here, which library each finds, and what it sees. */

import { CannotError, UsageError } from "../base/errors.ts";
import { installing } from "../base/package.ts";
import type { Delegate, ProbeOptions, Seen } from "../delegates/delegate.ts";
import { delegates } from "../delegates/index.ts";
import { probeIsolated } from "../host/isolate.ts";
import { delegatesText, type DelegateReport } from "../print/delegates.ts";
import { listDevices } from "../review/inventory.ts";
import { openRoot } from "../root/open.ts";
import { flag, option, type Command } from "./command.ts";
import { toJson } from "./common.ts";
import { progressOf } from "./progress.ts";

export const DELEGATES_SCHEMA = 1;
/** A library that needs longer to say what it sees is taken to hang. */
const PROBE_MS = 60_000;

const command: Command = {
  name: "delegates",
  summary: "by which runtimes models can be run here, and which devices each sees",
  usage: "[DELEGATE]",
  says:
    "A delegate runs models by a runtime's own library. Prints which there are, which library each finds on this machine or how it is " +
    "installed, and for which of this machine's devices it is made. Nothing is loaded, unless --probe asks: then each library is loaded " +
    "in a process of its own and says what it sees. With DELEGATE, that one with its options. docs/delegates.md says on what each was tried.",
  options: [
    { name: "probe", says: "load the libraries, each in a process of its own, and print the devices they see" },
    { name: "library", value: "FILE", says: "of DELEGATE: the runtime's library, instead of the one that is found" },
    {
      name: "plugin",
      value: "FILE",
      says: "of DELEGATE, with --probe: what the device's maker ships to be loaded into the runtime",
    },
    { name: "json", says: "print everything as JSON" },
  ],
  examples: [
    { command: "accelctl delegates", says: "what can run models here, and what would have to be installed?" },
    { command: "accelctl delegates openvino --probe", says: "which devices does OpenVINO see?" },
    {
      command: "accelctl delegates tflite --probe --plugin /usr/lib/teflon/libteflon.so",
      says: "can this external delegate be loaded?",
    },
  ],
  async run(invocation) {
    const [id, ...more] = invocation.args;
    if (more.length > 0) throw new UsageError(`one DELEGATE at a time; "${more[0] ?? ""}" is one too many`);
    const [library, plugin] = [option(invocation, "library"), option(invocation, "plugin")];
    const probing = flag(invocation, "probe");
    if (id === undefined && (library ?? plugin) !== undefined) {
      throw new UsageError("--library and --plugin are of one delegate: accelctl delegates DELEGATE --library FILE");
    }
    if (plugin !== undefined && !probing) throw new UsageError("--plugin is loaded by --probe; give it too");
    // What runs no format is the template for others.
    const all = delegates.filter(({ formats }) => formats.length > 0);
    const wanted = id === undefined ? all : all.filter((one) => one.id === id);
    if (wanted.length === 0) {
      throw new UsageError(`no delegate "${id ?? ""}"; there are ${all.map((one) => one.id).join(", ")}`);
    }
    const here = new Set(listDevices(openRoot()).map(({ family }) => family));
    const paths = { ...(library === undefined ? {} : { library }), ...(plugin === undefined ? {} : { plugin }) };
    const progress = progressOf(invocation);
    const reports: DelegateReport[] = [];
    for (const delegate of wanted) {
      if (probing) progress.say(`${delegate.name} is asked what it sees`);
      const found = delegate.find(paths);
      const asked = probing && (found.state === "read" || plugin !== undefined) ? await probe(delegate, paths) : {};
      // Of the one that was named, nothing else is left to tell.
      if (id !== undefined && asked.failed !== undefined) {
        progress.end();
        throw asked.failed;
      }
      reports.push({
        id: delegate.id,
        name: delegate.name,
        formats: delegate.formats,
        devices: delegate.devices,
        here: delegate.devices.filter((device) => here.has(device)),
        verified: delegate.verified,
        ...(found.state === "read"
          ? { found: found.value }
          : { missing: { from: found.from, ...(found.why === undefined ? {} : { why: found.why }) } }),
        ...cureOf(delegate),
        ...(delegate.manual === undefined ? {} : { manual: delegate.manual }),
        ...(asked.seen === undefined ? {} : { seen: asked.seen }),
        ...(asked.failed === undefined ? {} : { failed: asked.failed.message }),
      });
    }
    progress.end();
    invocation.out(
      flag(invocation, "json")
        ? toJson({ schema: DELEGATES_SCHEMA, delegates: reports })
        : delegatesText(reports, invocation.terminal, id !== undefined),
    );
    return 0;
  },
};
export default command;

/** Where npm has the library, the command that puts it where it is found. */
function cureOf({ npm, manual }: Delegate): Pick<DelegateReport, "cure"> {
  const cure = npm === undefined ? manual?.install[0]?.command : installing(npm);
  return cure === undefined ? {} : { cure };
}

async function probe(
  delegate: Delegate,
  paths: ProbeOptions,
): Promise<{ readonly seen?: readonly Seen[]; readonly failed?: CannotError }> {
  if (delegate.probe === undefined) {
    return { failed: new CannotError(`${delegate.name}'s library tells no devices without a model`) };
  }
  try {
    return { seen: await probeIsolated(delegate, paths, { open_ms: PROBE_MS }) };
  } catch (error) {
    if (error instanceof CannotError) return { failed: error };
    throw error;
  }
}
