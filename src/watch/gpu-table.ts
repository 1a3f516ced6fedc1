/**
 * gpu_metrics: the table that amdgpu's firmware fills, as the kernel gives it: a header (size, format, content) and a structure of its
 * version. drivers/gpu/drm/amd/include/kgd_pp_interface.h; attributes of v1.9: drivers/gpu/drm/amd/pm/swsmu/smu_cmn.h
 */

import { malformed, read, absent, type Reading } from "../base/reading.ts";

/** Values by the header's names; of an array its members. What the firmware does not fill has all bits set and is left out. */
export type GpuTable = ReadonlyMap<string, readonly bigint[]>;

/** The largest known (v1.8) has 3,872 bytes; sysfs gives a page at most. */
const TABLE_LIMIT = 65_536;
const HEADER = 4;

/** Types and names in the header's order, as far as is needed; `[n]` is an array. Fields lie where C's natural alignment puts them. */
const HEAT_1 =
  "temperature_edge temperature_hotspot temperature_mem temperature_vrgfx temperature_vrsoc temperature_vrmem";
const LOAD_1 = "average_gfx_activity average_umc_activity average_mm_activity average_socket_power";
const CLOCKS_1 =
  "average_gfxclk_frequency average_socclk_frequency average_uclk_frequency average_vclk0_frequency average_dclk0_frequency " +
  "average_vclk1_frequency average_dclk1_frequency current_gfxclk current_socclk current_uclk current_vclk0 current_dclk0 " +
  "current_vclk1 current_dclk1";
const V1_0 =
  `u64 system_clock_counter u16 ${HEAT_1} ${LOAD_1} u32 energy_accumulator u16 ${CLOCKS_1} u32 throttle_status ` +
  "u16 current_fan_speed u8 pcie_link_width pcie_link_speed";
const V1_1 =
  `u16 ${HEAT_1} ${LOAD_1} u64 energy_accumulator system_clock_counter u16 ${CLOCKS_1} u32 throttle_status u16 current_fan_speed ` +
  "pcie_link_width pcie_link_speed padding u32 gfx_activity_acc mem_activity_acc u16 temperature_hbm[4]";
const V1_2 = `${V1_1} u64 firmware_timestamp`;
const V1_3 = `${V1_2} u16 voltage_soc voltage_gfx voltage_mem padding1 u64 indep_throttle_status`;

const START_14 =
  "u16 temperature_hotspot temperature_mem temperature_vrsoc curr_socket_power average_gfx_activity average_umc_activity";
const COUNTERS_14 = "u64 energy_accumulator system_clock_counter";
const LINK_14 = "u32 gfxclk_lock_status u16 pcie_link_width pcie_link_speed";
const RESIDENCY =
  "u32 accumulation_counter prochot_residency_acc ppt_residency_acc socket_thm_residency_acc vr_thm_residency_acc hbm_thm_residency_acc";
const V1_4 = `${START_14} vcn_activity[4] ${COUNTERS_14} u32 throttle_status ${LINK_14}`;
const V1_5 = `${START_14} vcn_activity[4] jpeg_activity[32] ${COUNTERS_14} u32 throttle_status ${LINK_14}`;
const V1_6 = `${START_14} ${COUNTERS_14} ${RESIDENCY} ${LINK_14}`;
/** Before activities moved into the partitions' part. */
const V1_6_EARLY = `${START_14} vcn_activity[4] jpeg_activity[32] ${COUNTERS_14} ${RESIDENCY} u32 throttle_status ${LINK_14}`;
const V1_7 = `${START_14} u64 mem_max_bandwidth ${COUNTERS_14.slice("u64 ".length)} ${RESIDENCY} ${LINK_14}`;

