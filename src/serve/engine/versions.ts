/**
 * Versions: all versions of one model. Which serve, and what brings them in line with what should: opening, closing, and the old one
 * that answers until the new one does.
 */

import type { Root } from "../../root/root.ts";
import type { ModelState, ModelStatus } from "../engine.ts";
import type { ModelConfig } from "./config.ts";
import type { Deadlines } from "./deadlines.ts";
import type { Device } from "./device.ts";
import type { Counters } from "./figures.ts";
import type { Locks } from "./lock.ts";
import { openModel } from "./opening.ts";
import { chooseVersions, type FoundModel, type FoundVersion } from "./repository.ts";
import { Served } from "./served.ts";
import type { Watch } from "./watch.ts";
import { publicWords } from "./words.ts";

export interface EngineEvent {
  readonly kind: "loading" | "loaded" | "failed" | "unloaded" | "down" | "restarting" | "up" | "unbatched" | "note";
  readonly model: string;
  readonly version?: string;
  /** A sentence; no path of the host in it. */
  readonly says: string;
  /** With whatever it holds. */
  readonly error?: unknown;
}

/** What all models of an engine have in common. */
export interface Around {
  readonly defaults: ModelConfig | undefined;
  readonly machine: Root | undefined;
  readonly environments: readonly string[] | undefined;
  readonly locks: Locks;
  readonly deadlines: Deadlines;
  readonly watch: Watch;
  /** Nothing is opened any more. */
  readonly stop: AbortSignal;
  /** What is open, also what another takes the place of and that answers its last requests. */
  readonly open: Set<Served>;
  device(at: string, device: string): Device;
  counters(name: string, version: string): Counters;
  /** Resolves when one more may be opened; turned() when that is over. */
  turn(): Promise<void>;
  turned(): void;
  tell(event: EngineEvent): void;
}

export interface Slot {
  readonly version: string;
  status: ModelStatus;
  reason: string | undefined;
  mark: string;
  served: Served | undefined;
}

export class Versions {
  found: FoundModel;
  /** By version, oldest first. */
  readonly slots = new Map<string, Slot>();
  /** They should serve. */
  wanted: boolean;
  /** What answers where no version is named. */
  current: Served | undefined;
  readonly #around: Around;
  /** What is being done with them, one after the other. */
  #work: Promise<void> = Promise.resolve();

  constructor(found: FoundModel, wanted: boolean, around: Around) {
    this.found = found;
    this.wanted = wanted;
    this.#around = around;
    this.list();
  }

  /** Nothing of it that should serve does not. */
  get ready(): boolean {
    if (!this.wanted) return true;
    return [...this.slots.values()].every(
      ({ status, served }) => status === "unloaded" || (status === "ready" && served?.broken === false),
    );
  }

  states(): ModelState[] {
    return [...this.slots.values()].map((slot) => stateOf(this.found.name, slot));
  }

  /** Of the one that answers where none is named. */
  state(version?: string): ModelState | undefined {
    const slots = [...this.slots.values()];
    const slot =
      version === undefined
        ? (slots.find(({ served }) => served !== undefined && served === this.current) ?? slots.at(-1))
        : this.slots.get(version);
    return slot === undefined ? undefined : stateOf(this.found.name, slot);
  }

