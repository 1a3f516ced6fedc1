/**
 * Version locks: which driver, firmware and library must be of one release, or of at least some release, to work together. Rows say
 * what is known and where; `checkLock` holds found versions against a row. What only a vendor's table knows is never called broken.
 */

import type { Source } from "../base/source.ts";

/** What carries a version. "kernel" is a release as uname prints it. */
export type Part =
  | "kernel"
  | "kernel driver"
  | "firmware"
  | "library"
  | "loader"
  | "runtime"
  | "compiler"
  | "model"
  | "plugin"
  | "framework"
  | "dkms package";

export type Relation =
  /** Equal to the last digit. */
  | { readonly is: "same" }
  /** Of one release: equal up to the packaging suffix. */
  | { readonly is: "same release" }
  /** Left not older than right. */
  | { readonly is: "not older" }
  /** Left alone decides: from `good` on it works, up to `bad` it does not; what lies between is not known. */
  | { readonly is: "from"; readonly good: string; readonly bad?: string }
  /** Left alone decides: it works below this. */
  | { readonly is: "below"; readonly version: string }
  /** Pairs that were built for each other. A left version that is listed needs its right one; others are not known. */
  | { readonly is: "pairs"; readonly pairs: readonly (readonly [left: string, right: string])[] }
  /** The vendor publishes a table; we hold none of its rows. */
  | { readonly is: "vendor's table" };

export interface Lock {
  readonly id: string;
  readonly family: string;
  readonly left: { readonly part: Part; readonly name: string };
  readonly right: { readonly part: Part; readonly name: string };
  readonly relation: Relation;
  /** The row holds only where the right part has one of these versions. */
  readonly when?: { readonly from?: string; readonly below?: string };
  readonly says: string;
  /** What people see when it is broken. */
  readonly breakage?: string;
  readonly source: Source;
}

const seen = "2026-11-25";
const cited = (link: string): Source => ({ cited: link, seen });

