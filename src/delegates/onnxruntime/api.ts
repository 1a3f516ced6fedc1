/** ONNX Runtime's C API (functions.ts), driven by koffi. */

import type * as koffiModule from "koffi";
import { CannotError } from "../../base/errors.ts";
import { loadKoffi } from "../../base/koffi.ts";
import { firstLine, oneLine } from "../../base/words.ts";
import { functions, OLDEST } from "./functions.ts";

export type Koffi = typeof koffiModule;
type KoffiFunction = ReturnType<ReturnType<Koffi["load"]>["func"]>;
/** A pointer of the library; 0n is null. */
export type Pointer = bigint;

export type OrtFunction = keyof typeof functions;

export interface Ort {
  readonly koffi: Koffi;
  /** Held: koffi unloads a library when its handle is collected, whatever functions of it are still known. */
  readonly library: ReturnType<Koffi["load"]>;
  /** As GetVersionString says it. */
  readonly version: string;
  /** Calls a function; throws CannotError with the library's words when its status is one. */
  call(name: OrtFunction, ...parameters: unknown[]): void;
  /** Run, called often: bound once. */
  run(...parameters: unknown[]): void;
  /** The same on a thread of its own. */
  callAsync(name: OrtFunction, ...parameters: unknown[]): Promise<void>;
  /** A function with one `out` after its parameters. */
  pointer(name: OrtFunction, ...parameters: unknown[]): Pointer;
  number(name: OrtFunction, ...parameters: unknown[]): number;
  /** Two: `out` and how many there are, of pointers. */
  pointers(name: OrtFunction, ...parameters: unknown[]): readonly Pointer[];
  text(name: OrtFunction, ...parameters: unknown[]): string;
  /** What a function returns that has no status. */
  plain(name: OrtFunction, ...parameters: unknown[]): unknown;
  release(name: OrtFunction, pointer: Pointer): void;
  /** This version has the function. */
  has(name: OrtFunction): boolean;
  /** The library's environment: of the process, and never released, as the library itself stays. */
  env(): Pointer;
}

/** Calls on threads at once; koffi refuses beyond 256 of all libraries in a process. Others wait for one to end. */
const CALLS_LIMIT = 64;
let calls = 0;
const queue: (() => void)[] = [];

/** koffi wants each name once in a process; a second build of the library has the same functions. */
const protos = new Map<string, ReturnType<Koffi["proto"]>>();
function protoOf(koffi: Koffi, text: string): ReturnType<Koffi["proto"]> {
  let proto = protos.get(text);
  if (proto === undefined) protos.set(text, (proto = koffi.proto(text)));
  return proto;
}

const loaded = new Map<string, Ort>();

/** Loads the library once; it stays. Throws CannotError when it cannot be loaded or is no ONNX Runtime. */
export function loadOrt(path: string): Ort {
  let ort = loaded.get(path);
  if (ort === undefined) loaded.set(path, (ort = bind(path)));
  return ort;
}

