import { expect, test } from "vitest";

import type { Source } from "../../src/base/source.ts";
import { createFacts } from "../../src/facts/facts.ts";
import type { DriverSpec } from "../../src/families/family.ts";
import { readDriverState } from "../../src/review/driver-state.ts";
import { machines } from "../facts/machines.ts";
import { smallRoot } from "../facts/small-root.ts";

const source: Source = { kernel: "drivers/accel/acme", module: "acme_npu", release: "6.18" };
const mainline: DriverSpec = {
  module: "acme_npu",
  origin: "mainline",
  since: "6.10",
  config: { symbol: "DRM_ACCEL_ACME", needs: ["DRM_ACCEL", "X86_64"] },
  openness: "open",
  source,
};
const outside: DriverSpec = { module: "acme_npu", origin: "out-of-tree", openness: "open", source };

type Files = Parameters<typeof smallRoot>[0];
function stateOf(files: Files, driver: DriverSpec, uncaptured: readonly string[] = []) {
  const root = smallRoot(files, { uncaptured });
  return readDriverState(createFacts(root, { nodePatterns: [], environments: [], query: false }), driver);
}

const R = "6.18.1-test";
const running = {
  "/proc/sys/kernel/osrelease": `${R}\n`,
  "/proc/modules": "drm 1 0 - Live 0x0\n",
  "/sys/module/kernel/": "",
};
const at = `/lib/modules/${R}`;
const empty = { [`${at}/modules.dep`]: "", [`${at}/modules.builtin`]: "", [`${at}/modules.alias`]: "" };
const config = (...lines: readonly string[]) => ({ [`/boot/config-${R}`]: `CONFIG_X86_64=y\n${lines.join("\n")}\n` });
const shipped = (path: string) => ({ ...empty, [`${at}/modules.dep`]: `${path}:\n`, [`${at}/${path}`]: "" });
const inTree = "kernel/drivers/accel/acme/acme-npu.ko.xz";

test("loaded: /proc/modules says so, whatever the rest says", () => {
  const files = {
    ...running,
    ...empty,
    ...config("# CONFIG_DRM_ACCEL_ACME is not set"),
    "/proc/modules": "acme_npu 4096 0 - Live 0x0 (OE)\n",
  };
  expect(stateOf(files, mainline)).toEqual({
    state: "loaded",
    evidence: [{ seen: "/proc/modules", says: "acme_npu (OE)" }],
    outOfTree: true,
  });
});

test("shipped as a module: modules.dep lists it and the file is there", () => {
  const state = stateOf({ ...running, ...shipped(inTree), ...config("CONFIG_DRM_ACCEL_ACME=m") }, mainline);
  expect(state).toEqual({
    state: "shipped as a module",
    file: inTree,
    evidence: [{ seen: `${at}/modules.dep`, says: inTree }],
  });
});

test("a file that modules.dep lists and that is gone is said to be gone", () => {
  const files = { ...running, ...empty, [`${at}/modules.dep`]: `${inTree}:\n` };
  expect(stateOf(files, mainline)).toMatchObject({ state: "shipped as a module", fileMissing: true });
  expect(stateOf(files, mainline, [`${at}/kernel`])).not.toHaveProperty("fileMissing");
});

test("built in: modules.builtin, =y, or /sys/module without initstate", () => {
  const builtin = { ...running, ...empty, [`${at}/modules.builtin`]: "kernel/drivers/accel/acme/acme-npu.ko\n" };
  expect(stateOf(builtin, mainline).state).toBe("built in");
  expect(stateOf({ ...running, ...config("CONFIG_DRM_ACCEL_ACME=y") }, mainline).state).toBe("built in");
  expect(stateOf({ ...running, "/sys/module/acme_npu/parameters/x": "1" }, mainline).state).toBe("built in");
  expect(stateOf({ ...running, "/sys/module/acme_npu/initstate": "live\n" }, mainline).state).not.toBe("built in");
});

