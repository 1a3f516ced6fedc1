/**
 * The engine: a directory of models, opened and served: who is asked, what changes in the directory, and the end. Which versions of a
 * model serve is versions.ts; what happens to a request is served.ts and device.ts.
 */

import { availableParallelism } from "node:os";
import type { Root } from "../../root/root.ts";
import {
  Refusal,
  type Engine,
  type InferAnswer,
  type InferRequest,
  type ModelFigures,
  type ModelState,
} from "../engine.ts";
import type { ModelConfig } from "./config.ts";
import { Deadlines } from "./deadlines.ts";
import { Device } from "./device.ts";
import { Counters } from "./figures.ts";
import { Locks } from "./lock.ts";
import { findModel, scanModels, type FoundModel } from "./repository.ts";
import type { Served } from "./served.ts";
import { Versions, type Around, type EngineEvent } from "./versions.ts";
import { Watch } from "./watch.ts";

export interface EngineOptions {
  /** Directory of models (repository.ts). */
  readonly models: string;
  /** Which are loaded at the start; all when not said. */
  readonly load?: "all" | "none" | readonly string[];
  /** Return before they are loaded: they then come one by one. */
  readonly early?: boolean;
  /** Look for changes of the directory every so many milliseconds; never when not said. */
  readonly poll_ms?: number;
  /** What the config of a model does not say. */
  readonly defaults?: ModelConfig;
  /** Runs at once, by device: cpu, or a family. */
  readonly parallel?: Readonly<Record<string, number>>;
  /** Of the lock files of devices that serve one process; /run/lock, else the user's own runtime directory. */
  readonly locks?: string;
  readonly machine?: Root;
  readonly environments?: readonly string[];
  /** For the log. */
  readonly onEvent?: (event: EngineEvent) => void;
}

/** Models that are opened at once: each takes a process and reads a file. */
const LOADING = 2;
/** For sessions to be closed after the last answer, milliseconds. */
const CLOSING_MS = 5000;
/** Characters of a text that its reader has not taken. */
const UNREAD = 4 * 2 ** 20;

/** Throws CannotError where the directory cannot be read; what a model lacks is in its state. */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const found = scanModels(options.models);
  const engine = new ModelEngine(options);
  const loading = engine.begin(found);
  if (options.early !== true) await loading;
  return engine;
}

