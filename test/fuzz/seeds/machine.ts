/**
 * A machine of our own making that has something for every reader: PCI, USB and platform devices, a device tree, classes, nodes,
 * /proc, modules, firmware, libraries, packages, a log. It is a list of items, so that each can be changed before it is a root.
 */

import { gzipSync } from "node:zlib";

import { elf, ldCache } from "../../facts/ld-cache-bytes.ts";
import { module, modinfo } from "./elf.ts";

export type Item =
  | { readonly path: string; readonly content: string | Uint8Array; readonly denied?: boolean }
  | { readonly path: string; readonly target: string }
  | { readonly path: string; readonly directory: true }
  | { readonly path: string; readonly node: "char" | "block" | "fifo" | "socket"; readonly numbers: readonly number[] };

export const release = "7.3.4-fuzz";

const file = (path: string, content: string | Uint8Array): Item => ({ path, content });
const link = (path: string, target: string): Item => ({ path, target });
const all = (base: string, files: Readonly<Record<string, string>>): Item[] =>
  Object.entries(files).map(([name, content]) => file(`${base}/${name}`, content));

interface PciSeed {
  readonly slot: string;
  readonly id: string;
  readonly class: string;
  readonly driver?: string;
}

const pciSeeds: readonly PciSeed[] = [
  { slot: "0000:00:0b.0", id: "8086:7d1d", class: "120000", driver: "intel_vpu" },
  { slot: "0000:01:00.0", id: "1ac1:089a", class: "088000" },
  { slot: "0000:02:00.0", id: "10de:2684", class: "030000", driver: "nvidia" },
  { slot: "0000:03:00.0", id: "1e60:2864", class: "120000", driver: "hailo" },
  { slot: "0000:04:00.0", id: "1e52:401e", class: "120000" },
  { slot: "0000:05:00.1", id: "1022:17f0", class: "118000", driver: "amdxdna" },
  { slot: "0000:06:00.0", id: "1da3:1020", class: "120000", driver: "habanalabs" },
  { slot: "0000:07:00.0", id: "abcd:1234", class: "120000" },
  { slot: "0000:08:00.0", id: "17cb:a100", class: "120000", driver: "vfio-pci" },
];

function pci({ slot, id, class: code, driver }: PciSeed): Item[] {
  const [vendor = "", device = ""] = id.split(":");
  const real = `/sys/devices/pci0000:00/${slot}`;
  const config = Buffer.alloc(256);
  config.writeUInt16LE(parseInt(vendor, 16), 0);
  config.writeUInt16LE(parseInt(device, 16), 2);
  const modalias =
    `pci:v0000${vendor.toUpperCase()}d0000${device.toUpperCase()}sv00001AF4sd00001100` +
    `bc${code.slice(0, 2)}sc${code.slice(2, 4)}i${code.slice(4)}`;
  return [
    ...all(real, {
      uevent:
        (driver === undefined ? "" : `DRIVER=${driver}\n`) +
        `PCI_CLASS=${code.toUpperCase()}\nPCI_ID=${id.toUpperCase()}\nPCI_SUBSYS_ID=1AF4:1100\nPCI_SLOT_NAME=${slot}\nMODALIAS=${modalias}\n`,
      vendor: `0x${vendor}\n`,
      device: `0x${device}\n`,
      class: `0x${code}\n`,
      revision: "0x04\n",
      subsystem_vendor: "0x1af4\n",
      subsystem_device: "0x1100\n",
      modalias: `${modalias}\n`,
      resource: "0x00000000fc000000 0x00000000fdffffff 0x0000000000040200\n".padEnd(57 * 7, "0"),
      enable: "1\n",
      current_link_speed: "16.0 GT/s PCIe\n",
      max_link_speed: "32.0 GT/s PCIe\n",
      current_link_width: "8\n",
      max_link_width: "16\n",
      numa_node: "-1\n",
      power_state: "D3hot\n",
      driver_override: "(null)\n",
      "power/runtime_status": "suspended\n",
    }),
    file(`${real}/config`, config),
    link(`/sys/bus/pci/devices/${slot}`, `../../../devices/pci0000:00/${slot}`),
    link(`${real}/iommu_group`, "../../../kernel/iommu_groups/7"),
    link(`/sys/kernel/iommu_groups/7/devices/${slot}`, `../../../../devices/pci0000:00/${slot}`),
    ...(driver === undefined
      ? []
      : [
          link(`${real}/driver`, `../../../bus/pci/drivers/${driver}`),
          link(`/sys/bus/pci/drivers/${driver}/module`, `../../../../module/${driver}`),
        ]),
  ];
}

