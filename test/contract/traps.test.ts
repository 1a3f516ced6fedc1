/**
 * What a detector gets wrong, one trap each: on a small machine of our own making, and on a captured one where a capture shows it.
 * And the five states of a driver on one kernel, told apart with the same device on five machines.
 */

import { describe, expect, it } from "vitest";
import { openRoot } from "../../src/root/open.ts";
import { TreeBuilder } from "../../src/root/memory.ts";
import type { Root } from "../../src/root/root.ts";
import type { DeviceReport, Report } from "../../src/review/report.ts";
import { review } from "../../src/review/review.ts";
import {
  addBoard,
  addCore,
  addModule,
  addNode,
  addPci,
  addRk3588,
  base,
  machines,
  RENDER,
} from "../support/machines.ts";
import { hasShared, sharedPath, unlessShared } from "../support/shared.ts";

const build = (fill: (b: TreeBuilder) => void, options: Parameters<typeof base>[0] = {}): Report => {
  const b = base(options);
  fill(b);
  return review(b.build("directory", "trap"));
};
const captured = (path: string): Report => review(openRoot(sharedPath(`machines/${path}`)));
const pasted = (path: string): Report => review(openRoot(sharedPath(`machines/text/${path}`)));
const accelerators = (report: Report): readonly DeviceReport[] =>
  report.devices.filter((device) => device.family !== "cpu");
const families = (report: Report): string[] => accelerators(report).map((device) => device.family ?? "unrecognised");
const known = (report: Report): string[] => families(report).filter((family) => family !== "unrecognised");

describe("a PCI class", () => {
  it("1200 is no proof: an unknown device of it is unrecognised, and an engine that compresses is nothing", () => {
    const report = build((b) => {
      addPci(b, { slot: "0000:01:00.0", id: "dead:beef", class: "120000" });
      addPci(b, { slot: "0000:02:00.0", id: "19e5:a250", class: "120000", driver: "hisi_zip" });
      addPci(b, { slot: "0000:03:00.0", id: "8086:4940", class: "0b4000", driver: "4xxx" });
      addPci(b, { slot: "0000:04:00.0", id: "8086:0b25", class: "088000", driver: "idxd" });
    });
    expect(accelerators(report).map((device) => [device.address, device.verdict.says])).toEqual([
      ["0000:01:00.0", "unrecognised"],
    ]);
  });

  it("1180, 0880 or 0b40 is no disproof: an XDNA NPU, an Edge TPU, a Hailo are found", () => {
    const report = build((b) => {
      addPci(b, { slot: "0000:01:00.0", id: "1022:1502", class: "118000" });
      addPci(b, { slot: "0000:02:00.0", id: "1ac1:089a", class: "0880ff" });
      addPci(b, { slot: "0000:03:00.0", id: "1e60:2864", class: "0b4000" });
      // Telemetry of the same maker and class, beside an NPU.
      addPci(b, { slot: "0000:04:00.0", id: "8086:647d", class: "118000", driver: "intel_vsec" });
    });
    expect(families(report)).toEqual(["amd-xdna", "coral", "hailo"]);
  });

  it.skipIf(!hasShared)(`says nothing in captures either${unlessShared}`, () => {
    const rack = captured("kernel/rack-7.3.tar.gz");
    const addresses = accelerators(rack).map((device) => device.address);
    for (const none of ["0000:00:13.0", "0000:00:14.0", "0000:00:15.0"]) expect(addresses).not.toContain(none);
    expect(rack.devices.find((device) => device.address === "0000:00:16.0")?.family).toBeUndefined();
    expect(families(pasted("negative_kunpeng-zip-class1200.txt"))).toEqual([]);
    expect(known(pasted("xilinx_artix_unbound.txt"))).toEqual([]);
    expect(known(captured("sysfs/ghw_linux-amd64-accel.tar.gz"))).toEqual([]);
  });
});

