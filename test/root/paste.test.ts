import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Reading } from "../../src/base/reading.ts";
import { valueOf } from "../../src/base/reading.ts";
import { readKernelLog } from "../../src/facts/klog.ts";
import { readKernel } from "../../src/facts/kernel.ts";
import { readLoadedModules } from "../../src/facts/modules.ts";
import { readNodes } from "../../src/facts/nodes.ts";
import { readPci } from "../../src/facts/pci.ts";
import { readPlatform } from "../../src/facts/platform.ts";
import { readUsb } from "../../src/facts/usb.ts";
import { openBytes } from "../../src/root/open.ts";
import { isText, openPaste } from "../../src/root/paste.ts";
import type { Root } from "../../src/root/root.ts";

const paste = (text: string): Root => openPaste(text, "pasted");
/** The value, or the state in angle brackets. */
const say = (reading: Reading<string>): string => (reading.state === "read" ? reading.value : `<${reading.state}>`);
const pci = (root: Root): string[] =>
  (valueOf(readPci(root)) ?? []).map((f) => `${f.slot} ${valueOf(f.ids) ?? "?"} ${say(f.driver)}`);
const usb = (root: Root): string[] =>
  (valueOf(readUsb(root)) ?? []).map(
    (d) => `${d.name} ${d.vendor.toString(16)}:${d.product.toString(16).padStart(4, "0")}`,
  );
const platform = (root: Root): string[] => (valueOf(readPlatform(root)) ?? []).map((d) => `${d.name} ${say(d.driver)}`);

