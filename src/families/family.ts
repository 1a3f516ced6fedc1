/**
 * Family: one kind of accelerator hardware, as data. A family lists its chips with the ids by which a bus announces them, and
 * its routes: named ways from the hardware to a result. Everything that accelctl says about hardware comes from these objects,
 * so each fact carries where it is written. Add one: copy arm-ethos-u.ts, `npm run generate`, `npm test -- catalogue`.
 */

import type { Openness } from "../base/finding.ts";
import type { Fact, Source } from "../base/source.ts";

/** How a bus announces a chip. All given fields must hold. */
export type Match = PciMatch | UsbMatch | OfMatch | PlatformMatch | CpuMatch;

export interface PciMatch {
  readonly bus: "pci";
  /** Four lower-case hex digits. */
  readonly vendor: string;
  /** Absent: any device of the vendor; then `class` is required. */
  readonly device?: string;
  /** With no device: only ids below this one, four lower-case hex digits. NVIDIA's ids grow with the generations. */
  readonly below?: string;
  /** PCI revision ids, lower-case hex of two digits. */
  readonly revisions?: readonly string[];
  readonly subsystem?: string;
  /** Class prefixes of 2, 4 or 6 hex digits; a vendor-wide match must name them. */
  readonly classes?: readonly string[];
  /** This function is a helper of a card whose main function has another id (Alveo's management function): never a device itself. */
  readonly helper?: true;
  /** A virtual function of SR-IOV: counted with its physical function. */
  readonly virtual?: true;
}

export interface UsbMatch {
  readonly bus: "usb";
  /** vvvv:pppp */
  readonly id: string;
  /** Why a stick may show this id: "before firmware upload". */
  readonly phase?: string;
}

export interface OfMatch {
  readonly bus: "of";
  readonly compatible: string;
  /** Node names (without address) that must hold, when the compatible alone is not enough: vivante,gc as npu@. */
  readonly names?: readonly string[];
  /** Proves the SoC only, is no device by itself (a clock, a power domain). */
  readonly hint?: true;
}

export interface PlatformMatch {
  readonly bus: "platform";
  /** Kernel device name or ACPI modalias, glob. */
  readonly modalias: string;
}

export interface CpuMatch {
  readonly bus: "cpu";
  /** Architecture as uname -m, glob. */
  readonly arch: string;
}

export const pci = (id: string, more: Omit<PciMatch, "bus" | "vendor" | "device"> = {}): PciMatch => {
  const [vendor = "", device] = id.split(":");
  return device === undefined || device === "*"
    ? { bus: "pci", vendor, ...more }
    : { bus: "pci", vendor, device, ...more };
};
export const usb = (id: string, phase?: string): UsbMatch =>
  phase === undefined ? { bus: "usb", id } : { bus: "usb", id, phase };
export const of = (compatible: string, more: Omit<OfMatch, "bus" | "compatible"> = {}): OfMatch => ({
  bus: "of",
  compatible,
  ...more,
});

/** Peak throughput as a source tells it, in operations per second (1 MAC = 2). */
export interface Peak {
  readonly ops: number;
  /**
   * Numbers it holds for: int8, fp16; "sparse" after it when half of the weights must be zero; "unstated" when the source names none.
   * In brackets which part or card, where the chip's entry stands for several. Unique within the chip.
   */
  readonly precision: string;
  /** Power of that very part or card, where the chip's entry stands for several. */
  readonly watts?: Fact<number>;
  readonly source: Source;
}

export interface Chip {
  /** Unique within the family: rk3588, wormhole, vpu37xx */
  readonly id: string;
  readonly name: string;
  readonly matches: readonly Match[];
  readonly peak?: readonly Peak[];
  /** On-chip or on-card memory in words. */
  readonly memory?: Fact<string>;
  /** Typical or maximal power in watts. */
  readonly watts?: Fact<number>;
  readonly cores?: Fact<number>;
  /** Several matching devices are one accelerator (rocket's cores behind one node): they are grouped. */
  readonly grouped?: true;
  /** Where the ids are written. */
  readonly source: Source;
}

export type Architecture =
  | "systolic array"
  | "mesh of cores"
  | "VLIW DSP"
  | "SIMT"
  | "MAC array"
  | "dataflow"
  | "vector"
  | "FPGA"
  | "in-memory"
  | "general purpose"
  | "unknown";