describe("nodes", () => {
  it("/dev/accel0 is Google's and /dev/accel/accel0 the kernel's: neither stands in for the other", () => {
    const report = build((b) => {
      addPci(b, { slot: "0000:01:00.0", id: "1ae0:005e", class: "120000" });
      const npu = addPci(b, { slot: "0000:00:0b.0", id: "8086:643e", class: "120000", driver: "intel_vpu" });
      addModule(b, "intel_vpu", "loaded");
      addNode(b, { device: npu, class: "accel", name: "accel0", dev: "/dev/accel/accel0" });
    });
    const tpu = report.devices.find((device) => device.family === "cloud-tpu");
    const npu = report.devices.find((device) => device.family === "intel-npu");
    expect(npu?.nodes.map((node) => node.path)).toEqual(["/dev/accel/accel0"]);
    expect(tpu?.nodes).toEqual([]);
    expect(tpu?.routes.find((route) => route.name === "vendor")?.layers.find((l) => l.name === "node")?.status).toBe(
      "missing",
    );
  });

  it.skipIf(!hasShared)(`/dev/accel0 in a paste is a Cloud TPU${unlessShared}`, () => {
    expect(families(pasted("google-tpu_v3_permission.txt"))).toEqual(["cloud-tpu"]);
  });

  it("a render node may be an NPU: rknpu registers with DRM, and beside it may be a real GPU", () => {
    const report = build(
      (b) => {
        addBoard(b, "Example Board", "example,board", "rockchip,rk3588");
        const npu = { address: "fdab0000", name: "npu", compatible: "rockchip,rk3588-rknpu", driver: "RKNPU" };
        addNode(b, { device: addCore(b, npu), class: "drm", name: "renderD129", dev: "/dev/dri/renderD129" });
        const gpu = { address: "fb000000", name: "gpu", compatible: "rockchip,rk3588-mali", driver: "panthor" };
        addNode(b, { device: addCore(b, gpu), class: "drm", name: "renderD128", dev: "/dev/dri/renderD128" });
      },
      { arch: "arm64", release: "6.1.115-vendor" },
    );
    expect(accelerators(report).map((device) => [device.family, device.nodes.map((node) => node.path)])).toEqual([
      ["rockchip", ["/dev/dri/renderD129"]],
    ]);
    expect(accelerators(report)[0]?.verdict.route).toBe("vendor");
  });

  it("a render node of a virtual GPU is no accelerator", () => {
    const report = build((b) => {
      b.directory("/sys/devices/platform/vgem");
      addNode(b, {
        device: "/sys/devices/platform/vgem",
        class: "drm",
        name: "renderD128",
        dev: "/dev/dri/renderD128",
      });
    });
    expect(families(report)).toEqual([]);
  });

  it.skipIf(!hasShared)(`vgem's render node is none in a capture${unlessShared}`, () => {
    expect(families(captured("kernel/clean-7.3.tar.gz"))).toEqual([]);
  });
});

describe("cores of a SoC", () => {
  it("rocket's three are one accelerator with one node, which hangs from a device of its own", () => {
    const make = machines["rk3588-mainline-rocket"];
    const [npu, ...more] = accelerators(review((make as () => Root)()));
    expect(more).toEqual([]);
    expect(npu?.parts).toHaveLength(3);
    expect(npu?.nodes.map((node) => node.path)).toEqual(["/dev/accel/accel0"]);
  });

  it.skipIf(!hasShared)(`rocket's three are one in captures, and Ethos-U's two are two${unlessShared}`, () => {
    for (const report of [captured("kernel/arm64-rocket-7.3.tar.gz"), pasted("rocket_rk3588-mainline-ok.txt")]) {
      expect(accelerators(report).map((d) => [d.family, d.parts.length, d.nodes.length])).toEqual([["rockchip", 3, 1]]);
    }
    expect(families(captured("kernel/arm64-ethosu-7.3.tar.gz"))).toEqual(["ethos-u", "ethos-u"]);
  });

  it("a node merely named npu is none, nor is a network processor or a bus fabric of that name", () => {
    const report = build(
      (b) => {
        addBoard(b, "Example Router", "example,router", "airoha,en7581");
        addCore(b, { address: "1e900000", name: "npu", compatible: "airoha,en7581-npu", driver: "airoha-npu" });
        addCore(b, { address: "1ea00000", name: "npu", compatible: "example,packet-engine" });
        addCore(b, { address: "1eb00000", name: "tpu", compatible: "renesas,tpu" });
        addCore(b, { address: "1ec00000", name: "interconnect", compatible: "qcom,sm8250-npu-noc" });
      },
      { arch: "arm64", release: "7.3.4-arm64" },
    );
    expect(families(report)).toEqual([]);
    expect(report.dormant).toEqual([]);
  });

  it("vivante,gc is a GPU where the node is called gpu, and an NPU where it is called npu", () => {
    const report = build(
      (b) => {
        addBoard(b, "Example i.MX8MP Board", "example,board", "fsl,imx8mp");
        addCore(b, { address: "38000000", name: "gpu", compatible: "vivante,gc", driver: "etnaviv-gpu" });
        addCore(b, { address: "38008000", name: "gpu", compatible: "vivante,gc", driver: "etnaviv-gpu" });
        addCore(b, { address: "38500000", name: "npu", compatible: "vivante,gc", driver: "etnaviv-gpu" });
      },
      { arch: "arm64", release: "7.3.4-arm64" },
    );
    expect(accelerators(report).map((device) => [device.family, device.address])).toEqual([
      ["verisilicon", "38500000.npu"],
    ]);
  });

  it.skipIf(!hasShared)(`vivante,gc in a real board's log and tree${unlessShared}`, () => {
    expect(accelerators(pasted("etnaviv_imx8mp_debix.txt")).map((device) => device.address)).toEqual(["38500000.npu"]);
    expect(accelerators(captured("dtb/freescale__imx8mp-evk.dtb")).map((d) => d.address)).toEqual(["38500000.npu"]);
    expect(families(captured("dtb/freescale__imx8mq-phanbell.dtb"))).toEqual([]);
  });
});

