/** Decoders on answers as drivers give them; the drivers are functions here, laid out by the same uapi the compiler checks. */

import { describe, expect, test } from "vitest";

import { absent, denied, read, uncaptured, type Reading } from "../../src/base/reading.ts";
import { driverVersion } from "../../src/facts/queries/rknpu.ts";
import { drmVersion, HELD_BACK, queryNode, type NodeQuery } from "../../src/facts/queries.ts";
import type { DeviceNode } from "../../src/facts/nodes.ts";
import { NO_ANSWER } from "../../src/root/ioctl.ts";
import type { Answer, Ask, Root } from "../../src/root/root.ts";
import * as amdxdna from "../../src/uapi/amdxdna.ts";
import * as drm from "../../src/uapi/drm.ts";
import * as ethosu from "../../src/uapi/ethosu.ts";
import * as fastrpc from "../../src/uapi/fastrpc.ts";
import { HL_IOCTL_INFO } from "../../src/uapi/habanalabs-misc.ts";
import * as habanalabs from "../../src/uapi/habanalabs.ts";
import * as ivpu from "../../src/uapi/ivpu.ts";
import { numberIn, pack, type Layout } from "../../src/uapi/layout.ts";
import * as qaic from "../../src/uapi/qaic.ts";
import * as rknpu from "../../src/uapi/rknpu.ts";
import { smallRoot } from "./small-root.ts";

/** What a driver does with a request: write into struct and buffers, or refuse. */
type Driver = (ask: Ask, struct: Uint8Array, buffers: Uint8Array[]) => "ok" | "unknown" | Reading<Answer>;

function machine(
  driver: Driver,
  options: { files?: Record<string, string>; kind?: "live" | "capture" } = {},
): { root: Root; asked: string[] } {
  const asked: string[] = [];
  const ask = (path: string, ask: Ask): Reading<Answer> => {
    asked.push(`${path} ${ask.name}`);
    const struct = ask.input.slice();
    const buffers = (ask.pointers ?? []).map(({ size, bytes }) => bytes?.slice() ?? new Uint8Array(size));
    const did = driver(ask, struct, buffers);
    if (did === "unknown") return absent(path, "ioctl: ENOTTY");
    return did === "ok" ? read({ struct, buffers }, path) : did;
  };
  return { root: { ...smallRoot(options.files ?? {}, { kind: options.kind ?? "live" }), ask }, asked };
}

function node(path: string, device?: string): DeviceNode {
  const unknown = absent(path);
  const kind = /^\/dev\/(accel|dri)\//.exec(path)?.[1];
  return {
    path,
    class: kind === "accel" ? "accel" : kind === "dri" ? "drm" : "misc",
    name: path.split("/").pop() ?? "",
    device: device === undefined ? absent(path) : read(device, path),
    major: unknown,
    minor: unknown,
    stat: unknown,
    group: unknown,
    owner: unknown,
    access: unknown,
  };
}

function versionOf(name: string, [major, minor, patch]: readonly number[], description = ""): Driver {
  return (ask, struct, buffers) => {
    if (ask.code !== drm.DRM_IOCTL_VERSION) return "unknown";
    const lengths = { name_len: name.length, desc_len: description.length };
    const versions = { version_major: major ?? 0, version_minor: minor ?? 0, version_patchlevel: patch ?? 0 };
    struct.set(pack(drm.drm_version, { ...versions, ...lengths }));
    // As the kernel: what fits, and the whole length.
    buffers[0]?.set(Buffer.from(name).subarray(0, buffers[0].length));
    buffers[2]?.set(Buffer.from(description).subarray(0, buffers[2].length));
    return "ok";
  };
}

/** First driver that knows the request. */
const either =
  (...drivers: Driver[]): Driver =>
  (...of) =>
    drivers.map((driver) => driver(...of)).find((did) => did !== "unknown") ?? "unknown";

