/** HailoRT against a library of the same ABI compiled here, since no Hailo device is: structs, streams, devices, errors, isolation. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CannotError, FileError, MishapError } from "../../src/base/errors.ts";
import { loadKoffi } from "../../src/base/koffi.ts";
import type { OpenOptions } from "../../src/delegates/delegate.ts";
import delegate from "../../src/delegates/hailo.ts";
import { structs } from "../../src/delegates/hailo/api.ts";
import type { Value } from "../../src/delegates/value.ts";
import { isolate } from "../../src/host/isolate.ts";
import { compileLibrary, hasCompiler, unlessCompiler } from "../support/compile.ts";

/** What gcc 12 says on x86-64 of hailo/hailort.h, the same of 4.20.0, 4.23.0 and 5.2.0: sizeof, then offsetof of members. */
const told: Readonly<Partial<Record<keyof typeof structs, readonly [number, Readonly<Record<string, number>>]>>> = {
  hailo_version_t: [12, {}],
  hailo_format_t: [12, { order: 4, flags: 8 }],
  hailo_3d_image_shape_t: [12, { width: 4 }],
  hailo_quant_info_t: [16, { qp_scale: 4 }],
  hailo_device_id_t: [32, {}],
  hailo_vdevice_params_t: [40, { device_ids: 8, scheduling_algorithm: 16, group_id: 24, multi_process_service: 32 }],
  hailo_vstream_params_t: [28, { timeout_ms: 12, queue_size: 16, vstream_stats_flags: 20 }],
  hailo_input_vstream_params_by_name_t: [156, { params: 128 }],
  hailo_vstream_info_t: [436, { network_name: 128, direction: 388, format: 392, shape: 404, quant_info: 420 }],
};

it.skipIf(process.arch === "arm").each(Object.entries(told))("%s is laid out as in the header", (name, [bytes, at]) => {
  const layout = structs[name as keyof typeof structs];
  expect(layout.bytes).toBe(bytes);
  expect(layout.at).toMatchObject(at);
});

it("the identity of a device is read as far as 4.x and 5.x agree, with room for what follows", () => {
  const { at, bytes } = structs.hailo_device_identity_t;
  expect(at).toMatchObject({ fw_version: 4, board_name_length: 20, board_name: 21, device_architecture: 56 });
  expect(bytes).toBeGreaterThanOrEqual(140);
});

