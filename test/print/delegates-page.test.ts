/** docs/delegates.md: a section for each delegate, from what it says of itself and from the catalogue. */

import { expect, it } from "vitest";
import type { Delegate } from "../../src/delegates/delegate.ts";
import { delegates } from "../../src/delegates/index.ts";
import nothing from "../../src/delegates/null.ts";
import { families } from "../../src/families/index.ts";
import { renderDelegates } from "../../src/print/delegates-page.ts";

it("tells of each delegate how it was verified, how its library is installed and what it takes", () => {
  const page = renderDelegates(delegates, families);
  for (const { name, formats, verified, manual } of delegates) {
    expect(page.includes(`\n## ${name}\n`)).toBe(formats.length > 0);
    if (formats.length === 0) continue;
    expect(page).toContain(verified.replaceAll("|", "\\|"));
    for (const { command } of manual?.install ?? []) expect(page).toContain(`| \`${command}\` |`);
  }
  expect(page).toContain("| `rockchip` | `open` | `libteflon.so`");
  expect(page).toContain("`--option xla_*=`");
  // A cell of a table ends where it should.
  for (const line of page.split("\n").filter((text) => text.startsWith("| "))) {
    expect(line.replaceAll("\\|", "").split("|").length, line).toBeGreaterThanOrEqual(4);
  }
});

it("takes up a delegate that says no more than it must", () => {
  const own: Delegate = { ...nothing, id: "example", name: "Example's runtime", formats: ["onnx"], devices: ["hailo"] };
  const page = renderDelegates([own], families);
  expect(page).toContain("| [Example's runtime](#examples-runtime) | `example` | `onnx` | `hailo` |");
  expect(page).toContain("| `hailo` | none: name a library or plug-in | | |");
});