const HEAT_2 = "temperature_gfx temperature_soc temperature_core[8] temperature_l3[2]";
const LOAD_2 = "average_gfx_activity average_mm_activity";
const POWER_2 = "average_socket_power average_cpu_power average_soc_power average_gfx_power average_core_power[8]";
const CLOCKS_2 =
  "average_gfxclk_frequency average_socclk_frequency average_uclk_frequency average_fclk_frequency average_vclk_frequency " +
  "average_dclk_frequency current_gfxclk current_socclk current_uclk current_fclk current_vclk current_dclk current_coreclk[8] " +
  "current_l3clk[2]";
const V2_0 = `u64 system_clock_counter u16 ${HEAT_2} ${LOAD_2} ${POWER_2} ${CLOCKS_2} u32 throttle_status u16 fan_pwm padding`;
const V2_1 = `u16 ${HEAT_2} ${LOAD_2} u64 system_clock_counter u16 ${POWER_2} ${CLOCKS_2} u32 throttle_status u16 fan_pwm padding[3]`;
const V2_2 = `${V2_1} u64 indep_throttle_status`;

const V3_0 =
  "u16 temperature_gfx temperature_soc temperature_core[16] temperature_skin average_gfx_activity average_vcn_activity " +
  "average_ipu_activity[8] average_core_c0_activity[16] average_dram_reads average_dram_writes average_ipu_reads average_ipu_writes " +
  "u64 system_clock_counter u32 average_socket_power u16 average_ipu_power u32 average_apu_power average_gfx_power average_dgpu_power " +
  "average_all_core_power u16 average_core_power[16] average_sys_power stapm_power_limit current_stapm_power_limit " +
  "average_gfxclk_frequency average_socclk_frequency average_vpeclk_frequency average_ipuclk_frequency average_fclk_frequency " +
  "average_vclk_frequency average_uclk_frequency average_mpipu_frequency current_coreclk[16] current_core_maxfreq current_gfx_maxfreq " +
  "u32 throttle_residency_prochot throttle_residency_spl throttle_residency_fppt throttle_residency_sppt throttle_residency_thm_core " +
  "throttle_residency_thm_gfx throttle_residency_thm_soc time_filter_alphavalue";

/**
 * By version and size, as a compiler of 64-bit machines lays the whole structures out: another size is another structure (a kernel of
 * 32 bit, or v1.6 before it changed), and no field of it is where it is looked for.
 */
const LAYOUTS: Readonly<Record<string, string>> = {
  "1.0 of 80": V1_0,
  "1.1 of 96": V1_1,
  "1.2 of 104": V1_2,
  "1.3 of 120": V1_3,
  "1.4 of 288": V1_4,
  "1.5 of 360": V1_5,
  "1.6 of 384": V1_6_EARLY,
  "1.6 of 1664": V1_6,
  "1.7 of 2208": V1_7,
  "1.8 of 3872": V1_7,
  "2.0 of 120": V2_0,
  "2.1 of 120": V2_1,
  "2.2 of 128": V2_2,
  "2.3 of 152": V2_2,
  "2.4 of 168": V2_2,
  "3.0 of 264": V3_0,
};

export interface Parsed {
  /** "1.3" */
  readonly version: string;
  readonly values: GpuTable;
}

