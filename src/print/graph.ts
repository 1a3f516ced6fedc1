/** The graph of a model: for Graphviz, as an SVG picture, or as one HTML page that needs nothing else. */

import type { Model } from "../model/graph.ts";
import { boxGraph, type Box, type BoxGraph } from "./graph-fold.ts";
import { BOX, layOut, type Placed } from "./graph-layout.ts";
import { harmless } from "./terminal.ts";

/** Letters that fit a box; the whole name is the box's title. */
const FITS = 23;

export function renderDot(model: Model, name: string): string {
  const { boxes, edges } = boxGraph(model);
  const lines = [
    `digraph ${quote(name)} {`,
    `  rankdir=TB;`,
    `  node [shape=box, style=rounded, fontname="sans-serif"];`,
  ];
  boxes.forEach((box, i) => {
    const label = box.detail === "" ? box.title : `${box.title}\n${box.detail}`;
    lines.push(`  n${i} [label=${quote(label)}${box.operators === 0 ? ", shape=ellipse" : ""}];`);
  });
  for (const { from, to, label } of edges)
    lines.push(`  n${from} -> n${to}${label === "" ? "" : ` [label=${quote(label)}]`};`);
  return `${lines.join("\n")}\n}\n`;
}

export function renderSvg(model: Model, name: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${svg(boxGraph(model), name)}\n`;
}

export function renderGraphHtml(model: Model, name: string): string {
  const graph = boxGraph(model);
  const operators = model.graphs[model.main ?? 0]?.nodes.length ?? 0;
  const note = graph.folded ? `, repeated blocks drawn once` : "";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeXml(name)}: graph</title>
<style>
:root{color-scheme:light dark}
body{margin:0;font:15px/1.5 system-ui,sans-serif;background:Canvas;color:CanvasText}
header{padding:1rem 1.5rem}h1{font-size:1.1rem;margin:0;overflow-wrap:anywhere}p{margin:.25rem 0 0;opacity:.75}
main{overflow:auto;padding:0 1rem 1rem}main svg{display:block;margin:0 auto}
</style>
</head>
<body>
<header><h1>${escapeXml(name)}</h1><p>${operators} operators${note}</p></header>
<main>
${svg(graph, name)}
</main>
</body>
</html>
`;
}

/** Colours keep 4.5 to 1 against the text they carry, on light and on dark pages. */
const style = `
text{font:12px system-ui,sans-serif;fill:#1b1f24;text-anchor:middle}
.d{font-size:10px;fill:#4a5159}.e{fill:none;stroke:#8a929b;stroke-width:1.2}.a{fill:#8a929b}
rect{stroke:#6b747d;stroke-width:1;fill:#eef1f4}
.convolution rect,.matrix rect,.recurrent rect,.attention rect{fill:#cfe3ff}
.activation rect,.normalise rect{fill:#ffe2cf}.pool rect,.reduce rect{fill:#d6f2d8}
.shape rect{fill:#f1e7fb}.quantise rect{fill:#fff3c4}.custom rect{fill:#ffd4d8}.block rect{fill:#dcecef;stroke-width:2}
.input rect,.output rect{fill:#fff}
`.trim();

function svg(graph: BoxGraph, name: string): string {
  const layout = layOut(graph);
  const size = `width="${round(layout.width)}" height="${round(layout.height)}"`;
  const curves = layout.edges.map((points, i) => {
    const label = graph.edges[i]?.label ?? "";
    const path = `<path class="e" marker-end="url(#arrow)" d="${curve(points)}"`;
    return label === "" ? `${path}/>` : `${path}><title>${escapeXml(label)}</title></path>`;
  });
  const boxes = graph.boxes.map((box, i) => boxSvg(box, layout.boxes[i] ?? { x: 0, y: 0 }));
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} viewBox="0 0 ${round(layout.width)} ${round(layout.height)}" role="img" aria-label="${escapeXml(`graph of ${name}`)}">
<style>${style}</style>
<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="a" d="M0 0L8 4L0 8z"/></marker></defs>
${curves.join("\n")}
${boxes.join("\n")}
</svg>`;
}

function boxSvg(box: Box, { x, y }: Placed): string {
  const rounded = box.operators === 0 ? BOX.height / 2 : 5;
  const title = `<title>${escapeXml(box.detail === "" ? box.title : `${box.title} · ${box.detail}`)}</title>`;
  const rect = `<rect x="${round(x - BOX.width / 2)}" y="${round(y - BOX.height / 2)}" width="${BOX.width}" height="${BOX.height}" rx="${rounded}"/>`;
  const first = `<text x="${round(x)}" y="${round(box.detail === "" ? y + 4 : y - 2)}">${escapeXml(cutText(box.title))}</text>`;
  const second =
    box.detail === ""
      ? ""
      : `<text class="d" x="${round(x)}" y="${round(y + 12)}">${escapeXml(cutText(box.detail, FITS + 4))}</text>`;
  return `<g class="${box.kind}">${title}${rect}${first}${second}</g>`;
}

/** Straight down out of a box and into the next, curved between. */
export function curve(points: readonly Placed[]): string {
  const half = BOX.height / 2;
  let path = "";
  points.forEach((point, i) => {
    const y = i === 0 ? point.y + half : i === points.length - 1 ? point.y - half : point.y;
    const before = points[i - 1];
    if (before === undefined) {
      path += `M${round(point.x)} ${round(y)}`;
      return;
    }
    const from = i === 1 ? before.y + half : before.y;
    const middle = (from + y) / 2;
    path += `C${round(before.x)} ${round(middle)} ${round(point.x)} ${round(middle)} ${round(point.x)} ${round(y)}`;
  });
  return path;
}

export const round = (value: number): string => String(Math.round(value * 10) / 10);

export const cutText = (text: string, room: number = FITS): string =>
  text.length <= room ? text : `${text.slice(0, room - 1)}…`;

/** A string of Graphviz: quotes, backslashes and line ends escaped, control characters gone. */
const quote = (text: string): string =>
  `"${text
    .split("\n")
    .map((line) => harmless(line).replace(/["\\]/g, "\\$&"))
    .join("\\n")}"`;

/** For XML: names of tensors are a stranger's. Characters that XML forbids become the replacement character. */
export function escapeXml(text: string): string {
  return harmless(text)
    .replace(/[\ud800-\udfff\ufffe\uffff]/gu, "\ufffd")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}
