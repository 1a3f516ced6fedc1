/**
 * The review as one self-contained page to attach to a bug report: no script, no request to anywhere (a policy in the page says so),
 * light and dark, readable on a phone and on paper. All text of the machine is escaped.
 */

import type { Finding, Layer, Route } from "../base/finding.ts";
import { valueOf } from "../base/reading.ts";
import { bytes } from "../base/units.ts";
import type { DeviceReport, Report } from "../review/report.ts";
import { harmless } from "./terminal.ts";
import { evidenceText, wordOf } from "./text.ts";

const style = `
:root{color-scheme:light dark;--fg:#1b1f24;--bg:#fff;--soft:#5b6570;--line:#d8dee4;--card:#f6f8fa;--ok:#1a7f37;--bad:#cf222e;--maybe:#9a6700;--note:#0969da}
@media(prefers-color-scheme:dark){:root{--fg:#e6edf3;--bg:#0d1117;--soft:#9198a1;--line:#30363d;--card:#161b22;--ok:#3fb950;--bad:#f85149;--maybe:#d29922;--note:#58a6ff}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:70rem;padding:1.5rem 1rem 4rem;font:16px/1.5 system-ui,sans-serif;color:var(--fg);background:var(--bg)}
h1{font-size:1.4rem;margin:0 0 .25rem}h2{font-size:1.15rem;margin:2rem 0 .75rem}h3{font-size:1rem;margin:0}
.soft{color:var(--soft)}code,pre,.mono{font-family:ui-monospace,monospace;font-size:.875em}
code{overflow-wrap:anywhere}
.card{border:1px solid var(--line);border-radius:.5rem;padding:1rem;margin:0 0 1rem;background:var(--card)}
.head{display:flex;flex-wrap:wrap;gap:.25rem 1rem;justify-content:space-between;align-items:baseline}
.mark{display:inline-block;min-width:1.2em;font-weight:700}
.ok{color:var(--ok)}.bad{color:var(--bad)}.maybe{color:var(--maybe)}.note{color:var(--note)}
.route{margin:.75rem 0 0}.route h4{margin:0 0 .35rem;font-size:.95rem}
.chain{display:flex;flex-wrap:wrap;gap:.4rem;list-style:none;margin:0;padding:0}
.chain li{border:1px solid var(--line);border-left-width:4px;border-radius:.35rem;padding:.25rem .5rem;background:var(--bg);min-width:6.5rem;max-width:17rem;font-size:.85rem}
.chain li.ok{border-left-color:var(--ok)}.chain li.bad{border-left-color:var(--bad)}.chain li.maybe{border-left-color:var(--maybe)}
.chain li span{color:var(--fg);display:block;overflow-wrap:anywhere}.chain li small{color:var(--soft)}
details{margin:.5rem 0 0}summary{cursor:pointer;color:var(--soft)}
table{border-collapse:collapse;width:100%;font-size:.875rem}td,th{text-align:left;vertical-align:top;padding:.3rem .5rem;border-bottom:1px solid var(--line)}
pre{margin:.5rem 0 0;padding:.6rem .75rem;border:1px solid var(--line);border-radius:.35rem;background:var(--bg);overflow-x:auto}
ol.findings{padding-left:1.5rem}ol.findings>li{margin:0 0 1.25rem}
a{color:var(--note);overflow-wrap:anywhere}
@media print{body{max-width:none}details{display:block}.card{break-inside:avoid}}
`.trim();

