/**
 * Version locks between a model file and what is installed, found before anything runs: which runtime a requirement is about, how its
 * version is told on a machine (text inside the library, its file name, a package, a wheel), and whether the two fit.
 */

import { valueOf } from "../base/reading.ts";
import type { Source } from "../base/source.ts";
import { describeSource } from "../base/source.ts";
import { checkLock, compareVersions, locks, type Lock, type LockState } from "../breakages/locks.ts";
import type { Facts } from "../facts/facts.ts";
import { findLibraryText, librknnrtText } from "../facts/library-text.ts";
import { readPackageVersion } from "../facts/packages.ts";
import type { Requirement } from "../model/graph.ts";
import type { LockReport } from "./inspection.ts";
import { findMappedInference } from "./npu-firmware.ts";
import { relationWords } from "./relation.ts";

/** How the installed version of what a file requires is found. All ways are tried in this order. */
interface Installed {
  /** `what` of a requirement: a lock's id, or a reader's words. */
  readonly what: string;
  readonly name: string;
  readonly libraries?: readonly string[];
  /** What a library says of itself, one group: the version. Read in pieces; nothing is loaded. */
  readonly inside?: RegExp;
  /** The library's file name carries the version. */
  readonly named?: true;
  readonly packages?: readonly string[];
  readonly wheels?: readonly string[];
  /** From a release to the number that files require, which came with it; newest first. */
  readonly speaks?: readonly (readonly [release: string, version: string])[];
  /** The highest number a release takes, newest first: of these releases it is known. */
  readonly takes?: readonly (readonly [release: string, most: string])[];
  /** An older one is not what the maker asks for, and is not known to refuse the file. */
  readonly lenient?: true;
  /** A file that says by what it was built is refused by anything older. */
  readonly olderRefuses?: true;
  /** Another way to find it. */
  readonly search?: (facts: Facts) => FoundVersion | undefined;
  /** What the file is, where "wants at least 6 of" would be no sentence. */
  readonly file?: (version: string) => string;
  readonly source?: Source;
}

const seen = "2026-11-25";

const librknnrt = {
  name: "librknnrt",
  libraries: librknnrtText.libraries,
  inside: librknnrtText.says,
  wheels: ["rknn-toolkit-lite2", "rknn_toolkit_lite2"],
} as const;

const installed: readonly Installed[] = [
  { what: "rknn-model-runtime", ...librknnrt, lenient: true },
  {
    what: "RKNN model version",
    ...librknnrt,
    // From logs of "Invalid RKNN model version 6", which print the highest one that is taken; models of 1.5.2 have 6.
    takes: [
      ["1.5.2", "6"],
      ["1.5.0", "4"],
      ["1.4.0", "1"],
      ["1.3.0", "1"],
    ],
    file: (version) => `the file is of RKNN model version ${version}`,
    source: {
      cited: "https://github.com/rockchip-linux/rknn-toolkit2/issues/316",
      says: "and airockchip/rknn-toolkit2 issues 254 and 281, leafqycc/rknn-cpp-Multithreading issue 19",
      seen,
    },
  },
  {
    what: "Edge TPU runtime",
    name: "libedgetpu",
    packages: ["libedgetpu1-std", "libedgetpu1-max"],
    // Runtime 14 came with release 16.0; a file that requires it fails under an older one.
    speaks: [["16.0", "14"]],
    file: (version) => `the file needs an Edge TPU runtime of version ${version} or newer`,
    source: { cited: "https://github.com/AxisCommunications/acap3-examples/issues/147", seen },
  },
  {
    what: "TensorFlow Lite runtime",
    name: "TensorFlow Lite",
    wheels: ["tflite-runtime", "tflite_runtime", "ai-edge-litert", "ai_edge_litert", "tensorflow"],
  },
  {
    what: "OpenVINO",
    name: "OpenVINO",
    libraries: ["libopenvino.so*"],
    named: true,
    wheels: ["openvino"],
    packages: ["openvino"],
  },
  { what: "tensorrt-engine", name: "libnvinfer", libraries: ["libnvinfer.so*"], named: true, wheels: ["tensorrt"] },
  {
    what: "TensorRT",
    name: "libnvinfer",
    libraries: ["libnvinfer.so*"],
    named: true,
    wheels: ["tensorrt"],
    olderRefuses: true,
    source: {
      cited: "https://docs.nvidia.com/deeplearning/tensorrt/latest/inference-library/advanced.html",
      says: "Version Compatibility",
      seen,
    },
  },
  ...["37xx", "40xx"].map((generation) => ({
    what: `mapped inference of ${generation} firmware`,
    name: `the NPU's ${generation} firmware`,
    search: (facts: Facts) => findMappedInference(facts, generation),
    file: (version: string) => `the file was compiled for a mapped inference of ${version}`,
    source: { cited: "https://github.com/openvinotoolkit/npu_plugin_elf/blob/main/vpux_elf/VERSIONING.md", seen },
  })),
  {
    what: "QNN (Qualcomm AI Runtime)",
    name: "QAIRT",
    libraries: ["libQnnHtp.so*"],
    // v2.46.0.260424121129: release, then the day and time of the build.
    inside: /v(\d+\.\d+\.\d+\.\d{12})/,
  },
  {
    what: "HailoRT",
    name: "libhailort",
    libraries: ["libhailort.so*"],
    named: true,
    packages: ["hailort"],
    wheels: ["hailort"],
  },
];

