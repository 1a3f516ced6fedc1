import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { families } from "../../src/families/index.ts";
import { unconverted } from "../../src/inspect/conversions-makers.ts";
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
    expect(wanted).toEqual([]);
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

/** What every device's compiler or runtime begins with; the rest is compiled. */
const open: ReadonlySet<string> = new Set(["onnx", "tflite", "gguf", "openvino-ir"]);

describe("every compiled format a route takes", () => {
  // A CPU compiles nothing: what runs there of a program that ExecuTorch exported are its own kernels.
  const compiled = families
    .filter(({ id }) => id !== "cpu")
    .flatMap((one) =>
      [...new Set(one.routes.flatMap((route) => route.models.map(({ format }) => format)))]
        .filter((format) => !open.has(format))
        .map((format): [string, string] => [one.id, format]),
    );

  it.each(compiled)("%s: %s has commands from an open format, or it is said why not", (id, format) => {
    const from = ["onnx", "tflite", "safetensors", "gguf"];
    const ways = from.flatMap((own) =>
      conversionsTo(family(id), inspection(own), `net.${own}`).filter(({ to }) => to === format),
    );
    const commands = ways.filter((way) => way.commands.length > 0);
    if (commands.length === 0) {
      expect(Object.keys(unconverted)).toContain(format);
      expect(ways.flatMap(({ needs }) => needs).map(({ says }) => says)).toContain(unconverted[format]?.says);
    }
    for (const way of ways) expect(way.sources.length).toBeGreaterThan(0);
  });

  it("nothing is said of a format that no route takes", () => {
    const taken = new Set(compiled.map(([, format]) => format));
    expect(Object.keys(unconverted).filter((format) => !taken.has(format))).toEqual([]);
  });
});

it("names and sizes of the model's own input go into the command", () => {
  const [way] = conversionsTo(family("renesas-drpai"), inspection("onnx"), "models/net.onnx", "rzv2l");
  expect(way?.commands).toEqual(["python3 compile_onnx_model.py models/net.onnx -o net_drpai -s 1,3,224,224 -i x"]);
  const open = inspection("onnx", { inputs: [{ name: "a b", type: "float32", shape: [null, 3, 8, 8] }] });
  expect(conversionsTo(family("renesas-drpai"), open, "net.onnx")[0]?.commands).toEqual([
    "pip install onnx onnxruntime",
    "python3 -m onnxruntime.tools.make_dynamic_shape_fixed --input_name 'a b' --input_shape 1,3,8,8 net.onnx net_fixed.onnx",
    "python3 compile_onnx_model.py net_fixed.onnx -o net_fixed_drpai -s 1,3,8,8 -i 'a b'",
  ]);
});

it("a language model's folder is what its tools read", () => {
  const [way] = conversionsTo(family("aws-neuron"), inspection("safetensors"), "qwen/model.safetensors");
  expect(way?.commands).toEqual([
    "optimum-cli export neuron --model qwen --sequence_length 128 --batch_size 1 model_neuron/",
  ]);
  const rkllm = conversionsTo(family("rockchip"), inspection("gguf"), "q.gguf", "rk3588").find(
    ({ to }) => to === "rkllm",
  );
  expect(rkllm?.commands[0]).toContain('r.load_gguf(model="q.gguf")');
  expect(rkllm?.commands[0]).toContain('target_platform="rk3588"');
});

it("a Core ML model becomes a program of the Neural Engine on macOS only", () => {
  const ways = conversionsTo(family("apple-ane"), inspection("coreml"), "nets/yolov5.mlmodel", "t8103");
  expect(ways.map(({ to, commands }) => [to, commands])).toEqual([
    ["anec", ["tohwx nets/yolov5.mlmodel", "anecc nets/yolov5.hwx -o yolov5.anec"]],
    ["hwx", ["tohwx nets/yolov5.mlmodel"]],
  ]);
  expect(ways.every(({ needs }) => needs.some(({ what }) => what === "macOS"))).toBe(true);
});

it("where no tool converts, the reason stands in place of commands", () => {
  const way = conversionsTo(family("intel-gaudi"), inspection("onnx"), "net.onnx").find(({ to }) => to === "hl-recipe");
  expect(way?.commands).toEqual([]);
  expect(way?.needs[0]?.says).toContain("while PyTorch runs");
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
  const [way] = conversionsTo(family("hailo"), open, "net.onnx", "hailo10h");
  expect(way?.commands).toEqual([
    "pip install onnx onnxruntime",
    "python3 -m onnxruntime.tools.make_dynamic_shape_fixed --input_name x --input_shape 1,3,224,224 net.onnx net_fixed.onnx",
    "hailo parser onnx net_fixed.onnx --hw-arch hailo10h",
    "hailo optimize net_fixed.har --hw-arch hailo10h --calib-set-path calib.npy",
    "hailo compiler net_fixed_optimized.har --hw-arch hailo10h",
  ]);
  expect(way?.needs.find(({ what }) => what === "static shapes")).toEqual({
    what: "static shapes",
    met: "no",
    says: "x left open; the first commands fix them",
  });
  const sizes = inspection("onnx", { inputs: [{ name: "x", type: "float32", shape: ["batch", 3, "h", "w"] }] });
  const [other] = conversionsTo(family("hailo"), sizes, "net.onnx", "hailo10h");
  expect(other?.commands[1]).toContain("--input_shape 1,3,SIZE,SIZE ");
  expect(other?.needs[0]?.says).toContain("put a number in place of SIZE");
});

