/**
 * Guard: who may ask. A token (RFC 6750, Bearer); on loopback the Host header too, since a page of the web can make its own name mean
 * 127.0.0.1 (DNS rebinding); and the Origin header, since a browser sends plain POSTs of any page anywhere.
 */

import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { HttpError } from "../door.ts";

export interface GuardOptions {
  readonly token?: string;
  /** Host names that are taken besides those of loopback; undefined: any, because the server is not bound to loopback. */
  readonly hosts?: readonly string[];
  /** Origins of pages on other servers that may ask ("https://ui.example"); "*": any. */
  readonly origins: readonly string[];
  readonly secure: boolean;
}

/** Host headers that are remembered as good; beyond, they are looked at again. */
const REMEMBERED = 64;
const loopbackNames = ["localhost", "127.0.0.1", "[::1]"];

export class Guard {
  readonly #digest: Buffer | undefined;
  readonly #hosts: ReadonlySet<string> | undefined;
  readonly #good = new Set<string>();
  readonly #origins: ReadonlySet<string>;
  readonly #scheme: string;

  constructor({ token, hosts, origins, secure }: GuardOptions) {
    this.#digest = token === undefined ? undefined : digestOf(token);
    this.#hosts =
      hosts === undefined ? undefined : new Set([...loopbackNames, ...hosts.map((one) => one.toLowerCase())]);
    this.#origins = new Set(origins);
    this.#scheme = secure ? "https://" : "http://";
  }

  /** Throws HttpError 403 for a name that is not this server's. */
  host(host: string | undefined): void {
    if (this.#hosts === undefined || (host !== undefined && this.#good.has(host))) return;
    const name = (host ?? "").replace(/:\d+$/, "").toLowerCase();
    if (!this.#hosts.has(name)) throw new HttpError(403, "the Host header names another server");
    if (host !== undefined && this.#good.size < REMEMBERED) this.#good.add(host);
  }

  /** The origin to be told in access-control-allow-origin; undefined for the server's own page and for what is no browser. Throws HttpError 403. */
  origin(origin: string | undefined, host: string | undefined): string | undefined {
    if (origin === undefined) return undefined;
    if (this.#origins.has(origin) || (this.#origins.has("*") && origin !== "null")) return origin;
    if (host !== undefined && origin === this.#scheme + host) return undefined;
    throw new HttpError(403, "pages of another origin may not ask here");
  }

  /** Throws HttpError 401. */
  token({ authorization }: IncomingHttpHeaders): void {
    if (this.#digest === undefined) return;
    const given = authorization !== undefined && /^bearer /i.test(authorization) ? authorization.slice(7).trim() : "";
    // Digests are of one length, and tell nothing of how much of a guess was right.
    if (!timingSafeEqual(digestOf(given), this.#digest)) {
      throw new HttpError(401, authorization === undefined ? "a bearer token is needed" : "the token is not right", {
        "www-authenticate": 'Bearer realm="accelctl"',
      });
    }
  }
}

const digestOf = (token: string): Buffer => createHash("sha256").update(token).digest();
