/** `accelctl serve` as a process: docs/serving.md is true, and signals do what it says. */

import { execFileSync, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TLSSocket } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import onnxruntime from "../../src/delegates/onnxruntime.ts";
import { identityOnnx, modelsFolder, type ModelsFolder } from "../support/served-models.ts";
import { top } from "../support/shared.ts";

const cli = join(top, "dist/accelctl.cjs");
const page = readFileSync(join(top, "docs/serving.md"), "utf8");
const examples = [...page.matchAll(/```sh\n([^`]*curl[^`]*)\n```\n\n```(json|text)\n([^`]*)\n```/g)].map(
  ([, command = "", language = "", prints = ""]) => ({ command, language, prints }),
);

let models: ModelsFolder;
const children: ChildProcess[] = [];
beforeAll(() => {
  models = modelsFolder({ "identity/1/model.onnx": identityOnnx() });
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});
afterAll(() => models.remove());

interface Started {
  readonly url: string;
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  log: string;
}

async function start(...words: string[]): Promise<Started> {
  const child = spawn(process.execPath, [cli, "serve", "--listen", "127.0.0.1:0", "--no-page", ...words]);
  children.push(child);
  const started = { url: "", child, log: "", ended: new Promise<number | null>((done) => child.on("exit", done)) };
  child.stderr.on("data", (bytes: Buffer) => (started.log += bytes.toString()));
  const url = await new Promise<string>((done, failed) => {
    child.stdout.on("data", (bytes: Buffer) => done(bytes.toString().trim()));
    child.on("exit", () => failed(new Error(started.log)));
  });
  return Object.assign(started, { url });
}
const ready = (url: string): Promise<void> =>
  expect.poll(async () => (await fetch(`${url}/v2/health/ready`)).status, { timeout: 30_000 }).toBe(200);

const noRuntime = onnxruntime.find({}).state !== "read";
const noCurl = spawnSync("curl", ["--version"]).status !== 0;

describe.skipIf(noRuntime || noCurl)("docs/serving.md (skipped: no ONNX Runtime or no curl here)", () => {
  it("has examples that do as it says", async () => {
    const { url } = await start("--models", models.path);
    await ready(url);
    expect(examples.length).toBeGreaterThan(5);
    for (const { command, language, prints } of examples) {
      const own = command.replaceAll("localhost:8000", new URL(url).host);
      const printed = execFileSync("bash", ["-c", own], { encoding: "utf8" });
      if (language === "json") expect(JSON.parse(printed)).toEqual(JSON.parse(prints));
      else expect(printed.trim()).toBe(prints.trim());
    }
  });
});

describe("accelctl serve", () => {
  it("ends with 0 after SIGTERM, and says that it stopped", async () => {
    const started = await start("--models", models.path, "--log-format", "json");
    started.child.kill("SIGTERM");
    expect(await started.ended).toBe(0);
    const lines = started.log
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { message: string }).message);
    expect(lines.at(-1)).toBe("stopped");
  });

  it("ends at once at the second signal, whatever is under way", async () => {
    const started = await start("--drain", "60", "--models", models.path);
    // A body that does not come is waited for.
    const held = connect(Number(new URL(started.url).port), "127.0.0.1");
    held.on("error", () => undefined);
    held.write("POST /v2/models/identity/infer HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\n");
    const inFlight = async (): Promise<string | undefined> =>
      /^accelctl_http_requests_in_flight (\d+)/m.exec(await (await fetch(`${started.url}/metrics`)).text())?.[1];
    // That body, and the question itself.
    await expect.poll(inFlight).toBe("2");
    started.child.kill("SIGTERM");
    await expect.poll(() => started.log).toMatch(/SIGTERM/);
    started.child.kill("SIGTERM");
    expect(await started.ended).toBe(1);
    held.destroy();
  });

  const noOpenssl = spawnSync("openssl", ["version"]).status !== 0;
  it.skipIf(noOpenssl)("speaks TLS, and reads its certificate again at SIGHUP (skipped: no openssl)", async () => {
    const folder = mkdtempSync(join(tmpdir(), "accelctl-tls-"));
    const make = (name: string): void => {
      const words = [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
      ];
      const files = ["-keyout", join(folder, `${name}.key`), "-out", join(folder, `${name}.pem`)];
      execFileSync("openssl", [...words, "-subj", `/CN=${name}`, ...files], { stdio: "ignore" });
    };
    const use = (name: string): void => {
      for (const ending of ["key", "pem"])
        copyFileSync(join(folder, `${name}.${ending}`), join(folder, `now.${ending}`));
    };
    try {
      make("first");
      make("second");
      use("first");
      const started = await start("--tls-cert", join(folder, "now.pem"), "--tls-key", join(folder, "now.key"));
      const nameOf = (): Promise<string> =>
        new Promise((done, failed) => {
          const asked = request(`${started.url}/metrics`, { rejectUnauthorized: false, agent: false }, (answer) => {
            const { socket } = answer;
            answer.resume();
            done(socket instanceof TLSSocket ? String(socket.getPeerCertificate().subject.CN) : "none");
          });
          asked.on("error", failed).end();
        });
      expect(started.url).toMatch(/^https:/);
      expect(await nameOf()).toBe("first");
      use("second");
      started.child.kill("SIGHUP");
      await expect.poll(nameOf, { timeout: 10_000 }).toBe("second");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
