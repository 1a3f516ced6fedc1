// Writes src/uapi/<name>.ts: request numbers, constants and struct layouts, measured by the C compiler from the kernel's headers.
// `--headers DIR` names an include directory (default /usr/include): unpack a newer linux-libc-dev with dpkg-deb -x for it.
// `--check` writes nothing and fails when what is committed differs. A header that DIR lacks leaves its file alone.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { format } from "prettier";
import { top } from "./ready.mjs";

// What we ask and read, nothing more. A struct's fields as the header spells them; a dot goes into a nested struct.
const files = [
  {
    name: "drm",
    header: "drm/drm.h",
    requests: ["DRM_IOCTL_VERSION"],
    constants: [],
    structs: {
      drm_version: ["version_major version_minor version_patchlevel name_len name date_len date desc_len desc"],
    },
  },
  {
    name: "ivpu",
    header: "drm/ivpu_accel.h",
    requests: ["DRM_IOCTL_IVPU_GET_PARAM"],
    constants: [
      "DRM_IVPU_PARAM_DEVICE_ID DRM_IVPU_PARAM_DEVICE_REVISION DRM_IVPU_PARAM_PLATFORM_TYPE",
      "DRM_IVPU_PARAM_CORE_CLOCK_RATE DRM_IVPU_PARAM_NUM_CONTEXTS DRM_IVPU_PARAM_FW_API_VERSION",
      "DRM_IVPU_PARAM_TILE_CONFIG DRM_IVPU_PARAM_SKU DRM_IVPU_PARAM_CAPABILITIES DRM_IVPU_PARAM_PREEMPT_BUFFER_SIZE",
      "DRM_IVPU_PLATFORM_TYPE_SILICON DRM_IVPU_CAP_METRIC_STREAMER DRM_IVPU_CAP_DMA_MEMORY_RANGE",
      "DRM_IVPU_CAP_MANAGE_CMDQ DRM_IVPU_CAP_BO_CREATE_FROM_USERPTR",
    ],
    structs: { drm_ivpu_param: ["param index value"] },
  },
  {
    name: "amdxdna",
    header: "drm/amdxdna_accel.h",
    requests: ["DRM_IOCTL_AMDXDNA_GET_INFO"],
    constants: [
      "DRM_AMDXDNA_QUERY_AIE_METADATA DRM_AMDXDNA_QUERY_AIE_VERSION DRM_AMDXDNA_QUERY_CLOCK_METADATA",
      "DRM_AMDXDNA_QUERY_SENSORS DRM_AMDXDNA_QUERY_FIRMWARE_VERSION DRM_AMDXDNA_GET_POWER_MODE",
      "DRM_AMDXDNA_QUERY_RESOURCE_INFO AMDXDNA_SENSOR_TYPE_POWER AMDXDNA_SENSOR_TYPE_COLUMN_UTILIZATION",
      "POWER_MODE_DEFAULT POWER_MODE_LOW POWER_MODE_MEDIUM POWER_MODE_HIGH POWER_MODE_TURBO",
    ],
    structs: {
      amdxdna_drm_get_info: ["param buffer_size buffer"],
      amdxdna_drm_query_aie_version: ["major minor"],
      amdxdna_drm_query_aie_metadata: [
        "col_size cols rows version.major version.minor core.row_count mem.row_count shim.row_count",
      ],
      amdxdna_drm_query_clock_metadata: ["mp_npu_clock.name mp_npu_clock.freq_mhz h_clock.name h_clock.freq_mhz"],
      amdxdna_drm_query_sensor: ["label input max average highest status units unitm type"],
      amdxdna_drm_query_firmware_version: ["major minor patch build"],
      amdxdna_drm_get_power_mode: ["power_mode"],
      amdxdna_drm_get_resource_info: ["npu_clk_max npu_tops_max npu_task_max npu_tops_curr npu_task_curr"],
    },
  },
  {
    name: "habanalabs",
    header: "drm/habanalabs_accel.h",
    requests: ["DRM_IOCTL_HL_INFO"],
    constants: [
      "HL_INFO_HW_IP_INFO HL_INFO_DRAM_USAGE HL_INFO_DEVICE_STATUS HL_INFO_DEVICE_UTILIZATION HL_INFO_CLK_RATE",
      "HL_INFO_RESET_COUNT HL_INFO_POWER",
      "HL_DEVICE_STATUS_OPERATIONAL HL_DEVICE_STATUS_IN_RESET HL_DEVICE_STATUS_MALFUNCTION",
      "HL_DEVICE_STATUS_NEEDS_RESET HL_DEVICE_STATUS_IN_DEVICE_CREATION",
      "HL_DEVICE_STATUS_IN_RESET_AFTER_DEVICE_RELEASE",
    ],
    structs: {
      hl_info_args: ["return_pointer return_size op period_ms"],
      hl_info_hw_ip_info: [
        "dram_size sram_size device_id module_id server_type cpld_version dram_enabled security_enabled",
        "cpucp_version card_name tpc_enabled_mask_ext edma_enabled_mask revision_id reserved_dram_size",
      ],
      hl_info_device_status: ["status"],
      hl_info_device_utilization: ["utilization"],
      hl_info_dram_usage: ["dram_free_mem"],
      hl_info_clk_rate: ["cur_clk_rate_mhz max_clk_rate_mhz"],
      hl_info_reset_count: ["hard_reset_cnt soft_reset_cnt"],
      hl_power_info: ["power"],
    },
  },
  {
    // Before the driver moved to drivers/accel; the out-of-tree driver still has these nodes. Last in Linux 6.3's headers.
    name: "habanalabs-misc",
    header: "misc/habanalabs.h",
    requests: ["HL_IOCTL_INFO"],
    constants: [],
    structs: { hl_info_args: ["return_pointer return_size op period_ms"] },
  },
  {
    name: "ethosu",
    header: "drm/ethosu_accel.h",
    requests: ["DRM_IOCTL_ETHOSU_DEV_QUERY"],
    constants: ["DRM_ETHOSU_DEV_QUERY_NPU_INFO"],
    structs: {
      drm_ethosu_dev_query: ["type size pointer"],
      drm_ethosu_npu_info: ["id config sram_size pmu_counters"],
    },
  },
  {
    name: "qaic",
    header: "drm/qaic_accel.h",
    requests: ["DRM_IOCTL_QAIC_MANAGE"],
    constants: ["QAIC_TRANS_STATUS_FROM_USR QAIC_TRANS_STATUS_TO_USR"],
    structs: {
      qaic_manage_msg: ["len count data"],
      qaic_manage_trans_hdr: ["type len"],
      qaic_manage_trans_status_from_dev: ["hdr.type hdr.len major minor status status_flags"],
    },
  },
  {
    name: "fastrpc",
    header: "misc/fastrpc.h",
    requests: ["FASTRPC_IOCTL_GET_DSP_INFO"],
    constants: [],
    structs: { fastrpc_ioctl_capability: ["attribute_id capability"] },
  },
];

