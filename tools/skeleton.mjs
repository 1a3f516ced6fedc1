// Makes data/fit/graphs/NAME.json of model files: `node tools/skeleton.mjs [--source TEXT] [--licence ID] [--alias NAME] [--name NAME] FILE...`
// `--join NAME FILE...`: files of one operator each, in order, whose tensors go by the same names, become one graph; `--then OP` puts a
// custom operator behind its outputs. `--index` alone writes the index anew.
import { build } from "esbuild";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { pathToFileURL } from "node:url";
import { top } from "./ready.mjs";

const { values: options, positionals: files } = parseArgs({
  allowPositionals: true,
  options: {
    source: { type: "string", default: "" },
    licence: { type: "string" },
    note: { type: "string" },
    name: { type: "string" },
    alias: { type: "string", multiple: true },
    join: { type: "string" },
    then: { type: "string" },
    index: { type: "boolean" },
  },
});
const folder = join(top, "data/fit/graphs");
mkdirSync(folder, { recursive: true });

const scratch = mkdtempSync(join(tmpdir(), "accelctl-skeleton-"));
try {
  const entry = join(scratch, "entry.ts");
  writeFileSync(
    entry,
    `export { readModel } from ${JSON.stringify(join(top, "src/inspect/describe.ts"))};
     export { skeletonOf } from ${JSON.stringify(join(top, "src/fit/skeleton.ts"))};`,
  );
  const outfile = join(scratch, "entry.mjs");
  const banner = {
    js: `import { createRequire } from "node:module"; const require = createRequire(${JSON.stringify(join(top, "package.json"))});`,
  };
  await build({
    entryPoints: [entry],
    bundle: true,
    platform: "node",
    format: "esm",
    outfile,
    banner,
    logLevel: "error",
  });
  const { readModel, skeletonOf } = await import(pathToFileURL(outfile).href);
  if (options.join !== undefined) write(skeletonOf(joined(files.map((file) => readModel(file))), about(options.join)));
  else if (options.index !== true)
    for (const file of files)
      write(skeletonOf(readModel(file), about(options.name ?? basename(file).replace(/\.\w+$/, ""), file)));
  writeIndex();
} finally {
  rmSync(scratch, { recursive: true });
}

function about(name, file) {
  const { source, licence, alias, note } = options;
  return {
    name,
    ...(alias === undefined ? {} : { aliases: alias }),
    source: file === undefined ? source : source.replace("%", basename(file)),
    ...(licence === undefined ? {} : { licence }),
    ...(note === undefined ? {} : { note }),
  };
}

/** One line for each tensor and node: a diff tells what changed. */
function write(skeleton) {
  const { graphs, ...head } = skeleton;
  const line = (value) => `      ${JSON.stringify(value)}`;
  const body = graphs.map(
    ({ tensors, nodes, inputs, outputs }) =>
      `    {"tensors":[\n${tensors.map(line).join(",\n")}\n    ],"nodes":[\n${nodes.map(line).join(",\n")}\n    ],"inputs":${JSON.stringify(inputs)},"outputs":${JSON.stringify(outputs)}}`,
  );
  const opening = JSON.stringify(head).slice(0, -1);
  writeFileSync(join(folder, `${skeleton.name}.json`), `${opening},\n  "graphs":[\n${body.join(",\n")}\n  ]}\n`);
}

/** Names to files: who looks for one graph does not open all. */
function writeIndex() {
  const rows = {};
  for (const file of readdirSync(folder)
    .filter((one) => one !== "index.json")
    .sort()) {
    const { name, aliases = [] } = JSON.parse(readFileSync(join(folder, file), "utf8"));
    for (const one of [name, ...aliases]) rows[one] = file;
  }
  writeFileSync(join(folder, "index.json"), `${JSON.stringify(rows, null, 1)}\n`);
}

/** Tensors of one name are one tensor; what no operator gives and no file holds is the input, what none takes the output. */
function joined(parts) {
  const tensors = [];
  const places = new Map();
  const nodes = [];
  for (const { graphs } of parts) {
    const [graph] = graphs;
    const place = (index) => {
      if (index < 0) return index;
      const tensor = graph.tensors[index];
      if (!places.has(tensor.name)) {
        places.set(tensor.name, tensors.length);
        tensors.push(tensor);
      }
      return places.get(tensor.name);
    };
    for (const node of graph.nodes)
      nodes.push({ ...node, inputs: node.inputs.map(place), outputs: node.outputs.map(place) });
  }
  const given = new Set(nodes.flatMap((node) => node.outputs));
  const taken = new Set(nodes.flatMap((node) => node.inputs));
  const inputs = [...taken].filter((at) => at >= 0 && !given.has(at) && tensors[at].data === undefined);
  let outputs = [...given].filter((at) => !taken.has(at)).sort((a, b) => a - b);
  if (options.then === "TFLite_Detection_PostProcess") {
    // Boxes, scores and the anchors, a constant; gives boxes, classes, scores and their number (tensorflow/lite/kernels/detection_postprocess.cc).
    const boxes = tensors[outputs[0]].shape[1];
    tensors.push({
      name: "anchors",
      type: "uint8",
      shape: [boxes, 4],
      quantization: { scale: [1], zeroPoint: [0] },
      data: { bytes: 4 * boxes },
    });
    const behind = [0, 1, 2, 3].map((at) => {
      tensors.push({ name: `${options.then}:${at}`, type: "float32", shape: [] });
      return tensors.length - 1;
    });
    nodes.push({ spelled: options.then, inputs: [...outputs, tensors.length - 5], outputs: behind, attributes: {} });
    outputs = behind;
  }
  return { ...parts[0], main: 0, graphs: [{ name: "main", tensors, nodes, inputs, outputs }] };
}
