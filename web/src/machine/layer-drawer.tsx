/** A layer at length: what it rests on, how open it is, what is wrong with it and what to do. */

import type { DeviceReport, Report } from "../../../src/review/report.ts";
import {
  Badge,
  Drawer,
  EvidenceList,
  harmless,
  layerStatus,
  opennessWord,
  RemedyBox,
  severity,
} from "../parts/index.ts";
import { findingsOf, isSame, layerTitle } from "./stack.ts";
import { comesByItself } from "./what-if.ts";
import { kernelStateSays } from "./words.ts";

export interface LayerDrawerProps {
  readonly report: Report;
  readonly device: DeviceReport;
  readonly route: string;
  readonly layer: string;
  readonly onClose: () => void;
}

export function LayerDrawer({ report, device, route: routeName, layer: name, onClose }: LayerDrawerProps) {
  const route = device.routes.find((one) => one.name === routeName);
  const layer = route?.layers.find((one) => one.name === name);
  if (route === undefined || layer === undefined) return null;
  const routes = device.routes.filter(({ layers }) => layers.some((other) => isSame(layer, other)));
  const findings = findingsOf(report.findings, device, layer, [routeName]);
  const follows = comesByItself(route, layer);
  return (
    <Drawer
      title={
        <>
          <span class="drawer-kind">{layerTitle[layer.name]}</span>
          {layer.status === "unneeded" ? "not needed" : harmless(layer.is)}
        </>
      }
      onClose={onClose}
    >
      <p class="drawer-marks">
        <Badge {...layerStatus[layer.status]} />
        {layer.openness !== "none" && (
          <span class="drawer-open">
            <span class={`swatch open-${layer.openness}`} aria-hidden="true" /> openness: {opennessWord[layer.openness]}
          </span>
        )}
      </p>
      <dl class="drawer-facts">
        <dt>of</dt>
        <dd>{harmless(device.name)}</dd>
        <dt>{routes.length === 1 ? "route" : "routes"}</dt>
        <dd>{routes.map((one) => one.name).join(", ")}</dd>
        {layer.kernelState !== undefined && (
          <>
            <dt>in the kernel</dt>
            <dd>
              {layer.kernelState}: {kernelStateSays[layer.kernelState]}
            </dd>
          </>
        )}
      </dl>
      {follows && <p>It comes by itself when its driver works.</p>}
      {layer.status === "unknown" && (
        <p>Not known is not missing: it could not be looked at, and may be fine. What was asked stands below.</p>
      )}
      <h3>What this rests on</h3>
      <EvidenceList evidence={layer.evidence} />
      {findings.length > 0 && <h3>Findings</h3>}
      {findings.map((finding, i) => (
        <section key={i} class="drawer-finding">
          <p>
            <Badge {...severity[finding.severity]} /> {harmless(finding.says)}
          </p>
          <p class="soft mono">{finding.rule}</p>
          <EvidenceList evidence={finding.evidence} />
          {finding.remedy !== undefined && <RemedyBox remedy={finding.remedy} />}
        </section>
      ))}
    </Drawer>
  );
}
