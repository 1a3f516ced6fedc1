/** Units, container file and what docs/deploy.md says of them: verified by systemd, and naming nothing that is not there. */

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { commands } from "../../src/commands/index.ts";
import { families } from "../../src/families/index.ts";
import { hasProgram, unlessProgram } from "../support/programs.ts";
import { top } from "../support/shared.ts";

const read = (path: string): string => readFileSync(join(top, path), "utf8");
const scratch = mkdtempSync(join(tmpdir(), "accelctl-units-"));
afterAll(() => {
  rmSync(scratch, { recursive: true, force: true });
});

const units = ["accelctl", "accelctl-exporter"];
const unit = (name: string): string => read(`deploy/systemd/${name}.service`);
/** Values of a setting, in order. */
const settings = (text: string, key: string): readonly string[] =>
  [...text.matchAll(new RegExp(`^${key}=(.*)$`, "gm"))].map(([, value = ""]) => value);

/** Options of a command line that the verb does not have. */
async function unknownOptions(line: string): Promise<readonly string[]> {
  const [, verb = "", rest = ""] = /accelctl(?:\.cjs)? (\w+)(.*)/.exec(line) ?? [];
  const load = commands[verb];
  if (load === undefined) return [`no verb ${verb}`];
  const names = (await load()).options.map(({ name }) => `--${name}`);
  return [...rest.matchAll(/(?<=\s)--[a-z-]+/g)].map(([option]) => option).filter((option) => !names.includes(option));
}

describe.each(units)("%s.service", (name) => {
  const text = unit(name);

  it("starts a verb that is there, by options it has", async () => {
    const [start = ""] = settings(text, "ExecStart");
    expect(start).toMatch(/^accelctl serve /);
    expect(await unknownOptions(start)).toEqual([]);
  });

  it("lets it open only nodes of the catalogue, and classes of them", () => {
    const nodes = families.flatMap((family) =>
      family.routes.flatMap(({ node }) => [...(node?.paths ?? []), ...(node?.also ?? [])]),
    );
    for (const allowed of settings(text, "DeviceAllow")) {
      const [path = "", rights] = allowed.split(" ");
      expect(rights).toBe("rw");
      if (path.startsWith("/")) expect(nodes).toContain(path);
      else expect(path).toMatch(/^char-/);
    }
  });

  it("is as closed as the other", () => {
    const hardening = (unitText: string): readonly string[] =>
      unitText
        .slice(unitText.indexOf("# Who it is"), unitText.indexOf("[Install]"))
        .split("\n")
        .filter((line) => line !== "" && !line.startsWith("#"));
    expect(hardening(text).length).toBeGreaterThan(25);
    expect(hardening(text)).toEqual(hardening(unit(units[0] ?? "")));
  });

  const analyzer = hasProgram("systemd-analyze");
  it.skipIf(!analyzer)(
    `is right to systemd, and scores what docs/deploy.md says${unlessProgram("systemd-analyze")}`,
    () => {
      // The program it starts is not installed where tests run.
      const file = join(scratch, `${name}.service`);
      writeFileSync(file, text.replace(/^ExecStart=accelctl/m, `ExecStart=${process.execPath}`));
      const verified = spawnSync("systemd-analyze", ["verify", "--man=no", file], { encoding: "utf8" });
      expect({ status: verified.status, stderr: verified.stderr }).toEqual({ status: 0, stderr: "" });
      const score = (threshold: number) =>
        spawnSync("systemd-analyze", ["security", "--offline=true", `--threshold=${threshold}`, "--no-pager", file], {
          encoding: "utf8",
        });
      // In tenths. Later systemds look at more, and may give a little more or less.
      const { status, stdout } = score(20);
      expect(status, stdout).toBe(0);
      expect(read("docs/deploy.md")).toContain("gives both 1.5");
    },
  );
});

describe("the container file", () => {
  const text = read("deploy/container/Containerfile").replace(/\\\n/g, " ");
  const lines = (word: string): readonly string[] =>
    [...text.matchAll(new RegExp(`^${word} (.*)$`, "gm"))].map(([, rest = ""]) => rest);

  it("copies what is there, and not what .dockerignore leaves out", () => {
    const own = lines("COPY").filter((line) => !line.startsWith("--from="));
    const sources = own.flatMap((line) => line.split(" ").slice(0, -1));
    expect(sources.length).toBeGreaterThan(8);
    expect(sources.filter((path) => !existsSync(join(top, path)))).toEqual([]);
    const ignored = read(".dockerignore").trim().split("\n");
    expect(sources.filter((path) => ignored.some((entry) => path === entry || path.startsWith(`${entry}/`)))).toEqual(
      [],
    );
  });

  it("runs as nobody of the host, without the dependencies of developers", () => {
    expect(lines("USER")).toEqual(["10001:10001"]);
    expect(text).toContain("npm prune --omit=dev --ignore-scripts");
  });

  it("starts a verb that is there, by options it has", async () => {
    const command = JSON.parse(lines("CMD").at(-1) ?? "[]") as readonly string[];
    expect(await unknownOptions(`accelctl ${command.join(" ")}`)).toEqual([]);
  });

  it("keeps runtimes that the lock names", () => {
    const lock = JSON.parse(read("package-lock.json")) as { packages: Record<string, unknown> };
    const runtimes = /ARG RUNTIMES="([^"]*)"/.exec(text)?.[1]?.split(" ") ?? [];
    expect(runtimes.filter((name) => lock.packages[`node_modules/${name}`] === undefined)).toEqual([]);
  });
});

describe("docs/deploy.md", () => {
  const text = read("docs/deploy.md");

  it("types verbs that are there, by options they have", async () => {
    const typed = [...text.matchAll(/^(?:ExecStart=)?accelctl \w+ --.*$/gm)].map(([line]) => line.replace(/#.*/, ""));
    expect(typed.length).toBeGreaterThan(1);
    for (const line of typed) expect(await unknownOptions(line)).toEqual([]);
  });

  it("names files that are there", () => {
    const paths = [...text.matchAll(/deploy\/[\w/.-]+\w/g)].map(([path]) => path);
    expect(paths.filter((path) => !path.includes("*") && !existsSync(join(top, path)))).toEqual([]);
  });
});
