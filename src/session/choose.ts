/**
 * Where a model runs: candidates in the order in which they are tried, and what was passed over and why. Made from the review (which
 * device is here, which of its routes work) and the inspection (which route takes this file); nothing is loaded.
 */

import { UsageError } from "../base/errors.ts";
import type { Delegate, ProbeOptions } from "../delegates/delegate.ts";
import { delegates as allDelegates } from "../delegates/index.ts";
import type { RouteSpec } from "../families/family.ts";
import { loadFamily } from "../families/load.ts";
import type { Described } from "../inspect/describe.ts";
import { fitDevices } from "../inspect/fit.ts";
import type { DeviceFit } from "../inspect/inspection.ts";
import { checkRequirements } from "../inspect/locks.ts";
import { familyOrChip } from "../inspect/named.ts";
import type { Facts } from "../facts/facts.ts";
import { listDevicesOf } from "../review/inventory.ts";
import { factsOf } from "../review/judge.ts";
import type { DeviceReport } from "../review/report.ts";
import { findRuntime } from "../review/runtime.ts";
import type { Root } from "../root/root.ts";

export interface Wish {
  /** "auto", "cpu", or a family of the catalogue, with ":1" the second of its kind. */
  readonly device: string;
  /** Id of a delegate: no other is tried. */
  readonly delegate?: string;
  /** Name of a route in the catalogue: no other is tried. */
  readonly route?: string;
  /** Let the CPU run what the device cannot. */
  readonly fallback: boolean;
  /** Paths of the user's; they go to every candidate. */
  readonly library?: string;
  readonly plugin?: string;
  /** Directories to look for libraries in besides the usual. */
  readonly environments?: readonly string[];
}

export interface Candidate {
  readonly delegate: Delegate;
  /** As OpenOptions.device wants it. */
  readonly device: string;
  /** Of an accelerator: as the review sees it, and the route by which it is reached. */
  readonly at?: DeviceReport;
  readonly route?: string;
  readonly paths: ProbeOptions;
  /** Why it stands where it stands. */
  readonly why: string;
}

/** What could have run a model and does not. */
export interface PassedOver {
  /** "rockchip by route open", "openvino on cpu" */
  readonly what: string;
  readonly because: string;
  /** Package of npm that would bring what is missing. */
  readonly install?: string;
}

export interface Choice {
  readonly candidates: readonly Candidate[];
  readonly passed: readonly PassedOver[];
}

/** Delegates are a parameter for tests. Throws UsageError for names that do not exist. */
export function choose(
  described: Described,
  root: () => Root,
  wish: Wish,
  delegates: readonly Delegate[] = allDelegates,
): Choice {
  const named = delegates.find(({ id }) => id === wish.delegate);
  if (wish.delegate !== undefined && named === undefined) {
    throw new UsageError(`no delegate "${wish.delegate}"; there are ${delegates.map(({ id }) => id).join(", ")}`);
  }
  const known = named === undefined ? delegates : [named];
  const [word = "", index] = wish.device.split(":");
  if (wish.device !== word && (word === "cpu" || word === "auto" || !/^[^:]+:\d{1,3}$/.test(wish.device))) {
    throw new UsageError(`no device "${wish.device}": cpu, auto, or FAMILY or FAMILY:1 (accelctl catalog)`);
  }
  const candidates: Candidate[] = [];
  const passed: PassedOver[] = [];
  if (word === "cpu" && wish.route === undefined) addCpu(described, known, wish, candidates, passed);
  else {
    const wanted = word === "auto" ? undefined : familyOrChip(word);
    if (word !== "auto" && wanted === undefined && !known.some(({ devices }) => devices.includes(word))) {
      throw new UsageError(`no device "${word}": cpu, auto, or a family of accelerators (accelctl catalog)`);
    }
    const facts = factsOf(root(), { environments: wish.environments ?? [] });
    const reports = listDevicesOf(facts);
    const locks = checkRequirements(described.model.requires, facts);
    const here = fitDevices(described.model, described.inspection, reports, locks).filter(({ family }) =>
      wanted === undefined ? word === family || word === "auto" : family === wanted.family.id,
    );
    const family = wanted?.family.id ?? word;
    if (word !== "auto" && !here.some((device) => device.family === family)) {
      passed.push({ what: family, because: "no such device is here (accelctl review)" });
    }
    const chosen = index === undefined ? here : here.slice(Number(index), Number(index) + 1);
    for (const device of chosen) {
      if (device.family === "cpu" && wish.route === undefined) continue;
      addDevice({ described, device, index, facts, reports, known, wish, candidates, passed });
    }
    // A library of the user's own is tried, whatever the review says of the machine.
    const given = wish.library !== undefined || wish.plugin !== undefined;
    if (word !== "auto" && given && candidates.length === 0) {
      for (const delegate of known.filter((one) => takes(one, described, family, passed))) {
        candidates.push({ delegate, device: wish.device, paths: pathsOf(wish), why: "its library was given" });
      }
    }
    const byName = `by route ${wish.route ?? ""}`;
    const none = candidates.length === 0 && (word === "auto" || passed.length === 0);
    if (wish.route !== undefined && none && !passed.some(({ what }) => what.endsWith(byName))) {
      passed.push({
        what: `route ${wish.route}`,
        because: "no device here has a route of this name (accelctl review)",
      });
    }
    // A route is asked for as a device is.
    if ((word === "auto" && wish.route === undefined) || wish.fallback)
      addCpu(described, known, wish, candidates, passed);
  }
  return { candidates, passed };
}

