import { describe, expect, it } from "vitest";
import { valueOf, type Reading } from "../../src/base/reading.ts";
import { NO_CLASS, NO_ID, readPci, type PciFunction } from "../../src/facts/pci.ts";
import type { Root } from "../../src/root/root.ts";
import { machines, openSysfs } from "./machines.ts";
import { smallRoot } from "./small-root.ts";

const bus = "/sys/bus/pci/devices";

function functions(root: Root): readonly PciFunction[] {
  const reading = readPci(root);
  if (reading.state !== "read") throw new Error(reading.state);
  return reading.value;
}

function only(files: Readonly<Record<string, string | Uint8Array | null>>): PciFunction {
  const at = Object.fromEntries(Object.entries(files).map(([name, text]) => [`${bus}/0000:01:00.0/${name}`, text]));
  const [one, ...more] = functions(smallRoot(at));
  if (one === undefined || more.length > 0) throw new Error("not one function");
  return one;
}

const uevent =
  "DRIVER=intel_vpu\nPCI_CLASS=120000\nPCI_ID=8086:7D1D\nPCI_SUBSYS_ID=17AA:50D5\nPCI_SLOT_NAME=0000:01:00.0\n" +
  "MODALIAS=pci:v00008086d00007D1Dsv000017AAsd000050D5bc12sc00i00\n";

function configSpace(): Uint8Array {
  const bytes = new Uint8Array(64);
  bytes.set([0xc1, 0x1a, 0x9a, 0x08], 0);
  bytes.set([0x02, 0xff, 0x80, 0x08], 8); // revision, then class from its lowest byte
  bytes.set([0xde, 0xad, 0xbe, 0xef], 0x2c);
  return bytes;
}

