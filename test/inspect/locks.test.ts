import { expect, it } from "vitest";
import { createFacts, type Facts } from "../../src/facts/facts.ts";
import { checkRequirements } from "../../src/inspect/locks.ts";
import type { Requirement } from "../../src/model/graph.ts";
import { TreeBuilder } from "../../src/root/memory.ts";

function facts(files: Readonly<Record<string, string>>): Facts {
  const tree = new TreeBuilder();
  for (const covered of ["/usr", "/etc", "/var", "/lib", "/opt"]) tree.covers(covered);
  for (const [path, content] of Object.entries(files)) tree.file(path, content);
  return createFacts(tree.build("directory", "test"), { nodePatterns: [], environments: [], query: false });
}

const states = (requirement: Requirement, files: Readonly<Record<string, string>>): string | undefined =>
  checkRequirements([requirement], facts(files))[0]?.state;

const rknn = (version: string): Requirement => ({ what: "rknn-model-runtime", relation: "at least", version });
const runtime = (version: string): Record<string, string> => ({
  "/usr/lib/aarch64-linux-gnu/librknnrt.so": `\x7fELF\0\0librknnrt version: ${version} (429f97ae6b@2025-04-09T09:09:27)\0`,
});

it("a toolkit's model fits a runtime of its release or later; an older one is not known to refuse it", () => {
  expect(states(rknn("1.6.0+81f21f4d"), runtime("1.6.0"))).toBe("fits");
  expect(states(rknn("1.6.0+81f21f4d"), runtime("2.3.2"))).toBe("fits");
  expect(states(rknn("2.3.2-source_code"), runtime("2.3.0"))).toBe("unknown");
});

it("a model version is refused by a runtime that takes less, as its log says how much it takes", () => {
  const container = (version: string): Requirement => ({ what: "RKNN model version", relation: "at least", version });
  expect(states(container("6"), runtime("1.2.0"))).toBe("broken");
  expect(states(container("6"), runtime("1.4.0"))).toBe("broken");
  expect(states(container("6"), runtime("1.5.0"))).toBe("broken");
  expect(states(container("6"), runtime("1.5.2"))).toBe("fits");
  expect(states(container("4"), runtime("1.5.0"))).toBe("fits");
  // Between two releases of which it is known.
  expect(states(container("6"), runtime("1.5.1"))).toBe("unknown");
  expect(states(container("2"), runtime("1.4.1"))).toBe("unknown");
  expect(states(container("6"), runtime("1.4.1"))).toBe("broken");
  // And what a newer one takes besides.
  expect(states(container("7"), runtime("2.3.2"))).toBe("unknown");
});

it("a version that stands across the border of two pieces is found", () => {
  const text = "librknnrt version: 1.5.0 (e6fe0c678)";
  const path = "/usr/lib/aarch64-linux-gnu/librknnrt.so";
  const [report] = checkRequirements([rknn("1.5.0")], facts({ [path]: "x".repeat(1024 * 1024 - 10) + text }));
  expect(report?.found).toBe(`1.5.0 (${path})`);
});

it("no runtime, or one that does not tell its version, is unknown and never called broken", () => {
  expect(states(rknn("2.3.2"), {})).toBe("unknown");
  expect(states(rknn("2.3.2"), { "/usr/lib/aarch64-linux-gnu/librknnrt.so": "nothing" })).toBe("unknown");
});

it("Edge TPU runtime 14 came with libedgetpu 16.0", () => {
  const wants = (version: string): Requirement => ({ what: "Edge TPU runtime", relation: "at least", version });
  const debian = (version: string): Record<string, string> => ({
    "/var/lib/dpkg/status": `Package: libedgetpu1-std\nStatus: install ok installed\nVersion: ${version}\n\n`,
  });
  expect(states(wants("14"), debian("15.0"))).toBe("broken");
  expect(states(wants("14"), debian("16.0"))).toBe("fits");
  expect(states(wants("12"), debian("16.0tf2.17.1-1.bookworm"))).toBe("fits");
  // What 15.0 speaks is not known for sure.
  expect(states(wants("13"), debian("15.0"))).toBe("unknown");
});

it("a blob of an exact OpenVINO is held against the library's file name", () => {
  const wants: Requirement = { what: "OpenVINO", relation: "exactly", version: "2025.2.0" };
  expect(states(wants, { "/usr/lib/x86_64-linux-gnu/libopenvino.so.2025.2.0": "" })).toBe("fits");
  expect(states(wants, { "/usr/lib/x86_64-linux-gnu/libopenvino.so.2024.6.0": "" })).toBe("broken");
});

it("a HEF is held against libhailort: at least, at most, of a series and not of one", () => {
  const hailort = (version: string): Record<string, string> => ({ [`/usr/lib/libhailort.so.${version}`]: "" });
  const wants = (relation: Requirement["relation"], version: string): Requirement => ({
    what: "HailoRT",
    relation,
    version,
  });
  expect(states(wants("at least", "4.21.0"), hailort("4.20.1"))).toBe("broken");
  expect(states(wants("at most", "4.20.1"), hailort("4.21.0"))).toBe("broken");
  expect(states(wants("series", "4"), hailort("4.23.0"))).toBe("fits");
  expect(states(wants("series", "4"), hailort("5.1.1"))).toBe("broken");
  expect(states(wants("series", "5.1"), hailort("5.1.1"))).toBe("fits");
  expect(states(wants("series", "5.1"), hailort("5.10.0"))).toBe("broken");
  expect(states(wants("other than", "4.22"), hailort("4.22.0"))).toBe("broken");
  expect(states(wants("other than", "4.22"), hailort("4.21.0"))).toBe("fits");
  const [report] = checkRequirements([wants("series", "5.1")], facts(hailort("5.2.0")));
  expect(report?.says).toBe(
    "the file needs libhailort of the series 5.1.x, but 5.2.0 is here (/usr/lib/libhailort.so.5.2.0): it will be refused",
  );
});

it("what a file was built by is told and not judged", () => {
  const [report] = checkRequirements([{ what: "tt-mlir", relation: "built by", version: "e791b099" }], facts({}));
  expect(report?.state).toBe("unknown");
  expect(report?.says).toBe("the file was built by tt-mlir e791b099; which version is installed could not be seen");
});
