/** A device that serves one process is not opened by two servers. */

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import onnxruntime from "../../../src/delegates/onnxruntime.ts";
import { breakages } from "../../../src/breakages/index.ts";
import { Locks } from "../../../src/serve/engine/lock.ts";
import { engineOver, identityOnnx } from "../../support/served-models.ts";

let folder = "";
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "accelctl-lock-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a lock", () => {
  it("is held by one engine, for all its models, until the last of them lets go", () => {
    const [one, other] = [new Locks(folder), new Locks(folder)];
    const ends = [one.take({ device: "hailo" }, undefined), one.take({ device: "hailo" }, undefined)];
    expect(() => other.take({ device: "hailo" }, undefined)).toThrow(
      new RegExp(`^hailo is held by process ${process.pid} \\(.*node`),
    );
    expect(() => other.take({ device: "hailo:1" }, undefined)()).not.toThrow();
    ends[0]?.();
    ends[0]?.();
    expect(() => other.take({ device: "hailo" }, undefined)).toThrow("is held by");
    ends[1]?.();
    other.take({ device: "hailo" }, undefined)();
  });

  it("is taken where the family needs it or the config says so, and not elsewhere", () => {
    const [one, other] = [new Locks(folder), new Locks(folder)];
    const ends = [one.take({ device: "rockchip" }, undefined), other.take({ device: "rockchip" }, undefined)];
    ends.push(one.take({ device: "rockchip" }, true));
    expect(() => other.take({ device: "rockchip" }, true)).toThrow("is held by");
    ends.push(one.take({ device: "hailo" }, false), other.take({ device: "hailo" }, undefined));
    for (const end of ends) end();
  });

  it("of a process that was killed is free", async ({ skip }) => {
    const path = join(folder, "accelctl-intel-gaudi.lock");
    new Locks(folder).take({ device: "intel-gaudi" }, true)();
    const holder = spawn("flock", [path, "sh", "-c", "echo held; exec sleep 60"], {
      stdio: ["ignore", "pipe", "ignore"],
      detached: true,
    });
    const held = await new Promise<boolean>((done) => {
      holder.stdout.once("data", () => done(true));
      holder.once("error", () => done(false));
    });
    if (!held) skip("no flock(1) on this machine");
    const locks = new Locks(folder);
    expect(() => locks.take({ device: "intel-gaudi" }, undefined)).toThrow(/^intel-gaudi is held by process \d+/);
    process.kill(-(holder.pid ?? 0), "SIGKILL");
    await new Promise((done) => holder.once("exit", done));
    for (let at = 0; at < 50; at++) {
      try {
        locks.take({ device: "intel-gaudi" }, undefined)();
        return;
      } catch {
        await new Promise((done) => setTimeout(done, 20));
      }
    }
    locks.take({ device: "intel-gaudi" }, undefined)();
  });

  it("is never made through a link", () => {
    symlinkSync("/dev/null", join(folder, "accelctl-elsewhere.lock"));
    expect(() => new Locks(folder).take({ device: "elsewhere" }, true)).toThrow("no lock can be made");
  });

  it("names families of which a breakage says that a second process gets nothing", () => {
    for (const [family, id] of [
      ["cloud-tpu", "tpu-lock"],
      ["hailo", "hailo-in-use"],
      ["intel-gaudi", "gaudi-busy"],
    ]) {
      expect(breakages.find((one) => one.id === id)).toMatchObject({ family, kind: "busy" });
    }
  });
});

describe.skipIf(onnxruntime.find({}).state !== "read")("two engines (skipped: no ONNX Runtime here)", () => {
  it("do not both serve on an exclusive device; the second can when the first is closed", async () => {
    const files = { "m.onnx": identityOnnx(), "m.accelctl.json": { exclusive: true, instances: 2 } };
    const first = await engineOver(files, { locks: folder });
    const second = await engineOver(files, { locks: folder });
    expect(first.engine.model("m")?.status).toBe("ready");
    expect(second.engine.model("m")).toMatchObject({ status: "failed" });
    // Who holds it is for the log and not for callers.
    expect(second.engine.model("m")?.reason).toBe("cpu is held by another process");
    const told = second.events.find(({ kind }) => kind === "failed")?.error;
    expect((told as Error).message).toContain(`cpu is held by process ${process.pid} (`);
    await first.close();
    await second.engine.load("m");
    expect(second.engine.model("m")?.status).toBe("ready");
    await second.close();
  });
});
