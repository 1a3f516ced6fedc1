/** From a library that a route of the catalogue names to what ONNX Runtime is given: makers ship providers beside a build, or alone. */

import { readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { ProbeOptions } from "../delegate.ts";

const RUNTIME = /^libonnxruntime\.so(?:\.\d+)*$/;
const PROVIDER = /^libonnxruntime_providers_(?!shared)\w+\.so(?:\.\d+)*$/;

/** `path` is a build of ONNX Runtime, a provider, or a library of the maker's that lies beside one. */
export function byRoute(path: string): ProbeOptions {
  const [folder, name] = [dirname(path), basename(path)];
  if (RUNTIME.test(name)) return { library: path };
  const beside = filesOf(folder);
  const provider = PROVIDER.test(name) ? name : beside.find((file) => PROVIDER.test(file));
  if (provider === undefined) return {};
  const library = beside.find((file) => RUNTIME.test(file));
  // A provider that comes without a runtime is there to be registered with any.
  return library === undefined ? { plugin: join(folder, provider) } : { library: join(folder, library) };
}

function filesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return []; // gone or not to be read: then nothing lies beside it
  }
}