describe("sticks and cards", () => {
  const stick = (id: string): Report =>
    build((b) => {
      const [vendor = "", product = ""] = id.split(":");
      const path = "/sys/devices/pci0000:00/0000:00:14.0/usb2/2-1";
      b.file(`${path}/idVendor`, `${vendor}\n`).file(`${path}/idProduct`, `${product}\n`);
      b.file(`${path}/busnum`, "2\n").file(`${path}/devnum`, "4\n");
      b.file(`${path}/uevent`, "DEVTYPE=usb_device\nDRIVER=usb\n");
      b.link("/sys/bus/usb/devices/2-1", "../../../devices/pci0000:00/0000:00:14.0/usb2/2-1");
      b.node("/dev/bus/usb/002/004", { type: "char", mode: 0o666, major: 189, minor: 131 });
    });

  it("a Coral stick is the same device under both its ids and has no node but the bus's, whatever driver is loaded", () => {
    for (const id of ["1a6e:089a", "18d1:9302"]) {
      const [coral, ...more] = accelerators(stick(id));
      expect(more).toEqual([]);
      expect([coral?.family, coral?.chip, coral?.address]).toEqual(["coral", "usb", "2-1"]);
      expect(coral?.nodes.filter((node) => !node.path.startsWith("/dev/bus/usb/"))).toEqual([]);
      const layers = coral?.routes.find((route) => route.name === "usb")?.layers ?? [];
      expect(layers.find((layer) => layer.name === "driver")?.status).toBe("unneeded");
    }
  });

  it.skipIf(!hasShared)(`a Coral stick seen under both ids in one text is one device${unlessShared}`, () => {
    expect(families(pasted("coral-usb_id-change.txt"))).toEqual(["coral"]);
  });

  it("an Alveo card's two functions are one card", () => {
    const report = build((b) => {
      addPci(b, { slot: "0000:b3:00.0", id: "10ee:5000", class: "120000", driver: "xclmgmt" });
      addPci(b, { slot: "0000:b3:00.1", id: "10ee:5001", class: "120000", driver: "xocl" });
    });
    expect(accelerators(report).map((device) => [device.address, device.parts])).toEqual([
      ["0000:b3:00.1", ["0000:b3:00.0", "0000:b3:00.1"]],
    ]);
  });

  it.skipIf(!hasShared)(`an Alveo's two functions in a paste, and a GPU's virtual functions${unlessShared}`, () => {
    expect(families(pasted("xilinx_u200_two-functions.txt"))).toEqual(["xilinx-dpu"]);
    const gpus = accelerators(pasted("intel-npu_ptl-lshw.txt")).filter((device) => device.family === "intel-gpu");
    expect(gpus.map((device) => device.address)).toEqual(["0000:00:02.0"]);
  });

  it("virtual functions of SR-IOV are counted with their card and are no cards", () => {
    const report = build((b) => {
      const card = addPci(b, { slot: "0000:00:02.0", id: "8086:b08f", class: "030000", driver: "xe" });
      b.file(`${card}/sriov_numvfs`, "2\n").file(`${card}/sriov_totalvfs`, "7\n");
      for (const [i, slot] of ["0000:00:02.1", "0000:00:02.2"].entries()) {
        const vf = addPci(b, { slot, id: "8086:b08f", class: "030000", driver: "xe" });
        b.link(`${vf}/physfn`, "../0000:00:02.0").link(`${card}/virtfn${i}`, `../${slot}`);
      }
    });
    expect(accelerators(report).map((device) => [device.address, device.virtual_functions])).toEqual([
      ["0000:00:02.0", 2],
    ]);
  });
});

