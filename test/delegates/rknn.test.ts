/** RKNN against a library of the same ABI compiled here, since no Rockchip NPU is: structs, calls, cores, errors, isolation. */

import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CannotError, FileError, MishapError } from "../../src/base/errors.ts";
import { Structs } from "../../src/base/c-struct.ts";
import type { OpenOptions } from "../../src/delegates/delegate.ts";
import delegate from "../../src/delegates/rknn.ts";
import { structs } from "../../src/delegates/rknn/api.ts";
import { spansOf } from "../../src/delegates/rknn/performance.ts";
import type { Value } from "../../src/delegates/value.ts";
import { isolate } from "../../src/host/isolate.ts";
import { compileLibrary, hasCompiler, unlessCompiler } from "../support/compile.ts";

/** What gcc 12 says on x86-64 of rknn_api.h of RKNN SDK 2.3.2 (v2.3.2, 59a913d): sizeof, then offsetof of members. */
const told: Readonly<Record<keyof typeof structs, readonly [bytes: number, at: Readonly<Record<string, number>>]>> = {
  rknn_input_output_num: [8, { n_output: 4 }],
  rknn_tensor_attr: [
    376,
    {
      ...{ n_dims: 4, dims: 8, name: 72, n_elems: 328, size: 332, fmt: 336, type: 340, qnt_type: 344, fl: 348 },
      ...{ zp: 352, scale: 356, w_stride: 360, size_with_stride: 364, pass_through: 368, h_stride: 372 },
    },
  ],
  rknn_perf_detail: [16, { data_len: 8 }],
  rknn_perf_run: [8, {}],
  rknn_sdk_version: [512, { drv_version: 256 }],
  rknn_tensor_mem: [40, { phys_addr: 8, fd: 16, offset: 20, size: 24, flags: 28, priv_data: 32 }],
  rknn_input: [32, { buf: 8, size: 16, pass_through: 20, type: 24, fmt: 28 }],
  rknn_output: [24, { is_prealloc: 1, index: 4, buf: 8, size: 16 }],
};

it.skipIf(process.arch === "arm").each(Object.entries(told))("%s is laid out as in the header", (name, [bytes, at]) => {
  const layout = structs[name as keyof typeof structs];
  expect(layout.bytes).toBe(bytes);
  expect(layout.at).toMatchObject(at);
});

it("structs keep numbers, pointers and texts apart", () => {
  const two = new Structs(structs.rknn_tensor_attr, 2);
  two.set("zp", -7, 1);
  two.set("scale", 0.5, 1);
  two.set("dims", 9, 1, 15);
  two.buffer.write("name\0rest", 376 + 72, "latin1");
  expect([two.get("zp", 1), two.get("scale", 1), two.get("dims", 1, 15), two.text("name", 1)]).toEqual([
    -7,
    0.5,
    9,
    "name",
  ]);
  expect(two.bytes(0).every((byte) => byte === 0)).toBe(true);
});

it("reads no table where there is none, and no cell that another has pushed", () => {
  expect(spansOf("")).toEqual([]);
  const head = "ID   OpType  Target Time(us) FullName\n";
  expect(spansOf(`${head}1    Conv    NPU    17       a\n`)).toEqual([{ name: "Conv a", by: "NPU", ms: 0.017 }]);
  expect(spansOf(`${head}1    ConvolutionOfALongName NPU 17 a\n`)).toEqual([]);
});

