/** Where ExecuTorch programs run: by the back ends they call. */

import { expect, it } from "vitest";
import { modelFileOf } from "../../src/formats/file.ts";
import pte from "../../src/formats/pte.ts";
import { loadFamily } from "../../src/families/load.ts";
import { refusedByDelegates } from "../../src/inspect/delegated.ts";
import { samples } from "../formats/samples/pte.ts";

const refused = (name: string, id: string): string | undefined => {
  const family = loadFamily(id);
  if (family === undefined) throw new Error(`no family ${id}`);
  return refusedByDelegates(pte.read(modelFileOf(samples[name]?.() ?? new Uint8Array(0), name)), family);
};

it("a CPU takes kernels and XNNPACK, and no program that calls another back end", () => {
  expect(refused("kernels.pte", "cpu")).toBeUndefined();
  expect(refused("xnnpack.pte", "cpu")).toBeUndefined();
  expect(refused("vulkan.pte", "cpu")).toMatch(/VulkanBackend/);
  expect(refused("ethosu.pte", "cpu")).toMatch(/made for ethos-u85-256/);
});

it("an accelerator takes what was made for its family, and not what was made for none", () => {
  expect(refused("ethosu.pte", "ethos-u")).toBeUndefined();
  expect(refused("qnn.pte", "qualcomm")).toBeUndefined();
  expect(refused("qnn.pte", "ethos-u")).toMatch(/made for SM8750, not for/);
  expect(refused("kernels.pte", "ethos-u")).toMatch(/exported again/);
});
