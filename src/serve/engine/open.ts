/**
 * The engine: a directory of models, opened and served. Which versions serve, loading and unloading while others are served, and the
 * end; what happens to a request is served.ts and device.ts.
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
  type ModelStatus,
} from "../engine.ts";
import type { ModelConfig } from "./config.ts";
import { Deadlines } from "./deadlines.ts";
import { Device } from "./device.ts";
import { Counters } from "./figures.ts";
import { Locks } from "./lock.ts";
import { openModel } from "./opening.ts";
import { chooseVersions, findModel, scanModels, type FoundModel, type FoundVersion } from "./repository.ts";
import { Served } from "./served.ts";
import { Watch } from "./watch.ts";
import { publicWords } from "./words.ts";

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

export interface EngineEvent {
  readonly kind: "loading" | "loaded" | "failed" | "unloaded" | "down" | "restarting" | "up" | "unbatched" | "note";
  readonly model: string;
  readonly version?: string;
  /** A sentence; no path of the host in it. */
  readonly says: string;
  /** With whatever it holds. */
  readonly error?: unknown;
}

/** Models that are opened at once: each takes a process and reads a file. */
const LOADING = 2;
/** For sessions to be closed after the last answer, milliseconds. */
const CLOSING_MS = 5000;
/** Characters of a text that its reader has not taken. */
const UNREAD = 4 * 2 ** 20;

interface Slot {
  readonly version: string;
  status: ModelStatus;
  reason: string | undefined;
  mark: string;
  served: Served | undefined;
}

