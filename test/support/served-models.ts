/** Directories of models for tests of the engine and of what is built on it. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { openEngine, type EngineOptions } from "../../src/serve/engine/open.ts";
import type { EngineEvent } from "../../src/serve/engine/versions.ts";
import type { Engine } from "../../src/serve/engine.ts";
import { FLOAT, modelOf, node, valueInfo } from "./onnx.ts";

/** y [batch, size] = x [batch, size] */
export const identityOnnx = (size = 4): Uint8Array =>
  modelOf(
    node("Identity", ["x"], ["y"]),
    valueInfo(11, "x", FLOAT, ["batch", size]),
    valueInfo(12, "y", FLOAT, ["batch", size]),
  );

/** A directory of these files: { "identity/1/model.onnx": bytes, "identity/accelctl.json": { max_batch: 4 } } */
export function modelsFolder(files: Readonly<Record<string, Uint8Array | object>>): ModelsFolder {
  const path = mkdtempSync(join(tmpdir(), "accelctl-models-"));
  const write = (name: string, contents: Uint8Array | object): void => {
    const to = join(path, name);
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, contents instanceof Uint8Array ? contents : JSON.stringify(contents));
  };
  for (const [name, contents] of Object.entries(files)) write(name, contents);
  return { path, write, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export interface ModelsFolder {
  readonly path: string;
  write(name: string, contents: Uint8Array | object): void;
  remove(): void;
}

/** An engine over such a directory; `close` ends both. */
export async function engineOver(
  files: Readonly<Record<string, Uint8Array | object>>,
  options: Partial<EngineOptions> = {},
): Promise<{ engine: Engine; folder: ModelsFolder; events: EngineEvent[]; close: () => Promise<void> }> {
  const folder = modelsFolder(files);
  const events: EngineEvent[] = [];
  const engine = await openEngine({ models: folder.path, onEvent: (event) => events.push(event), ...options });
  const close = async (): Promise<void> => {
    await engine.drain(1000);
    folder.remove();
  };
  return { engine, folder, events, close };
}
