// Builds the page (web/ to dist/web) when a source of it is newer than what is there; and the Machine view as one file that needs no
// server (dist/web/static/report.html), into which accelctl report --html puts a report.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { top } from "./ready.mjs";

function newest(folder) {
  let time = 0;
  for (const entry of readdirSync(join(top, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name);
    time = Math.max(time, entry.isDirectory() ? newest(path) : statSync(join(top, path)).mtimeMs);
  }
  return time;
}

export async function buildWeb(force = false) {
  // Written last: its age says that all is built.
  const out = join(top, "dist/web/static/report.html");
  const sources = Math.max(newest("web"), newest("src/base"), statSync(fileURLToPath(import.meta.url)).mtimeMs);
  if (!force && existsSync(out) && statSync(out).mtimeMs > sources) return false;
  const { build } = await import("vite");
  const configFile = join(top, "web/vite.config.mjs");
  await build({ configFile, logLevel: "warn" });
  mkdirSync(join(top, "dist/web/static"), { recursive: true });
  writeFileSync(out, await staticPage(build, configFile));
  return true;
}

/** One file: script and style within, allowed by their digests and nothing else by the policy. */
async function staticPage(build, configFile) {
  const built = await build({
    configFile,
    logLevel: "warn",
    build: {
      write: false,
      emptyOutDir: false,
      cssCodeSplit: false,
      rolldownOptions: { input: join(top, "web/src/static.tsx"), output: { format: "iife", codeSplitting: false } },
    },
  });
  const files = [built].flat().flatMap(({ output }) => output);
  const scripts = files.filter(({ type }) => type === "chunk");
  const styles = files.filter(({ fileName }) => fileName.endsWith(".css"));
  if (scripts.length !== 1 || styles.length !== 1) {
    throw new Error(
      `the exported page is not one script and one style: ${files.map(({ fileName }) => fileName).join(", ")}`,
    );
  }
  // A script ends at the first "</script", also within its own strings.
  const script = `\n${scripts[0].code.trim().replaceAll("</script", "<\\/script")}\n`;
  if (script.includes("<!--")) throw new Error("the exported page's script holds <!--, which begins a comment of HTML");
  const style = `\n${String(styles[0].source).trim()}\n`;
  const digest = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  const policy = [
    "default-src 'none'",
    `script-src ${digest(script)}`,
    `style-src ${digest(style)}`,
    "img-src data: blob:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<link rel="icon" href="data:,">
<title>@@TITLE@@</title>
<style>${style}</style>
</head>
<body>
<div id="app"></div>
<noscript>This page needs JavaScript; accelctl review --html makes one that does not.</noscript>
<script type="application/json" id="report">@@REPORT@@</script>
<script type="application/json" id="accelctl-atlas">@@ATLAS@@</script>
<script>${script}</script>
</body>
</html>
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildWeb(process.argv.includes("--force"));