  /** Slots for all versions that are there; those that are gone and do not serve are forgotten. */
  list(): void {
    const { found, slots } = this;
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
  reload(): Promise<void> {
    const work = this.#work.then(() => this.#align());
    this.#work = work.catch(() => undefined);
    return work;
  }

  async #align(): Promise<void> {
    this.list();
    const { found, slots, wanted } = this;
    if (wanted && found.note !== undefined) this.#tell("note", undefined, found.note);
    const config = { ...this.#around.defaults, ...found.config };
    if (wanted && found.problem !== undefined) {
      for (const slot of slots.values()) if (slot.served === undefined) this.#fail(slot, found.problem);
      return;
    }
    const chosen = wanted ? chooseVersions(found.versions, config.versions) : [];
    const opened = chosen.map(async (version) => {
      const slot = slots.get(version.version);
      if (slot !== undefined) await this.#open(slot, version, config);
    });
    await Promise.all(opened);
    // New versions serve before old ones end; one that cannot be opened leaves the old ones in their place.
    const failed = chosen.some(({ version }) => slots.get(version)?.status === "failed");
    const others = [...slots.values()].filter(({ version }) => !chosen.some((one) => one.version === version));
    if (!failed || !wanted) await Promise.all(others.map((slot) => this.#close(slot)));
    if (wanted && chosen.length === 0) this.#tell("failed", undefined, "no version of it is to be served");
  }

  async #open(slot: Slot, { version, path, mark, problem }: FoundVersion, config: ModelConfig): Promise<void> {
    const { name, folder } = this.found;
    const around = this.#around;
    if (slot.served !== undefined && slot.mark === mark) return;
    if (problem !== undefined) return this.#fail(slot, problem);
    const before = slot.served;
    if (before === undefined) slot.status = "loading";
    slot.reason = undefined;
    await around.turn();
    try {
      this.#tell("loading", version, "it is being opened");
      const { machine, environments } = around;
      const opened = await openModel(path, {
        config,
        folder,
        locks: around.locks,
        signal: around.stop,
        ...(machine === undefined ? {} : { machine }),
        ...(environments === undefined ? {} : { environments }),
      });
      slot.served = new Served({
        name,
        version,
        path,
        config,
        opened,
        device: around.device(opened.at, opened.device),
        deadlines: around.deadlines,
        counters: around.counters(name, version),
        watch: around.watch,
        tell: (kind, says, error) => this.#tell(kind, version, says, error),
      });
      around.open.add(slot.served);
      slot.mark = mark;
      slot.status = "ready";
      this.#choose();
      this.#tell("loaded", version, `it runs on ${opened.device} by ${opened.delegate}`);
      for (const note of opened.notes) this.#tell("note", version, note);
    } catch (error) {
      this.#fail(slot, publicWords(error, path), error);
      return;
    } finally {
      around.turned();
    }
    if (before !== undefined) await this.#retire(version, before);
  }

  /** An older file of the same version goes on serving. */
  #fail(slot: Slot, says: string, error?: unknown): void {
    slot.reason = says;
    if (slot.served === undefined) slot.status = "failed";
    this.#tell("failed", slot.version, says, error);
  }

  async #close(slot: Slot): Promise<void> {
    const { served } = slot;
    slot.reason = undefined;
    if (served === undefined) {
      slot.status = "unloaded";
      return;
    }
    slot.status = "unloading";
    this.#choose();
    await this.#retire(slot.version, served);
    slot.served = undefined;
    slot.status = "unloaded";
    slot.mark = "";
    this.#tell("unloaded", slot.version, "it no longer serves");
  }

  async #retire(version: string, served: Served): Promise<void> {
    served.closing = true;
    await served.drained();
    await served.close();
    this.#around.open.delete(served);
    this.#around.counters(this.found.name, version).restarts += served.restarts;
  }

  /** The latest that serves. */
  #choose(): void {
    const serving = [...this.slots.values()].filter(({ status }) => status === "ready");
    this.current = serving.at(-1)?.served;
  }

  #tell(kind: EngineEvent["kind"], version: string | undefined, says: string, error?: unknown): void {
    this.#around.tell({
      kind,
      model: this.found.name,
      ...(version === undefined ? {} : { version }),
      says,
      ...(error === undefined ? {} : { error }),
    });
  }
}

/** In the place of versions where there is none, so that the model can be told of. */
const NO_VERSION = { version: "" };

function stateOf(name: string, { version, status, reason, served }: Slot): ModelState {
  const restarting = served?.restarting;
  const says = reason ?? restarting;
  const base = { name, version, status, ...(says === undefined ? {} : { reason: says }) };
  if (served === undefined) return { ...base, inputs: [], outputs: [], max_batch: 0, streams: false };
  const { format, delegate, device, inputs, outputs, streams } = served.opened;
  const max_batch = served.lane.options.batches.at(-1) ?? 0;
  return { ...base, format, delegate, device, inputs, outputs, max_batch, streams };
}
