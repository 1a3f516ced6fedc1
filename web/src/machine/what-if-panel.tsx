/** What would work if: layers to be cured are ticked, and the routes are judged anew. Nothing is asked or done. */

import { useMemo, useState } from "preact/hooks";
import type { DeviceReport, Report } from "../../../src/review/report.ts";
import { Badge, Commands, harmless, layerStatus, works } from "../parts/index.ts";
import { layerTitle } from "./stack.ts";
import { fewest, judge, lacksOf, rivals, type Lack } from "./what-if.ts";

export function WhatIf({ device, report }: { readonly device: DeviceReport; readonly report: Report }) {
  const lacks = useMemo(() => lacksOf(device, report.findings), [device, report]);
  const [cured, setCured] = useState<ReadonlySet<string>>(new Set());
  if (lacks.length === 0) return null;
  const outcomes = device.routes.map((route) => judge(route, cured));
  const ticked = lacks.filter(({ key }) => cured.has(key));
  const toggle = (key: string): void => {
    const next = new Set(cured);
    if (!next.delete(key)) next.add(key);
    setCured(next);
  };
  const both = rivals(device, outcomes);
  return (
    <details class="more what-if">
      <summary>What would work if …</summary>
      <div class="what-if-body">
        <fieldset>
          <legend>… these were as they should be</legend>
          {lacks.map((lack) => (
            <label key={lack.key}>
              <input type="checkbox" checked={cured.has(lack.key)} onChange={() => toggle(lack.key)} />
              <span>
                {layerTitle[lack.layer]} <code>{harmless(lack.is)}</code> <Badge {...layerStatus[lack.status]} bare />
              </span>
            </label>
          ))}
        </fieldset>
        <div>
          <p class="legend-like">Then</p>
          <ul class="outcomes" aria-live="polite">
            {outcomes.map((outcome) => {
              const route = device.routes.find(({ name }) => name === outcome.route);
              const left = [...outcome.lacks, ...outcome.unknown];
              return (
                <li key={outcome.route}>
                  <span class="outcome-head">
                    <b>{outcome.route}</b>{" "}
                    <Badge
                      {...works[outcome.works]}
                      word={
                        outcome.works === "yes"
                          ? route?.works === "yes"
                            ? "works"
                            : "would work"
                          : outcome.works === "no"
                            ? "would not work"
                            : "might work"
                      }
                    />
                    {outcome.works === "yes" && outcome.open && <span class="soft">open throughout</span>}
                    {left.length > 0 && route !== undefined && (
                      <button
                        type="button"
                        class="small"
                        onClick={() => setCured(new Set([...cured, ...fewest(route)]))}
                      >
                        Tick what it needs
                      </button>
                    )}
                  </span>
                  {outcome.lacks.length > 0 && (
                    <span class="soft">
                      lacks {outcome.lacks.map((layer) => `${layerTitle[layer.name]} ${harmless(layer.is)}`).join(", ")}
                    </span>
                  )}
                  {outcome.unknown.length > 0 && (
                    <span class="soft">
                      not known:{" "}
                      {outcome.unknown.map((layer) => `${layerTitle[layer.name]} ${harmless(layer.is)}`).join(", ")}
                    </span>
                  )}
                </li>
              );
            })}
          </ul>
          {both.length > 0 && (
            <p class="soft">
              {both.map(harmless).join(" and ")} cannot drive the device at the same time; one of them would.
            </p>
          )}
        </div>
      </div>
      {ticked.length > 0 && (
        <div class="steps">
          <p class="legend-like">What that takes</p>
          <ol>
            {ticked.map((lack) => (
              <Step key={lack.key} lack={lack} />
            ))}
          </ol>
        </div>
      )}
    </details>
  );
}

function Step({ lack }: { readonly lack: Lack }) {
  return (
    <li>
      <b>
        {layerTitle[lack.layer]} <code>{harmless(lack.is)}</code>
      </b>
      {lack.remedies.length === 0 ? (
        <p class="soft">
          {lack.status === "unknown"
            ? "See whether it is there: it could not be looked at."
            : lack.layer === "driver" && lack.status === "faulty"
              ? "It is there and did not take the device; it may do so once what it needs is there."
              : "No finding says how; its evidence stands behind the layer above."}
        </p>
      ) : (
        lack.remedies.map((remedy, i) => (
          <div key={i}>
            <p>{harmless(remedy.says)}</p>
            <Commands commands={remedy.commands ?? []} />
          </div>
        ))
      )}
    </li>
  );
}