describe.skipIf(!hasCompiler)(`with a library of the same ABI${unlessCompiler}`, () => {
  let folder = "";
  let library = "";
  let small = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "accelctl-rknn-"));
    library = compileLibrary("rknn-fake.c", folder);
    // The small runtime is known by its name.
    small = join(folder, "small/librknnmrt.so");
    mkdirSync(dirname(small));
    renameSync(compileLibrary("rknn-fake.c", folder, ["-DSMALL"]), small);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const model = (words = "plain"): string => {
    const path = join(folder, `${words}.rknn`);
    writeFileSync(path, words);
    return path;
  };
  const options = (more: Partial<OpenOptions> = {}): OpenOptions => ({ device: "rockchip", library, ...more });
  const numbers = Array.from({ length: 30 }, (_, at) => at * 3);
  const picture: Value = { type: "uint8", shape: [1, 2, 5, 3], data: Uint8Array.from(numbers) };
  const negated: Value = { type: "float32", shape: [1, 30], data: Float32Array.from(numbers, (value) => -value) };
  const cores = (mask: bigint): Value => ({ type: "int64", shape: [1], data: BigInt64Array.of(mask) });

  it.each([
    ["librknnrt", (): string => library],
    ["librknnmrt", (): string => small],
  ])("runs a picture through what stands for %s", async (_, which) => {
    const session = await delegate.open(model(), options({ library: which() }));
    expect(session.inputs).toEqual([{ name: "images", type: "uint8", shape: [1, 2, 5, 3] }]);
    expect(session.outputs).toEqual([
      { name: "negated", type: "float32", shape: [1, 30] },
      { name: "cores", type: "int64", shape: [1] },
    ]);
    expect(session.version).toContain("no Rockchip hardware");
    expect(session.placement).toMatchObject({
      device: "rockchip",
      says: expect.stringContaining("its own choice") as string,
    });
    const all = await Promise.all([1, 2, 3].map(() => session.run(new Map([["images", picture]]))));
    for (const { outputs, spans, figures } of all) {
      expect([...outputs]).toEqual([
        ["negated", negated],
        ["cores", cores(0n)],
      ]);
      expect([spans, figures]).toEqual([[], { rknn_run_ms: 1.234 }]);
    }
    const running = session.run(new Map([["images", picture]]));
    await session.close();
    await session.close();
    expect((await running).outputs.get("negated")).toEqual(negated);
    await expect(session.run(new Map())).rejects.toThrow("closed");
  });

  it("takes float32 for a picture too, and tells layers where it is asked to", async () => {
    const session = await delegate.open(model(), options({ profile: true }));
    const data = Float32Array.from(numbers);
    const { outputs, spans } = await session.run(new Map([["images", { ...picture, type: "float32", data }]]));
    expect(outputs.get("negated")).toEqual(negated);
    expect(spans).toEqual([
      { name: "InputOperator InputOperator:images", by: "CPU", ms: 0.012 },
      { name: "Neg negate", by: "NPU", ms: 0.345 },
    ]);
    await session.close();
  });

  it.each([
    [{ device: "rockchip:1" }, 2n],
    [{ device: "rockchip:0", options: { core_mask: "RKNN_NPU_CORE_0_1_2" } }, 7n],
    [{ options: { core_mask: "5" } }, 5n],
  ])("puts it on the cores that were asked for: %o", async (asked, mask) => {
    const session = await delegate.open(model(), options(asked));
    expect((await session.run(new Map([["images", picture]]))).outputs.get("cores")).toEqual(cores(mask));
    expect(session.placement.says).toContain(`core mask ${mask}`);
    await session.close();
  });

  it("writes outputs into memory that the caller lends", async () => {
    const lent: ArrayBuffer[] = [];
    const allocate = (bytes: number): ArrayBuffer => {
      const memory = new ArrayBuffer(bytes);
      lent.push(memory);
      return memory;
    };
    const session = await delegate.open(model(), options({ lending: { allocate } }));
    const { outputs } = await session.run(new Map([["images", picture]]));
    expect((outputs.get("negated")?.data as Float32Array).buffer).toBe(lent[0]);
    expect(outputs.get("negated")).toEqual(negated);
    await session.close();
  });

  it("says in one sentence what the runtime refuses, and what to do", async () => {
    const cases: [string, Partial<OpenOptions>, RegExp, typeof CannotError | typeof FileError][] = [
      ["init-3", {}, /DEVICE_UNAVAILABLE \(-3\): it can open no NPU/, CannotError],
      ["init-6", {}, /MODEL_INVALID .*rknn-toolkit2 newer/, FileError],
      ["init-10", {}, /update both/, CannotError],
      ["init-13", {}, /made for another chip/, CannotError],
      ["init-99", {}, /does not name \(-99\)/, CannotError],
      ["miscounted", {}, /"negated" \[1, 30\] is said to have 31 elements/, CannotError],
      ["onecore", { device: "rockchip:1" }, /no choice of cores/, CannotError],
      ["plain", { device: "cpu" }, /not on "cpu"/, CannotError],
      ["plain", { options: { speed: "high" } }, /no option "speed"/, CannotError],
      ["plain", { options: { core_mask: "all" } }, /core_mask=all/, CannotError],
      ["plain", { options: { flag: "RKNN_FLAG_FAST" } }, /flag=RKNN_FLAG_FAST/, CannotError],
      ["nomemory", { library: small }, /no memory of 96 bytes for "images"/, CannotError],
    ];
    for (const [words, more, says, kind] of cases) {
      const error: unknown = await delegate.open(model(words), options(more)).catch((thrown: unknown) => thrown);
      expect([words, error]).toEqual([words, expect.any(kind)]);
      expect((error as Error).message).toMatch(says);
      expect((error as Error).message).not.toContain("\n");
    }
    const broken = compileLibrary("rknn-fake.c", folder, ["-DBROKEN"]);
    const session = await delegate.open(model(), options({ library: broken }));
    await expect(session.run(new Map([["images", picture]]))).rejects.toThrow(
      /it has no rknn_run, which the RKNN API has/,
    );
    await session.close();
  });

  it("says what is wrong with a run, and goes on", async () => {
    const session = await delegate.open(model("larger"), options());
    await expect(session.run(new Map([["images", picture]]))).rejects.toThrow(
      /"negated" has 120 bytes, and the runtime gave 240/,
    );
    await expect(session.run(new Map())).rejects.toThrow(/"images" is missing/);
    await expect(session.run(new Map([["image", picture]]))).rejects.toThrow(/no input "image"/);
    const wide = { ...picture, shape: [1, 2, 3, 5] };
    await expect(session.run(new Map([["images", wide]]))).rejects.toThrow(/has the shape \[1, 2, 5, 3\]/);
    await session.close();
    const late = await delegate.open(model("timeout"), options());
    await expect(late.run(new Map([["images", picture]]))).rejects.toThrow(/rknn_run gave RKNN_ERR_TIMEOUT/);
    await late.close();
  });

  it("crashes and hangs in a process of its own", async () => {
    for (const [words, how] of [
      ["crash", "crashed"],
      ["hang", "hung"],
    ] as const) {
      const session = await isolate(delegate, model(words), options(), { run_ms: 2000 });
      const error: unknown = await session.run(new Map([["images", picture]])).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(MishapError);
      expect((error as MishapError).how).toBe(how);
      await session.close();
    }
  });
});
