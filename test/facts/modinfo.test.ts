import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { expect, test } from "vitest";

import { FileError } from "../../src/base/errors.ts";
import { valueOf } from "../../src/base/reading.ts";
import { parseModinfo, readModinfo } from "../../src/facts/modinfo.ts";
import { openRoot } from "../../src/root/open.ts";
import { makeModule } from "./make-module.ts";
import { smallRoot } from "./small-root.ts";

const info = {
  name: "fake_npu",
  license: "GPL",
  version: "4.20.0",
  vermagic: "6.18.1 SMP mod_unload ",
  description: "An NPU of nobody",
  alias: ["pci:v00001234d00005678sv*sd*bc*sc*i*", "of:N*T*Cacme,npu"],
  firmware: ["acme/npu.bin"],
  depends: "drm,gpu-sched",
  softdep: "pre: mhi",
  parm: ["timeout:Milliseconds: 0 = none", "bare"],
  parmtype: "timeout:int",
  import_ns: "DMA_BUF",
  intree: "Y",
};

test.each([
  ["64 bit, little endian", { wide: true, bigEndian: false }],
  ["64 bit, big endian", { wide: true, bigEndian: true }],
  ["32 bit, little endian", { wide: false, bigEndian: false }],
  ["32 bit, big endian", { wide: false, bigEndian: true }],
])("a module of %s says the same", (_, shape) => {
  expect(parseModinfo(makeModule(info, shape), "fake-npu.ko")).toEqual({
    name: "fake_npu",
    licence: "GPL",
    version: "4.20.0",
    vermagic: "6.18.1 SMP mod_unload ",
    description: "An NPU of nobody",
    intree: true,
    aliases: info.alias,
    firmware: ["acme/npu.bin"],
    depends: ["drm", "gpu_sched"],
    softdeps: ["pre: mhi"],
    parameters: [
      { name: "timeout", says: "Milliseconds: 0 = none" },
      { name: "bare", says: "" },
    ],
    importNamespaces: ["DMA_BUF"],
  });
});

test("a module without intree comes from outside, and one without a name is named after its file", () => {
  const found = parseModinfo(makeModule({ license: "Proprietary" }), "/lib/modules/x/updates/fake-npu.ko.zst");
  expect(found).toMatchObject({ name: "fake_npu", intree: false, aliases: [], firmware: [] });
});

test("a packed module is unpacked by its bytes, not by its name", () => {
  const root = smallRoot({ "/a.ko": gzipSync(makeModule(info)), "/b.ko.xz": makeModule(info) });
  expect(valueOf(readModinfo(root, "/a.ko"))?.firmware).toEqual(["acme/npu.bin"]);
  expect(valueOf(readModinfo(root, "/b.ko.xz"))?.firmware).toEqual(["acme/npu.bin"]);
});

test("every truncation is an error with the path in it, never another exception", () => {
  const whole = makeModule(info);
  for (let length = 0; length < whole.length; length += 3) {
    expect(() => parseModinfo(whole.subarray(0, length), "cut.ko")).toThrow(FileError);
  }
});

test("any flipped byte is read or refused, and quickly", () => {
  const whole = makeModule(info);
  for (let at = 0; at < whole.length; at++) {
    for (const value of [0, 0x7f, 0xff]) {
      const bytes = Uint8Array.from(whole);
      bytes[at] = value;
      try {
        parseModinfo(bytes, "odd.ko");
      } catch (error) {
        expect(error).toBeInstanceOf(FileError);
      }
    }
  }
});

test.each([
  ["no ELF", "hello", "is no ELF file"],
  ["no section table", (() => Uint8Array.from(makeModule(info)).fill(0, 0x28, 0x30))(), "has no section headers"],
])("%s is named as what it is", (_, content, why) => {
  const reading = readModinfo(smallRoot({ "/m.ko": content }), "/m.ko");
  expect(reading).toMatchObject({ state: "malformed", why: expect.stringContaining(why) as string });
});

const archive = fileURLToPath(new URL("../../../shared/kernels/6.12-arm64.tar.gz", import.meta.url));

test.skipIf(!existsSync(archive))("real packed modules of a Debian kernel say what their drivers claim", () => {
  const root = openRoot(archive);
  const at = "/lib/modules/6.12.107+deb13-arm64/kernel/drivers/";
  const etnaviv = valueOf(readModinfo(root, `${at}gpu/drm/etnaviv/etnaviv.ko.xz`));
  expect(etnaviv).toMatchObject({ name: "etnaviv", intree: true, licence: "GPL v2" });
  expect(etnaviv?.aliases).toContain("of:N*T*Cvivante,gc");
  expect(valueOf(readModinfo(root, `${at}misc/fastrpc.ko.xz`))?.aliases).toContain("of:N*T*Cqcom,fastrpc");
});
