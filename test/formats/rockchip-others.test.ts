import { describe, expect, it } from "vitest";
import { modelFileOf } from "../../src/formats/file.ts";
import encrypted from "../../src/formats/rknn-encrypted.ts";
import rkllm from "../../src/formats/rkllm.ts";
import rknn from "../../src/formats/rknn.ts";
import rknx from "../../src/formats/rknx.ts";
import { bytesOf, expectMutantsHandled } from "../support/sealed.ts";

describe("Rockchip's other files", () => {
  it("names an encrypted RKNN, and does not call it RKNN", () => {
    const file = modelFileOf(bytesOf("CYPTRKNN", "\x01".repeat(64)), "x.rknn");
    expect(encrypted.matches(file)).toBe(2);
    expect(encrypted.read(file).unseen[0]).toMatch(/encrypted/);
    expect(rknx.matches(file)).toBe(0);
  });

  it("reads the description of an RKNX", () => {
    // Root table with version, compiler, toolkit and hardware { name }.
    const text = (value: string) =>
      bytesOf(value.length, `${value}\0`.padEnd(Math.ceil((value.length + 1) / 4) * 4, "\0"));
    const u16 = (...values: number[]) => Uint8Array.from(values.flatMap((value) => [value & 255, value >> 8]));
    const vtable = u16(16, 20, 4, 0, 8, 12, 0, 16);
    const root = 4 + vtable.length;
    const [compiler, toolkit, name] = [text("1.0.1"), text("1.0.0"), text("RK1828")];
    const strings = root + 20;
    const hardware = strings + compiler.length + toolkit.length + 8;
    const body = bytesOf(
      root,
      vtable,
      vtable.length,
      3,
      strings - (root + 8),
      strings + compiler.length - (root + 12),
      hardware - (root + 16),
      compiler,
      toolkit,
      u16(6, 8, 4, 0),
      hardware - (hardware - 8),
      4,
      name,
    );
    const bytes = bytesOf("RKNX", "\0".repeat(0x4c), body);
    const model = rknx.read(modelFileOf(bytes, "x.rknn"));
    expect(model.integrity).toEqual([]);
    expect(model.version).toBe("3");
    expect(model.producer?.version).toBe("1.0.0");
    expect(model.targets).toEqual([{ family: "rockchip", chip: "rk182x", says: "RK1828" }]);
    expect(rknn.matches(modelFileOf(bytes, "x.rknn"))).toBe(0);
    expectMutantsHandled(rknx, bytes, "x.rknn", 1000);
  });

  it("knows an RKLLM by its name only, and says so", () => {
    const file = modelFileOf(new Uint8Array(8192), "qwen.rkllm");
    expect(rkllm.matches(file)).toBe(1);
    expect(rkllm.matches(modelFileOf(new Uint8Array(8192), "qwen.bin"))).toBe(0);
    expect(rkllm.read(file).unseen[0]).toMatch(/only the name/);
  });
});