describe("one device on five kernels", () => {
  const release = "6.12.48-example";
  interface Machine {
    readonly release?: string;
    readonly config?: string;
    readonly module?: "loaded" | "shipped";
    readonly driver?: string;
  }
  const npu = (machine: Machine): { device: DeviceReport; report: Report } => {
    const of = machine.release ?? release;
    const report = build(
      (b) => {
        const slot = "0000:00:0b.0";
        const pci = { slot, id: "8086:643e", class: "120000" };
        const device = addPci(b, machine.driver === undefined ? pci : { ...pci, driver: machine.driver });
        b.file(`/boot/config-${of}`, machine.config ?? "CONFIG_DRM_ACCEL=y\nCONFIG_DRM_ACCEL_IVPU=m\n");
        b.present("/lib/firmware/intel/vpu/vpu_40xx_v1.bin", 3_000_000);
        if (machine.module !== undefined) addModule(b, "intel_vpu", machine.module, of);
        if (machine.driver !== undefined)
          addNode(b, { device, class: "accel", name: "accel0", dev: "/dev/accel/accel0" });
      },
      { release: of, groups: [RENDER] },
    );
    const [device] = accelerators(report);
    if (device === undefined) throw new Error("no device");
    return { device, report };
  };
  const states: readonly { name: string; machine: Machine; state: string; rule?: string; cure?: RegExp }[] = [
    {
      name: "is too old for the driver",
      machine: { release: "6.1.0-example", config: "CONFIG_DRM=m\n" },
      state: "not in this kernel",
      rule: "driver/kernel-too-old",
      cure: /Linux 6\.3 or later with CONFIG_DRM_ACCEL_IVPU/,
    },
    {
      name: "was built without it",
      machine: { config: "CONFIG_DRM_ACCEL=y\n# CONFIG_DRM_ACCEL_IVPU is not set\n" },
      state: "configured off",
      rule: "driver/configured-off",
      cure: /a kernel with CONFIG_DRM_ACCEL_IVPU=m/,
    },
    {
      name: "ships it and has not loaded it",
      machine: { module: "shipped" },
      state: "shipped as a module",
      rule: "driver/not-loaded",
      cure: /modprobe intel_vpu/,
    },
    {
      name: "loaded it, in vain",
      machine: { module: "loaded" },
      state: "loaded",
      rule: "driver/probe-failed",
      cure: /dmesg/,
    },
    { name: "has it bound", machine: { module: "loaded", driver: "intel_vpu" }, state: "bound" },
  ];

  it.each(states.map((one) => [one.name, one] as const))("a kernel that %s", (_, { machine, state, rule, cure }) => {
    const { device, report } = npu(machine);
    const layer = device.routes.find((route) => route.name === "openvino")?.layers.find((one) => one.name === "driver");
    expect(layer?.kernelState).toBe(state);
    expect(layer?.status === "ok").toBe(state === "bound");
    const drivers = report.findings.filter((one) => one.device === device.id && one.rule.startsWith("driver/"));
    expect(drivers.map((finding) => finding.rule)).toEqual(rule === undefined ? [] : [rule]);
    const remedy = drivers[0]?.remedy;
    if (cure) expect([remedy?.says, ...(remedy?.commands ?? [])].join("\n")).toMatch(cure);
    expect(report.findings.map((finding) => finding.rule)).not.toContain("firmware/missing");
  });

  it("says five different things", () => {
    const said = states.map(({ machine }) => npu(machine).device.verdict.says);
    expect(new Set(said).size).toBe(states.length);
  });

  it("a module whose file is gone is not there to be loaded", () => {
    const b = base({ release });
    addPci(b, { slot: "0000:00:0b.0", id: "8086:643e", class: "120000" });
    b.file(`/lib/modules/${release}/modules.dep`, "kernel/drivers/accel/ivpu/intel_vpu.ko.xz:\n");
    const report = review(b.build("directory", "gone"));
    expect(report.findings.map((finding) => finding.rule)).toContain("driver/file-missing");
    expect(report.findings.map((finding) => finding.rule)).not.toContain("driver/not-loaded");
  });

  it("where neither modules nor configuration were captured the state is unknown and nothing is missing", () => {
    const b = new TreeBuilder();
    b.covers("/sys/bus/pci").covers("/sys/devices").directory("/sys/bus/pci/devices");
    addPci(b, { slot: "0000:00:0b.0", id: "8086:643e", class: "120000", driver: "intel_vpu" });
    const report = review(b.build("directory", "bare"));
    const [device] = accelerators(report);
    expect(device?.verdict.works).toBe("unknown");
    for (const layer of device?.routes.flatMap((route) => route.layers) ?? []) expect(layer.status).not.toBe("missing");
    expect(report.findings.filter((finding) => finding.device === device?.id)).toEqual([]);
  });
});

