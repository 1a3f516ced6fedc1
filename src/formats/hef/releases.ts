/**
 * Which HailoRT reads which HEF, and which chip takes it: from the history of HailoRT's own sources, every release that is published.
 * https://github.com/hailo-ai/hailort tags v4.6.0 to v5.2.0: libhailort/src/hef/hef_internal.hpp (SUPPORTED_EXTENSIONS, HEADER_VERSION),
 * hef.cpp (validate_hef_extensions, validate_hef_version), device_common/device_internal.cpp (is_hef_compatible), hef.proto. MIT.
 */

import { compareVersions } from "../../breakages/locks.ts";
import type { Requirement, Target } from "../../model/graph.ts";

/** The oldest release published: what it reads needs no word. */
const FIRST = "4.6.0";

/** First release that reads a header of this version. 4.17 had a header 1 of another layout, which no later release reads. */
const headers: readonly string[] = [FIRST, "4.18.0", "4.20.0", "4.21.0"];

/** ProtoHEFExtensionType, and the first release that accepts a file which needs it; without one, none does. */
const extensions: Readonly<Record<number, readonly [name: string, since?: string]>> = {
  0: ["ABBALE", FIRST],
  1: ["POSTED_WRITES", FIRST],
  2: ["DDR", FIRST],
  3: ["PADDED_DDR_BUFFERS", FIRST],
  4: ["IS_MULTI_CONTEXTS", FIRST],
  5: ["COMPRESSED_PARAMS", FIRST],
  6: ["TRANSPOSE_COMPONENT", FIRST],
  7: ["TEST_ONE"],
  8: ["MULTI_NETWORK_VARIABLE_BATCH_SIZE"],
  9: ["IS_NMS_MULTI_CONTEXT", FIRST],
  10: ["OFFLOAD_ARGMAX", FIRST],
  11: ["HW_PADDING", "4.16.0"],
  12: ["KO_RUN_ASAP", "4.7.0"],
  13: ["HAILO_NET_FLOW", "4.12.0"],
  14: ["HAILO_NET_FLOW_YOLOV5_NMS", "4.12.0"],
  15: ["HAILO_NET_FLOW_YOLOX_NMS", "4.14.0"],
  16: ["HAILO_NET_FLOW_SSD_NMS", "4.14.0"],
  17: ["HAILO_NET_FLOW_IOU_NMS", "4.15.0"],
  18: ["WRITE_DATA_BY_TYPE", "4.14.0"],
  19: ["NMS_OUTPUT_BURST", "4.14.0"],
  20: ["DUAL_DIRECTION_STREAM_INDEX", "4.14.0"],
  21: ["HAILO_NET_FLOW_ARGMAX", "4.14.0"],
  22: ["HAILO_NET_FLOW_SOFTMAX", "4.14.0"],
  23: ["ALIGNED_FORMAT_TYPE", "4.14.0"],
  24: ["HAILO_NET_FLOW_YOLOV5_SEG_NMS", "4.15.0"],
  25: ["OUTPUT_SCALE_PER_FEATURE", "4.14.0"],
  26: ["PERIPH_CALCULATION_IN_HAILORT", "4.14.0"],
  27: ["HAILO_NET_FLOW_YOLOV8_NMS", "4.16.0"],
  28: ["BATCH_REGISTER_CONFIG", "4.17.0"],
  29: ["HAILO_NET_FLOW_BBOX_DECODING", "4.17.0"],
  30: ["CCW_PTR_SQUEEZE", "4.21.0"],
  31: ["EXTERNAL_RESOURCES", "4.21.0"],
  32: ["SHARED_CONFIG", "4.21.0"],
  33: ["CSM_CRC", "5.0.1"],
  34: ["ENABLE_CONFIG_CHANNELS", "5.0.1"],
  35: ["STRICT_RUNTIME_VERSIONING", "5.0.0"],
};
const PERIPH = 26;
const STRICT = 35;

/** From 4.21 on a file without PERIPH_CALCULATION_IN_HAILORT is refused as outdated. */
const LAST_WITHOUT_PERIPH = "4.20.1";

export const extensionName = (index: number): string => extensions[index]?.[0] ?? `extension ${index}`;

interface Arch {
  readonly name: string;
  /** Chips of the catalogue that take it, each by its maker's name. */
  readonly chips: readonly (readonly [chip: string, says: string])[];
  readonly refusedBy?: string;
  /** First release that knows the target. */
  readonly since?: string;
}