export const locks: readonly Lock[] = [
  {
    id: "hailo-driver-library",
    family: "hailo",
    left: { part: "kernel driver", name: "hailo_pci or hailo1x_pci" },
    right: { part: "library", name: "libhailort" },
    relation: { is: "same" },
    says: "libhailort refuses a kernel driver of another version",
    breakage: "hailo-driver-version",
    source: cited("https://github.com/hailo-ai/hailo-rpi5-examples/issues/72"),
  },
  {
    id: "hailo-library-firmware",
    family: "hailo",
    left: { part: "library", name: "libhailort" },
    right: { part: "firmware", name: "hailo8_fw.bin" },
    relation: { is: "same" },
    says: "libhailort and the firmware on the chip are of one version",
    breakage: "hailo-driver-version",
    source: cited("https://github.com/hailo-ai/hailo-rpi5-examples/issues/98"),
  },
  {
    id: "hailo-10h-endpoint",
    family: "hailo",
    left: { part: "kernel driver", name: "hailo1x_pci" },
    right: { part: "firmware", name: "of the running Hailo-10H" },
    relation: { is: "same" },
    says: "a Hailo-10H keeps its firmware over an upgrade until it is reset",
    breakage: "hailo-10h-live-upgrade",
    source: cited("https://github.com/hailo-ai/hailo_model_zoo_genai/pull/11"),
  },
  {
    id: "intel-npu-loader",
    family: "intel-npu",
    left: { part: "loader", name: "libze_loader.so.1" },
    right: { part: "library", name: "libze_intel_npu.so.1" },
    relation: { is: "from", good: "1.17.17", bad: "1.17.16" },
    says: "a Level Zero loader before 1.17.17 looks for the driver under its former name",
    breakage: "intel-ze-uninit",
    source: cited("https://github.com/intel/linux-npu-driver/issues/108"),
  },
  {
    id: "intel-npu-compiler-firmware",
    family: "intel-npu",
    left: { part: "compiler", name: "libnpu_driver_compiler.so" },
    right: { part: "firmware", name: "intel/vpu/vpu_*.bin" },
    relation: { is: "vendor's table" },
    says: "compiler and firmware come from one linux-npu-driver release",
    breakage: "intel-mapped-inference",
    source: cited("https://github.com/intel/linux-npu-driver/blob/main/docs/overview.md"),
  },
  {
    id: "rknn-runtime-driver",
    family: "rockchip",
    left: { part: "kernel driver", name: "rknpu" },
    right: { part: "runtime", name: "librknnrt" },
    relation: { is: "from", good: "0.9.6", bad: "0.9.3" },
    when: { from: "1.6.0" },
    says: "librknnrt 1.6.0 fails on rknpu 0.9.3 and works on 0.9.6",
    breakage: "rk-submit",
    source: cited("https://github.com/radxa/kernel/issues/312"),
  },
  {
    id: "rkllm-driver",
    family: "rockchip",
    left: { part: "kernel driver", name: "rknpu" },
    right: { part: "runtime", name: "librkllmrt" },
    relation: { is: "from", good: "0.9.7", bad: "0.9.6" },
    when: { from: "1.1.2" },
    says: "the runtime of rkllm asks for rknpu 0.9.7",
    breakage: "rk-submit",
    source: cited("https://github.com/Pelochus/ezrknn-llm/issues/19"),
  },
  {
    id: "rknn-model-runtime",
    family: "rockchip",
    left: { part: "runtime", name: "librknnrt" },
    right: { part: "model", name: "toolkit version in the .rknn" },
    relation: { is: "not older" },
    says: "a model needs a runtime not older than the toolkit that made it",
    breakage: "rk-model-version-6",
    source: cited("https://github.com/airockchip/rknn-toolkit2/issues/281"),
  },
  {
    id: "teflon-rocket",
    family: "rockchip",
    left: { part: "library", name: "libteflon.so (Mesa)" },
    right: { part: "kernel driver", name: "rocket" },
    relation: { is: "from", good: "26.1.6", bad: "25.0.7" },
    says: "Debian's Mesa 26.1.6 has rocket in Teflon, 25.0.7 has not",
    source: cited("https://packages.debian.org/mesa-teflon-delegate"),
  },
  {
    id: "coral-tflite",
    family: "coral",
    left: { part: "library", name: "libedgetpu" },
    right: { part: "framework", name: "tflite_runtime" },
    relation: { is: "pairs", pairs: [["16.0", "2.5.0.post1"]] },
    says: "libedgetpu works with the TensorFlow Lite it was built for",
    breakage: "coral-custom-op",
    source: cited("https://github.com/google-coral/edgetpu/issues/259"),
  },
  {
    id: "coral-gasket-kernel",
    family: "coral",
    left: { part: "kernel", name: "Linux" },
    right: { part: "dkms package", name: "gasket-dkms" },
    relation: { is: "below", version: "6.8" },
    when: { below: "1.0-19" },
    says: "gasket-dkms 1.0-18 of Google's apt suite does not build on kernel 6.8 and later",
    breakage: "coral-eventfd-signal",
    source: cited("https://github.com/google/gasket-driver/issues/30"),
  },
  {
    id: "nvidia-module-library",
    family: "nvidia",
    left: { part: "kernel driver", name: "nvidia" },
    right: { part: "library", name: "libnvidia-ml.so.1" },
    relation: { is: "same" },
    says: "the loaded module and the libraries are of one version, to the last digit",
    breakage: "nv-nvml",
    source: cited("https://github.com/tinygrad/open-gpu-kernel-modules/issues/47"),
  },
  {
    id: "nvidia-gsp",
    family: "nvidia",
    left: { part: "kernel driver", name: "nvidia" },
    right: { part: "firmware", name: "nvidia/<version>/gsp_*.bin" },
    relation: { is: "same" },
    says: "the open module loads GSP firmware of its own version",
    breakage: "nv-gsp",
    source: cited("https://github.com/NVIDIA/open-gpu-kernel-modules"),
  },
  {
    id: "tensorrt-engine",
    family: "nvidia",
    left: { part: "runtime", name: "libnvinfer" },
    right: { part: "model", name: "TensorRT that built the engine" },
    relation: { is: "same" },
    when: { below: "8.6" },
    says: "before 8.6 an engine runs only under the TensorRT that built it",
    breakage: "nv-trt-ver",
    source: cited("https://github.com/NVIDIA/TensorRT/issues/2041"),
  },
  {
    id: "amdxdna-firmware",
    family: "amd-xdna",
    left: { part: "firmware", name: "amdnpu/*/npu.sbin" },
    right: { part: "kernel", name: "Linux, in-tree amdxdna" },
    relation: { is: "below", version: "1.1" },
    when: { from: "6.19", below: "6.20" },
    says: "the driver of kernel 6.19 speaks firmware protocol 6; firmware 1.1.2.64 speaks 7",
    breakage: "amd-fw-protocol",
    source: cited("https://github.com/amd/xdna-driver/issues/1257"),
  },
  {
    id: "xrt-plugin",
    family: "amd-xdna",
    left: { part: "runtime", name: "libxrt_core.so.2" },
    right: { part: "plugin", name: "libxrt_driver_xdna.so.2" },
    relation: { is: "same release" },
    says: "XRT loads only a plugin of its own version",
    breakage: "amd-0-devices",
    source: cited("https://github.com/amd/xdna-driver/issues/957"),
  },
  {
    id: "galcore-libgal",
    family: "verisilicon",
    left: { part: "library", name: "libGAL.so" },
    right: { part: "kernel driver", name: "galcore" },
    relation: { is: "same" },
    says: "libGAL compares its version with galcore's, all four numbers",
    breakage: "vsi-hal",
    source: cited("https://github.com/VeriSilicon/TIM-VX/issues/707"),
  },
  {
    id: "gaudi-stack",
    family: "intel-gaudi",
    left: { part: "kernel driver", name: "habanalabs (DKMS)" },
    right: { part: "runtime", name: "SynapseAI" },
    relation: { is: "same release" },
    says: "driver, firmware and SynapseAI are of one release",
    breakage: "gaudi-26",
    source: cited("https://github.com/HabanaAI/Setup_and_Install/issues/1"),
  },
  {
    id: "qnn-stub-skel",
    family: "qualcomm",
    left: { part: "library", name: "libQnnHtpV*Stub.so" },
    right: { part: "firmware", name: "libQnnHtpV*Skel.so" },
    relation: { is: "same" },
    says: "stub and skeleton are of one QAIRT release",
    breakage: "qc-14001",
    source: cited("https://github.com/quic/ai-hub-apps/issues/158"),
  },
  {
    id: "neuron-driver",
    family: "aws-neuron",
    left: { part: "kernel driver", name: "neuron" },
    right: { part: "runtime", name: "libnrt.so.1" },
    relation: { is: "vendor's table" },
    says: "libnrt asks the driver for a compatibility id that an older driver does not have",
    breakage: "aws-compat",
    source: cited("https://github.com/aws-neuron/aws-neuron-sdk/issues/655"),
  },
  {
    id: "tenstorrent-firmware",
    family: "tenstorrent",
    left: { part: "firmware", name: "bundle on the card" },
    right: { part: "runtime", name: "tt-metal" },
    relation: { is: "vendor's table" },
    says: "each tt-metal release names the firmware bundle it was tested with",
    breakage: "tt-fw-mismatch",
    source: cited("https://github.com/tenstorrent/tt-metal/issues/29674"),
  },
  {
    id: "cann-hdk",
    family: "ascend",
    left: { part: "kernel driver", name: "Ascend HDK" },
    right: { part: "runtime", name: "CANN" },
    relation: { is: "vendor's table" },
    says: "CANN is paired with an HDK release (driver and firmware)",
    breakage: "asc-cann",
    source: cited("https://github.com/gpustack/gpustack/issues/755"),
  },
  {
    id: "sophgo-sdk",
    family: "sophgo",
    left: { part: "kernel driver", name: "libsophon's" },
    right: { part: "model", name: "SDK that made the bmodel" },
    relation: { is: "vendor's table" },
    says: "a bmodel brings a kernel module that an older driver cannot load",
    breakage: "sophgo-old-sdk",
    source: cited("https://github.com/sophgo/sophon-demo/issues/168"),
  },
];

