/** A server that speaks TLS, and its certificate from files. */

import { readFileSync } from "node:fs";
import type { Server, ServerOptions } from "node:http";
import type * as https from "node:https";
import { createRequire } from "node:module";
import { CannotError } from "../../base/errors.ts";

/** Paths. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

/** A server of TLS; its first words may take as long as headers may. */
export function createSecure(settings: ServerOptions, files: { cert: Buffer; key: Buffer }): Server {
  const require = createRequire(import.meta.url);
  const { createServer } = require("node:https") as typeof https;
  // A server of TLS has every method that is used here; Node's types know nothing of the kinship.
  const handshakeTimeout = settings.headersTimeout ?? 0;
  return createServer({ ...settings, ...files, handshakeTimeout, minVersion: "TLSv1.2" });
}

/** Throws CannotError. */
export function readTls({ cert, key }: TlsFiles): { cert: Buffer; key: Buffer } {
  const read = (path: string): Buffer => {
    try {
      return readFileSync(path);
    } catch (error) {
      throw new CannotError(`${path}: ${(error as Error).message}`, { cause: error });
    }
  };
  return { cert: read(cert), key: read(key) };
}