describe("a PCI function", () => {
  it("tells ids, class, driver and alias by its uevent alone", () => {
    const one = only({ uevent });
    expect(one).toMatchObject({ slot: "0000:01:00.0", vendor: 0x8086, device: 0x7d1d, class: 0x120000 });
    expect(valueOf(one.driver)).toBe("intel_vpu");
    expect(valueOf(one.modalias)).toMatch(/^pci:v00008086d00007D1D/);
    expect(valueOf(one.subsystemVendor)).toBe(0x17aa);
    expect(valueOf(one.subsystemDevice)).toBe(0x50d5);
    expect(one.revision.state).toBe("absent");
  });

  it("tells its ids by attributes where no uevent was captured", () => {
    const one = only({ vendor: "0x1e60\n", device: "0x2864\n", class: "0x0b4000\n", revision: "0x01\n" });
    expect(one).toMatchObject({ vendor: 0x1e60, device: 0x2864, class: 0x0b4000 });
    expect(valueOf(one.ids)).toBe("1e60:2864");
    expect(valueOf(one.revision)).toBe(1);
  });

  it("tells its ids by the modalias alone", () => {
    const one = only({ modalias: "pci:v000010DEd000027B8sv000010DEsd000016EEbc03sc02i00\n" });
    expect(one).toMatchObject({ vendor: 0x10de, device: 0x27b8, class: 0x030200 });
  });

  it("tells its ids by config space alone", () => {
    const one = only({ config: configSpace() });
    expect(one).toMatchObject({ vendor: 0x1ac1, device: 0x089a, class: 0x0880ff });
    expect(valueOf(one.revision)).toBe(2);
    expect([valueOf(one.subsystemVendor), valueOf(one.subsystemDevice)]).toEqual([0xadde, 0xefbe]);
  });

  it("keeps its class when the ids come from a place that has none", () => {
    expect(only({ vendor: "0x1e52\n", device: "0x401e\n", config: configSpace().subarray(0, 8) }).class).toBe(NO_CLASS);
    expect(only({ vendor: "0x1e52\n", device: "0x401e\n", class: "0x120000\n" }).class).toBe(0x120000);
  });

  it("stays in the list without ids that match anything when nothing readable says them", () => {
    const one = only({ class: "0x030200\n", vendor: null, device: "what" });
    expect(one).toMatchObject({ vendor: NO_ID, device: NO_ID, class: 0x030200 });
    expect(one.ids.state).toBe("denied");
  });

  it("is NVIDIA's when NVIDIA's driver lists it and the capture left its ids out", () => {
    const slot = "0035:03:00.0";
    const [one] = functions(
      smallRoot({
        [`${bus}/${slot}/class`]: "0x030200\n",
        [`/proc/driver/nvidia/gpus/${slot}/information`]: "Model: Tesla V100\n",
      }),
    );
    expect(one).toMatchObject({ vendor: 0x10de, device: NO_ID });
    expect(one && valueOf(one.driver)).toBe("nvidia");
  });

  const drivers: [what: string, files: Record<string, string | null>, state: Reading<string>["state"]][] = [
    ["is unbound when its uevent names no driver", { uevent: uevent.replace(/^DRIVER.*\n/, "") }, "absent"],
    ["is bound when only the link says so", { vendor: "0x1\n", driver: "-> ../../../bus/pci/drivers/ve_drv" }, "read"],
    ["is not called unbound when neither uevent nor link was captured", { vendor: "0x1\n" }, "uncaptured"],
    ["keeps the refusal when the uevent may not be read", { vendor: "0x1\n", uevent: null }, "absent"],
  ];
  it.each(drivers)("%s", (_, files, state) => {
    expect(only({ device: "0x2\n", ...files }).driver.state).toBe(state);
  });

  it("lists its BARs, those without an address as unassigned", () => {
    const line = (start: string, end: string, flags: string): string => `0x${start} 0x${end} 0x${flags}\n`;
    const zero = line("0".repeat(16), "0".repeat(16), "0".repeat(16));
    const one = only({
      uevent,
      resource:
        line("000000fe86500000", "000000fe8657ffff", "0000000000140204") +
        zero +
        line("0000000000000000", "00000007ffffffff", "000000000014220c") +
        zero +
        line("00000000f0000000", "00000000f0000fff", "0000000020040200") +
        zero +
        line("00000000c0000000", "00000000c00fffff", "0000000000046200"),
    });
    expect(valueOf(one.bars)).toEqual([
      { index: 0, bytes: 0x80000, unassigned: false },
      { index: 1, bytes: 0, unassigned: false },
      { index: 2, bytes: 0x8_0000_0000, unassigned: true },
      { index: 3, bytes: 0, unassigned: false },
      { index: 4, bytes: 0x1000, unassigned: true },
      { index: 5, bytes: 0, unassigned: false },
    ]);
    expect(only({ uevent, resource: "garbage" }).bars.state).toBe("malformed");
  });

  it("tells its link, and no number where there is none", () => {
    const link = (files: Record<string, string>): (number | undefined)[] => {
      const { speed, maxSpeed, width, maxWidth } = only({ uevent, ...files }).link;
      return [speed, maxSpeed, width, maxWidth].map(valueOf);
    };
    const full = { current_link_speed: "2.5 GT/s PCIe\n", max_link_speed: "16.0 GT/s PCIe\n" };
    expect(link({ ...full, current_link_width: "1\n", max_link_width: "16\n" })).toEqual([2.5e9, 16e9, 1, 16]);
    expect(link({ current_link_speed: "Unknown\n", current_link_width: "0\n", max_link_width: "255\n" })).toEqual(
      Array(4).fill(undefined),
    );
  });

  it("is not woken to read its link", () => {
    const asked: string[] = [];
    const root = smallRoot({
      [`${bus}/0000:01:00.0/uevent`]: uevent,
      [`${bus}/0000:01:00.0/power/runtime_status`]: "suspended\n",
      [`${bus}/0000:01:00.0/current_link_speed`]: "8.0 GT/s PCIe\n",
    });
    const watching: Root = {
      ...root,
      text: (path) => {
        asked.push(path);
        return root.text(path);
      },
    };
    const [one] = functions(watching);
    expect(one?.link.speed).toMatchObject({ state: "uncaptured", why: expect.stringContaining("wake") as string });
    expect(asked.filter((path) => path.endsWith("current_link_speed"))).toEqual([]);
  });

  it("costs one read until more is asked", () => {
    let reads = 0;
    const root = smallRoot({ [`${bus}/0000:01:00.0/uevent`]: uevent });
    functions({
      ...root,
      text: (path) => {
        reads++;
        return root.text(path);
      },
    });
    expect(reads).toBe(1);
  });

  it("knows the bridge above and the physical function of a virtual one", () => {
    const below = "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0";
    const [bridge, physical, virtual] = functions(
      smallRoot({
        [`${bus}/0000:00:01.0`]: "-> ../../../devices/pci0000:00/0000:00:01.0",
        [`${bus}/0000:01:00.0`]: `-> ../../../devices/pci0000:00/0000:00:01.0/0000:01:00.0`,
        [`${bus}/0000:01:00.4`]: `-> ../../../devices/pci0000:00/0000:00:01.0/0000:01:00.4`,
        [`${below}/uevent`]: uevent,
        [`${below.replace(/0$/, "4")}/physfn`]: "-> ../0000:01:00.0",
        [`${below.replace(/0$/, "4")}/iommu_group`]: "-> ../../../../kernel/iommu_groups/17",
        [`${below.replace(/0$/, "4")}/numa_node`]: "-1\n",
      }),
    );
    expect(bridge?.parent.state).toBe("absent");
    expect(physical && valueOf(physical.parent)).toBe("0000:00:01.0");
    expect(physical?.physicalFunction.state).toBe("absent");
    expect(virtual && valueOf(virtual.physicalFunction)).toBe("0000:01:00.0");
    expect(virtual && valueOf(virtual.iommuGroup)).toBe("17");
    expect(virtual?.numaNode.state).toBe("absent");
  });
});

