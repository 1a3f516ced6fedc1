import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { families } from "../../src/families/index.ts";
import { bridges, conversions } from "../../src/inspect/conversions.ts";
import { conversionsTo } from "../../src/inspect/convert.ts";
import type { Inspection } from "../../src/inspect/inspection.ts";

const family = (id: string) => {
  const found = families.find((one) => one.id === id);
  if (found === undefined) throw new Error(id);
  return found;
};

function inspection(format: string, more: Partial<Inspection> = {}): Inspection {
  return {
    schema: 1,
    file: { name: "net", bytes: 1 },
    format: { id: format, name: format, vendor: "", shows: "full", checked: 1 },
    sealed: false,
    targets: [],
    requires: [],
    inputs: [{ name: "x", type: "float32", shape: [1, 3, 224, 224] }],
    outputs: [],
    graphs: [],
    operators: [],
    cost: { open: 0, custom: 0, weights: [] },
    metadata: {},
    sections: [],
    integrity: [],
    needs: [],
    unseen: [],
    ...more,
  };
}

describe("the table of conversions", () => {
  const formats = new Set(families.flatMap((one) => one.routes.flatMap((route) => route.models.map((m) => m.format))));

  it("leads to formats that a route takes, or that a compiler reads", () => {
    const wanted = conversions.map((row) => row.to).filter((to) => !formats.has(to));
    // No route of the catalogue names its format yet.
    expect(wanted).toEqual(["axmodel"]);
    for (const bridge of bridges) expect(conversions.some((row) => row.from.includes(bridge.to))).toBe(true);
  });

  it("names chips of the catalogue only", () => {
    for (const row of conversions) {
      const owners = families.filter((one) =>
        one.routes.some((route) => route.models.some((m) => m.format === row.to)),
      );
      const chips = new Set(owners.flatMap((one) => one.chips.map((chip) => chip.id)));
      expect(Object.keys(row.chips ?? {}).filter((chip) => !chips.has(chip))).toEqual([]);
    }
  });
});

it("a float model for the Edge TPU is told to be quantised first", () => {
  const float = inspection("tflite", { quantization: { kind: "float32", says: "float32" } });
  const [way] = conversionsTo(family("coral"), float, "net.tflite");
  expect(way?.commands).toEqual(["edgetpu_compiler net.tflite"]);
  expect(way?.needs.find(({ what }) => what === "full integer")?.met).toBe("no");
  const integer = inspection("tflite", { quantization: { kind: "full integer", says: "full integer int8" } });
  expect(conversionsTo(family("coral"), integer, "net.tflite")[0]?.needs[0]?.met).toBe("yes");
});

it("open shapes are named", () => {
  const open = inspection("onnx", { inputs: [{ name: "x", type: "float32", shape: ["batch", 3, 224, 224] }] });
  const [way] = conversionsTo(family("hailo"), open, "net.onnx", "hailo8");
  expect(way?.commands).toEqual([
    "hailo parser onnx net.onnx --hw-arch hailo8",
    "hailo optimize net.har --hw-arch hailo8 --calib-set-path calib.npy",
    "hailo compiler net_optimized.har --hw-arch hailo8",
  ]);
  expect(way?.needs.find(({ what }) => what === "static shapes")).toEqual({
    what: "static shapes",
    met: "no",
    says: "x left open; fix them before converting",
  });
});

it("what a compiler does not read goes there in two steps", () => {
  const [way] = conversionsTo(family("coral"), inspection("onnx"), "net.onnx");
  expect(way?.tool).toBe("onnx2tf, then edgetpu_compiler");
  expect(way?.commands.at(-1)).toBe("edgetpu_compiler net_tflite/net_full_integer_quant.tflite");
});

it("a compiled file has no way", () => {
  expect(conversionsTo(family("rockchip"), inspection("hef", { sealed: true }), "net.hef")).toEqual([]);
});

it("a file's name cannot become a command", () => {
  const path = "a'; touch pwned; echo \"$(id)`id`\\.onnx";
  for (const id of ["rockchip", "hailo", "nvidia", "coral"]) {
    for (const { commands } of conversionsTo(family(id), inspection("onnx"), path, "rk3588")) {
      for (const command of commands) {
        // The shell itself splits the line: the program is what we meant, and nothing is left over to be run.
        const script = `f() { for word; do printf '%s\\0' "$word"; done; }\nf ${command}`;
        const { stdout, status } = spawnSync("sh", ["-c", script], { encoding: "utf8" });
        expect(status).toBe(0);
        const words = stdout.split("\0").slice(0, -1);
        expect(words[0]).toMatch(/^[\w-]+$/);
        expect(words.filter((word) => word === "touch" || word === "echo")).toEqual([]);
        if (words[0] === "python3" && words[1] === "-c") {
          const program = words[2] ?? "";
          const check = spawnSync("python3", ["-c", "import ast,sys; ast.parse(sys.argv[1])", program]);
          if (check.error === undefined) expect(check.status).toBe(0);
          expect(program).toContain("rknn.api");
        }
      }
    }
  }
});