describe("a pasted lspci", () => {
  it("with numbers and drivers gives functions, and says which have none", () => {
    const root = paste(`
user@box:~$ lspci -nnk
00:00.0 Host bridge [0600]: Intel Corporation Device [8086:a700] (rev 01)
	Subsystem: ASRock Incorporation Device [1849:a700]
04:00.0 System peripheral [0880]: Global Unichip Corp. Coral Edge TPU [1ac1:089a]
	Subsystem: Global Unichip Corp. Coral Edge TPU [1ac1:089a]
	Kernel modules: apex
05:00.0 Ethernet controller [0200]: Realtek Semiconductor Co., Ltd. RTL8125 2.5GbE Controller [10ec:8125] (rev 05)
	Kernel driver in use: r8169
	Kernel modules: r8169
`);
    expect(pci(root)).toEqual([
      "0000:00:00.0 8086:a700 <absent>",
      "0000:04:00.0 1ac1:089a <absent>",
      "0000:05:00.0 10ec:8125 r8169",
    ]);
    expect(say(root.text("/sys/bus/pci/devices/0000:04:00.0/modules"))).toBe("apex\n");
    expect(say(root.text("/sys/bus/pci/devices/0000:04:00.0/label"))).toBe("Global Unichip Corp. Coral Edge TPU\n");
  });

  it("without -k does not say whether a driver is bound", () => {
    expect(pci(paste("04:00.0 System peripheral [0880]: Global Unichip Corp. Coral Edge TPU [1ac1:089a]"))).toEqual([
      "0000:04:00.0 1ac1:089a <uncaptured>",
    ]);
  });

  it("without numbers is known by the names pci.ids has, and by vendor where the device has none", () => {
    const root = paste(
      [
        "0001:01:00.0 Processing accelerators: Tenstorrent Inc Blackhole",
        "63:00.0 Processing accelerators: Axelera AI Metis AIPU (rev 02)",
        "08:00.0 Processing accelerators: Huawei Technologies Co., Ltd. Device d802 (rev 20)",
        "09:00.0 VGA compatible controller: NVIDIA Corporation Some Future GPU [GeForce] (rev a1)",
        "0a:00.0 Processing accelerators: Nobody Ltd. Thing",
      ].join("\n"),
    );
    expect(pci(root)).toEqual([
      "0000:08:00.0 19e5:d802 <uncaptured>",
      "0000:09:00.0 10de:ffff <uncaptured>",
      "0000:0a:00.0 ? <uncaptured>",
      "0000:63:00.0 1f9d:1100 <uncaptured>",
      "0001:01:00.0 1e52:b140 <uncaptured>",
    ]);
    expect(say(root.text("/sys/bus/pci/devices/0000:0a:00.0/label"))).toBe("Nobody Ltd. Thing\n");
  });

  it("with numbers only (-n) and the machine-readable form (-vmm) say the same", () => {
    expect(pci(paste("0b:00.0 1200: 1ff4:0000 (rev 01)"))).toEqual(["0000:0b:00.0 1ff4:0000 <uncaptured>"]);
    const root = paste(
      "Slot:\t0b:00.0\nClass:\tProcessing accelerators [1200]\nVendor:\tDEEPX Co., Ltd. [1ff4]\nDevice:\tDX_M1 [0000]\nDriver:\tdx_dma\n",
    );
    expect(pci(root)).toEqual(["0000:0b:00.0 1ff4:0000 dx_dma"]);
  });

  it("with registers tells link, BARs and that a function neither answers nor masters the bus", () => {
    const root = paste(`
3b:00.0 Processing accelerators: Tenstorrent Inc Wormhole (rev 01)
        Control: I/O- Mem- BusMaster- SpecCycle- MemWINV- VGASnoop- ParErr- Stepping- SERR- FastB2B- DisINTx-
        NUMA node: 1
        Region 0: Memory at 4022c00000 (64-bit, prefetchable) [disabled] [size=512M]
        Region 4: Memory at <unassigned> (64-bit, prefetchable) [size=32M]
                LnkCap: Port #0, Speed 16GT/s, Width x16, ASPM L1
                LnkSta: Speed 2.5GT/s (downgraded), Width x4 (downgraded)
`);
    const [f] = valueOf(readPci(root)) ?? [];
    expect(f && say(f.driver)).toBe("<absent>");
    expect(f && valueOf(f.enabled)).toBe(false);
    expect(
      f && [valueOf(f.link.maxSpeed), valueOf(f.link.speed), valueOf(f.link.maxWidth), valueOf(f.link.width)],
    ).toEqual([16e9, 2.5e9, 16, 4]);
    expect((f && valueOf(f.bars))?.filter((bar) => bar.bytes > 0)).toEqual([
      { index: 0, bytes: 512 * 1024 ** 2, unassigned: false },
      { index: 4, bytes: 32 * 1024 ** 2, unassigned: true },
    ]);
  });

  it("counts functions that repeat the id of function 0 as its virtual ones", () => {
    const line = (fn: number): string =>
      `00:02.${fn} VGA compatible controller: Intel Corporation Device b08f (rev 04)`;
    const all = valueOf(readPci(paste([0, 1, 2].map(line).join("\n")))) ?? [];
    expect(all.map((f) => say(f.physicalFunction))).toEqual(["<uncaptured>", "0000:00:02.0", "0000:00:02.0"]);
  });

  it("that printed nothing is a bus without such functions, and no lspci at all is a bus nobody looked at", () => {
    expect(readPci(paste("$ lspci -d 1e52:\n$ "))).toMatchObject({ state: "read", value: [] });
    expect(readPci(paste("nothing here")).state).toBe("uncaptured");
  });
});

