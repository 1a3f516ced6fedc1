import { expect, test } from "vitest";

import { valueOf } from "../../src/base/reading.ts";
import {
  aliasMatches,
  blockedBy,
  outOfTree,
  readLoadedModules,
  readModprobe,
  readModuleIndex,
  readParameters,
} from "../../src/facts/modules.ts";
import type { Root } from "../../src/root/root.ts";
import { machines } from "./machines.ts";
import { makeModule } from "./make-module.ts";
import { smallRoot } from "./small-root.ts";

const R = "6.18.1-test";
const at = `/usr/lib/modules/${R}`;
const tree = {
  [`${at}/modules.alias`]:
    "# Aliases extracted from modules themselves.\n" +
    "alias pci:v00008086d00007D1Dsv*sd*bc*sc*i* intel_vpu\n" +
    "alias pci:v00008086d0000643Esv*sd*bc*sc*i* intel_vpu\n" +
    "alias pci:v00008086d*sv*sd*bc03sc*i* i915\n" +
    "alias pci:v*d*sv*sd*bc01sc08i02* nvme\n" +
    "alias of:N*T*Cvivante,gcC* etnaviv\n" +
    "alias of:N*T*Cvivante,gc etnaviv\n" +
    "alias of:N*Tipmi*Cipmi-bt ipmi_si\n" +
    "alias platform:etnaviv etnaviv\n" +
    "alias usb:v1A6Ep089Ad*dc*dsc*dp*ic*isc*ip*in* some_stick\n" +
    "alias acpi*:AMDI0007:* amd_thing\n",
  [`${at}/modules.builtin.modinfo`]:
    "qcom_glink.alias=rpmsg:qcom\0qcom_glink.license=GPL v2\0npu_core.alias=of:N*T*Cacme,npuC*\0npu_core.alias=of:N*T*Cacme,npu\0",
  [`${at}/modules.builtin`]: "kernel/drivers/rpmsg/qcom_glink.ko\nkernel/drivers/accel/npu-core.ko\n",
  [`${at}/modules.dep`]:
    "kernel/drivers/accel/ivpu/intel_vpu.ko.xz: kernel/drivers/gpu/drm/drm_shmem_helper.ko.xz kernel/drivers/gpu/drm/drm.ko.xz\n" +
    "kernel/drivers/gpu/drm/drm.ko.xz:\n" +
    "kernel/drivers/gpu/drm/scheduler/gpu-sched.ko.zst: kernel/drivers/gpu/drm/drm.ko.xz\n" +
    "updates/dkms/apex.ko: updates/dkms/gasket.ko\n",
  [`${at}/kernel/drivers/accel/ivpu/intel_vpu.ko.xz`]: "",
};

function indexOf(root: Root) {
  const index = readModuleIndex(root, R);
  if (index.state !== "read") throw new Error(index.state);
  return index.value;
}

test.each([
  ["pci:v00008086d00007D1Dsv00008086sd00000000bc12sc00i00", ["intel_vpu"]],
  ["pci:v00008086d000056A0sv00008086sd00000000bc03sc00i00", ["i915"]],
  ["pci:v000010ECd00005765sv000010ECsd00005765bc01sc08i02", ["nvme"]],
  ["pci:v00001E52d0000401Esv00001E52sd00000000bc12sc00i00", []],
  ["of:NnpuT(null)Cvivante,gc", ["etnaviv"]],
  ["of:NnpuT(null)Cfsl,imx8mp-gcCvivante,gc", ["etnaviv"]],
  ["of:NnpuT(null)Cvivante,gcCfallback", ["etnaviv"]],
  ["of:NnpuT(null)Cvivante,gc-other", []],
  ["of:NbtTipmiCipmi-bt", ["ipmi_si"]],
  ["of:NnpuT(null)Cacme,npu", ["npu_core"]],
  ["platform:etnaviv", ["etnaviv"]],
  ["platform:etnaviv2", []],
  ["usb:v1A6Ep089Ad0100dc00dsc00dp00icFEisc01ip02in00", ["some_stick"]],
  ["usb:v18D1p9302d0100dc00dsc00dp00icFFisc00ip00in00", []],
  ["acpi:AMDI0007:PNP0C02:", ["amd_thing"]],
  ["", []],
  ["nonsense", []],
])("%s is claimed by %j", (modalias, modules) => {
  expect(valueOf(indexOf(smallRoot(tree)).claims(modalias))).toEqual(modules);
});

