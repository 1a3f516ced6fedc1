/** accelctl top as it is used: in a real terminal (tmux), and as one frame for scripts. */

import { spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Sample } from "../../src/watch/sample.ts";
import { build } from "../support/built.ts";
import { device, known, processUse, sample, unknown } from "../support/samples.ts";
import { top as repository } from "../support/shared.ts";

const PATIENCE_MS = 30_000;
const scratch = mkdtempSync(join(tmpdir(), "accelctl-top-"));
let socket = "";
let sockets = 0;
const program = join(repository, "dist/accelctl.cjs");
const recording = join(scratch, "two minutes.jsonl");
const hasTmux = spawnSync("tmux", ["-V"], { stdio: "ignore" }).status === 0;
const unlessTmux = hasTmux ? "" : " (skipped: no tmux on this machine)";

const at = (i: number): Sample => ({
  ...sample(
    [
      device("pci:0000:01:00.0", {
        name: "Example NPU",
        metrics: [known("busy_ratio", (i % 10) / 10), known("power_watts", 20 + i)],
        processes: [processUse(42, "worker")],
      }),
      device("pci:0000:02:00.0", { name: "Asleep one", metrics: [unknown("busy_ratio", "asleep", "it sleeps")] }),
    ],
    i,
  ),
  elapsed_seconds: i === 0 ? null : 0.1,
});

beforeAll(() => {
  build("program");
  writeFileSync(recording, Array.from({ length: 1200 }, (_, i) => `${JSON.stringify(at(i))}\n`).join(""));
});
afterAll(() => {
  endServer();
  rmSync(scratch, { recursive: true, force: true });
});

function endServer(): void {
  if (socket !== "") spawnSync("tmux", ["-S", socket, "kill-server"], { stdio: "ignore" });
}

function tmux(...words: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync("tmux", ["-S", socket, ...words], { encoding: "utf8" });
  if (status !== 0) throw new Error(`tmux ${words.join(" ")}: ${stderr}`);
  return stdout;
}

/** The screen, once it is as wanted, whole: a picture may be caught while it is drawn. */
async function screenWith(wanted: RegExp, unwanted?: RegExp): Promise<string> {
  let shown = "";
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end;) {
    shown = tmux("capture-pane", "-p");
    if (wanted.test(shown) && unwanted?.test(shown) !== true) return shown;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`the screen never showed ${String(wanted)}:\n${shown}`);
}

