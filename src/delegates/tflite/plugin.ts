/**
 * External delegates: a library of a device's maker with two functions, tflite_plugin_create_delegate and
 * tflite_plugin_destroy_delegate. tensorflow/lite/delegates/external/external_delegate_interface.h
 */

import { basename } from "node:path";
import { CannotError } from "../../base/errors.ts";
import { loadKoffi, type Koffi } from "../../base/koffi.ts";
import { firstLine, type KoffiFunction, type Pointer } from "./api.ts";

export interface Plugin {
  /** Its file's name. */
  readonly name: string;
  readonly create: (options: Readonly<Record<string, string>>) => Pointer;
  readonly destroy: (delegate: Pointer) => void;
}

/** Held: koffi unloads a library when its handle is collected. */
const loaded = new Map<string, { readonly library: unknown; readonly plugin: Plugin }>();

/** Loads the library once; it stays. Throws CannotError when it cannot be loaded or is no external delegate. */
export function loadPlugin(path: string): Plugin {
  const known = loaded.get(path);
  if (known !== undefined) return known.plugin;
  const koffi = loadKoffi();
  let library: ReturnType<Koffi["load"]>;
  try {
    library = koffi.load(path);
  } catch (cause) {
    const says = firstLine(cause);
    throw new CannotError(says.includes(path) ? says : `${path}: ${says}`, { cause });
  }
  const name = basename(path);
  const report = koffi.pointer(koffi.proto("void", ["const char *"]));
  const func = (symbol: string, result: string, parameters: Parameters<typeof library.func>[3]): KoffiFunction => {
    try {
      return library.func(symbol, result, parameters);
    } catch (cause) {
      throw new CannotError(`${path}: no TFLite external delegate: ${lacks(library, symbol)}`, { cause });
    }
  };
  const create = func("tflite_plugin_create_delegate", "void *", ["const char **", "const char **", "size_t", report]);
  const destroy = func("tflite_plugin_destroy_delegate", "void", ["void *"]);
  const plugin: Plugin = {
    name,
    create(options) {
      const said: string[] = [];
      const callback = koffi.register((text: string | null) => void said.push(text ?? ""), report);
      try {
        const [keys, values] = [Object.keys(options), Object.values(options)];
        const delegate = (create(keys, values, keys.length, callback) as Pointer | null) ?? 0n;
        if (delegate !== 0n) return delegate;
        const words = said.join("; ").replace(/\s+/g, " ").trim().slice(0, 400);
        throw new CannotError(`${name} makes no delegate${words === "" ? ", and does not say why" : `: ${words}`}`);
      } finally {
        koffi.unregister(callback);
      }
    },
    destroy: (delegate) => void (destroy(delegate) as unknown),
  };
  loaded.set(path, { library, plugin });
  return plugin;
}

/** TensorFlow's stable delegates are another ABI: a struct by this name. Looked up, never called. */
function lacks(library: ReturnType<Koffi["load"]>, symbol: string): string {
  try {
    library.func("TFL_TheStableDelegate", "void", []);
    return "it is a stable delegate, an ABI that is not driven here";
  } catch {
    return `it lacks ${symbol}`;
  }
}
