/** An address that is taken, or that may not be listened at. */

import { unlinkSync } from "node:fs";
import { connect } from "node:net";
import { CannotError } from "../../base/errors.ts";
import type { Listen } from "./listen.ts";

export function cannotListen(listen: Listen, error: NodeJS.ErrnoException): CannotError {
  const where = "path" in listen ? listen.path : "fd" in listen ? "systemd's socket" : `${listen.host}:${listen.port}`;
  const says =
    error.code === "EADDRINUSE"
      ? "another program listens there; choose another --listen"
      : error.code === "EACCES"
        ? "this user may not listen there"
        : error.message;
  return new CannotError(`${where}: ${says}`, { cause: error });
}

/** A socket file that a server which was killed left behind; one that is answered is in use, and EADDRINUSE says so. */
export async function removeStale(path: string): Promise<void> {
  const refused = await new Promise<boolean>((resolve) => {
    const probe = connect(path);
    probe.on("connect", () => {
      probe.destroy();
      resolve(false);
    });
    probe.on("error", (error: NodeJS.ErrnoException) => resolve(error.code === "ECONNREFUSED"));
  });
  if (refused) unlinkSync(path);
}