function values(reading: Reading<NodeQuery>): Record<string, unknown> {
  if (reading.state !== "read") return { reading };
  return Object.fromEntries(
    Object.entries(reading.value.answers).map(([name, answer]) => [
      name,
      answer.state === "read" ? answer.value : answer.state,
    ]),
  );
}

const field = (layout: Layout, name: string, bytes: Uint8Array): number => {
  const value = numberIn(layout, name, bytes, "");
  return value.state === "read" ? value.value : NaN;
};

describe("DRM_IOCTL_VERSION", () => {
  test("gives name, version and description in one question", () => {
    const { root, asked } = machine(versionOf("rknpu", [0, 9, 8], "RKNPU driver"));
    expect(drmVersion(root, "/dev/dri/renderD129")).toEqual({
      state: "read",
      from: "/dev/dri/renderD129 DRM_IOCTL_VERSION",
      value: { name: "rknpu", major: 0, minor: 9, patch: 8, date: "", description: "RKNPU driver" },
    });
    expect(asked).toHaveLength(1);
  });

  test("with texts longer than our room shows what fits", () => {
    const { root } = machine(versionOf("x".repeat(300), [1, 0, 0]));
    expect(drmVersion(root, "/dev/dri/card0")).toMatchObject({ value: { name: "x".repeat(64) } });
  });

  test("recorded short, or with a length beyond its buffer, is malformed or cut, never an exception", () => {
    for (const length of [0, 8, 30]) {
      const { root } = machine(() => read({ struct: new Uint8Array(length), buffers: [] }, ""));
      expect(drmVersion(root, "/dev/dri/card0")).toMatchObject({ state: "malformed" });
    }
    const { root } = machine((_, struct, buffers) => {
      struct.fill(0xff);
      buffers[0]?.fill(0x41);
      return "ok";
    });
    expect(drmVersion(root, "/dev/dri/card0")).toMatchObject({ state: "malformed" });
  });
});