describe("a pasted lsusb", () => {
  it("names devices by their port where a tree is shown, and by a port that cannot be where none is", () => {
    const plain =
      "Bus 002 Device 002: ID 1a6e:089a Global Unichip Corp.\nBus 002 Device 001: ID 1d6b:0003 Linux Foundation 3.0 root hub";
    expect(usb(paste(plain))).toEqual(["2-0.2 1a6e:089a"]);
    const tree = `
/:  Bus 02.Port 1: Dev 1, Class=root_hub, Driver=xhci_hcd/4p, 10000M
    |__ Port 3: Dev 2, If 0, Class=Application Specific Interface, Driver=, 5000M
`;
    const root = paste(`${plain}\n${tree}`);
    expect(usb(root)).toEqual(["2-3 1a6e:089a"]);
    expect((valueOf(readUsb(root)) ?? [])[0]?.speed).toMatchObject({ state: "read", value: 5e9 });
  });

  it("that shows a Coral before and after its first use is about one stick", () => {
    expect(
      usb(paste("Bus 002 Device 002: ID 1a6e:089a Global Unichip Corp.\nBus 002 Device 003: ID 18d1:9302 Google Inc.")),
    ).toEqual(["2-0.3 18d1:9302"]);
  });

  it("of a whole bus with both ids is about two sticks", () => {
    const text = [
      "002: ID 1a6e:089a Global Unichip Corp.",
      "003: ID 18d1:9302 Google Inc.",
      "001: ID 1d6b:0003 Linux Foundation 3.0 root hub",
    ];
    expect(usb(paste(text.map((line) => `Bus 002 Device ${line}`).join("\n")))).toHaveLength(2);
  });

  it("in the words of usb-devices counts ports from one", () => {
    const root = paste(`
T:  Bus=04 Lev=00 Prnt=00 Port=00 Cnt=00 Dev#=  1 Spd=10000 MxCh= 4
P:  Vendor=1d6b ProdID=0003 Rev=06.08
T:  Bus=04 Lev=01 Prnt=01 Port=01 Cnt=01 Dev#=  2 Spd=5000 MxCh= 4
P:  Vendor=174c ProdID=3074 Rev=00.01
T:  Bus=04 Lev=02 Prnt=02 Port=00 Cnt=01 Dev#=  3 Spd=5000 MxCh= 0
P:  Vendor=18d1 ProdID=9302 Rev=01.00
I:  If#= 0 Alt= 0 #EPs= 6 Cls=ff(vend.) Sub=ff Prot=ff Driver=(none)
`);
    expect(usb(root)).toEqual(["4-2 174c:3074", "4-2.1 18d1:9302"]);
  });
});

describe("a pasted kernel log", () => {
  it("shows devices, ids, drivers and nodes as far as its lines prove them", () => {
    const root = paste(`
[    0.7] pci 0000:03:00.0: [1e60:2864] type 00 class 0x0b4000 PCIe Endpoint
[    4.4] intel_vpu 0000:00:0b.0: enabling device (0000 -> 0002)
[    4.5] [drm] Initialized intel_vpu 1.0.0 for 0000:00:0b.0 on minor 0
[    5.6] amdxdna 0000:c6:00.1: [drm] *ERROR* amdxdna_probe: Hardware init failed, ret -22
[    5.7] amdxdna 0000:c6:00.1: probe with driver amdxdna failed with error -22
[    6.0] RKNPU fdab0000.npu: leakage=5
[    6.1] etnaviv-gpu 38500000.npu: Unknown GPU model
`);
    expect(pci(root)).toEqual([
      "0000:00:0b.0 8086:ffff intel_vpu",
      "0000:03:00.0 1e60:2864 <uncaptured>",
      "0000:c6:00.1 1022:ffff <absent>",
    ]);
    expect(platform(root)).toEqual(["38500000.npu <absent>", "fdab0000.npu RKNPU"]);
    const [node] = valueOf(readNodes(root, [])) ?? [];
    expect(node?.path).toBe("/dev/accel/accel0");
    expect(node && valueOf(node.device)).toBe("/sys/bus/pci/devices/0000:00:0b.0");
    expect(node?.stat.state).toBe("uncaptured");
    expect(say(root.text("/sys/bus/pci/devices/0000:c6:00.1/claimed_by"))).toBe("amdxdna\n");
  });

  it("keeps the numbers of its lines, between other things", () => {
    const root = paste("lspci says nothing\n\n[    1.0] apex 0000:05:00.0: Couldn't initialize interrupts: -22\n");
    expect((valueOf(readKernelLog(root)) ?? []).map((line) => [line.number, line.text])).toEqual([
      [3, "apex 0000:05:00.0: Couldn't initialize interrupts: -22"],
    ]);
  });

  it("is not there when the text has no line of the kernel's", () => {
    expect(readKernelLog(paste("04:00.0 System peripheral [0880]: Device [1ac1:089a]")).state).toBe("uncaptured");
  });

  it("with and without stamps, from a journal and indented, says the same", () => {
    const said = "intel_vpu 0000:00:0b.0: probe with driver intel_vpu failed with error -2";
    for (const line of [
      said,
      `  ${said}`,
      `[    4.1] ${said}`,
      `[Tue Mar  5 10:11:12 2024] ${said}`,
      `Mar 05 10:11:12 host kernel: ${said}`,
    ]) {
      expect(pci(paste(line)), line).toEqual(["0000:00:0b.0 8086:ffff <absent>"]);
    }
    expect(pci(paste("intel_vpu: probe of 0000:00:0b.0 failed with error -2"))).toEqual([
      "0000:00:0b.0 8086:ffff <absent>",
    ]);
  });
});