export interface FoundVersion {
  readonly version: string;
  /** Where it stands: a path, or a package. */
  readonly from: string;
}

export function checkRequirements(requires: readonly Requirement[], facts: Facts): LockReport[] {
  return requires.map((requirement) => {
    const row = installed.find(({ what }) => what === requirement.what);
    const lock = locks.find(({ id }) => id === requirement.what);
    const found = row === undefined ? undefined : findVersion(row, facts);
    const state = judge(requirement, row, lock, found?.version);
    const name = row?.name ?? lock?.left.name ?? requirement.what;
    return {
      lock: requirement.what,
      state,
      needs: relationWords(requirement),
      ...(found === undefined ? {} : { found: `${found.version} (${found.from})` }),
      says: sentence(requirement, name, state, found, row),
      ...(lock !== undefined
        ? { source: describeSource(lock.source) }
        : row?.source !== undefined
          ? { source: describeSource(row.source) }
          : {}),
    };
  });
}

function judge(
  { relation, version: wanted }: Requirement,
  row: Installed | undefined,
  lock: Lock | undefined,
  found: string | undefined,
): LockState {
  if (found === undefined) return "unknown";
  const version = row?.named === true ? asLong(wanted, plain(found)) : wanted;
  if (lock !== undefined) {
    const state = checkLock(lock, plain(found), plain(version));
    return state === "broken" && row?.lenient === true ? "unknown" : state;
  }
  if (row?.speaks !== undefined) return speaks(row.speaks, found, version);
  if (row?.takes !== undefined) return takes(row.takes, plain(found), version);
  const order = compareVersions(plain(found), plain(version));
  if (relation === "at least") return order >= 0 ? "fits" : "broken";
  if (relation === "at most") return order <= 0 ? "fits" : "broken";
  if (relation === "exactly") return order === 0 ? "fits" : "broken";
  if (relation === "series") return ofSeries(plain(found), version) ? "fits" : "broken";
  if (relation === "other than") return ofSeries(plain(found), version) ? "broken" : "fits";
  // "built by" names a tool: what reads its output is the maker's word, and of most we have none.
  return order < 0 && row?.olderRefuses === true ? "broken" : "unknown";
}

