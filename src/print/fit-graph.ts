/**
 * The graph of a fit as one page that needs nothing else: each operator in the colour of its partition, what stays on the CPU and why,
 * for one compiler or delegate after the other. No script: which of them is shown is a choice of the style sheet.
 */

import type { FitNode, FitPlacement, FitReport } from "../fit/fit.ts";
import type { Model } from "../model/graph.ts";
import { boxesOf, foldable, type Box, type BoxGraph, type Foldable } from "./graph-fold.ts";
import { boxState, HUES } from "./fit-states.ts";
import { BOX, layOut } from "./graph-layout.ts";
import { curve, cutText, escapeXml, round } from "./graph.ts";
import { fitsWords, intervalWords, kindWords, placementWords, targetName } from "./fit-words.ts";

/** Targets that one page shows; with more the page would be slow to open. */
const SHOWN = 12;
/** Lines of the table of one target. */
const LINES = 200;

interface Layer {
  readonly placement: FitPlacement;
  readonly device: string;
  readonly interval: string;
  readonly byNode: ReadonlyMap<number, FitNode>;
}

/** `report` holds nodes. */
export function renderFitGraph(model: Model, report: FitReport): string {
  const layers = layersOf(report);
  const main = model.graphs[model.main ?? 0];
  const fold = main === undefined ? undefined : foldable(main);
  const graph: BoxGraph = fold === undefined ? { boxes: [], edges: [], folded: false, opened: [] } : boxesOf(fold, {});
  const more = everyPlacement(report) - layers.length;
  const name = report.model.name;
  const folded = graph.folded ? "; repeated blocks are drawn once, and a block that falls apart is striped" : "";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeXml(name)}: where it runs</title>
