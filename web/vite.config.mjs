// Builds the page into dist/web: hashed files under assets/, no remote fetches. tools/web.mjs calls it; docs/decisions/060.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: fileURLToPath(new URL("../dist/web", import.meta.url)),
    emptyOutDir: true,
    target: ["chrome111", "firefox114", "safari16.4"],
    // The policy of the page allows no inline script, and nothing that it would need a polyfill for.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
});