describe("which node is asked what", () => {
  test("a driver that only has DRM's question is named and has no answers", () => {
    const { root, asked } = machine(versionOf("rocket", [1, 0, 0], "rocket DRM"));
    const answer = queryNode(root, node("/dev/accel/accel0", "/sys/devices/platform/rknn"), undefined, true);
    expect(answer).toMatchObject({ state: "read", value: { driver: "rocket", answers: {} } });
    expect(asked).toEqual(["/dev/accel/accel0 DRM_IOCTL_VERSION"]);
  });

  test("a Gaudi's compute node is not opened, whether its driver or only its PCI vendor is known", () => {
    const { root, asked } = machine(versionOf("habanalabs", [1, 0, 0]), {
      files: { "/sys/devices/pci/0000:19:00.0/vendor": "0x1da3\n" },
    });
    const accel = node("/dev/accel/accel0", "/sys/devices/pci/0000:19:00.0");
    expect(queryNode(root, accel, "habanalabs", true)).toMatchObject({ state: "uncaptured" });
    expect(queryNode(root, accel, undefined, true)).toMatchObject({ state: "uncaptured" });
    expect(queryNode(root, node("/dev/accel/accel0"), undefined, true)).toMatchObject({ state: "uncaptured" });
    expect(asked).toEqual([]);
  });

  test("a card node is asked on its render node", () => {
    const { root, asked } = machine(versionOf("amdgpu", [3, 64, 0]), {
      files: { "/sys/devices/gpu/drm/card1/dev": "226:1", "/sys/devices/gpu/drm/renderD128/dev": "226:128" },
    });
    const answer = queryNode(root, node("/dev/dri/card1", "/sys/devices/gpu"), "amdgpu", false);
    expect(answer).toMatchObject({ state: "read", value: { path: "/dev/dri/renderD128", drm: { state: "read" } } });
    expect(asked).toEqual(["/dev/dri/renderD128 DRM_IOCTL_VERSION"]);
  });

  test("a sleeping GPU is not woken by asking its name, a sleeping Intel NPU has no such care", () => {
    const files = { "/sys/devices/x/power/runtime_status": "suspended\n" };
    const gpu = machine(versionOf("nouveau", [1, 4, 0]), { files });
    const render = node("/dev/dri/renderD128", "/sys/devices/x");
    expect(queryNode(gpu.root, render, "nouveau", false)).toMatchObject({ state: "uncaptured", why: HELD_BACK });
    expect(gpu.asked).toEqual([]);
    expect(queryNode(gpu.root, render, "nouveau", true)).toMatchObject({ state: "read" });
    const npu = machine(versionOf("intel_vpu", [1, 0, 0]), { files });
    expect(queryNode(npu.root, node("/dev/accel/accel0", "/sys/devices/x"), "intel_vpu", false)).toMatchObject({
      state: "read",
      value: { drm: { state: "read" } },
    });
  });

  test("a node that may not be opened is denied once, not once per question", () => {
    const { root, asked } = machine(() => denied("", "open: EACCES"));
    const answer = queryNode(root, node("/dev/accel/accel0", "/sys/devices/x"), "intel_vpu", false);
    expect(answer).toMatchObject({ state: "denied", why: "open: EACCES" });
    expect(asked).toHaveLength(1);
  });

  test("a node nobody has a question for is absent and unopened", () => {
    const { root, asked } = machine(() => "ok");
    expect(queryNode(root, node("/dev/apex_0"), "apex", true)).toMatchObject({ state: "absent" });
    expect(asked).toEqual([]);
  });

  test("a capture without the answers says what the live machine says", () => {
    const version = versionOf("amdxdna_accel_driver", [0, 6, 0]);
    const unasked: Driver = () => uncaptured("", "was not asked");
    const accel = node("/dev/accel/accel0", "/sys/devices/x");
    const live = queryNode(machine(version).root, accel, "amdxdna", false);
    const replayed = queryNode(machine(either(version, unasked), { kind: "capture" }).root, accel, "amdxdna", false);
    expect(replayed).toEqual(live);
  });
});

describe("Intel NPU", () => {
  const params = new Map<number, number>([
    [ivpu.DRM_IVPU_PARAM_DEVICE_ID, 0x643e],
    [ivpu.DRM_IVPU_PARAM_PLATFORM_TYPE, ivpu.DRM_IVPU_PLATFORM_TYPE_SILICON],
    [ivpu.DRM_IVPU_PARAM_CORE_CLOCK_RATE, 1_950_000_000],
    [ivpu.DRM_IVPU_PARAM_FW_API_VERSION, (3 << 16) | 28],
    [ivpu.DRM_IVPU_PARAM_CAPABILITIES, 1],
  ]);
  const driver: Driver = (ask, struct) => {
    if (ask.code !== ivpu.DRM_IOCTL_IVPU_GET_PARAM) return "unknown";
    const value = params.get(field(ivpu.drm_ivpu_param, "param", struct));
    if (value === undefined) return absent("", "ioctl: EINVAL");
    struct.set(pack(ivpu.drm_ivpu_param, { value }));
    return "ok";
  };

  test("tells its parameters; those the kernel does not know yet are absent, not zero", () => {
    const { root } = machine(either(versionOf("intel_vpu", [1, 0, 0]), driver));
    const accel = node("/dev/accel/accel0", "/sys/devices/pci/0000:00:0b.0");
    expect(values(queryNode(root, accel, "intel_vpu", false))).toMatchObject({
      device_id: "0x643e",
      platform: "silicon",
      core_clock_hertz: 1_950_000_000,
      firmware_jsm_api: "3.28",
      can_stream_metrics: true,
      preempt_buffer_bytes: "absent",
      contexts: "absent",
    });
  });

  test("is never asked what wakes it or changes by asking", () => {
    const asked: number[] = [];
    const { root } = machine((ask, struct) => {
      if (ask.code === ivpu.DRM_IOCTL_IVPU_GET_PARAM) asked.push(field(ivpu.drm_ivpu_param, "param", struct));
      return versionOf("intel_vpu", [1, 0, 0])(ask, struct, []);
    });
    queryNode(root, node("/dev/accel/accel0", "/sys/devices/x"), "intel_vpu", true);
    expect(asked.length).toBeGreaterThan(5);
    expect(asked).not.toContain(9); // DRM_IVPU_PARAM_ENGINE_HEARTBEAT
    expect(asked).not.toContain(10); // DRM_IVPU_PARAM_UNIQUE_INFERENCE_ID
  });
});

