/**
 * Small machines of our own making, each named for what it proves. Synthetic: laid out as the kernel lays them out, with names, ids,
 * modes and log lines as real machines show them, and nothing of any one machine's identity.
 */

import { TreeBuilder } from "../../src/root/memory.ts";
import type { Root } from "../../src/root/root.ts";

const RELEASE = "7.3.4+deb13-amd64";
export const RENDER = 105;

interface Options {
  readonly release?: string;
  readonly arch?: "amd64" | "arm64";
  /** Groups of the user who asks besides his own. */
  readonly groups?: readonly number[];
}

/** What every complete machine has: a kernel with modules and configuration, a distribution, a user, an empty log. */
export function base(options: Options = {}): TreeBuilder {
  const arch = options.arch ?? "amd64";
  const release = options.release ?? RELEASE;
  const uname = arch === "amd64" ? "x86_64" : "aarch64";
  const modules = `/lib/modules/${release}`;
  const b = new TreeBuilder();
  for (const covered of ["/sys", "/proc", "/dev", "/etc", "/lib", "/usr", "/opt", "/var", "/run", "/boot"])
    b.covers(covered);
  b.file("/proc/sys/kernel/osrelease", `${release}\n`);
  b.file("/proc/sys/kernel/arch", `${uname}\n`);
  b.file("/proc/sys/kernel/tainted", "0\n");
  b.file("/proc/version", `Linux version ${release} (build@example) #1 SMP\n`);
  b.file("/proc/cmdline", "root=/dev/vda1 ro quiet\n");
  b.file("/proc/modules", "");
  b.file("/proc/meminfo", "MemTotal:       16314624 kB\nHugepagesize:       2048 kB\n");
  b.file("/proc/mounts", "proc /proc proc rw 0 0\n");
  b.file("/proc/cpuinfo", arch === "amd64" ? x86 : arm);
  b.file("/proc/1/cgroup", "0::/init.scope\n");
  b.file("/proc/self/cgroup", "0::/user.slice\n");
  const groups = [1000, ...(options.groups ?? [])].join(" ");
  b.file(
    "/proc/self/status",
    `Name:\tnode\nUid:\t1000\t1000\t1000\t1000\nGid:\t1000\t1000\t1000\t1000\nGroups:\t${groups} \nCapEff:\t0000000000000000\n`,
  );
  b.file("/proc/self/limits", "Max locked memory         8388608              8388608              bytes     \n");
  b.file(
    "/etc/os-release",
    'ID=debian\nNAME="Debian GNU/Linux"\nPRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nVERSION_ID="13"\n',
  );
  b.file("/etc/group", `root:x:0:\nvideo:x:44:\nrender:x:${RENDER}:\nplugdev:x:46:\napex:x:998:\nuser:x:1000:\n`);
  b.file("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\nuser:x:1000:1000::/home/user:/bin/bash\n");
  b.file("/dev/kmsg", "");
  b.directory("/sys/class/drm").directory("/sys/bus/pci/devices").directory("/sys/bus/usb/devices");
  b.directory("/sys/bus/platform/devices")
    .directory("/sys/module")
    .directory("/lib/firmware")
    .directory("/etc/modprobe.d");
  b.directory("/usr/lib/x86_64-linux-gnu").directory("/usr/lib/aarch64-linux-gnu");
  b.file(`${modules}/modules.dep`, "");
  b.file(`${modules}/modules.alias`, "# Aliases extracted from modules themselves.\n");
  b.file(`${modules}/modules.builtin`, "");
  b.file(`${modules}/modules.softdep`, "");
  b.file(
    `/boot/config-${release}`,
    "CONFIG_DRM=m\nCONFIG_DRM_ACCEL=y\n# CONFIG_DRM_ACCEL_ROCKET is not set\n# CONFIG_DRM_ACCEL_QAIC is not set\nCONFIG_DRM_ACCEL_IVPU=m\nCONFIG_DRM_ACCEL_AMDXDNA=m\n",
  );
  if (arch === "amd64") {
    b.file("/sys/class/dmi/id/sys_vendor", "Example\n");
    b.file("/sys/class/dmi/id/product_name", "Box 1\n");
  }
  return b;
}

const x86 = `processor\t: 0
vendor_id\t: GenuineIntel
model name\t: Example Processor
flags\t\t: fpu sse sse2 avx avx2 avx512f avx512_vnni amx_tile amx_int8
`;
const arm = `processor\t: 0
Features\t: fp asimd asimdhp asimddp
CPU implementer\t: 0x41
CPU part\t: 0xd0b
`;

