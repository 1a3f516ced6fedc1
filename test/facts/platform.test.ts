import { describe, expect, it } from "vitest";
import { valueOf } from "../../src/base/reading.ts";
import { readIommu } from "../../src/facts/iommu.ts";
import { readPlatform, type PlatformDevice } from "../../src/facts/platform.ts";
import { readRemoteprocs } from "../../src/facts/remoteproc.ts";
import type { Root } from "../../src/root/root.ts";
import { machines } from "./machines.ts";
import { smallRoot } from "./small-root.ts";

const bus = "/sys/bus/platform/devices";

function devices(root: Root): readonly PlatformDevice[] {
  const reading = readPlatform(root);
  if (reading.state !== "read") throw new Error(reading.state);
  return reading.value;
}

describe("platform devices", () => {
  it("tell driver, tree node and compatible by their uevent", () => {
    const [npu] = devices(
      smallRoot({
        [`${bus}/fdab0000.npu/uevent`]:
          "DRIVER=rocket\nOF_NAME=npu\nOF_FULLNAME=/npu@fdab0000\nOF_COMPATIBLE_0=rockchip,rk3588-rknn-core\nOF_COMPATIBLE_1=a,b\nOF_COMPATIBLE_N=2\nMODALIAS=of:NnpuT(null)Crockchip,rk3588-rknn-core\n",
        [`${bus}/fdab0000.npu/power/runtime_status`]: "suspended\n",
      }),
    );
    expect(npu?.name).toBe("fdab0000.npu");
    expect(npu && [npu.driver, npu.ofNode, npu.modalias, npu.runtimeStatus].map(valueOf)).toEqual([
      "rocket",
      "/npu@fdab0000",
      "of:NnpuT(null)Crockchip,rk3588-rknn-core",
      "suspended",
    ]);
    expect(npu && valueOf(npu.compatible)).toEqual(["rockchip,rk3588-rknn-core", "a,b"]);
  });

  it("tell the same by links and files where no uevent was captured", () => {
    const [npu] = devices(
      smallRoot({
        [`${bus}/fdab0000.npu/modalias`]: "of:NnpuT(null)Cx,y\n",
        [`${bus}/fdab0000.npu/driver`]: "-> ../../drivers/RKNPU",
        [`${bus}/fdab0000.npu/of_node`]: "-> ../../../../firmware/devicetree/base/npu@fdab0000",
        "/sys/firmware/devicetree/base/npu@fdab0000/compatible": "rockchip,rk3588-rknpu\0",
      }),
    );
    expect(npu && [npu.driver, npu.ofNode, npu.modalias].map(valueOf)).toEqual([
      "RKNPU",
      "/npu@fdab0000",
      "of:NnpuT(null)Cx,y",
    ]);
    expect(npu && valueOf(npu.compatible)).toEqual(["rockchip,rk3588-rknpu"]);
  });

  it("without a tree node say so", () => {
    const [facade] = devices(smallRoot({ [`${bus}/rknn/uevent`]: "MODALIAS=platform:rknn\n" }));
    expect(facade).toMatchObject({
      driver: { state: "absent" },
      ofNode: { state: "absent" },
      compatible: { state: "absent" },
    });
  });

  it("cost nothing until they are asked", () => {
    const root = smallRoot({ [`${bus}/rknn/uevent`]: "" });
    const silent: Root = {
      ...root,
      text: () => {
        throw new Error("was read");
      },
    };
    expect(devices(silent)).toHaveLength(1);
  });
});

describe("remote processors", () => {
  it("tell their label, state, image and device", () => {
    const reading = readRemoteprocs(
      smallRoot({
        "/sys/class/remoteproc/remoteproc1": "-> ../../devices/platform/cdsp/remoteproc/remoteproc1",
        "/sys/devices/platform/cdsp/remoteproc/remoteproc1/name": "cdsp\n",
        "/sys/devices/platform/cdsp/remoteproc/remoteproc1/state": "offline\n",
        "/sys/devices/platform/cdsp/remoteproc/remoteproc1/firmware": "qcom/sm7150/cdsp.mbn\n",
        "/sys/devices/platform/cdsp/remoteproc/remoteproc1/device": "-> ../../../cdsp",
      }),
    );
    const [one] = valueOf(reading) ?? [];
    expect(one?.name).toBe("remoteproc1");
    expect(one && [one.label, one.processorState, one.firmware, one.device].map(valueOf)).toEqual([
      "cdsp",
      "offline",
      "qcom/sm7150/cdsp.mbn",
      "/sys/devices/platform/cdsp",
    ]);
  });

  it("are absent in a kernel without them", () => {
    expect(readRemoteprocs(smallRoot({})).state).toBe("absent");
  });
});

describe("IOMMU", () => {
  it("units and groups with their members, groups in order", () => {
    const reading = readIommu(
      smallRoot({
        "/sys/class/iommu/dmar0/": "",
        "/sys/kernel/iommu_groups/10/devices/0000:00:0b.0": "-> x",
        "/sys/kernel/iommu_groups/2/devices/0000:00:03.0": "-> x",
        "/sys/kernel/iommu_groups/2/devices/0000:00:03.1": "-> x",
      }),
    );
    const iommu = valueOf(reading);
    expect(iommu?.units).toEqual(["dmar0"]);
    expect([...(iommu?.groups ?? [])]).toEqual([
      ["2", ["0000:00:03.0", "0000:00:03.1"]],
      ["10", ["0000:00:0b.0"]],
    ]);
  });

  it("no unit means that none is active", () => {
    const iommu = valueOf(readIommu(smallRoot({ "/sys/class/iommu/": "" })));
    expect([iommu?.units, iommu?.groups.size]).toEqual([[], 0]);
  });
});

describe.skipIf(machines.length === 0)("captured machines (../shared/machines)", () => {
  it.each(machines.filter(({ devices: all }) => all.some(({ bus: name }) => name === "platform")))(
    "$name: platform devices with driver, alias and node as they were",
    ({ devices: all, open }) => {
      const found = new Map(devices(open()).map((one) => [one.name, one]));
      for (const truth of all) {
        const one = found.get(truth.name ?? "");
        if (one === undefined) throw new Error(`${truth.name ?? ""} was not found`);
        expect(valueOf(one.modalias)).toBe(truth.modalias);
        expect(one.driver.state).toBe(truth.bound_driver === null ? "absent" : "read");
        expect(valueOf(one.driver) ?? null).toBe(truth.bound_driver);
        expect(valueOf(one.ofNode)?.slice(1) ?? null).toBe(truth.of_node ?? null);
      }
    },
  );
});
