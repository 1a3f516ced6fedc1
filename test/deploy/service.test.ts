/** The built program as a service runs it: it tells systemd when it serves, and a scraper what Prometheus' parsers understand. */

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, it } from "vitest";
import { build } from "../support/built.ts";
import { hasProgram, unlessProgram } from "../support/programs.ts";
import { top } from "../support/shared.ts";

const scratch = mkdtempSync(join(tmpdir(), "accelctl-service-"));
const children: ChildProcess[] = [];
beforeAll(() => build("program"));
afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(scratch, { recursive: true, force: true });
});

/** A process and its lines, one after the other. */
function begin(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "ignore"], env: { ...process.env, ...env } });
  children.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { child, line: async (): Promise<unknown> => (await lines.next()).value };
}
const serve = (env: NodeJS.ProcessEnv = {}) =>
  begin(process.execPath, [join(top, "dist/accelctl.cjs"), "serve", "--listen", "127.0.0.1:0"], env);

it("answers /metrics, compressed to a scraper that takes it", async () => {
  const { child, line } = serve();
  const answer = await fetch(`${String(await line())}/metrics`, { headers: { "accept-encoding": "gzip" } });
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-encoding")).toBe("gzip");
  expect(await answer.text()).toContain("accelctl_devices ");
  child.kill("SIGTERM");
  expect(await once(child, "exit")).toEqual([0, null]);
});

// As systemd listens: a datagram socket, which Node does not have.
const listener = `import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("bound", flush=True)
while True: print(s.recv(4096).decode().replace("\\n", " "), flush=True)`;

it.skipIf(!hasProgram("python3") || !hasProgram("systemd-notify"))(
  `tells systemd that it is ready, and that it stops${unlessProgram("python3")}${unlessProgram("systemd-notify")}`,
  async () => {
    const socket = join(scratch, "notify");
    const heard = begin("python3", ["-c", listener, socket]);
    expect(await heard.line()).toBe("bound");
    /** Past what systemd-notify says for itself: that it waits until it was heard. */
    const told = async (): Promise<string> => {
      const line = String(await heard.line());
      return line === "BARRIER=1" ? told() : line;
    };
    const { child } = serve({ NOTIFY_SOCKET: socket });
    expect(await told()).toContain("READY=1");
    child.kill("SIGTERM");
    expect(await told()).toContain("STOPPING=1");
  },
);
