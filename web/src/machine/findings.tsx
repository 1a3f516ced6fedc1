/** What is wrong, worst first, with its evidence and what to do. What is the same of several devices is told once. */

import { useMemo, useState } from "preact/hooks";
import { severities, type Finding, type Severity } from "../../../src/base/finding.ts";
import type { DeviceReport, Report } from "../../../src/review/report.ts";
import { Badge, EvidenceList, harmless, plural, RemedyBox, severity } from "../parts/index.ts";
import { addressOf } from "./where.ts";

/** So many are open at once; of more only the first. */
const FEW = 4;

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
  const told = alike(shown, devices);
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
        {told.map(({ finding, ids }, i) => (
          <li
            key={`${finding.rule} ${ids.join(" ")} ${finding.says}`}
            class={`finding ${severity[finding.severity].tone}`}
          >
            <details open={i === 0 || told.length <= FEW}>
              <summary>
                <Badge {...severity[finding.severity]} /> {harmless(finding.says)}
              </summary>
              <p class="soft finding-of">
                {ids.map((id, at) => (
                  <span key={id}>
                    {at > 0 && ", "}
                    <DeviceLink device={devices.get(id)} id={id} withAddress={ids.length > 1} />
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
            </details>
          </li>
        ))}
      </ol>
    </section>
  );
}

function DeviceLink({
  device,
  id,
  withAddress,
}: {
  device: DeviceReport | undefined;
  id: string;
  withAddress: boolean;
}) {
  if (device === undefined) return <>{id}</>;
  return <a href={addressOf(id)}>{harmless(withAddress ? `${device.name} ${device.address}` : device.name)}</a>;
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
