/** Layers runtime and delegate: are the libraries there that a program needs? Found by name, never loaded. */

import type { Evidence, Finding, Layer, LayerName } from "../base/finding.ts";
import { absent, chain, read, valueOf, type Reading } from "../base/reading.ts";
import type { Source } from "../base/source.ts";
import type { Facts } from "../facts/facts.ts";
import type { Packages } from "../families/family.ts";
import { globMatches } from "../families/match.ts";
import { known, seen, unseen, type RouteContext } from "./context.ts";
import { installRemedy } from "./remedy.ts";

interface Wanted {
  readonly libraries?: readonly string[];
  readonly paths?: readonly string[];
  readonly also?: readonly string[];
  readonly wheels?: readonly string[];
}

export interface FoundRuntime {
  readonly what: string;
  readonly path: string;
  readonly version?: string;
}

export function judgeRuntime(context: RouteContext): Layer {
  const { runtime } = context.route;
  return judgeLibraries(context, "runtime", runtime.name, runtime, runtime.openness, runtime.source);
}

export function judgeDelegate(context: RouteContext): Layer {
  const { delegate, runtime } = context.route;
  const wants = (delegate.libraries ?? delegate.paths ?? []).length > 0;
  if (!wants) {
    // The delegate is the runtime itself or comes with a framework: what is on the machine does not say more than the runtime does.
    const layer = judgeRuntime(context);
    return {
      name: "delegate",
      status: layer.status === "ok" ? "ok" : "unknown",
      openness: delegate.openness,
      is: delegate.name,
      evidence: [known(`${delegate.name} over ${runtime.name}`, delegate.source)],
    };
  }
  return judgeLibraries(context, "delegate", delegate.name, delegate, delegate.openness, delegate.source);
}

function judgeLibraries(
  { facts }: RouteContext,
  name: LayerName,
  is: string,
  wanted: Wanted,
  openness: Layer["openness"],
  source: Source,
): Layer {
  const base = { name, is, openness };
  if (
    (wanted.libraries ?? []).length === 0 &&
    (wanted.paths ?? []).length === 0 &&
    (wanted.wheels ?? []).length === 0
  ) {
    return { ...base, status: "unknown", evidence: [known(`${is}: no library name is known`, source)] };
  }
  const found = findRuntime(facts, wanted);
  const evidence: Evidence[] = [];
  let status: Layer["status"];
  if (found.state === "read") {
    status = "ok";
    const { what, path, version } = found.value;
    evidence.push(seen(path, version === undefined ? what : `${what} ${version}`));
    for (const also of wanted.also ?? []) {
      const other = findRuntime(facts, { libraries: [also] });
      if (other.state === "read") evidence.push(seen(other.value.path, also));
      else {
        evidence.push(unseen(other));
        status = other.state === "absent" ? "missing" : "unknown";
      }
    }
  } else {
    status = found.state === "absent" ? "missing" : "unknown";
    evidence.push(unseen(found));
  }
  return { ...base, status, evidence };
}

/** The first of the wanted libraries, full paths or wheels that is there. */
export function findRuntime(facts: Facts, wanted: Wanted): Reading<FoundRuntime> {
  const names = wanted.libraries ?? [];
  let unread: Reading<FoundRuntime> = absent(
    [...names, ...(wanted.paths ?? []), ...(wanted.wheels ?? [])].join(" or "),
    "no such library",
  );
  for (const name of names) {
    const found = chain(facts.libraries, (libraries) => libraries.find(name));
    if (found.state === "read") {
      const [library] = found.value;
      if (library) {
        const version = valueOf(library.version);
        return read(
          { what: library.name, path: library.path, ...(version === undefined ? {} : { version }) },
          library.path,
        );
      }
    } else if (found.state !== "absent") unread = found;
  }
  for (const path of wanted.paths ?? []) {
    const found = findPath(facts, path);
    if (found.state === "read")
      return read({ what: path.slice(path.lastIndexOf("/") + 1), path: found.value }, found.value);
    if (found.state !== "absent") unread = found;
  }
  if ((wanted.wheels ?? []).length > 0) {
    const wheel = (valueOf(facts.wheels) ?? []).find((w) => wanted.wheels?.includes(w.name));
    if (wheel) return read({ what: wheel.name, path: wheel.path, version: wheel.version }, wheel.path);
    // Wheels are looked for in the environments that are there: a machine whose libraries were not looked at has shown none.
    if (unread.state === "absent" && facts.libraries.state !== "read") unread = facts.libraries;
  }
  return unread;
}

/** A full path that may hold `*` in its elements. */
function findPath(facts: Facts, pattern: string): Reading<string> {
  const parts = pattern.split("/").filter((part) => part !== "");
  let bases = [""];
  let unread: Reading<string> = absent(pattern);
  for (const [index, part] of parts.entries()) {
    const last = index === parts.length - 1;
    const next: string[] = [];
    for (const base of bases) {
      if (!part.includes("*")) {
        const path = `${base}/${part}`;
        if (!last) next.push(path);
        else {
          const stat = facts.root.stat(path);
          if (stat.state === "read") return read(path, path);
          if (stat.state !== "absent") unread = stat;
        }
        continue;
      }
      const listed = facts.root.list(base === "" ? "/" : base);
      if (listed.state !== "read") {
        if (listed.state !== "absent") unread = listed;
        continue;
      }
      for (const name of listed.value) {
        if (!globMatches(part, name)) continue;
        if (last) return read(`${base}/${name}`, `${base}/${name}`);
        next.push(`${base}/${name}`);
      }
    }
    bases = next;
  }
  return unread;
}

export function findRuntimeFault(context: RouteContext, layer: Layer): Finding | undefined {
  const { device, route, facts } = context;
  if (layer.status !== "missing") return undefined;
  const packages: Packages | undefined = layer.name === "delegate" ? route.delegate.packages : route.runtime.packages;
  const remedy = installRemedy(facts, layer.is, packages);
  return {
    rule: layer.name === "delegate" ? "delegate/missing" : "runtime/missing",
    severity: device.bus === "cpu" ? "note" : "warning",
    device: device.id,
    route: route.name,
    says: `${missingOf(context, layer)} is not installed: no program can use ${device.name} by the route "${route.name}"`,
    evidence: layer.evidence,
    ...(remedy ? { remedy } : {}),
  };
}

/** What is not there: the whole runtime, or a library it needs besides its own. */
function missingOf({ facts, route }: RouteContext, layer: Layer): string {
  if (layer.name !== "runtime" || findRuntime(facts, route.runtime).state !== "read") return layer.is;
  const lacks = (route.runtime.also ?? []).filter(
    (name) => findRuntime(facts, { libraries: [name] }).state === "absent",
  );
  return lacks.length === 0 ? layer.is : `${lacks.join(", ")}, which ${layer.is} needs,`;
}
