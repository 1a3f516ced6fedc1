import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { valueOf } from "../../src/base/reading.ts";
import command from "../../src/commands/board.ts";
import { readBoard, type Board } from "../../src/devices/board.ts";
import { readDeviceTree } from "../../src/facts/devicetree.ts";
import { boardText } from "../../src/print/board.ts";
import { plainTerminal } from "../../src/print/terminal.ts";
import { openDtb } from "../../src/root/dtb.ts";
import { makeDtb, type Source } from "../root/make-dtb.ts";

function boardOf(bytes: Uint8Array): Board {
  const root = openDtb(bytes, "x.dtb");
  const tree = valueOf(readDeviceTree(root));
  if (tree === undefined) throw new Error("no tree");
  return readBoard(root, tree);
}

const brief = (board: Board): unknown =>
  board.accelerators.map(({ family, chip, nodes, drivers }) => ({
    is: `${family.id}/${chip.id}`,
    nodes: nodes.map(({ path, enabled }) => `${path} ${enabled ? "on" : "off"}`),
    drivers: drivers.map(({ driver }) => driver.module),
  }));

const word = (...values: number[]): string =>
  Buffer.from(values.flatMap((v) => [0, 0, v >> 8, v & 255])).toString("latin1");

function rk3588(status: string, supplies: Record<string, string> = {}): Source {
  const core = (mmu: number): Source => ({
    compatible: "rockchip,rk3588-rknn-core\0",
    status: `${status}\0`,
    iommus: word(mmu),
    ...supplies,
  });
  const mmu = (phandle: number): Source => ({
    compatible: "rockchip,rk3588-iommu\0rockchip,rk3568-iommu\0",
    status: `${status}\0`,
    phandle: word(phandle),
    "#iommu-cells": word(0),
  });
  return {
    model: "Board\0",
    compatible: "maker,board\0rockchip,rk3588\0",
    "npu@fdab0000": core(1),
    "npu@fdac0000": core(2),
    "iommu@fdab9000": mmu(1),
    "iommu@fdaca000": mmu(2),
  };
}

describe("a board", () => {
  it("names its accelerator, cores together, and the drivers that take these very nodes", () => {
    const board = boardOf(makeDtb(rk3588("okay")));
    expect(brief(board)).toEqual([
      { is: "rockchip/rk3588", nodes: ["/npu@fdab0000 on", "/npu@fdac0000 on"], drivers: ["rocket"] },
    ]);
    expect(board.accelerators[0]?.off).toBeUndefined();
    expect(board.accelerators[0]?.drivers[0]?.driver).toMatchObject({ origin: "mainline", since: "6.18" });
    expect(board.expected).toEqual([]);
  });

  it("of a vendor's kernel is taken by the vendor's driver", () => {
    const board = boardOf(
      makeDtb({ compatible: "rockchip,rk3588\0", "npu@1": { compatible: "rockchip,rk3588-rknpu\0" } }),
    );
    expect(brief(board)).toMatchObject([{ is: "rockchip/rk3588", drivers: ["rknpu"] }]);
  });

  it("with its NPU off tells what to turn on, IOMMU first, and what only its maker can add", () => {
    const off = boardOf(makeDtb(rk3588("disabled"))).accelerators[0]?.off;
    expect(off?.nodes).toEqual(["/iommu@fdab9000", "/npu@fdab0000", "/iommu@fdaca000", "/npu@fdac0000"]);
    expect(new Set(off?.missing.map(({ property }) => property))).toEqual(new Set(["npu-supply", "sram-supply"]));
    expect(off?.overlay).toMatch(/^\/dts-v1\/;\n\/plugin\/;\n/);
    expect(off?.overlay.match(/target-path = "\/[a-z]+@[0-9a-f]+";/g)).toHaveLength(4);
    const complete = boardOf(makeDtb(rk3588("disabled", { "npu-supply": "", "sram-supply": "" })));
    expect(complete.accelerators[0]?.off?.missing).toEqual([]);
  });

  it("whose node is on below one that is off gets the one above turned on", () => {
    const board = boardOf(
      makeDtb({
        "soc@0": { compatible: "simple-bus\0", status: "disabled\0", "npu@1": { compatible: "arm,ethos-u65\0" } },
      }),
    );
    expect(brief(board)).toMatchObject([{ is: "ethos-u/u65", nodes: ["/soc@0/npu@1 off"] }]);
    expect(board.accelerators[0]?.off?.nodes).toEqual(["/soc@0"]);
  });

  it("holds no NPU for having a Vivante GPU: only the node's name tells", () => {
    const vivante = { compatible: "vivante,gc\0" };
    const board = boardOf(makeDtb({ compatible: "fsl,imx8mq\0", "gpu@38000000": vivante, "npu@38500000": vivante }));
    expect(brief(board)).toMatchObject([{ is: "verisilicon/vip", nodes: ["/npu@38500000 on"] }]);
  });

  it("is warned where a shared node is off and nobody knows whether this SoC has the core", () => {
    const npu = { "npu@ff100000": { compatible: "vivante,gc\0", status: "disabled\0" } };
    const doubt = (soc: string): boolean | undefined =>
      boardOf(makeDtb({ compatible: `a,b\0${soc}\0amlogic,g12b\0`, ...npu })).accelerators[0]?.off?.doubtful;
    expect(doubt("amlogic,s922x")).toBe(true);
    expect(doubt("amlogic,a311d")).toBe(false);
  });

  it("whose SoC has an NPU and whose tree has no node says so", () => {
    const board = boardOf(makeDtb({ compatible: "radxa,rock-4d\0rockchip,rk3576\0" }));
    expect(board.accelerators).toEqual([]);
    expect(board.expected).toMatchObject([{ chip: { id: "rk3576" }, because: "rockchip,rk3576" }]);
    expect(boardOf(makeDtb({ compatible: "raspberrypi,5-model-b\0brcm,bcm2712\0" })).expected).toEqual([]);
  });

  it("does not call a sound DSP an NPU, and names a compute DSP once", () => {
    const fastrpc = (label: string) => ({ "glink-edge": { fastrpc: { compatible: "qcom,fastrpc\0", label } } });
    const board = boardOf(
      makeDtb({
        "remoteproc@1": { compatible: "qcom,x1e80100-adsp-pas\0", ...fastrpc("adsp\0") },
        "remoteproc@2": { compatible: "qcom,x1e80100-cdsp-pas\0", ...fastrpc("cdsp\0") },
      }),
    );
    expect(brief(board)).toMatchObject([{ is: "qualcomm/x1e80100", nodes: ["/remoteproc@2 on"] }]);
  });

  it("that loops its IOMMU cells is read to the end", () => {
    const hostile = Buffer.alloc(4096, 0xff);
    const board = boardOf(
      makeDtb([
        [
          "npu@1",
          { compatible: "rockchip,rk3588-rknn-core\0", status: "disabled\0", iommus: hostile.toString("latin1") },
        ],
      ]),
    );
    expect(board.accelerators[0]?.off?.nodes).toEqual(["/npu@1"]);
  });
});