describe("pasted sessions", () => {
  it("give nodes with mode and names of their owners", () => {
    const root = paste("$ ls -l /dev/accel\ntotal 0\ncrw-rw----+ 1 root render 261, 0 Mar 23 12:37 accel0\n");
    const [node] = valueOf(readNodes(root, [])) ?? [];
    expect(node?.path).toBe("/dev/accel/accel0");
    expect(node && valueOf(node.stat)).toMatchObject({ type: "char", mode: 0o660, major: 261, minor: 0 });
    expect(node && [valueOf(node.owner), valueOf(node.group)]).toEqual(["root", "render"]);
  });

  it("that look for a node in vain prove it absent", () => {
    const root = paste("ls: cannot access '/dev/apex_0': No such file or directory");
    expect(root.stat("/dev/apex_0").state).toBe("absent");
    expect(root.stat("/dev/apex_1").state).toBe("uncaptured");
  });

  it("give the kernel's release however it is written", () => {
    for (const [text, release] of [
      [
        "$ uname -a\nLinux rock-5b 6.7.0-edge #3 SMP PREEMPT Sun Jan  7 20:18:38 UTC 2024 aarch64 GNU/Linux",
        "6.7.0-edge",
      ],
      ["> uname -r\n5.15.60-2-pve", "5.15.60-2-pve"],
      ["   Kernel: 5.10.160/aarch64", "5.10.160"],
      ["[    0.0] Linux version 6.12.48+deb13-amd64 (debian-kernel@lists.debian.org) #1 SMP", "6.12.48+deb13-amd64"],
    ] as const) {
      const kernel = valueOf(readKernel(paste(text)));
      expect(kernel && say(kernel.release), text).toBe(release);
    }
  });

  it("give a whole module list as such, and a part of one not as the whole", () => {
    const list =
      "Module                  Size  Used by\namdxdna               172032  0\ngpu_sched              65536  2 amdxdna,amdgpu\n";
    expect([...(valueOf(readLoadedModules(paste(`$ lsmod\n${list}`))) ?? new Map<string, unknown>()).keys()]).toEqual([
      "amdxdna",
      "gpu_sched",
    ]);
    expect(readLoadedModules(paste("$ lsmod | grep xdna\namdxdna               172032  0\n")).state).toBe("uncaptured");
  });

  it("give contents of files that were shown", () => {
    const root = paste(
      "root@rock-5b# cat /sys/kernel/debug/rknpu/version\nRKNPU driver: v0.9.6\nroot@rock-5b# uname -r\n6.1.43\n",
    );
    expect(say(root.text("/sys/kernel/debug/rknpu/version"))).toBe("RKNPU driver: v0.9.6\n");
    expect(root.text("/sys/kernel/debug/other").state).toBe("uncaptured");
  });
});