<style>
${style}
${layers.map((_, at) => `body:has(#t${at}:checked) .of${at}{display:block}body:has(#t${at}:checked) label[for=t${at}]{border-color:currentColor;font-weight:600}`).join("\n")}
${layers.map((_, at) => layerStyle(at)).join("\n")}
</style>
</head>
<body>
<header>
<h1>${escapeXml(name)}</h1>
<p>${report.model.operators} operators${folded}${report.model.assumed.length === 0 ? "" : `; assumed: ${escapeXml(report.model.assumed.join(", "))}`}</p>
<fieldset><legend>By</legend>
${layers.map((layer, at) => choice(layer, at)).join("\n")}
</fieldset>
${more > 0 ? `<p>${more} more are left out: name one with --for</p>` : ""}
${layers.map((layer, at) => `<p class="of of${at}">${escapeXml(summary(report, layer))}</p>`).join("\n")}
<ul class="key" aria-label="Colours"><li><i class="k0"></i>a partition each colour</li><li><i class="kc"></i>on the CPU</li><li><i class="kr"></i>refused</li><li><i class="ku"></i>not documented</li><li><i class="km"></i>melts into its neighbour</li></ul>
</header>
<main>
<div class="graph">${svg(graph, fold, layers, name)}</div>
<div class="why">${layers.map((layer, at) => reasons(layer, at)).join("\n")}</div>
</main>
</body>
</html>
`;
}

const everyPlacement = ({ rows }: FitReport): number =>
  new Set(rows.flatMap(({ placements }) => placements.map(({ target }) => target))).size;

/** Each target once, as its first device has it. Of a known model those for which it was written as for the first. */
function layersOf({ rows }: FitReport): readonly Layer[] {
  const out = new Map<string, Layer>();
  const as = drawnAs(rows);
  for (const row of rows) {
    row.placements.forEach((placement, at) => {
      if (out.has(placement.target) || placement.as !== as) return;
      const interval = at === 0 ? intervalWords(row.estimate) : undefined;
      out.set(placement.target, {
        placement,
        device: row.name,
        interval: interval === undefined ? "" : `${interval}, ${kindWords(row.estimate)}`,
        byNode: new Map((placement.nodes ?? []).map((node) => [node.node, node])),
      });
    });
  }
  return [...out.values()].slice(0, SHOWN);
}

/** In whose operators a known model is to be drawn. */
export const drawnAs = (rows: FitReport["rows"]): FitPlacement["as"] =>
  rows.find(({ placements }) => placements.length > 0)?.placements[0]?.as;

const choice = ({ placement }: Layer, at: number): string =>
  `<input type="radio" name="by" id="t${at}"${at === 0 ? " checked" : ""}><label for="t${at}">${escapeXml(placement.target)} <small>${escapeXml(
    fitsWords[placement.fits],
  )}</small></label>`;

function summary(report: FitReport, { placement, device, interval }: Layer): string {
  const once = placement.once === undefined ? "" : `, once ${placement.once}`;
  const time = interval === "" ? "" : `; ${interval}`;
  return `${targetName(report, placement.target)} for ${device}: ${placementWords(placement)}${once}${time}`;
}

function svg(graph: BoxGraph, fold: Foldable | undefined, layers: readonly Layer[], name: string): string {
  const layout = layOut(graph);
  const [width, height] = [round(layout.width), round(layout.height)];
  const edges = layout.edges.map((points) => `<path class="e" marker-end="url(#arrow)" d="${curve(points)}"/>`);
  const boxes = graph.boxes.map((box, i) => {
    const { x, y } = layout.boxes[i] ?? { x: 0, y: 0 };
    const classes = layers.map((layer, at) => [at, boxState(box, fold?.numbers ?? [], layer.byNode)] as const);
    const words = classes.flatMap(([at, state]) => (state === undefined ? [] : [`t${at}-${state}`]));
    const rounded = box.operators === 0 ? BOX.height / 2 : 5;
    const number = box.node === undefined ? "" : ` #${box.node}`;
    const title = `${box.title}${number}${box.detail === "" ? "" : ` · ${box.detail}`}${reasonsIn(box, fold, layers)}`;
    return (
      `<g class="${["b", ...words].join(" ")}"><title>${escapeXml(title)}</title>` +
      `<rect x="${round(x - BOX.width / 2)}" y="${round(y - BOX.height / 2)}" width="${BOX.width}" height="${BOX.height}" rx="${rounded}"/>` +
      `<text x="${round(x)}" y="${round(box.detail === "" ? y + 4 : y - 2)}">${escapeXml(cutText(`${box.title}${number}`))}</text>` +
      (box.detail === ""
        ? ""
        : `<text class="d" x="${round(x)}" y="${round(y + 12)}">${escapeXml(cutText(box.detail, 27))}</text>`) +
      `</g>`
    );
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeXml(`graph of ${name}`)}">
<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="a" d="M0 0L8 4L0 8z"/></marker>
<pattern id="mixed" width="10" height="10" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="m1" width="5" height="10"/><rect class="m2" x="5" width="5" height="10"/></pattern></defs>
${edges.join("\n")}
${boxes.join("\n")}
</svg>`;
}

/** Of one operator: what each target says of it, where it says no. */
function reasonsIn(box: Box, fold: Foldable | undefined, layers: readonly Layer[]): string {
  if (box.operators !== 1 || box.start === undefined || fold === undefined) return "";
  const index = fold.numbers[box.start] ?? -1;
  return layers
    .map(({ placement, byNode }) => {
      const { because, left } = byNode.get(index) ?? {};
      const text = because ?? left;
      return text === undefined ? "" : `\n${placement.target}: ${text}`;
    })
    .join("");
}

function reasons({ placement }: Layer, at: number): string {
  const needs = placement.prerequisites
    .filter(({ met }) => met !== "yes")
    .map(
      ({ says, met, cure }) =>
        `<li>${met === "no" ? "lacks" : "not known"}: ${escapeXml(says)}${cure === undefined ? "" : ` → ${escapeXml(cure)}`}</li>`,
    );
  const rows = placement.refusals.slice(0, LINES).map(
    ({ op, because, nodes, rule }) =>
      `<tr><td>${op === "*" ? "all" : `${nodes.length} ${escapeXml(op)}`}</td><td>${escapeXml(because)} <small>${escapeXml(rule)}</small></td><td>${
        op === "*"
          ? ""
          : nodes
              .slice(0, 12)
              .map((node) => `#${node}`)
              .join(" ")
      }${op !== "*" && nodes.length > 12 ? " …" : ""}</td></tr>`,
  );
  if (needs.length + rows.length === 0) return `<section class="of of${at}"><p>Nothing is refused.</p></section>`;
  const table =
    rows.length === 0
      ? ""
      : `<table><thead><tr><th>operators</th><th>reason</th><th>nodes</th></tr></thead><tbody>${rows.join("")}</tbody></table>`;
  return `<section class="of of${at}">${needs.length === 0 ? "" : `<ul>${needs.join("")}</ul>`}${table}</section>`;
}

/** A box carries a class for each target; only those of the one that is chosen colour it. */
function layerStyle(at: number): string {
  const rule = (state: string, css: string): string => `body:has(#t${at}:checked) .t${at}-${state} rect{${css}}`;
  return [
    ...Array.from({ length: HUES }, (_, hue) => rule(`p${hue}`, `fill:var(--p${hue})`)),
    rule("cpu", "fill:var(--cpu)"),
    rule("no", "fill:var(--no);stroke:var(--bad);stroke-width:2"),
    rule("unsure", "fill:var(--unsure);stroke-dasharray:4 3"),
    rule("melted", "fill:var(--melted)"),
    rule("mixed", "fill:url(#mixed)"),
  ].join("");
}

