/**
 * The Open Inference Protocol v2 over HTTP, with the extensions that clients of Triton use: binary tensor data, model repository,
 * model configuration, statistics, classification, parameters.
 * https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
 * https://github.com/triton-inference-server/server/tree/main/docs/protocol
 */

import { version } from "../../version.ts";
import { HttpError, type Exchange, type Part, type Route } from "../door.ts";
import { Refusal, type Engine, type InferRequest } from "../engine.ts";
import { quoted } from "../tensors.ts";
import { configuration, existing, indexed, metadata, opened, statistics } from "./describe.ts";
import { sendAnswer } from "./infer-answer.ts";
import { readAsked, type Asked, type AskedLimits } from "./infer-request.ts";

const extensions = [
  "binary_tensor_data",
  "classification",
  "model_configuration",
  "model_repository",
  "parameters",
  "schedule_policy",
  "statistics",
];

/** Bodies of anything but an inference: names and flags. */
const SMALL_BODY = 64 << 10;

/** `limits`: of the server (http/limits.ts). */
export function oipPart(engine: Engine, limits: AskedLimits): Part {
  const get = (path: string, answer: Route["answer"]): Route => ({ method: "GET", path, answer });
  const post = (path: string, answer: Route["answer"]): Route => ({ method: "POST", path, answer });
  const infer: Route["answer"] = (exchange) => answerInfer(engine, limits, exchange);
  /** Both with and without a version. */
  const ofModel = (rest: string, answer: Route["answer"], make: typeof get): Route[] =>
    ["/v2/models/:model", "/v2/models/:model/versions/:version"].map((path) => make(`${path}${rest}`, answer));
  return {
    name: "open inference protocol",
    routes: [
      get("/v2", (exchange) => exchange.sendJson(200, { name: "accelctl", version, extensions })),
      { ...get("/v2/health/live", (exchange) => exchange.sendJson(200, { live: true })), open: true },
      get("/v2/health/ready", (exchange) => {
        const ready = engine.ready();
        // The specification's text calls the field "live", its OpenAPI file "ready".
        exchange.sendJson(ready ? 200 : 503, { live: true, ready });
      }),
      ...ofModel("/infer", infer, post),
      ...ofModel("", (exchange) => exchange.sendJson(200, metadata(engine, opened(engine, ...named(exchange)))), get),
      ...ofModel(
        "/ready",
        (exchange) => {
          const { name, status } = existing(engine, ...named(exchange));
          const ready = status === "ready";
          exchange.sendJson(ready ? 200 : 503, { name, ready });
        },
        get,
      ),
      ...ofModel(
        "/config",
        (exchange) => exchange.sendJson(200, configuration(opened(engine, ...named(exchange)))),
        get,
      ),
      ...ofModel(
        "/stats",
        (exchange) => {
          const [name, version] = named(exchange);
          existing(engine, name, version);
          const rows = statistics(engine.figures()).filter(
            (row) => row.name === name && (version === undefined || row.version === version),
          );
          exchange.sendJson(200, { model_stats: rows });
        },
        get,
      ),
      get("/v2/models/stats", (exchange) => exchange.sendJson(200, { model_stats: statistics(engine.figures()) })),
      post("/v2/repository/index", async (exchange) => {
        const { ready } = await fieldsOf(exchange);
        const all = engine.repository().filter(({ status }) => ready !== true || status === "ready");
        exchange.sendJson(200, all.map(indexed));
      }),
      post("/v2/repository/models/:model/load", async (exchange) => {
        const [parameter] = Object.keys(await parametersOf(exchange));
        if (parameter !== undefined) {
          const says = `the parameter ${quoted(parameter)} is not taken: models are configured by their files`;
          throw new Refusal("invalid", says);
        }
        await engine.load(exchange.params["model"] ?? "");
        exchange.send(200, "");
      }),
      post("/v2/repository/models/:model/unload", async (exchange) => {
        await parametersOf(exchange);
        await engine.unload(exchange.params["model"] ?? "");
        exchange.send(200, "");
      }),
    ],
  };
}

const named = ({ params }: Exchange): [string, string | undefined] => [params["model"] ?? "", params["version"]];

async function answerInfer(engine: Engine, limits: AskedLimits, exchange: Exchange): Promise<void> {
  const { params, request } = exchange;
  const model = params["model"] ?? "";
  const version = params["version"];
  // A tensor that nobody takes is not worth its transport; of a small one the engine says so soon enough.
  if (!isSmall(request.headers["content-length"])) existing(engine, model, version);
  const body = await exchange.body();
  const header = headerLength(request.headers["inference-header-content-length"]);
  const state = header === "0" ? existing(engine, model, version) : undefined;
  const asked = readAsked(body, header, state, limits);
  const streams = asked.others !== undefined && engine.model(model, version)?.streams === true;
  const answer = await engine.infer(requestOf(exchange, asked, model, version, streams));
  exchange.note({ model: answer.model, queue_ms: answer.queue_ms, run_ms: answer.run_ms, batch: answer.batch });
  sendAnswer(exchange, answer, asked);
}

const isSmall = (length: string | undefined): boolean => length !== undefined && Number(length) <= SMALL_BODY;

const headerLength = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header.join() : header;

function requestOf(
  exchange: Exchange,
  { inputs, outputs, priority, deadline, others }: Asked,
  model: string,
  version: string | undefined,
  streams: boolean,
): InferRequest {
  return {
    model,
    ...(version === undefined ? {} : { version }),
    inputs,
    ...(outputs === undefined ? {} : { outputs: outputs.map(({ name }) => name) }),
    ...(priority === undefined ? {} : { priority }),
    ...(deadline === undefined ? {} : { deadline }),
    signal: exchange.gone ?? exchange.signal,
    id: exchange.id,
    ...(others === undefined || !streams ? {} : { options: others }),
  };
}

/** Of a small JSON object, which may be left out. */
async function fieldsOf(exchange: Exchange): Promise<Readonly<Record<string, unknown>>> {
  const bytes = await exchange.body(SMALL_BODY);
  if (bytes.length === 0) return {};
  const value: unknown = await exchange.json(SMALL_BODY);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new HttpError(400, "the body is no JSON object");
  }
  return value as Readonly<Record<string, unknown>>; // what an object of JSON is
}

async function parametersOf(exchange: Exchange): Promise<object> {
  const { parameters = {} } = await fieldsOf(exchange);
  if (typeof parameters === "object" && parameters !== null) return parameters;
  throw new HttpError(400, "parameters is no JSON object");
}