/** One package of one distribution. `from` says since which release or suite, and from which third party if any. */
export interface PackageRef {
  readonly name: string;
  readonly from?: string;
  readonly gives?: string;
  /** Not by the distribution's own tool. */
  readonly by?: "snap";
}

/** Packages by distribution id (os-release ID), and where the maker gives it. Only what a source names: an empty field is honest. */
export interface Packages {
  readonly debian?: readonly PackageRef[];
  readonly ubuntu?: readonly PackageRef[];
  readonly fedora?: readonly PackageRef[];
  readonly arch?: readonly PackageRef[];
  readonly pypi?: readonly PackageRef[];
  readonly vendor?: { readonly says: string; readonly link?: string };
}

export interface DriverSpec {
  /** Kernel module, "_" spelling. Absent: no kernel driver is needed (USB by libusb). */
  readonly module?: string;
  /** Other modules that must be loaded with it: gasket for apex. */
  readonly with?: readonly string[];
  /** Names the bus link `driver` may show; default: the module's name. */
  readonly binds?: readonly string[];
  /** Compatibles it takes of the chip's, when not all: rocket and rknpu share a chip and want nodes of different names. */
  readonly compatibles?: readonly string[];
  readonly origin: "mainline" | "out-of-tree" | "vendor-kernel" | "none";
  /** First mainline release. */
  readonly since?: string;
  /** First mainline release without it. */
  readonly until?: string;
  /** Kconfig symbol without CONFIG_, and those it needs. */
  readonly config?: {
    readonly symbol: string;
    readonly needs?: readonly string[];
    /** Who never sets the symbol, and in which releases that was looked up. */
    readonly never?: string;
  };
  readonly openness: Openness;
  readonly licence?: string;
  readonly repository?: string;
  readonly packages?: Packages;
  readonly source: Source;
}

export interface FirmwareSpec {
  readonly files: readonly {
    /** Relative to the firmware directories. `*` stands for part of one path element. */
    readonly path: string;
    /** Chips that need it; absent: all of the route. */
    readonly chips?: readonly string[];
    /** In no distribution's package, as far as was looked. */
    readonly packaged?: false;
    /** Any one of the files with the same `oneOf` word is enough (newer name first). */
    readonly oneOf?: string;
    readonly source: Source;
  }[];
  /** Firmware that is no file of the kernel's: "inside libedgetpu", "flashed on the card". */
  readonly elsewhere?: string;
  readonly openness: Openness;
  readonly packages?: Packages;
}

export interface NodeSpec {
  /** Globs of /dev paths. */
  readonly paths: readonly string[];
  /** Kernel class under /sys/class. */
  readonly class: string;
  /** Name DRM_IOCTL_VERSION answers with. */
  readonly drmName?: string;
  /** Group that owns it where rules are in place, and the udev match keys. */
  readonly group?: string;
  readonly mode?: string;
  readonly rule?: string;
  /**
   * Platform device the node hangs from when it is not the silicon's own: rocket's "rknn", etnaviv's "etnaviv". Such a device is a
   * facade for all cores and has no driver link.
   */
  readonly facade?: string;
  /** Further nodes the route also needs: /dev/kfd, /dev/nvidiactl. */
  readonly also?: readonly string[];
  readonly source: Source;
}

export interface RuntimeSpec {
  /** Sonames or globs; any one found is enough. */
  readonly libraries: readonly string[];
  /** Full paths or globs outside the loader's directories: /usr/lib/teflon/libteflon.so */
  readonly paths?: readonly string[];
  readonly name: string;
  readonly openness: Openness;
  readonly licence?: string;
  readonly packages?: Packages;
  /** Needed besides one of `libraries`. */
  readonly also?: readonly string[];
  /** Python wheels that bring the runtime. */
  readonly wheels?: readonly string[];
  readonly source: Source;
}

export interface DelegateSpec {
  /** accelctl's delegate id: tflite, openvino, onnxruntime, rknn, hailo, ggml, pjrt; or "vendor" for programs outside. */
  readonly id: string;
  readonly name: string;
  readonly libraries?: readonly string[];
  readonly paths?: readonly string[];
  readonly openness: Openness;
  readonly packages?: Packages;
  readonly source: Source;
}