const words = (lines) => lines.flatMap((line) => line.split(" "));

const options = process.argv.slice(2);
const check = options.includes("--check");
const headers = options.includes("--headers") ? options[options.indexOf("--headers") + 1] : "/usr/include";
if (headers === undefined || !existsSync(join(headers, "linux"))) {
  process.stderr.write(`${headers}: no kernel headers there\n`);
  process.exit(3);
}

const work = mkdtempSync(join(tmpdir(), "uapi-"));
const stale = [];
try {
  const release = measure("#include <linux/version.h>", 'printf("%d", LINUX_VERSION_CODE);');
  const version = [release >> 16, (release >> 8) & 255, release & 255].join(".");
  for (const file of files) {
    if (!existsSync(join(headers, file.header))) {
      process.stderr.write(
        `left alone, no ${file.header} in ${headers} (Linux ${version}): src/uapi/${file.name}.ts\n`,
      );
      continue;
    }
    const facts = measure(`#include <linux/ioctl.h>\n#include <${file.header}>`, probe(file));
    if (facts === undefined) {
      process.stderr.write(
        `left alone, ${file.header} of Linux ${version} has not all we ask: src/uapi/${file.name}.ts\n`,
      );
      continue;
    }
    const path = `src/uapi/${file.name}.ts`;
    const text = await format(print(file, facts, version), { parser: "typescript", printWidth: 120 });
    const full = join(top, path);
    const sameFacts = (committed) => committed.replace(/^.*Generated.*$/m, "") === text.replace(/^.*Generated.*$/m, "");
    if (existsSync(full) && sameFacts(readFileSync(full, "utf8"))) continue;
    if (check) stale.push(path);
    else writeFileSync(full, text);
  }
} finally {
  rmSync(work, { recursive: true });
}
if (stale.length > 0) {
  process.stderr.write(`differ from ${headers}: ${stale.join(", ")}\n`);
  process.exit(1);
}

