import { describe, expect, it } from "vitest";
import { valueOf } from "../../src/base/reading.ts";
import { readDeviceTree, type DeviceTree, type TreeNode } from "../../src/facts/devicetree.ts";
import { readPlatform } from "../../src/facts/platform.ts";
import { TreeBuilder } from "../../src/root/memory.ts";
import type { Root } from "../../src/root/root.ts";
import { machines } from "./machines.ts";
import { smallRoot } from "./small-root.ts";

const base = "/sys/firmware/devicetree/base";

function cells(...values: number[]): Uint8Array {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, i * 4);
  return bytes;
}

function tree(root: Root): DeviceTree {
  const reading = readDeviceTree(root);
  if (reading.state !== "read") throw new Error(`${reading.state}: ${reading.why ?? ""}`);
  return reading.value;
}

/** Properties by node and name below the tree's root. */
function nodes(properties: Readonly<Record<string, string | Uint8Array>>): Record<string, TreeNode> {
  const files = Object.entries(properties).map(([path, value]) => [`${base}/${path}`, value]);
  const found = tree(smallRoot(Object.fromEntries(files) as Record<string, string | Uint8Array>)).nodes;
  return Object.fromEntries(found.map((node) => [node.path, node]));
}

const wide = { "#address-cells": cells(2), "#size-cells": cells(2) };

describe("a device tree", () => {
  it("tells the board and its nodes", () => {
    const board = tree(
      smallRoot({
        [`${base}/model`]: "Radxa ROCK 5B\0",
        [`${base}/compatible`]: "radxa,rock-5b\0rockchip,rk3588\0",
        [`${base}/npu@fdab0000/compatible`]: "rockchip,rk3588-rknn-core\0",
        [`${base}/npu@fdab0000/label`]: "npu0\0",
        [`${base}/memory@0/device_type`]: "memory\0",
      }),
    );
    expect(valueOf(board.model)).toBe("Radxa ROCK 5B");
    expect(board.compatible).toEqual(["radxa,rock-5b", "rockchip,rk3588"]);
    expect(board.nodes).toMatchObject([
      { path: "/npu@fdab0000", name: "npu", compatible: ["rockchip,rk3588-rknn-core"], status: "okay", enabled: true },
    ]);
    expect(board.nodes[0] && valueOf(board.nodes[0].label)).toBe("npu0");
  });

  it("is found at its older place", () => {
    expect(tree(smallRoot({ "/proc/device-tree/compatible": "x,y\0" })).compatible).toEqual(["x,y"]);
  });

  it("is absent on most PCs and uncaptured where nobody looked", () => {
    expect(readDeviceTree(smallRoot({})).state).toBe("absent");
    expect(readDeviceTree(smallRoot({}, { uncaptured: ["/sys/firmware", "/proc"] })).state).toBe("uncaptured");
  });

  const states: [status: string, enabled: boolean][] = [
    ["okay", true],
    ["ok", true],
    ["disabled", false],
    ["reserved", false],
    ["fail", false],
    ["", false],
  ];
  it.each(states)('a node of status "%s" is enabled: %s', (status, enabled) => {
    const one = nodes({ "npu@1/compatible": "a,b\0", "npu@1/status": `${status}\0` })["/npu@1"];
    expect(one).toMatchObject({ status, enabled });
  });

  it("what lies below a node that is off is off", () => {
    const below = nodes({
      "soc@0/compatible": "simple-bus\0",
      "soc@0/status": "disabled\0",
      "soc@0/npu@1/compatible": "a,b\0",
      "soc@0/npu@1/status": "okay\0",
    })["/soc@0/npu@1"];
    expect(below).toMatchObject({ status: "okay", enabled: false });
  });

  it("a child that is called status is no status", () => {
    expect(nodes({ "leds/compatible": "gpio-leds\0", "leds/status/label": "x\0" })["/leds"]?.enabled).toBe(true);
  });

  it("a node may be called like many a property", () => {
    expect(Object.keys(nodes({ "dsp@1/glink-edge/fastrpc/compatible": "qcom,fastrpc\0" }))).toEqual([
      "/dsp@1/glink-edge/fastrpc",
    ]);
  });
});