test("the index finds a module however its name is spelled, where /lib leads to /usr/lib or not", () => {
  const index = indexOf(smallRoot(tree));
  expect(index.directory).toBe(at);
  expect(valueOf(index.file("intel-vpu"))).toBe("kernel/drivers/accel/ivpu/intel_vpu.ko.xz");
  expect(valueOf(index.file("gpu_sched"))).toBe("kernel/drivers/gpu/drm/scheduler/gpu-sched.ko.zst");
  expect(valueOf(index.needs("intel_vpu"))).toEqual(["drm_shmem_helper", "drm"]);
  expect(valueOf(index.needs("drm"))).toEqual([]);
  expect(valueOf(index.builtin("npu_core"))).toBe(true);
  expect(valueOf(index.builtin("intel_vpu"))).toBe(false);
  expect(valueOf(index.aliases("intel_vpu"))).toHaveLength(2);
  expect(valueOf(index.aliases("npu_core"))).toEqual(["of:N*T*Cacme,npuC*", "of:N*T*Cacme,npu"]);
  expect(index.file("rocket")).toMatchObject({ state: "absent", why: "not listed" });
});

test("a module from outside the tree is told by its place, a file that is gone by looking", () => {
  const index = indexOf(smallRoot(tree));
  expect(outOfTree(valueOf(index.file("apex")) ?? "")).toBe(true);
  expect(outOfTree(valueOf(index.file("intel_vpu")) ?? "")).toBe(false);
  expect(valueOf(index.present("intel_vpu"))).toBe(true);
  expect(valueOf(index.present("apex"))).toBe(false);
});

test("a kernel that depmod has not seen is read from its files", () => {
  const ko = makeModule({
    name: "intel_vpu",
    alias: ["pci:v00008086d00007D1Dsv*sd*bc*sc*i*"],
    depends: "drm,gpu-sched",
  });
  const index = indexOf(
    smallRoot({
      [`${at}/kernel/drivers/accel/ivpu/intel_vpu.ko`]: ko,
      [`${at}/kernel/drivers/gpu/drm/drm.ko`]: "",
      [`${at}/modules.builtin`]: "",
    }),
  );
  expect(valueOf(index.file("intel_vpu"))).toBe("kernel/drivers/accel/ivpu/intel_vpu.ko");
  expect(valueOf(index.needs("intel_vpu"))).toEqual(["drm", "gpu_sched"]);
  expect(valueOf(index.aliases("intel_vpu"))).toEqual(["pci:v00008086d00007D1Dsv*sd*bc*sc*i*"]);
  expect(index.file("rocket")).toMatchObject({ state: "absent", why: "not listed" });
  expect(valueOf(index.shipped())).toEqual(["intel_vpu", "drm"]);
});

test("a package that brings only the list of modules tells what was built, not whether it is there", () => {
  const order = "kernel/drivers/accel/ivpu/intel_vpu.ko\nkernel/drivers/gpu/drm/scheduler/gpu-sched.o\n";
  const index = indexOf(smallRoot({ [`${at}/modules.order`]: order, [`${at}/modules.builtin`]: "" }));
  expect(valueOf(index.file("gpu_sched"))).toBe("kernel/drivers/gpu/drm/scheduler/gpu-sched.ko");
  expect(index.present("intel_vpu").state).toBe("uncaptured");
  expect(index.aliases("intel_vpu").state).not.toBe("read");
  expect(index.file("rocket")).toMatchObject({ state: "absent", why: "not listed" });
});

test("an index nobody captured answers uncaptured to every question", () => {
  expect(readModuleIndex(smallRoot({}, { uncaptured: ["/lib", "/usr"] }), R).state).toBe("uncaptured");
  const index = indexOf(smallRoot({ [`${at}/modules.order`]: "" }, { uncaptured: ["/usr"] }));
  expect(index.claims("platform:x").state).toBe("uncaptured");
  expect(index.file("drm").state).toBe("uncaptured");
  expect(index.builtin("drm").state).toBe("uncaptured");
});