describe("a pasted text", () => {
  it("is opened by its content, packed or not", () => {
    expect(openBytes(Buffer.from("lspci\n"), "x").kind).toBe("paste");
    expect(() => openBytes(Buffer.from([1, 2, 3, 0, 255]), "x")).toThrow("no text");
    expect(isText(Buffer.from("Größe: 3 µs\n"))).toBe(true);
  });

  it("survives anything", () => {
    for (const text of [
      "",
      "\n".repeat(1000),
      "x".repeat(100_000),
      "{".repeat(5000),
      "/dts-v1/;\n" + "a{".repeat(5000),
      "00:00.0 : :\n".repeat(2000),
      "== /sys/../etc/shadow\nroot\n",
      "$ cat /sys/a\n" + "line\n".repeat(5000),
    ]) {
      expect(paste(text).kind).toBe("paste");
    }
    expect(paste("== /sys/../../etc/shadow\nroot\n").text("/etc/shadow").state).toBe("uncaptured");
  });
});

const texts = new URL("../../../shared/machines/text/", import.meta.url);

/** What MANIFEST.json says of the captures, as far as addresses, ids and drivers go. */
const truth: Readonly<Record<string, readonly string[]>> = {
  "amd-gpu_rx6900xt_kfd-ok.txt": ["0000:31:00.0 1002:73bf amdgpu"],
  "amd-xdna_fw-not-alive.txt": ["0000:c6:00.1 1022:ffff <absent>"],
  "amd-xdna_ok-7840u.txt": ["0000:c2:00.1 1022:ffff amdxdna"],
  "amd-xdna_strix-point_lspci-nnk.txt": [
    "0000:66:00.0 1022:150d <absent>",
    "0000:66:00.1 1022:17f0 amdxdna",
    "0000:67:00.0 1022:151f xhci_hcd",
  ],
  "ascend_310p_lspci.txt": ["0000:01:00.0 19e5:d500 <uncaptured>", "0000:06:00.0 19e5:d500 <uncaptured>"],
  "ascend_910b_npu-smi.txt": ["0000:c1:00.0 19e5:d802 <uncaptured>", "0000:c2:00.0 19e5:d802 <uncaptured>"],
  "aws-neuron_inf2_lspci.txt": ["0000:00:1f.0 1d0f:7264 <uncaptured>"],
  "coral-apex_disabled-bars.txt": ["0000:3b:00.0 1ac1:089a <absent>"],
  "coral-apex_dual-one-bound.txt": ["0000:09:00.0 1ac1:089a apex"],
  "coral-apex_intx-poll-arm.txt": ["0001:06:00.0 1ac1:089a apex"],
  "coral-apex_jetson-no-apex.txt": ["0000:00:00.0 10de:1ad0 <uncaptured>"],
  "coral-apex_unbound-ubuntu-5.16.txt": ["0000:02:00.0 1ac1:089a <uncaptured>"],
  "deepx_dxm1_lspci.txt": ["0000:0b:00.0 1ff4:0000 <uncaptured>", "0001:11:00.0 1ff4:0000 <uncaptured>"],
  "furiosa_rngd_full.txt": ["0000:27:00.0 1ed2:0001 <uncaptured>"],
  "habana_gaudi1_ok.txt": ["0000:19:00.0 1da3:1000 habanalabs", "0000:b3:00.0 1da3:1000 habanalabs"],
  "hailo8_no-firmware-file-but-bound.txt": ["0000:01:00.0 1e60:2864 hailo"],
  "hailo8_ok-behind-switch.txt": ["0000:05:00.0 1e60:2864 hailo"],
  "hailo8l_lspci-vvv_tail.txt": ["0000:01:00.0 1e60:ffff hailo", "0000:02:00.0 1e60:ffff hailo"],
  "hailo8l_msi-28.txt": ["0000:05:00.0 1e60:2864 <absent>"],
  "intel-arc_a750-xe-pi5.txt": ["0000:03:00.0 8086:56a1 xe"],
  "intel-npu_arrowlake-ok-debian.txt": ["0000:00:0b.0 8086:ad1d intel_vpu"],
  "intel-npu_fw-purged.txt": ["0000:00:0b.0 8086:ffff <absent>"],
  "intel-npu_mtl_live-record.txt": ["0000:00:0b.0 8086:7d1d intel_vpu"],
  "nvidia_5090-rminit-failed.txt": ["0000:01:00.0 10de:2b85 nvidia"],
  "tenstorrent_blackhole_qubes.txt": ["0000:00:07.0 1e52:b140 tenstorrent"],
  "tenstorrent_no-card.txt": [],
  "tenstorrent_wormhole-unassigned-bars.txt": ["0000:8a:00.0 1e52:401e <uncaptured>"],
  "xilinx_artix_unbound.txt": ["0000:01:00.0 10ee:ffff <absent>"],
  "xilinx_bcu1525_foreign-vendor-id.txt": ["0000:06:00.0 1e24:1525 <uncaptured>"],
  "xilinx_u200_two-functions.txt": ["0000:b3:00.0 10ee:5000 xclmgmt", "0000:b3:00.1 10ee:5001 xocl_xdma"],
};

