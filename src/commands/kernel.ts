/** accelctl kernel: what a kernel could drive, and what changes for accelerators from one kernel to another. */

import { UsageError } from "../base/errors.ts";
import { allFamilies } from "../families/load.ts";
import { disagreementsText, kernelDiffText, kernelText } from "../print/kernel.ts";
import { catalogueAgainstKernel } from "../review/catalogue-check.ts";
import { diffKernels } from "../review/kernel-diff.ts";
import { kernelSide } from "../review/kernel-side.ts";
import type { KernelView } from "../review/kernel-view.ts";
import { openKernel } from "../review/open-kernel.ts";
import { flag, option, options, type Command, type Invocation } from "./command.ts";
import { rootOf, toJson } from "./common.ts";

const command: Command = {
  name: "kernel",
  summary: "say what a kernel could drive, or compare two kernels",
  usage: "[RELEASE | diff A B]",
  says:
    "Prints for every driver of the catalogue whether this kernel has it loaded, built in, shipped, configured off or not at all, " +
    "which chips it claims, which firmware it would ask for and whether that is there. RELEASE is another kernel installed on the " +
    "machine; --root and --deb look at an image or at packages. `diff` tells what a change of kernels brings and takes: A and B " +
    "are releases, directories, archives, harvests (kernels/*.json) or packages (those of one kernel joined by commas).",
  options: [
    { name: "root", value: "PATH", says: "a directory, capture or archive instead of the live machine" },
    { name: "deb", value: "FILE", many: true, says: "a kernel package; give all of which the kernel consists" },
    { name: "all", says: "name all firmware; with diff also every symbol of the configuration" },
    { name: "check", says: "compare the catalogue with this kernel, both ways; exit 1 when they disagree" },
    { name: "json", says: "print it as JSON" },
  ],
  examples: [
    { command: "accelctl kernel", says: "what the running kernel could drive" },
    {
      command: "accelctl kernel --deb linux-image-6.12.107+deb13-amd64_6.12.107-1_amd64.deb",
      says: "before installing it",
    },
    { command: "accelctl kernel diff 6.12.107+deb13-amd64 7.3.4+deb13-amd64", says: "what an upgrade changes" },
  ],
  run(invocation) {
    return invocation.args[0] === "diff" ? runDiff(invocation) : runKernel(invocation);
  },
};
export default command;

function runKernel(invocation: Invocation): number {
  if (invocation.args.length > 1) {
    throw new UsageError(
      `one kernel at a time; to compare two: accelctl kernel diff ${invocation.args.slice(0, 2).join(" ")}`,
    );
  }
  const view = viewOf(invocation);
  const side = kernelSide(view, allFamilies());
  const check = flag(invocation, "check") ? catalogueAgainstKernel(view, allFamilies()) : undefined;
  if (flag(invocation, "json")) {
    invocation.out(toJson({ schema: 1, ...side, ...(check === undefined ? {} : { disagreements: check }) }));
  } else if (check !== undefined) {
    invocation.out(disagreementsText(check, side, invocation.terminal));
  } else {
    invocation.out(kernelText(side, invocation.terminal, { all: flag(invocation, "all") }));
  }
  return check !== undefined && check.length > 0 ? 1 : 0;
}

function runDiff(invocation: Invocation): number {
  const [, a, b, ...more] = invocation.args;
  if (a === undefined || b === undefined || more.length > 0) {
    throw new UsageError("diff compares two kernels: accelctl kernel diff A B");
  }
  if (options(invocation, "deb").length > 0)
    throw new UsageError("with diff, name the packages themselves: accelctl kernel diff A.deb B.deb");
  const root = () => rootOf(invocation);
  const all = flag(invocation, "all");
  const diff = diffKernels(openKernel(a, root), openKernel(b, root), allFamilies(), { allSymbols: all });
  invocation.out(
    flag(invocation, "json") ? toJson({ schema: 1, ...diff }) : kernelDiffText(diff, invocation.terminal, { all }),
  );
  return 0;
}

function viewOf(invocation: Invocation): KernelView {
  const debs = options(invocation, "deb");
  const [release] = invocation.args;
  if (debs.length === 0) return openKernel(release, () => rootOf(invocation));
  if (option(invocation, "root") !== undefined) throw new UsageError("--root and --deb name two kernels; give one");
  if (release !== undefined) throw new UsageError(`the packages name the kernel; leave out ${release}`);
  // Unpacking 100 MB of modules takes some seconds.
  if (invocation.terminal.isTerminal) invocation.err(`unpacking ${debs.join(", ")}\n`);
  return openKernel(debs.join(","), () => rootOf(invocation));
}
