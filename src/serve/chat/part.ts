/**
 * OpenAI's API for models that write text: models, chat completions, completions, whole or as they are written.
 * https://platform.openai.com/docs/api-reference/chat and /completions; docs/serving-chat.md says what is not served
 */

import { randomBytes } from "node:crypto";
import type { Value } from "../../delegates/value.ts";
import type { Exchange, Part } from "../door.ts";
import { Refusal, type Engine, type InferAnswer, type InferRequest, type ModelState } from "../engine.ts";
import { quoted } from "../tensors.ts";
import { ChatError, errorBody } from "./error.ts";
import { readChat, readCompletion, type Asked } from "./request.ts";

/** A context of a million tokens has some 4 MB of text; JSON may write each character in six. */
const BODY_LIMIT = 32 * 1024 * 1024;

export function chatPart(engine: Engine): Part {
  const begun = seconds();
  return {
    name: "openai",
    routes: [
      {
        method: "GET",
        path: "/v1/models",
        answer: (exchange) => {
          const data = [...new Map(writers(engine).map((model) => [model.name, model])).values()];
          exchange.sendJson(200, { object: "list", data: data.map((model) => told(model, begun)) });
        },
      },
      {
        method: "GET",
        path: "/v1/models/:id",
        answer: (exchange) => {
          const model = writers(engine).find(({ name }) => name === exchange.params["id"]);
          if (model !== undefined) exchange.sendJson(200, told(model, begun));
          else refuse(exchange, new ChatError(404, noModel(exchange.params["id"] ?? ""), "model_not_found", "model"));
        },
      },
      { method: "POST", path: "/v1/chat/completions", answer: (exchange) => complete(engine, exchange, chat) },
      { method: "POST", path: "/v1/completions", answer: (exchange) => complete(engine, exchange, completion) },
    ],
    errorBody,
  };
}

const seconds = (): number => Math.floor(Date.now() / 1000);
const noModel = (name: string): string => `there is no model ${quoted(name)} that writes text`;
/** The version that serves by default speaks for all. */
const writers = (engine: Engine): ModelState[] =>
  [...new Set(engine.models().map(({ name }) => name))].flatMap((name) => {
    const model = engine.model(name);
    return model?.status === "ready" && model.streams ? [model] : [];
  });
const told = ({ name }: ModelState, created: number): unknown => ({
  id: name,
  object: "model",
  created,
  owned_by: "accelctl",
});

/** What differs between the two ways to ask. */
interface Manner {
  readonly read: (body: unknown) => Asked;
  readonly id: string;
  readonly object: string;
  readonly chunk: string;
  readonly choice: (text: string, reason: string) => unknown;
  /** The chunk before the first piece. */
  readonly first: unknown;
  readonly piece: (text: string) => unknown;
  readonly last: (reason: string) => unknown;
}

const chat: Manner = {
  read: readChat,
  id: "chatcmpl-",
  object: "chat.completion",
  chunk: "chat.completion.chunk",
  choice: (content, finish_reason) => ({
    index: 0,
    message: { role: "assistant", content, refusal: null },
    logprobs: null,
    finish_reason,
  }),
  first: { index: 0, delta: { role: "assistant", content: "" }, logprobs: null, finish_reason: null },
  piece: (content) => ({ index: 0, delta: { content }, logprobs: null, finish_reason: null }),
  last: (finish_reason) => ({ index: 0, delta: {}, logprobs: null, finish_reason }),
};

const completion: Manner = {
  read: readCompletion,
  id: "cmpl-",
  object: "text_completion",
  chunk: "text_completion",
  choice: (text, finish_reason) => ({ index: 0, text, logprobs: null, finish_reason }),
  first: undefined,
  piece: (text) => ({ index: 0, text, logprobs: null, finish_reason: null }),
  last: (finish_reason) => ({ index: 0, text: "", logprobs: null, finish_reason }),
};

async function complete(engine: Engine, exchange: Exchange, manner: Manner): Promise<void> {
  const body = await exchange.json(BODY_LIMIT);
  try {
    const asked = manner.read(body);
    exchange.note({ model: asked.model });
    const model = engine.model(asked.model);
    if (model === undefined || (model.status === "ready" && !model.streams)) {
      throw new ChatError(404, noModel(asked.model), "model_not_found", "model");
    }
    // Ended early, the iteration ends the run and frees the model.
    const pieces = engine.stream(requestOf(model, asked, exchange));
    try {
      // Until the first piece a refusal can still be told by a status.
      const first = await pieces.next();
      await (asked.stream ? stream : whole)(exchange, manner, asked, first, pieces);
    } finally {
      await pieces.return(undefined as never); // what it returns is not looked at
    }
  } catch (error) {
    if (!(error instanceof ChatError)) throw error;
    refuse(exchange, error);
  }
}

const refuse = (exchange: Exchange, { status, message, code, param }: ChatError): void => {
  exchange.note({ error: message });
  exchange.sendJson(status, errorBody(status, message, code, param));
};

function requestOf(model: ModelState, { prompt, options }: Asked, exchange: Exchange): InferRequest {
  const [input] = model.inputs;
  const value: Value = { type: "string", shape: [1], data: [prompt] };
  return {
    model: model.name,
    version: model.version,
    inputs: new Map([[input?.name ?? "prompt", value]]),
    options,
    signal: exchange.signal,
    id: exchange.id,
  };
}

type Step = IteratorResult<string, InferAnswer>;
type Pieces = AsyncGenerator<string, InferAnswer, undefined>;

async function whole(exchange: Exchange, manner: Manner, asked: Asked, first: Step, pieces: Pieces): Promise<void> {
  let text = "";
  let step = first;
  for (; step.done !== true; step = await pieces.next()) text += step.value;
  exchange.sendJson(200, {
    ...headOf(manner, manner.object, asked),
    choices: [manner.choice(text, reasonOf(step.value))],
    usage: usageOf(step.value),
  });
}

async function stream(exchange: Exchange, manner: Manner, asked: Asked, first: Step, pieces: Pieces): Promise<void> {
  const head = headOf(manner, manner.chunk, asked);
  const events = exchange.events();
  const say = (choices: readonly unknown[], usage: unknown = null): Promise<void> =>
    events.event(JSON.stringify({ ...head, choices, ...(asked.usage ? { usage } : {}) }));
  try {
    if (manner.first !== undefined) await say([manner.first]);
    let step = first;
    for (; step.done !== true; step = await pieces.next()) {
      if (exchange.signal.aborted) return;
      await say([manner.piece(step.value)]);
    }
    await say([manner.last(reasonOf(step.value))]);
    if (asked.usage) await say([], usageOf(step.value));
    await events.event("[DONE]");
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    // The status was told: clients look for an error among the events.
    exchange.note({ error: error.message });
    await events.event(JSON.stringify(errorBody(error.kind === "not-ready" ? 503 : 500, error.message)));
  } finally {
    events.end();
  }
}

const headOf = ({ id }: Manner, object: string, { model }: Asked): Readonly<Record<string, unknown>> => ({
  id: id + randomBytes(12).toString("hex"),
  object,
  created: seconds(),
  model,
});

/** stop: the model ended its text, or a text of `stop` came; length: max_tokens or the context ended it. */
function reasonOf({ outputs }: InferAnswer): string {
  const reason = outputs.get("finish_reason")?.data[0];
  return reason === "length" ? "length" : "stop";
}

/** Absent where the delegate does not count. */
function usageOf({ figures }: InferAnswer): unknown {
  const { prompt_tokens, tokens: completion_tokens } = figures ?? {};
  if (prompt_tokens === undefined || completion_tokens === undefined) return undefined;
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
}
