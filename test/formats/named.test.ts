import { describe, expect, it } from "vitest";
import { detectFormat, matchesOf } from "../../src/formats/detect.ts";
import { modelFileOf } from "../../src/formats/file.ts";
import { samples } from "./samples/cambricon.ts";

/** Formats without a public layout: named, with what cannot be seen, and nothing made up. */
describe("formats that are known by a mark or a name only", () => {
  it.each(Object.entries(samples))("%s is known without its name", (_, make) => {
    const found = detectFormat(modelFileOf(make(), "x"));
    expect(found.is === "model" && found.format.id).toBe("cambricon");
  });

  it.each([
    ["net.dla", "mtk-dla"],
    ["net.rbln", "rbln"],
  ])("%s is known by its name, unless it has the mark of another", (name, id) => {
    const bytes = Uint8Array.from({ length: 4096 }, (_, index) => (index * 89 + 7) & 255);
    const [best] = matchesOf(modelFileOf(bytes, name));
    expect([best?.format.id, best?.score]).toEqual([id, 1]);
    expect(matchesOf(modelFileOf(bytes, "x"))).toEqual([]);
    expect(best?.format.read(modelFileOf(bytes, name)).unseen[0]).toContain("not public");
    bytes.set(Buffer.from("\x7fMEF", "latin1"));
    expect(matchesOf(modelFileOf(bytes, name))[0]?.format.id).toBe("cambricon");
  });
});