test("configured off: the symbol is written as not set, or one it needs is", () => {
  const off = stateOf(
    { ...running, ...empty, ...config("CONFIG_DRM_ACCEL=y", "# CONFIG_DRM_ACCEL_ACME is not set") },
    mainline,
  );
  expect(off).toMatchObject({ state: "configured off", symbol: "CONFIG_DRM_ACCEL_ACME" });
  expect(off.evidence).toEqual([{ seen: `/boot/config-${R}`, says: "# CONFIG_DRM_ACCEL_ACME is not set" }]);
  const need = stateOf({ ...running, ...empty, ...config("# CONFIG_DRM_ACCEL is not set") }, mainline);
  expect(need).toMatchObject({
    state: "configured off",
    symbol: "CONFIG_DRM_ACCEL",
    because: "CONFIG_DRM_ACCEL_ACME needs CONFIG_DRM_ACCEL, which is off",
  });
});

test("not in this kernel: older than the driver, of another architecture, or not offered by its configuration", () => {
  const old = stateOf({ ...running, ...empty, ...config() }, { ...mainline, since: "6.19" });
  expect(old).toMatchObject({ state: "not in this kernel", because: "it came with Linux 6.19" });
  const other = stateOf(
    { ...running, ...empty, [`/boot/config-${R}`]: "CONFIG_ARM64=y\nCONFIG_DRM_ACCEL=y\n" },
    mainline,
  );
  expect(other).toMatchObject({ state: "not in this kernel", because: "it is for X86_64 kernels only" });
  const hidden = stateOf({ ...running, ...empty, ...config("CONFIG_DRM=m") }, mainline);
  expect(hidden).toMatchObject({
    state: "not in this kernel",
    because: "CONFIG_DRM_ACCEL_ACME needs CONFIG_DRM_ACCEL, which this configuration does not offer",
  });
  expect(stateOf({ ...running, ...empty, ...config() }, { ...mainline, until: "6.1" }).because).toBe(
    "it left Linux with 6.1",
  );
});

test("what a distribution brought back into an old kernel counts before the version it came with", () => {
  const driver = { ...mainline, since: "7.0" };
  expect(stateOf({ ...running, ...shipped(inTree) }, driver).state).toBe("shipped as a module");
  expect(stateOf({ ...running, ...empty, ...config("# CONFIG_DRM_ACCEL_ACME is not set") }, driver).state).toBe(
    "configured off",
  );
});

test("built as a module and not installed is told from off", () => {
  const files = { ...running, ...empty, ...config("CONFIG_DRM_ACCEL_ACME=m") };
  expect(stateOf(files, mainline)).toMatchObject({
    state: "not in this kernel",
    because: "built as a module, but its file is not installed",
  });
});

test("a driver from outside is shipped below updates/, absent elsewhere, and never configured off", () => {
  expect(stateOf({ ...running, ...shipped("updates/dkms/acme_npu.ko.zst") }, outside)).toMatchObject({
    state: "shipped as a module",
    outOfTree: true,
  });
  const driver: DriverSpec = { ...outside, config: { symbol: "PCI_MSI", needs: ["HWMON"] } };
  const state = stateOf({ ...running, ...empty, ...config("CONFIG_PCI_MSI=y", "# CONFIG_HWMON is not set") }, driver);
  expect(state).toMatchObject({ state: "not in this kernel", because: "neither built in nor shipped as a module" });
});

test("a vendor's driver is not the mainline one of the same name", () => {
  const state = stateOf({ ...running, ...shipped(inTree) }, outside);
  expect(state).toMatchObject({
    state: "not in this kernel",
    because: "its acme_npu is the mainline driver of that name",
  });
  const loaded = { ...running, ...shipped(inTree), "/proc/modules": "acme_npu 1 0 - Live 0x0\n" };
  expect(stateOf(loaded, outside).state).toBe("not in this kernel");
  expect(stateOf(loaded, mainline).state).toBe("loaded");
});