class ModelEngine implements Engine {
  readonly #options: EngineOptions;
  readonly #entries = new Map<string, Versions>();
  readonly #devices = new Map<string, Device>();
  readonly #counters = new Map<
    string,
    { readonly name: string; readonly version: string; readonly counters: Counters }
  >();
  readonly #deadlines = new Deadlines();
  readonly #open = new Set<Served>();
  readonly #watch = new Watch((now) => [...this.#open].filter((served) => served.look(now)).length > 0);
  readonly #stop = new AbortController();
  readonly #around: Around;
  /** Models being opened, and those that wait for their turn. */
  #opening = 0;
  readonly #turns: (() => void)[] = [];
  #begun = false;
  #draining: Promise<void> | undefined;
  #poll: NodeJS.Timeout | undefined;
  /** As of the last look: a file that is still being written differs in the next one. */
  #seen = new Map<string, string>();

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#around = {
      defaults: options.defaults,
      machine: options.machine,
      environments: options.environments,
      locks: new Locks(options.locks),
      deadlines: this.#deadlines,
      watch: this.#watch,
      stop: this.#stop.signal,
      open: this.#open,
      device: (at, device) => this.#device(at, device),
      counters: (name, version) => this.#countersOf(name, version),
      turn: () => this.#turn(),
      turned: () => {
        // Handed on, so that nobody who comes in between has it too.
        const next = this.#turns.shift();
        if (next === undefined) this.#opening--;
        else next();
      },
      tell: (event) => options.onEvent?.(event),
    };
  }

  async begin(found: readonly FoundModel[]): Promise<void> {
    const { load = "all", poll_ms } = this.#options;
    for (const one of found) {
      this.#entry(one, load === "all" || (load !== "none" && load.includes(one.name)));
    }
    for (const name of typeof load === "string" ? [] : load) {
      if (!this.#entries.has(name))
        this.#around.tell({ kind: "failed", model: name, says: "no model of this name is there" });
    }
    const work = [...this.#entries.values()].filter(({ wanted }) => wanted).map((entry) => entry.reload());
    if (poll_ms !== undefined) {
      this.#seen = marksOf(found);
      this.#poll = setInterval(() => this.#look(), poll_ms);
      this.#poll.unref();
    }
    await Promise.all(work);
    this.#begun = true;
  }

  models(): readonly ModelState[] {
    return [...this.#entries.values()].flatMap((entry) => entry.states());
  }

  model(name: string, version?: string): ModelState | undefined {
    return this.#entries.get(name)?.state(version);
  }

  infer(request: InferRequest): Promise<InferAnswer> {
    const served = this.#served(request);
    return served instanceof Refusal ? Promise.reject(served) : served.infer(request);
  }

  async *stream(request: InferRequest): AsyncGenerator<string, InferAnswer, undefined> {
    const served = this.#served(request);
    if (served instanceof Refusal) throw served;
    if (!served.opened.streams) {
      throw new Refusal("invalid", `the model ${request.model} writes no text piece by piece`);
    }
    const own = new AbortController();
    const signal = request.signal === undefined ? own.signal : AbortSignal.any([request.signal, own.signal]);
    const pieces: string[] = [];
    const state = { unread: 0, over: false };
    let wake: () => void = () => undefined;
    const answer = served.infer(
      { ...request, signal },
      {
        stopped: () => state.unread > UNREAD,
        piece(text) {
          state.unread += text.length;
          pieces.push(text);
          wake();
        },
      },
    );
    const end = (): void => {
      state.over = true;
      wake();
    };
    answer.then(end, end);
    try {
      for (;;) {
        for (const text of pieces.splice(0)) {
          state.unread -= text.length;
          yield text;
        }
        if (pieces.length > 0) continue;
        if (state.over) return await answer;
        await new Promise<void>((done) => (wake = done));
      }
    } finally {
      own.abort();
    }
  }

  async load(name: string): Promise<void> {
    if (this.#draining !== undefined) throw draining();
    const found = findModel(this.#options.models, name);
    if (found === undefined) throw notFound(name);
    const entry = this.#entry(found, true);
    await entry.reload();
    const failed = [...entry.slots.values()].find(({ status }) => status === "failed");
    if (failed !== undefined) throw new Refusal("failed", `${name}: ${failed.reason ?? "it cannot be opened"}`);
  }

  async unload(name: string): Promise<void> {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw notFound(name);
    entry.wanted = false;
    await entry.reload();
  }

  repository(): readonly ModelState[] {
    return this.models();
  }

  ready(): boolean {
    if (!this.#begun || this.#draining !== undefined) return false;
    return [...this.#entries.values()].every(({ ready }) => ready);
  }

  figures(): readonly ModelFigures[] {
    return [...this.#counters.values()].map(({ name, version, counters }) => {
      const served = this.#entries.get(name)?.slots.get(version)?.served;
      return {
        name,
        version,
        device: served?.opened.device ?? "",
        ...counters.figures(),
        waiting: served?.lane.waiting ?? 0,
        running: served?.running ?? 0,
        down: served?.lane.down ?? 0,
        restarts: counters.restarts + (served?.restarts ?? 0),
      };
    });
  }

  drain(within_ms: number): Promise<void> {
    return (this.#draining ??= this.#drain(within_ms));
  }

  async #drain(within_ms: number): Promise<void> {
    clearInterval(this.#poll);
    this.#stop.abort(draining());
    const served = [...this.#open];
    await within(within_ms, Promise.all(served.map((one) => one.drained())));
    for (const one of served) one.abandon(draining());
    const work = [...this.#entries.values()].map(async (entry) => {
      entry.wanted = false;
      await entry.reload();
    });
    // What a library in this process does not end it goes on with until the process ends.
    await within(CLOSING_MS, Promise.all(work));
    this.#deadlines.close();
    this.#watch.close();
    for (const device of this.#devices.values()) device.close();
  }

  #served({ model, version }: InferRequest): Served | Refusal {
    if (this.#draining !== undefined) return draining();
    const entry = this.#entries.get(model);
    if (entry === undefined) return notFound(model);
    const served = version === undefined ? entry.current : entry.slots.get(version)?.served;
    if (served !== undefined && !served.closing) return served;
    if (version !== undefined && !entry.slots.has(version)) {
      return new Refusal("not-found", `the model ${model} has no version ${JSON.stringify(version.slice(0, 80))}`);
    }
    const slot = version === undefined ? [...entry.slots.values()].at(-1) : entry.slots.get(version);
    const says = slot === undefined || slot.status === "ready" ? "not loaded" : slot.status;
    return new Refusal("not-ready", `the model ${model} does not serve: it is ${says}`);
  }

  #entry(found: FoundModel, wanted: boolean): Versions {
    const known = this.#entries.get(found.name);
    if (known !== undefined) {
      known.found = found;
      known.wanted ||= wanted;
      return known;
    }
    const entry = new Versions(found, wanted, this.#around);
    this.#entries.set(found.name, entry);
    return entry;
  }

  #device(at: string, device: string): Device {
    const known = this.#devices.get(at);
    if (known !== undefined) return known;
    const [family = device] = device.split(":");
    const parallel = this.#options.parallel?.[family] ?? (family === "cpu" ? Math.max(2, availableParallelism()) : 1);
    const made = new Device(at, parallel);
    this.#devices.set(at, made);
    return made;
  }

  #countersOf(name: string, version: string): Counters {
    const key = `${name}/${version}`;
    const known = this.#counters.get(key)?.counters;
    if (known !== undefined) return known;
    const counters = new Counters();
    this.#counters.set(key, { name, version, counters });
    return counters;
  }

  async #turn(): Promise<void> {
    if (this.#opening < LOADING) this.#opening++;
    else await new Promise<void>((done) => this.#turns.push(done));
  }

  #look(): void {
    let found: FoundModel[];
    try {
      found = scanModels(this.#options.models);
    } catch {
      return; // it is being replaced; the next look will see
    }
    const marks = marksOf(found);
    const { load = "all" } = this.#options;
    for (const one of found) {
      const settled = this.#seen.get(one.name) === marks.get(one.name);
      const known = this.#entries.get(one.name);
      if (!settled || (known !== undefined && markOf(known.found) === marks.get(one.name))) continue;
      const wanted = known === undefined && (load === "all" || (load !== "none" && load.includes(one.name)));
      const entry = this.#entry(one, wanted);
      if (entry.wanted) void entry.reload();
      else entry.list();
    }
    for (const [name, entry] of this.#entries) {
      if (marks.has(name) || this.#seen.has(name)) continue;
      entry.wanted = false;
      void entry.reload().then(() => {
        if (!entry.wanted) this.#entries.delete(name);
      });
    }
    this.#seen = marks;
  }
}

const draining = (): Refusal => new Refusal("not-ready", "the server is closing");
const notFound = (name: string): Refusal =>
  new Refusal("not-found", `there is no model ${JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name)}`);

const markOf = ({ versions, problem = "", config }: FoundModel): string =>
  [problem, JSON.stringify(config), ...versions.map(({ version, mark }) => `${version} ${mark}`)].join("\n");
const marksOf = (found: readonly FoundModel[]): Map<string, string> =>
  new Map(found.map((one) => [one.name, markOf(one)]));

/** Resolves after so many milliseconds at the latest. */
function within(ms: number, work: Promise<unknown>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((done) => (timer = setTimeout(done, ms)));
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