async function begin(columns = 80, rows = 24): Promise<void> {
  endServer();
  // A server that ends still holds its socket for a moment.
  socket = join(scratch, `tmux-${sockets++}`);
  const env = { ...process.env, PS1: "$ ", LC_ALL: "C.UTF-8", HISTFILE: "" };
  const made = spawnSync(
    "tmux",
    ["-S", socket, "-u", "-f", "/dev/null", "new-session", "-d", "-x", String(columns), "-y", String(rows), "sh"],
    { env, encoding: "utf8" },
  );
  if (made.status !== 0) throw new Error(made.stderr);
  // What is typed before would stand in front of the prompt.
  await screenWith(/^[#$]/m);
}
const type = (text: string): void => {
  tmux("send-keys", "-l", text);
  tmux("send-keys", "Enter");
};
const command = (...options: readonly string[]): string =>
  [process.execPath, program, "top", ...options].map((word) => `'${word}'`).join(" ");
/** What a terminal is in when it is a shell's again. Keys that come before would still be ours. */
async function givenBack(): Promise<void> {
  await screenWith(/^[#$]\s*$(?![^]*\S)/m);
  let flags = "";
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end && flags !== "0 1 1";) {
    flags = tmux("display", "-p", "#{alternate_on} #{cursor_flag} #{wrap_flag}").trim();
    await new Promise((done) => setTimeout(done, 50));
  }
  expect(flags).toBe("0 1 1");
  type("stty -a | tr ' ;' '\\n\\n' | grep -c -x -e echo -e icanon -e isig; echo mo'des'");
  await screenWith(/^3\nmodes$/m);
}

describe.skipIf(!hasTmux)(`in a terminal${unlessTmux}`, () => {
  it("draws, takes keys, and gives the terminal back", async () => {
    await begin();
    type(command("--replay", recording));
    await screenWith(/Example NPU .* [1-9]0 %[^]*Asleep one/);
    await screenWith(/^>/m, /^>[^]*^>/m);
    expect(tmux("display", "-p", "#{alternate_on}").trim()).toBe("1");
    tmux("send-keys", "Down", "Enter");
    await screenWith(/– asleep: it sleeps/);
    tmux("send-keys", "Escape");
    await screenWith(/q quit/);
    tmux("send-keys", "p");
    await screenWith(/42 .* worker/);
    tmux("send-keys", "/", "slee");
    await screenWith(/^\/slee_/m, /Example NPU/);
    tmux("send-keys", "Enter", "Escape", "Space");
    await screenWith(/FROZEN/);
    tmux("send-keys", "q");
    await givenBack();
  });

  it("follows the terminal's size", async () => {
    await begin(100, 30);
    type(command("--replay", recording));
    await screenWith(/CLOCK/);
    tmux("resize-window", "-x", "30", "-y", "6");
    const small = await screenWith(/^q quit enter|^q quit  enter/m, /CLOCK/);
    expect(small.trimEnd().split("\n")).toHaveLength(6);
    tmux("resize-window", "-x", "120", "-y", "20");
    await screenWith(/ADDRESS.*CLOCK/);
    tmux("send-keys", "q");
    await givenBack();
  });

  it("is stopped by ^Z and continued, with the terminal as it was in between", async () => {
    await begin();
    type(command("--replay", recording));
    await screenWith(/Example NPU/);
    tmux("send-keys", "C-z");
    await screenWith(/Stopped|suspended/);
    await givenBack();
    type("fg");
    await screenWith(/^accelctl top.*\n DEVICE/);
    tmux("send-keys", "s");
    await screenWith(/vBUSY/);
    tmux("send-keys", "C-c");
    await givenBack();
  });

  it.each([
    ["TERM", 143],
    ["HUP", 129],
    ["INT", 130],
    ["QUIT", 131],
  ])("gives it back when SIG%s ends it, and says so by its code, %i", async (signal, code) => {
    await begin();
    type(`${command("--replay", recording)}; echo code $?`);
    await screenWith(/Example NPU/);
    const shell = tmux("list-panes", "-F", "#{pane_pid}").trim();
    const child = spawnSync("ps", ["-o", "pid=", "--ppid", shell], { encoding: "utf8" }).stdout.trim();
    process.kill(Number(child), `SIG${signal}`);
    await screenWith(new RegExp(`^code ${code}$`, "m"));
    await givenBack();
  });

  it("gives it back when it fails, and then says why", async () => {
    await begin();
    const broken = join(scratch, "broken.jsonl");
    writeFileSync(broken, `${JSON.stringify(at(0))}\nnonsense\n`);
    appendFileSync(broken, `${JSON.stringify(at(1))}\n`);
    type(`${command("--replay", broken)}; echo code $?`);
    await screenWith(/broken\.jsonl: line 2: no JSON[^]*code 3/);
    await givenBack();
  });
});

describe("one frame", () => {
  const run = (options: readonly string[], env: NodeJS.ProcessEnv = {}) =>
    spawnSync(process.execPath, [program, "top", ...options], { encoding: "utf8", env: { ...process.env, ...env } });

  it("is printed where standard output is no terminal, without any escape sequence", () => {
    const { status, stdout, stderr } = run(["--root", join(repository, "machines/lunar-lake-works.json")]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(/^accelctl top · 2 devices · /);
    expect(stdout).toContain("Intel NPU of Lunar Lak…");
    expect(stdout).not.toContain("\u001b");
  });

  it("of this machine has rates, which need two samples", () => {
    const { status, stdout } = run(["--once", "--interval", "0.2"]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/ \d+ % /);
  });

  it("says what was typed wrong", () => {
    expect(run(["--interval", "0"]).stderr).toContain("--interval takes seconds from 0.1 to 3600");
    expect(run(["--replay", join(scratch, "none")])).toMatchObject({ status: 3 });
    expect(run(["--replay", recording, "--root", "/"])).toMatchObject({ status: 2 });
    expect(run(["no-such-device"]).stderr).toContain('no device is "no-such-device" here');
  });
});