describe("accelctl board", () => {
  async function run(args: string[], json = false): Promise<{ code: number; out: string; err: string }> {
    let [out, err] = ["", ""];
    const code = await command.run({
      options: json ? { json: true } : {},
      args,
      terminal: plainTerminal,
      out: (text) => (out += text),
      err: (text) => (err += text),
    });
    return { code, out, err };
  }

  it("prints at most 80 columns but for names that are longer", () => {
    const text = boardText("x.dtb", boardOf(makeDtb(rk3588("disabled"))), plainTerminal);
    expect(text).toContain("✗ RK3588 NPU  rockchip");
    expect(text).toContain("driver rocket: mainline since 6.18");
    expect(text).toContain('target-path = "/iommu@fdab9000";');
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });

  it("lets no control character of a tree reach the terminal", () => {
    const board = boardOf(
      makeDtb({ model: "\u001b[2Jx\0", "npu@\u001b[1m": { compatible: "arm,ethos-u65\0", status: "disabled\0" } }),
    );
    expect(boardText("x.dtb", board, plainTerminal)).not.toContain("\u001b");
  });

  it("goes on after a file that is no tree, and exits 3", async () => {
    const { code, out, err } = await run([fileURLToPath(import.meta.url), "/nowhere.dtb"], true);
    expect(code).toBe(3);
    expect(JSON.parse(out)).toEqual({ schema: 1, boards: [] });
    expect(err).toContain("/nowhere.dtb: no such file");
    expect(err).toContain("board.test.ts");
  });
});

const shared = new URL("../../../shared/", import.meta.url);
const blobs = new URL("machines/dtb/", shared);

describe.skipIf(!existsSync(blobs))("real boards (../shared/machines/dtb)", () => {
  const files = existsSync(blobs) ? readdirSync(blobs) : [];
  const manifest = existsSync(blobs)
    ? (JSON.parse(readFileSync(new URL("MANIFEST.json", shared), "utf8")) as { file: string; truth: string }[])
    : [];
  const truths = new Map(manifest.map(({ file, truth }) => [file, truth]));

  // The manifest also lists clocks and the transports of sound DSPs, which are no accelerators.
  const isAccelerator = (compatible: string): boolean =>
    !/^(mediatek,mt8195-apusys_pll|qcom,fastrpc)$/.test(compatible);

  it.each(files)("%s: exactly the accelerator nodes of the manifest, on or off", (file) => {
    const board = boardOf(readFileSync(new URL(encodeURIComponent(file), blobs)));
    const [own = ""] = (truths.get(`machines/dtb/${file}`) ?? "").split("; other: ");
    const expected = [...own.matchAll(/(\/[^ ;]+) compatible=(\S+) status=(\w+)/g)]
      .filter(([, , compatible = ""]) => isAccelerator(compatible))
      .map(([, path = "", , status = ""]) => `${path} ${status === "disabled" ? "off" : "on"}`);
    const found = board.accelerators.flatMap(({ nodes }) =>
      nodes.map(({ path, enabled }) => `${path} ${enabled ? "on" : "off"}`),
    );
    expect(found.sort()).toEqual(expected.sort());
    for (const { drivers } of board.accelerators) expect(drivers.length).toBeGreaterThan(0);
  });
});