describe("AMD XDNA", () => {
  const accel = node("/dev/accel/accel0", "/sys/devices/pci/0000:c4:00.1");
  const version = versionOf("amdxdna_accel_driver", [0, 6, 0], "AMD XDNA DRM implementation");
  const sensor = (of: { type: number; input: number; unitm: number; units: string }): Uint8Array => {
    const bytes = pack(amdxdna.amdxdna_drm_query_sensor, { type: of.type, input: of.input, unitm: of.unitm });
    bytes.set(Buffer.from(of.units), amdxdna.amdxdna_drm_query_sensor.fields.units.offset);
    return bytes;
  };
  const replies = new Map<number, Uint8Array[]>([
    [
      amdxdna.DRM_AMDXDNA_QUERY_AIE_METADATA,
      [pack(amdxdna.amdxdna_drm_query_aie_metadata, { cols: 8, rows: 6, "core.row_count": 4, "mem.row_count": 1 })],
    ],
    [
      amdxdna.DRM_AMDXDNA_QUERY_FIRMWARE_VERSION,
      [pack(amdxdna.amdxdna_drm_query_firmware_version, { major: 1, minor: 5, patch: 2, build: 380 })],
    ],
    [
      amdxdna.DRM_AMDXDNA_QUERY_CLOCK_METADATA,
      [pack(amdxdna.amdxdna_drm_query_clock_metadata, { "mp_npu_clock.freq_mhz": 792, "h_clock.freq_mhz": 1267 })],
    ],
    [amdxdna.DRM_AMDXDNA_GET_POWER_MODE, [pack(amdxdna.amdxdna_drm_get_power_mode, { power_mode: 4 })]],
    [
      amdxdna.DRM_AMDXDNA_QUERY_SENSORS,
      [
        sensor({ type: amdxdna.AMDXDNA_SENSOR_TYPE_POWER, input: 2345, unitm: -3, units: "mW" }),
        sensor({ type: amdxdna.AMDXDNA_SENSOR_TYPE_COLUMN_UTILIZATION, input: 40, unitm: 0, units: "%" }),
        sensor({ type: amdxdna.AMDXDNA_SENSOR_TYPE_COLUMN_UTILIZATION, input: 0, unitm: 0, units: "%" }),
      ],
    ],
  ]);
  const info =
    (tellSize: boolean): Driver =>
    (ask, struct, [buffer]) => {
      if (ask.code !== amdxdna.DRM_IOCTL_AMDXDNA_GET_INFO) return "unknown";
      const reply = replies.get(field(amdxdna.amdxdna_drm_get_info, "param", struct));
      if (reply === undefined) return absent("", "ioctl: EOPNOTSUPP");
      const bytes = Buffer.concat(reply);
      buffer?.set(bytes);
      if (tellSize) struct.set(pack(amdxdna.amdxdna_drm_get_info, { buffer_size: bytes.length }));
      return "ok";
    };

  test("is left asleep without leave", () => {
    const { root, asked } = machine(either(version, info(true)));
    const answer = queryNode(root, accel, "amdxdna", false);
    expect(asked).toEqual(["/dev/accel/accel0 DRM_IOCTL_VERSION"]);
    expect(new Set(Object.values(values(answer)))).toEqual(new Set(["uncaptured"]));
    expect(answer).toMatchObject({ value: { answers: { columns: { why: HELD_BACK } } } });
  });

  test("tells its array, firmware, clocks, power and load", () => {
    const { root } = machine(either(version, info(true)));
    expect(values(queryNode(root, accel, "amdxdna", true))).toMatchObject({
      columns: 8,
      rows: 6,
      core_rows: 4,
      firmware_version: "1.5.2.380",
      mp_npu_clock_hertz: 792_000_000,
      h_clock_hertz: 1_267_000_000,
      power_mode: "turbo",
      power_watts: 2.345,
      column_0_utilization_ratio: 0.4,
      column_1_utilization_ratio: 0,
      npu_tops_max: "absent",
    });
  });

  test("of a driver that does not say how many sensors it wrote gives no power", () => {
    const { root } = machine(either(version, info(false)));
    expect(values(queryNode(root, accel, "amdxdna", true))).toMatchObject({ columns: 8, power_watts: "absent" });
  });

  test("that hangs is asked once, and the rest says why it was not", () => {
    const hang: Driver = () => uncaptured("", `${NO_ANSWER} 5 s`);
    const { root, asked } = machine(either(version, hang));
    const answer = queryNode(root, accel, "amdxdna", true);
    expect(asked).toHaveLength(2);
    expect(answer).toMatchObject({
      value: {
        answers: {
          columns: { why: "no answer within 5 s" },
          firmware_version: { state: "uncaptured", why: expect.stringContaining("not asked: ") as string },
        },
      },
    });
  });
});

