/** A session over a loaded model: runs and streams take turns, and closing waits for what has begun. */

import { CannotError } from "../../base/errors.ts";
import type { Placement, Ran, Session } from "../delegate.ts";
import type { Value } from "../value.ts";
import { generate, inputs, outputs, type Loaded } from "./generate.ts";
import { generateSettings } from "./settings.ts";

type Options = Readonly<Record<string, string>>;
type Values = ReadonlyMap<string, Value>;

export function sessionOf(loaded: Loaded, placement: Placement, options: Options): Session {
  let closed = false;
  /** The last in the queue: whoever comes next waits for it. */
  let last: Promise<unknown> = Promise.resolve();
  const runs = new Set<Promise<unknown>>();
  /** Streams that have begun; each ends its turn when told. */
  const streams = new Set<() => Promise<void>>();
  const turn = async (): Promise<() => void> => {
    const before = last;
    let end: () => void = () => undefined;
    last = new Promise<void>((done) => (end = done));
    await before;
    return end;
  };
  const refuse = (): void => {
    if (closed) throw new CannotError("the session is closed");
  };

  async function whole(values: Values): Promise<Ran> {
    const end = await turn();
    try {
      const steps = generate(loaded, values, generateSettings(options), () => undefined);
      for (;;) {
        const step = await steps.next();
        if (step.done === true) return step.value;
      }
    } finally {
      end();
    }
  }

  async function* stream(values: Values, own: Options = {}): AsyncGenerator<string, Ran> {
    refuse();
    const settings = generateSettings(options, own);
    const end = await turn();
    let idle: Promise<unknown> = Promise.resolve();
    const stop = async (): Promise<void> => {
      await idle.catch(() => undefined);
      end();
    };
    streams.add(stop);
    try {
      refuse();
      const steps = generate(loaded, values, settings, refuse);
      for (;;) {
        const next = steps.next();
        idle = next;
        const step = await next;
        if (step.done === true) return step.value;
        // Nobody may ever ask for the next piece; close() does not wait for that.
        yield step.value;
        refuse();
      }
    } finally {
      streams.delete(stop);
      end();
    }
  }

  return {
    inputs,
    outputs,
    version: loaded.llama.version,
    placement,
    run(values) {
      if (closed) return Promise.reject(new CannotError("the session is closed"));
      const running = whole(values);
      const settled = running.catch(() => undefined).finally(() => runs.delete(settled));
      runs.add(settled);
      return running;
    },
    stream,
    async close() {
      if (closed) return;
      closed = true;
      while (runs.size > 0 || streams.size > 0) {
        await Promise.all([...streams].map((stop) => stop()));
        await Promise.all(runs);
        streams.clear();
      }
      const { llama, context, model } = loaded;
      await llama.callAsync("llama_free", context);
      await llama.callAsync("llama_model_free", model);
    },
  };
}
