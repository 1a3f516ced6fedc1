/** What this kernel could drive, and what could not be looked at. */

import type { Ability, Report } from "../../../src/review/report.ts";
import { Badge, DataTable, EvidenceList, harmless, plural, type Column } from "../parts/index.ts";
import { abilityMark } from "./words.ts";

const columns: readonly Column<Ability>[] = [
  { key: "family", title: "Family", value: ({ family }) => family },
  { key: "route", title: "Route", value: ({ route }) => route },
  { key: "module", title: "Driver", value: ({ module }) => (module === "" ? undefined : module), mono: true },
  {
    key: "state",
    title: "In this kernel",
    value: ({ state }) => abilityMark[state].word,
    cell: ({ state }) => <Badge {...abilityMark[state]} bare />,
  },
  {
    key: "evidence",
    title: "Rests on",
    value: ({ evidence }) => evidence.map((one) => ("seen" in one ? one.seen : one.known)).join(" "),
    cell: ({ evidence }) => <EvidenceList evidence={evidence.slice(0, 1)} />,
  },
];

const able = new Set(["bound", "loaded", "built in", "shipped as a module"]);

export function Abilities({ report }: { readonly report: Report }) {
  const abilities = report.kernel.abilities ?? [];
  // Of a pasted text nothing is known of the kernel, and there is nothing to say.
  if (abilities.every(({ state }) => state === "unknown" || state === "not needed")) return null;
  const families = new Set(abilities.map(({ family }) => family)).size;
  const seen = abilities.filter(({ state }) => state !== "unknown" && state !== "not needed");
  const unseen = families - new Set(seen.map(({ family }) => family)).size;
  const can = new Set(abilities.filter(({ state }) => able.has(state)).map(({ family }) => family)).size;
  return (
    <section aria-labelledby="abilities">
      <h2 id="abilities">What this kernel could drive</h2>
      <p>
        It has a driver for {can} of {plural(families, "family", "families")} that can be plugged in
        {unseen > 0 && <>; of {unseen} that is not known</>}.
      </p>
      <details class="more">
        <summary>All drivers of the catalogue</summary>
        <DataTable
          label="Drivers of the catalogue in this kernel"
          rows={abilities}
          columns={columns}
          rowKey={({ family, route, module }) => `${family} ${route} ${module}`}
          noun="driver"
          filter
        />
      </details>
    </section>
  );
}

export function Blind({ report }: { readonly report: Report }) {
  if (report.blind.length === 0) return null;
  return (
    <section aria-labelledby="blind">
      <h2 id="blind">Not looked at</h2>
      <p class="soft">What rests on these is not known here; it is not missing.</p>
      <ul class="blind">
        {report.blind.map(({ path, because }) => (
          <li key={path}>
            <code>{harmless(path)}</code> <span class="not-read">{harmless(because)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