it("a chip that its id does not tell is the user's to name: an 8L refuses what was compiled for an 8", () => {
  const [way] = conversionsTo(family("hailo"), inspection("onnx"), "net.onnx", "hailo8");
  expect(way?.commands[0]).toBe("hailo parser onnx net.onnx --hw-arch ARCH");
  const need = way?.needs.find(({ what }) => what === "chip name");
  expect(need?.met).toBe("unknown");
  expect(need?.says).toMatch(/in place of ARCH: hailo8, hailo8l/);
});

it("every placeholder for a chip is explained, with the words that are known", () => {
  for (const one of families) {
    for (const way of conversionsTo(one, inspection("onnx"), "net.onnx")) {
      const open = [...conversions, ...bridges].flatMap(({ placeholder }) => placeholder ?? []);
      const left = open.find((word) => way.commands.some((command) => new RegExp(`\\b${word}\\b`).test(command)));
      if (left !== undefined) expect(way.needs.map(({ says }) => says).join("\n")).toContain(`in place of ${left}`);
    }
  }
  const rknn = conversionsTo(family("rockchip"), inspection("onnx"), "net.onnx").find(({ to }) => to === "rknn");
  expect(rknn?.needs.find(({ what }) => what === "chip name")?.says).toContain("CHIP: rk3588, rk3576");
});

it("typical inputs are named where the commands take them from", () => {
  const says = (id: string) =>
    conversionsTo(family(id), inspection("onnx"), "net.onnx")
      .flatMap(({ needs }) => needs)
      .filter(({ what }) => what === "calibration data")
      .map((need) => need.says);
  expect(says("hailo")).toEqual(["some hundred typical inputs, from you: calib.npy"]);
  expect(says("coral")[0]).toContain("-cind");
});

it("a file that is quantised already is told to be the worse start for a tool that quantises", () => {
  const integer = inspection("onnx", { quantization: { kind: "qdq", says: "QDQ int8, per tensor" } });
  const says = (one: Inspection) =>
    conversionsTo(family("hailo"), one, "net.onnx")[0]?.needs.find(({ what }) => what === "calibration data")?.says;
  expect(says(integer)).toContain("quantised already (QDQ int8, per tensor)");
  expect(says(inspection("onnx"))).not.toContain("already");
});

it("a batch is one wherever it is named", () => {
  const two = inspection("onnx", {
    inputs: [
      { name: "a", type: "float32", shape: ["batch", 16] },
      { name: "b", type: "float32", shape: [2, "batch", "n"] },
    ],
  });
  const [way] = conversionsTo(family("hailo"), two, "net.onnx");
  expect(way?.commands.slice(1, 3).map((one) => /--input_shape (\S+) (\S+)/.exec(one)?.slice(1))).toEqual([
    ["1,16", "net.onnx"],
    ["2,1,SIZE", "net_fixed.onnx"],
  ]);
});

it("a Myriad gets what the last OpenVINO that has its plugin writes", () => {
  const ways = conversionsTo(family("movidius"), inspection("onnx"), "net.onnx", "myriad-x");
  expect(ways.every(({ commands }) => commands[0] === "pip install 'openvino-dev[onnx]==2022.3.*'")).toBe(true);
  expect(ways.find(({ to }) => to === "myriad-blob")?.commands.at(-1)).toBe(
    "compile_tool -m net.xml -d MYRIAD -o net.blob",
  );
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
  const programs: string[] = [];
  const named = { inputs: [{ name: 'in\'; touch "pwned"', type: "float32", shape: [1, 3, 8, 8] }] } as const;
  const ways = families.flatMap((one) =>
    ["onnx", "tflite", "safetensors", "gguf", "coreml"].flatMap((own) =>
      conversionsTo(one, inspection(own, named), `d'; touch e/${path}`, one.chips[0]?.id),
    ),
  );
  const commands = [...new Set(ways.flatMap((way) => way.commands))];
  expect(commands.length).toBeGreaterThan(30);
  // The shell itself splits the lines: each program is what we meant, and nothing is left over to be run.
  const script = `f() { for word; do printf '%s\\0' "$word"; done; printf '\\1\\0'; }\n${commands.map((one) => `f ${one}`).join("\n")}`;
  const { stdout, status } = spawnSync("sh", ["-c", script], { encoding: "utf8" });
  expect(status).toBe(0);
  const split = stdout.split("\u0001\0").slice(0, -1);
  expect(split.length).toBe(commands.length);
  for (const one of split) {
    const words = one.split("\0").slice(0, -1);
    expect(words[0]).toMatch(/^(?:\/opt\/qti-aic\/exec\/)?[\w.-]+$/);
    expect(words.filter((word) => word === "touch" || word === "echo" || word === "pwned")).toEqual([]);
    if (words[0] === "python3" && words[1] === "-c") programs.push(words[2] ?? "");
  }
  expect(programs.length).toBeGreaterThan(3);
  const check = spawnSync("python3", ["-c", "import ast,sys\nfor one in sys.argv[1:]: ast.parse(one)", ...programs]);
  if (check.error === undefined) expect(String(check.stderr)).toBe("");
});