test("what nobody captured is unknown, not missing", () => {
  const seen = { "/proc/sys/kernel/osrelease": `${R}\n` };
  expect(stateOf(seen, outside, ["/"]).state).toBe("unknown");
  expect(stateOf(seen, mainline, ["/"]).state).toBe("unknown");
  expect(stateOf({}, mainline, ["/"]).state).toBe("unknown");
  // A version that is too old is known by its number, but not that of a kernel that takes drivers back.
  expect(stateOf(seen, { ...mainline, since: "7.0" }, ["/"]).state).toBe("not in this kernel");
  const enterprise = { "/proc/sys/kernel/osrelease": "5.14.0-570.el9_6.x86_64\n" };
  expect(stateOf(enterprise, mainline, ["/"]).state).toBe("unknown");
});

test("companions that are missing and words that block it are told beside the state", () => {
  const files = {
    ...running,
    ...shipped("extra/acme_npu.ko"),
    "/etc/modprobe.d/no.conf": "blacklist acme-npu\n",
  };
  const state = stateOf(files, { ...outside, with: ["acme_core", "drm"] });
  expect(state.without).toEqual(["acme_core"]);
  expect(state.blocked).toMatchObject({ kind: "blacklist", file: "/etc/modprobe.d/no.conf" });
});

test("a driver that is there without a symbol its route needs says which", () => {
  const files = {
    ...running,
    ...shipped(inTree),
    ...config("CONFIG_DRM_ACCEL_ACME=m", "# CONFIG_DRM_ACCEL is not set"),
  };
  expect(stateOf(files, mainline)).toMatchObject({ state: "shipped as a module", needsOff: ["DRM_ACCEL"] });
});

test("a route that needs no kernel driver needs none", () => {
  expect(stateOf({}, { origin: "none", openness: "open", source }).state).toBe("not needed");
});

test.skipIf(machines.length === 0)(
  "on the captured kernels the drivers are in the states known to be true",
  async () => {
    const { families } = await import("../../src/families/index.ts");
    const driverOf = (family: string, module: string): DriverSpec => {
      const routes = families.find(({ id }) => id === family)?.routes ?? [];
      const found = routes.find(({ driver }) => driver.module === module && driver.origin === "mainline");
      if (found === undefined) throw new Error(`no ${module}`);
      return found.driver;
    };
    const drivers = {
      intel_vpu: driverOf("intel-npu", "intel_vpu"),
      qaic: driverOf("qaic", "qaic"),
      rocket: driverOf("rockchip", "rocket"),
      ethosu: driverOf("ethos-u", "ethosu"),
      habanalabs: driverOf("intel-gaudi", "habanalabs"),
    };
    const seen = (name: string) => {
      const root = machines.find((machine) => machine.name === name)?.open();
      if (root === undefined) throw new Error(`no ${name}`);
      const facts = createFacts(root, { nodePatterns: [], environments: [], query: false });
      return Object.fromEntries(
        Object.entries(drivers).map(([module, driver]) => [module, readDriverState(facts, driver).state]),
      );
    };
    expect(seen("rack-6.1")).toEqual({
      intel_vpu: "not in this kernel",
      qaic: "not in this kernel",
      rocket: "not in this kernel",
      ethosu: "not in this kernel",
      habanalabs: "configured off",
    });
    expect(seen("rack-nodrv-7.3")).toMatchObject({ intel_vpu: "shipped as a module", qaic: "configured off" });
    expect(seen("rack-7.3")).toMatchObject({ intel_vpu: "loaded", habanalabs: "loaded" });
    expect(seen("arm64-vendor-7.3")).toMatchObject({ rocket: "configured off", intel_vpu: "not in this kernel" });
    expect(seen("arm64-rocket-7.3")).toMatchObject({ rocket: "loaded", ethosu: "shipped as a module" });
    expect(seen("arm64-ethosu-7.3")).toMatchObject({ ethosu: "loaded" });
  },
);