describe.skipIf(!hasCompiler)(`with a library of the same ABI${unlessCompiler}`, () => {
  let folder = "";
  let library = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "accelctl-hailo-"));
    library = compileLibrary("hailo-fake.c", folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const model = (words = "plain"): string => {
    const path = join(folder, `${words}.hef`);
    writeFileSync(path, words);
    return path;
  };
  const options = (more: Partial<OpenOptions> = {}): OpenOptions => ({ device: "hailo", library, ...more });
  const numbers = Array.from({ length: 30 }, (_, at) => at * 3);
  const frame: Value = { type: "uint8", shape: [1, 2, 5, 3], data: Uint8Array.from(numbers) };
  const given = new Map([["net/input_layer1", frame]]);
  const negated: Value = { type: "float32", shape: [1, 30], data: Float32Array.from(numbers, (value) => -value) };
  const boxes = (score: number): Value => ({
    type: "float32",
    shape: [1, 11],
    data: Float32Array.of(1, 0, 0, 0, 0, score, 0, 0, 0, 0, 0),
  });
  const released = (): number => (loadKoffi().load(library).func("int accelctl_alive()") as () => number)();

  it("runs frames, each by itself", async () => {
    const session = await delegate.open(model(), options());
    expect(session.inputs).toEqual([
      { name: "net/input_layer1", type: "uint8", shape: [1, 2, 5, 3], quantization: { scale: 0.5, zero: 3 } },
    ]);
    expect(session.outputs).toEqual([
      { name: "net/fc1", type: "float32", shape: [1, 30] },
      { name: "net/nms1", type: "float32", shape: [1, 11] },
    ]);
    expect(session.version).toBe("0.0.1");
    expect(session.placement).toEqual({
      device: "hailo",
      says: "HailoRT 0.0.1 configured a Hailo-8L with firmware 0.0.2 with the model",
    });
    const all = await Promise.all([1, 2, 3].map(() => session.run(given)));
    for (const { outputs } of all) {
      expect([...outputs]).toEqual([
        ["net/fc1", negated],
        ["net/nms1", boxes(10000)],
      ]);
    }
    const running = session.run(given);
    await session.close();
    await session.close();
    expect((await running).outputs.size).toBe(2);
    expect(released()).toBe(0);
    await expect(session.run(given)).rejects.toThrow("closed");
  });

  it("takes the device, the service, and the time that were asked for", async () => {
    const second = await delegate.open(model(), options({ device: "hailo:1", options: { timeout_ms: "70" } }));
    expect((await second.run(given)).outputs.get("net/nms1")).toEqual(boxes(70));
    await second.close();
    const shared = { multi_process_service: "true", group_id: "shared" };
    await (await delegate.open(model(), options({ device: "hailo:0", options: shared }))).close();
  });

  it("reads outputs into memory that the caller lends", async () => {
    const lent: ArrayBuffer[] = [];
    const allocate = (bytes: number): ArrayBuffer => {
      const memory = new ArrayBuffer(bytes);
      lent.push(memory);
      return memory;
    };
    const session = await delegate.open(model(), options({ lending: { allocate } }));
    const { outputs } = await session.run(given);
    expect((outputs.get("net/fc1")?.data as Float32Array).buffer).toBe(lent[0]);
    expect(outputs.get("net/fc1")).toEqual(negated);
    await session.close();
  });

  it("tells of the devices that HailoRT sees, and why one refuses", async () => {
    expect(await delegate.probe?.({ library })).toEqual([
      {
        id: "0000:01:00.0",
        name: "Hailo device",
        device: "hailo",
        facts: { refuses: expect.stringContaining("another process holds the device") as string },
      },
      {
        id: "0000:02:00.0",
        name: "Hailo-8L",
        device: "hailo",
        facts: { firmware: "0.0.2", board: "tests", library: "0.0.1" },
      },
    ]);
  });

  it("says in one sentence what HailoRT refuses, and what to do", async () => {
    const cases: [string, Partial<OpenOptions>, RegExp, typeof CannotError | typeof FileError][] = [
      ["invalid", {}, /invalid\.hef: .*HAILO_INVALID_HEF \(26\)/, FileError],
      ["otherchip", {}, /compiled for another Hailo chip/, CannotError],
      ["groups", {}, /2 network groups/, CannotError],
      ["plain", { device: "hailo:0" }, /OUT_OF_PHYSICAL_DEVICES \(74\): no device is free/, CannotError],
      ["plain", { device: "hailo:2" }, /sees 0000:01:00\.0, 0000:02:00\.0/, CannotError],
      ["plain", { device: "cpu" }, /not on "cpu"/, CannotError],
      ["plain", { options: { speed: "high" } }, /no option "speed"/, CannotError],
      ["plain", { options: { timeout_ms: "soon" } }, /timeout_ms=soon/, CannotError],
      ["plain", { options: { multi_process_service: "1" } }, /it is true or false/, CannotError],
      ["plain", { options: { group_id: "mine" } }, /HAILO_INVALID_ARGUMENT \(2\)/, CannotError],
    ];
    for (const [words, more, says, kind] of cases) {
      const error: unknown = await delegate.open(model(words), options(more)).catch((thrown: unknown) => thrown);
      expect([words, error]).toEqual([words, expect.any(kind)]);
      expect((error as Error).message).toMatch(says);
      expect((error as Error).message).not.toContain("\n");
    }
    await expect(delegate.open(join(folder, "none.hef"), options())).rejects.toThrow("none.hef: no such file");
    expect(released()).toBe(0);
  });

  it("says what is wrong with a run; after a frame that went in by half it runs no more", async () => {
    const session = await delegate.open(model("late"), options());
    await expect(session.run(new Map())).rejects.toThrow(/"net\/input_layer1" is missing/);
    await expect(session.run(new Map([["x", frame]]))).rejects.toThrow(/no input "x"/);
    const wide = { ...frame, shape: [1, 2, 3, 5] };
    await expect(session.run(new Map([["net/input_layer1", wide]]))).rejects.toThrow(/has the shape \[1, 2, 5, 3\]/);
    await expect(session.run(given)).rejects.toThrow(/HAILO_TIMEOUT \(4\)/);
    await expect(session.run(given)).rejects.toThrow(/has to be opened again/);
    await session.close();
  });

  it("crashes and hangs in a process of its own", async () => {
    for (const [words, how] of [
      ["crash", "crashed"],
      ["hang", "hung"],
    ] as const) {
      const session = await isolate(delegate, model(words), options(), { run_ms: 2000 });
      const error: unknown = await session.run(given).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(MishapError);
      expect((error as MishapError).how).toBe(how);
      await session.close();
    }
  });
});
