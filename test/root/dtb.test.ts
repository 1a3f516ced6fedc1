import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FileError } from "../../src/base/errors.ts";
import { valueOf } from "../../src/base/reading.ts";
import { readDeviceTree } from "../../src/facts/devicetree.ts";
import { readPci } from "../../src/facts/pci.ts";
import { isDtb, openDtb } from "../../src/root/dtb.ts";
import { openBytes } from "../../src/root/open.ts";
import { makeDtb, type Source } from "./make-dtb.ts";

const board: Source = {
  model: "Board\0",
  compatible: "vendor,board\0vendor,soc\0",
  "soc@0": {
    compatible: "simple-bus\0",
    "npu@10": { compatible: "vendor,npu\0", status: "disabled\0", empty: "" },
  },
};

describe("a flattened device tree", () => {
  it("is a machine of which nothing but the tree is known", () => {
    const root = openBytes(makeDtb(board), "board.dtb");
    expect([root.kind, root.name]).toEqual(["device-tree", "board.dtb"]);
    expect(valueOf(root.text("/proc/device-tree/soc@0/npu@10/status"))).toBe("disabled\0");
    expect(valueOf(root.list("/sys/firmware/devicetree/base/soc@0"))).toEqual(["compatible", "npu@10"]);
    expect(root.text("/sys/firmware/devicetree/base/soc@0/ranges").state).toBe("absent");
    expect(readPci(root).state).toBe("uncaptured");
    expect(root.text("/proc/version").state).toBe("uncaptured");
    const tree = valueOf(readDeviceTree(root));
    expect(tree?.compatible).toEqual(["vendor,board", "vendor,soc"]);
    expect(tree?.nodes.map(({ path, enabled }) => [path, enabled])).toEqual([
      ["/soc@0", true],
      ["/soc@0/npu@10", false],
    ]);
  });

  it("is read in version 16, and whatever follows it in the file is left alone", () => {
    const old = Buffer.concat([makeDtb(board, { version: 16 }), Buffer.alloc(64, 0xff)]);
    expect(valueOf(openDtb(old, "old.dtb").text("/proc/device-tree/model"))).toBe("Board\0");
  });

  it("keeps the first of a property written twice, and both of two nodes of one name", () => {
    const root = openDtb(
      makeDtb([
        ["a", "1"],
        ["a", "2"],
        ["n", { x: "" }],
        ["n", { y: "" }],
      ]),
      "twice.dtb",
    );
    expect(valueOf(root.text("/proc/device-tree/a"))).toBe("1");
    expect(valueOf(root.list("/proc/device-tree"))).toEqual(["a", "n", "n#1"]);
  });
});