export function lock(id: string): Lock {
  const found = locks.find((row) => row.id === id);
  if (found === undefined) throw new Error(`no version lock is called ${id}`);
  return found;
}

export type LockState = "fits" | "broken" | "unknown";

/** Holds two versions against a row. "unknown" where a version, or the answer, is not known. */
export function checkLock(row: Lock, left: string | undefined, right: string | undefined): LockState {
  const { relation, when } = row;
  if (when !== undefined) {
    if (right === undefined) return "unknown";
    if (when.from !== undefined && compareVersions(right, when.from) < 0) return "fits";
    if (when.below !== undefined && compareVersions(right, when.below) >= 0) return "fits";
  }
  if (left === undefined || relation.is === "vendor's table") return "unknown";
  const decide = (good: boolean): LockState => (good ? "fits" : "broken");
  if (relation.is === "from") {
    if (compareVersions(left, relation.good) >= 0) return "fits";
    return relation.bad !== undefined && compareVersions(left, relation.bad) <= 0 ? "broken" : "unknown";
  }
  if (relation.is === "below") return decide(compareVersions(left, relation.version) < 0);
  if (right === undefined) return "unknown";
  if (relation.is === "same") return decide(compareVersions(left, right) === 0);
  if (relation.is === "same release") return decide(compareVersions(release(left), release(right)) === 0);
  if (relation.is === "not older") return decide(compareVersions(left, right) >= 0);
  const pair = relation.pairs.find(([known]) => compareVersions(known, left) === 0);
  return pair === undefined ? "unknown" : decide(compareVersions(pair[1], right) === 0);
}

/** "1.15.0-479" and "1.15.0+deb13" are the release 1.15.0. */
const release = (version: string): string => /^v?\d+(\.\d+)*/.exec(version)?.[0] ?? version;

/**
 * Negative, 0 or positive, as people read versions: numbers by value, missing ones as 0, a word after a number ("rc1", "beta") before
 * its release, "~" before everything. A leading "v" does not count.
 */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [pieces(a), pieces(b)];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = weigh(left[i], right[i]);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** A version is short; what follows is no version. */
const VERSION_LIMIT = 100;

function pieces(version: string): string[] {
  return (
    version
      .slice(0, VERSION_LIMIT)
      .toLowerCase()
      .replace(/^v(?=\d)/, "")
      .match(/\d+|[a-z]+|~/g) ?? []
  );
}

const EARLY = /^(~|rc|a|alpha|b|beta|dev|pre)$/;

function weigh(a = "", b = ""): number {
  const [left, right] = [rank(a), rank(b)];
  if (left !== right) return left - right;
  if (left === 2) {
    const [x, y] = [BigInt(a === "" ? 0 : a), BigInt(b === "" ? 0 : b)];
    return x < y ? -1 : x > y ? 1 : 0;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Words of unfinished releases, then the end of a version and numbers, then other words ("post1", "deb13"). */
function rank(piece: string): number {
  if (EARLY.test(piece)) return 1;
  return piece === "" || /^\d/.test(piece) ? 2 : 3;
}