describe("the name of a platform device", () => {
  const name = (path: string, properties: Record<string, string | Uint8Array>): string | undefined =>
    nodes({ [`${path.slice(1)}/compatible`]: "a,b\0", ...properties })[path]?.deviceName;

  it("follows reg, not what the node's name says", () => {
    expect(name("/npu@fdab0000", { ...wide, "npu@fdab0000/reg": cells(0, 0x7fe80000, 0, 0x1000) })).toBe(
      "7fe80000.npu",
    );
  });

  it("translates through ranges", () => {
    expect(
      name("/soc@0/bus@10/npu@500", {
        ...wide,
        "soc@0/#address-cells": cells(1),
        "soc@0/#size-cells": cells(1),
        "soc@0/ranges": cells(0, 0, 0x1000, 0x1000, 0x30000000, 1, 0x40000000, 0x10000000),
        "soc@0/bus@10/#address-cells": cells(1),
        "soc@0/bus@10/#size-cells": cells(1),
        "soc@0/bus@10/ranges": cells(0, 0x30000000, 0x1000),
        "soc@0/bus@10/npu@500/reg": cells(0x500, 0x100),
      }),
    ).toBe("140000500.npu");
  });

  it("empty ranges map one to one", () => {
    const at = {
      ...wide,
      "soc/ranges": new Uint8Array(0),
      "soc/#address-cells": cells(1),
      "soc/#size-cells": cells(1),
    };
    expect(name("/soc/npu@38500000", { ...at, "soc/npu@38500000/reg": cells(0x38500000, 0x1000) })).toBe(
      "38500000.npu",
    );
  });

  it("is the node's own where no address can be seen from the processor", () => {
    expect(name("/remoteproc-cdsp", {})).toBe("remoteproc-cdsp");
    expect(name("/soc@0/remoteproc-cdsp", {})).toBe("soc@0:remoteproc-cdsp");
    const onI2c = {
      ...wide,
      "i2c@1/#address-cells": cells(1),
      "i2c@1/#size-cells": cells(0),
      "i2c@1/ranges": new Uint8Array(0),
    };
    expect(name("/i2c@1/npu@42", { ...onI2c, "i2c@1/npu@42/reg": cells(0x42) })).toBe("i2c@1:npu@42");
  });

  it("begins at the nearest node above that has an address", () => {
    expect(
      name("/remoteproc@32300000/glink-edge/fastrpc", {
        ...wide,
        "remoteproc@32300000/reg": cells(0, 0x32300000, 0, 0x10000),
      }),
    ).toBe("32300000.remoteproc:glink-edge:fastrpc");
  });

  it("of a property that makes no sense is no address", () => {
    for (const reg of [cells(), cells(1), new Uint8Array([1, 2, 3]), cells(0, 1, 0, 1).subarray(1)]) {
      expect(name("/npu@1", { ...wide, "npu@1/reg": reg })).toBe("npu@1");
    }
    expect(name("/npu@1", { "#address-cells": cells(9), "npu@1/reg": cells(1, 2) })).toBe("npu@1");
  });
});

describe("a hostile device tree", () => {
  it("that nests without end is malformed", () => {
    const path = `${base}${"/a@1".repeat(70)}/compatible`;
    expect(readDeviceTree(smallRoot({ [path]: "x\0" }))).toMatchObject({
      state: "malformed",
      why: "nodes nested deeper than 64",
    });
  });

  it("with more names than any board has is malformed", () => {
    const builder = new TreeBuilder().covers("/");
    for (let i = 0; i < 50_001; i++) builder.file(`${base}/p${i}`, "");
    const reading = readDeviceTree(builder.build("archive", "wide"));
    expect(reading).toMatchObject({ state: "malformed", why: expect.stringContaining("more than 50000") as string });
  });

  it("that runs in circles is walked once", () => {
    const builder = new TreeBuilder().covers("/").file(`${base}/npu@1/compatible`, "a,b\0");
    for (let i = 0; i < 20; i++) builder.link(`${base}/npu@1/loop@${i}`, "..");
    expect(tree(builder.build("directory", "loops")).nodes).toHaveLength(1);
  });
});

describe.skipIf(machines.length === 0)("captured boards (../shared/machines)", () => {
  it.each(machines.filter(({ name }) => name.startsWith("arm64")))(
    "$name: each platform device is named as the tree says",
    ({ open }) => {
      const root = open();
      const byPath = new Map(tree(root).nodes.map((node) => [node.path, node]));
      let compared = 0;
      for (const device of valueOf(readPlatform(root)) ?? []) {
        const path = valueOf(device.ofNode);
        if (path === undefined) continue;
        expect(byPath.get(path)?.deviceName).toBe(device.name);
        expect(byPath.get(path)?.enabled).toBe(true);
        compared++;
      }
      expect(compared).toBeGreaterThan(40);
    },
  );
});
