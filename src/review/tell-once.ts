/**
 * One fault, one finding. The same fault may be told by a layer's own rule (this machine's paths and files), by a line of the kernel
 * log, and by a known breakage: here they become one, with the evidence of all.
 */

import { severities, type Finding, type Remedy } from "../base/finding.ts";
import { NO_PACKAGE } from "./firmware.ts";
import type { KnownFault } from "./known-faults.ts";

/** What the log says comes first: it is what happened, where a layer tells only what is not there. */
export function tellOnce(
  layers: readonly Finding[],
  logged: readonly KnownFault[],
  rules: readonly KnownFault[],
): Finding[] {
  const own = [...layers];
  const said: Finding[] = [];
  const joined = new Set<string>();
  for (const fault of [...logged].sort(devicesFirst)) {
    const { finding } = fault;
    // What a line says of no device in particular was told of one.
    if (finding.device === "machine" && fault.breakage.sameAs?.some((rule) => joined.has(rule)) === true) continue;
    const at = finding.severity === "note" ? -1 : findTwin(own, fault);
    const twin = own[at];
    if (twin === undefined) said.push(finding);
    else if (finding.device !== twin.device) own[at] = withLinks(twin, finding);
    else {
      own.splice(at, 1);
      joined.add(twin.rule);
      said.push(join(finding, twin));
    }
  }
  const added: Finding[] = [];
  for (const fault of rules) {
    const twin = [own, said].map((list) => ({ list, at: findTwin(list, fault) })).find(({ at }) => at >= 0);
    const found = twin?.list[twin.at];
    // Why a build fails on this kernel, or which pair does not fit, says more than that something is not there.
    if (twin && found && leading.has(fault.breakage.kind)) twin.list[twin.at] = join(fault.finding, found);
    else if (twin && found) twin.list[twin.at] = withLinks(found, fault.finding);
    else added.push(isTold(fault.finding, [...own, ...said]) ? asNote(fault.finding) : fault.finding);
  }
  const specific = [...said, ...added];
  return [...said, ...own, ...added].filter((finding) => !isExplained(finding, specific));
}

const devicesFirst = (a: KnownFault, b: KnownFault): number =>
  Number(a.finding.device === "machine") - Number(b.finding.device === "machine");

/** Does the breakage stand for itself, or does a layer's own rule say the same better? */
export function standsAlone({ sameAs, kind }: KnownFault["breakage"]): boolean {
  return sameAs === undefined || leading.has(kind);
}

const leading: ReadonlySet<KnownFault["breakage"]["kind"]> = new Set(["build", "version"]);

/** The finding that says the same of this device; for one of the machine, of any. */
function findTwin(findings: readonly Finding[], { finding, breakage }: KnownFault): number {
  return findings.findIndex(
    (other) =>
      (other.device === finding.device || finding.device === "machine") &&
      breakage.sameAs?.includes(other.rule) === true,
  );
}

function join(finding: Finding, twin: Finding): Finding {
  const installs = twin.remedy?.commands?.some((command) => /^sudo (apt|dnf|pacman|snap) /.test(command)) === true;
  const inNone = twin.remedy?.says.startsWith(NO_PACKAGE) === true;
  const remedy = installs || inNone ? twin.remedy : finding.remedy;
  const links = linksOf(finding.remedy, twin.remedy);
  const severity = severities.find((one) => one === finding.severity || one === twin.severity) ?? finding.severity;
  return {
    ...finding,
    severity: twin.severity === "note" ? finding.severity : severity,
    ...(twin.route === undefined ? {} : { route: twin.route }),
    evidence: [...finding.evidence, ...twin.evidence],
    ...(remedy ? { remedy: { ...remedy, ...links } } : {}),
  };
}

function withLinks(finding: Finding, other: Finding): Finding {
  if (finding.remedy === undefined) return finding;
  return { ...finding, remedy: { ...finding.remedy, ...linksOf(finding.remedy, other.remedy) } };
}

function linksOf(...remedies: readonly (Remedy | undefined)[]): Pick<Remedy, "links"> {
  const links = [...new Set(remedies.flatMap((remedy) => remedy?.links ?? []))];
  return links.length === 0 ? {} : { links };
}

/** A layer's own finding has the exact state of this machine; what is known of such cases in general stands beside it as a note. */
function isTold(rule: Finding, findings: readonly Finding[]): boolean {
  const layer = (finding: Finding): string => finding.rule.slice(0, finding.rule.indexOf("/"));
  return findings.some(
    (f) => f.device === rule.device && f.severity !== "note" && layer(f) === layer(rule) && !vague.has(f.rule),
  );
}

const asNote = (finding: Finding): Finding => ({ ...finding, severity: "note" });

/** Rules that say no more than that something else is to blame. */
const vague: ReadonlySet<string> = new Set(["driver/probe-failed", "driver/unbound", "node/missing"]);

/** "The probe failed, the log says why" is no finding beside the line of the log that says why. */
function isExplained(finding: Finding, specific: readonly Finding[]): boolean {
  return (
    vague.has(finding.rule) && specific.some((other) => other.device === finding.device && other.severity === "error")
  );
}