test("a loaded module has its users, taint and version; parameters are read when asked for", () => {
  let asked = 0;
  const small = smallRoot({
    "/proc/modules":
      "apex 32768 0 - Live 0xffffffffc0678000 (OE)\n" +
      "gasket 143360 1 apex,[permanent], Live 0xffffffffc066f000 (OE)\n" +
      "drm 937984 4 vgem,drm_kms_helper, Live 0xffffffffc0605000\n" +
      "garbage\n",
    "/sys/module/apex/taint": "OE\n",
    "/sys/module/apex/version": "1.2\n",
    "/sys/module/apex/parameters/allow_power_save": "1\n",
    "/sys/module/apex/parameters/secret": null,
  });
  const root: Root = { ...small, list: (path) => (asked++, small.list(path)) };
  const loaded = valueOf(readLoadedModules(root));
  expect([...(loaded?.keys() ?? [])]).toEqual(["apex", "gasket", "drm"]);
  const apex = loaded?.get("apex");
  expect(asked).toBe(0);
  expect(valueOf(apex?.version ?? small.text("/"))).toBe("1.2");
  expect(loaded?.get("gasket")).toMatchObject({ usedBy: ["apex"], taint: { state: "read", value: "OE" } });
  expect(loaded?.get("drm")).toMatchObject({ taint: { value: "" }, version: { state: "absent" } });
  expect(apex?.parameters.get("allow_power_save")).toMatchObject({ state: "read", value: "1" });
  expect(apex?.parameters.get("secret")).toMatchObject({ state: "denied" });
  expect(asked).toBe(1);
  expect(readParameters(small, "drm").size).toBe(0);
});

test("modprobe.d is read in its order of precedence, with continuation lines and either spelling", () => {
  const rules = valueOf(
    readModprobe(
      smallRoot({
        "/etc/modprobe.d/npu.conf":
          "# blacklist commented\nblacklist intel-vpu\noptions amdxdna \\\n  aie2_max_col=4\n\nsoftdep nvidia pre: drm\n",
        "/usr/lib/modprobe.d/npu.conf": "blacklist shadowed\n",
        "/usr/lib/modprobe.d/gpu.conf": "install nouveau /bin/false\nalias char-major-195* nvidia\n",
        "/usr/lib/modprobe.d/README": "blacklist readme\n",
        "/proc/cmdline":
          "quiet modprobe.blacklist=apex,gasket module_blacklist=qaic initcall_blacklist=ivpu_init intel_vpu.x=1\n",
      }),
    ),
  );
  const said = (rules ?? []).map(({ kind, module, says }) => `${kind} ${module} ${says}`.trim());
  expect(said).toEqual([
    "install nouveau /bin/false",
    "alias nvidia char-major-195*",
    "blacklist intel_vpu",
    "options amdxdna aie2_max_col=4",
    "softdep nvidia pre: drm",
    "blacklist apex modprobe.blacklist",
    "blacklist gasket modprobe.blacklist",
    "blacklist qaic module_blacklist",
    "initcall ivpu_init initcall_blacklist",
    "options intel_vpu x=1",
  ]);
  expect(blockedBy(rules ?? [], "nouveau")?.file).toBe("/usr/lib/modprobe.d/gpu.conf");
  expect(blockedBy(rules ?? [], "intel_vpu")?.file).toBe("/etc/modprobe.d/npu.conf");
  expect(blockedBy(rules ?? [], "amdxdna")).toBeUndefined();
});

test("no rules is known where the directories are, and unknown where nobody looked", () => {
  expect(readModprobe(smallRoot({ "/etc/modprobe.d/": "" }))).toMatchObject({ state: "read", value: [] });
  expect(readModprobe(smallRoot({}, { uncaptured: ["/"] })).state).toBe("uncaptured");
});