interface Entry {
  found: FoundModel;
  /** By version, oldest first. */
  readonly slots: Map<string, Slot>;
  /** It should serve. */
  wanted: boolean;
  /** What is being done with it, one after the other. */
  work: Promise<void>;
  /** What answers where no version is named. */
  current: Served | undefined;
}

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
  readonly #entries = new Map<string, Entry>();
  readonly #devices = new Map<string, Device>();
  readonly #counters = new Map<
    string,
    { readonly name: string; readonly version: string; readonly counters: Counters }
  >();
  readonly #deadlines = new Deadlines();
  /** What is open, also what another takes the place of and that answers its last requests. */
  readonly #open = new Set<Served>();
  readonly #watch = new Watch((now) => [...this.#open].filter((served) => served.look(now)).length > 0);
  readonly #stop = new AbortController();
  readonly #locks: Locks;
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
    this.#locks = new Locks(options.locks);
  }

  async begin(found: readonly FoundModel[]): Promise<void> {
    const { load = "all", poll_ms } = this.#options;
    for (const one of found) {
      this.#entry(one, load === "all" || (load !== "none" && load.includes(one.name)));
    }
    for (const name of typeof load === "string" ? [] : load) {
      if (!this.#entries.has(name)) this.#tell("failed", name, undefined, "no model of this name is there");
    }
    const work = [...this.#entries.values()].filter(({ wanted }) => wanted).map((entry) => this.#reload(entry));
    if (poll_ms !== undefined) {
      this.#seen = marksOf(found);
      this.#poll = setInterval(() => this.#look(), poll_ms);
      this.#poll.unref();
    }
    await Promise.all(work);
    this.#begun = true;
  }

  models(): readonly ModelState[] {
    return [...this.#entries.values()].flatMap((entry) =>
      [...entry.slots.values()].map((slot) => stateOf(entry, slot)),
    );
  }

  model(name: string, version?: string): ModelState | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined) return undefined;
    const slots = [...entry.slots.values()];
    const slot =
      version === undefined
        ? (slots.find(({ served }) => served !== undefined && served === entry.current) ?? slots.at(-1))
        : entry.slots.get(version);
    return slot === undefined ? undefined : stateOf(entry, slot);
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
    await this.#reload(entry);
    const failed = [...entry.slots.values()].find(({ status }) => status === "failed");
    if (failed !== undefined) throw new Refusal("failed", `${name}: ${failed.reason ?? "it cannot be opened"}`);
  }

  async unload(name: string): Promise<void> {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw notFound(name);
    entry.wanted = false;
    await this.#reload(entry);
  }

  repository(): readonly ModelState[] {
    return this.models();
  }

  ready(): boolean {
    if (!this.#begun || this.#draining !== undefined) return false;
    return [...this.#entries.values()].every(
      ({ wanted, slots }) =>
        !wanted ||
        [...slots.values()].every(
          ({ status, served }) => status === "unloaded" || (status === "ready" && served?.broken === false),
        ),
    );
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
      await this.#reload(entry);
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

  #entry(found: FoundModel, wanted: boolean): Entry {
    const known = this.#entries.get(found.name);
    if (known !== undefined) {
      known.found = found;
      known.wanted ||= wanted;
      return known;
    }
    const entry: Entry = { found, slots: new Map(), wanted, work: Promise.resolve(), current: undefined };
    this.#entries.set(found.name, entry);
    this.#list(entry);
    return entry;
  }

  /** Slots for all versions that are there; those that are gone and do not serve are forgotten. */
  #list({ found, slots }: Entry): void {
    const old = new Map(slots);
    slots.clear();
    const versions = found.versions.length > 0 ? found.versions : found.problem === undefined ? [] : [NO_VERSION];
    for (const { version } of versions) {
      slots.set(
        version,
        old.get(version) ?? { version, status: "unloaded", reason: undefined, mark: "", served: undefined },
      );
      old.delete(version);
    }
    for (const [version, slot] of old) if (slot.served !== undefined) slots.set(version, slot);
  }

  /** Brings what serves in line with what should, one change of a model after the other. */
  #reload(entry: Entry): Promise<void> {
    const work = entry.work.then(() => this.#align(entry));
    entry.work = work.catch(() => undefined);
    return work;
  }

  async #align(entry: Entry): Promise<void> {
    this.#list(entry);
    const { found, slots, wanted } = entry;
    if (wanted && found.note !== undefined) this.#tell("note", found.name, undefined, found.note);
    const config = { ...this.#options.defaults, ...found.config };
    if (wanted && found.problem !== undefined) {
      for (const slot of slots.values()) if (slot.served === undefined) this.#fail(entry, slot, found.problem);
      return;
    }
    const chosen = wanted ? chooseVersions(found.versions, config.versions) : [];
    const opened = chosen.map(async (version) => {
      const slot = slots.get(version.version);
      if (slot !== undefined) await this.#openSlot(entry, slot, version, config);
    });
    await Promise.all(opened);
    // New versions serve before old ones end; one that cannot be opened leaves the old ones in their place.
    const failed = chosen.some(({ version }) => slots.get(version)?.status === "failed");
    const others = [...slots.values()].filter(({ version }) => !chosen.some((one) => one.version === version));
    if (!failed || !wanted) await Promise.all(others.map((slot) => this.#close(entry, slot)));
    if (wanted && chosen.length === 0) this.#tell("failed", found.name, undefined, "no version of it is to be served");
  }

  async #openSlot(
    entry: Entry,
    slot: Slot,
    { version, path, mark, problem }: FoundVersion,
    config: ModelConfig,
  ): Promise<void> {
    const { name, folder } = entry.found;
    if (slot.served !== undefined && slot.mark === mark) return;
    if (problem !== undefined) return this.#fail(entry, slot, problem);
    const before = slot.served;
    if (before === undefined) slot.status = "loading";
    slot.reason = undefined;
    await this.#turn();
    try {
      this.#tell("loading", name, version, "it is being opened");
      const { machine, environments } = this.#options;
      const opened = await openModel(path, {
        config,
        folder,
        locks: this.#locks,
        signal: this.#stop.signal,
        ...(machine === undefined ? {} : { machine }),
        ...(environments === undefined ? {} : { environments }),
      });
      slot.served = new Served({
        name,
        version,
        path,
        config,
        opened,
        device: this.#device(opened.at, opened.device),
        deadlines: this.#deadlines,
        counters: this.#countersOf(name, version),
        watch: this.#watch,
        tell: (kind, says, error) => this.#tell(kind, name, version, says, error),
      });
      this.#open.add(slot.served);
      slot.mark = mark;
      slot.status = "ready";
      this.#choose(entry);
      this.#tell("loaded", name, version, `it runs on ${opened.device} by ${opened.delegate}`);
      for (const note of opened.notes) this.#tell("note", name, version, note);
    } catch (error) {
      this.#fail(entry, slot, publicWords(error, path), error);
      return;
    } finally {
      this.#opening--;
      this.#turns.shift()?.();
    }
    if (before !== undefined) await this.#retire(name, version, before);
  }

  /** An older file of the same version goes on serving. */
  #fail({ found: { name } }: Entry, slot: Slot, says: string, error?: unknown): void {
    slot.reason = says;
    if (slot.served === undefined) slot.status = "failed";
    this.#tell("failed", name, slot.version, says, error);
  }

  async #close(entry: Entry, slot: Slot): Promise<void> {
    const { served } = slot;
    slot.reason = undefined;
    if (served === undefined) {
      slot.status = "unloaded";
      return;
    }
    slot.status = "unloading";
    this.#choose(entry);
    await this.#retire(entry.found.name, slot.version, served);
    slot.served = undefined;
    slot.status = "unloaded";
    slot.mark = "";
    this.#tell("unloaded", entry.found.name, slot.version, "it no longer serves");
  }

  async #retire(name: string, version: string, served: Served): Promise<void> {
    served.closing = true;
    await served.drained();
    await served.close();
    this.#open.delete(served);
    this.#countersOf(name, version).restarts += served.restarts;
  }

  /** The latest that serves. */
  #choose(entry: Entry): void {
    const serving = [...entry.slots.values()].filter(({ status }) => status === "ready");
    entry.current = serving.at(-1)?.served;
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
    if (this.#opening >= LOADING) await new Promise<void>((done) => this.#turns.push(done));
    this.#opening++;
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
      if (entry.wanted) void this.#reload(entry);
      else this.#list(entry);
    }
    for (const [name, entry] of this.#entries) {
      if (marks.has(name) || this.#seen.has(name)) continue;
      entry.wanted = false;
      void this.#reload(entry).then(() => {
        if (!entry.wanted) this.#entries.delete(name);
      });
    }
    this.#seen = marks;
  }

  #tell(kind: EngineEvent["kind"], model: string, version: string | undefined, says: string, error?: unknown): void {
    this.#options.onEvent?.({
      kind,
      model,
      ...(version === undefined ? {} : { version }),
      says,
      ...(error === undefined ? {} : { error }),
    });
  }
}

