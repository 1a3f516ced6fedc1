/**
 * Models for the page: files are uploaded, described, drawn and run (docs/serving.md). All work on them happens in processes of their
 * own within a time (models-worker.ts); this file only knows who asks for what.
 *
 *     POST   /api/models?name=m.onnx[&to=ID]     the file as it is; another file of the same model with `to`
 *     GET    /api/models                         what is here
 *     GET    /api/models/:id                     what it is and where it runs here        DELETE removes it
 *     GET    /api/models/:id/graph               ?graph=0&open=4-28,4-8&whole=1&by=TARGET
 *     GET    /api/models/:id/operators           ?graph=0&find=conv&from=0&most=200       .../operators/17: one of them
 *     GET    /api/models/:id/fit                 ?precision=int8&batch=2&input=320x320    .../fit/TARGET: its operators in order
 *     POST   /api/models/:id/input?name=cat.jpg  the file as it is; GET .../input/ID gives it back
 *     POST   /api/models/:id/run                 RunRequest
 */

import { createReadStream, existsSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { UsageError } from "../../base/errors.ts";
import { ownFile } from "../../base/package.ts";
import { parseAssumptions } from "../../fit/assume-words.ts";
import { HttpError, type Exchange, type Part, type Route } from "../door.ts";
import type { Engine } from "../engine.ts";
import type { FitWish } from "./models-fit.ts";
import { parseRunRequest } from "./models-run-request.ts";
import { labelsAmong, type ReadAnswer } from "./models-read.ts";
import { uploadLimits, Uploads, type Stored, type StoredFile, type UploadLimits } from "./models-store.ts";
import type { ModelAnswer, ModelEntry, ModelList, RunAnswer, RunRequest } from "./models-types.ts";
import { Worker, WorkError, type Work } from "./models-worker.ts";

export interface ModelsPartOptions {
  /** The machine, as --root takes it; absent: this one. What is asked about another machine is never run on this one. */
  readonly root?: string;
  readonly environments?: readonly string[];
  /** false: nothing can be uploaded or run (dashboard.run: false). */
  readonly run?: boolean;
  readonly limits?: Partial<UploadLimits>;
  /** Its models are listed. */
  readonly engine?: Pick<Engine, "models">;
  /** Where the uploads' folder is made; the system's for temporary files. */
  readonly folder?: string;
  /** For tests: milliseconds for reading a model. */
  readonly read_ms?: number;
}

/** Reading 20,000 operators takes less than a second; what takes this long was made to. */
const READ_MS = 20_000;
/** Opening, warming up and all runs together: a person waits for it. */
const RUN_MS = 180_000;
/** Under way at once; more are told to come again. Each has two processes and a device to itself. */
const RUNS_LIMIT = 2;
const REQUEST_LIMIT = 16 * 2 ** 20;
/** Milliseconds for which the answer about a model is kept: the machine may change beneath it. */
const KEPT_MS = 5000;
export const DEMO = "demo";

const NO_UPLOAD = "uploading and running are turned off on this server (dashboard.run, --no-run)";
const OTHER_MACHINE = "this page shows another machine than the one it runs on, so nothing is run";

export function modelsPart(options: ModelsPartOptions = {}): Part {
  const limits = { ...uploadLimits, ...options.limits };
  const uploads = new Uploads(limits, options.folder);
  addDemo(uploads);
  const reader = new Worker();
  const runners = Array.from({ length: RUNS_LIMIT }, () => ({ worker: new Worker(), busy: false }));
  const answers = new Map<
    string,
    { readonly at: number; readonly answer: Promise<ReadAnswer & { read_ms: number }> }
  >();
  const { environments = [], root } = options;
  const machine = { environments, ...(root === undefined ? {} : { root }) };
  const noUpload = options.run === false ? NO_UPLOAD : undefined;
  const noRun = noUpload ?? (root === undefined || root === "/" ? undefined : OTHER_MACHINE);
  const filesOf = (stored: Stored): string[] => stored.files.map(({ path }) => path);
  const within = options.read_ms ?? READ_MS;

  /** Work on a model, with errors that tell nothing of this host. */
  const work = async (
    stored: Stored,
    worker: Worker,
    what: Work,
    ms: number,
    signal?: AbortSignal,
  ): Promise<unknown> => {
    stored.busy++;
    try {
      return await worker.ask(what, ms, signal);
    } catch (error) {
      throw told(error, stored);
    } finally {
      stored.busy--;
      stored.touched = stored.demo ? Infinity : performance.now();
    }
  };

  const read = (stored: Stored): Promise<ReadAnswer & { read_ms: number }> => {
    const key = `${stored.id} ${stored.files.length}`;
    const known = answers.get(key);
    if (known !== undefined && performance.now() - known.at < KEPT_MS) return known.answer;
    const start = performance.now();
    const answer = work(stored, reader, { ask: "read", files: filesOf(stored), ...machine }, within).then((found) => {
      const one = found as ReadAnswer; // our own child's
      stored.main = one.main;
      return { ...one, read_ms: Math.round(performance.now() - start) };
    });
    answers.set(key, { at: start, answer });
    answer.catch(() => answers.delete(key));
    for (const [old, { at }] of answers) if (performance.now() - at > KEPT_MS && old !== key) answers.delete(old);
    return answer;
  };

  const list = (exchange: Exchange): void => {
    const { file_bytes, all_bytes, input_bytes } = limits;
    exchange.sendJson(200, {
      models: uploads.list().map(entryOf),
      served: options.engine?.models() ?? [],
      limits: { file_bytes, all_bytes, input_bytes },
      ...(noUpload === undefined ? {} : { no_upload: noUpload }),
      ...(noRun === undefined ? {} : { no_run: noRun }),
    } satisfies ModelList);
  };

  const describe = async (exchange: Exchange): Promise<void> => {
    const stored = uploads.get(exchange.params["id"] ?? "");
    const { main, says, ...answer } = await read(stored);
    exchange.sendJson(200, {
      ...entryOf({ ...stored, main }),
      ...answer,
      ...(says === undefined ? {} : { says: withoutHost(says, stored) }),
    } satisfies ModelAnswer);
  };

  const ask = async (exchange: Exchange, ofModel: (files: string[]) => Work): Promise<void> => {
    const stored = uploads.get(exchange.params["id"] ?? "");
    const answer = await work(stored, reader, ofModel(filesOf(stored)), within);
    if (answer === undefined) throw new HttpError(404, "there is no such graph in it, or no such operator");
    exchange.sendJson(200, answer);
  };

  const run = async (exchange: Exchange): Promise<void> => {
    if (noRun !== undefined) throw new HttpError(403, noRun);
    const stored = uploads.get(exchange.params["id"] ?? "");
    const request = requestOf(await exchange.json(REQUEST_LIMIT));
    const { state, main, says, missing } = await read(stored);
    if (state !== "model") throw new HttpError(422, withoutHost(says ?? "this file is no model", stored));
    const [first] = missing;
    if (first !== undefined)
      throw new HttpError(422, `it needs "${first.slice(0, 80)}" beside it: upload that file too`);
    const runner = runners.find(({ busy }) => !busy);
    if (runner === undefined) {
      throw new HttpError(429, `${RUNS_LIMIT} runs are under way; try again when one has ended`, {
        "retry-after": "5",
      });
    }
    runner.busy = true;
    let scratch: string | undefined;
    try {
      scratch = await uploads.scratch();
      const labels = labelsAmong(filesOf(stored).filter((path) => path !== main));
      const answer = await work(
        stored,
        runner.worker,
        {
          ask: "run",
          main,
          ...machine,
          ...(labels === undefined ? {} : { labels }),
          uploaded: Object.fromEntries([...stored.inputs].map(([id, { path }]) => [id, path])),
          scratch,
          request,
        },
        RUN_MS,
        exchange.signal,
      );
      exchange.note({ model: stored.id });
      exchange.sendJson(200, withoutFolder(answer as RunAnswer, stored));
    } finally {
      runner.busy = false;
      if (scratch !== undefined) await rm(scratch, { recursive: true, force: true });
    }
  };

  const upload = async (exchange: Exchange): Promise<void> => {
    if (noUpload !== undefined) throw new HttpError(403, noUpload);
    const stored = await uploads.add(
      nameOf(exchange),
      bodyOf(exchange),
      announcedLength(exchange),
      exchange.query.get("to") ?? undefined,
    );
    exchange.sendJson(201, entryOf(stored), { location: `/api/models/${stored.id}` });
  };

  const addInput = async (exchange: Exchange): Promise<void> => {
    if (noRun !== undefined) throw new HttpError(403, noRun);
    const stored = uploads.get(exchange.params["id"] ?? "");
    const input = await uploads.addInput(stored, nameOf(exchange), bodyOf(exchange), announcedLength(exchange));
    exchange.sendJson(201, { input, name: stored.inputs.get(input)?.name ?? "" });
  };

  const remove = async (exchange: Exchange): Promise<void> => {
    const stored = uploads.get(exchange.params["id"] ?? "");
    if (stored.demo) throw new HttpError(400, "the example comes with accelctl and stays");
    await uploads.remove(stored);
    exchange.sendJson(200, { removed: stored.id });
  };

  const routes: readonly Route[] = [
    { method: "GET", path: "/api/models", answer: list },
    { method: "POST", path: "/api/models", answer: upload },
    { method: "GET", path: "/api/models/:id", answer: describe },
    { method: "DELETE", path: "/api/models/:id", answer: remove },
    {
      method: "GET",
      path: "/api/models/:id/graph",
      answer: (exchange) => {
        const open = exchange.query.get("open");
        const wish = {
          ...graphOf(exchange),
          whole: exchange.query.get("whole") === "1",
          ...byOf(exchange),
          ...(open === null ? {} : { open: open.split(",").filter(Boolean) }),
        };
        return ask(exchange, (files) => ({ ask: "graph", files, wish }));
      },
    },
    {
      method: "GET",
      path: "/api/models/:id/operators",
      answer: (exchange) => {
        const [from, most] = [wholeOf(exchange, "from"), wholeOf(exchange, "most")];
        const wish = {
          ...graphOf(exchange),
          find: (exchange.query.get("find") ?? "").slice(0, 200),
          ...(from === undefined ? {} : { from }),
          ...(most === undefined ? {} : { most }),
        };
        return ask(exchange, (files) => ({ ask: "operators", files, wish }));
      },
    },
    {
      method: "GET",
      path: "/api/models/:id/operators/:node",
      answer: (exchange) => {
        const node = numberOf(exchange.params["node"] ?? "", "an operator");
        return ask(exchange, (files) => ({ ask: "operator", files, node, ...graphOf(exchange), ...byOf(exchange) }));
      },
    },
    {
      method: "GET",
      path: "/api/models/:id/fit",
      answer: (exchange) => {
        const wish = fitWishOf(exchange);
        return ask(exchange, (files) => ({ ask: "fit", files, wish, ...(root === undefined ? {} : { root }) }));
      },
    },
    {
      method: "GET",
      path: "/api/models/:id/fit/:target",
      answer: (exchange) => {
        const wish = { ...fitWishOf(exchange), target: (exchange.params["target"] ?? "").slice(0, 100) };
        return ask(exchange, (files) => ({ ask: "fit", files, wish }));
      },
    },
    { method: "POST", path: "/api/models/:id/input", answer: addInput },
    {
      method: "GET",
      path: "/api/models/:id/input/:input",
      answer: (exchange) => giveBack(exchange, uploads.get(exchange.params["id"] ?? "").inputs),
    },
    { method: "POST", path: "/api/models/:id/run", answer: run },
  ];
  return {
    name: "models",
    routes,
    async close() {
      await Promise.all([reader.close(), ...runners.map(({ worker }) => worker.close())]);
      await uploads.close();
    },
  };
}

const entryOf = ({ id, files, demo, main }: Stored): ModelEntry => ({
  id,
  name: (files.find(({ path }) => path === main) ?? files[0])?.name ?? "",
  files: files.map(({ name, bytes }) => ({ name, bytes })),
  ...(demo ? { demo } : {}),
});

/** The model, the picture and the names of classes that come with accelctl; nothing where a packager left them out. */
function addDemo(uploads: Uploads): void {
  const here = dirname(ownFile());
  const folder = ["../demo", "../../demo"]
    .map((place) => join(here, place))
    .find((path) => existsSync(join(path, "cat.jpg")));
  if (folder === undefined) return;
  const file = (name: string): StoredFile => ({
    name,
    path: join(folder, name),
    bytes: statSync(join(folder, name)).size,
  });
  const [model, labels, picture] = ["mobilenet_v1_0.25_128_quant.tflite", "labels.txt", "cat.jpg"].map(file);
  if (model !== undefined && labels !== undefined && picture !== undefined)
    uploads.addDemo(DEMO, [model, labels], picture);
}

/** HttpError of what happened, in words that name no folder of this host. */
function told(error: unknown, stored: Stored): unknown {
  if (error instanceof UsageError) return new HttpError(400, withoutHost(error.message, stored));
  if (!(error instanceof WorkError)) return error;
  // A bug of ours: its stack is for the log.
  if (error.kind === "bug") return new Error(error.message);
  return new HttpError(422, withoutHost(error.message, stored));
}

/** Paths keep their last word alone. */
export function withoutHost(text: string, { folder, files }: Pick<Stored, "folder" | "files">): string {
  let out = text;
  for (const { path, name } of files) out = out.replaceAll(path, name);
  if (folder !== "") out = out.replaceAll(`${folder}/`, "");
  return out.replace(/(?<![\w:/.])\/(?:[^\s/:;,"'()]+\/)+(?=[^\s/:;,"'()])/g, "");
}

/** The result is what the command line prints; only the uploads' own folder is nobody's business. */
function withoutFolder(answer: RunAnswer, stored: Stored): unknown {
  const clean = (value: unknown): unknown => {
    if (typeof value === "string") return value.includes("/") ? cleanText(value) : value;
    if (Array.isArray(value)) return typeof value[0] === "number" ? value : value.map(clean);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, clean(one)]));
  };
  const cleanText = (text: string): string => {
    let out = text;
    for (const { path, name } of [...stored.files, ...stored.inputs.values()]) out = out.replaceAll(path, name);
    return out;
  };
  return {
    ...answer,
    runs: answer.runs.map((one) => ("error" in one ? { ...one, error: withoutHost(one.error, stored) } : clean(one))),
  };
}

function requestOf(json: unknown): RunRequest {
  try {
    return parseRunRequest(json);
  } catch (error) {
    if (error instanceof UsageError) throw new HttpError(400, error.message);
    throw error;
  }
}

const nameOf = (exchange: Exchange): string => {
  const name = exchange.query.get("name");
  if (name === null || name === "") throw new HttpError(400, "the file's name is missing: ?name=model.onnx");
  return name;
};

const announcedLength = ({ request }: Exchange): number | undefined => {
  const length = request.headers["content-length"];
  return length === undefined ? undefined : Number(length);
};

/** The body as it comes: too long to be held whole. */
function bodyOf({ request, response }: Exchange): Exchange["request"] {
  if (request.headers["content-encoding"] !== undefined && request.headers["content-encoding"] !== "identity") {
    throw new HttpError(415, "files are taken as they are, without content-encoding");
  }
  if (request.headers.expect !== undefined) response.writeContinue();
  return request;
}

function byOf({ query }: Exchange): { readonly by?: string } {
  const by = query.get("by");
  return by === null || by === "" ? {} : { by: by.slice(0, 100) };
}

/** What the verb takes as options, held to the same limits. */
function fitWishOf({ query }: Exchange): FitWish {
  try {
    return parseAssumptions((name) => query.get(name) ?? undefined);
  } catch (error) {
    if (error instanceof UsageError) throw new HttpError(400, error.message);
    throw error;
  }
}

function graphOf(exchange: Exchange): { readonly graph?: number } {
  const graph = wholeOf(exchange, "graph");
  return graph === undefined ? {} : { graph };
}

function wholeOf(exchange: Exchange, name: string): number | undefined {
  const text = exchange.query.get(name);
  return text === null ? undefined : numberOf(text, `"${name}"`);
}

function numberOf(text: string, what: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new HttpError(400, `${what} is a whole number`);
  return Number(text);
}

const types: Readonly<Record<string, string>> = {
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  png: "image/png",
  bmp: "image/bmp",
  webp: "image/webp",
};

async function giveBack(exchange: Exchange, inputs: Stored["inputs"]): Promise<void> {
  const found = inputs.get(exchange.params["input"] ?? "");
  if (found === undefined) throw new HttpError(404, "this input is not here any more");
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream(found.path)) chunks.push(chunk as Buffer);
  const end = found.name.slice(found.name.lastIndexOf(".") + 1).toLowerCase();
  exchange.send(200, chunks, {
    "content-type": types[end] ?? "application/octet-stream",
    "cache-control": "private, max-age=300",
    // What somebody uploaded is never a page.
    "content-security-policy": "default-src 'none'; sandbox",
  });
}