const platformTruth: Readonly<Record<string, readonly string[]>> = {
  "etnaviv_imx8mp_race-gc0.txt": ["38000000.gpu etnaviv-gpu", "38008000.gpu etnaviv-gpu", "38500000.npu <absent>"],
  "galcore_rk1808.txt": ["ffbc0000.npu galcore"],
  "rknpu_allbilly_capture_rknpu_ioctl_sysfs_readonly.txt": ["fdab0000.npu RKNPU"],
  "rocket_rk3588-mainline-ok.txt": [
    "fb000000.gpu panthor",
    "fdab0000.npu rocket",
    "fdac0000.npu rocket",
    "fdad0000.npu rocket",
  ],
};

/** Titles are made also where the tests are skipped. */
const textNames = existsSync(texts) ? readdirSync(texts) : [];

describe.skipIf(!existsSync(texts))("the captured texts (../shared/machines/text)", () => {
  const open = (name: string): Root => openPaste(readFileSync(new URL(name, texts)), name);

  it.each(Object.entries(truth))("%s: functions, ids and drivers", (name, expected) => {
    expect(pci(open(name))).toEqual(expected);
  });

  it.each(Object.entries(platformTruth))("%s: platform devices and drivers", (name, expected) => {
    expect(platform(open(name))).toEqual(expected);
  });

  it.each(textNames.filter((name) => name.startsWith("sbc-bench_")))("%s: kernel and, on Rockchip, the NPU", (name) => {
    const root = open(name);
    const kernel = valueOf(readKernel(root));
    expect(kernel && valueOf(kernel.release)).toMatch(/^\d+\.\d+\.\d+/);
    const compatible = say(root.text("/sys/firmware/devicetree/base/compatible"));
    expect(platform(root).some((line) => line.endsWith(".npu RKNPU"))).toBe(compatible.includes("rockchip,"));
  });

  it.each(textNames)("%s is read in moments", (name) => {
    const bytes = readFileSync(new URL(name, texts));
    const start = performance.now();
    openPaste(bytes, name);
    expect(performance.now() - start).toBeLessThan(1500);
  });

  it("eight GPUs of sixty-four partitions are eight functions with eight nodes each", () => {
    const root = open("amd-kfd_topo-mi300-cpx.txt");
    expect(pci(root)).toHaveLength(8);
    expect(valueOf(readNodes(root, []))).toHaveLength(63);
  });
});