describe("Gaudi", () => {
  const card = pack(habanalabs.hl_info_hw_ip_info, {
    dram_size: 96 * 2 ** 30,
    sram_size: 48 * 2 ** 20,
    device_id: 0x1020,
    module_id: 3,
    reserved_dram_size: 0,
  });
  card.set(Buffer.from("HL-225B"), habanalabs.hl_info_hw_ip_info.fields.card_name.offset);
  card.set(Buffer.from("1.18.0-fw-53.1.1.1"), habanalabs.hl_info_hw_ip_info.fields.cpucp_version.offset);
  const gaudi =
    (code: number, cardBytes: Uint8Array): Driver =>
    (ask, struct, [buffer]) => {
      if (ask.code !== code) return "unknown";
      const op = field(habanalabs.hl_info_args, "op", struct);
      if (op === habanalabs.HL_INFO_HW_IP_INFO) buffer?.set(cardBytes);
      else if (op === habanalabs.HL_INFO_DEVICE_STATUS)
        buffer?.set(pack(habanalabs.hl_info_device_status, { status: 3 }));
      else if (op === habanalabs.HL_INFO_DEVICE_UTILIZATION && ask.wakes === true)
        buffer?.set(pack(habanalabs.hl_info_device_utilization, { utilization: 37 }));
      else return absent("", "ioctl: EOPNOTSUPP");
      return "ok";
    };

  test("answers on its control node, firmware's part only with leave", () => {
    const { root } = machine(gaudi(habanalabs.DRM_IOCTL_HL_INFO, card));
    const control = node("/dev/accel/accel_controlD0");
    expect(values(queryNode(root, control, "habanalabs", false))).toMatchObject({
      status: "needs reset",
      card_name: "HL-225B",
      firmware_version: "1.18.0-fw-53.1.1.1",
      dram_bytes: 96 * 2 ** 30,
      dram_reserved_bytes: 0,
      utilization_ratio: "uncaptured",
    });
    expect(values(queryNode(root, control, "habanalabs", true))).toMatchObject({ utilization_ratio: 0.37 });
  });

  test("of an older driver answers by the older number, and what its struct lacks is absent, not zero", () => {
    const { root } = machine(gaudi(HL_IOCTL_INFO, card.subarray(0, 256)));
    expect(values(queryNode(root, node("/dev/hl_controlD0"), undefined, false))).toMatchObject({
      card_name: "HL-225B",
      dram_bytes: 96 * 2 ** 30,
      dram_reserved_bytes: "absent",
    });
  });
});

