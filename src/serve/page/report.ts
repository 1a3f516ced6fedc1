/**
 * Report: the machine for the page. GET /api/report[?query=1] is the report of the server's own machine, kept for some seconds; POST
 * /api/review is that of a capture, an archive, a device tree or a pasted text; GET /api/about says which server this is.
 */

import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { version } from "../../version.ts";
import { HttpError, type Exchange, type Part } from "../door.ts";
import type { About } from "./about.ts";
import { isKnown, takesGzip } from "./assets.ts";
import { reviewJson, ReviewError } from "./reviewer.ts";

/** Several views, and several tabs, ask at once; a machine changes no faster than somebody types a command and comes back. */
const KEPT_MS = 3000;
/** An archive of a whole /sys and /proc packs into some 50 MB; it is held here and in the process that reads it. */
export const REVIEW_LIMIT = 256 * 1024 * 1024;
/** Each holds its bytes, and the process that reads them up to twice as much. */
const AT_ONCE = 2;
/** Loopback gains nothing by packing what is small. */
const PACKED_FROM = 4096;

export interface ReportPartOptions {
  /** The machine, as --root takes it; absent: the live one. */
  readonly root?: string;
  readonly environments?: readonly string[];
  /** What is shown as the machine's name where it is not this one: a file's name, no path. */
  readonly name?: string;
  /** Replaces the process that reviews; for tests. */
  readonly review?: typeof reviewJson;
}

interface Kept {
  readonly at: number;
  readonly body: Promise<Body>;
}
interface Body {
  readonly plain: Buffer;
  readonly etag: string;
  packed?: Promise<Buffer>;
}

export function reportPart(options: ReportPartOptions = {}): Part {
  const { root, environments, name, review = reviewJson } = options;
  const machine = { ...(root === undefined ? {} : { root }), ...(environments === undefined ? {} : { environments }) };
  const about: About = { name: "accelctl", version, machine: name ?? null };
  const kept = new Map<boolean, Kept>();
  let reviewing = 0;

  /** One review for all who ask within KEPT_MS; a caller who goes away takes nothing from the others. */
  const own = (query: boolean): Promise<Body> => {
    const before = kept.get(query);
    if (before !== undefined && performance.now() - before.at < KEPT_MS) return before.body;
    const body = review({ ...machine, query }).then(bodyOf);
    const entry = { at: performance.now(), body };
    kept.set(query, entry);
    // What failed is asked again.
    body.catch(() => kept.get(query) === entry && kept.delete(query));
    return body;
  };

  return {
    name: "report",
    routes: [
      { method: "GET", path: "/api/about", answer: (exchange) => exchange.sendJson(200, about, fresh) },
      {
        method: "GET",
        path: "/api/report",
        async answer(exchange) {
          const query = ["1", "true"].includes(exchange.query.get("query") ?? "");
          const body = await own(query).catch((error: unknown) => {
            if (!(error instanceof ReviewError)) throw error;
            // Its sentence may name paths of this machine: it goes into the log.
            exchange.note({ review: error.says });
            throw new HttpError(500, "the machine could not be reviewed; accelctl review says why");
          });
          await send(exchange, body);
        },
      },
      {
        method: "POST",
        path: "/api/review",
        async answer(exchange) {
          if (reviewing >= AT_ONCE) {
            throw new HttpError(429, "other machines are being looked at; try again", { "retry-after": "2" });
          }
          reviewing++;
          try {
            const bytes = await exchange.body(REVIEW_LIMIT);
            if (bytes.length === 0)
              throw new HttpError(400, "the body is empty; it is to be a capture, an archive or a text");
            await send(exchange, bodyOf(await review({ bytes, signal: exchange.signal })));
          } catch (error) {
            if (error instanceof ReviewError) throw new HttpError(422, error.says);
            throw error;
          } finally {
            reviewing--;
          }
        },
      },
    ],
  };
}

const fresh: Readonly<Record<string, string>> = { "cache-control": "no-store" };

const bodyOf = (plain: Buffer): Body => ({
  plain,
  etag: `"${createHash("sha256").update(plain).digest("base64url").slice(0, 22)}"`,
});

const pack = promisify(gzip);

async function send(exchange: Exchange, body: Body): Promise<void> {
  const headers = { ...fresh, "cache-control": "no-cache", etag: body.etag, vary: "accept-encoding" };
  if (isKnown(exchange, body.etag)) {
    exchange.send(304, "", headers);
    return;
  }
  const packs = body.plain.length >= PACKED_FROM && takesGzip(exchange);
  const bytes = packs ? await (body.packed ??= pack(body.plain, { level: 6 })) : body.plain;
  exchange.send(200, bytes, {
    ...headers,
    "content-type": "application/json; charset=utf-8",
    ...(packs ? { "content-encoding": "gzip" } : {}),
  });
}
