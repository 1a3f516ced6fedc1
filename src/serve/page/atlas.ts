/** GET /api/catalog: the atlas, made once and told by an entity tag, so that a browser that has it is answered in a line. */

import { createHash } from "node:crypto";
import { makeAtlas } from "../../export/atlas.ts";
import { allFamilies } from "../../families/load.ts";
import type { Part } from "../door.ts";
import { isKnown } from "./assets.ts";

/** It changes with the program only; asked again each time, because the program may be a newer one behind the same address. */
const CACHE = "no-cache";

export function atlasPart(): Part {
  let made: { body: string; tag: string } | undefined;
  return {
    name: "catalog",
    routes: [
      {
        method: "GET",
        path: "/api/catalog",
        answer(exchange) {
          made ??= make();
          const headers = { etag: made.tag, "cache-control": CACHE };
          if (isKnown(exchange, made.tag)) exchange.send(304, "", headers);
          else exchange.send(200, made.body, { ...headers, "content-type": "application/json" });
        },
      },
    ],
  };
}

function make(): { body: string; tag: string } {
  const body = JSON.stringify(makeAtlas(allFamilies()));
  return { body, tag: `"${createHash("sha256").update(body).digest("hex").slice(0, 24)}"` };
}
