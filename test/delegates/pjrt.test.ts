/** The PJRT C API, against XLA's own CPU plug-in that `npm run runtimes pjrt` fetches. */

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CannotError, FileError } from "../../src/base/errors.ts";
import type { OpenOptions, Session } from "../../src/delegates/delegate.ts";
import delegate from "../../src/delegates/pjrt.ts";
import type { Value } from "../../src/delegates/value.ts";
import { isolate } from "../../src/host/isolate.ts";
import { compileLibrary, hasCompiler, unlessCompiler } from "../support/compile.ts";
import { runtime, unlessRuntime } from "../support/runtimes.ts";
import { bytecode, main, smallStablehlo } from "../support/stablehlo.ts";

const plugin = join(runtime("pjrt") ?? "", "fastatomstruct_xla_cpu/libpjrt_cpu.so");

let folder = "";
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "accelctl-pjrt-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, content: Uint8Array | string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const open = (model: string, options: Partial<OpenOptions> = {}): Promise<Session> =>
  delegate.open(model, { device: "cpu", plugin, ...options });
const float = (values: readonly number[], shape: readonly number[]): Value => ({
  type: "float32",
  shape,
  data: Float32Array.from(values),
});
const thrownBy = (act: Promise<unknown>): Promise<unknown> =>
  act.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
const message = async (act: Promise<unknown>): Promise<string> => {
  const error = await thrownBy(act);
  expect(error).toBeInstanceOf(CannotError);
  expect((error as Error).message).not.toContain("\n");
  return (error as Error).message;
};

describe("finding a plug-in", () => {
  it("looks where Python packages put them, for the family that is asked for", async () => {
    const packages = join(folder, "venv/lib/python3.11/site-packages");
    for (const path of ["libtpu/libtpu.so", "jax_plugins/xla_cuda13/xla_cuda_plugin.so"]) {
      mkdirSync(dirname(join(packages, path)), { recursive: true });
      writeFileSync(join(packages, path), "no library");
    }
    const before = process.env["VIRTUAL_ENV"];
    process.env["VIRTUAL_ENV"] = join(folder, "venv");
    try {
      const model = write("find.mlir", smallStablehlo);
      expect(await message(delegate.open(model, { device: "cloud-tpu" }))).toContain("libtpu/libtpu.so: ");
      expect(await message(delegate.open(model, { device: "nvidia" }))).toContain("xla_cuda13/xla_cuda_plugin.so: ");
      const found = delegate.find({});
      expect(found.state === "read" ? found.value.library : found).toContain("libtpu/libtpu.so");
    } finally {
      if (before === undefined) delete process.env["VIRTUAL_ENV"];
      else process.env["VIRTUAL_ENV"] = before;
    }
  });

  it("says that a library is no plug-in", async () => {
    const other = / (\/\S+\/libm\.so\.6)$/m.exec(readFileSync("/proc/self/maps", "utf8"))?.[1];
    if (other === undefined) return; // not glibc
    expect(await message(open(write("libm.mlir", smallStablehlo), { plugin: other }))).toMatch(
      /libm\.so\.6: .*GetPjrtApi/,
    );
  });

  it.skipIf(!hasCompiler)(`refuses other versions of the interface${unlessCompiler}`, async () => {
    for (const [major, minor] of [
      [1, 0],
      [0, 40],
    ] as const) {
      const library = compileLibrary("pjrt-version.c", folder, [`-DMAJOR=${major}`, `-DMINOR=${minor}`]);
      expect(await message(open(write("version.mlir", smallStablehlo), { plugin: library }))).toBe(
        `${library}: it speaks PJRT C API ${major}.${minor}; 0.57 and later of 0 are spoken here`,
      );
    }
  });

  it.skipIf(!hasCompiler)(`names the function that a plug-in lacks${unlessCompiler}`, async () => {
    const library = compileLibrary("pjrt-version.c", folder, ["-DMAJOR=0", "-DMINOR=99"]);
    expect(await message(open(write("lacks.mlir", smallStablehlo), { plugin: library }))).toBe(
      `${library}: it has no PJRT_Plugin_Initialize`,
    );
  });
});

