/** Every lock of a compiled file against small machines, end to end: found before anything runs, and told of the device it stops. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { inspect } from "../../src/inspect/inspect.ts";
import type { DeviceFit, LockReport } from "../../src/inspect/inspection.ts";
import { takeCapture } from "../../src/review/take-capture.ts";
import { openCapture } from "../../src/root/capture.ts";
import type { TreeBuilder } from "../../src/root/memory.ts";
import { context, edge, groupFields, hef0, hef3, hefMessage } from "../formats/build/hef.ts";
import { npuElf } from "../formats/build/npu-elf.ts";
import { samples as edgeTpu } from "../formats/samples/edgetpu-tflite.ts";
import { rknn, rknnJson, samples as rknnSamples } from "../formats/samples/rknn.ts";
import { samples as engines } from "../formats/samples/tensorrt.ts";
import { samples as vela } from "../formats/samples/vela-tflite.ts";
import { addBoard, addCore, addModule, addNode, addPci, addRk3588, base, RENDER } from "../support/machines.ts";

const folder = mkdtempSync(join(tmpdir(), "accelctl-locks-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function fit(name: string, bytes: Uint8Array | undefined, tree: TreeBuilder, family: string) {
  const path = join(folder, name);
  writeFileSync(path, bytes ?? new Uint8Array(0));
  const found = inspect(path, { machine: tree.build("directory", "test") }).machine;
  const device: DeviceFit | undefined = found?.devices.find((one) => one.family === family);
  const lock = (what: string): LockReport | undefined =>
    [...(found?.locks ?? [])].sort((a, b) => rank(a) - rank(b)).find((one) => one.lock === what);
  return { device, lock };
}
/** The broken one first: a requirement may have two sides. */
const rank = ({ state }: LockReport): number => ["broken", "unknown", "fits"].indexOf(state);

describe("RKNN", () => {
  const board = (version?: string): TreeBuilder => {
    const b = base({ arch: "arm64", release: "7.3.4-arm64" });
    addRk3588(b, "okay");
    if (version !== undefined) {
      const text = `\x7fELF\0librknnrt version: ${version} (429f97ae6b@2025-04-09T09:09:27)\0`;
      b.file("/usr/lib/aarch64-linux-gnu/librknnrt.so", text);
    }
    return b;
  };
  const model = rknnSamples["v6.rknn"]?.();

  it.each(["1.3.0", "1.4.0", "1.5.0"])("librknnrt %s says 'Invalid RKNN model version 6': told before", (version) => {
    const { device, lock } = fit("a.rknn", model, board(version), "rockchip");
    expect(device?.fits).toBe("no");
    expect(lock("RKNN model version")?.state).toBe("broken");
    expect(lock("RKNN model version")?.says).toBe(
      `the file is of RKNN model version 6, but librknnrt ${version} is here (/usr/lib/aarch64-linux-gnu/librknnrt.so): it will be refused`,
    );
  });

  it("librknnrt of the toolkit's release takes it; an older one that knows the version is not called broken", () => {
    expect(fit("a.rknn", model, board("2.3.2"), "rockchip").lock("RKNN model version")?.state).toBe("fits");
    const older = fit("a.rknn", model, board("1.6.0"), "rockchip");
    expect(older.lock("RKNN model version")?.state).toBe("fits");
    expect(older.lock("rknn-model-runtime")?.state).toBe("unknown");
    expect(fit("a.rknn", model, board(), "rockchip").lock("RKNN model version")?.state).toBe("unknown");
  });

  it("a capture holds what the library says of itself, and little else of it", () => {
    const b = board();
    const text = "librknnrt version: 1.4.0 (a10f100eb@2022-09-09T09:07:14)\0";
    b.file(
      "/usr/lib/aarch64-linux-gnu/librknnrt.so",
      `\x7fELF${"\x90".repeat(2_000_000)}${text}${"\x90".repeat(500_000)}`,
    );
    const source = b.build("directory", "board");
    const names = { users: [], hosts: [] };
    const capture = takeCapture(source, { environments: [], query: false, redact: true, trim: true, names });
    expect(capture.text.length).toBeLessThan(200_000);
    const path = join(folder, "c.rknn");
    writeFileSync(path, model ?? new Uint8Array(0));
    const replayed = openCapture(Buffer.from(capture.text), "board.json", "capture");
    const locks = inspect(path, { machine: replayed }).machine?.locks ?? [];
    expect(locks.find(({ lock }) => lock === "RKNN model version")).toMatchObject({
      state: "broken",
      found: "1.4.0 (/usr/lib/aarch64-linux-gnu/librknnrt.so)",
    });
  });

  it("one for an RK3566 is not for an RK3588", () => {
    const other = rknn(6n, "compiled", rknnJson.replace("rk3588", "rk3566"));
    const { device } = fit("b.rknn", other, board("2.3.2"), "rockchip");
    expect(device?.fits).toBe("no");
    expect(device?.says).toMatch(/^made for rk3566; this is .*RK3588/);
  });
});

