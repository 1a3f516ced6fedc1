/**
 * Devices of ONNX Runtime: providers that are built in, beside it, or registered as a maker's library, by the real ones where they
 * were fetched; a provider that is not there, refuses, or takes nothing is one sentence. Each runs in a process of its own.
 */

import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CannotError } from "../../src/base/errors.ts";
import type { OpenOptions, Session } from "../../src/delegates/delegate.ts";
import delegate from "../../src/delegates/onnxruntime.ts";
import { spansOf } from "../../src/delegates/onnxruntime/profile.ts";
import type { Value } from "../../src/delegates/value.ts";
import { isolate, probeIsolated } from "../../src/host/isolate.ts";
import { compileLibrary, hasCompiler, unlessCompiler } from "../support/compile.ts";
import { FLOAT, modelOf, node, smallOnnx, valueInfo } from "../support/onnx.ts";
import { runtime, unlessRuntime } from "../support/runtimes.ts";
import { hasShared, sharedPath, unlessShared } from "../support/shared.ts";

const found = delegate.find({});
let folder = "";
let small = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "accelctl-ort-devices-"));
  small = write("small.onnx", smallOnnx());
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, content: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}
const float = (values: readonly number[], shape: readonly number[]): Value => ({
  type: "float32",
  shape,
  data: Float32Array.from(values),
});
const open = (model: string, options: OpenOptions): Promise<Session> =>
  isolate(delegate, model, { threads: 1, ...options });