describe("a cure", () => {
  it("a driver that no Debian kernel has is said to be in none", () => {
    const finding = build((b) => {
      addPci(b, { slot: "0000:01:00.0", id: "17cb:a100", class: "120000" });
    }).findings.find((one) => one.rule === "driver/configured-off");
    expect(finding?.says).toContain("CONFIG_DRM_ACCEL_QAIC is not set");
    expect(finding?.remedy?.says).toContain("no Debian kernel");
  });

  it("an RK3588 whose tree is right and whose kernel has no rocket is told which symbol", () => {
    const report = build((b) => addRk3588(b, "okay"), { arch: "arm64", release: "7.3.4-arm64" });
    const finding = report.findings.find((one) => one.rule === "driver/configured-off");
    expect(finding?.says).toContain("CONFIG_DRM_ACCEL_ROCKET is not set");
  });

  it("an NVIDIA GPU older than Turing is not sent to the open modules, which do not know it", () => {
    const gpus = build((b) => {
      addPci(b, { slot: "0000:01:00.0", id: "10de:15f8", class: "030200" });
      addPci(b, { slot: "0000:02:00.0", id: "10de:27b8", class: "030200" });
    });
    const [old, young] = accelerators(gpus).map((device) => device.routes.map((route) => route.name));
    expect(old).toEqual(["cuda", "ggml", "vulkan"]);
    expect(young).toContain("cuda-open");
  });

  it("firmware that no package has is not told to be installed from one", () => {
    const cure = (id: string): string => {
      const report = build((b) => {
        addPci(b, { slot: "0000:00:0b.0", id, class: "120000" });
        addModule(b, "intel_vpu", "loaded");
        b.file(
          "/dev/kmsg",
          "[ 1.0] intel_vpu 0000:00:0b.0: [drm] *ERROR* ivpu_fw_request(): Failed to request firmware: -2\n",
        );
      });
      const finding = report.findings.find((one) => one.rule === "firmware/intel-fw-2");
      return [finding?.remedy?.says, ...(finding?.remedy?.commands ?? [])].join("\n");
    };
    expect(cure("8086:d71d")).not.toContain("apt install");
    expect(cure("8086:d71d")).toContain("no distribution's package");
    expect(cure("8086:643e")).toContain("sudo apt install firmware-intel-misc");
  });

  it("a kernel that is too old is not cured by installing its own package again", () => {
    const cure = (id: string): readonly string[] =>
      build((b) => void addPci(b, { slot: "0000:01:00.0", id, class: "120000" }), { release: "5.0.21-example" })
        .findings.filter((finding) => finding.rule === "driver/kernel-too-old")
        .flatMap((finding) => finding.remedy?.commands ?? []);
    expect(cure("8086:643e")).toEqual([expect.stringMatching(/^sudo apt install -t \w+-backports linux-image-amd64/)]);
    expect(cure("1da3:1020")).toEqual([]);
  });
});