// The C statements that print one JSON object of all that a file wants to know.
function probe({ requests, constants, structs }) {
  const numbers = [...requests, ...words(constants)]
    .map((name) => `printf("\\"${name}\\": %lu,", (unsigned long)${name});`)
    .join("\n");
  const layouts = Object.entries(structs).map(([name, fields]) => {
    const lines = words(fields).map((field) => {
      const it = `((struct ${name} *)0)->${field}`;
      const signed = `_Generic(${it}, signed char: 1, short: 1, int: 1, long: 1, long long: 1, default: 0)`;
      return `printf("\\"${field}\\": [%zu, %zu, %d],", offsetof(struct ${name}, ${field}), sizeof(${it}), ${signed});`;
    });
    return `printf("\\"${name}\\": {\\"size\\": %zu, \\"fields\\": {", sizeof(struct ${name}));
      ${lines.join("\n")} printf("\\"\\": 0}},");`;
  });
  return `printf("{"); ${numbers} ${layouts.join("\n")} printf("\\"\\": 0}");`;
}

function measure(includes, statements) {
  const source = join(work, "probe.c");
  const program = join(work, "probe");
  writeFileSync(
    source,
    `#include <stddef.h>\n#include <stdio.h>\n${includes}\nint main(void) { ${statements} return 0; }\n`,
  );
  // The multiarch directory holds <asm/...>, which <linux/types.h> wants from the same release.
  const triplet = execFileSync("cc", ["-dumpmachine"], { encoding: "utf8" }).trim();
  const include = [headers, join(headers, triplet)].flatMap((path) => ["-isystem", path]);
  const compiled = spawnSync("cc", ["-std=gnu11", ...include, "-o", program, source], { encoding: "utf8" });
  if (compiled.status !== 0) {
    process.stderr.write(`${compiled.stderr.split("\n").find((line) => line.includes("error:")) ?? compiled.stderr}\n`);
    return undefined;
  }
  return JSON.parse(execFileSync(program, { encoding: "utf8" }));
}

function print(file, facts, version) {
  const lines = [
    `// Generated by tools/uapi.mjs from ${file.header} of Linux ${version}. Do not edit.`,
    "",
    `import type { Layout } from "./layout.ts";`,
    "",
    `/** The header, as a C program includes it. */`,
    `export const header = ${JSON.stringify(file.header)};`,
    "",
  ];
  for (const name of file.requests) lines.push(`export const ${name} = 0x${facts[name].toString(16)};`);
  for (const name of words(file.constants)) lines.push(`export const ${name} = ${facts[name]};`);
  for (const [name, layout] of Object.entries(file.structs).map(([key]) => [key, facts[key]])) {
    lines.push("", `export const ${name} = { size: ${layout.size}, fields: {`);
    for (const [field, place] of Object.entries(layout.fields)) {
      if (field === "") continue;
      const key = field.includes(".") ? JSON.stringify(field) : field;
      lines.push(`${key}: { offset: ${place[0]}, size: ${place[1]}${place[2] === 1 ? ", signed: true" : ""} },`);
    }
    lines.push("} } as const satisfies Layout;");
  }
  return `${lines.join("\n")}\n`;
}
