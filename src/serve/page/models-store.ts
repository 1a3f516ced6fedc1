/**
 * Uploads: files that the page was given, each model in a private folder of its own until it is removed, was left alone for a while,
 * or the server ends. Names are made harmless; no upload ever names a path.
 */

import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { HttpError } from "../door.ts";

export interface UploadLimits {
  /** Of one file. The largest models a page is for: a language model of 7 billion weights in 4 bits has 4 GB. */
  readonly file_bytes: number;
  /** Of all together: temporary files lie in memory on many machines. */
  readonly all_bytes: number;
  /** Of a picture, a sound, an array. */
  readonly input_bytes: number;
  /** Files of one model: sharded ones have some dozens. */
  readonly files: number;
  /** Models at once. */
  readonly models: number;
  /** Inputs of one model that are kept; the oldest goes first. */
  readonly inputs: number;
  /** After so long without being asked for, a model is removed. */
  readonly idle_ms: number;
  /** A caller that sends nothing for so long is gone. */
  readonly stall_ms: number;
}

const GIB = 2 ** 30;
export const uploadLimits: UploadLimits = {
  file_bytes: 4 * GIB,
  all_bytes: 8 * GIB,
  input_bytes: 64 * 2 ** 20,
  files: 64,
  models: 32,
  inputs: 8,
  idle_ms: 30 * 60_000,
  stall_ms: 30_000,
};

export interface StoredFile {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
}

export interface Stored {
  readonly id: string;
  readonly folder: string;
  /** In the order in which they came. */
  files: readonly StoredFile[];
  /** By id; oldest first. */
  readonly inputs: Map<string, StoredFile>;
  readonly demo: boolean;
  /** Path of the file that turned out to be the model; undefined until it was read. */
  main: string | undefined;
  /** Requests that use it now: it is not removed under them for being idle. */
  busy: number;
  touched: number;
}

const LONGEST_NAME = 120;

/** Letters, digits and a few signs; no folder, no leading dot, no name that is empty. */
export function harmlessName(name: string): string {
  const own = name.slice(Math.max(name.lastIndexOf("/"), name.lastIndexOf("\\")) + 1).normalize("NFC");
  const plain = own.replace(/[^\p{L}\p{M}\p{N} ._+()@,=-]/gu, "_").replace(/^[.\s-]+/, "");
  // The end says what a file is.
  const dot = plain.lastIndexOf(".");
  const end = dot > 0 ? plain.slice(dot).slice(0, 24) : "";
  const start = dot > 0 ? plain.slice(0, dot) : plain;
  let room = LONGEST_NAME - end.length;
  // Names of files are counted in bytes.
  while (room > 0 && Buffer.byteLength(start.slice(0, room) + end) > LONGEST_NAME) room--;
  const out = start.slice(0, room).trimEnd() + end;
  return out === "" ? "model" : out;
}

export class Uploads {
  readonly #limits: UploadLimits;
  readonly #all = new Map<string, Stored>();
  readonly #sweep: NodeJS.Timeout;
  readonly #base: string;
  #folder: Promise<string> | undefined;
  #coming = 0;
  /** New models whose first file is on its way. */
  #making = 0;
  #closed = false;

  constructor(limits: UploadLimits, base: string = tmpdir()) {
    this.#limits = limits;
    this.#base = base;
    this.#sweep = setInterval(() => this.#removeIdle(), Math.min(60_000, limits.idle_ms)).unref();
  }

