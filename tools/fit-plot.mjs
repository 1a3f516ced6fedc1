// Writes docs/pictures/fit-errors.svg and the table of docs/fit.md from what `npm run bench -- fit` computes: the error of estimates on
// each device, every model left out in turn. Takes a minute: run it when the calibration changed.
import { build } from "esbuild";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { top } from "./ready.mjs";

/** Rows from which on a device is told by itself. */
const ROWS = 25;

const scratch = mkdtempSync(join(tmpdir(), "accelctl-plot-"));
const outfile = join(top, "dist", `.fit-plot-${process.pid}.mjs`);
try {
  mkdirSync(join(top, "dist"), { recursive: true });
  await build({
    stdin: {
      contents: `export { leaveOneOut } from "./src/fit/evaluate-latency.ts"; export { renderErrors } from "./src/print/fit-plot.ts"; export { errorsTable } from "./src/print/fit-errors.ts";`,
      resolveDir: top,
      loader: "ts",
    },
    bundle: true,
    platform: "node",
    format: "esm",
    external: ["koffi", "fzstd", "seek-bzip"],
    outfile,
    logLevel: "warning",
  });
  const { leaveOneOut, renderErrors, errorsTable } = await import(pathToFileURL(outfile).href);
  const all = leaveOneOut();
  const own = all.filter(({ rows, pool }) => rows >= ROWS && !pool.startsWith("ncnn") && pool !== "ai-hub");
  const plotted = own.map(({ setting, rows, median, p90, power, nearest }) => ({
    name: setting,
    rows,
    median,
    p90,
    power: power.median,
    nearest: nearest.median,
  }));
  writeFileSync(join(top, "docs/pictures/fit-errors.svg"), renderErrors(plotted));
  const page = join(top, "docs/fit.md");
  writeFileSync(
    page,
    readFileSync(page, "utf8").replace(
      /(<!-- errors: .* -->\n)[^]*?(<!-- end of errors -->)/,
      (_, before, after) => `${before}\n${errorsTable(all, ROWS)}\n${after}`,
    ),
  );
} finally {
  rmSync(scratch, { recursive: true, force: true });
  rmSync(outfile, { force: true });
}