const classes: readonly (readonly [name: string, device: string, path: string, numbers: string])[] = [
  ["accel/accel0", "0000:00:0b.0", "/dev/accel/accel0", "261:0"],
  ["accel/accel1", "0000:05:00.1", "/dev/accel/accel1", "261:1"],
  ["drm/card0", "0000:02:00.0", "/dev/dri/card0", "226:0"],
  ["drm/renderD128", "0000:02:00.0", "/dev/dri/renderD128", "226:128"],
  ["hailo_chardev/hailo0", "0000:03:00.0", "/dev/hailo0", "511:0"],
  ["misc/fastrpc-cdsp", "", "/dev/fastrpc-cdsp", "10:120"],
];

const accel: Item[] = classes.flatMap(([name, device, path, numbers]) => [
  file(`/sys/class/${name}/dev`, `${numbers}\n`),
  file(`/sys/class/${name}/uevent`, `MAJOR=${numbers.replace(":", "\nMINOR=")}\nDEVNAME=${path.slice(5)}\n`),
  ...(device === "" ? [] : [link(`/sys/class/${name}/device`, `../../../devices/pci0000:00/${device}`)]),
  { path, node: "char" as const, numbers: numbers.split(":").map(Number) },
]);

const usb: Item[] = [
  ...all("/sys/devices/pci0000:00/0000:00:14.0/usb4/4-2", {
    uevent: "DEVTYPE=usb_device\nDRIVER=usb\nPRODUCT=1a6e/89a/100\nTYPE=0/0/0\nBUSNUM=004\nDEVNUM=002\n",
    idVendor: "1a6e\n",
    idProduct: "089a\n",
    busnum: "4\n",
    devnum: "2\n",
    speed: "5000\n",
    manufacturer: "Global\n",
    product: "TPU\n",
    bMaxPower: "896mA\n",
    "4-2:1.0/uevent": "DEVTYPE=usb_interface\nPRODUCT=1a6e/89a/100\nINTERFACE=254/1/0\nMODALIAS=usb:v1A6Ep089Ad0100\n",
    "4-2:1.0/bInterfaceClass": "fe\n",
  }),
  link("/sys/bus/usb/devices/4-2", "../../../devices/pci0000:00/0000:00:14.0/usb4/4-2"),
  link("/sys/bus/usb/devices/4-2:1.0", "../../../devices/pci0000:00/0000:00:14.0/usb4/4-2/4-2:1.0"),
  { path: "/dev/bus/usb/004/002", node: "char", numbers: [189, 385] },
];