describe("Arm Ethos-U", () => {
  const accel = node("/dev/accel/accel0", "/sys/devices/platform/4a900000.npu");
  /** As the driver does since it has copy_struct_to_user: what the kernel's struct lacks is zeroed. */
  const npu =
    (kernelSize: number): Driver =>
    (ask, struct, [buffer]) => {
      if (ask.code !== ethosu.DRM_IOCTL_ETHOSU_DEV_QUERY) return "unknown";
      if (buffer === undefined) {
        struct.set(pack(ethosu.drm_ethosu_dev_query, { size: kernelSize }));
        return "ok";
      }
      buffer.fill(0);
      const info = { id: 0x10061010, config: 0x10000008, sram_size: 393_216, pmu_counters: 8 };
      buffer.set(pack(ethosu.drm_ethosu_npu_info, info).subarray(0, kernelSize));
      return "ok";
    };
  const ask = (kernelSize: number): Record<string, unknown> =>
    values(queryNode(machine(either(versionOf("ethosu", [1, 0, 0]), npu(kernelSize))).root, accel, "ethosu", false));

  test("of Linux 7.3 tells its 16 bytes", () => {
    expect(ask(16)).toEqual({
      architecture: "1.0.6",
      product: 1,
      revision: "r0p1",
      macs_per_cycle: 256,
      command_stream_version: 0,
      sram_bytes: 393_216,
      pmu_counters: 8,
    });
  });

  test("of Linux 6.19 tells its 12 bytes, and the counters it cannot know are absent, not zero", () => {
    expect(ask(12)).toMatchObject({ macs_per_cycle: 256, sram_bytes: 393_216, pmu_counters: "absent" });
  });
});

describe("Qualcomm", () => {
  const capabilities = new Map([
    [6, 0x8073], // ARCH_VER
    [4, 8 * 2 ** 20], // VTCM_PAGE
    [7, 0], // HMX_SUPPORT_DEPTH
  ]);
  const dsp =
    (misplaced: boolean): Driver =>
    (ask, struct) => {
      if (ask.code !== fastrpc.FASTRPC_IOCTL_GET_DSP_INFO) return "unknown";
      const capability = capabilities.get(field(fastrpc.fastrpc_ioctl_capability, "attribute_id", struct));
      if (capability === undefined) return absent("", "ioctl: EOPNOTSUPP");
      const at = misplaced ? 0 : fastrpc.fastrpc_ioctl_capability.fields.capability.offset;
      new DataView(struct.buffer).setUint32(at, capability, true);
      return "ok";
    };

  test.each([
    ["of a new kernel", false],
    ["of a kernel that put the answer in the wrong field", true],
  ])("Hexagon %s tells its version", (_, misplaced) => {
    const { root } = machine(dsp(misplaced));
    const told = values(queryNode(root, node("/dev/fastrpc-cdsp"), "qcom,fastrpc", true));
    expect(told).toMatchObject({ architecture: "v73", vtcm_page: 8 * 2 ** 20, hmx_depth: false, vtcm_count: "absent" });
  });

  test("Cloud AI 100 tells its protocol, and an answer of another kind is malformed", () => {
    const card =
      (type: number): Driver =>
      (ask, struct, [buffer]) => {
        if (ask.code !== qaic.DRM_IOCTL_QAIC_MANAGE) return "unknown";
        expect(ask.wakes).toBe(true);
        // One status transaction and nothing else.
        expect([...(ask.pointers?.[0]?.bytes ?? [])].slice(0, 8)).toEqual([
          qaic.QAIC_TRANS_STATUS_FROM_USR,
          0,
          0,
          0,
          8,
          0,
          0,
          0,
        ]);
        const status = { "hdr.type": type, "hdr.len": 24, major: 5, minor: 1, status: 0, status_flags: 1 };
        buffer?.set(pack(qaic.qaic_manage_trans_status_from_dev, status));
        struct.set(pack(qaic.qaic_manage_msg, { len: 24, count: 1 }));
        return "ok";
      };
    const accel = node("/dev/accel/accel0", "/sys/devices/x");
    const ask = (type: number): Record<string, unknown> =>
      values(queryNode(machine(either(versionOf("qaic", [0, 0, 0]), card(type))).root, accel, "qaic", true));
    expect(ask(qaic.QAIC_TRANS_STATUS_TO_USR)).toEqual({
      protocol_version: "5.1",
      status: 0,
      checksums_required: true,
    });
    expect(ask(99)).toMatchObject({ protocol_version: "malformed" });
  });
});