  list(): readonly Stored[] {
    return [...this.#all.values()];
  }

  /** Throws HttpError 404. */
  get(id: string): Stored {
    const found = this.#all.get(id);
    if (found === undefined) throw new HttpError(404, "this model is not here any more; upload it again");
    found.touched = performance.now();
    return found;
  }

  /** Files that lie elsewhere and stay there. */
  addDemo(id: string, files: readonly StoredFile[], input: StoredFile): void {
    this.#all.set(id, {
      id,
      folder: "",
      files,
      inputs: new Map([["picture", input]]),
      demo: true,
      main: undefined,
      busy: 0,
      touched: Infinity,
    });
  }

  /** A new model, or one more file of one that is here. Throws HttpError. */
  async add(name: string, from: Readable, announced: number | undefined, to?: string): Promise<Stored> {
    const limits = this.#limits;
    const known = to === undefined ? undefined : this.get(to);
    if (known?.demo === true) throw new HttpError(400, "the example takes no further files");
    if (known === undefined && this.#own().length + this.#making >= limits.models) {
      throw new HttpError(507, `${limits.models} models are here already; remove one first`);
    }
    if ((known?.files.length ?? 0) >= limits.files)
      throw new HttpError(413, `a model has ${limits.files} files at most`);
    const own = harmlessName(name);
    if (known?.files.some((file) => file.name === own) === true) {
      throw new HttpError(409, `this model has a file "${own}" already`);
    }
    if (known === undefined) return this.#addNew(own, from, announced);
    await this.#addTo(known, own, from, announced);
    // It may have been removed while the file came.
    return this.get(known.id);
  }

  async #addNew(own: string, from: Readable, announced: number | undefined): Promise<Stored> {
    this.#making++;
    try {
      const stored = await this.#make();
      try {
        await this.#addTo(stored, own, from, announced);
      } catch (error) {
        await this.remove(stored);
        throw error;
      }
      this.#all.set(stored.id, stored);
      return stored;
    } finally {
      this.#making--;
    }
  }

  async #addTo(stored: Stored, own: string, from: Readable, announced: number | undefined): Promise<void> {
    stored.busy++;
    try {
      const file = await this.#receive(from, announced, join(stored.folder, own), own, this.#limits.file_bytes);
      if (this.#closed) throw new HttpError(503, "the server is closing");
      stored.files = [...stored.files, file];
      stored.main = undefined;
    } finally {
      stored.busy--;
      stored.touched = performance.now();
    }
  }

  /** What goes into a model; gives its id. */
  async addInput(stored: Stored, name: string, from: Readable, announced: number | undefined): Promise<string> {
    const id = randomBytes(9).toString("base64url");
    const folder = join(stored.demo ? await this.#home() : stored.folder, `input-${id}`);
    await mkdir(folder, { mode: 0o700 });
    const own = harmlessName(name);
    try {
      stored.inputs.set(id, await this.#receive(from, announced, join(folder, own), own, this.#limits.input_bytes));
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
    const ids = [...stored.inputs.keys()].filter((one) => one !== "picture");
    for (const old of ids.slice(0, Math.max(0, ids.length - this.#limits.inputs))) {
      const file = stored.inputs.get(old);
      stored.inputs.delete(old);
      if (file !== undefined) await rm(join(file.path, ".."), { recursive: true, force: true });
    }
    return id;
  }

  /** A folder for one run. */
  async scratch(): Promise<string> {
    return mkdtemp(join(await this.#home(), "run-"));
  }

  async remove(stored: Stored): Promise<void> {
    this.#all.delete(stored.id);
    if (!stored.demo) await rm(stored.folder, { recursive: true, force: true });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#sweep);
    this.#all.clear();
    if (this.#folder !== undefined) await rm(await this.#folder, { recursive: true, force: true });
  }

  #own(): readonly Stored[] {
    return this.list().filter(({ demo }) => !demo);
  }

  /** mkdtemp(3) makes it for its owner alone. */
  #home(): Promise<string> {
    return (this.#folder ??= mkdtemp(join(this.#base, "accelctl-models-")));
  }

  async #make(): Promise<Stored> {
    const id = randomBytes(12).toString("base64url");
    const folder = join(await this.#home(), id);
    await mkdir(folder, { mode: 0o700 });
    const now = performance.now();
    return { id, folder, files: [], inputs: new Map(), demo: false, main: undefined, busy: 0, touched: now };
  }

  async #receive(
    from: Readable,
    announced: number | undefined,
    path: string,
    name: string,
    limit: number,
  ): Promise<StoredFile> {
    const { all_bytes: all, stall_ms: stall } = this.#limits;
    const tooLong = (): HttpError =>
      new HttpError(413, `"${name}" is longer than the ${words(limit)} that are taken of one file`);
    const tooMany = (): HttpError =>
      new HttpError(507, `all uploads together would be longer than the ${words(all)} that are kept; remove one first`);
    if (announced !== undefined && announced > limit) throw tooLong();
    if (announced !== undefined && this.#held() + announced > all) throw tooMany();
    let bytes = 0;
    let late: NodeJS.Timeout | undefined;
    const gone = new AbortController();
    const wait = (): void => {
      clearTimeout(late);
      late = setTimeout(
        () => gone.abort(new HttpError(408, `"${name}" did not come: nothing for ${stall / 1000} s`)),
        stall,
      );
    };
    const counted = async function* (this: Uploads, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
      for await (const chunk of chunks) {
        wait();
        bytes += chunk.length;
        this.#coming += chunk.length;
        if (bytes > limit) throw tooLong();
        if (this.#held() > all) throw tooMany();
        yield chunk;
      }
    }.bind(this);
    wait();
    try {
      // "wx": what is there already is never written to, links included.
      await pipeline(from, counted, createWriteStream(path, { flags: "wx", mode: 0o600 }), { signal: gone.signal });
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "";
      // That file is another upload's, which came a moment before.
      if (code === "EEXIST") throw new HttpError(409, `this model has a file "${name}" already`);
      await rm(path, { force: true });
      if (gone.signal.aborted) throw gone.signal.reason;
      if (error instanceof HttpError) throw error;
      if (code === "ENOSPC" || code === "EDQUOT") throw new HttpError(507, "no room is left for it on the server");
      throw new HttpError(400, `"${name}" did not come whole`);
    } finally {
      clearTimeout(late);
      this.#coming -= bytes;
    }
    if (bytes === 0) {
      await rm(path, { force: true });
      throw new HttpError(400, `"${name}" is empty`);
    }
    return { name, path, bytes };
  }

  /** Bytes that are here or on their way. */
  #held(): number {
    let sum = this.#coming;
    for (const { files, inputs, demo } of this.#all.values()) {
      if (!demo) for (const { bytes } of files) sum += bytes;
      for (const [id, { bytes }] of inputs) if (id !== "picture") sum += bytes;
    }
    return sum;
  }

  #removeIdle(): void {
    const now = performance.now();
    for (const stored of this.#own()) {
      if (stored.busy === 0 && now - stored.touched > this.#limits.idle_ms) {
        void this.remove(stored).catch(() => undefined); // a folder that does not go now goes with all of them
      }
    }
  }
}

const words = (bytes: number): string =>
  bytes >= 2 ** 30 ? `${Math.round((bytes / 2 ** 30) * 10) / 10} GiB` : `${Math.round(bytes / 2 ** 20)} MiB`;
