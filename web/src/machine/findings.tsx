/** What is wrong, worst first, with its evidence and what to do. What is the same of several devices is told once. */

import { useMemo, useState } from "preact/hooks";
import { severities, type Finding, type Severity } from "../../../src/base/finding.ts";
import type { DeviceReport, Report } from "../../../src/review/report.ts";
import { Badge, EvidenceList, harmless, plural, RemedyBox, severity } from "../parts/index.ts";
import { addressOf } from "./where.ts";

export function Findings({ report }: { readonly report: Report }) {
  const [hidden, setHidden] = useState<ReadonlySet<Severity>>(new Set());
  const [device, setDevice] = useState("");
  const devices = useMemo(() => new Map([...report.devices, ...report.dormant].map((one) => [one.id, one])), [report]);
  const concerned = [...new Set(report.findings.map((finding) => finding.device))];
  // A device that another report does not have.
  const chosen = concerned.includes(device) ? device : "";
  const shown = report.findings.filter(
    (finding) => !hidden.has(finding.severity) && (chosen === "" || finding.device === chosen),
  );
  const nameOf = (id: string): string => devices.get(id)?.name ?? id;
  if (report.findings.length === 0) return null;
  const toggle = (one: Severity): void => {
    const next = new Set(hidden);
    if (!next.delete(one)) next.add(one);
    setHidden(next);
  };
  return (
    <section aria-labelledby="findings">
      <div class="section-head">
        <h2 id="findings">Findings</h2>
        <div class="finding-filter" role="group" aria-label="Show findings">
          {severities.map((one) => {
            const count = report.findings.filter((finding) => finding.severity === one).length;
            return count === 0 ? null : (
              <button key={one} type="button" aria-pressed={!hidden.has(one)} onClick={() => toggle(one)}>
                <Badge {...severity[one]} word={plural(count, severity[one].word)} bare />
              </button>
            );
          })}
          {concerned.length > 1 && (
            <select aria-label="Device" value={chosen} onChange={(event) => setDevice(event.currentTarget.value)}>
              <option value="">all devices</option>
              {concerned.map((id) => (
                <option key={id} value={id}>
                  {nameOf(id)} {devices.get(id)?.address ?? ""}
                </option>
              ))}
            </select>
          )}
        </div>
      </div>
      {shown.length === 0 && <p class="soft">None of these.</p>}
      <ol class="findings">
        {alike(shown, devices).map(({ finding, ids }) => (
          <li
            key={`${finding.rule} ${ids.join(" ")} ${finding.says}`}
            class={`finding ${severity[finding.severity].tone}`}
          >
            <p class="finding-says">
              <Badge {...severity[finding.severity]} /> {harmless(finding.says)}
            </p>
            <p class="soft finding-of">
              {ids.map((id, i) => (
                <span key={id}>
                  {i > 0 && ", "}
                  {devices.has(id) ? (
                    <a href={addressOf(id)}>
                      {ids.length > 1 ? `${nameOf(id)} ${devices.get(id)?.address ?? ""}` : nameOf(id)}
                    </a>
                  ) : (
                    nameOf(id)
                  )}
                </span>
              ))}
              {finding.route !== undefined && ` · route ${finding.route}`}
              {" · "}
              <code>{finding.rule}</code>
            </p>
            {finding.remedy !== undefined && <RemedyBox remedy={finding.remedy} />}
            {finding.evidence.length > 0 && (
              <details class="more">
                <summary>What this rests on</summary>
                <EvidenceList evidence={finding.evidence} />
              </details>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}

interface Alike {
  readonly finding: Finding;
  readonly ids: readonly string[];
}

/** As the command line folds them: what differs only in the device's name and address is one. */
function alike(findings: readonly Finding[], devices: ReadonlyMap<string, DeviceReport>): readonly Alike[] {
  const out = new Map<string, Alike>();
  for (const finding of findings) {
    const device = devices.get(finding.device);
    const key = JSON.stringify([finding.rule, finding.severity, finding.says, finding.remedy ?? {}]);
    const same = device === undefined ? key : key.replaceAll(device.name, "").replaceAll(device.address, "");
    const before = out.get(same);
    out.set(same, { finding: before?.finding ?? finding, ids: [...(before?.ids ?? []), finding.device] });
  }
  return [...out.values()];
}