/** Between two releases of which it is known, what is taken lies between what they take; a newer one may take more. */
function takes(rows: NonNullable<Installed["takes"]>, found: string, version: string): LockState {
  const at = rows.findIndex(([release]) => compareVersions(found, release) >= 0);
  const known = rows[at];
  const next = at < 0 ? rows.at(-1) : rows[at - 1];
  const least = known?.[1];
  const exact = known !== undefined && compareVersions(found, known[0]) === 0;
  const most = exact ? least : next?.[1];
  if (least !== undefined && compareVersions(version, least) <= 0) return "fits";
  return most !== undefined && compareVersions(version, most) > 0 ? "broken" : "unknown";
}

/** Newest row first. An older release does not speak the number that came with a row's, and may speak less than is known. */
function speaks(rows: NonNullable<Installed["speaks"]>, found: string, version: string): LockState {
  const row = rows.find(([release]) => compareVersions(plain(found), release) >= 0);
  if (row !== undefined) return compareVersions(row[1], version) >= 0 ? "fits" : "unknown";
  const oldest = rows.at(-1);
  return oldest !== undefined && compareVersions(version, oldest[1]) >= 0 ? "broken" : "unknown";
}

/** A file's name has three numbers (libnvinfer.so.8.5.2), the file built by it four: as many are compared as both have. */
function asLong(version: string, found: string): string {
  const numbers = found.split(".").length;
  return numbers < 3 || !/^\d+(?:\.\d+)*$/.test(version) ? version : version.split(".").slice(0, numbers).join(".");
}

/** 5.1.1 is of the series 5 and 5.1, and not of 5.10. */
const ofSeries = (found: string, series: string): boolean => `${found.replace(/^v/, "")}.`.startsWith(`${series}.`);

/** "2.3.2-source_code" and "1.6.0+81f21f4d" are builds of 2.3.2 and 1.6.0: a build's number orders nothing. A beta stays one. */
const plain = (version: string): string => /^v?\d+(?:\.\d+)*(?:(?:a|b|rc)\d+)?/.exec(version)?.[0] ?? version;

function sentence(
  { relation, version }: Requirement,
  name: string,
  state: LockState,
  found: FoundVersion | undefined,
  row: Installed | undefined,
): string {
  const words = relationWords({ relation, version });
  const wants =
    row?.file?.(
      relation === "exactly" || relation === "built by" || (row.takes ?? row.speaks) !== undefined ? version : words,
    ) ?? (relation === "built by" ? `the file was built by ${name} ${version}` : `the file needs ${name} ${words}`);
  const what = row?.file === undefined ? "" : `${name} `;
  if (found === undefined)
    return `${wants}; which version ${what === "" ? "" : `of ${what}`}is installed could not be seen`;
  const here = `${what}${found.version} is here (${found.from})`;
  if (state === "fits") return `${wants}, and ${here}`;
  if (state === "broken") return `${wants}, but ${here}: it will be refused`;
  return `${wants}; ${here}, and whether they fit is not known`;
}

function findVersion(row: Installed, facts: Facts): FoundVersion | undefined {
  if (row.search !== undefined) return row.search(facts);
  const libraries = valueOf(facts.libraries);
  for (const pattern of row.libraries ?? []) {
    const library = valueOf(libraries?.find(pattern) ?? { state: "absent", from: pattern })?.[0];
    if (library === undefined) continue;
    const inside =
      row.inside === undefined ? undefined : findLibraryText(facts.root, library.path, row.inside)?.version;
    if (inside !== undefined) return { version: inside, from: library.path };
    const version = row.named === true ? valueOf(library.version) : undefined;
    if (version !== undefined && version.includes(".")) return { version, from: library.path };
  }
  for (const name of row.packages ?? []) {
    const version = valueOf(readPackageVersion(facts.root, name));
    if (version !== undefined) return { version: version.replace(/^\d+:/, ""), from: `package ${name}` };
  }
  const wheel = (valueOf(facts.wheels) ?? []).find(({ name }) => row.wheels?.includes(name));
  return wheel === undefined ? undefined : { version: wheel.version, from: wheel.path };
}