describe("Rockchip's vendor driver", () => {
  const npu =
    (code: number): Driver =>
    (ask, struct) => {
      if (ask.code !== code) return "unknown";
      const action = field(rknpu.rknpu_action, "flags", struct);
      const value = new Map([
        [rknpu.RKNPU_GET_DRV_VERSION, 908],
        [rknpu.RKNPU_GET_HW_VERSION, 0x46495245],
        [rknpu.RKNPU_GET_FREQ, 1_000_000_000],
        [rknpu.RKNPU_GET_IOMMU_EN, 1],
        [rknpu.RKNPU_GET_TOTAL_SRAM_SIZE, 0],
      ]).get(action);
      // Anything but these would set, reset or power: it must never come here.
      if (value === undefined) expect(action).toBe(rknpu.RKNPU_GET_FREE_SRAM_SIZE);
      if (value === undefined) return absent("", "ioctl: EINVAL");
      struct.set(pack(rknpu.rknpu_action, { flags: action, value }));
      return "ok";
    };

  test.each([
    ["/dev/dri/renderD129", rknpu.DRM_IOCTL_RKNPU_ACTION],
    ["/dev/rknpu", rknpu.IOCTL_RKNPU_ACTION],
  ])("answers on %s by that node's number, with leave", (path, code) => {
    const { root, asked } = machine(either(versionOf("rknpu", [0, 9, 8]), npu(code)));
    const render = node(path, "/sys/devices/platform/fdab0000.npu");
    expect(values(queryNode(root, render, "RKNPU", true))).toEqual({
      driver_version: "0.9.8",
      hardware_version: "0x46495245",
      clock_hertz: 1_000_000_000,
      iommu_enabled: true,
      sram_bytes: 0,
      sram_free_bytes: "absent",
    });
    const before = asked.length;
    expect(new Set(Object.values(values(queryNode(root, render, "RKNPU", false))))).toEqual(new Set(["uncaptured"]));
    expect(asked.slice(before).filter((name) => name.includes("RKNPU_ACTION"))).toEqual([]);
  });

  test("counts its version in pairs of digits", () => {
    expect([802, 908, 10_203].map(driverVersion)).toEqual(["0.8.2", "0.9.8", "1.2.3"]);
  });
});

test("answers of any content and length are readings, never exceptions", () => {
  let seed = 7;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  const noise = (length: number): Uint8Array => Uint8Array.from({ length }, () => random(256));
  const drivers = ["intel_vpu", "amdxdna", "ethosu", "qaic", "RKNPU"];
  for (let round = 0; round < 400; round++) {
    const { root } = machine((ask) => {
      const buffers = (ask.pointers ?? []).slice(random(2)).map(({ size }) => noise(random(size + 1)));
      return read({ struct: noise(random(ask.input.length + 1)), buffers }, "");
    });
    for (const driver of drivers) queryNode(root, node("/dev/accel/accel0", "/sys/devices/x"), driver, true);
    queryNode(root, node("/dev/fastrpc-adsp"), undefined, true);
    queryNode(root, node("/dev/accel/accel_controlD0"), undefined, true);
  }
});