interface Pci {
  readonly slot: string;
  readonly id: string;
  readonly class: string;
  readonly driver?: string;
  readonly revision?: string;
}

export function addPci(b: TreeBuilder, { slot, id, class: klass, driver, revision = "00" }: Pci): string {
  const [vendor = "", device = ""] = id.split(":");
  const path = `/sys/devices/pci0000:00/${slot}`;
  const upper = (text: string): string => text.toUpperCase().padStart(8, "0");
  const modalias = `pci:v${upper(vendor)}d${upper(device)}sv00001234sd00000001bc${klass.slice(0, 2)}sc${klass.slice(2, 4)}i${klass.slice(4)}`;
  b.directory(path);
  b.file(`${path}/vendor`, `0x${vendor}\n`)
    .file(`${path}/device`, `0x${device}\n`)
    .file(`${path}/class`, `0x${klass}\n`);
  b.file(`${path}/revision`, `0x${revision}\n`).file(`${path}/modalias`, `${modalias}\n`);
  const bound = driver === undefined ? "" : `DRIVER=${driver}\n`;
  b.file(
    `${path}/uevent`,
    `${bound}PCI_CLASS=${klass}\nPCI_ID=${vendor}:${device}\nPCI_SLOT_NAME=${slot}\nMODALIAS=${modalias}\n`,
  );
  b.link(`/sys/bus/pci/devices/${slot}`, `../../../devices/pci0000:00/${slot}`);
  if (driver !== undefined) {
    b.directory(`/sys/bus/pci/drivers/${driver}`);
    b.link(`${path}/driver`, `../../../bus/pci/drivers/${driver}`);
  }
  return path;
}

/** A node under /sys/class and in /dev, hanging from a device's sysfs path. */
export function addNode(
  b: TreeBuilder,
  node: { device: string; class: string; name: string; dev: string; gid?: number; mode?: number; inDev?: boolean },
): void {
  const path = `${node.device}/${node.class}/${node.name}`;
  b.file(`${path}/uevent`, `MAJOR=261\nMINOR=0\nDEVNAME=${node.dev.replace(/^\/dev\//, "")}\n`).file(
    `${path}/dev`,
    "261:0\n",
  );
  b.link(`${path}/device`, "../..");
  b.link(`/sys/class/${node.class}/${node.name}`, `../..${path.slice("/sys".length)}`);
  if (node.inDev !== false) {
    b.node(node.dev, { type: "char", mode: node.mode ?? 0o660, uid: 0, gid: node.gid ?? RENDER, major: 261, minor: 0 });
  }
}

export function addModule(
  b: TreeBuilder,
  name: string,
  where: "loaded" | "shipped",
  release = RELEASE,
  folder = "kernel/drivers/accel",
): void {
  const modules = `/lib/modules/${release}`;
  b.file(`${modules}/modules.dep`, `${folder}/${name}.ko.xz:\n`);
  b.present(`${modules}/${folder}/${name}.ko.xz`);
  if (where === "loaded") {
    b.file("/proc/modules", `${name} 249856 0 - Live 0x0000000000000000\n`);
    b.file(`/sys/module/${name}/taint`, "\n");
  }
}

const lunarLake = { slot: "0000:00:0b.0", id: "8086:643e", class: "120000" };

/** A Coral stick as it shows itself before its firmware is loaded, with a node only root may write. */
function coralStick(): TreeBuilder {
  const b = base();
  const path = "/sys/devices/pci0000:00/0000:00:14.0/usb1/1-1";
  b.file(`${path}/idVendor`, "1a6e\n").file(`${path}/idProduct`, "089a\n").file(`${path}/speed`, "480\n");
  b.file(`${path}/busnum`, "1\n")
    .file(`${path}/devnum`, "4\n")
    .file(`${path}/uevent`, "DEVTYPE=usb_device\nDRIVER=usb\nPRODUCT=1a6e/89a/100\n");
  b.link("/sys/bus/usb/devices/1-1", "../../../devices/pci0000:00/0000:00:14.0/usb1/1-1");
  b.node("/dev/bus/usb/001/004", { type: "char", mode: 0o664, major: 189, minor: 3 });
  return b;
}

