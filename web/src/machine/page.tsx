/** The report as a page; what the server shows and what is exported are the same. */

import { useEffect, useRef } from "preact/hooks";
import type { Report } from "../../../src/review/report.ts";
import { Empty, plural } from "../parts/index.ts";
import type { Source } from "../report.ts";
import { Abilities, Blind } from "./kernel.tsx";
import { DeviceCard } from "./device.tsx";
import { Findings } from "./findings.tsx";
import { MachineHead } from "./head.tsx";
import { LayerDrawer } from "./layer-drawer.tsx";
import { Legend } from "./legend.tsx";
import { SourceBar } from "./source-bar.tsx";
import { addressOf, go } from "./where.ts";

/** From so many devices on, cards show their heads only until they are opened. */
const MANY = 4;

export interface MachinePageProps {
  readonly report: Report;
  readonly source: Source;
  /** Device, route and layer in the address. */
  readonly path: readonly string[];
}

export function MachinePage({ report, source, path }: MachinePageProps) {
  const [wanted, route, layer] = path;
  const all = [...report.devices, ...report.dormant];
  const device = all.find(({ id, address }) => id === wanted || address === wanted);
  const many = all.filter(({ bus }) => bus !== "cpu").length > MANY;
  const at = useRef<HTMLDivElement>(null);
  // An address that names a device brings it into sight; a layer's drawer opens where one is.
  useEffect(() => {
    if (device === undefined || layer !== undefined) return;
    const card = at.current?.querySelector(`[data-device="${CSS.escape(device.id)}"]`);
    if (card !== null && card !== undefined && card.getBoundingClientRect().top > window.innerHeight * 0.8) {
      card.scrollIntoView({ block: "start" });
    }
  }, [device?.id]);
  const accelerators = report.devices.filter(({ bus }) => bus !== "cpu");
  const cards = (devices: Report["devices"]) =>
    devices.map((one) => (
      <DeviceCard
        key={one.id}
        device={one}
        report={report}
        open={one === device || (!many && one.bus !== "cpu") || (accelerators.length === 0 && one.bus === "cpu")}
        chosen={one === device}
      />
    ));
  return (
    <div class="machine" ref={at}>
      <SourceBar />
      <MachineHead report={report} source={source} />
      {wanted !== undefined && device === undefined && (
        <p class="gone" role="status">
          There is no device “{wanted}” in this report.
        </p>
      )}
      <section aria-labelledby="devices">
        <div class="section-head">
          <h2 id="devices">Devices</h2>
          <Legend />
        </div>
        {accelerators.length === 0 && <NoneFound report={report} />}
        {cards(report.devices)}
      </section>
      {report.dormant.length > 0 && (
        <section aria-labelledby="dormant">
          <h2 id="dormant">Switched off in the device tree</h2>
          <p class="soft">
            {plural(report.dormant.length, "accelerator")} that the device tree describes and does not enable.
          </p>
          {cards(report.dormant)}
        </section>
      )}
      <Findings report={report} />
      <Abilities report={report} />
      <Blind report={report} />
      {device !== undefined && route !== undefined && layer !== undefined && (
        <LayerDrawer
          key={addressOf(device.id, route, layer)}
          report={report}
          device={device}
          route={route}
          layer={layer}
          onClose={() => go(device.id)}
        />
      )}
    </div>
  );
}

function NoneFound({ report }: { readonly report: Report }) {
  const unseen = report.blind.some(({ path }) => path.startsWith("/sys/bus/pci"));
  return (
    <Empty
      title={
        report.dormant.length > 0
          ? "No AI accelerator is switched on."
          : unseen
            ? "No AI accelerator seen."
            : "No AI accelerator found besides the processor."
      }
    >
      <p>
        {unseen
          ? "The PCI bus could not be looked at, so there may be one."
          : "What this kernel could drive, were it plugged in, is told below."}
      </p>
    </Empty>
  );
}