describe.skipIf(runtime("pjrt") === undefined || !existsSync(plugin))(
  `XLA's CPU plug-in${unlessRuntime("pjrt")}`,
  () => {
    it("sees devices", async () => {
      const seen = await delegate.probe?.({ plugin });
      expect(seen?.[0]).toMatchObject({ device: "cpu", id: "CpuDevice(id=0)", facts: { platform: "cpu" } });
      expect(seen?.[0]?.facts?.["pjrt_c_api"]).toMatch(/^0\.\d+$/);
    });

    it("compiles text and multiplies, and says for which device", async () => {
      const session = await open(write("small.mlir", smallStablehlo));
      expect(session.inputs).toEqual([{ name: "x", type: "float32", shape: [1, 3] }]);
      expect(session.outputs).toEqual([{ name: "result_0", type: "float32", shape: [1, 2] }]);
      const { outputs, spans } = await session.run(new Map([["x", float([1, 10, 100], [1, 3])]]));
      expect(outputs.get("result_0")).toEqual(float([531, 642], [1, 2]));
      expect(spans).toEqual([]);
      expect(session.version).toMatch(/\(PJRT C API 0\.\d+\)$/);
      expect(session.placement).toEqual({
        device: "cpu",
        says: 'the plug-in of "cpu" compiled the whole program for CpuDevice(id=0), cpu',
      });
      await session.close();
    });

    it("runs the bytecode that JAX exports", async () => {
      const session = await open(write("jax.mlirbc", bytecode));
      expect(session.inputs.map(({ shape }) => shape)).toEqual([
        [2, 3],
        [3, 4],
      ]);
      const w = [1, 0, 0, -1, 0, 1, 0, -1, 0, 0, 1, -1];
      const names = session.inputs.map(({ name }) => name);
      const { outputs } = await session.run(
        new Map([
          [names[0] ?? "", float([1, 2, 3, 6, 5, 4], [2, 3])],
          [names[1] ?? "", float(w, [3, 4])],
        ]),
      );
      expect([...outputs.values()]).toEqual([
        float([1, 2, 3, 0, 6, 5, 4, 0], [2, 4]),
        { type: "int32", shape: [2], data: Int32Array.from([2, 0]) },
        { type: "bool", shape: [2, 4], data: Uint8Array.from([1, 1, 1, 0, 1, 1, 1, 0]) },
      ]);
      await session.close();
    });

    it("lays results out row by row", async () => {
      const turned = main(
        "%x: tensor<2x3xf32>",
        "tensor<3x2xf32>",
        "%0 = stablehlo.transpose %x, dims = [1, 0] : (tensor<2x3xf32>) -> tensor<3x2xf32>",
        "%0",
      );
      const session = await open(write("turned.mlir", turned));
      const { outputs } = await session.run(new Map([["x", float([1, 2, 3, 4, 5, 6], [2, 3])]]));
      expect(outputs.get("result_0")).toEqual(float([1, 4, 2, 5, 3, 6], [3, 2]));
      await session.close();
    });

    it.each([
      ["i1", "bool", Uint8Array.from([1, 0])],
      ["i8", "int8", Int8Array.from([-128, 127])],
      ["i16", "int16", Int16Array.from([-32768, 32767])],
      ["i32", "int32", Int32Array.from([-1, 2 ** 31 - 1])],
      ["i64", "int64", BigInt64Array.from([-1n, 2n ** 62n])],
      ["ui8", "uint8", Uint8Array.from([0, 255])],
      ["ui16", "uint16", Uint16Array.from([0, 65535])],
      ["ui32", "uint32", Uint32Array.from([0, 2 ** 32 - 1])],
      ["ui64", "uint64", BigUint64Array.from([0n, 2n ** 64n - 1n])],
      ["f16", "float16", Uint16Array.from([0x3c00, 0xc000])],
      ["bf16", "bfloat16", Uint16Array.from([0x3f80, 0xc000])],
      ["f32", "float32", Float32Array.from([1.5, -0])],
      ["f64", "float64", Float64Array.from([Math.PI, -1e300])],
    ] as const)("turns %s round as it came", async (spelled, type, data) => {
      const tensor = `tensor<2x${spelled}>`;
      const body = `%0 = stablehlo.reverse %x, dims = [0] : ${tensor}`;
      const session = await open(write(`${spelled}.mlir`, main(`%x: ${tensor}`, tensor, body, "%0")));
      expect(session.inputs[0]?.type).toBe(type);
      const { outputs } = await session.run(new Map([["x", { type, shape: [2], data }]]));
      expect(outputs.get("result_0")).toEqual({ type, shape: [2], data: data.toReversed() });
      await session.close();
    });

    it("takes scalars and what has no elements", async () => {
      const sum = main(
        "%x: tensor<f32>, %e: tensor<0x3xf32>",
        "tensor<f32>, tensor<0x3xf32>",
        "%0 = stablehlo.add %x, %x : tensor<f32>",
        "%0, %e",
      );
      const session = await open(write("scalar.mlir", sum));
      const { outputs } = await session.run(
        new Map([
          ["x", float([21], [])],
          ["e", float([], [0, 3])],
        ]),
      );
      expect([...outputs.values()]).toEqual([float([42], []), float([], [0, 3])]);
      await session.close();
    });

    it("never writes into the caller's memory, even where the program would reuse it", async () => {
      const reuse = main(
        "%x: tensor<4xf32> {tf.aliasing_output = 0 : i32}",
        "tensor<4xf32>",
        "%0 = stablehlo.add %x, %x : tensor<4xf32>",
        "%0",
      );
      for (const lending of [undefined, { allocate: (bytes: number) => new ArrayBuffer(bytes) }]) {
        const session = await open(write("reuse.mlir", reuse), lending === undefined ? {} : { lending });
        const x = float([1, 2, 3, 4], [4]);
        for (let i = 0; i < 3; i++) {
          const { outputs } = await session.run(new Map([["x", x]]));
          expect(outputs.get("result_0")).toEqual(float([2, 4, 6, 8], [4]));
          expect(x).toEqual(float([1, 2, 3, 4], [4]));
        }
        await session.close();
      }
    });

    it("puts results into memory that is lent, the same every time", async () => {
      const lent: ArrayBuffer[] = [];
      const allocate = (bytes: number): ArrayBuffer => {
        const buffer = new ArrayBuffer(bytes);
        lent.push(buffer);
        return buffer;
      };
      const session = await open(write("lent.mlir", smallStablehlo), { lending: { allocate } });
      for (const x of [1, 2, 3]) {
        const { outputs } = await session.run(new Map([["x", float([x, 0, 0], [1, 3])]]));
        expect(outputs.get("result_0")).toEqual(float([x, 2 * x], [1, 2]));
        expect(outputs.get("result_0")?.data).toHaveProperty("buffer", lent[0]);
      }
      expect(lent.length).toBe(1);
      await session.close();
    });

    it("computes on the device that is asked for, and has no other", async () => {
      const path = write("second.mlir", smallStablehlo);
      const seen = (await delegate.probe?.({ plugin })) ?? [];
      const last = seen.length - 1;
      const session = await open(path, { device: `cpu:${last}` });
      expect(session.placement.says).toContain(`CpuDevice(id=${last})`);
      const { outputs } = await session.run(new Map([["x", float([1, 0, 0], [1, 3])]]));
      expect(outputs.get("result_0")).toEqual(float([1, 2], [1, 2]));
      await session.close();
      expect(await message(open(path, { device: `cpu:${last + 1}` }))).toContain(
        `sees ${seen.length} devices of "cpu"`,
      );
      expect(await message(open(path, { device: "cloud-tpu" }))).toBe(
        `cloud-tpu: ${plugin} is a plug-in of "cpu", which is cpu`,
      );
    });

    it("passes the compiler's flags on, and its words about those it does not know", async () => {
      const path = write("flags.mlir", smallStablehlo);
      const session = await open(path, { options: { xla_backend_optimization_level: "0" } });
      await session.close();
      expect(await message(open(path, { options: { xla_no_such_flag: "true" } }))).toContain("xla_no_such_flag");
    });

    it("says what is wrong with inputs, each in one sentence, and goes on", async () => {
      const session = await open(write("again.mlir", smallStablehlo));
      for (const [says, inputs] of [
        [/no input "z"/, new Map([["z", float([1], [1])]])],
        [/needs 3 elements, 2 are given/, new Map([["x", float([1, 2], [1, 3])]])],
        [/input "x" is not given/, new Map<string, Value>()],
        [/PJRT: /, new Map([["x", float([1, 2, 3, 4], [1, 4])]])],
      ] as const) {
        expect(await message(session.run(inputs))).toMatch(says);
      }
      const { outputs } = await session.run(new Map([["x", float([1, 0, 0], [1, 3])]]));
      expect(outputs.get("result_0")).toEqual(float([1, 2], [1, 2]));
      await session.close();
      expect(await message(session.run(new Map()))).toBe("the session is closed");
    });

    it("calls a broken program broken, by its path", async () => {
      for (const [name, content] of [
        ["none.mlir", "no program at all"],
        ["cut.mlirbc", bytecode.subarray(0, 300)],
      ] as const) {
        const path = write(name, content);
        const error = await thrownBy(open(path));
        expect(error).toBeInstanceOf(FileError);
        expect((error as Error).message).toContain(path);
      }
      const wrong = smallStablehlo.replace("contracting_dims = [1] x [0]", "contracting_dims = [0] x [0]");
      expect(await message(open(write("wrong.mlir", wrong)))).toContain("wrong.mlir: PJRT: ");
    });

    it("stands when memory is collected between and during runs", async () => {
      setFlagsFromString("--expose-gc");
      const collect = runInNewContext("gc") as () => void; // what the flag defines
      const path = write("collected.mlir", smallStablehlo);
      for (let i = 0; i < 5; i++) {
        const session = await open(path);
        collect();
        for (let k = 0; k < 4; k++) {
          const running = [1, 2, 3].map((x) => session.run(new Map([["x", float([x, 0, 0], [1, 3])]])));
          collect();
          const outputs = await Promise.all(running);
          expect(outputs.map((one) => Array.from(one.outputs.get("result_0")?.data as Float32Array))).toEqual([
            [1, 2],
            [2, 4],
            [3, 6],
          ]);
        }
        await session.close();
      }
    });

    it("leaves the event loop free while it runs", async () => {
      const square = "tensor<768x768xf32>";
      const body = `%0 = stablehlo.dot_general %x, %x, contracting_dims = [1] x [0] : (${square}, ${square}) -> ${square}
    %1 = stablehlo.dot_general %0, %x, contracting_dims = [1] x [0] : (${square}, ${square}) -> ${square}`;
      const session = await open(write("long.mlir", main(`%x: ${square}`, square, body, "%1")));
      const values = new Map([
        ["x", { type: "float32", shape: [768, 768], data: new Float32Array(768 * 768) } as const],
      ]);
      await session.run(values);
      let [ticks, ran] = [0, 0];
      const timer = setInterval(() => ticks++, 1);
      const start = performance.now();
      while (performance.now() - start < 300) {
        await session.run(values);
        ran++;
      }
      clearInterval(timer);
      await session.close();
      // Held for the length of a run, it would tick once for each.
      expect(ticks).toBeGreaterThan(ran * 2);
    });

    it("works in a process of its own", async () => {
      const session = await isolate(delegate, write("child.mlir", smallStablehlo), { device: "cpu", plugin });
      for (const x of [1, 2]) {
        const { outputs } = await session.run(new Map([["x", float([x, 10, 100], [1, 3])]]));
        expect(outputs.get("result_0")).toEqual(float([x + 530, 2 * x + 640], [1, 2]));
      }
      await session.close();
    });
  },
);