const tree = "/sys/firmware/devicetree/base";
const board: Item[] = [
  ...all(tree, {
    model: "Fuzz Board\0",
    compatible: "radxa,rock-5b\0rockchip,rk3588\0",
    "npu@fdab0000/compatible": "rockchip,rk3588-rknn-core\0",
    "npu@fdab0000/status": "okay\0",
    "npu@fdab0000/reg": "\0\0\0\0\u007d\0\0\0\0\0\0\0\0\0\u0010\0",
    "npu@fdab0000/power-domains": "\0\0\0\u0001\0\0\0\u0002",
    "npu@fdab0000/phandle": "\0\0\0\u0003",
    "soc/npu@1000/compatible": "arm,ethos-u85\0arm,ethos-u65\0",
    "soc/npu@1000/status": "disabled\0",
    "soc/remoteproc@32300000/compatible": "qcom,sm8550-cdsp-pas\0",
    "soc/remoteproc@32300000/firmware-name": "qcom/sm8550/cdsp.mbn\0qcom/sm8550/cdsp_dtb.mbn\0",
    "soc/remoteproc@32300000/glink-edge/fastrpc/compatible": "qcom,fastrpc\0",
    "soc/remoteproc@32300000/glink-edge/fastrpc/label": "cdsp\0",
    "aliases/npu0": "/npu@fdab0000\0",
    "__symbols__/npu": "/npu@fdab0000\0",
    "hypervisor/compatible": "xen,xen-4.17\0",
  }),
  link("/proc/device-tree", tree),
  file(
    "/sys/devices/platform/fdab0000.npu/uevent",
    "DRIVER=rocket\nOF_NAME=npu\nOF_FULLNAME=/npu@fdab0000\nOF_COMPATIBLE_0=rockchip,rk3588-rknn-core\nOF_COMPATIBLE_N=1\nMODALIAS=of:NnpuT(null)Crockchip,rk3588-rknn-core\n",
  ),
  link("/sys/devices/platform/fdab0000.npu/of_node", "../../../firmware/devicetree/base/npu@fdab0000"),
  link("/sys/devices/platform/fdab0000.npu/driver", "../../../bus/platform/drivers/rocket"),
  link("/sys/bus/platform/devices/fdab0000.npu", "../../../devices/platform/fdab0000.npu"),
  ...all("/sys/class/remoteproc/remoteproc0", {
    name: "cdsp\n",
    state: "crashed\n",
    firmware: "qcom/sm8550/cdsp.mbn\n",
    recovery: "enabled\n",
  }),
];

export const log = [
  `Linux version ${release} (build@host) (aarch64-linux-gnu-gcc-14 (Debian 14.2.0) 14.2.0) #1 SMP PREEMPT_DYNAMIC`,
  "intel_vpu 0000:00:0b.0: [drm] *ERROR* ivpu_fw_request(): Failed to request firmware: -2",
  "intel_vpu 0000:00:0b.0: probe with driver intel_vpu failed with error -2",
  "[drm] Initialized intel_vpu 1.0.0 for 0000:00:0b.0 on minor 0",
  "apex 0000:01:00.0: RAM did not enable within timeout (12000 ms)",
  "NVRM: RmInitAdapter failed! (0x24:0x72:1568)",
  "NVRM: Xid (PCI:0000:02:00): 79, pid=1234, GPU has fallen off the bus.",
  "RKNPU fdab0000.npu: RKNPU: Initialized RKNPU driver: v0.9.3",
  "remoteproc remoteproc0: request_firmware failed: -2",
  "hailo 0000:03:00.0: Firmware load failed",
  "amdxdna 0000:05:00.1: [drm] *ERROR* aie2_hw_start: failed to start firmware",
  "galcore: loading out-of-tree module taints kernel.",
]
  .map((line, i) => `[${String(i).padStart(5)}.${String(i * 7919).padStart(6, "0")}] ${line}\n`)
  .join("");

const status = `Name:\tnode\nUid:\t1000\t1000\t1000\t1000\nGid:\t1000\t1000\t1000\t1000\nGroups:\t44 105 1000 \nCapEff:\t0000000000000000\n`;
const proc: Item[] = all("/proc", {
  version: `Linux version ${release} (build@host) (aarch64-linux-gnu-gcc-14 (Debian) 14.2.0) #1 SMP\n`,
  cmdline: "root=/dev/sda1 module_blacklist=rocket,intel_vpu modprobe.blacklist=apex initcall_blacklist=x iommu=pt\n",
  cpuinfo:
    "processor\t: 0\nmodel name\t: Fuzz CPU @ 1.00GHz\ncpu family\t: 6\nmodel\t\t: 170\nflags\t\t: fpu sse2 avx avx2 avx512f amx_tile amx_int8 avx_vnni hypervisor\n\n" +
    "processor\t: 1\nFeatures\t: fp asimd asimddp i8mm sve sve2 sme\nCPU implementer\t: 0x41\nCPU part\t: 0xd4d\n",
  meminfo: "MemTotal:       32768000 kB\nMemAvailable:   1000 kB\nCmaTotal: 65536 kB\nHugepagesize:       2048 kB\n",
  modules: "intel_vpu 360448 0 - Live 0x0000000000000000\nnvidia 61440000 3 nvidia_uvm, Live 0x0 (POE)\n",
  mounts: "hugetlbfs /dev/hugepages hugetlbfs rw,pagesize=1024M 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n",
  "self/status": status,
  "self/uid_map": "         0          0 4294967295\n",
  "self/limits":
    "Limit                     Soft Limit           Hard Limit           Units     \nMax locked memory         8388608              8388608              bytes     \n",
  "self/cgroup": "0::/system.slice/x.service\n",
  "self/mountinfo": "22 1 0:21 / / rw - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/x\n",
  "1/cgroup": "0::/init.scope\n",
  "1/environ": "container=podman\0PATH=/bin\0",
  "sys/kernel/osrelease": `${release}\n`,
  "sys/kernel/version": "#1 SMP PREEMPT_DYNAMIC\n",
  "sys/kernel/tainted": "4097\n",
  "sys/kernel/arch": "aarch64\n",
  devices: "Character devices:\n  1 mem\n226 drm\n261 accel\n",
  misc: "120 fastrpc-cdsp\n",
  "driver/nvidia/gpus/0000:02:00.0/information": "Model: \t\t GPU\nDevice Minor: \t 0\nBus Location: \t 0000:02:00.0\n",
  "driver/nvidia/version": "NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.86.15  Thu Jan 23 2026\n",
});