export interface RouteSpec {
  /** Unique in the family: "open", "vendor", "openvino". */
  readonly name: string;
  /** One line for people. */
  readonly says: string;
  /** Chip ids it works for; absent: all. */
  readonly chips?: readonly string[];
  readonly driver: DriverSpec;
  /** Absent: this route needs none. */
  readonly firmware?: FirmwareSpec;
  /** Absent: no kernel node (USB by libusb; CPU). */
  readonly node?: NodeSpec;
  readonly runtime: RuntimeSpec;
  readonly delegate: DelegateSpec;
  /** Model format ids (formats.json), best first. */
  readonly models: readonly { readonly format: string; readonly compiler?: string; readonly openness: Openness }[];
}

export interface MetricSpec {
  /** Unit in the name: temperature_celsius, busy_ratio, clock_hertz, power_watts, memory_bytes. */
  readonly name: string;
  /** Which of several: "edge", "compute". Absent: what the `*` stands for where it stands for several, else the hwmon channel's label. */
  readonly part?: string;
  /**
   * Relative to the bus device ("device:"), its class device ("class:"), debugfs ("debug:"), procfs ("proc:"), the device's hwmon
   * ("hwmon:"), a thermal zone by its type ("thermal:"), sysfs ("sys:"); amdgpu's binary table ("table:"); an ioctl ("ask:"), the
   * vendor's library ("vendor:"); of each process: an fdinfo key ("fdinfo:"), AMD's compute processes ("kfd:"). `*` is one path element,
   * `{address}` the device's address, `{hwmon}` what its hwmon is called. Of several rows of one name and part the first that is there
   * counts.
   */
  readonly read: string;
  /** Multiply the number read by this to get the base unit. */
  readonly scale?: number;
  /**
   * How the text becomes numbers; absent: one number. "percents": each "12%" in it, by core or chip. "counts": lines "Name: 12", each a
   * part, or the line that `line` names. "current": of a list of levels the one marked by a star. "measure": a number and its unit, or
   * "N/A". "usage": "usage:12 avusage:3". "watched": "POWER_STATUS_VALID,time,least,most,mean". "hexadecimal": one number without prefix. "word": no number, not sampled.
   */
  readonly form?: "percents" | "counts" | "current" | "measure" | "usage" | "watched" | "hexadecimal" | "word";
  /** Of "counts": the line that is this metric. */
  readonly line?: string;
  /**
   * Of things that sysfs and procfs do not tie to the device: a file, relative to the directory of the metric's, that holds its address.
   * "alone": nothing says which is whose, so it counts only where there is one in its directory.
   */
  readonly owner?: string;
  /** A counter: what follows from two readings of it; "rest" is what is left of each second, `wraps_at` where it begins again at 0. */
  readonly derived?: { readonly name: string; readonly how: "rate" | "rest"; readonly wraps_at?: number };
  /** Reading it leaves a sleeping device asleep, and what it says holds then. Without it nothing is read of a suspended device. */
  readonly safe?: true;
  /** Reading it wakes the device: only asked with `--query`. */
  readonly wakes?: true;
  /** Only with leave to load the vendor's library: `--vendor`. */
  readonly vendor?: true;
  /** Drivers that have it, as the bus names the bound one; absent: any of the family's. */
  readonly drivers?: readonly string[];
  readonly root?: true;
  readonly since?: string;
  readonly source: Source;
}

/** How a family's support was proved. "documents" = read, never run. */
export type Verified = "hardware" | "real kernel driver" | "vendor's library" | "documents";

export interface Family {
  readonly id: string;
  readonly vendor: string;
  readonly name: string;
  readonly aliases?: readonly string[];
  /** Two or three sentences: what it is, where one meets it. */
  readonly says: string;
  readonly architecture: Architecture;
  readonly architectureDetail?: Fact<string>;
  readonly use: "inference" | "training" | "both" | "unknown";
  readonly chips: readonly Chip[];
  /** Best known first. May be empty when no Linux route is public. */
  readonly routes: readonly RouteSpec[];
  readonly metrics?: readonly MetricSpec[];
  /** Where load, memory, clock, temperature or power are missing with a driver bound: why, and who could be asked; in a sentence. */
  readonly untold?: { readonly says: string; readonly source: Source };
  /** What a detector or a person gets wrong with it. */
  readonly traps?: readonly string[];
  readonly openness: {
    readonly kernel: Openness;
    readonly firmware: Openness;
    readonly runtime: Openness;
    readonly compiler: Openness;
    readonly says: string;
  };
  readonly maintained: string;
  readonly verified: readonly { readonly how: Verified; readonly says: string }[];
  readonly sources: readonly Source[];
  /** What could not be found out. */
  readonly unknown?: readonly string[];
}
