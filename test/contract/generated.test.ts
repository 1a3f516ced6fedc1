/** What `npm run generate` writes is fresh, and those for whom it is written (bash, zsh, fish, man) take it. */

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { commands } from "../../src/commands/index.ts";
import { top } from "../support/shared.ts";

const has = (program: string): boolean => spawnSync(program, ["--version"]).error === undefined;
const unless = (program: string): string => (has(program) ? "" : ` (skipped: ${program} is not installed)`);

it("generated files are fresh", () => {
  const { status, stderr } = spawnSync(process.execPath, [join(top, "tools/generate.mjs"), "--check"], {
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  expect(status).toBe(0);
});

describe("completions", () => {
  for (const [shell, file] of [
    ["bash", "accelctl.bash"],
    ["zsh", "_accelctl"],
    ["fish", "accelctl.fish"],
  ] as const) {
    it.skipIf(!has(shell))(`${file} is taken by ${shell}${unless(shell)}`, () => {
      const path = join(top, "completions", file);
      const { status, stderr } = spawnSync(shell, ["-n", path], { encoding: "utf8" });
      expect(stderr).toBe("");
      expect(status).toBe(0);
    });
  }

  /** What bash would offer for the last of these words. */
  function complete(...words: readonly string[]): string[] {
    const script = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _accelctl; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync(
      "bash",
      ["-c", script, "bash", join(top, "completions/accelctl.bash"), "accelctl", ...words],
      { encoding: "utf8", cwd: join(top, "docs") },
    );
    expect(stderr).toBe("");
    return stdout.split("\n").filter((word) => word !== "");
  }

  it.skipIf(!has("bash"))(`offer verbs, options, choices and files in bash${unless("bash")}`, () => {
    expect(complete("").sort()).toEqual(Object.keys(commands).sort());
    expect(complete("ca")).toEqual(["catalog", "capture"]);
    expect(complete("kernel", "--d")).toEqual(["--deb"]);
    expect(complete("review", "--fail-on", "w")).toEqual(["warning"]);
    expect(complete("list", "--root", "hard")).toEqual(["hardware.md"]);
    // Without a verb it is a review; what stands after an option is no verb.
    expect(complete("--root", "hardware.md", "--fail")).toEqual(["--fail-on"]);
  });
});

describe("the manual page", () => {
  const path = join(top, "man/accelctl.1");

  it("has every verb, option, exit code and no line that roff would take for a request", async () => {
    const text = readFileSync(path, "utf8");
    for (const load of Object.values(commands)) {
      const command = await load();
      expect(text).toContain(`.SH ${command.name.toUpperCase()}\n`);
      for (const { name } of command.options) expect(text).toContain(`\\-\\-${name.replaceAll("-", "\\-")}`);
    }
    const requests = text.split("\n").flatMap((line) => /^[.'](\S*)/.exec(line)?.slice(1) ?? []);
    expect([...new Set(requests)].sort()).toEqual(["B", "PP", "SH", "SS", "TH", "TP", '\\"']);
  });

  it.skipIf(!has("groff"))(`is rendered without a warning${unless("groff")}`, () => {
    const { status, stdout, stderr } = spawnSync("groff", ["-man", "-Tutf8", "-ww", path], {
      encoding: "utf8",
      env: { ...process.env, GROFF_NO_SGR: "1" },
    });
    expect(stderr).toBe("");
    expect(status).toBe(0);
    expect(stdout.replace(/.\u0008/g, "")).toContain("EXIT STATUS");
  });
});