export const config =
  "#\n# Automatically generated file\n#\nCONFIG_ARM64=y\nCONFIG_DRM_ACCEL=y\nCONFIG_DRM_ACCEL_IVPU=m\n# CONFIG_DRM_ACCEL_ROCKET is not set\n" +
  'CONFIG_DRM_ACCEL_QAIC=m\nCONFIG_LOCALVERSION="-fuzz"\nCONFIG_DRM=y\nCONFIG_MODULES=y\n';
export const alias =
  "# Aliases extracted from modules themselves.\n" +
  "alias pci:v00008086d00007D1Dsv*sd*bc*sc*i* intel_vpu\nalias pci:v00001022d000017F0sv*sd*bc*sc*i* amdxdna\n" +
  "alias of:N*T*Crockchip,rk3588-rknn-core rocket\nalias of:N*T*Crockchip,rk3588-rknn-coreC* rocket\n" +
  "alias usb:v1A6Ep089Ad*dc*dsc*dp*ic*isc*ip*in* gasket\nalias pci:v000010DEd*sv*sd*bc03sc0[0-2]i* nouveau\n";
export const dependencies =
  "kernel/drivers/accel/ivpu/intel_vpu.ko.xz: kernel/drivers/gpu/drm/drm_shmem_helper.ko.xz\n" +
  "kernel/drivers/gpu/drm/drm_shmem_helper.ko.xz:\nkernel/drivers/accel/rocket/rocket.ko:\nupdates/dkms/hailo_pci.ko.zst:\nextra/nvidia.ko:\n";
export const builtinModinfo =
  "amdxdna.license=GPL\0amdxdna.alias=pci:v00001022d000017F0sv*sd*bc*sc*i*\0ext4.license=GPL\0";

const modules = `/lib/modules/${release}`;
const kernel: Item[] = [
  ...all(modules, {
    "modules.alias": alias,
    "modules.dep": dependencies,
    "modules.builtin": "kernel/drivers/accel/amdxdna/amdxdna.ko\nkernel/fs/ext4/ext4.ko\n",
    "modules.builtin.modinfo": builtinModinfo,
  }),
  file(`${modules}/kernel/drivers/accel/rocket/rocket.ko`, module(modinfo("rocket"))),
  file(`${modules}/extra/nvidia.ko`, module(modinfo("nvidia"), { wide: false, bigEndian: true })),
  file("/proc/config.gz", gzipSync(config)),
  file(`/boot/config-${release}`, config),
  ...all("/sys/module", {
    "intel_vpu/version": "1.0.0\n",
    "intel_vpu/initstate": "live\n",
    "intel_vpu/taint": "\n",
    "intel_vpu/parameters/fw": "\n",
    "intel_vpu/parameters/test_mode": "0\n",
    "nvidia/version": "570.86.15\n",
    "firmware_class/parameters/path": "\n",
  }),
  file("/lib/firmware/intel/vpu/vpu_37xx_v1.bin.zst", "x"),
  file("/lib/firmware/qcom/sm8550/cdsp.mbn", "x"),
  file("/lib/firmware/nvidia/570.86.15/gsp_ga10x.bin", "x"),
];

