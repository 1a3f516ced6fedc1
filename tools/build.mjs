// Bundles the command line (dist/accelctl.cjs) and the library (dist/index.js with types) when a source is newer than they are.
import { build } from "esbuild";
import { chmodSync, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
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

const external = ["koffi", "fzstd", "seek-bzip", "xz-decompress"];

/**
 * Puts in the place of src/families/load.ts a file that evaluates a family when it is first asked for. `require` of a bundled file
 * becomes a call of its initialiser.
 */
const lazyFamilies = {
  name: "lazy-families",
  setup(build) {
    build.onLoad({ filter: /src\/families\/load\.ts$/ }, () => {
      const index = readFileSync(join(top, "src/families/index.ts"), "utf8");
      const files = [...index.matchAll(/^import \w+ from "(\.\/[\w-]+\.ts)";$/gm)].map((match) => match[1]);
      const cases = files.map((file) => {
        const id = /^export default \{\n {2}id: "([\w-]+)",$/m.exec(
          readFileSync(join(top, "src/families", file), "utf8"),
        )?.[1];
        if (id === undefined) throw new Error(`${file}: "id" is not the first field of its default export`);
        return `  ${JSON.stringify(id)}: () => require(${JSON.stringify(file)}).default,`;
      });
      const contents = [
        `const loaders: Record<string, () => unknown> = {`,
        ...cases,
        `};`,
        `export const loadFamily = (id: string) => (Object.hasOwn(loaders, id) ? loaders[id]() : undefined);`,
        `export const allFamilies = () => Object.values(loaders).map((load) => load());`,
      ].join("\n");
      return { contents, loader: "ts" };
    });
  },
};

/** Builds unless what is there is newer than every source. */
export async function buildAll(force = false) {
  const out = join(top, "dist/accelctl.cjs");
  const sources = Math.max(newest("src"), statSync(join(top, "package.json")).mtimeMs, newest("tools"));
  if (!force && existsSync(out) && statSync(out).mtimeMs > sources) return false;
  const shared = {
    bundle: true,
    platform: "node",
    target: "node20.19",
    external,
    legalComments: "none",
    logLevel: "warning",
  };
  await build({
    ...shared,
    absWorkingDir: top,
    entryPoints: ["src/main.ts"],
    outfile: "dist/accelctl.cjs",
    format: "cjs",
    // Node compiles what it reads: half the bytes, half the time. Names stay, so that a stack in a bug report can be read.
    minifySyntax: true,
    minifyWhitespace: true,
    plugins: [lazyFamilies],
    banner: { js: "#!/usr/bin/env node\nconst __here=require('node:url').pathToFileURL(__filename).href;" },
    define: { "import.meta.url": "__here" },
  });
  chmodSync(out, 0o755);
  await build({
    ...shared,
    absWorkingDir: top,
    entryPoints: ["src/index.ts"],
    outfile: "dist/index.js",
    format: "esm",
  });
  return true;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildAll(true);