function pathsOf({ library, plugin, environments }: Wish): ProbeOptions {
  return {
    ...(library === undefined ? {} : { library }),
    ...(plugin === undefined ? {} : { plugin }),
    ...(environments === undefined ? {} : { environments }),
  };
}

/** Does the delegate take this model there? If not, it is passed over; delegates of other formats are not worth a word. */
function takes(delegate: Delegate, { model, format }: Described, device: string, passed: PassedOver[]): boolean {
  if (!delegate.formats.includes(format.id)) return false;
  const because = delegate.devices.includes(device) ? delegate.supports(model, device) : `it does not run on ${device}`;
  if (because !== undefined) passed.push({ what: `${delegate.id} on ${device}`, because });
  return because === undefined;
}

/** What comes with a package that is pinned first, then what is found, in the order of their ids. */
function addCpu(
  described: Described,
  known: readonly Delegate[],
  wish: Wish,
  candidates: Candidate[],
  passed: PassedOver[],
): void {
  const own: { candidate: Candidate; embedded: boolean }[] = [];
  for (const delegate of known) {
    if (!delegate.devices.includes("cpu") || !takes(delegate, described, "cpu", passed)) continue;
    // What is given for another device is nothing to the CPU in its place.
    const paths = wish.device === "cpu" || wish.device === "auto" ? pathsOf(wish) : {};
    const found = delegate.find(paths);
    if (found.state !== "read") {
      const why = found.why === undefined ? "" : `: ${found.why}`;
      const { npm } = delegate;
      passed.push({
        what: `${delegate.id} on cpu`,
        because: `its library is not here (${found.from}${why})`,
        ...(npm === undefined || paths.library !== undefined ? {} : { install: npm }),
      });
      continue;
    }
    const embedded = found.value.embedded === true;
    const why = embedded ? "the embedded default for this format" : `its library is at ${found.value.library}`;
    own.push({ embedded, candidate: { delegate, device: "cpu", paths, why } });
  }
  own.sort((a, b) => Number(b.embedded) - Number(a.embedded));
  candidates.push(...own.map(({ candidate }) => candidate));
}

interface Here {
  readonly described: Described;
  readonly device: DeviceFit;
  /** Which of its kind was asked for. */
  readonly index: string | undefined;
  readonly facts: Facts;
  readonly reports: readonly DeviceReport[];
  readonly known: readonly Delegate[];
  readonly wish: Wish;
  readonly candidates: Candidate[];
  readonly passed: PassedOver[];
}

function addDevice({ described, device, index, facts, reports, known, wish, candidates, passed }: Here): void {
  const asked = !wish.device.startsWith("auto");
  const specs = loadFamily(device.family)?.routes ?? [];
  if (device.routes.length === 0) passed.push({ what: device.family, because: device.says });
  for (const { route, accepts, works, says } of device.routes) {
    if (wish.route !== undefined && wish.route !== route) continue;
    const what = `${device.family} by route ${route}`;
    const pass = (because: string): void => void passed.push({ what, because });
    const spec = specs.find(({ name }) => name === route);
    const delegate = known.find(({ id }) => id === spec?.delegate.id);
    const refused = delegate?.supports(described.model, device.family);
    const given = wish.library !== undefined || wish.plugin !== undefined;
    if (spec === undefined || !accepts) pass(says);
    else if (device.fits === "no" && works !== "no") pass(device.says);
    else if (delegate === undefined) {
      const by = `its delegate is ${spec.delegate.name}`;
      pass(wish.delegate === undefined ? `${by}, which is not driven from here` : `${by}, not ${wish.delegate}`);
    } else if (!delegate.formats.includes(described.format.id))
      pass(`${delegate.id} does not open ${described.format.id}`);
    else if (!delegate.devices.includes(device.family)) pass(`${delegate.id} does not know ${device.family}`);
    else if (refused !== undefined) pass(refused);
    else if (works === "no" && !given) pass("it does not work on this machine (accelctl review says why)");
    else if (works === "unknown" && !asked) pass("whether it works could not be seen");
    else {
      const at = reports.find(({ id }) => id === device.device);
      candidates.push({
        delegate,
        device: index === undefined ? device.family : `${device.family}:${index}`,
        ...(at === undefined ? {} : { at }),
        route,
        paths: { ...byRoute(delegate, spec.delegate, facts), ...pathsOf(wish) },
        why: works === "yes" ? "the route works and takes this model" : "it was asked for",
      });
    }
  }
}

/** Of a delegate that names no library of its own, the runtime's is nothing to hand over. */
function byRoute(delegate: Delegate, spec: RouteSpec["delegate"], facts: Facts): ProbeOptions {
  if (delegate.byRoute === undefined || (spec.libraries ?? spec.paths ?? []).length === 0) return {};
  const found = findRuntime(facts, spec);
  return found.state === "read" ? delegate.byRoute(found.value.path) : {};
}
