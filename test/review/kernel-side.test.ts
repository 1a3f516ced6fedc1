import { expect, test } from "vitest";

import { FileError } from "../../src/base/errors.ts";
import { valueOf } from "../../src/base/reading.ts";
import type { Source } from "../../src/base/source.ts";
import { pci, type Family } from "../../src/families/family.ts";
import { plainTerminal, widthOf } from "../../src/print/terminal.ts";
import { kernelDiffText, kernelText } from "../../src/print/kernel.ts";
import { catalogueAgainstKernel } from "../../src/review/catalogue-check.ts";
import { claimOf, describeAlias, modaliasesOf } from "../../src/review/claims.ts";
import { harvestKernel, harvestView, parseHarvest, renderHarvest } from "../../src/review/harvest.ts";
import { diffKernels } from "../../src/review/kernel-diff.ts";
import { kernelSide } from "../../src/review/kernel-side.ts";
import { readKernelView } from "../../src/review/kernel-view.ts";
import { makeModule } from "../facts/make-module.ts";
import { smallRoot } from "../facts/small-root.ts";

const kernel: Source = { kernel: "drivers/accel/acme", module: "acme_npu", release: "6.18" };
const acme: Family = {
  id: "acme",
  vendor: "Acme",
  name: "Acme NPU",
  says: "An NPU of nobody.",
  architecture: "MAC array",
  use: "inference",
  chips: [
    { id: "one", name: "Acme One", matches: [pci("1234:0001")], source: kernel },
    { id: "two", name: "Acme Two", matches: [pci("1234:0002")], source: { ...kernel, release: "7.0" } },
  ],
  routes: [
    {
      name: "open",
      says: "all open",
      driver: {
        module: "acme_npu",
        origin: "mainline",
        since: "6.18",
        config: { symbol: "DRM_ACCEL_ACME", needs: ["DRM_ACCEL"] },
        openness: "open",
        source: kernel,
      },
      firmware: {
        files: [
          { path: "acme/one.bin", chips: ["one"], source: kernel },
          { path: "acme/two.bin", chips: ["two"], source: { ...kernel, release: "7.0" } },
          { path: "acme/*.fw", source: { ...kernel, kernel: "drivers/accel/acme/fw.c" } },
        ],
        openness: "closed",
      },
      runtime: { libraries: ["libacme.so"], name: "libacme", openness: "open", source: kernel },
      delegate: { id: "vendor", name: "acme", openness: "open", source: kernel },
      models: [],
    },
  ],
  openness: { kernel: "open", firmware: "closed", runtime: "open", compiler: "open", says: "but for the firmware" },
  maintained: "no",
  verified: [],
  sources: [kernel],
};

function viewOf(
  release: string,
  ids: readonly string[],
  firmware: readonly string[],
  more: Readonly<Record<string, string>> = {},
) {
  const at = `/lib/modules/${release}`;
  const alias = (id: string): string => {
    const [vendor = "", device = ""] = id.toUpperCase().split(":");
    return `pci:v0000${vendor}d0000${device}sv*sd*bc*sc*i*`;
  };
  return readKernelView(
    smallRoot({
      [`${at}/kernel/drivers/accel/acme/acme_npu.ko`]: makeModule({
        name: "acme_npu",
        license: "GPL",
        intree: "Y",
        firmware,
        alias: ids.map(alias),
      }),
      [`${at}/modules.dep`]: "kernel/drivers/accel/acme/acme_npu.ko:\n",
      [`${at}/modules.builtin`]: "",
      [`${at}/modules.alias`]: ids.map((id) => `alias ${alias(id)} acme_npu\n`).join(""),
      [`/boot/config-${release}`]: "CONFIG_X86_64=y\nCONFIG_DRM_ACCEL=y\nCONFIG_DRM_ACCEL_ACME=m\n",
      ...more,
    }),
  );
}

const old = viewOf("6.18.1", ["1234:0001"], ["acme/one.bin"], { "/lib/firmware/acme/one.bin.zst": "x" });
const recent = viewOf("7.0.2", ["1234:0001", "1234:0002"], ["acme/one.bin", "acme/two.bin"]);

test("a kernel claims the chips its module has ids of, and asks for their firmware only", () => {
  const [route] = kernelSide(old, [acme]).routes;
  expect(route).toMatchObject({
    module: "acme_npu",
    state: "shipped as a module",
    claims: { chips: [{ id: "one" }], not: [{ id: "two" }] },
  });
  expect(route?.firmware.map(({ name, by, files }) => [name, by, files.state])).toEqual([
    ["acme/one.bin", "both", "read"],
    ["acme/*.fw", "catalogue", "absent"],
  ]);
});

test("the text fits 80 columns and names what is there and what is not", () => {
  const text = kernelText(kernelSide(old, [acme]), plainTerminal, { all: false });
  expect(text).toContain("Linux 6.18.1, x86_64\n");
  expect(text).toMatch(/✓ acme_npu +Acme NPU: shipped as a module/);
  expect(text).toContain("✓ acme/one.bin\n");
  expect(text).toContain("✗ acme/*.fw · not there\n");
  expect(text).toMatch(/not these +Acme Two/);
  for (const line of text.split("\n")) expect(widthOf(line)).toBeLessThanOrEqual(80);
});

