/**
 * `accelctl inspect FILE` cold, beside `node -e 0` (the floor), netron's reader and the onnx package on the same file, in one run;
 * peak memory of each. Promise: a small TFLite within 1.6 times `node -e 0`, a 100 MB ONNX within 2.5 times and 90 MB, a 5 GB
 * safetensors, GGUF or ONNX with external data as quick, an ONNX of 20,000 nodes within 400 ms, and each quicker than both peers. The
onnx package is measured twice: reading alone, and with its checker and shape inference, which is what inspect does.
 * Peers are measured where Python has them: `pip install onnx netron`, and PYTHON=path of that Python.
 */

import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gguf } from "../test/formats/build/gguf.ts";
import { bytes, concat, int, message, type Piece } from "../test/support/protobuf.ts";
import { median, ms, sideBySide, table } from "./_table.ts";

const ROUNDS = 9;
const MEGABYTE = 1_000_000;
const python = process.env["PYTHON"] ?? "python3";
const scratch = mkdtempSync(join(tmpdir(), "accelctl-bench-"));

interface Row {
  readonly name: string;
  readonly path: string;
  readonly promise: string;
}

function measure({ name, path, promise }: Row, netron: string | undefined, onnx: boolean): string[] {
  const isOnnx = path.endsWith(".onnx");
  const commands: readonly (readonly string[] | undefined)[] = [
    [process.execPath, "-e", "0"],
    [process.execPath, "dist/accelctl.cjs", "inspect", path],
    netron === undefined ? undefined : [process.execPath, resolve("bench/_netron.mjs"), netron, path],
    // What `inspect` does not do either: weights in other files stay there.
    onnx && isOnnx
      ? [python, "-c", "import sys, onnx; onnx.load(sys.argv[1], load_external_data=False)", path]
      : undefined,
    onnx && isOnnx && !path.endsWith("external.onnx")
      ? [
          python,
          "-c",
          "import sys, onnx; m = onnx.load(sys.argv[1]); onnx.checker.check_model(m); onnx.shape_inference.infer_shapes(m)",
          path,
        ]
      : undefined,
    [process.execPath, "dist/accelctl.cjs", "inspect", path, "--no-machine"],
  ];
  const candidates = commands.flatMap((command, i) =>
    command === undefined ? [] : [{ name: String(i), run: () => void quiet(command) }],
  );
  const times = sideBySide(candidates, ROUNDS);
  const at = (i: number): number => median(times.get(String(i)) ?? []);
  const peak = (i: number): string => {
    const command = commands[i];
    return command === undefined ? "-" : peakMebibytes(command);
  };
  const shown = (i: number): string => (commands[i] === undefined ? "-" : ms(at(i)));
  return [
    name,
    (statSync(path).size / MEGABYTE).toFixed(1),
    shown(1),
    (at(1) / at(0)).toFixed(2),
    peak(1),
    shown(2),
    peak(2),
    shown(3),
    peak(3),
    shown(4),
    shown(5),
    promise,
  ];
}

function quiet([command = "", ...args]: readonly string[]): SpawnSyncReturns<Buffer> {
  const done = spawnSync(command, args, { stdio: ["ignore", "ignore", "pipe"] });
  if (done.status !== 0) throw new Error(`${command} ${args.join(" ")}: ${done.stderr.toString().slice(-400)}`);
  return done;
}

/** As the kernel counted it for the child: Python measures both, since it can wait for a child's own usage. */
function peakMebibytes(command: readonly string[]): string {
  const program =
    "import os, sys, subprocess, resource\n" +
    "subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)\n" +
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)";
  const kib = Number(say(python, ["-c", program, ...command]));
  return Number.isFinite(kib) && kib > 0 ? (kib / 1024).toFixed(0) : "-";
}

/** What a program prints; undefined when it cannot be run or fails. */
function say(command: string, args: readonly string[]): string | undefined {
  const done = spawnSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  return done.status === 0 ? done.stdout.trim() : undefined;
}

function makeFiles(): Row[] {
  const published = "../shared/models/tflite/dtln_noise_suppression.tflite";
  const write = (name: string, content: Uint8Array, bytesInAll = content.length): string => {
    const path = join(scratch, name);
    writeFileSync(path, content);
    if (bytesInAll > content.length) {
      const fd = openSync(path, "r+");
      ftruncateSync(fd, bytesInAll);
      closeSync(fd);
    }
    return path;
  };
  const samples = JSON.parse(readFileSync("test/formats/tflite-samples.json", "utf8")) as Record<string, string>;
  const [small = ""] = Object.values(samples);
  const five = 5_000 * MEGABYTE;
  return [
    existsSync(published)
      ? { name: "a published TFLite", path: published, promise: "1.6 x" }
      : { name: "a small TFLite", path: write("small.tflite", Buffer.from(small, "base64")), promise: "1.6 x" },
    {
      name: "ONNX, weights inside",
      path: write("large.onnx", convolutions(20, 5 * MEGABYTE)),
      promise: "2.5 x, 90 MB",
    },
    { name: "ONNX, 20,000 nodes", path: write("nodes.onnx", chain(20_000)), promise: "400 ms" },
    { name: "ONNX, 5 GB of external data", path: externalData(write, five), promise: "2.5 x, 90 MB" },
    { name: "safetensors", path: safetensors(write, five), promise: "2.5 x, 90 MB" },
    { name: "GGUF", path: ggufFile(write, five), promise: "2.5 x, 90 MB" },
  ];
}