export const machines: Readonly<Record<string, () => Root>> = {
  "no-accelerator": () => base().build("directory", "no-accelerator"),

  "lunar-lake-no-firmware": () => {
    const b = base({ groups: [RENDER] });
    addPci(b, lunarLake);
    addModule(b, "intel_vpu", "loaded");
    b.file(
      "/dev/kmsg",
      "[    5.100000] intel_vpu 0000:00:0b.0: enabling device (0000 -> 0002)\n" +
        "[    5.200000] intel_vpu 0000:00:0b.0: [drm] *ERROR* ivpu_fw_request(): Failed to request firmware: -2\n" +
        "[    5.200100] intel_vpu 0000:00:0b.0: probe with driver intel_vpu failed with error -2\n",
    );
    return b.build("directory", "lunar-lake-no-firmware");
  },

  "lunar-lake-works": () => {
    const b = base({ groups: [RENDER] });
    const device = addPci(b, { ...lunarLake, driver: "intel_vpu" });
    addModule(b, "intel_vpu", "loaded");
    addNode(b, { device, class: "accel", name: "accel0", dev: "/dev/accel/accel0" });
    b.present("/lib/firmware/intel/vpu/vpu_40xx_v1.bin", 3_000_000);
    for (const [name, version] of [
      ["libze_intel_npu.so", "1.32.1"],
      ["libze_loader.so", "1.24.0"],
    ] as const) {
      b.file(`/usr/lib/x86_64-linux-gnu/${name}.${version}`, "").link(
        `/usr/lib/x86_64-linux-gnu/${name}.1`,
        `${name}.${version}`,
      );
    }
    b.file("/usr/lib/x86_64-linux-gnu/libnpu_driver_compiler.so", "");
    b.file("/usr/lib/x86_64-linux-gnu/libopenvino_intel_npu_plugin.so", "").file(
      "/usr/lib/x86_64-linux-gnu/libopenvino_c.so",
      "",
    );
    return b.build("directory", "lunar-lake-works");
  },

  "accel-node-not-permitted": () => {
    const b = base();
    const device = addPci(b, { ...lunarLake, driver: "intel_vpu" });
    addModule(b, "intel_vpu", "loaded");
    addNode(b, { device, class: "accel", name: "accel0", dev: "/dev/accel/accel0" });
    b.present("/lib/firmware/intel/vpu/vpu_40xx_v1.bin", 3_000_000);
    return b.build("directory", "accel-node-not-permitted");
  },

  "container-without-accel-node": () => {
    const b = base({ groups: [RENDER] });
    const device = addPci(b, { ...lunarLake, driver: "intel_vpu" });
    addModule(b, "intel_vpu", "loaded");
    addNode(b, { device, class: "accel", name: "accel0", dev: "/dev/accel/accel0", inDev: false });
    b.file("/.dockerenv", "").covers("/.dockerenv");
    b.present("/lib/firmware/intel/vpu/vpu_40xx_v1.bin", 3_000_000);
    return b.build("directory", "container-without-accel-node");
  },

  "npu-module-blacklisted": () => {
    const b = base();
    addPci(b, lunarLake);
    addModule(b, "intel_vpu", "shipped");
    b.file("/etc/modprobe.d/no-npu.conf", "# quiet\nblacklist intel_vpu\n");
    return b.build("directory", "npu-module-blacklisted");
  },

  "npu-given-to-vfio": () => {
    const b = base();
    addPci(b, { ...lunarLake, driver: "vfio-pci" });
    addModule(b, "intel_vpu", "shipped");
    return b.build("directory", "npu-given-to-vfio");
  },

  "cloud-ai-100-configured-off": () => {
    const b = base();
    addPci(b, { slot: "0000:01:00.0", id: "17cb:a100", class: "120000" });
    return b.build("directory", "cloud-ai-100-configured-off");
  },

  "coral-usb-before-first-use": () => coralStick().build("directory", "coral-usb-before-first-use"),

  "coral-usb-rule-not-applied": () => {
    const rule = 'SUBSYSTEM=="usb", ATTRS{idVendor}=="1a6e", ATTRS{idProduct}=="089a", MODE="0664", GROUP="plugdev"';
    return coralStick()
      .file("/usr/lib/udev/rules.d/60-libedgetpu1-std.rules", `# Coral\n${rule}\n`)
      .build("directory", "coral-usb-rule-not-applied");
  },

  "coral-pcie-no-driver": () => {
    const b = base();
    addPci(b, { slot: "0000:03:00.0", id: "1ac1:089a", class: "0880ff" });
    return b.build("directory", "coral-pcie-no-driver");
  },

  "rk3588-mainline-rocket": () => {
    const release = "7.3.4-arm64";
    const b = base({ arch: "arm64", release, groups: [RENDER] });
    addRk3588(b, "okay", "rocket");
    b.directory("/sys/devices/platform/rknn").link("/sys/bus/platform/devices/rknn", "../../../devices/platform/rknn");
    b.file("/sys/devices/platform/rknn/modalias", "platform:rknn\n");
    addNode(b, { device: "/sys/devices/platform/rknn", class: "accel", name: "accel0", dev: "/dev/accel/accel0" });
    addModule(b, "rocket", "loaded", release);
    b.file("/usr/lib/teflon/libteflon.so", "").file("/usr/lib/aarch64-linux-gnu/libtensorflow-lite.so.2.14.1", "");
    return b.build("directory", "rk3588-mainline-rocket");
  },

  "rk3588-npu-off-in-tree": () => {
    const b = base({ arch: "arm64", release: "7.3.4-arm64" });
    addRk3588(b, "disabled");
    b.link("/sys/bus/platform/devices/fe010000.ethernet", "../../../devices/platform/fe010000.ethernet");
    b.file("/sys/devices/platform/fe010000.ethernet/modalias", "of:NethernetT(null)Crockchip,rk3588-gmac\n");
    return b.build("directory", "rk3588-npu-off-in-tree");
  },

  "unknown-processing-accelerator": () => {
    const b = base();
    addPci(b, { slot: "0000:05:00.0", id: "dead:beef", class: "120000" });
    return b.build("directory", "unknown-processing-accelerator");
  },
};