test("an upgrade shows new ids, firmware names and flipped symbols", () => {
  const off = readKernelView(
    smallRoot({
      "/lib/modules/6.12.0/modules.dep": "",
      "/lib/modules/6.12.0/modules.builtin": "",
      "/boot/config-6.12.0": "# CONFIG_DRM_ACCEL is not set\nCONFIG_OTHER=y\n",
    }),
  );
  const first = diffKernels(off, old, [acme]);
  expect(first.drivers.gained).toEqual([
    { module: "acme_npu", families: ["Acme NPU"], before: "not in this kernel", after: "shipped as a module" },
  ]);
  expect(first.symbols).toEqual([
    { symbol: "DRM_ACCEL", before: "n", after: "y" },
    { symbol: "DRM_ACCEL_ACME", before: "not written", after: "m" },
  ]);
  expect(diffKernels(off, old, [acme], { allSymbols: true }).symbols.map(({ symbol }) => symbol)).toContain("OTHER");
  expect(diffKernels(old, off, [acme]).drivers.lost).toHaveLength(1);

  const second = diffKernels(old, recent, [acme]);
  expect(second.ids).toEqual([{ module: "acme_npu", gained: ["1234:0002"], lost: [] }]);
  expect(second.firmware).toEqual([{ module: "acme_npu", gained: ["acme/two.bin"], lost: [] }]);
  const text = kernelDiffText(second, plainTerminal, { all: false });
  expect(text).toContain("+1234:0002");
  expect(kernelDiffText(diffKernels(old, old, [acme]), plainTerminal, { all: false })).toContain("no difference");
});

test("the catalogue is contradicted by a kernel that is new enough to know, in both directions", () => {
  expect(catalogueAgainstKernel(old, [acme])).toEqual([]);
  expect(catalogueAgainstKernel(recent, [acme])).toEqual([]);
  const odd = viewOf("7.1.0", ["1234:0001", "1234:0003"], ["acme/one.bin"]);
  expect(catalogueAgainstKernel(odd, [acme]).map(({ kind, what }) => [kind, what])).toEqual([
    ["match not claimed", "1234:0002"],
    ["firmware not asked for", "acme/two.bin"],
    ["alias in no family", "1234:0003"],
  ]);
  const early = viewOf("6.17.9", ["1234:0001"], ["acme/one.bin"]);
  expect(catalogueAgainstKernel(early, [acme]).map(({ kind }) => kind)).toEqual(["since"]);
});

test("a harvest comes back as it went, and reads like the kernel it was taken from", () => {
  const wanted = {
    symbols: ["DRM_ACCEL", "DRM_ACCEL_ACME", "NOWHERE"],
    modules: ["other_npu"],
    package: "linux-acme 1",
  };
  const harvest = harvestKernel(recent, wanted);
  expect(harvest.lacks).toEqual(["other_npu"]);
  const text = renderHarvest(harvest);
  expect(text).toContain('"aliases":"1234:0001 1234:0002"');
  const again = parseHarvest(text, "k.json");
  expect(again).toEqual(harvest);
  const view = harvestView(again, "k.json");
  expect(diffKernels(recent, view, [acme])).toMatchObject({ drivers: { gained: [], lost: [] }, ids: [], firmware: [] });
  expect(kernelSide(view, [acme]).routes[0]?.firmware[0]?.files.state).toBe("uncaptured");
  expect(valueOf(view.moduleIndex)?.file("never_asked").state).toBe("uncaptured");
});

test("aliases of every shape survive a harvest", () => {
  const aliases = [
    "pci:v00001002d*sv*sd*bc12sc00i00*",
    "pci:v00008086d0000E20Bsv*sd*bc03sc*i*",
    "pci:v00001AC1d0000089Asv*sd*bc*sc*i*",
    "pci:v*d*sv*sd*bc01sc08i02*",
    "of:N*T*Cacme,npu",
    "of:N*T*Cacme,npuC*",
    "of:N*T*Cacme,lonely",
    "platform:acme",
    "usb:v1A6Ep089Ad*dc*dsc*dp*ic*isc*ip*in*",
  ];
  const harvest = { ...harvestKernel(recent, { symbols: [], modules: [], package: "x" }) };
  const [module] = harvest.modules;
  if (module === undefined) throw new Error("no module");
  const again = parseHarvest(renderHarvest({ ...harvest, modules: [{ ...module, aliases }] }), "k.json");
  expect([...(again.modules[0]?.aliases ?? [])].sort()).toEqual([...aliases].sort());
});

test.each([
  ["", "is no JSON"],
  ["[]", "harvest is no object"],
  ['{"schema":2}', "is no harvest of schema 1"],
  ['{"schema":1,"release":"1","arch":"x","package":"p","config":{},"modules":[{"name":1}]}', "name is no text"],
])("a broken harvest %j is refused with its name", (text, why) => {
  expect(() => parseHarvest(text, "k.json")).toThrow(new FileError("k.json", why));
});

test("a modalias made of a match is claimed by the pattern the kernel's tools make of the same id", () => {
  expect(claimOf(pci("8086:7d1d"), ["pci:v00008086d00007D1Dsv*sd*bc*sc*i*"])).toBeDefined();
  expect(claimOf(pci("8086:7d1d"), ["pci:v00008086d00007D1Esv*sd*bc*sc*i*"])).toBeUndefined();
  expect(claimOf(pci("1002:*", { classes: ["1200"] }), ["pci:v00001002d*sv*sd*bc12sc00i00*"])).toBeDefined();
  expect(claimOf(pci("1002:*", { classes: ["1200"] }), ["pci:v00001002d*sv*sd*bc03sc00i00*"])).toBeUndefined();
  expect(claimOf({ bus: "of", compatible: "acme,npu" }, ["of:N*T*Cacme,npuC*"])).toBeDefined();
  expect(claimOf({ bus: "usb", id: "1a6e:089a" }, ["usb:v1A6Ep089Ad*dc*dsc*dp*ic*isc*ip*in*"])).toBeDefined();
  expect(modaliasesOf({ bus: "cpu", arch: "x86_64" })).toEqual([]);
  expect(describeAlias("pci:v00008086d0000E20Bsv*sd*bc03sc*i*")).toBe("8086:e20b class 03");
});
