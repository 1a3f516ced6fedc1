/** The Machine view with one report in it, and the Atlas beside it, as a file that needs no server: opened from disk, attached to a bug report. */

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CannotError } from "../../base/errors.ts";
import { ownFile } from "../../base/package.ts";
import { valueOf } from "../../base/reading.ts";
import { makeAtlas } from "../../export/atlas.ts";
import { allFamilies } from "../../families/load.ts";
import type { Report } from "../../review/report.ts";

/** Throws CannotError where the page was not built. */
export function renderStaticPage(report: Report): string {
  const title = `${valueOf(report.machine.model) ?? "Machine of unknown model"} · accelctl`;
  const [before, between, beside, after] = template();
  const atlas = makeAtlas(allFamilies());
  return [
    before,
    escapeText(title),
    between,
    escapeScript(JSON.stringify(report)),
    beside,
    escapeScript(JSON.stringify(atlas)),
    after,
  ].join("");
}

/** Cut where the title, the report and the atlas go. */
function template(): readonly [string, string, string, string] {
  const here = dirname(ownFile());
  for (const place of ["web", "../../dist/web"]) {
    let text: string;
    try {
      text = readFileSync(join(here, place, "static/report.html"), "utf8");
    } catch {
      continue; // ENOENT: not here
    }
    const [before, rest] = cut(text, "@@TITLE@@");
    const [between, more] = cut(rest, "@@REPORT@@");
    return [before, between, ...cut(more, "@@ATLAS@@")];
  }
  throw new CannotError("the page is not built here; node tools/web.mjs builds it");
}

function cut(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  return [text.slice(0, at), text.slice(at + mark.length)];
}

/** In a script element: nothing of the machine's own words can end it, or begin a comment of HTML. */
const escapeScript = (json: string): string =>
  json.replace(
    /[<>&\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

const escapeText = (text: string): string =>
  text
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, "\ufffd")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;");