const libraries: readonly (readonly [string, string])[] = [
  ["libedgetpu.so.1", "/usr/lib/x86_64-linux-gnu/libedgetpu.so.1"],
  ["libcuda.so.1", "/usr/lib/x86_64-linux-gnu/libcuda.so.1"],
  ["librknnrt.so", "/usr/lib/librknnrt.so"],
  ["libhailort.so.4.20.0", "/usr/lib/libhailort.so.4.20.0"],
];
const userSpace: Item[] = [
  file("/etc/ld.so.cache", ldCache(libraries, { format: "both" })),
  file("/etc/ld.so.conf", "include /etc/ld.so.conf.d/*.conf\n/usr/local/lib\n"),
  file("/etc/ld.so.conf.d/x.conf", "/opt/vendor/lib\ninclude /etc/ld.so.conf\n"),
  ...libraries.map(([name, path]) =>
    file(path, elf({ soname: name, needed: ["libc.so.6", "libm.so.6"], versions: ["GLIBC_2.34", "GLIBC_2.4"] })),
  ),
  file("/bin/sh", elf({ machine: 183 })),
  file("/usr/lib/python3.12/site-packages/openvino-2025.0.0.dist-info/METADATA", "Name: openvino\n"),
  file("/usr/lib/python3/dist-packages/tflite_runtime-2.14.0.egg-info", "x"),
  ...all("/etc", {
    "os-release": 'PRETTY_NAME="Fuzz OS 1"\nID=debian\nVERSION_ID="13"\nID_LIKE="a b"\n',
    group: "root:x:0:\nvideo:x:44:u\nrender:x:105:\n",
    passwd: "root:x:0:0:root:/root:/bin/sh\nu:x:1000:1000::/home/u:/bin/sh\n",
    "modprobe.d/x.conf":
      "blacklist apex\noptions nvidia NVreg_X=1 \\\n more=2\ninstall gasket /bin/false\nsoftdep a pre: b\n",
    "udev/rules.d/65-apex.rules": 'SUBSYSTEM=="apex", MODE="0660", GROUP="apex"\n',
  }),
  file(
    "/var/lib/dpkg/status",
    "Package: intel-driver-compiler-npu\nStatus: install ok installed\nVersion: 1.13.0\n\nPackage: libedgetpu1-std\nStatus: deinstall ok config-files\nVersion: 16.0\n\n",
  ),
  file("/lib/apk/db/installed", "P:mesa\nV:25.1.0-r0\n\nP:linux\nV:6.12\n"),
  file(
    "/var/lib/dkms/gasket/1.0/source/dkms.conf",
    'PACKAGE_NAME="gasket"\nBUILT_MODULE_NAME[0]="gasket"\nBUILT_MODULE_NAME[1]=apex\n',
  ),
  file(
    "/var/lib/dkms/gasket/1.0/build/make.log",
    `DKMS make.log for gasket-1.0 for kernel ${release} (x86_64)\nerror: x\n`,
  ),
  link(`/var/lib/dkms/gasket/kernel-${release}-x86_64`, `1.0/${release}/x86_64`),
  file(`/var/lib/dkms/gasket/1.0/${release}/x86_64/module/gasket.ko.xz`, "x"),
  file("/sys/class/dmi/id/product_name", "Fuzz\n"),
  file("/sys/class/dmi/id/sys_vendor", "QEMU\n"),
  file("/sys/fs/cgroup/system.slice/x.service/memory.max", "1073741824\n"),
  file("/sys/fs/cgroup/system.slice/x.service/cpu.max", "150000 100000\n"),
  file("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "16\n"),
  file("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", "2097152\n"),
  link("/proc/self/ns/pid", "pid:[4026531836]"),
];

/** The whole machine; parents follow by themselves. */
export const machine: readonly Item[] = [
  ...pciSeeds.flatMap(pci),
  ...accel,
  ...usb,
  ...board,
  ...proc,
  ...kernel,
  ...userSpace,
  file("/dev/kmsg", log),
];