const sameId =
  "a Hailo-8L, which has the Hailo-8's PCI id and refuses the file: hailortcli fw-control identify tells which it is";
const hailo8 = (name: string): Arch => ({ name, chips: [["hailo8", "Hailo-8"]], refusedBy: sameId });
const large = (name: string): Arch => ({
  name,
  chips: [
    ["hailo15", "Hailo-15H"],
    ["hailo10h", "Hailo-10H"],
  ],
});

/** ProtoHEFHwArch. Without a word a chip is of no product: an engineering sample. */
const archs: Readonly<Record<number, Arch>> = {
  0: hailo8("HAILO8"),
  1: hailo8("HAILO8P"),
  2: hailo8("HAILO8R"),
  3: {
    name: "HAILO8L",
    chips: [["hailo8", "Hailo-8L, and Hailo-8 at lower performance"]],
    since: "4.10.0",
  },
  4: {
    name: "HAILO15M",
    chips: [
      ["hailo15", "Hailo-15M, and Hailo-15H at lower performance"],
      ["hailo10h", "Hailo-10H"],
    ],
    since: "4.16.0",
  },
  5: { name: "HAILO10H", chips: [["hailo10h", "Hailo-10H"]], since: "4.18.0" },
  6: { name: "HAILO15L", chips: [["hailo15l", "Hailo-15L"]], since: "4.20.0" },
  100: { name: "SAGE_A0", chips: [] },
  101: hailo8("SAGE_B0"),
  102: hailo8("PAPRIKA_B0"),
  103: large("HAILO1XH"),
  104: large("GINGER"),
  105: large("LAVENDER"),
  106: { name: "PLUTO", chips: [["hailo15l", "Hailo-15L"]], since: "4.20.0" },
  108: { name: "MARS", chips: [["hailo12l", "Hailo-12L"]], since: "5.0.0" },
};

export function targetsOf(arch: number): readonly Target[] {
  const known = archs[arch];
  if (known === undefined) return [{ family: "hailo", says: `hw_arch ${arch}` }];
  if (known.chips.length === 0) return [{ family: "hailo", says: known.name }];
  return known.chips.map(([chip, says]) => ({
    family: "hailo",
    chip,
    says: `${known.name} (${says})`,
    ...(known.refusedBy === undefined ? {} : { refusedBy: known.refusedBy }),
  }));
}

/** What a HEF says that a HailoRT must be able to do. */
export interface Needs {
  readonly header: number;
  readonly arch: number;
  /** Undefined where the file's message could not be read: then nothing is concluded from what is not in it. */
  readonly extensions: readonly number[] | undefined;
  /** Release of the compiler as numbers; HailoRT compares the first two where the file is strict. */
  readonly compiler?: string;
}

export function requirementsOf({ header, arch, extensions: used, compiler }: Needs): readonly Requirement[] {
  const what = "HailoRT";
  const requires: Requirement[] = [];
  const known = archs[arch];
  const since = [headers[header], known?.since, ...(used ?? []).map((index) => extensions[index]?.[1])];
  const least = since.reduce<string>(
    (best, one) => (compareVersions(one ?? FIRST, best) > 0 ? (one ?? best) : best),
    FIRST,
  );
  if (least !== FIRST) requires.push({ what, relation: "at least", version: least });
  if (used !== undefined && !used.includes(PERIPH)) {
    requires.push({ what, relation: "at most", version: LAST_WITHOUT_PERIPH });
  }
  if (known?.chips.some(([chip]) => chip === "hailo8") === true) {
    // Releases 5 serve the Hailo-10 and Hailo-15 only (README of the master branch).
    requires.push({ what, relation: "series", version: "4" });
  } else if (known !== undefined && known.chips.length > 0 && compareVersions(least, "5") < 0) {
    // 4.22 and 4.23 refuse what is for other chips than the Hailo-8's, and ask for HailoRT 5.
    for (const version of ["4.22", "4.23"]) requires.push({ what, relation: "other than", version });
  }
  const series = /^\d+\.\d+/.exec(compiler ?? "")?.[0];
  if (used?.includes(STRICT) === true && series !== undefined)
    requires.push({ what, relation: "series", version: series });
  return requires;
}

/** Extensions that no published release accepts. */
export const unknownExtensions = (used: readonly number[]): readonly number[] =>
  used.filter((index) => extensions[index]?.[1] === undefined);
