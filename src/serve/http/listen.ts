/**
 * Where a server listens: HOST:PORT, unix:/path, or what systemd hands over (sd_listen_fds(3)); and what it tells systemd
 * (sd_notify(3)).
 */

import type * as ChildProcess from "node:child_process";
import { requireLate } from "../../base/package.ts";
import { UsageError } from "../../base/errors.ts";

export type Listen =
  | { readonly host: string; readonly port: number; readonly loopback: boolean }
  | { readonly path: string }
  | { readonly fd: number };

/** Reads --listen. Throws UsageError. */
export function parseListen(text: string, option = "--listen"): Listen {
  if (text === "systemd") return { fd: inherited(option) };
  if (text.startsWith("unix:")) {
    const path = text.slice(5);
    // struct sockaddr_un holds 107 bytes and an end; longer ones would be cut without a word.
    if (path === "" || Buffer.byteLength(path) > 107)
      throw new UsageError(`${option} unix:PATH needs a path of up to 107 bytes`);
    return { path };
  }
  const parts = /^(?:\[([\da-f:.]+)\]|([\w.-]*)):(\d{1,5})$/i.exec(text);
  const port = Number(parts?.[3]);
  if (parts === null || port > 65_535) {
    throw new UsageError(`${option} takes HOST:PORT, [ADDRESS]:PORT, unix:PATH or systemd; not "${text}"`);
  }
  const host = parts[1] ?? (parts[2] === "" || parts[2] === undefined ? "0.0.0.0" : parts[2]);
  return { host, port, loopback: isLoopback(host) };
}

/** Of an address or name. A name that resolves elsewhere is no loopback, whatever it resolves to here. */
export const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || /^(?:::ffff:)?127\.\d+\.\d+\.\d+$/i.test(host);

/** As people type it into a browser: the address of IPv6 in brackets. */
export const urlOf = (host: string, port: number, scheme = "http"): string =>
  `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`;

/** systemd passes sockets from descriptor 3 on. */
function inherited(option: string): number {
  if (process.env["LISTEN_PID"] !== String(process.pid) || !(Number(process.env["LISTEN_FDS"]) >= 1)) {
    throw new UsageError(`${option} systemd: no socket was handed over (LISTEN_FDS); start it by a .socket unit`);
  }
  return 3;
}

/** Tells systemd READY=1 or STOPPING=1; nothing where nobody listens. Node has no datagrams of Unix sockets, systemd-notify has. */
export async function notifySystemd(state: "READY=1" | "STOPPING=1"): Promise<void> {
  if (process.env["NOTIFY_SOCKET"] === undefined) return;
  // Not by import(): the launcher runs the bundle as a script of node:vm, in which Node's own modules cannot be imported late.
  const { execFile } = requireLate("node:child_process") as typeof ChildProcess;
  await new Promise<void>((resolve) => {
    // --pid: the sender is a child, and the unit may take words of the main process only (NotifyAccess=main).
    execFile("systemd-notify", [`--pid=${process.pid}`, state], { timeout: 2000 }, () => resolve());
  });
}
