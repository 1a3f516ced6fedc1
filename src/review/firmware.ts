/** Layer firmware: are the files the driver asks for where the kernel looks for them? */

import type { Evidence, Finding, Layer, LayerStatus } from "../base/finding.ts";
import { valueOf, type Reading } from "../base/reading.ts";
import { findFirmware, findFirmwareLike } from "../facts/firmware.ts";
import type { FirmwareSpec } from "../families/family.ts";
import { known, seen, statusOf, unseen, type RouteContext } from "./context.ts";
import { installRemedy } from "./remedy.ts";

interface Wanted {
  /** Any of these will do. */
  readonly paths: readonly string[];
}

export function judgeFirmware(context: RouteContext): Layer {
  const { route, device } = context;
  const spec = route.firmware;
  if (spec === undefined) {
    return {
      name: "firmware",
      status: "unneeded",
      openness: "none",
      is: "none needed",
      evidence: [known(route.says, route.driver.source)],
    };
  }
  const wanted = wantedFiles(spec, device.chip?.id);
  const base = { name: "firmware", openness: spec.openness } as const;
  if (wanted.length === 0) {
    const says =
      spec.elsewhere ??
      (device.chip === undefined && spec.files.length > 0
        ? "chip not known, so its file"
        : "no file is known for this chip");
    return {
      ...base,
      is: says,
      status: spec.elsewhere === undefined ? "unknown" : "unneeded",
      evidence: [known(says, route.driver.source)],
    };
  }
  const evidence: Evidence[] = [];
  let status: LayerStatus = "ok";
  for (const { paths } of wanted) {
    const readings = paths.map((path) => look(context, path));
    const found = readings.find((reading) => reading.state === "read");
    if (found) {
      evidence.push(seen(found.from, valueOf(found) ?? ""));
      continue;
    }
    const unknown = readings.find((reading) => reading.state !== "absent");
    evidence.push(unseen(unknown ?? readings[0] ?? { state: "absent", from: paths.join(" or ") }));
    const worse = statusOf(unknown ?? { state: "absent", from: "" });
    if (status === "ok" || worse === "missing") status = worse;
  }
  // A bound driver whose log names the image it loaded has it, wherever it came from (initramfs, built in).
  const loaded = status === "ok" ? undefined : loadedImage(context, wanted);
  if (loaded) return { ...base, is: names(wanted), status: "ok", evidence: [loaded] };
  return { ...base, is: names(wanted), status, evidence };
}

const names = (wanted: readonly Wanted[]): string => wanted.map(({ paths }) => paths[0] ?? "").join(", ");

function wantedFiles(spec: FirmwareSpec, chip: string | undefined): Wanted[] {
  const out: Wanted[] = [];
  const groups = new Map<string, string[]>();
  for (const file of filesFor(spec, chip)) {
    if (file.oneOf === undefined) out.push({ paths: [file.path] });
    else {
      const group = groups.get(file.oneOf);
      if (group) group.push(file.path);
      else {
        const paths = [file.path];
        groups.set(file.oneOf, paths);
        out.push({ paths });
      }
    }
  }
  return out;
}

function filesFor(spec: FirmwareSpec, chip: string | undefined): FirmwareSpec["files"] {
  return spec.files.filter(({ chips }) => chips === undefined || (chip !== undefined && chips.includes(chip)));
}

/** Said where the packages are known and hold none of the files: to install one would change nothing. */
export const NO_PACKAGE = "no distribution's package that was looked at has it: it belongs below /lib/firmware";

function look({ facts }: RouteContext, path: string): Reading<string> {
  if (path.includes("*")) {
    const found = findFirmwareLike(facts.root, path, facts.release);
    if (found.state !== "read") return found;
    const first = found.value[0];
    return first
      ? { state: "read", value: first.path, from: first.path }
      : { state: "absent", from: `/lib/firmware/${path}` };
  }
  const found = findFirmware(facts.root, path, facts.release);
  return found.state === "read" ? { state: "read", value: found.value.name, from: found.value.path } : found;
}

function loadedImage({ facts, device }: RouteContext, wanted: readonly Wanted[]): Evidence | undefined {
  if (device.driver.state !== "read") return undefined;
  const log = valueOf(facts.log);
  if (!log || log.length === 0) return undefined;
  const paths = wanted.flatMap((w) => w.paths).filter((path) => !path.includes("*"));
  for (const line of log) {
    if (/fail|error|not found|missing|-2\b/i.test(line.text)) continue;
    for (const path of paths) {
      if (line.text.includes(path)) return seen(`kernel log line ${line.number}`, line.text.slice(0, 160));
    }
  }
  return undefined;
}

export function findFirmwareFault(context: RouteContext, layer: Layer): Finding | undefined {
  const { device, route, facts } = context;
  if (layer.status !== "missing" || route.firmware === undefined) return undefined;
  const wanted = filesFor(route.firmware, device.chip?.id);
  const nowhere = wanted.length > 0 && wanted.every((file) => file.packaged === false);
  const remedy = nowhere ? undefined : installRemedy(facts, "the firmware", route.firmware.packages);
  return {
    rule: "firmware/missing",
    severity: "error",
    device: device.id,
    route: route.name,
    says: `${device.name} needs firmware that is not installed: ${layer.is}`,
    evidence: layer.evidence,
    remedy: {
      ...(remedy ?? {
        says: nowhere ? NO_PACKAGE : "the catalogue knows no package of it: it belongs below /lib/firmware",
      }),
      commands: [
        ...(remedy?.commands ?? []),
        ...(route.driver.module === undefined || !valueOf(facts.loaded)?.has(route.driver.module)
          ? []
          : [`sudo modprobe -r ${route.driver.module}`, `sudo modprobe ${route.driver.module}`]),
      ],
    },
  };
}