export function parseGpuTable(bytes: Uint8Array, from: string): Reading<Parsed> {
  if (bytes.length < HEADER) return malformed(from, `${bytes.length} bytes, less than a header`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = view.getUint16(0, true);
  const version = `${view.getUint8(2)}.${view.getUint8(3)}`;
  if (size < HEADER || size > bytes.length || bytes.length > TABLE_LIMIT) {
    return malformed(from, `the table says ${size} bytes and has ${bytes.length}`);
  }
  if (version === "1.9") return attributes(view, size, from);
  const layout = LAYOUTS[`${version} of ${size}`];
  if (layout === undefined) {
    return absent(from, `its table of version ${version} with ${size} bytes is not known here`);
  }
  const fields = layoutOf(layout);
  const values = new Map<string, readonly bigint[]>();
  for (const { name, at, width, count } of fields) keep(values, name, numbers(view, at, width, count, false));
  return read({ version, values }, from);
}

interface Field {
  readonly name: string;
  readonly at: number;
  readonly width: number;
  readonly count: number;
}

const known = new Map<string, readonly Field[]>();

/** Offsets as a C compiler of 64-bit machines lays them out. */
export function layoutOf(layout: string): readonly Field[] {
  const kept = known.get(layout);
  if (kept !== undefined) return kept;
  const fields: Field[] = [];
  let [at, width] = [HEADER, 1];
  for (const word of layout.split(" ")) {
    const bits = /^u(8|16|32|64)$/.exec(word)?.[1];
    if (bits !== undefined) {
      width = Number(bits) / 8;
      continue;
    }
    const [, name = word, count = "1"] = /^(\w+)\[(\d+)\]$/.exec(word) ?? [];
    at = Math.ceil(at / width) * width;
    fields.push({ name, at, width, count: Number(count) });
    at += width * Number(count);
  }
  known.set(layout, fields);
  return fields;
}

function numbers(view: DataView, at: number, width: number, count: number, signed: boolean): readonly bigint[] {
  return Array.from({ length: count }, (_, i) => {
    let value = 0n;
    for (let byte = width - 1; byte >= 0; byte--) value = (value << 8n) | BigInt(view.getUint8(at + i * width + byte));
    return signed ? BigInt.asIntN(width * 8, value) : value;
  }).filter((value) => value !== (signed ? -1n : (1n << BigInt(width * 8)) - 1n));
}

function keep(values: Map<string, readonly bigint[]>, name: string, found: readonly bigint[]): void {
  if (found.length > 0) values.set(name, found);
}

/** AMDGPU_METRICS_ATTR_ID_*, as far as is needed; in the order of the enumeration up to gfxclk_lock_status and the link. */
const ATTRIBUTES = [
  "temperature_hotspot",
  "temperature_mem",
  "temperature_vrsoc",
  "curr_socket_power",
  "average_gfx_activity",
  "average_umc_activity",
  "mem_max_bandwidth",
  "energy_accumulator",
  "system_clock_counter",
  "accumulation_counter",
  "prochot_residency_acc",
  "ppt_residency_acc",
  "socket_thm_residency_acc",
  "vr_thm_residency_acc",
  "hbm_thm_residency_acc",
  "gfxclk_lock_status",
  "pcie_link_width",
  "pcie_link_speed",
];
/** AMDGPU_METRICS_TYPE_*: u8, s8, u16 ... s64. */
const WIDTHS = [1, 1, 2, 2, 4, 4, 8, 8];
/** Some fifty are defined. */
const ATTRIBUTE_LIMIT = 4096;

/** v1.9: a count, then for each attribute its encoding (unit, type, id, number of values) and the values, without gaps. */
function attributes(view: DataView, size: number, from: string): Reading<Parsed> {
  const cut = malformed(from, "an attribute reaches past the end of the table");
  if (size < HEADER + 4) return cut;
  const count = view.getInt32(HEADER, true);
  if (count < 0 || count > ATTRIBUTE_LIMIT) return malformed(from, `${count} attributes`);
  const values = new Map<string, readonly bigint[]>();
  let at = HEADER + 4;
  for (let i = 0; i < count; i++) {
    if (at + 8 > size) return cut;
    const encoding = view.getUint32(at, true);
    const width = WIDTHS[(encoding >>> 20) & 0xf];
    const members = encoding & 0x3ff;
    if (width === undefined) return malformed(from, `an attribute of type ${(encoding >>> 20) & 0xf}`);
    at += 8;
    if (at + width * members > size) return cut;
    const name = ATTRIBUTES[(encoding >>> 10) & 0x3ff];
    if (name !== undefined) keep(values, name, numbers(view, at, width, members, ((encoding >>> 20) & 1) === 1));
    at += width * members;
  }
  return read({ version: "1.9", values }, from);
}
