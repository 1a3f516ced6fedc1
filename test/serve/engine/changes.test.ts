/** A directory of models that changes while they serve. */

import { rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import onnxruntime from "../../../src/delegates/onnxruntime.ts";
import { Refusal, type Engine } from "../../../src/serve/engine.ts";
import { engineOver, identityOnnx } from "../../support/served-models.ts";

const POLL = 40;

async function until(seen: () => boolean): Promise<void> {
  for (let at = 0; at < 500 && !seen(); at++) await new Promise((done) => setTimeout(done, 20));
  expect(seen()).toBe(true);
}
const ask = (engine: Engine, size: number, version?: string) =>
  engine.infer({
    model: "m",
    id: "1",
    ...(version === undefined ? {} : { version }),
    inputs: new Map([["x", { type: "float32", shape: [1, size], data: new Float32Array(size) }]]),
  });

describe.skipIf(onnxruntime.find({}).state !== "read")("models that change (skipped: no ONNX Runtime here)", () => {
  it("come, are replaced and go while others serve, without a request that fails", async () => {
    const { engine, folder, close } = await engineOver({ "m/1/model.onnx": identityOnnx(2) }, { poll_ms: POLL });
    let [answers, going] = [0, true];
    const load = (async () => {
      for (; going; answers++) {
        const size = engine.model("m")?.inputs[0]?.shape[1];
        await ask(engine, Number(size)).catch((error: unknown) => {
          // The model was replaced between the two lines above.
          if (!(error instanceof Refusal && error.kind === "invalid")) throw error;
        });
      }
    })();
    folder.write("m/2/model.onnx", identityOnnx(3));
    await until(() => engine.model("m")?.version === "2");
    expect((await ask(engine, 3)).version).toBe("2");
    await until(() => engine.model("m", "1")?.status === "unloaded");
    folder.write("m/2/model.onnx", identityOnnx(5));
    await until(() => engine.model("m")?.inputs[0]?.shape[1] === 5);
    folder.write("other.onnx", identityOnnx(1));
    await until(() => engine.model("other")?.status === "ready");
    rmSync(join(folder.path, "other.onnx"));
    await until(() => engine.model("other") === undefined);
    rmSync(join(folder.path, "m/2"), { recursive: true });
    await until(() => engine.model("m")?.version === "1" && engine.model("m")?.status === "ready");
    going = false;
    await load;
    expect(answers).toBeGreaterThan(20);
    // Counted since the engine began.
    expect(engine.figures().find(({ version }) => version === "2")?.requests.ok).toBeGreaterThan(0);
    await close();
  });

  it("for the worse leave what served in its place, and say why", async () => {
    const { engine, folder, events, close } = await engineOver(
      { "m/1/model.onnx": identityOnnx(2) },
      { poll_ms: POLL },
    );
    folder.write("m/2/model.onnx", Buffer.from("half a mod"));
    await until(() => events.some(({ kind, version }) => kind === "failed" && version === "2"));
    expect(engine.model("m", "2")?.status).toBe("failed");
    expect(engine.ready()).toBe(false);
    expect((await ask(engine, 2)).version).toBe("1");
    folder.write("m/1/model.onnx", Buffer.from("nothing any more"));
    await until(() => events.filter(({ kind }) => kind === "failed").length >= 2);
    expect((await ask(engine, 2)).version).toBe("1");
    folder.write("m/2/model.onnx", identityOnnx(2));
    await until(() => engine.model("m")?.version === "2");
    await until(() => engine.ready());
    await close();
  });

  it("and are links out of the directory are not followed", async () => {
    const elsewhere = await engineOver({ "secret.onnx": identityOnnx(2) });
    const { engine, folder, close } = await engineOver({ "m.onnx": identityOnnx(2) }, { poll_ms: POLL });
    symlinkSync(join(elsewhere.folder.path, "secret.onnx"), join(folder.path, "out.onnx"));
    await until(() => engine.model("out")?.status === "failed");
    expect(engine.model("out")?.reason).toBe("its file is a link out of the directory of models");
    await close();
    await elsewhere.close();
  });

  it("that were unloaded stay so until they are loaded", async () => {
    const { engine, folder, close } = await engineOver({ "m/1/model.onnx": identityOnnx(2) }, { poll_ms: POLL });
    await engine.unload("m");
    folder.write("m/2/model.onnx", identityOnnx(2));
    await until(() => engine.model("m", "2") !== undefined);
    expect(engine.model("m", "2")?.status).toBe("unloaded");
    expect(engine.ready()).toBe(true);
    await engine.load("m");
    expect((await ask(engine, 2)).version).toBe("2");
    await close();
  });
});