function bind(path: string): Ort {
  const koffi = loadKoffi();
  let library: ReturnType<Koffi["load"]>;
  let base: Pointer;
  try {
    library = koffi.load(path);
    base = library.func("void *OrtGetApiBase()")() as Pointer;
  } catch (cause) {
    throw new CannotError(`${path}: ${firstLine(cause)}`, { cause });
  }
  const [getApi = 0n, getVersion = 0n] = koffi.decode(base, koffi.array("void *", 2)) as Pointer[];
  const version = (koffi.decode(getVersion, protoOf(koffi, "const char *OrtGetVersionString()")) as () => string)();
  const ask = koffi.decode(getApi, protoOf(koffi, "void *OrtGetApi(uint32_t version)")) as (
    v: number,
  ) => Pointer | null;
  const api = ask(OLDEST);
  if (api === null || api === 0n)
    throw new CannotError(`${path}: ONNX Runtime ${version} is too old; 1.${OLDEST} is the oldest`);
  const minor = Number(/^1\.(\d+)\./.exec(version)?.[1] ?? OLDEST);
  const has = (name: OrtFunction): boolean => (functions[name][3] ?? OLDEST) <= minor;
  const bound = new Map<OrtFunction, KoffiFunction>();
  const get = (name: OrtFunction): KoffiFunction => {
    let func = bound.get(name);
    if (func === undefined) {
      const [place, result, parameters, since] = functions[name];
      // Beyond the end of this version's table lies anything.
      if (!has(name)) throw new CannotError(`ONNX Runtime ${version} has no ${name}; 1.${since ?? OLDEST} brought it`);
      const pointer = koffi.decode(api, place * 8, "void *") as Pointer;
      func = koffi.decode(pointer, protoOf(koffi, `${result} Ort${name}(${parameters})`)) as KoffiFunction;
      bound.set(name, func);
    }
    return func;
  };
  const check = (status: unknown): void => {
    if (status === null || status === 0n) return;
    const says = get("GetErrorMessage")(status) as string;
    get("ReleaseStatus")(status);
    throw new CannotError(`ONNX Runtime: ${plain(says)}`);
  };
  const call = (name: OrtFunction, ...parameters: unknown[]): void => check(get(name)(...parameters));
  const run = get("Run");
  let env: Pointer | undefined;
  return {
    koffi,
    library,
    version,
    call,
    run: (...parameters) => check(run(...parameters)),
    async callAsync(name, ...parameters) {
      if (calls >= CALLS_LIMIT) await new Promise<void>((turn) => queue.push(turn));
      else calls++;
      try {
        const status = await new Promise<unknown>((done, failed) => {
          get(name).async(...parameters, (error: unknown, status: unknown) => {
            if (error instanceof Error) failed(error);
            else done(status);
          });
        });
        check(status);
      } finally {
        const next = queue.shift();
        if (next === undefined) calls--;
        else next();
      }
    },
    pointer(name, ...parameters) {
      const out: [Pointer | null] = [null];
      call(name, ...parameters, out);
      return out[0] ?? 0n;
    },
    number(name, ...parameters) {
      const out: [number | bigint] = [0];
      call(name, ...parameters, out);
      return Number(out[0]);
    },
    pointers(name, ...parameters) {
      const [out, count]: [[Pointer | null], [number | bigint]] = [[null], [0]];
      call(name, ...parameters, out, count);
      return readPointers(koffi, out[0], Number(count[0]));
    },
    text(name, ...parameters) {
      const out: [string | null] = [null];
      call(name, ...parameters, out);
      return out[0] ?? "";
    },
    plain: (name, ...parameters) => get(name)(...parameters) as unknown,
    release: (name, pointer) => void (get(name)(pointer) as unknown),
    has,
    env() {
      if (env !== undefined) return env;
      const out: [Pointer | null] = [null];
      call("CreateEnv", FATAL_ONLY, "accelctl", out);
      return (env = out[0] ?? 0n);
    },
  };
}

/** OrtLoggingLevel: what goes wrong comes back as a status; the library would print it a second time, in colours. */
export const FATAL_ONLY = 4;

/** More of anything is no list but an overflow. */
const LIST_LIMIT = 1_000_000;

export function readPointers(koffi: Koffi, at: Pointer | null, count: number): readonly Pointer[] {
  if (at === null || at === 0n || count === 0) return [];
  if (count > LIST_LIMIT) throw new CannotError(`ONNX Runtime: a list of ${count}`);
  return koffi.decode(at, koffi.array("void *", count)) as Pointer[];
}

/** A C string the library owns. */
export const readText = (koffi: Koffi, at: Pointer): string => koffi.decode(at, "char", -1) as string;

/** The library's words, without the place in its sources that it puts before them. */
const plain = (says: string): string =>
  oneLine(says.replace(/\/\S+\.(?:cc|h):\d+ [^\n]*?\)(?:::<lambda\(\)>)?(?: const)? /g, ""));