describe("HEF", () => {
  const machine = (version: string, id = "1e60:2864"): TreeBuilder => {
    const b = base();
    const driver = id === "1e60:2864" ? "hailo" : "hailo1x";
    const device = addPci(b, { slot: "0000:01:00.0", id, class: "0b4000", driver });
    addModule(b, `${driver}_pci`, "loaded");
    const [klass = "", name = ""] = driver === "hailo" ? ["hailo_chardev", "hailo0"] : ["hailo1x", "h1x-0"];
    addNode(b, { device, class: klass, name, dev: `/dev/${name}`, mode: 0o666 });
    b.present("/lib/firmware/hailo/hailo8_fw.bin", 300_000);
    b.file(`/usr/lib/libhailort.so.${version}`, "");
    return b;
  };
  const group = groupFields({ name: "net", contexts: [context([edge({ name: "net/in", shape: [8, 8, 3] })])] });
  const file = (arch: number, extensions = [0, 26]): Uint8Array =>
    hef0(hefMessage({ arch, extensions, groups: [group] }));

  it("of a header that this libhailort does not know is refused", () => {
    const newer = hef3(hefMessage({ arch: 1, groups: [group], extensions: [26] }), new Uint8Array(8));
    const { device } = fit("a.hef", newer, machine("4.20.0"), "hailo");
    expect(device?.fits).toBe("no");
    expect(device?.says).toContain("libhailort at least 4.21.0, but 4.20.0 is here");
  });

  it("that needs an extension, or lacks one that is asked for since, is refused", () => {
    expect(fit("b.hef", file(1, [26, 28]), machine("4.16.2"), "hailo").device?.says).toContain("at least 4.17.0");
    expect(fit("c.hef", file(1, [0]), machine("4.23.0"), "hailo").device?.says).toContain("at most 4.20.1");
  });

  it("for a Hailo-8 is not for HailoRT 5, and for a Hailo-10H not for HailoRT 4.23", () => {
    expect(fit("d.hef", file(1), machine("5.1.1"), "hailo").device?.says).toContain(
      "libhailort of the series 4.x, but 5.1.1",
    );
    const large = fit("e.hef", file(103), machine("4.23.0", "1e60:45c4"), "hailo");
    expect(large.lock("HailoRT")?.says).toContain("libhailort of another series than 4.23.x, but 4.23.0");
  });

  it("for another chip is told by the chips' names", () => {
    const { device } = fit("f.hef", file(103), machine("4.20.0"), "hailo");
    expect(device?.fits).toBe("no");
    expect(device?.says).toBe(
      "made for HAILO1XH (Hailo-15H), HAILO1XH (Hailo-10H); this is Hailo-8, 8R, 8L, and a compiled file cannot be converted: inspect the model it was made from with --for hailo8",
    );
    expect(fit("g.hef", file(1), machine("5.1.1", "1e60:45c4"), "hailo").device?.says).toContain("made for HAILO8P");
  });

  it("for a Hailo-8 may meet a Hailo-8L, which no id tells from it; one for a Hailo-8L runs on both", () => {
    const { device } = fit("h.hef", file(1), machine("4.20.0"), "hailo");
    expect(device?.fits).toBe("unknown");
    expect(device?.says).toContain("unless this is a Hailo-8L, which has the Hailo-8's PCI id and refuses the file");
    expect(fit("i.hef", file(3), machine("4.20.0"), "hailo").device?.fits).toBe("yes");
  });
});

