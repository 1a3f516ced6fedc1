/** The machine in a few facts, and what became of its devices in a line. */

import type { Report } from "../../../src/review/report.ts";
import { Badge, bytes, Facts, harmless, plural, severity, valueOf, works, type Fact } from "../parts/index.ts";
import type { Source } from "../report.ts";
import { Told } from "./told.tsx";

export function MachineHead({ report, source }: { readonly report: Report; readonly source: Source }) {
  const { machine, kernel } = report;
  const model = valueOf(machine.model);
  const facts: readonly (Fact | undefined)[] = [
    { name: "Distribution", value: <Told reading={machine.distribution} /> },
    {
      name: "Kernel",
      value: kernel.release === null ? <span class="not-read">not captured</span> : harmless(kernel.release),
    },
    { name: "Architecture", value: <Told reading={machine.arch} /> },
    { name: "Processor", value: <Told reading={machine.cpu} /> },
    { name: "Memory", value: <Told reading={machine.memory_bytes} as={bytes} /> },
    {
      name: "Accelerator framework",
      value: <Told reading={kernel.accel} as={(has) => (has ? "in this kernel" : "not in this kernel")} />,
    },
    { name: "Kernel taint", value: <Told reading={kernel.taint} as={(taint) => (taint === "" ? "none" : taint)} /> },
    { name: "Container", value: <Told reading={machine.container} /> },
    { name: "Virtual machine", value: <Told reading={machine.virtual} /> },
  ];
  return (
    <header class="machine-head">
      <h1>{model === undefined ? "Machine of unknown model" : harmless(model)}</h1>
      <Summary report={report} />
      {source.kind === "server" ? null : <p class="unseen">not this machine</p>}
      <Facts facts={facts.filter((fact) => fact !== undefined)} />
    </header>
  );
}

function Summary({ report }: { readonly report: Report }) {
  const devices = report.devices.filter(({ bus }) => bus !== "cpu");
  const of = (state: "yes" | "no" | "unknown"): number =>
    devices.filter(({ verdict }) => verdict.works === state).length;
  const severe = (["error", "warning"] as const).map((name) => ({
    name,
    count: report.findings.filter((finding) => finding.severity === name).length,
  }));
  return (
    <p class="summary">
      <span>{plural(devices.length, "accelerator")}</span>
      {(["yes", "no", "unknown"] as const)
        .filter((state) => of(state) > 0)
        .map((state) => (
          <Badge key={state} {...works[state]} word={`${of(state)} ${works[state].word}`} />
        ))}
      {severe
        .filter(({ count }) => count > 0)
        .map(({ name, count }) => (
          <Badge key={name} {...severity[name]} word={plural(count, severity[name].word)} bare />
        ))}
    </p>
  );
}