export function renderHtml(report: Report): string {
  const { machine, kernel } = report;
  const memory = valueOf(machine.memory_bytes);
  const about = [
    valueOf(machine.distribution),
    `Linux ${harmless(kernel.release ?? "not captured")}`,
    valueOf(machine.arch),
    valueOf(machine.cpu),
    memory === undefined ? undefined : bytes(memory),
  ].filter((part): part is string => part !== undefined && part !== "");
  const title = valueOf(machine.model) ?? "machine of unknown model";
  const devices = report.devices.map(deviceHtml).join("\n") || "<p>No accelerator seen.</p>";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>accelctl review: ${escape(title)}</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>${escape(title)}</h1>
<p class="soft">${about.map(escape).join(" · ")}</p>
</header>
<main>
<section aria-labelledby="devices">
<h2 id="devices">Devices</h2>
${devices}
</section>
${section("dormant", "Switched off in the device tree", report.dormant.map(deviceHtml).join("\n"))}
${section("findings", "Findings", findingsHtml(report.findings))}
${section("blind", "Not looked at", blindHtml(report))}
</main>
</body>
</html>
`;
}

function section(id: string, title: string, body: string): string {
  return body === "" ? "" : `<section aria-labelledby="${id}">\n<h2 id="${id}">${title}</h2>\n${body}\n</section>`;
}

const tone: Readonly<Record<"yes" | "no" | "unknown", readonly [string, string]>> = {
  yes: ["ok", "✓"],
  no: ["bad", "✗"],
  unknown: ["maybe", "?"],
};

function deviceHtml(device: DeviceReport): string {
  const [colour, mark] = tone[device.verdict.works];
  const rows: [string, string][] = [
    ...Object.entries(device.ids).map(([name, value]): [string, string] => [name, value]),
    ["driver", wordOf(device.driver)],
    ...device.nodes.map((node): [string, string] => [
      node.path,
      [wordOf(node.mode), wordOf(node.owner), wordOf(node.group)].join(" "),
    ]),
    ...(device.parts.length > 0 ? [["parts", device.parts.join(", ")] as [string, string]] : []),
  ];
  return `<article class="card">
<div class="head"><h3><span class="mark ${colour}">${mark}</span>${escape(device.name)}</h3><span class="mono soft">${escape(`${device.bus} ${device.address}`)}</span></div>
<p>${escape(device.verdict.says)}</p>
${device.routes.map(routeHtml).join("\n")}
<details><summary>identity and nodes</summary>
<table>${rows.map(([name, value]) => `<tr><th scope="row">${escape(name)}</th><td class="mono">${escape(value)}</td></tr>`).join("")}</table>
</details>
</article>`;
}

function routeHtml(route: Route): string {
  const [colour, mark] = tone[route.works];
  const rows = route.layers.flatMap((layer) =>
    layer.evidence.map(
      (evidence) => `<tr><th scope="row">${layer.name}</th><td>${escape(evidenceText(evidence))}</td></tr>`,
    ),
  );
  return `<div class="route">
<h4><span class="mark ${colour}">${mark}</span>${escape(route.name)}${route.open ? ' <small class="soft">open throughout</small>' : ""}</h4>
<ol class="chain">${route.layers.map(layerHtml).join("")}</ol>
<details><summary>what this rests on</summary><table>${rows.join("")}</table></details>
</div>`;
}

function layerHtml(layer: Layer): string {
  const colour =
    layer.status === "ok" ? "ok" : layer.status === "unknown" ? "maybe" : layer.status === "unneeded" ? "" : "bad";
  const words = layer.status === "unneeded" ? "not needed" : `${layer.status}, ${layer.openness}`;
  return `<li class="${colour}"><small>${layer.name}</small><span>${escape(layer.status === "unneeded" ? "–" : layer.is)}</span><small>${words}</small></li>`;
}

function findingsHtml(findings: readonly Finding[]): string {
  if (findings.length === 0) return "";
  const colours = { error: "bad", warning: "maybe", note: "note" } as const;
  const items = findings.map((finding) => {
    const { remedy } = finding;
    const evidence = finding.evidence
      .map((e) => `<div class="soft"><code>${escape(evidenceText(e))}</code></div>`)
      .join("");
    const cure = remedy
      ? `<div><b>Cure:</b> ${escape(remedy.says)}</div>` +
        (remedy.commands ? `<pre>${remedy.commands.map(escape).join("\n")}</pre>` : "") +
        (remedy.links ?? []).map((link) => `<div>${linkHtml(link)}</div>`).join("")
      : "";
    return `<li><b class="${colours[finding.severity]}">${finding.severity}</b> ${escape(finding.says)}
<div class="soft mono">${escape(finding.rule)} · ${escape(finding.device)}</div>
${evidence}
${cure}</li>`;
  });
  return `<ol class="findings">${items.join("\n")}</ol>`;
}

function blindHtml(report: Report): string {
  if (report.blind.length === 0) return "";
  return `<ul>${report.blind.map(({ path, because }) => `<li><code>${escape(path)}</code>: ${escape(because)}</li>`).join("")}</ul>`;
}

/** Links come from the catalogue; anything that is not https stays text. */
function linkHtml(link: string): string {
  return /^https:\/\/[^\s"'<>]+$/.test(link)
    ? `<a href="${escape(link)}" rel="noreferrer">${escape(link)}</a>`
    : escape(link);
}

function escape(text: string): string {
  return harmless(text)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}