describe("Edge TPU", () => {
  const debian = (version: string): TreeBuilder => {
    const b = base();
    addPci(b, { slot: "0000:03:00.0", id: "1ac1:089a", class: "0880ff", driver: "apex" });
    return b.file(
      "/var/lib/dpkg/status",
      `Package: libedgetpu1-std\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\n\n`,
    );
  };
  const model = edgeTpu["alone_edgetpu.tflite"]?.();

  it("a minimum runtime that libedgetpu is too old for is told; where there is no Coral nothing takes the file", () => {
    const { device, lock } = fit("a_edgetpu.tflite", model, debian("15.0"), "coral");
    expect(lock("Edge TPU runtime")?.state).toBe("broken");
    expect(device?.fits).toBe("no");
    expect(fit("b_edgetpu.tflite", model, debian("16.0"), "coral").lock("Edge TPU runtime")?.state).toBe("fits");
    const b = base();
    addPci(b, { slot: "0000:00:0b.0", id: "8086:643e", class: "120000", driver: "intel_vpu" });
    expect(fit("c_edgetpu.tflite", model, b, "intel-npu").device?.fits).toBe("no");
  });
});

describe("OpenVINO NPU blob", () => {
  /** The firmware's header: its version, and the table of versions with the boot interface's and the mapped inference's. */
  const firmware = (major: number, minor: number): Uint8Array => {
    const out = Buffer.alloc(4096);
    out.writeUInt32LE(1, 0);
    out.writeUInt32LE((3 << 16) | 31, 84);
    out.writeUInt32LE((major << 16) | minor, 84 + 7 * 4);
    return out;
  };
  const lunarLake = (content?: Uint8Array): TreeBuilder => {
    const b = base({ groups: [RENDER] });
    const device = addPci(b, { slot: "0000:00:0b.0", id: "8086:643e", class: "120000", driver: "intel_vpu" });
    addModule(b, "intel_vpu", "loaded");
    addNode(b, { device, class: "accel", name: "accel0", dev: "/dev/accel/accel0" });
    if (content !== undefined) b.file("/lib/firmware/intel/vpu/vpu_40xx_v1.bin", content);
    return b;
  };
  const blob = npuElf({ arch: 4, mapped: [11, 10, 0] });
  const what = "mapped inference of 40xx firmware";

  it("is held against the table in the firmware's header", () => {
    const { device, lock } = fit("a.blob", blob, lunarLake(firmware(11, 4)), "intel-npu");
    expect(device?.fits).toBe("no");
    expect(lock(what)?.state).toBe("broken");
    expect(lock(what)?.says).toBe(
      "the file was compiled for a mapped inference of at least 11.10, but the NPU's 40xx firmware 11.4 is here " +
        "(/lib/firmware/intel/vpu/vpu_40xx_v1.bin): it will be refused",
    );
    expect(fit("b.blob", blob, lunarLake(firmware(11, 13)), "intel-npu").lock(what)?.state).toBe("fits");
    expect(fit("c.blob", blob, lunarLake(firmware(12, 0)), "intel-npu").lock(what)?.state).toBe("broken");
    expect(fit("d.blob", blob, lunarLake(new Uint8Array(4096)), "intel-npu").lock(what)?.state).toBe("unknown");
    expect(fit("e.blob", blob, lunarLake(), "intel-npu").lock(what)?.state).toBe("unknown");
  });

  it("is held against a captured machine's firmware too", () => {
    const source = lunarLake(firmware(11, 4)).build("directory", "laptop");
    const names = { users: [], hosts: [] };
    const { text } = takeCapture(source, { environments: [], query: false, redact: true, trim: true, names });
    const path = join(folder, "captured.blob");
    writeFileSync(path, blob);
    const replayed = openCapture(Buffer.from(text), "laptop.json", "capture");
    const locks = inspect(path, { machine: replayed }).machine?.locks ?? [];
    expect(locks.filter(({ lock }) => lock === what).map(({ state }) => state)).toEqual(["fits", "broken"]);
  });

  it("is held against the release of Intel's package where the firmware cannot be read", () => {
    const packaged = (version: string): TreeBuilder =>
      lunarLake().file(
        "/var/lib/dpkg/status",
        `Package: intel-fw-npu\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\n\n`,
      );
    expect(fit("f.blob", blob, packaged("1.10.0.20241107-11729849322"), "intel-npu").lock(what)?.state).toBe("broken");
    expect(fit("i.blob", blob, packaged("1.40.0"), "intel-npu").lock(what)?.state).toBe("unknown");
    expect(fit("g.blob", blob, packaged("1.23.0.20250827-17270089246"), "intel-npu").lock(what)?.state).toBe("fits");
  });

  it("of another generation is not for this NPU", () => {
    const { device } = fit("h.blob", npuElf({ arch: 3, mapped: [7, 0, 0] }), lunarLake(), "intel-npu");
    expect(device?.says).toContain("made for Intel NPU 37xx");
    expect(device?.fits).toBe("no");
  });
});

