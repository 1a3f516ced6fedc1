/** Opening a page where a person can see it, and telling how where that is another machine. */

import { spawn } from "node:child_process";
import { userInfo } from "node:os";
import { shellWord } from "../../base/shell.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** A display of this machine, and nobody who only looks in by ssh (whose forwarded display would carry a whole browser). */
export function hasDisplay(env: Environment): boolean {
  const set = (name: string): boolean => (env[name] ?? "") !== "";
  return (set("DISPLAY") || set("WAYLAND_DISPLAY")) && !set("SSH_CONNECTION");
}

/** Asks the desktop to open it; false where there is none that can. The address goes as a word, and through no shell. */
export function openBrowser(url: string, program = "xdg-open"): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(program, [url], { stdio: "ignore", detached: true });
    child.on("error", () => resolve(false)); // ENOENT: a machine without a desktop
    child.on("spawn", () => {
      child.unref();
      resolve(true);
    });
  });
}

/** What to type on one's own machine to see a page of this one; undefined where nobody came by ssh. */
export function forwardLine(env: Environment, port: number): string | undefined {
  // "client port server port", sshd(8).
  const [, , server, sshPort] = (env["SSH_CONNECTION"] ?? "").split(" ");
  if (server === undefined || sshPort === undefined) return undefined;
  const user = shellWord(userInfo().username);
  const way = sshPort === "22" ? "" : `-p ${shellWord(sshPort)} `;
  return `ssh -N -L ${port}:127.0.0.1:${port} ${way}${user}@${shellWord(server)}`;
}