describe("the PCI bus", () => {
  it("is absent on a machine without one and uncaptured where nobody looked", () => {
    expect(readPci(smallRoot({ "/sys/bus/platform/devices/": "" })).state).toBe("absent");
    expect(readPci(smallRoot({}, { uncaptured: ["/sys"] })).state).toBe("uncaptured");
  });

  it("lists functions of any domain and ignores names that are no slots", () => {
    const slots = ["0000:00:02.0", "10000:e1:00.0", "not-a-slot", "0000:00:1f.8"];
    const root = smallRoot(Object.fromEntries(slots.map((slot) => [`${bus}/${slot}/uevent`, uevent])));
    expect(functions(root).map((one) => one.slot)).toEqual(["0000:00:02.0", "10000:e1:00.0"]);
  });
});

describe.skipIf(machines.length === 0)("captured machines (../shared/machines/kernel)", () => {
  it.each(machines.filter(({ devices }) => devices.some(({ bus: name }) => name === "pci")))(
    "$name: every function with ids, class, driver, override and group as they were",
    ({ devices, open }) => {
      const found = new Map(functions(open()).map((one) => [one.slot, one]));
      for (const truth of devices.filter(({ bus: name, on_bus }) => name === "pci" && on_bus !== false)) {
        const one = found.get(truth.address ?? "");
        if (one === undefined) throw new Error(`${truth.address ?? ""} was not found`);
        expect(valueOf(one.ids)).toBe(`${truth.vendor ?? ""}:${truth.device ?? ""}`);
        expect(one.class.toString(16).padStart(6, "0")).toBe(truth.class);
        expect(valueOf(one.modalias)).toBe(truth.modalias);
        expect(one.driver.state).toBe(truth.bound_driver === null ? "absent" : "read");
        expect(valueOf(one.driver) ?? null).toBe(truth.bound_driver);
        expect(valueOf(one.driverOverride) ?? null).toBe(truth.driver_override);
        expect(valueOf(one.iommuGroup) ?? null).toBe(truth.iommu_group);
        expect(valueOf(one.bars)?.length).toBe(6);
      }
    },
  );
});

describe.skipIf(machines.length === 0)("sysfs trees of other projects (../shared/machines/sysfs)", () => {
  const at = (file: string, slot: string): PciFunction | undefined =>
    functions(openSysfs(file)).find((one) => one.slot === slot);

  it("ghw: a bound P100, and a function nobody knows", () => {
    const p100 = at("ghw_linux-amd64-accel-nvidia.tar.gz", "0000:06:00.0");
    expect(p100).toMatchObject({ vendor: 0x10de, device: 0x15f8, class: 0x030200 });
    expect(p100 && valueOf(p100.driver)).toBe("nvidia");
    const unknown = at("ghw_linux-amd64-accel.tar.gz", "0000:00:04.0");
    expect(unknown).toMatchObject({ vendor: 0x1b36, device: 0x0005, class: 0x120000 });
    expect(unknown && valueOf(unknown.driver)).toBe("fake_pci_driver");
  });

  it("hwloc: Xeon Phi and eight vector engines with their drivers", () => {
    const phi = at("hwloc_32em64t-2n8c+dax+nvme+mic+dimms.tar.bz2", "0000:83:00.0");
    expect(phi).toMatchObject({ vendor: 0x8086, device: 0x225c, class: 0x0b4000 });
    expect(phi && valueOf(phi.driver)).toBe("mic");
    const engines = functions(openSysfs("hwloc_32intel64-2p8co2t+8ve.tar.bz2")).filter(
      ({ vendor }) => vendor === 0x1bcf,
    );
    expect(engines.map(({ device, driver }) => [device, valueOf(driver)])).toEqual(Array(8).fill([0x1c, "ve_drv"]));
  });

  it("hwloc: NVIDIA's functions of a POWER9 without any id, known by the driver's list", () => {
    const gpus = functions(openSysfs("hwloc_nvidiagpunumanodes.tar.bz2"));
    expect(gpus.map(({ slot }) => slot)).toContain("0035:05:00.0");
    for (const { vendor, device, driver } of gpus) {
      expect({ vendor, device, driver: valueOf(driver) }).toEqual({ vendor: 0x10de, device: NO_ID, driver: "nvidia" });
    }
  });

  it("a capture without PCI does not say that there is none", () => {
    expect(readPci(openSysfs("hwloc_nvidia-dgx-gb10.tar.bz2")).state).toBe("uncaptured");
  });
});
