/** NVIDIA's own Python client (`npm run runtimes tritonclient`), which no one here wrote, against the protocol's door over HTTP. */

import { execFile, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import type { ElementType } from "../../src/model/graph.ts";
import { limitsWith } from "../../src/serve/http/limits.ts";
import { oipPart } from "../../src/serve/oip/rest.ts";
import { startServer } from "../../src/serve/server.ts";
import { runtime } from "../support/runtimes.ts";
import { smallEngine } from "../support/small-engine.ts";

const env = { ...process.env, PYTHONPATH: runtime("tritonclient") };
const here =
  env.PYTHONPATH !== undefined && spawnSync("python3", ["-c", "import tritonclient.http"], { env }).status === 0;

const types: Record<string, ElementType> = {
  BOOL: "bool",
  UINT8: "uint8",
  UINT16: "uint16",
  UINT32: "uint32",
  UINT64: "uint64",
  INT8: "int8",
  INT16: "int16",
  INT32: "int32",
  INT64: "int64",
  FP16: "float16",
  FP32: "float32",
  FP64: "float64",
  BYTES: "string",
};

test.skipIf(!here)("tritonclient over HTTP works unchanged (skipped: npm run runtimes tritonclient)", async () => {
  const ports = Object.entries(types).map(([name, type]) => [name, [{ name: "x", type, shape: ["n"] }]] as const);
  const server = await startServer([oipPart(smallEngine(Object.fromEntries(ports)), limitsWith())]);
  try {
    const script = fileURLToPath(new URL("ask-over-http.py", import.meta.url));
    const { stdout } = await promisify(execFile)("python3", [script, `127.0.0.1:${server.port}`], { env });
    expect(stdout.trim()).toBe("ok");
  } finally {
    await server.close();
  }
});
