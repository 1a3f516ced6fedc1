/** accelctl demo: one real inference on this machine, and what to type for a model of one's own. */

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { CannotError } from "../base/errors.ts";
import { valueOf } from "../base/reading.ts";
import { demoText } from "../print/demo.ts";
import { makeInputs } from "../session/inputs.ts";
import { readLabels } from "../session/labels.ts";
import { openSession } from "../session/open.ts";
import { outputReport, timedRuns } from "../session/result.ts";
import { flag, type Command } from "./command.ts";
import { toJson } from "./common.ts";
import { sessionOptionSpecs, sessionOptionsOf } from "./session-options.ts";

/** Runs after the first, of which the last is told: the first pays for what is done once. */
const RUNS = 3;
const TOP = 3;

const command: Command = {
  name: "demo",
  summary: "run one small model on a picture, as proof that running works here",
  usage: "",
  says:
    "Runs MobileNet v1 in 8-bit integers, which comes with accelctl, on the picture of a cat that comes with it, by the best route that " +
    "works here (--device chooses another), and says what it saw, how long that took and which device worked.",
  options: [...sessionOptionSpecs, { name: "json", says: "print it as JSON" }],
  examples: [{ command: "accelctl demo", says: "does running work on this machine?" }],
  async run(invocation) {
    const folder = demoFolder();
    const model = join(folder, "mobilenet_v1_0.25_128_quant.tflite");
    const start = performance.now();
    const opened = await openSession(model, sessionOptionsOf(invocation));
    const openedMs = performance.now() - start;
    try {
      const { session, described, candidate, passed } = opened;
      const { values } = await makeInputs(session.inputs, {
        files: new Map(),
        unnamed: [join(folder, "cat.jpg")],
        shapes: new Map(),
        seed: 0,
        model: described.model,
      });
      const { last, runs, proof } = await timedRuns(opened, values, { warmup: 1, repeat: RUNS });
      const [output] = last.outputs;
      const [port] = session.outputs;
      if (output === undefined || port === undefined) throw new CannotError("the demo's model gave no output");
      const labels = readLabels(join(folder, "labels.txt"));
      const report = outputReport(output[0], output[1], { port, labels, top: TOP });
      const demo = {
        picture: "a cat (demo/cat.jpg)",
        model: "MobileNet v1 0.25 128, 8-bit, TFLite",
        seen: (report.top ?? []).map(({ label, index, value }) => ({ label: label ?? `#${index}`, score: value })),
        delegate: { id: opened.delegate.id, version: session.version },
        device: session.placement.device,
        embedded: valueOf(opened.delegate.find(candidate.paths))?.embedded === true,
        ...(candidate.route === undefined ? {} : { route: candidate.route }),
        passed_over: passed,
        opened_ms: openedMs,
        run_ms: Math.min(...runs),
        proof,
      };
      const called = process.env["npm_lifecycle_event"] === "start" ? "npm start --" : "accelctl";
      invocation.out(flag(invocation, "json") ? toJson(demo) : demoText(demo, invocation.terminal, called));
      return 0;
    } finally {
      await opened.session.close();
    }
  },
};
export default command;

/** Beside the bundle's folder, or at the top of the sources. */
function demoFolder(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const found = [join(here, "../demo"), join(here, "../../demo")].find((path) => existsSync(join(path, "cat.jpg")));
  if (found === undefined) throw new CannotError(`${join(here, "../demo")}: the demo's files are not there`);
  return found;
}
