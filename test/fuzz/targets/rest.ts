/** Requests of inference over HTTP: JSON with tensors in it or behind it. */

import type { Exchange } from "../../../src/serve/door.ts";
import { HttpError } from "../../../src/serve/door.ts";
import { Refusal, type ModelState } from "../../../src/serve/engine.ts";
import { sendAnswer } from "../../../src/serve/oip/infer-answer.ts";
import { readAsked } from "../../../src/serve/oip/infer-request.ts";
import { hostileBody } from "../../support/hostile-http.ts";
import { below, mutateBytes, mutateJson, pick, type Random } from "../mutate.ts";
import { Complaint, type Target } from "../target.ts";

const state: ModelState = {
  name: "m",
  version: "1",
  status: "ready",
  inputs: [{ name: "x", type: "float32", shape: ["n", 2] }],
  outputs: [{ name: "x", type: "float32", shape: ["n", 2] }],
  max_batch: 0,
  streams: false,
};

function request(random: Random): { header: string | undefined; body: Buffer } {
  const { json, bytes } = hostileBody(below(random, 2 ** 31));
  const text = random() < 0.3 ? changed(json, random) : json;
  const head = Buffer.from(text);
  const whole = Buffer.concat([head, bytes]);
  const body = random() < 0.2 ? Buffer.from(mutateBytes(whole, random)) : whole;
  if (random() < 0.3) return { header: undefined, body };
  return {
    header: random() < 0.9 ? String(head.length) : pick(random, ["0", "-1", "99999999", "1e2", "", "0x1"]),
    body,
  };
}

function changed(json: string, random: Random): string {
  try {
    return mutateJson(JSON.parse(json), random);
  } catch {
    return json; // broken already
  }
}

export const requests: Target = {
  name: "HTTP inferences",
  share: 8,
  memory: 256 * 1024 * 1024,
  make: (random) => {
    const { header, body } = request(random);
    return {
      input: body,
      run: () => {
        try {
          const asked = readAsked(body, header, state, { tensors: 16, elements: 1 << 24 });
          for (const [name, { shape, data }] of asked.inputs) {
            const count = shape.includes(0) ? 0 : shape.reduce((all, one) => all * one, 1);
            if (data.length !== count) throw new Complaint(`${name}: ${data.length} elements of ${count}`);
          }
          let sent: string | Uint8Array | readonly Uint8Array[] = "";
          const exchange = { send: (_, body) => (sent = body) } as Pick<Exchange, "send"> as Exchange;
          const answer = {
            model: "m",
            version: "1",
            outputs: asked.inputs,
            device: "cpu",
            delegate: "",
            queue_ms: 0,
            run_ms: 0,
            batch: 1,
          };
          sendAnswer(exchange, answer, asked);
          const [json = sent] = Array.isArray(sent) ? (sent as Uint8Array[]) : [];
          JSON.parse(typeof json === "string" ? json : Buffer.from(json).toString());
        } catch (error) {
          const meant =
            error instanceof Refusal ? error.kind === "invalid" : error instanceof HttpError && error.status === 400;
          if (!meant) throw error;
        }
      },
    };
  },
};
