/** What people paste, in pieces: the output of each tool, short, in the shape the tool prints. */

import { log } from "./machine.ts";

export const pasted: readonly string[] = [
  "user@host:~$ lspci -nnk\n00:0b.0 Processing accelerators [1200]: Intel Corporation Meteor Lake NPU [8086:7d1d] (rev 04)\n\tSubsystem: Lenovo Device [17aa:2234]\n\tKernel driver in use: intel_vpu\n\tKernel modules: intel_vpu\n",
  "0000:01:00.0 System peripheral: Global Unichip Corp. Coral Edge TPU (prog-if ff)\n\tFlags: bus master, fast devsel, latency 0, IRQ 16, NUMA node 0, IOMMU group 12\n\tMemory at fd100000 (64-bit, prefetchable) [size=16K]\n\tMemory at <unassigned> (64-bit, prefetchable) [disabled] [size=1M]\n\tLnkSta:\tSpeed 5GT/s, Width x1 (downgraded)\n\tLnkCap:\tPort #0, Speed 16GT/s, Width x16, ASPM L0s L1\n\tKernel modules: apex\n",
  "lspci -n\n02:00.0 0302: 10de:2684 (rev a1)\n03:00.0 1200: 1e60:2864 (rev 01)\n\n",
  "Bus 004 Device 002: ID 1a6e:089a Global Unichip Corp.\nBus 001 Device 003: ID 18d1:9302 Google Inc.\n",
  "/:  Bus 04.Port 1: Dev 1, Class=root_hub, Driver=xhci_hcd/4p, 5000M\n    |__ Port 2: Dev 2, If 0, Class=Application Specific Interface, Driver=, 5000M\n    ID 1a6e:089a Global Unichip Corp.\n",
  "T:  Bus=04 Lev=01 Prnt=01 Port=01 Cnt=01 Dev#=  2 Spd=5000 MxCh= 0\nP:  Vendor=1a6e ProdID=089a Rev=01.00\nI:  If#= 0 Alt= 0 #EPs= 6 Cls=fe(app. ) Sub=01 Prot=02 Driver=(none)\n",
  "$ lsmod | grep vpu\nModule                  Size  Used by\nintel_vpu             360448  0\ndrm_shmem_helper       40960  1 intel_vpu\n",
  "$ ls -l /dev/accel /dev/dri\ncrw-rw---- 1 root render 261, 0 Nov 22 07:00 accel0\ncrw-rw----+ 1 root render 226, 128 Nov 22 07:00 renderD128\ncrw-rw---- 1 root apex 120, 0 Mar  5  2024 /dev/apex_0\n",
  "$ uname -a\nLinux host 6.12.1-arm64 #1 SMP Debian 6.12.1-1 (2024-11-30) aarch64 GNU/Linux\n$ uname -r\n6.12.1-arm64\n",
  '$ cat /etc/os-release\nPRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\n\n$ cat /sys/class/remoteproc/remoteproc0/state\nrunning\n==> /proc/cmdline <==\nroot=/dev/sda1 iommu=pt\n',
  "$ dkms status\ngasket/1.0, 6.8.0-31-generic, x86_64: installed\nhailo_pci/4.20.0: added\n",
  "  *-generic UNCLAIMED\n       description: System peripheral\n       product: Coral Edge TPU [1AC1:89A]\n       vendor: Global Unichip Corp. [1AC1]\n       physical id: 0\n       bus info: pci@0000:01:00.0\n       version: 00\n       width: 64 bits\n       resources: memory:fd100000-fd103fff\n",
  "+-----------------------------------------------------------------------------------------+\n| NVIDIA-SMI 570.86.15              Driver Version: 570.86.15      CUDA Version: 12.8     |\n|   0  NVIDIA GeForce RTX 4090        Off |   00000000:02:00.0 Off |                  N/A |\n",
  "+------------------+\n| npu-smi 23.0     Version: 23.0 |\n| 0     910B3               | OK            | 95.6        36  |\n| 0                         | 0000:C1:00.0  | 0           0 / 0 |\n",
  '/dts-v1/;\n/plugin/;\n/ {\n\tcompatible = "rockchip,rk3588";\n\tfragment@0 {\n\t\ttarget = <&npu>;\n\t\t__overlay__ { status = "okay"; reg = <0x0 0xfdab0000 0x0 0x10000>; /* x */ };\n\t};\n};\n',
  "$ modinfo intel_vpu\nfilename:       /lib/modules/6.12/kernel/drivers/accel/ivpu/intel_vpu.ko\nfirmware:       intel/vpu/vpu_37xx_v1.bin\nversion:        1.0.0\n",
  "DT compat: rockchip,rk3588\n           radxa,rock-5b\nRKNPU driver: v0.9.3\n/sys/kernel/debug/rknpu/load = NPU load: Core0: 0%\n",
  log,
];

/** Texts that end a paste's sections in the wrong place. */
export const prose = [
  "\n",
  "Hello, my card does not work:\n",
  "```\n",
  "> quoted 00:0b.0\n",
  "---\n",
  "$ \n",
  "root@host:~# dmesg\n",
];
