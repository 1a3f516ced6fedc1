/** What befalls several families: modules that do not load, devices that wait or have no addresses. */

import { says, type Breakage } from "./breakage.ts";

/** Modules of accelerators, as they appear before a colon in the log or in quotes of modprobe and insmod. */
const modules =
  "apex|gasket|hailo\\w*|galcore|tenstorrent|rknpu|rocket|ethosu|ethosn|neuron|habanalabs|amdxdna|intel_vpu|qaic|nvidia\\w*|memryx|memx_\\w+|metis|axl|dxrt_driver|dx_dma|bmtpu|bm_?sophon\\w*|et_soc1|et-soc1|xocl|xclmgmt|cambricon\\w*|davinci\\w*|drv_\\w+_host|rebellions|rbln|furiosa\\w*|ane|kneron\\w*|amdgpu";
const named = (before: string, after: string): RegExp => new RegExp(`${before}(${modules})${after}`, "i");

const moduleSigning = "https://docs.kernel.org/admin-guide/module-signing.html";

export const anyFamily: readonly Breakage[] = [
  {
    id: "module-vermagic",
    family: "any",
    kind: "version",
    title: "the module was built for another kernel",
    patterns: [
      says("version magic", named("\\b", ": version magic '[^']*' should be")),
      says(
        "invalid module format",
        named("could not insert (module )?'?\\S*?", "(\\.ko\\S*)?'?: invalid module format"),
      ),
      says("exec format error", named("could not insert (module )?'?\\S*?", "(\\.ko\\S*)?'?: exec format error")),
      says("disagrees about version of symbol", named("\\b", ": disagrees about version of symbol")),
    ],
    mentions: [
      "vermagic|invalid module|driver|format|galcore|apex|hailo|tenstorrent format|kernel|load|insmod",
      "version magic",
    ],
    cause:
      "A kernel loads only modules built against itself: its release, options and symbol versions are written into the file.",
    cure: [
      "Install the headers of the running kernel and build the module again (DKMS does so by itself), or boot the kernel it was built for.",
    ],
    commands: [
      "uname -r",
      "modinfo -F vermagic MODULE",
      'sudo apt install "linux-headers-$(uname -r)" && sudo dkms autoinstall',
    ],
    links: ["https://docs.kernel.org/kbuild/modules.html", "https://github.com/VeriSilicon/TIM-VX/issues/16"],
    seenIn: "dmesg, insmod, modprobe",
    layer: "driver",
    severity: "error",
    checked: true,
    visible: ["log", "text"],
  },
  {
    id: "module-unknown-symbol",
    family: "any",
    kind: "version",
    title: "the module needs a symbol this kernel does not offer",
    patterns: [
      says("unknown symbol", named("\\b", ": unknown symbol \\w+ \\(err -?\\d+\\)")),
      says(
        "unknown symbol in module",
        named("could not insert (module )?'?\\S*?", "(\\.ko\\S*)?'?: unknown symbol in module"),
      ),
    ],
    mentions: ["unknown symbol module|galcore|apex|hailo|tenstorrent|amdxdna|neuron"],
    cause: "Another module it rests on is not loaded, or the kernel was built without that feature.",
    cure: [
      "Load it with modprobe, which loads what it needs, instead of insmod.",
      "Compare the symbol with the kernel's configuration; build against this kernel.",
    ],
    commands: ["sudo modprobe MODULE", "sudo dmesg | grep -i 'unknown symbol'"],
    links: ["https://docs.kernel.org/kbuild/modules.html"],
    seenIn: "dmesg",
    layer: "driver",
    severity: "error",
    checked: true,
    visible: ["log"],
  },
  {
    id: "module-signature",
    family: "any",
    kind: "config",
    title: "Secure Boot keeps the unsigned module out",
    patterns: [
      says(
        "required key not available",
        named("could not insert (module )?'?\\S*?", "(\\.ko\\S*)?'?: required key not available"),
      ),
      says(
        "key was rejected by service",
        named("could not insert (module )?'?\\S*?", "(\\.ko\\S*)?'?: key was rejected by service"),
      ),
      says("loading of unsigned module is rejected", /loading of unsigned module is rejected/i),
      says("unsigned module loading is restricted", /unsigned module loading is restricted/i),
    ],
    mentions: [
      "required key not available",
      "key rejected service",
      "secure boot module|driver|dkms unsigned|signed|sign|load|key|mok",
    ],
    cause:
      "With Secure Boot on, the kernel loads only modules signed with a key it knows; a DKMS module carries the machine's own key.",
    cure: ["Enrol DKMS's key (MOK) and confirm it at the next boot, or switch Secure Boot off in setup."],
    commands: ["mokutil --sb-state", "sudo mokutil --import /var/lib/dkms/mok.pub"],
    links: [moduleSigning],
    seenIn: "modprobe, dmesg",
    layer: "driver",
    severity: "error",
    checked: true,
    visible: ["log", "text"],
  },
  {
    id: "module-tainting",
    family: "any",
    kind: "benign",
    title: "an accelerator's module comes from outside the kernel tree",
    patterns: [
      says(
        "loading out-of-tree module taints kernel",
        named("\\b", "(_\\w+)?: loading out-of-tree module taints kernel"),
      ),
      says(
        "module verification failed",
        named("\\b", "(_\\w+)?: module verification failed: signature and/or required key missing"),
      ),
      says("module license", named("\\b", "(_\\w+)?: module license '\\S+' taints kernel")),
    ],
    mentions: [],
    cause: "The kernel marks itself so that its developers know. The module is loaded.",
    cure: ["Nothing to do."],
    links: ["https://docs.kernel.org/admin-guide/tainted-kernels.html"],
    seenIn: "dmesg",
    layer: "driver",
    severity: "note",
    checked: true,
    visible: ["log"],
  },
  {
    id: "deferred-probe",
    family: "any",
    kind: "config",
    title: "an accelerator waits for something that never came",
    patterns: [
      says("deferred probe pending", /(npu|tpu|vpu|remoteproc|cdsp|adsp|dla|apu|ane|dsp)\S*: deferred probe pending/i),
    ],
    mentions: ["npu|remoteproc|cdsp deferred probe"],
    cause:
      "The device's driver asked for a clock, regulator, power domain, IOMMU or firmware node whose own driver is not there, so it was put off for ever.",
    cure: ["See what it waits for, and load or enable that driver."],
    commands: ["sudo cat /sys/kernel/debug/devices_deferred", "ls /sys/bus/platform/devices/DEVICE/ | grep supplier"],
    links: ["https://docs.kernel.org/driver-api/driver-model/driver.html"],
    seenIn: "dmesg",
    layer: "driver",
    severity: "warning",
    checked: true,
    visible: ["log"],
    sameAs: ["driver/probe-failed"],
  },
  {
    id: "pci-unassigned",
    family: "any",
    kind: "hardware",
    title: "a card's address windows were not assigned",
    patterns: [says("<unassigned>", /memory at <(unassigned|ignored)>/i)],
    mentions: ["bar|bars unassigned", "memory at <unassigned>"],
    cause: "The machine's firmware or the bridge above left no address space for the card; no driver can reach it.",
    cure: [
      "Enable Above 4G Decoding and Resizable BAR in setup; try another slot.",
      "Let the kernel assign again with pci=realloc.",
    ],
    commands: ["lspci -vv | grep -B8 '<unassigned>'", 'sudo dmesg | grep -E "BAR .*(can\'t assign|failed to assign)"'],
    links: ["https://docs.kernel.org/PCI/index.html"],
    seenIn: "lspci -v",
    layer: "silicon",
    severity: "error",
    checked: true,
    visible: ["text", "facts"],
    sameAs: ["silicon/unassigned-memory"],
  },
];