/** In the place of versions where there is none, so that the model can be told of. */
const NO_VERSION = { version: "" };

const draining = (): Refusal => new Refusal("not-ready", "the server is closing");
const notFound = (name: string): Refusal =>
  new Refusal("not-found", `there is no model ${JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name)}`);

const markOf = ({ versions, problem = "", config }: FoundModel): string =>
  [problem, JSON.stringify(config), ...versions.map(({ version, mark }) => `${version} ${mark}`)].join("\n");
const marksOf = (found: readonly FoundModel[]): Map<string, string> =>
  new Map(found.map((one) => [one.name, markOf(one)]));

function stateOf({ found: { name } }: Entry, { version, status, reason, served }: Slot): ModelState {
  const restarting = served?.restarting;
  const says = reason ?? restarting;
  const base = { name, version, status, ...(says === undefined ? {} : { reason: says }) };
  if (served === undefined) return { ...base, inputs: [], outputs: [], max_batch: 0, streams: false };
  const { format, delegate, device, inputs, outputs, streams } = served.opened;
  const max_batch = served.lane.options.batches.at(-1) ?? 0;
  return { ...base, format, delegate, device, inputs, outputs, max_batch, streams };
}

/** Resolves after so many milliseconds at the latest. */
function within(ms: number, work: Promise<unknown>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((done) => (timer = setTimeout(done, ms)));
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