/** Text keeps 4.5 to 1 on every colour, light and dark. */
const style = `
:root{color-scheme:light dark;--fg:#1b1f24;--bg:#fff;--soft:#5b6570;--line:#8a929b;--box:#eef1f4;--p0:#bfdcff;--p1:#c6efcb;--p2:#e2d4fb;--p3:#b8ecec;--p4:#ffe0b8;--p5:#ffd0ea;--cpu:#e1e4e8;--no:#ffd4d4;--bad:#cf222e;--unsure:#fff3c4;--melted:#fff}
@media(prefers-color-scheme:dark){:root{--fg:#e6edf3;--bg:#0d1117;--soft:#9198a1;--line:#5f6975;--box:#1c2330;--p0:#123a6b;--p1:#14482a;--p2:#3d2a66;--p3:#0f4a4a;--p4:#5c3a08;--p5:#5c1f45;--cpu:#30363d;--no:#5c1a1f;--bad:#f85149;--unsure:#4d3f08;--melted:#0d1117}}
*{box-sizing:border-box}
body{margin:0;font:15px/1.5 system-ui,sans-serif;color:var(--fg);background:var(--bg)}
header{padding:1rem 1.5rem 0}h1{font-size:1.1rem;margin:0;overflow-wrap:anywhere}p{margin:.25rem 0;max-width:70rem}
fieldset{border:0;padding:0;margin:.5rem 0;display:flex;flex-wrap:wrap;gap:.4rem}legend{float:left;margin-right:.5rem}
input{position:absolute;opacity:0}label{border:2px solid var(--line);border-radius:.5rem;padding:.15rem .6rem;cursor:pointer}
input:focus-visible+label{outline:3px solid var(--bad)}small{color:var(--soft)}
.of{display:none}.key{list-style:none;display:flex;flex-wrap:wrap;gap:.25rem 1rem;padding:0;margin:.5rem 0;color:var(--soft);font-size:.875rem}
.key i{display:inline-block;width:.9rem;height:.9rem;border:1px solid var(--line);border-radius:.2rem;margin-right:.35rem;vertical-align:-2px}
.k0{background:linear-gradient(90deg,var(--p0) 50%,var(--p1) 50%)}.kc{background:var(--cpu)}.kr{background:var(--no)}.ku{background:var(--unsure)}.km{background:var(--melted)}
main{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,26rem);gap:1rem;padding:0 1.5rem 1.5rem}
@media(max-width:60rem){main{grid-template-columns:minmax(0,1fr)}.why{order:-1}}
.graph{overflow:auto}.graph svg{display:block;margin:0 auto}
table{border-collapse:collapse;width:100%;font-size:.875rem}td,th{text-align:left;vertical-align:top;padding:.3rem .5rem .3rem 0;border-bottom:1px solid var(--line)}td:nth-child(2){overflow-wrap:anywhere}
text{font:12px system-ui,sans-serif;fill:var(--fg);text-anchor:middle}.d{font-size:10px;fill:var(--soft)}
.e{fill:none;stroke:var(--line);stroke-width:1.2}.a{fill:var(--line)}.b rect{fill:var(--box);stroke:var(--line)}.m1{fill:var(--p0)}.m2{fill:var(--no)}
@media print{.graph{overflow:visible}}
`.trim();