/** The one sentence that opening ends with. */
async function refusal(model: string, options: OpenOptions): Promise<string> {
  const error: unknown = await open(model, options).then(
    async (session) => session.close(),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(CannotError);
  const { message } = error as CannotError;
  expect(message).not.toContain("\n");
  expect(message).not.toMatch(/\.(?:cc|h):\d/);
  return message;
}

describe.skipIf(found.state !== "read")("providers of the embedded build (skipped: none for this machine)", () => {
  it("sees the CPU, and names what is built in without devices", async () => {
    const seen = await probeIsolated(delegate, {});
    expect(seen[0]).toMatchObject({
      id: "CPUExecutionProvider.0",
      device: "cpu",
      facts: { provider_vendor: "Microsoft" },
    });
    for (const { id } of seen) expect(id).toMatch(/^\w+ExecutionProvider(?:\.\d+)?$/);
  });

  it("says which provider the build lacks, and which it has", async () => {
    expect(await refusal(small, { device: "intel-npu" })).toMatch(/has no OpenVINOExecutionProvider; it has .*CPU$/);
    expect(await refusal(small, { device: "cpu", options: { provider: "xnnpack" } })).toMatch(
      /no XnnpackExecutionProvider/,
    );
  });

  it("says which providers there are when another is asked for, and of a device that has none", async () => {
    expect(await refusal(small, { device: "cpu", options: { provider: "Foo" } })).toMatch(
      /"Foo" is known; there are CUDA, /,
    );
    expect(await refusal(small, { device: "hailo" })).toMatch(/no provider that is asked for hailo by itself/);
    expect(await refusal(small, { device: "cpu", options: { speed: "2" } })).toMatch(/no option "speed"/);
  });

  const cuda = found.state === "read" && existsSync(join(found.value.library, "../libonnxruntime_providers_cuda.so"));
  it.skipIf(cuda || process.arch !== "x64")(
    "gives the library's words where CUDA's provider is not beside it",
    async () => {
      expect(await refusal(small, { device: "nvidia" })).toMatch(
        /^CUDAExecutionProvider: ONNX Runtime: .*Failed to load/,
      );
    },
  );

  const vulkan = ["x86_64-linux-gnu/libvulkan.so.1", "libvulkan.so.1"].some((at) => existsSync(join("/usr/lib", at)));
  it.skipIf(vulkan || process.arch !== "x64")(
    "gives the library's words where there is no adapter for WebGPU",
    async () => {
      const says = await refusal(small, { device: "intel-gpu", options: { provider: "WebGPU" } });
      expect(says).toMatch(/^WebGpuExecutionProvider: ONNX Runtime: .*Failed to get a WebGPU adapter/);
    },
  );

  it("takes options that are the session's", async () => {
    const session = await open(small, { device: "cpu", options: { "session.intra_op.allow_spinning": "0" } });
    await session.close();
  });

  it("tells what a run is made of when it is asked to, and leaves no file", async () => {
    const before = leftovers();
    const session = await open(small, { device: "cpu", profile: true });
    for (let i = 1; i < 4; i++) {
      const { outputs, spans } = await session.run(new Map([["x", float([i, 0, 0], [1, 3])]]));
      expect(outputs.get("y")).toEqual(float([i, 2 * i], [1, 2]));
      expect(spans).toMatchObject([{ by: "CPUExecutionProvider" }]);
      expect(spans[0]?.ms).toBeGreaterThanOrEqual(0);
    }
    await session.close();
    expect(leftovers()).toEqual(before);
  });

  describe.skipIf(!hasCompiler)(`libraries of our own${unlessCompiler}`, () => {
    it("says that a plugin is not there, is no library, or is no provider", async () => {
      const plugin = join(folder, "libnone.so");
      expect(await refusal(small, { device: "cpu", plugin })).toMatch(
        /libnone\.so: ONNX Runtime: .*cannot open shared/,
      );
      writeFileSync(plugin, "no library at all");
      expect(await refusal(small, { device: "cpu", plugin })).toMatch(
        /libnone\.so: ONNX Runtime: .*file too short|invalid ELF/,
      );
      const other = compileLibrary("ort-fake.c", folder);
      expect(await refusal(small, { device: "cpu", plugin: other })).toMatch(/CreateEpFactories/);
    });

    it("gives the words of a plugin that was built for a newer runtime", async () => {
      const plugin = compileLibrary("ort-fake.c", folder, ["-DPLUGIN"]);
      expect(await refusal(small, { device: "cpu", plugin })).toMatch(
        /built for API version 999 and this is ONNX Runtime 1\./,
      );
    });

    it("says that a runtime is too old, or none", async () => {
      const library = compileLibrary("ort-fake.c", folder, ["-DOLD"]);
      expect(await refusal(small, { device: "cpu", library })).toMatch(
        /ONNX Runtime 1\.16\.3-fake is too old; 1\.19 is/,
      );
      const none = compileLibrary("ort-fake.c", folder);
      expect(await refusal(small, { device: "cpu", library: none })).toMatch(/libort-fake\.so: .*OrtGetApiBase/);
    });
  });
});

const [newer, built, plugin, ggml] = [
  join(runtime("onnxruntime") ?? "", "onnxruntime/capi/libonnxruntime.so.1.32.0"),
  join(runtime("onnxruntime-openvino") ?? "", "onnxruntime/capi/libonnxruntime.so.1.24.1"),
  join(runtime("onnxruntime-ep-openvino") ?? "", "onnxruntime_ep_openvino/libonnxruntime_providers_openvino_plugin.so"),
  join(runtime("onnxruntime-ep-ggml") ?? "", "onnxruntime_ggml/lib/libonnxruntime_ggml.so"),
];
const mnist = hasShared ? sharedPath("models/onnx/mnist-8.onnx") : "";

describe.skipIf(!existsSync(newer))(`a newer build by path${unlessRuntime("onnxruntime")}`, () => {
  it("multiplies, and profiles", async () => {
    const session = await open(small, { device: "cpu", library: newer, profile: true });
    const { outputs, spans } = await session.run(new Map([["x", float([1, 10, 100], [1, 3])]]));
    expect(outputs.get("y")).toEqual(float([531, 642], [1, 2]));
    expect([session.version, spans.length]).toEqual(["1.32.0", 1]);
    await session.close();
  });
});

describe.skipIf(!existsSync(built))(`a build with OpenVINO's provider${unlessRuntime("onnxruntime-openvino")}`, () => {
  it("gives the nodes to OpenVINO and says so", async () => {
    const session = await open(small, { device: "cpu", library: built, options: { provider: "OpenVINO" } });
    expect(session.placement).toEqual({
      device: "cpu",
      says: "ONNX Runtime gave 1 of 1 nodes to OpenVINOExecutionProvider",
      nodes: { all: 1, taken: 1 },
      partitions: [{ by: "OpenVINOExecutionProvider", nodes: 1, operators: { MatMul: 1 } }],
    });
    const { outputs } = await session.run(new Map([["x", float([1, 10, 100], [1, 3])]]));
    expect(outputs.get("y")).toEqual(float([531, 642], [1, 2]));
    await session.close();
  });

  it.skipIf(existsSync("/dev/accel/accel0"))(
    "does not run on the CPU what was asked of an NPU that is not here",
    async () => {
      expect(await refusal(small, { device: "intel-npu", library: built })).toMatch(/^OpenVINOExecutionProvider: /);
    },
  );
});

const embedded = found.state === "read";
describe.skipIf(!existsSync(plugin) || !embedded)(
  `OpenVINO's plugin${unlessRuntime("onnxruntime-ep-openvino")}`,
  () => {
    it("lists its devices in OpenVINO's words", async () => {
      const seen = await probeIsolated(delegate, { plugin });
      const own = seen.find(({ id }) => id === "OpenVINOExecutionProvider.0");
      expect(own).toMatchObject({ device: "cpu", facts: { provider_vendor: "Intel", ov_device: "CPU" } });
    });

    // OpenVINO knows no Det.
    const det = [node("Det", ["m"], ["d"]), valueInfo(11, "m", FLOAT, [2, 2]), valueInfo(12, "d", FLOAT, [])] as const;
    const matrix = ["m", float([3, 1, 2, 4], [2, 2])] as const;

    it("takes what it can of a graph, and the rest is told", async () => {
      const mixed = modelOf(
        node("Sqrt", ["x"], ["root"]),
        node("Relu", ["root"], ["y"]),
        valueInfo(11, "x", FLOAT, [3]),
        valueInfo(12, "y", FLOAT, [3]),
        ...det,
      );
      const session = await open(write("mixed.onnx", mixed), { device: "cpu", plugin });
      expect(session.placement.nodes).toEqual({ all: 3, taken: 2 });
      expect(session.placement.says).toBe(
        "ONNX Runtime gave 2 of 3 nodes to OpenVINOExecutionProvider; the others went to CPUExecutionProvider",
      );
      expect(session.placement.partitions).toContainEqual({
        by: "OpenVINOExecutionProvider",
        nodes: 2,
        operators: { Sqrt: 1, Relu: 1 },
      });
      for (let i = 0; i < 3; i++) {
        const { outputs } = await session.run(new Map([["x", float([4, 9, 16], [3])], matrix]));
        expect([outputs.get("y"), outputs.get("d")]).toEqual([float([2, 3, 4], [3]), float([10], [])]);
      }
      await session.close();
    });

    it("is an error where it takes nothing", async () => {
      const says = await refusal(write("det.onnx", modelOf(...det)), { device: "cpu", plugin });
      expect(says).toMatch(/OpenVINOExecutionProvider took none of the model's 1 nodes/);
    });

    it("is an error where it has no such device", async () => {
      expect(await refusal(small, { device: "cpu:7", plugin })).toMatch(/its provider sees cpu.*, and not cpu:7$/);
      expect(await refusal(small, { device: "nvidia", plugin })).toMatch(/, and not nvidia$/);
      // A plugin's provider by its name without the ending, in any case; and one that it does not bring.
      const named = { device: "cpu:7", plugin };
      expect(await refusal(small, { ...named, options: { provider: "openvino" } })).toMatch(
        /sees cpu.*, and not cpu:7$/,
      );
      expect(await refusal(small, { ...named, options: { provider: "WebGPU" } })).toMatch(
        /it brings OpenVINOExecutionProvider.*, and not WebGPU$/,
      );
    });

    it.skipIf(!hasShared)(
      `computes a published model as the CPU provider does, within what bfloat16 keeps${unlessShared}`,
      async () => {
        const data = Float32Array.from({ length: 784 }, (_, i) => (i % 17) * 8);
        const inputs = new Map([["Input3", { type: "float32", shape: [1, 1, 28, 28], data } as const]]);
        const results: number[][] = [];
        for (const options of [{ device: "cpu" }, { device: "cpu", plugin }]) {
          const session = await open(mnist, options);
          const [output] = [...(await session.run(inputs)).outputs.values()];
          results.push(Array.from(output?.data as Float32Array));
          await session.close();
        }
        const [ours = [], theirs = []] = results;
        expect(ours.length).toBe(10);
        const scale = Math.max(...ours.map(Math.abs));
        ours.forEach((value, i) => expect(Math.abs(value - (theirs[i] ?? NaN))).toBeLessThan(scale / 32));
      },
    );
  },
);

describe.skipIf(!existsSync(ggml) || !embedded || !hasShared)(
  `a provider that takes whole models only${unlessRuntime("onnxruntime-ep-ggml")}${unlessShared}`,
  () => {
    it("takes one, and leaves another, which is an error", async () => {
      const session = await open(small, { device: "cpu", plugin: ggml });
      expect(session.placement.nodes).toEqual({ all: 1, taken: 1 });
      await session.close();
      expect(await refusal(mnist, { device: "cpu", plugin: ggml })).toMatch(/took none of the model's 8 nodes/);
    });
  },
);

const oldest = join(runtime("onnxruntime-oldest") ?? "", "onnxruntime/capi/libonnxruntime.so.1.19.2");
describe.skipIf(!existsSync(oldest))(`the oldest build that is taken${unlessRuntime("onnxruntime-oldest")}`, () => {
  it("multiplies, and says what it cannot", async () => {
    const session = await open(small, { device: "cpu", library: oldest, profile: true });
    const { outputs, spans } = await session.run(new Map([["x", float([1, 10, 100], [1, 3])]]));
    expect([outputs.get("y"), spans]).toEqual([float([531, 642], [1, 2]), []]);
    await session.close();
    const says = await refusal(small, { device: "cpu", library: oldest, plugin: oldest });
    expect(says).toMatch(/ONNX Runtime 1\.19\.2 takes no providers of others; 1\.22 and later do$/);
    expect((await probeIsolated(delegate, { library: oldest })).map(({ id }) => id)).toContain("CPUExecutionProvider");
  });
});

describe("what a route of the catalogue found", () => {
  const files = (name: string, ...names: string[]): string => {
    const at = join(folder, name);
    mkdirSync(at);
    for (const file of names) writeFileSync(join(at, file), "");
    return at;
  };

  it("is a runtime, a provider beside one, or a provider to be registered", () => {
    const whole = files("whole", "libonnxruntime.so.1.24.1", "libonnxruntime_providers_openvino.so", "libopenvino.so");
    const library = join(whole, "libonnxruntime.so.1.24.1");
    for (const name of ["libonnxruntime.so.1.24.1", "libonnxruntime_providers_openvino.so", "libopenvino.so"]) {
      expect(delegate.byRoute?.(join(whole, name))).toEqual({ library });
    }
    const alone = files(
      "alone",
      "libonnxruntime_providers_shared.so",
      "libonnxruntime_providers_qnn.so",
      "libQnnHtp.so",
    );
    const plugin = join(alone, "libonnxruntime_providers_qnn.so");
    expect(delegate.byRoute?.(join(alone, "libQnnHtp.so"))).toEqual({ plugin });
    expect(delegate.byRoute?.(plugin)).toEqual({ plugin });
    const other = files("other", "libmigraphx_c.so.3");
    expect(delegate.byRoute?.(join(other, "libmigraphx_c.so.3"))).toEqual({});
    expect(delegate.byRoute?.(join(folder, "gone", "libmigraphx_c.so.3"))).toEqual({});
  });
});

describe("profiles", () => {
  it("are read as kernels in their order, whatever else is among them", () => {
    const node = (name: string, ts: number, more: object = {}): object => ({
      cat: "Node",
      name,
      ts,
      dur: 1500,
      args: { provider: "P", op_name: "Conv", ...more },
    });
    const events = [
      node("b_kernel_time", 2),
      { cat: "Session", name: "x" },
      node("a", 1),
      null,
      7,
      node("c", 3, { provider: 4 }),
    ];
    expect(spansOf([...events, node("_kernel_time", 9)])).toEqual([
      { name: "a", by: "P", ms: 1.5 },
      { name: "b", by: "P", ms: 1.5 },
      { name: "Conv", by: "P", ms: 1.5 },
    ]);
    for (const none of [undefined, {}, "", [[]], [{ cat: "Node", args: [] }]]) expect(spansOf(none)).toEqual([]);
  });
});

const leftovers = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith("accelctl-profile-"));
