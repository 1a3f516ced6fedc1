/**
 * AMD XDNA. include/uapi/drm/amdxdna_accel.h, DRM_IOCTL_AMDXDNA_GET_INFO: every question resumes the NPU
 * (drivers/accel/amdxdna/aie2_pci.c), so all of them wait for leave. Newer devices (AIE4) answer AIE_METADATA only.
 */

import { absent, chain, map, read, type Reading } from "../../base/reading.ts";
import * as uapi from "../../uapi/amdxdna.ts";
import { numberIn, textIn, type FieldOf, type Layout } from "../../uapi/layout.ts";
import { named, sayBuffered, type Answers, type BufferedAnswer, type Say } from "./conversation.ts";

/** Power and one per column; the widest array known has 8 columns. */
const MOST_SENSORS = 32;

const powerModes = new Map([
  [uapi.POWER_MODE_DEFAULT, "default"],
  [uapi.POWER_MODE_LOW, "low"],
  [uapi.POWER_MODE_MEDIUM, "medium"],
  [uapi.POWER_MODE_HIGH, "high"],
  [uapi.POWER_MODE_TURBO, "turbo"],
]);

export function askAmdxdna(say: Say): Answers {
  const info = (name: string, param: number, room: number): Reading<BufferedAnswer> =>
    sayBuffered(say, {
      name: `DRM_IOCTL_AMDXDNA_GET_INFO ${name}`,
      code: uapi.DRM_IOCTL_AMDXDNA_GET_INFO,
      layout: uapi.amdxdna_drm_get_info,
      values: { param, buffer_size: room },
      pointer: "buffer",
      room,
      wakes: true,
    });
  const metadata = info("AIE_METADATA", uapi.DRM_AMDXDNA_QUERY_AIE_METADATA, uapi.amdxdna_drm_query_aie_metadata.size);
  const aie = info("AIE_VERSION", uapi.DRM_AMDXDNA_QUERY_AIE_VERSION, uapi.amdxdna_drm_query_aie_version.size);
  const clock = info(
    "CLOCK_METADATA",
    uapi.DRM_AMDXDNA_QUERY_CLOCK_METADATA,
    uapi.amdxdna_drm_query_clock_metadata.size,
  );
  const firmware = info(
    "FIRMWARE_VERSION",
    uapi.DRM_AMDXDNA_QUERY_FIRMWARE_VERSION,
    uapi.amdxdna_drm_query_firmware_version.size,
  );
  const mode = info("POWER_MODE", uapi.DRM_AMDXDNA_GET_POWER_MODE, uapi.amdxdna_drm_get_power_mode.size);
  const resource = info("RESOURCE_INFO", uapi.DRM_AMDXDNA_QUERY_RESOURCE_INFO, uapi.amdxdna_drm_get_resource_info.size);
  const sensors = info("SENSORS", uapi.DRM_AMDXDNA_QUERY_SENSORS, MOST_SENSORS * uapi.amdxdna_drm_query_sensor.size);
  const megahertz = (field: FieldOf<typeof uapi.amdxdna_drm_query_clock_metadata>): Reading<number> =>
    map(numberOf(clock, uapi.amdxdna_drm_query_clock_metadata, field), (mhz) => mhz * 1e6);

  return {
    columns: numberOf(metadata, uapi.amdxdna_drm_query_aie_metadata, "cols"),
    rows: numberOf(metadata, uapi.amdxdna_drm_query_aie_metadata, "rows"),
    core_rows: numberOf(metadata, uapi.amdxdna_drm_query_aie_metadata, "core.row_count"),
    memory_rows: numberOf(metadata, uapi.amdxdna_drm_query_aie_metadata, "mem.row_count"),
    shim_rows: numberOf(metadata, uapi.amdxdna_drm_query_aie_metadata, "shim.row_count"),
    aie_version: dotted(aie, uapi.amdxdna_drm_query_aie_version, ["major", "minor"]),
    firmware_version: dotted(firmware, uapi.amdxdna_drm_query_firmware_version, ["major", "minor", "patch", "build"]),
    mp_npu_clock_hertz: megahertz("mp_npu_clock.freq_mhz"),
    h_clock_hertz: megahertz("h_clock.freq_mhz"),
    power_mode: named(numberOf(mode, uapi.amdxdna_drm_get_power_mode, "power_mode"), powerModes),
    npu_tops_max: numberOf(resource, uapi.amdxdna_drm_get_resource_info, "npu_tops_max"),
    npu_tops_current: numberOf(resource, uapi.amdxdna_drm_get_resource_info, "npu_tops_curr"),
    npu_tasks_max: numberOf(resource, uapi.amdxdna_drm_get_resource_info, "npu_task_max"),
    npu_tasks_current: numberOf(resource, uapi.amdxdna_drm_get_resource_info, "npu_task_curr"),
    ...sensorsOf(sensors),
  };
}

function numberOf<L extends Layout>(answer: Reading<BufferedAnswer>, layout: L, field: FieldOf<L>): Reading<number> {
  return chain(answer, ({ written }, from) => numberIn(layout, field, written, from));
}

function dotted<L extends Layout>(
  answer: Reading<BufferedAnswer>,
  layout: L,
  fields: readonly FieldOf<L>[],
): Reading<string> {
  return chain(answer, ({ written }, from) => {
    const numbers: number[] = [];
    for (const field of fields) {
      const number = numberIn(layout, field, written, from);
      if (number.state !== "read") return number;
      numbers.push(number.value);
    }
    return read(numbers.join("."), from);
  });
}

/**
 * power_watts, and column_<i>_utilization_ratio in the driver's order. Early out-of-tree drivers gave a made-up power and did not
 * say how much they wrote: an unchanged buffer_size is no answer.
 */
function sensorsOf(answer: Reading<BufferedAnswer>): Answers {
  if (answer.state !== "read") return { power_watts: answer };
  const { from } = answer;
  const { struct, written } = answer.value;
  const layout = uapi.amdxdna_drm_query_sensor;
  const size = numberIn(uapi.amdxdna_drm_get_info, "buffer_size", struct, from);
  if (size.state !== "read" || size.value >= MOST_SENSORS * layout.size) {
    return { power_watts: absent(from, "this driver does not say how many sensors it has") };
  }
  const sensors: Record<string, Reading<number>> = {};
  let column = 0;
  const end = Math.min(size.value, written.length);
  for (let start = 0; start + layout.fields.type.offset < end; start += layout.size) {
    const scale = numberIn(layout, "unitm", written, from, start);
    const value = chain(numberIn(layout, "input", written, from, start), (input) =>
      map(scale, (exponent) => Number((input * 10 ** exponent).toPrecision(12))),
    );
    const type = numberIn(layout, "type", written, from, start);
    const units = textIn(layout, "units", written, from, start);
    if (type.state !== "read" || units.state !== "read") break;
    if (type.value === uapi.AMDXDNA_SENSOR_TYPE_POWER && /^m?W$/.test(units.value)) sensors["power_watts"] ??= value;
    if (type.value === uapi.AMDXDNA_SENSOR_TYPE_COLUMN_UTILIZATION && units.value === "%") {
      sensors[`column_${column++}_utilization_ratio`] = map(value, (percent) => percent / 100);
    }
  }
  return { power_watts: absent(from, "no power sensor among the answers"), ...sensors };
}
