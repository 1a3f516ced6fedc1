/** Real kernels that booted with emulated accelerators: every true device is found as what it is, and nothing is invented. */

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { openRoot } from "../../src/root/open.ts";
import { review } from "../../src/review/review.ts";
import { hasShared, sharedPath, unlessShared } from "../support/shared.ts";

interface TrueDevice {
  readonly bus: string;
  readonly address?: string;
  readonly name?: string;
  readonly label?: string;
  readonly vendor?: string;
  readonly device?: string;
  readonly modalias?: string;
  readonly ai_accelerator: boolean | null;
  readonly on_bus?: boolean;
  readonly bound_driver: string | null;
  readonly nodes?: readonly { readonly node: string }[];
  readonly role?: string;
}
interface Truth {
  readonly devices: readonly TrueDevice[];
  readonly kernel: string;
}

/** What the truth files do not say: which family an id belongs to. By vendor, for whom one family is here. */
const familyOfVendor: Readonly<Record<string, string>> = {
  "8086": "intel-npu",
  "1022": "amd-xdna",
  "17cb": "qaic",
  "1da3": "intel-gaudi",
  "1ac1": "coral",
  "1a6e": "coral",
  "18d1": "coral",
  "1e60": "hailo",
  "1e52": "tenstorrent",
  "10de": "nvidia",
  "1ae0": "cloud-tpu",
  "1fe9": "memryx",
  "1d0f": "aws-neuron",
  "1002": "amd-rocm",
  "03e7": "movidius",
};
const familyOfCompatible: readonly (readonly [RegExp, string])[] = [
  [/ethos-u/, "ethos-u"],
  [/rockchip,/, "rockchip"],
  [/galcore/, "verisilicon"],
  [/nvdla/, "nvdla"],
  [/mediatek,/, "mediatek"],
  [/apple,/, "apple-ane"],
  [/canaan,/, "kendryte"],
  [/fsl,imx95-neutron/, "nxp-neutron"],
  [/qcom,/, "qualcomm"],
];

function familyOf(device: TrueDevice): string | undefined {
  if (device.vendor !== undefined) return familyOfVendor[device.vendor];
  return familyOfCompatible.find(([pattern]) => pattern.test(device.modalias ?? ""))?.[1];
}

const names = hasShared
  ? readdirSync(sharedPath("machines/kernel"))
      .filter((name) => name.endsWith(".truth.json"))
      .map((name) => name.slice(0, -".truth.json".length))
  : [];

describe.skipIf(!hasShared)(`captured kernels${unlessShared}`, () => {
  it.each(names)("%s: devices, drivers and nodes are as they were", (name) => {
    const truth = JSON.parse(readFileSync(sharedPath(`machines/kernel/${name}.truth.json`), "utf8")) as Truth;
    const report = review(openRoot(sharedPath(`machines/kernel/${name}.tar.gz`)));
    const found = report.devices.filter((device) => device.family !== "cpu");
    expect(report.kernel.release).toBe(truth.kernel);

    const real = truth.devices.filter((d) => d.ai_accelerator === true && d.on_bus !== false);
    for (const device of real) {
      const address = device.address ?? device.name ?? "";
      const match = found.find((f) => f.address === address || f.parts.includes(address));
      expect(match, `${address} ${device.label ?? ""}`).toBeDefined();
      expect(match?.family, address).toBe(familyOf(device));
      if (match?.driver.state === "read") expect(match.driver.value, address).toBe(device.bound_driver);
      else expect([match?.driver.state, device.bound_driver], address).toEqual(["absent", null]);
    }
    // Nodes: those of a grouped device hang from its facade in the truth.
    const trueNodes = truth.devices.flatMap((d) => (d.nodes ?? []).map((n) => n.node)).sort();
    expect(found.flatMap((d) => d.nodes.map((n) => n.path)).sort()).toEqual(trueNodes);

    const expected = new Set(real.map((d) => d.address ?? d.name ?? ""));
    for (const device of found) {
      const known = [device.address, ...device.parts].some((address) => expected.has(address));
      const unknown = truth.devices.find((d) => d.address === device.address && d.ai_accelerator === null);
      if (unknown) expect(device.family).toBeUndefined();
      else expect(known, `${device.address} (${device.family ?? "?"}) was invented`).toBe(true);
    }
  });
});
