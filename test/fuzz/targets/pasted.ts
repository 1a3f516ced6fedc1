/** Pasted text as a machine; and captures taken of odd machines, which must answer as the machine did. */

import { review } from "../../../src/review/review.ts";
import { captureMachine } from "../../../src/root/capture-machine.ts";
import { openCapture } from "../../../src/root/capture.ts";
import { openPaste } from "../../../src/root/paste.ts";
import { checkReview } from "../check.ts";
import { below, mutateText, pick, type Random } from "../mutate.ts";
import { buildRoot, changeItems } from "../seeds/change.ts";
import { machine } from "../seeds/machine.ts";
import { pasted, prose } from "../seeds/paste.ts";
import { contentOf, realFiles } from "../seeds/real.ts";
import { Complaint, type Target } from "../target.ts";

const REAL_LIMIT = 100_000;

function pasteText(random: Random): string {
  const real = realFiles("machines/text", /\.txt$|\.dts$/);
  if (real.length > 0 && random() < 0.25) {
    return mutateText(
      Buffer.from(contentOf(pick(random, real)))
        .toString()
        .slice(0, REAL_LIMIT),
      random,
    );
  }
  const parts = Array.from({ length: 1 + below(random, 5) }, () => {
    const part = pick(random, pasted);
    return (random() < 0.7 ? mutateText(part, random) : part) + (random() < 0.3 ? pick(random, prose) : "");
  });
  return parts.join("");
}

export const pastes: Target = {
  name: "pasted text",
  share: 4,
  make: (random) => {
    const text = pasteText(random);
    return {
      input: text,
      run: () => {
        checkReview(openPaste(text, "fuzzed"), random);
      },
    };
  },
};

/** Long runs inside a line, many of a line: 256 KiB, as lines are looked at whole and there are many expressions. */
const FLOOD = 256 * 1024;
const LINE = 2000;

export const pasteFloods: Target = {
  name: "paste floods",
  share: 1,
  make: (random) => {
    const part = pick(random, pasted);
    const line = pick(random, part.split("\n"));
    const at = below(random, line.length + 1);
    const run = pick(random, [
      " ",
      "\t",
      "a",
      "0",
      ":",
      ",",
      "-",
      "[",
      "(",
      "=",
      "a ",
      "0 ",
      "0:",
      "a,",
      "a=",
      ". ",
      "| ",
      "/*",
      '"',
      "\n",
      "{",
      "<",
    ]);
    const width = pick(random, [1, 40, 400, LINE, FLOOD]);
    const long = line.slice(0, at) + run.repeat(Math.ceil(width / run.length)) + line.slice(at);
    const text = `${part}${`${long}\n`.repeat(Math.ceil(FLOOD / (long.length + 1)))}${part}`;
    return {
      input: text.slice(0, 100_000),
      run: () => {
        checkReview(openPaste(text, "fuzzed"), random, false);
      },
    };
  },
};

export const taken: Target = {
  name: "captures taken",
  share: 1,
  make: (random) => {
    const changed = changeItems(machine, random);
    const redact = random() < 0.5;
    const trim = random() < 0.5;
    return {
      input: changed.notes,
      run: () => {
        const { text, notes } = captureMachine(buildRoot(changed, "live", true), {
          question: (root) => JSON.stringify(review(root)),
          relevant: { modules: new Set(["intel_vpu", "rocket"]), symbols: new Set(["DRM_ACCEL"]) },
          by: "fuzz",
          redact,
          trim,
          names: { users: ["u"], hosts: ["host"] },
        });
        const unfaithful = notes.find((note) => note.startsWith("replayed"));
        if (unfaithful !== undefined) throw new Complaint(unfaithful);
        checkReview(openCapture(Buffer.from(text), "fuzzed"), random);
      },
    };
  },
};
