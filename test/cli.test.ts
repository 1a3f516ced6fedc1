/** The command line as a user meets it: words, exit codes, one clear sentence for what went wrong. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commands } from "../src/commands/index.ts";
import { terminalOf } from "../src/print/terminal.ts";
import { top } from "./support/shared.ts";
import { run } from "./support/run.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "accelctl-cli-"));
  const slot = join(folder, "box/sys/bus/pci/devices/0000:01:00.0");
  mkdirSync(slot, { recursive: true });
  for (const [name, text] of Object.entries({ vendor: "0x1ac1", device: "0x089a", class: "0x0880ff" })) {
    writeFileSync(join(slot, name), `${text}\n`);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("wrong usage is one sentence and exit 2", () => {
  it.each([
    [["revew"], /no verb "revew"; did you mean "accelctl review"\?/],
    [["frobnicate"], /no verb "frobnicate"; see accelctl help for all verbs/],
    [["list", "--jsno"], /--jsno.*see accelctl list --help/],
    [["review", "--fail-on", "bad"], /--fail-on takes error, warning, note; not "bad"/],
    [["review", "--json", "--html"], /--json and --html are different outputs; give one/],
    [["review", "--root"], /--root.*argument missing|--root/],
    [["catalog", "nothing-of-this-name"], /no family "nothing-of-this-name"; accelctl catalog lists all/],
    [["list", "0000:01:00.0"], /list takes no "0000:01:00.0", only options; see accelctl list --help/],
    [["capture", "board.json"], /capture takes no "board.json", only options/],
    [["help", "nothing"], /no verb "nothing"/],
  ])("%j", async (argv, message) => {
    const { code, out, err } = await run(...argv);
    expect(code).toBe(2);
    expect(out).toBe("");
    expect(err).toMatch(message);
    expect(err.trimEnd().split("\n")).toHaveLength(1);
  });
});

describe("what cannot be opened is one sentence and exit 3", () => {
  it("a file that is not there", async () => {
    const { code, err } = await run("review", "--root", join(folder, "nowhere.json"));
    expect(code).toBe(3);
    expect(err).toBe(`accelctl: ${join(folder, "nowhere.json")}: no such file or directory\n`);
  });
  it("a capture cut in half", async () => {
    const path = join(folder, "half.json");
    writeFileSync(
      path,
      '{"format":"accelctl-capture","version":1,"by":"accelctl 0.1.0","redacted":true,\n"paths":{\n"/proc":',
    );
    const { code, err } = await run("review", "--root", path);
    expect(code).toBe(3);
    expect(err).toContain(path);
    expect(err.trimEnd().split("\n")).toHaveLength(1);
  });
  it("a report given for the machine it is of", async () => {
    const path = join(folder, "report.json");
    writeFileSync(path, (await run("review", "--json", "--root", join(folder, "box"))).out);
    const { code, err } = await run("review", "--root", path);
    expect(code).toBe(3);
    expect(err).toBe(
      `accelctl: ${path}: is a report, not a machine; accelctl capture makes a file that can be reviewed again\n`,
    );
  });
  it("a place where a capture cannot be written", async () => {
    const path = join(folder, "nowhere", "board.json");
    const { code, err } = await run("capture", "--root", join(folder, "box"), "-o", path);
    expect(code).toBe(3);
    expect(err).toBe(`accelctl: ${path}: no such file or directory\n`);
  });
});

describe("who reads is known by the environment and the terminal", () => {
  it.each([
    [{}, 80, { colour: true, unicode: true, columns: 80, isTerminal: true }],
    [{}, undefined, { colour: false, unicode: true, columns: 80, isTerminal: false }],
    [{}, 20, { columns: 40 }],
    [{}, 300, { columns: 120 }],
    [{ TERM: "dumb" }, 80, { colour: false }],
    [{ NO_COLOR: "1", FORCE_COLOR: "1" }, 80, { colour: false }],
    [{ NO_COLOR: "" }, 80, { colour: true }],
    [{ FORCE_COLOR: "1" }, undefined, { colour: true }],
    [{ FORCE_COLOR: "0" }, 80, { colour: false }],
    [{ LANG: "C" }, 80, { unicode: false }],
    [{ LC_ALL: "", LANG: "C.UTF-8" }, 80, { unicode: true }],
    [{ LC_ALL: "POSIX", LANG: "de_DE.UTF-8" }, 80, { unicode: false }],
    // What goes into a pipe or a file is read elsewhere.
    [{ LANG: "C" }, undefined, { unicode: true }],
  ])("%j, %j columns", (env, columns, expected) => {
    expect(terminalOf(env, columns)).toMatchObject(expected);
  });
});

describe("a machine made of one directory", () => {
  const box = (): string => join(folder, "box");

  it("is listed with family and address", async () => {
    const { code, out } = await run("list", "--json", "--root", box());
    expect(code).toBe(0);
    const devices = JSON.parse(out) as { family: string; address: string; driver: { state: string } }[];
    expect(devices.map((d) => [d.family, d.address])).toEqual([["coral", "0000:01:00.0"]]);
  });

  it("says not captured, never missing, of what the tree does not hold", async () => {
    const { out } = await run("review", "--json", "--root", box());
    const report = JSON.parse(out) as {
      devices: { routes: { layers: { name: string; status: string }[] }[] }[];
      blind: { path: string }[];
    };
    const layers = report.devices.flatMap((d) => d.routes.flatMap((r) => r.layers));
    expect(layers.find((layer) => layer.name === "runtime")?.status).toBe("unknown");
    expect(report.blind.length).toBeGreaterThan(0);
  });

  it("is told whole when one device is named by address, short address, id or family", async () => {
    const wanted = await run("review", "0000:01:00.0", "--root", box());
    for (const name of ["01:00.0", "pci:0000:01:00.0", "coral"]) {
      expect((await run("review", name, "--root", box())).out).toBe(wanted.out);
    }
    const { code, err } = await run("review", "0000:02:00.0", "--root", box());
    expect(code).toBe(2);
    expect(err).toBe('accelctl: no device "0000:02:00.0" here; there are 0000:01:00.0\n');
  });
});

describe("help", () => {
  it("names every verb, and every verb explains itself", async () => {
    const { out, code } = await run("help");
    expect(code).toBe(0);
    for (const name of Object.keys(commands)) {
      expect(out).toMatch(new RegExp(`^ {2}${name} `, "m"));
      const help = await run("help", name);
      expect(help.code).toBe(0);
      expect(help.out).toContain(`accelctl ${name}`);
      expect((await run(name, "--help")).out).toBe(help.out);
    }
  });

  it("puts many options under headings, each option once", async () => {
    const { out } = await run("help", "run");
    expect(out.match(/^\w[\w ]*$/gm)).toEqual(["Inputs", "Where it runs", "How it runs", "Outputs", "Examples"]);
    const names = out.match(/^ {2}--[\w-]+/gm) ?? [];
    expect(new Set(names).size).toBe(names.length);
  });

  it("fits 80 columns but for commands to copy", async () => {
    for (const name of ["", ...Object.keys(commands)]) {
      const { out } = await run("help", ...(name === "" ? [] : [name]));
      for (const line of out.split("\n")) {
        if (!line.startsWith("  $ ") && !/https?:/.test(line)) expect(line.length, line).toBeLessThanOrEqual(80);
      }
    }
  });
});

describe("the built command", () => {
  const cli = join(top, "dist/accelctl.cjs");
  it("runs by itself, says its version, and ends quietly when its reader goes away", () => {
    const version = spawnSync(process.execPath, [cli, "--version"], { encoding: "utf8" });
    expect(version.stdout).toMatch(/^accelctl \d+\.\d+\.\d+ \(node \d+/);
    const piped = spawnSync("sh", ["-c", `"${process.execPath}" "${cli}" catalog --json | head -c 10`], {
      encoding: "utf8",
    });
    expect(piped.stderr).toBe("");
    expect(piped.stdout).toHaveLength(10);
  });
  it("says in a sentence that its output has no place left", () => {
    const full = spawnSync("sh", ["-c", `"${process.execPath}" "${cli}" catalog > /dev/full`], { encoding: "utf8" });
    expect(full.stderr).toBe("accelctl: standard output: ENOSPC: no space left on device\n");
    expect(full.status).toBe(3);
  });
});