test.each([
  ["pci:v*d*sv*sd*bc03sc*i*", "pci:v00001002d000073BFsv00001002sd00000E3Abc03sc00i00", true],
  ["pci:v00001002d*sv*sd*bc03sc00i00*", "pci:v00001002d000073BFsv00001002sd00000E3Abc12sc00i00", false],
  ["usb:v*p*d000[0-4]dc*", "usb:v1A6Ep089Ad0003dc00", true],
  ["usb:v*p*d000[!0-4]dc*", "usb:v1A6Ep089Ad0003dc00", false],
  ["a?c", "abc", true],
  ["a?c", "ac", false],
  ["[", "[", true],
  ["*", "", true],
  ["", "", true],
  ["", "a", false],
])("pattern %s on %s: %s", (pattern, modalias, expected) => {
  expect(aliasMatches(pattern, modalias)).toBe(expected);
});

test("hostile patterns and modaliases take no more than a moment", () => {
  const started = performance.now();
  expect(aliasMatches(`${"*a".repeat(2000)}b`, "a".repeat(4000))).toBe(false);
  const line = `alias pci:v${"*0".repeat(200)}x evil\n`;
  const index = indexOf(smallRoot({ [`${at}/modules.alias`]: line.repeat(50_000), [`${at}/modules.dep`]: "" }));
  expect(valueOf(index.claims(`pci:v${"0".repeat(1000)}`))).toEqual([]);
  expect(index.claims("0".repeat(1_000_000)).state).toBe("malformed");
  expect(performance.now() - started).toBeLessThan(1500);
});

test.skipIf(machines.length === 0)("what a captured kernel's modules claim is what bound there", () => {
  let compared = 0;
  for (const { open, devices } of machines) {
    const bound = devices.filter((device) => device.bus !== "usb" && device.bound_driver !== null);
    if (bound.length === 0) continue;
    const root = open();
    const index = readModuleIndex(root, valueOf(root.text("/proc/sys/kernel/osrelease"))?.trim() ?? "");
    if (index.state !== "read") throw new Error(index.state);
    for (const device of bound) {
      const module = (device.bound_driver ?? "").replaceAll("-", "_");
      // A driver that was built outside the tree and loaded by hand is in no index; vfio-pci and pci-stub bind what they are told to.
      if (index.value.file(module).state !== "read" || module === "vfio_pci" || module === "pci_stub") continue;
      const alias =
        valueOf(root.text(`/sys/bus/${device.bus}/devices/${device.address ?? device.name ?? ""}/modalias`))?.trim() ??
        "";
      expect([alias, valueOf(index.value.claims(alias))]).toEqual([alias, expect.arrayContaining([module])]);
      compared++;
    }
  }
  expect(compared).toBeGreaterThan(0);
});

test.skipIf(machines.length === 0)("looking only at likely patterns finds what looking at all of them finds", () => {
  for (const { name, open } of machines.filter((machine) => /^(rack-7|rack-6|arm64-e|usb)/.test(machine.name))) {
    const root = open();
    const index = readModuleIndex(root, valueOf(root.text("/proc/sys/kernel/osrelease"))?.trim() ?? "");
    if (index.state !== "read") throw new Error(index.state);
    const lines = (valueOf(root.text(`${index.value.directory}/modules.alias`)) ?? "").split("\n");
    const builtin = (valueOf(root.text(`${index.value.directory}/modules.builtin.modinfo`)) ?? "").split("\0");
    const all = [
      ...lines.map((line) => /^alias (\S+) (\S+)$/.exec(line)).map((found) => [found?.[1], found?.[2]] as const),
      ...builtin.map((line) => /^(\w+)\.alias=(.*)$/s.exec(line)).map((found) => [found?.[2], found?.[1]] as const),
    ];
    const modaliases = new Set(
      ["pci", "usb", "platform", "acpi", "virtio"].flatMap((bus) =>
        (valueOf(root.list(`/sys/bus/${bus}/devices`)) ?? []).flatMap(
          (device) => valueOf(root.text(`/sys/bus/${bus}/devices/${device}/modalias`))?.trim() ?? [],
        ),
      ),
    );
    expect(modaliases.size).toBeGreaterThan(10);
    for (const modalias of modaliases) {
      const expected = all.flatMap(([pattern, module]) =>
        pattern !== undefined && module !== undefined && aliasMatches(pattern, modalias) ? [module] : [],
      );
      const found = valueOf(index.value.claims(modalias)) ?? [];
      expect([name, modalias, [...found].sort()]).toEqual([name, modalias, [...new Set(expected)].sort()]);
    }
  }
});