describe("TensorRT", () => {
  const machine = (version: string): TreeBuilder => {
    const b = base();
    addPci(b, { slot: "0000:01:00.0", id: "10de:2684", class: "030000", driver: "nvidia" });
    return b.file(`/usr/lib/x86_64-linux-gnu/libnvinfer.so.${version}`, "");
  };
  const state = (engine: string, version: string): string | undefined => {
    const { lock } = fit(engine, engines[engine]?.(), machine(version), "nvidia");
    return (lock("tensorrt-engine") ?? lock("TensorRT"))?.state;
  };

  it("before 8.6 an engine is for its own release; a newer one is refused by anything older", () => {
    expect(state("8.2.engine", "8.5.2")).toBe("broken");
    expect(state("8.6.plan", "8.5.2")).toBe("broken");
    expect(state("8.6.plan", "10.3.0")).toBe("unknown");
    expect(state("10.15.engine", "10.3.0")).toBe("broken");
  });
});

describe("Vela", () => {
  const board = (compatible: string): TreeBuilder => {
    const b = base({ arch: "arm64", release: "7.3.4-arm64" });
    addBoard(b, "Example Board", "example,board", "fsl,imx93");
    addCore(b, { address: "4a900000", name: "npu", compatible });
    return b;
  };

  it("a U55's commands are not for a U65, and may be for what stands behind a Cortex-M", () => {
    const { device } = fit("u55_vela.tflite", vela["u55_vela.tflite"]?.(), board("arm,ethos-u65"), "ethos-u");
    expect(device?.fits).toBe("no");
    expect(device?.says).toContain("made for ethos-u55-128");
    const own = fit("u65_vela.tflite", vela["u65_vela.tflite"]?.(), board("arm,ethos-u65"), "ethos-u");
    expect(own.device?.says).not.toContain("made for");
    const behind = fit("u55_vela.tflite", vela["u55_vela.tflite"]?.(), board("arm,ethosu"), "ethos-u");
    expect(behind.device?.says).not.toContain("made for");
  });
});
