// netron's reader on one file, as its own window drives it: node _netron.mjs FOLDER_OF_NETRON FILE. Prints format and nodes.
import { readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";

const [netron, path] = process.argv.slice(2);
const load = (id) => import(pathToFileURL(join(netron, `${id.replace(/^\.\//, "")}.js`)).href);
const { FileStream } = await load("node");
const { ModelFactoryService } = await load("view");
const fail = (error) => {
  throw error;
};
const request = async (file, encoding) => readFileSync(join(netron, file), encoding ?? null);
const host = { environment: () => undefined, event: () => undefined, exception: fail, require: load, request };
const { size, mtimeMs } = statSync(path);
const context = {
  identifier: basename(path),
  stream: new FileStream(path, 0, size, mtimeMs),
  entries: new Map(),
  host,
  request,
  asset: (file) => request(file, "utf8"),
  require: load,
  error: fail,
};
const model = await new ModelFactoryService(host).open(context);
const graphs = model.modules ?? model.graphs ?? [];
process.stdout.write(`${model.format} ${graphs.reduce((sum, graph) => sum + (graph.nodes?.length ?? 0), 0)}\n`);
