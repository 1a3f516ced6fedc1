/** The machine in a few facts, and what became of its devices in a line. */

import type { Reading } from "../../../src/base/reading.ts";
import type { Report } from "../../../src/review/report.ts";
import { Badge, bytes, Facts, harmless, plural, severity, valueOf, works, type Fact } from "../parts/index.ts";
import type { Source } from "../report.ts";
import { Told } from "./told.tsx";

export function MachineHead({ report, source }: { readonly report: Report; readonly source: Source }) {
  const { machine, kernel } = report;
  const model = valueOf(machine.model);
  const facts: readonly Asked[] = [
    asked("Distribution", machine.distribution),
    kernel.release === null
      ? { name: "Kernel", value: undefined }
      : { name: "Kernel", value: harmless(kernel.release) },
    asked("Architecture", machine.arch),
    asked("Processor", machine.cpu),
    asked("Memory", machine.memory_bytes, bytes),
    asked("Accelerator framework", kernel.accel, (has) => (has ? "in this kernel" : "not in this kernel")),
    asked("Kernel taint", kernel.taint, (taint) => (taint === "" ? "none" : taint)),
    asked("Container", machine.container),
    asked("Virtual machine", machine.virtual),
  ];
  const known = facts.flatMap(({ name, value }): Fact[] => (value === undefined ? [] : [{ name, value }]));
  const uncaptured = facts.filter(({ value }) => value === undefined).map(({ name }) => lower(name));
  return (
    <header class="machine-head">
      <h1>{model === undefined ? nameless(source) : harmless(model)}</h1>
      <Summary report={report} />
      {source.kind === "server" ? null : <p class="unseen">not this machine</p>}
      {known.length > 0 && <Facts facts={known} />}
      {uncaptured.length > 0 && (
        <p class="not-read uncaptured">
          Not captured: {known.length === 0 ? "what machine this is" : uncaptured.join(", ")}
        </p>
      )}
    </header>
  );
}

/** Undefined: not captured, which is told of all such facts together. */
interface Asked {
  readonly name: string;
  readonly value: Fact["value"] | undefined;
}

const asked = <T,>(name: string, reading: Reading<T>, as?: (value: T) => string): Asked => ({
  name,
  value: reading.state === "uncaptured" ? undefined : <Told reading={reading} {...(as === undefined ? {} : { as })} />,
});

const lower = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

/** What a virtual machine, a container or a text does not tell. */
const nameless = (source: Source): string =>
  source.kind === "server" && source.name === undefined ? "This machine" : "Machine of unknown model";

/** "17 do not work", "1 does not work". */
const countOf = (n: number, state: "yes" | "no" | "unknown"): string =>
  `${n} ${n === 1 || state === "unknown" ? works[state].word : { yes: "work", no: "do not work" }[state]}`;

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
      <span>{devices.length === 0 ? "no accelerator" : plural(devices.length, "accelerator")}</span>
      {(["yes", "no", "unknown"] as const)
        .filter((state) => of(state) > 0)
        .map((state) => (
          <Badge key={state} {...works[state]} word={countOf(of(state), state)} />
        ))}
      {severe
        .filter(({ count }) => count > 0)
        .map(({ name, count }) => (
          <Badge key={name} {...severity[name]} word={plural(count, severity[name].word)} bare />
        ))}
    </p>
  );
}