describe("a broken device tree says where", () => {
  const good = makeDtb(board);
  const patched = (...words: [offset: number, value: number][]): Buffer => {
    const bytes = Buffer.from(good);
    for (const [offset, value] of words) bytes.writeUInt32BE(value, offset);
    return bytes;
  };
  const structure = good.readUInt32BE(8);
  const nested = (levels: number): Source => (levels === 0 ? { x: "" } : { "n@1": nested(levels - 1) });

  const cases: [what: string, bytes: Buffer, message: RegExp][] = [
    ["empty", Buffer.alloc(0), /offset 0x0: needs 4 bytes, 0 are left/],
    [
      "another file",
      Buffer.from("\x7fELF and more"),
      /offset 0x0: starts with 0x7f454c46, a device tree with 0xd00dfeed/,
    ],
    ["cut off", good.subarray(0, good.length - 1), /offset 0x4: the tree has \d+ bytes, the file \d+: it is cut off/],
    ["a header alone", patched([4, 40]).subarray(0, 40), /offset 0x24: structure tokens reach from/],
    ["too old", patched([20, 3], [24, 1]), /offset 0x14: version 3, readable by 1; known are 16 and 17/],
    ["too new", patched([20, 19], [24, 18]), /version 19, readable by 18/],
    ["structure off its place", patched([8, structure + 2]), /offset 0x8: structure starts at .*, not on 4 bytes/],
    ["strings beyond", patched([12, 0xfffffff0]), /offset 0x20: strings reach from 0xfffffff0/],
    ["structure too long", patched([36, 0xffffffff]), /offset 0x24: structure tokens reach/],
    ["an unknown token", patched([structure, 7]), /0x7 is no token/],
    ["a property outside", patched([structure, 3]), /a property outside of any node/],
    ["an end outside", patched([structure, 2]), /a node ends that did not begin/],
    ["no root", patched([structure, 9]), /has no root node/],
    ["a huge property", patched([structure + 12, 0xfffffff0]), /needs 4294967280 bytes/],
    ["a name beyond the strings", patched([structure + 16, 0xffff]), /property name at 0xffff is past the strings/],
    ["a way out", makeDtb({ "../../etc": { x: "" } }), /"\.\.\/\.\.\/etc" is no name/],
    ["a parent as name", makeDtb({ "..": "x" }), /"\.\." is no name/],
    ["too deep", makeDtb(nested(70)), /nodes nested deeper than 64/],
    ["a node left open", makeDtb(board, { unclosed: true }), /ends inside node/],
  ];
  it.each(cases)("%s", (_, bytes, message) => {
    expect(() => openDtb(bytes, "x.dtb")).toThrow(FileError);
    expect(() => openDtb(bytes, "x.dtb")).toThrow(message);
  });

  it("never with anything but a FileError, wherever it is cut or changed", () => {
    let survived = 0;
    for (let i = 0; i < 4000; i++) {
      const bytes = Buffer.from(good);
      // Every word of the file in turn, to values that are near to meaning something.
      const at = (i * 4) % (bytes.length - 3);
      bytes.writeUInt32BE([0, 1, 2, 3, 4, 9, 0xffffffff, 0x80000000, i, bytes.length][i % 10] ?? 0, at);
      try {
        readDeviceTree(openDtb(i % 3 === 0 ? bytes.subarray(0, at) : bytes, "x.dtb"));
        survived++;
      } catch (error) {
        expect(error).toBeInstanceOf(FileError);
      }
    }
    expect(survived).toBeGreaterThan(0);
  });
});

const shared = new URL("../../../shared/", import.meta.url);
const blobs = new URL("machines/dtb/", shared);

describe.skipIf(!existsSync(blobs))("real boards (../shared/machines/dtb)", () => {
  const files = existsSync(blobs) ? readdirSync(blobs) : [];
  const manifest = existsSync(shared)
    ? (JSON.parse(readFileSync(new URL("MANIFEST.json", shared), "utf8")) as { file: string; truth: string }[])
    : [];
  const truths = new Map(manifest.map(({ file, truth }) => [file, truth]));

  interface Board {
    readonly dtb: string;
    readonly accel: readonly {
      readonly node: string;
      readonly compatible: readonly string[];
      readonly status: string;
    }[];
  }
  const facts = new URL("facts/boards.json", shared);
  const boards = existsSync(facts) ? (JSON.parse(readFileSync(facts, "utf8")) as Record<string, Board[]>) : {};

  it("every node of boards.json with its compatible and status, for the boards at hand", () => {
    let compared = 0;
    for (const { dtb, accel } of boards["7.2"] ?? []) {
      const file = dtb.replaceAll("/", "__");
      if (!files.includes(file)) continue;
      const bytes = readFileSync(new URL(encodeURIComponent(file), blobs));
      const nodes = new Map(valueOf(readDeviceTree(openDtb(bytes, file)))?.nodes.map((node) => [node.path, node]));
      for (const { node, compatible, status } of accel) {
        expect([dtb, nodes.get(node)]).toMatchObject([dtb, { compatible, status }]);
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(100);
  });

  it.each(files)("%s: model, compatible and accelerator nodes as the manifest says", (file) => {
    const bytes = readFileSync(new URL(encodeURIComponent(file), blobs));
    expect(isDtb(bytes)).toBe(true);
    const tree = valueOf(readDeviceTree(openDtb(bytes, file)));
    const truth = truths.get(`machines/dtb/${file}`) ?? "";
    const [, model, compatible] = /^model=(.*?); compatible=\[(.*?)\]/.exec(truth) ?? [];
    expect(tree && valueOf(tree.model)).toBe(model);
    expect(tree?.compatible.map((word) => `'${word}'`).join(", ")).toBe(compatible);
    const nodes = new Map(tree?.nodes.map((node) => [node.path, node]));
    for (const [, path = "", words, status] of truth.matchAll(/(\/[^ ;]+) compatible=(\S+) status=(\w+)/g)) {
      expect(nodes.get(path)).toMatchObject({ status: status === "absent" ? "okay" : status });
      expect(nodes.get(path)?.compatible.join(",")).toBe(words);
    }
  });
});
