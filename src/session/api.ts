/**
 * The library's face of a session: open a model, run it, dispose of it.
 *
 *     await using session = await open("model.onnx", { device: "auto" });
 *     const { outputs } = await session.run({ x: new Float32Array(3) });
 */

import { CannotError, UsageError } from "../base/errors.ts";
import type { Placement, Port, Span } from "../delegates/delegate.ts";
import { elementsOver, lengthOf, type Elements, type Value } from "../delegates/value.ts";
import type { Inspection } from "../inspect/inspection.ts";
import type { Proof } from "../proof/verdict.ts";
import type { PassedOver } from "./choose.ts";
import { openSession, type SessionOptions } from "./open.ts";

/**
 * What a model is given: a value; elements in row-major order, in the input's own type and of its shape, where only one size may be
 * open; numbers, which are brought to its type; or texts.
 */
export type Feed = Value | Elements | readonly number[] | readonly string[] | string;

export interface ModelSession extends AsyncDisposable {
  readonly inspection: Inspection;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly delegate: { readonly id: string; readonly name: string; readonly version: string };
  /** cpu, or a family of the catalogue. */
  readonly device: string;
  readonly placement: Placement;
  /** What could have run it and did not, best first. */
  readonly passedOver: readonly PassedOver[];
  /** Why not the device that was asked for; only with `fallback`. */
  readonly instead?: string;
  /** Rejects with CannotError, MishapError, or the signal's reason; the session stays usable. */
  run(inputs: Readonly<Record<string, Feed>>, options?: RunSettings): Promise<RunAnswer>;
  /** Twice is once. Runs that have begun end first. */
  close(): Promise<void>;
}

export interface RunSettings {
  readonly signal?: AbortSignal;
  readonly timeout_ms?: number;
  /** false: do not read the kernel's counters of an accelerator, which takes up to some milliseconds. */
  readonly prove?: boolean;
}

export interface RunAnswer {
  /** By output's name. They belong to the caller. */
  readonly outputs: Readonly<Record<string, Value>>;
  /** Parts of the run, when the session was opened with `profile`. */
  readonly spans: readonly Span[];
  /** What else the runtime measured, unit in the name: tokens_per_second. */
  readonly figures: Readonly<Record<string, number>>;
  /** Which device worked, by the kernel's counters; absent where it was not asked. */
  readonly proof?: Proof;
  /** Milliseconds, without the proof. */
  readonly ms: number;
}

/** Throws FileError (the model), CannotError (nothing runs it there), UsageError (names that do not exist). */
export async function open(model: string, options: SessionOptions = {}): Promise<ModelSession> {
  const { session, delegate, described, passed, instead, prove } = await openSession(model, options);
  return {
    inspection: described.inspection,
    get inputs() {
      return session.inputs;
    },
    get outputs() {
      return session.outputs;
    },
    delegate: { id: delegate.id, name: delegate.name, version: session.version },
    get device() {
      return session.placement.device;
    },
    get placement() {
      return session.placement;
    },
    passedOver: passed,
    ...(instead === undefined ? {} : { instead }),
    async run(inputs, settings = {}) {
      const values = new Map(Object.entries(inputs).map(([name, feed]) => [name, valueOf(name, feed, session.inputs)]));
      const proof = settings.prove === false ? undefined : prove();
      const start = performance.now();
      const { outputs, spans, figures = {} } = await session.run(values, settings);
      const ms = performance.now() - start;
      return {
        outputs: Object.fromEntries(outputs),
        spans,
        figures,
        ms,
        ...(proof === undefined ? {} : { proof: await proof.finish() }),
      };
    },
    close: () => session.close(),
    [Symbol.asyncDispose]: () => session.close(),
  };
}

function valueOf(name: string, feed: Feed, ports: readonly Port[]): Value {
  const port = ports.find((one) => one.name === name);
  if (port === undefined) {
    throw new UsageError(`the model has no input "${name}"; it has ${ports.map((one) => one.name).join(", ")}`);
  }
  if (typeof feed === "string") return { type: "string", shape: shapeFor(port, 1), data: [feed] };
  if (isValue(feed)) return feed;
  if (!ArrayBuffer.isView(feed)) {
    const texts = feed.filter((one) => typeof one === "string");
    if (port.type === "string" && texts.length === feed.length) {
      return { type: "string", shape: shapeFor(port, feed.length), data: texts };
    }
    return fromNumbers(port, feed.map(Number));
  }
  const elements = feed;
  const own = elementsOver(port.type, new ArrayBuffer(0));
  if (own?.constructor !== elements.constructor) {
    throw new UsageError(`input "${name}" is of ${port.type}, and a ${elements.constructor.name} was given`);
  }
  const halves = lengthOf(port.type, 2) === 1;
  return { type: port.type, shape: shapeFor(port, halves ? elements.length * 2 : elements.length), data: elements };
}

const isValue = (feed: Feed): feed is Value => typeof feed === "object" && "type" in feed && "shape" in feed;

function fromNumbers(port: Port, numbers: readonly number[]): Value {
  const own = elementsOver(port.type, new ArrayBuffer(0));
  if (own === undefined || lengthOf(port.type, 2) !== 2 || /^(?:b?float16|float8)/.test(port.type)) {
    throw new UsageError(`input "${port.name}" is of ${port.type}; give it as a typed array`);
  }
  const filled = elementsOver(port.type, new ArrayBuffer(numbers.length * own.BYTES_PER_ELEMENT)) ?? own;
  numbers.forEach((one, at) => {
    if (filled instanceof BigInt64Array || filled instanceof BigUint64Array) {
      if (!Number.isSafeInteger(one)) throw new UsageError(`input "${port.name}": ${one} is no ${port.type}`);
      filled[at] = BigInt(one);
    } else filled[at] = one;
    if (!port.type.startsWith("float") && Number(filled[at]) !== one) {
      throw new UsageError(`input "${port.name}": ${one} is no ${port.type}`);
    }
  });
  return { type: port.type, shape: shapeFor(port, numbers.length), data: filled };
}

/** The port's own shape; one open size is what the number of elements makes it. */
function shapeFor({ name, shape }: Port, elements: number): number[] {
  const open = shape.filter((size) => typeof size !== "number").length;
  const fixed = shape.reduce<number>((all, size) => (typeof size === "number" ? all * size : all), 1);
  const rest = fixed === 0 ? 0 : elements / fixed;
  if (open > 1 && rest !== 1) {
    throw new CannotError(`input "${name}" leaves ${open} sizes open: give a value with its shape`);
  }
  if (!Number.isInteger(rest) || (open === 0 && elements !== fixed)) {
    const words = shape.map((size) => String(size ?? "?")).join(", ");
    throw new UsageError(`input "${name}" has the shape [${words}], which ${elements} elements do not fill`);
  }
  return shape.map((size) => (typeof size === "number" ? size : rest));
}