type Write = (name: string, content: Uint8Array, bytesInAll?: number) => string;

const shapeOf = (dims: readonly number[]): Piece => concat(dims.map((dim) => message(1, int(1, dim))));
const valueInfo = (field: number, name: string, dims: readonly number[]): Piece =>
  message(field, bytes(1, name), message(2, message(1, int(1, 1), message(2, shapeOf(dims)))));
const modelOf = (...graph: readonly Piece[]): Uint8Array =>
  concat([int(1, 8), bytes(2, "accelctl bench"), message(7, ...graph), message(8, int(2, 17))]);
const node = (op: string, inputs: readonly string[], output: string): Piece =>
  message(1, ...inputs.map((name) => bytes(1, name)), bytes(2, output), bytes(3, output), bytes(4, op));

/** A stack of 1x1 convolutions, each with its weights in the file. */
function convolutions(count: number, weightBytes: number): Uint8Array {
  const width = Math.floor(Math.sqrt(weightBytes / 4));
  const parts: Piece[] = [];
  for (let i = 0; i < count; i++) parts.push(node("Conv", [i === 0 ? "x" : `y${i - 1}`, `w${i}`], `y${i}`));
  for (let i = 0; i < count; i++) {
    const dims = [width, width, 1, 1].map((dim) => int(1, dim));
    parts.push(message(5, ...dims, int(2, 1), bytes(8, `w${i}`), bytes(9, new Uint8Array(width * width * 4))));
  }
  parts.push(valueInfo(11, "x", [1, width, 7, 7]), valueInfo(12, `y${count - 1}`, [1, width, 7, 7]));
  return modelOf(bytes(2, "stack"), ...parts);
}

/** Convolutions and Relus in turn, one small weight each. */
function chain(nodes: number): Uint8Array {
  const parts: Piece[] = [];
  for (let i = 0; i < nodes; i++) {
    const from = i === 0 ? "x" : `y${i - 1}`;
    parts.push(i % 2 === 0 ? node("Conv", [from, `w${i}`], `y${i}`) : node("Relu", [from], `y${i}`));
  }
  for (let i = 0; i < nodes; i += 2) {
    parts.push(
      message(
        5,
        int(1, 4),
        int(1, 4),
        int(1, 1),
        int(1, 1),
        int(2, 1),
        bytes(8, `w${i}`),
        bytes(9, new Uint8Array(64)),
      ),
    );
  }
  parts.push(valueInfo(11, "x", [1, 4, 8, 8]), valueInfo(12, `y${nodes - 1}`, [1, 4, 8, 8]));
  return modelOf(bytes(2, "chain"), ...parts);
}

function externalData(write: Write, size: number): string {
  write("external.data", new Uint8Array(0), size);
  const entry = (key: string, value: string): Piece => message(13, bytes(1, key), bytes(2, value));
  const width = 35_000;
  const weight = message(
    5,
    ...[int(1, width), int(1, width), int(2, 1), bytes(8, "w")],
    ...[
      entry("location", "external.data"),
      entry("offset", "0"),
      entry("length", String(width * width * 4)),
      int(14, 1),
    ],
  );
  const graph = [
    node("MatMul", ["x", "w"], "y"),
    weight,
    valueInfo(11, "x", [1, width]),
    valueInfo(12, "y", [1, width]),
  ];
  return write("external.onnx", modelOf(bytes(2, "external"), ...graph));
}

function safetensors(write: Write, size: number): string {
  const count = 300;
  const each = Math.floor(size / count / 8192) * 8192;
  const header = Object.fromEntries(
    Array.from({ length: count }, (_, i) => [
      `model.layers.${i}.weight`,
      { dtype: "BF16", shape: [each / 8192, 4096], data_offsets: [i * each, (i + 1) * each] },
    ]),
  );
  const text = Buffer.from(JSON.stringify(header));
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(BigInt(text.length));
  return write("large.safetensors", Buffer.concat([head, text]), 8 + text.length + count * each);
}

function ggufFile(write: Write, size: number): string {
  const count = 300;
  const rows = Math.floor(size / count / 8192);
  const head = gguf({
    values: {
      "general.architecture": { text: "llama" },
      "tokenizer.ggml.tokens": { texts: Array.from({ length: 128_000 }, (_, i) => `token${i}`) },
    },
    tensors: Array.from({ length: count }, (_, i) => ({
      name: `blk.${i}.attn_q.weight`,
      shape: [4096, rows],
      type: 1,
      offset: i * rows * 8192,
    })),
  });
  return write("large.gguf", head, head.length + count * rows * 8192);
}

try {
  const rows = makeFiles();
  const netron = say(python, ["-c", "import netron; print(netron.__path__[0])"]);
  const onnx = say(python, ["-c", "import onnx; print(onnx.__version__)"]);
  const out = rows.map((row) => measure(row, netron, onnx !== undefined));
  table(
    `accelctl inspect, cold, ${ROUNDS} interleaved rounds each: median ms, x node -e 0, peak MiB`,
    ["file", "MB", "ms", "x", "MiB", "netron ms", "MiB", "onnx ms", "MiB", "and check ms", "file only ms", "promise"],
    out,
  );
  if (netron === undefined) process.stdout.write(`netron is not installed for ${python}, so not measured\n`);
  if (onnx === undefined) process.stdout.write(`the onnx package is not installed for ${python}, so not measured\n`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
