// Writes kernels/<release>-<arch>.json: what of a kernel the catalogue rests on. One call, one kernel:
//   node tools/harvest.mjs linux-image-6.12.107+deb13-amd64_6.12.107-1_amd64.deb
//   node tools/harvest.mjs linux-modules-7.3.4+deb13-amd64_*.deb linux-base-7.3.4+deb13-amd64_*.deb
//   node tools/harvest.mjs --package "linux-image-amd64 6.1.192-2" DIR-OR-ARCHIVE
// Debian's packages: apt-get download linux-image-RELEASE-ARCH (since 7.2 linux-modules-... and linux-base-...).
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { ready, top } from "./ready.mjs";

/** Besides those the catalogue names: neighbours one meets beside accelerators, and drivers a family may yet claim. */
const NEIGHBOURS = [
  "amdxcp",
  "host1x",
  "mhi",
  "mtk_scp",
  "nouveau",
  "panthor",
  "qcom_q6v5_adsp",
  "tegra_drm",
  "ti_k3_r5_remoteproc",
  "xe",
];
const NEIGHBOUR_SYMBOLS = [
  "CGROUP_DMEM",
  "DRM_RAS",
  "DRM_XE",
  "HSA_AMD_P2P",
  "IOMMUFD",
  "MODULE_SIG",
  "RPMSG_CHAR",
  "TI_K3_R5_REMOTEPROC",
];

ready();
const args = process.argv.slice(2);
const named = args.indexOf("--package");
const label = named < 0 ? undefined : args.splice(named, 2)[1];
if (args.length === 0) {
  process.stderr.write("usage: node tools/harvest.mjs [--package NAME] PACKAGE.deb... | DIRECTORY | ARCHIVE\n");
  process.exit(2);
}

const { accelctl, done } = await sources();
try {
  const view = accelctl.openKernel(args.join(","), () => accelctl.openRoot());
  const harvest = accelctl.harvestKernel(view, {
    symbols: [...new Set([...accelctl.catalogueSymbols(accelctl.families), ...NEIGHBOUR_SYMBOLS])],
    modules: [...new Set([...accelctl.catalogueModules(accelctl.families), ...NEIGHBOURS])],
    package: label ?? args.map((path) => basename(path).replace(/^([^_]+)_(.+)_[^_]+\.deb$/, "$1 $2")).join(", "),
  });
  const folder = join(top, "kernels");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${harvest.release}-${harvest.arch}.json`);
  writeFileSync(path, accelctl.renderHarvest(harvest));
  process.stdout.write(`${path}: ${harvest.modules.length} modules\n`);
} finally {
  done();
}

/** The TypeScript sources, bundled for this run: what harvests is what reviews. */
async function sources() {
  const folder = join(top, "node_modules", ".cache");
  const file = join(folder, `harvest-${process.pid}.mjs`);
  const entry = ["review/open-kernel", "review/harvest", "review/kernel-diff", "families/index", "root/open"]
    .map((name) => `export * from ${JSON.stringify(join(top, "src", `${name}.ts`))};`)
    .join("\n");
  await build({
    stdin: { contents: entry, resolveDir: top },
    bundle: true,
    platform: "node",
    format: "esm",
    packages: "external",
    outfile: file,
    logLevel: "error",
  });
  return { accelctl: await import(pathToFileURL(file).href), done: () => rmSync(file, { force: true }) };
}
