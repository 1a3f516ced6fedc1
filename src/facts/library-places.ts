/** Where shared libraries lie beyond the loader's cache: the loader's own directories, ld.so.conf(5), and vendors' places. */

import { valueOf } from "../base/reading.ts";
import type { Root } from "../root/root.ts";

export interface LibraryPlace {
  /** A directory; an element may hold `*`. */
  readonly path: string;
  /** Whose it is and where that is written. */
  readonly because: string;
}

/** Directories that vendors' packages fill and that need not be in the loader's cache. */
export const vendorPlaces: readonly LibraryPlace[] = [
  { path: "/opt/rocm*/lib", because: "AMD ROCm: rocm.docs.amd.com install-on-linux, post-install" },
  { path: "/opt/rocm*/lib64", because: "AMD ROCm: rocm.docs.amd.com install-on-linux, post-install" },
  { path: "/opt/xilinx/xrt/lib", because: "AMD XRT: amd/xdna-driver README" },
  { path: "/opt/intel/openvino*/runtime/lib/*", because: "Intel OpenVINO: docs.openvino.ai install from archive" },
  {
    path: "/opt/qti-aic/dev/lib/*",
    because: "Qualcomm Cloud AI 100: Platform SDK, /opt/qti-aic/dev/lib/x86_64/libQAic.so",
  },
  { path: "/opt/aws/neuron/lib", because: "AWS Neuron: contents of aws-neuronx-runtime-lib" },
  { path: "/opt/sophon/libsophon-current/lib", because: "Sophgo: LIBSOPHON, its module files are looked for there" },
  { path: "/usr/lib/axcl", because: "Axera: AXCL documentation, FFmpeg chapter" },
  { path: "/usr/lib/habanalabs", because: "Intel Gaudi: programs link with -L/usr/lib/habanalabs" },
  { path: "/usr/lib/teflon", because: "Mesa Teflon: Debian's mesa-teflon-delegate" },
  { path: "/usr/local/Ascend/driver/lib64", because: "Huawei Ascend: hiascend.com, environment variables of CANN" },
  { path: "/usr/local/Ascend/driver/lib64/*", because: "Huawei Ascend: hiascend.com, environment variables of CANN" },
  {
    path: "/usr/local/Ascend/ascend-toolkit/latest/lib64",
    because: "Huawei CANN: hiascend.com, environment variables",
  },
  { path: "/usr/local/Ascend/nnrt/latest/lib64", because: "Huawei CANN: hiascend.com, inference applications" },
  { path: "/usr/local/Ascend/nnae/latest/lib64", because: "Huawei CANN: hiascend.com, inference applications" },
  { path: "/usr/local/dcmi", because: "Huawei Ascend: DCMI, /usr/local/dcmi/libdcmi.so" },
  { path: "/usr/local/neuware/lib64", because: "Cambricon: CNToolkit, Cambricon/mlu-exporter" },
  { path: "/usr/local/cuda*/lib64", because: "NVIDIA CUDA: the installer's summary" },
  { path: "/usr/local/cuda*/targets/*/lib", because: "NVIDIA CUDA: CUDA packages, targets/x86_64-linux" },
];

/** What the loader searches without being told, by its own documentation ld.so(8); the order is its order. */
const TRUSTED = ["/lib64", "/usr/lib64", "/lib", "/usr/lib"];
/** Names of Debian's multiarch directories: x86_64-linux-gnu, arm-linux-gnueabihf, aarch64-linux-musl */
const MULTIARCH = /^[a-z0-9_]{2,20}-linux-(?:gnu|musl)[a-z0-9]{0,12}$/;
/** Files that ld.so.conf may include, and lines of one: a distribution has some dozens. */
const CONF_LIMIT = 256;
/** As the kernel's PATH_MAX. */
const PATH_LIMIT = 4096;
/** Matches of one `*`, and places of all that come before the next one: versions of a vendor's software side by side. */
const GLOB_LIMIT = 64;

/** The loader's own directories, multiarch ones first. They need not exist. */
export function trustedDirectories(root: Root): string[] {
  const triplets = (valueOf(root.list("/usr/lib")) ?? []).filter((name) => MULTIARCH.test(name));
  return [...triplets.flatMap((triplet) => [`/lib/${triplet}`, `/usr/lib/${triplet}`]), ...TRUSTED];
}

/** Every directory the loader would search if it had no cache: ld.so.conf or musl's path file, then its own. */
export function loaderDirectories(root: Root): string[] {
  const directories = new Set<string>();
  readConf(root, "/etc/ld.so.conf", directories, { files: 0 });
  for (const name of valueOf(root.list("/etc")) ?? []) {
    if (!/^ld-musl-[a-z0-9_]{1,20}\.path$/.test(name)) continue;
    const text = valueOf(root.text(`/etc/${name}`)) ?? "";
    for (const path of text.split(/[\n:]/, CONF_LIMIT)) if (path.startsWith("/")) directories.add(path.trim());
  }
  for (const path of trustedDirectories(root)) directories.add(path);
  directories.add("/usr/local/lib");
  return [...directories];
}

/** Lines are directories, "include PATTERN" or comments. A file that includes itself is read once per inclusion, so they are counted. */
function readConf(root: Root, path: string, directories: Set<string>, seen: { files: number }): void {
  if (++seen.files > CONF_LIMIT) return;
  const text = valueOf(root.text(path));
  for (const line of text?.split("\n", CONF_LIMIT) ?? []) {
    const bare = line.slice(0, PATH_LIMIT).replace(/#.*/, "").trim();
    const included = /^include\s+(\S+)$/.exec(bare)?.[1];
    if (included !== undefined) {
      const pattern = included.startsWith("/") ? included : `/etc/${included}`;
      for (const file of expand(root, pattern)) readConf(root, file, directories, seen);
    } else if (bare.startsWith("/")) {
      directories.add(bare.replace(/(?<=.)\/+$/, ""));
    }
  }
}

/** Paths that match a pattern with `*` in its elements; without any, the path itself. They need not exist. */
export function expand(root: Root, pattern: string): string[] {
  let paths = [""];
  for (const element of pattern.split("/").slice(1)) {
    if (!element.includes("*")) {
      paths = paths.map((path) => `${path}/${element}`);
      continue;
    }
    const [before = "", after = ""] = element.split("*", 2);
    paths = paths.slice(0, GLOB_LIMIT).flatMap((path) =>
      (valueOf(root.list(path === "" ? "/" : path)) ?? [])
        .filter(
          (name) => name.startsWith(before) && name.endsWith(after) && name.length >= before.length + after.length,
        )
        .slice(0, GLOB_LIMIT)
        .map((name) => `${path}/${name}`),
    );
  }
  return paths;
}
