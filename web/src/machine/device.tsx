/** A device: its verdict, its routes as stacks, what it is, and what would work if. */

import { useEffect, useId, useState } from "preact/hooks";
import type { Reading } from "../../../src/base/reading.ts";
import type { DeviceReport, Report } from "../../../src/review/report.ts";
import {
  Badge,
  EvidenceList,
  Facts,
  harmless,
  opennessWord,
  plural,
  severity,
  unreadWord,
  valueOf,
  type UnreadState,
  works,
  type Fact,
} from "../parts/index.ts";
import { Stacks, Strip } from "./stacks.tsx";
import { Told } from "./told.tsx";
import { WhatIf } from "./what-if-panel.tsx";
import { addressOf } from "./where.ts";

/** Pixels from which the facts stand beside the routes (machine.css). */
const WIDE = 1200;
/** Routes that are drawn with the device's facts at their side, where the page is wide. */
const BESIDE = 3;
/** Findings that are told on the card; all stand below. */
const TOLD = 4;

export interface DeviceCardProps {
  readonly device: DeviceReport;
  readonly report: Report;
  readonly open: boolean;
  /** The address names it. */
  readonly chosen: boolean;
}

export function DeviceCard({ device, report, open, chosen }: DeviceCardProps) {
  const [isOpen, setOpen] = useState(open);
  useEffect(() => {
    if (open) setOpen(true);
  }, [open]);
  const { verdict } = device;
  // A processor without a runtime is not broken.
  const mark =
    device.bus === "cpu" && verdict.works === "no" ? { ...works.no, tone: "plain" as const } : works[verdict.works];
  const best = device.routes.find(({ name }) => name === verdict.route);
  const findings = report.findings.filter((finding) => finding.device === device.id);
  const body = useId();
  // Few routes leave room beside them.
  const beside = device.routes.length <= BESIDE;
  return (
    <article
      class={`card device${chosen ? " chosen" : ""}${isOpen ? "" : " closed"}`}
      data-device={device.id}
      aria-label={device.name}
    >
      <h3 class="device-head">
        <button type="button" aria-expanded={isOpen} aria-controls={body} onClick={() => setOpen(!isOpen)}>
          <span class="fold" aria-hidden="true">
            {isOpen ? "▾" : "▸"}
          </span>
          <span class="device-name">{harmless(device.name)}</span>
          <Badge {...mark} />
        </button>
      </h3>
      <div class="device-line">
        <p class="verdict">{harmless(verdict.says)}</p>
        {!isOpen && best !== undefined && <Strip route={best} />}
        <a class="device-address mono" href={addressOf(device.id)}>
          {harmless(`${device.bus} ${device.address}`)}
        </a>
      </div>
      <div id={body} hidden={!isOpen}>
        {isOpen && (
          <>
            {findings.length > 0 && (
              <ul class="device-findings">
                {findings.slice(0, TOLD).map((finding, i) => (
                  <li key={i}>
                    <Badge {...severity[finding.severity]} bare /> {harmless(finding.says)}
                  </li>
                ))}
                {findings.length > TOLD && <li class="soft">{plural(findings.length - TOLD, "more finding")} below</li>}
              </ul>
            )}
            <div class={beside ? "device-body beside" : "device-body"}>
              <div>
                {device.routes.length > 0 ? (
                  <Stacks device={device} />
                ) : (
                  <p class="soft no-route">No route to use it is known.</p>
                )}
                <WhatIf device={device} report={report} />
              </div>
              <Identity device={device} open={beside} />
            </div>
          </>
        )}
      </div>
    </article>
  );
}

function Identity({ device, open }: { readonly device: DeviceReport; readonly open: boolean }) {
  return (
    <details class="more identity" open={open && window.innerWidth >= WIDE}>
      <summary>Identity, nodes, openness</summary>
      <Facts facts={factsOf(device)} />
      <EvidenceList evidence={[device.because]} />
    </details>
  );
}

function factsOf(device: DeviceReport): Fact[] {
  const { link, openness } = device;
  const facts: Fact[] = Object.entries(device.ids).map(([name, value]) => ({
    name: name === "class" ? name : `${name} id`,
    value: <code>{harmless(value)}</code>,
  }));
  if (device.chip !== undefined) facts.push({ name: "chip", value: device.chip });
  facts.push({ name: "driver", value: <Told reading={device.driver} /> });
  if (device.driver_version !== undefined) {
    facts.push({ name: "driver version", value: <Told reading={device.driver_version} /> });
  }
  for (const node of device.nodes) facts.push({ name: node.path, value: <NodeFacts node={node} /> });
  if (link !== undefined) {
    facts.push({ name: "link width", value: <OfMost now={link.width} most={link.max_width} as={(n) => `×${n}`} /> });
    facts.push({
      name: "link speed",
      value: <OfMost now={link.speed_transfers} most={link.max_speed_transfers} as={transfers} />,
    });
  }
  if (device.iommu_group !== undefined)
    facts.push({ name: "IOMMU group", value: <Told reading={device.iommu_group} /> });
  if (device.virtual_functions > 0) facts.push({ name: "virtual functions", value: device.virtual_functions });
  if (device.parts.length > 0) facts.push({ name: "parts", value: device.parts.map(harmless).join(", ") });
  for (const { kind, label } of device.sensors ?? []) facts.push({ name: kind, value: harmless(label) });
  facts.push(...answersOf(device));
  if (openness !== undefined) {
    const parts = Object.entries(openness).map(([part, is]) => `${part} ${opennessWord[is]}`);
    facts.push({ name: "openness", value: parts.join(" · ") });
  }
  return facts;
}

/** What the driver answered; questions that got no answer are counted, by why. */
function answersOf(device: DeviceReport): Fact[] {
  const all = Object.entries(device.answers ?? {});
  const facts: Fact[] = all
    .filter(([, answer]) => answer.state === "read")
    .map(([name, answer]) => ({ name, value: <Told reading={answer} /> }));
  const left = new Map<UnreadState, string[]>();
  for (const [name, { state }] of all) if (state !== "read") left.set(state, [...(left.get(state) ?? []), name]);
  for (const [state, names] of left) {
    const value = (
      <span
        class="not-read"
        title={names.join(", ")}
      >{`${plural(names.length, "question")} ${unreadWord(state)}`}</span>
    );
    facts.push({ name: "asked of the driver", value });
  }
  return facts;
}

function NodeFacts({ node }: { readonly node: DeviceReport["nodes"][number] }) {
  const opens = valueOf(node.opens);
  return (
    <>
      <code>
        <Told reading={node.mode} /> <Told reading={node.owner} />:<Told reading={node.group} />
      </code>
      {opens !== undefined && (opens ? " · opens for you" : " · does not open for you")}
      {node.drm?.state === "read" && ` · answers ${harmless(`${node.drm.value.name} ${node.drm.value.version}`)}`}
      {(node.held_by ?? []).map(({ pid, command }) => ` · held by ${harmless(command)} (${pid})`)}
    </>
  );
}

/** "×1 of ×4"; one word where neither is known. */
function OfMost({ now, most, as }: { now: Reading<number>; most: Reading<number>; as: (n: number) => string }) {
  if (now.state !== "read" && now.state === most.state) return <Told reading={now} />;
  return (
    <>
      <Told reading={now} as={as} /> of <Told reading={most} as={as} />
    </>
  );
}

/** Per second, as PCIe counts: 8 GT/s. */
const transfers = (n: number): string => `${n / 1e9} GT/s`;
