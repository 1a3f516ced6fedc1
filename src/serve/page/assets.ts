/**
 * Assets: the page's files (dist/web, built by tools/web.mjs), held in memory packed and plain, under a policy that lets the page run
 * and fetch nothing but what this server gives. They are public: a page without its data tells nothing of the machine.
 * https://www.w3.org/TR/CSP3/ https://developer.mozilla.org/docs/Web/HTTP/Headers/Cache-Control
 */

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { CannotError } from "../../base/errors.ts";
import { ownFile } from "../../base/package.ts";
import { HttpError, type Exchange, type Part } from "../door.ts";

/** What the page may do. Pictures and sound that were dropped on it are data: and blob: addresses of its own. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "media-src 'self' blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const always: Readonly<Record<string, string>> = {
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

const ofPage: Readonly<Record<string, string>> = {
  ...always,
  "content-security-policy": policy,
  "x-frame-options": "DENY",
  "permissions-policy": "camera=(), microphone=(), geolocation=(), usb=(), serial=(), payment=(), browsing-topics=()",
  // Asked for each time, and answered by 304 while it is the same: it names the files below.
  "cache-control": "no-cache",
};

/** Their names change with what is in them. */
const ofAsset: Readonly<Record<string, string>> = { ...always, "cache-control": "public, max-age=31536000, immutable" };

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".json": "application/json",
  ".woff2": "font/woff2",
};

/** Text shrinks to a third; less than this is one packet anyway. */
const PACKED_FROM = 1024;

interface Asset {
  readonly type: string;
  readonly plain: Buffer;
  readonly packed: Buffer | undefined;
  readonly etag: string;
}

/** Where the page is, seen from this code in a bundle (dist/) and in its sources; undefined when it was not built. */
function findPage(): string | undefined {
  const here = dirname(ownFile());
  return ["web", "../../dist/web"].map((place) => join(here, place)).find(hasPage);
}

function hasPage(folder: string): boolean {
  try {
    return readdirSync(folder).includes("index.html");
  } catch {
    return false; // ENOENT: not there
  }
}

/** Throws CannotError where the page was not built. `folder`: for tests. */
export function assetsPart(folder: string | undefined = findPage()): Part {
  if (folder === undefined) throw new CannotError("the page is not built here; node tools/web.mjs builds it");
  const known = new Map<string, Asset>();
  // Names as they are listed, so that what a caller writes never becomes a path.
  const names = new Set(readdirSync(join(folder, "assets"), { encoding: "utf8" }).map((name) => `assets/${name}`));
  names.add("index.html");
  const load = (name: string): Asset => {
    let asset = known.get(name);
    if (asset === undefined) known.set(name, (asset = read(folder, name)));
    return asset;
  };
  const answer =
    (nameOf: (exchange: Exchange) => string, headers: Readonly<Record<string, string>>) =>
    (exchange: Exchange): void => {
      const name = nameOf(exchange);
      if (!names.has(name)) throw new HttpError(404, "the page has no such file");
      send(exchange, load(name), headers);
    };
  const page = answer(() => "index.html", ofPage);
  return {
    name: "page",
    routes: [
      { method: "GET", path: "/", open: true, answer: page },
      { method: "GET", path: "/index.html", open: true, answer: page },
      {
        method: "GET",
        path: "/assets/*",
        open: true,
        answer: answer(({ params }) => `assets/${params["*"] ?? ""}`, ofAsset),
      },
    ],
  };
}

function read(folder: string, name: string): Asset {
  const plain = readFileSync(join(folder, name));
  const packed = plain.length >= PACKED_FROM ? gzipSync(plain, { level: 9 }) : undefined;
  return {
    type: types[extname(name)] ?? "application/octet-stream",
    plain,
    packed: packed !== undefined && packed.length < plain.length ? packed : undefined,
    etag: `"${createHash("sha256").update(plain).digest("base64url").slice(0, 22)}"`,
  };
}

function send(exchange: Exchange, asset: Asset, own: Readonly<Record<string, string>>): void {
  const headers = { ...own, etag: asset.etag, vary: "accept-encoding" };
  if (isKnown(exchange, asset.etag)) {
    exchange.send(304, "", headers);
    return;
  }
  const packed = takesGzip(exchange) ? asset.packed : undefined;
  exchange.send(200, packed ?? asset.plain, {
    ...headers,
    "content-type": asset.type,
    ...(packed === undefined ? {} : { "content-encoding": "gzip" }),
  });
}

/** The caller has what this tag names. */
export function isKnown({ request }: Exchange, etag: string): boolean {
  const tags = (request.headers["if-none-match"] ?? "").split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.includes(etag);
}

export function takesGzip({ request }: Exchange): boolean {
  const accepted = request.headers["accept-encoding"] ?? "";
  return /(?:^|,)\s*(?:gzip|\*)\s*(?:;\s*q=(?!0(?:\.0+)?\s*(?:,|$))[\d.]+\s*)?(?:,|$)/i.test(accepted);
}