/** A core of the SoC: its node in the device tree, and the platform device the kernel makes of it unless it is switched off. */
export function addCore(
  b: TreeBuilder,
  core: { address: string; name: string; compatible: string; driver?: string; status?: string },
): string {
  const { address, name, compatible, driver, status = "okay" } = core;
  const tree = "/sys/firmware/devicetree/base";
  const node = `${tree}/${name}@${address}`;
  const reg = Buffer.alloc(16);
  reg.writeUInt32BE(parseInt(address, 16), 4);
  reg.writeUInt32BE(0x1000, 12);
  b.file(`${node}/compatible`, `${compatible}\0`).file(`${node}/status`, `${status}\0`);
  b.file(`${node}/reg`, new Uint8Array(reg));
  const path = `/sys/devices/platform/${address}.${name}`;
  if (status !== "okay") return path;
  const bound = driver === undefined ? "" : `DRIVER=${driver}\n`;
  b.file(`${path}/modalias`, `of:N${name}T(null)C${compatible}\n`);
  b.file(
    `${path}/uevent`,
    `${bound}OF_NAME=${name}\nOF_FULLNAME=/${name}@${address}\nOF_COMPATIBLE_0=${compatible}\nOF_COMPATIBLE_N=1\n`,
  );
  b.link(`${path}/of_node`, `../../../firmware/devicetree/base/${name}@${address}`);
  if (driver !== undefined)
    b.directory(`/sys/bus/platform/drivers/${driver}`).link(
      `${path}/driver`,
      `../../../bus/platform/drivers/${driver}`,
    );
  b.link(`/sys/bus/platform/devices/${address}.${name}`, `../../../devices/platform/${address}.${name}`);
  return path;
}

/** The root of a board's device tree, for its cores to stand below. */
export function addBoard(b: TreeBuilder, model: string, ...compatible: string[]): void {
  const tree = "/sys/firmware/devicetree/base";
  b.file(`${tree}/model`, `${model}\0`).file(`${tree}/compatible`, compatible.map((word) => `${word}\0`).join(""));
  const two = new Uint8Array([0, 0, 0, 2]);
  b.file(`${tree}/#address-cells`, two).file(`${tree}/#size-cells`, two);
  b.link("/proc/device-tree", tree);
}

/** The three cores of an RK3588's NPU, as mainline describes them. */
export function addRk3588(b: TreeBuilder, status: string, driver?: string): void {
  addBoard(b, "Example RK3588 Board", "example,board", "rockchip,rk3588");
  for (const address of ["fdab0000", "fdac0000", "fdad0000"]) {
    const core = { address, name: "npu", compatible: "rockchip,rk3588-rknn-core", status };
    addCore(b, driver === undefined ? core : { ...core, driver });
  }
}
