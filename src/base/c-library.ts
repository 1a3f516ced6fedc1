/** A C library of a vendor by a table of its functions: opened once, a call with its sentence when it cannot be made. */

import { CannotError } from "./errors.ts";
import { loadKoffi, type Koffi } from "./koffi.ts";
import { firstLine } from "./words.ts";

/** What it returns, then its parameters, in koffi's words; memory of ours is "void *". */
export type Signature = readonly [returns: string, ...parameters: string[]];

export interface CLibrary<Name extends string> {
  readonly path: string;
  readonly koffi: Koffi;
  has(name: Name): boolean;
  /** Throws CannotError where the library has no such function. */
  call(name: Name, ...parameters: unknown[]): unknown;
  /** The same on a thread of its own; memory in `parameters` is held until it ends. */
  callAsync(name: Name, ...parameters: unknown[]): Promise<unknown>;
  /** Held: koffi unloads a library when its handle is collected, whatever functions of it are still known. */
  readonly handle: unknown;
}

const loaded = new Map<string, CLibrary<string>>();

/** Loads the library once; it stays. Throws CannotError when it cannot be loaded. `api` says whose functions these are. */
export function loadLibrary<Name extends string>(
  path: string,
  api: string,
  functions: Readonly<Record<Name, Signature>>,
): CLibrary<Name> {
  let library = loaded.get(path);
  if (library === undefined) loaded.set(path, (library = bind(path, api, functions)));
  return library;
}

type KoffiFunction = ReturnType<ReturnType<Koffi["load"]>["func"]>;

function bind(path: string, api: string, functions: Readonly<Record<string, Signature>>): CLibrary<string> {
  const koffi = loadKoffi();
  let handle: ReturnType<Koffi["load"]>;
  try {
    handle = koffi.load(path);
  } catch (cause) {
    throw new CannotError(`${path}: ${firstLine(cause)}`, { cause });
  }
  const bound = new Map<string, KoffiFunction>();
  const get = (name: string): KoffiFunction => {
    let func = bound.get(name);
    if (func === undefined) {
      const [returns = "void", ...parameters] = functions[name] ?? [];
      try {
        func = handle.func(name, returns, parameters);
      } catch (cause) {
        throw new CannotError(`${path}: it has no ${name}, which ${api} has`, { cause });
      }
      bound.set(name, func);
    }
    return func;
  };
  const held = new Set<unknown[]>();
  return {
    path,
    koffi,
    handle,
    has(name) {
      try {
        get(name);
        return true;
      } catch (error) {
        if (error instanceof CannotError) return false;
        throw error;
      }
    },
    call: (name, ...parameters) => get(name)(...parameters) as unknown,
    async callAsync(name, ...parameters) {
      const func = get(name);
      held.add(parameters);
      try {
        return await new Promise((done, failed) => {
          func.async(...parameters, (error: unknown, result: unknown) => {
            if (error instanceof Error) failed(error);
            else done(result);
          });
        });
      } finally {
        held.delete(parameters);
      }
    },
  };
}
