/**
 * Captured machines in machines/: each replays to the report beside it, and says the same as the machine it was made from. Rewrite
 * both with `npm run accept`, and look at what git shows.
 */

import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { plainTerminal } from "../../src/print/terminal.ts";
import { renderText } from "../../src/print/text.ts";
import { review } from "../../src/review/review.ts";
import { takeCapture } from "../../src/review/take-capture.ts";
import { openCapture } from "../../src/root/capture.ts";
import { openRoot } from "../../src/root/open.ts";
import { machines } from "../support/machines.ts";
import { top } from "../support/shared.ts";

const names = { users: [], hosts: [] };

describe("captured machines", () => {
  it.each(Object.entries(machines))("%s", async (name, make) => {
    const capture = takeCapture(make(), { environments: [], query: false, redact: true, trim: true, names });
    await expect(capture.text).toMatchFileSnapshot(join(top, `machines/${name}.json`));

    const replayed = review(openCapture(Buffer.from(capture.text), name));
    // The machine's user and group names are no secrets of anyone, so redaction changes nothing a review says.
    expect(JSON.stringify(replayed)).toBe(JSON.stringify(review(make())));
    await expect(renderText(replayed, plainTerminal)).toMatchFileSnapshot(join(top, `machines/${name}.report.txt`));
  });

  it("a capture of this machine gives this machine's report, letter by letter", () => {
    const root = openRoot();
    const capture = takeCapture(root, { environments: [], query: false, redact: false, trim: true, names });
    expect(capture.notes.filter((note) => note.includes("does not give the same report"))).toEqual([]);
    const replayed = review(openCapture(Buffer.from(capture.text), "here"));
    expect(JSON.stringify(replayed)).toBe(JSON.stringify(review(root)));
  });
});
