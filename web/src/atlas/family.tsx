/** One family whole: chips, routes as the stacks they are, metrics, traps, how it was verified; each fact with its source. */

import type { ComponentChildren } from "preact";
import type { Openness } from "../../../src/base/finding.ts";
import { Command, Empty, Facts, harmless, opennessWord, OutLink, plural, type Fact } from "../parts/index.ts";
import { busWord, layers, matchWord, opsWord, originWord, useWord, type Atlas, type AtlasFamily } from "./data.ts";
import { OpennessLegend } from "./landscape.tsx";
import { Notes, Ref, SourceList } from "./sources.tsx";
import { EventList } from "./timeline.tsx";

export interface FamilyPageProps {
  readonly atlas: Atlas;
  readonly id: string;
  /** Names of this family's devices in the machine in sight. */
  readonly here: readonly string[] | undefined;
}

export function FamilyPage({ atlas, id, here }: FamilyPageProps) {
  const family = atlas.families.find((one) => one.id === id || one.aliases?.includes(id) === true);
  const back = (
    <p class="back">
      <a href="#/atlas">‹ all families</a>
    </p>
  );
  if (family === undefined) {
    return (
      <>
        {back}
        <h1>{harmless(id)}</h1>
        <Empty title="No family of this name is in the atlas." />
      </>
    );
  }
  const notes = new Notes(atlas);
  const events = atlas.events.filter((event) => event.family === family.id);
  return (
    <>
      {back}
      <h1>
        {family.name} {here !== undefined && <span class="badge note">here: {harmless(here.join(", "))}</span>}
      </h1>
      <p class="lead">{family.says}</p>
      <Facts facts={factsOf(family, notes)} />
      <p>
        <b>How open.</b> {family.openness.says}.{" "}
        <span class="soft">{layers.map((layer) => `${layer} ${opennessWord[family.openness[layer]]}`).join(", ")}</span>
      </p>
      <h2>Chips</h2>
      {family.chips.length === 0 ? (
        <p class="soft">No id of a chip is public.</p>
      ) : (
        <Chips family={family} notes={notes} />
      )}
      <h2>Routes</h2>
      {family.routes.length === 0 ? (
        <p class="soft">No Linux route is public.</p>
      ) : (
        <>
          <OpennessLegend />
          <Stacks family={family} notes={notes} />
        </>
      )}
      {family.metrics !== undefined && family.metrics.length > 0 && (
        <>
          <h2>Telemetry</h2>
          <div class="scroll" role="region" aria-label="Metrics" tabIndex={0}>
            <table class="plain">
              <thead>
                <tr>
                  <th scope="col">Metric</th>
                  <th scope="col">Read from</th>
                  <th scope="col">Linux</th>
                  <th scope="col">Beware</th>
                </tr>
              </thead>
              <tbody>
                {family.metrics.map((metric, i) => (
                  <tr key={i}>
                    <th scope="row">
                      <code>{metric.name}</code>
                    </th>
                    <td>
                      <code>{metric.read}</code> <Ref notes={notes} at={metric.source} />
                    </td>
                    <td>{metric.since === undefined ? "" : `${metric.since}+`}</td>
                    <td>
                      {[metric.wakes === true ? "wakes the device" : "", metric.root === true ? "needs root" : ""]
                        .filter(Boolean)
                        .join(", ")}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
      {family.traps !== undefined && family.traps.length > 0 && (
        <>
          <h2>Traps</h2>
          <ul>
            {family.traps.map((trap) => (
              <li key={trap}>{trap}</li>
            ))}
          </ul>
        </>
      )}
      {events.length > 0 && (
        <>
          <h2>Timeline</h2>
          <EventList atlas={atlas} events={events} plain />
        </>
      )}
      <h2>How verified</h2>
      <ul>
        {family.verified.map(({ how, says }) => (
          <li key={how + says}>
            <b>{how}</b>: {says}
          </li>
        ))}
      </ul>
      {family.unknown !== undefined && family.unknown.length > 0 && (
        <p class="soft">
          <b>Not known:</b> {family.unknown.join("; ")}.
        </p>
      )}
      <h2>Sources</h2>
      <Numbered family={family} notes={notes} />
      <Command text={`accelctl catalog ${family.id}`} />
    </>
  );
}

/** After everything else was drawn: by then all sources are numbered. */
function Numbered({ family, notes }: { readonly family: AtlasFamily; readonly notes: Notes }) {
  for (const at of family.sources) notes.number(at);
  return <SourceList notes={notes} />;
}

function factsOf(family: AtlasFamily, notes: Notes): Fact[] {
  const { architectureDetail: detail, facets } = family;
  return [
    { name: "Vendor", value: family.vendor },
    {
      name: "Architecture",
      value: (
        <>
          {family.architecture === "unknown" ? "not known" : family.architecture}
          {detail !== undefined && (
            <>
              : {detail.value} <Ref notes={notes} at={detail.source} />
            </>
          )}
        </>
      ),
    },
    { name: "Used for", value: useWord[family.use] },
    { name: "Bus", value: facets.bus.length === 0 ? "not known" : facets.bus.map((bus) => busWord[bus]).join(", ") },
    { name: "Kernel driver", value: facets.origin.map((origin) => originWord[origin]).join(", ") },
    { name: "First in Linux", value: family.since ?? "not in mainline, or not known since when" },
    { name: "Maintained", value: family.maintained },
    ...(family.aliases === undefined ? [] : [{ name: "Also called", value: family.aliases.join(", ") }]),
  ];
}

function Chips({ family, notes }: { readonly family: AtlasFamily; readonly notes: Notes }) {
  return (
    <div class="scroll" role="region" aria-label="Chips" tabIndex={0}>
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">Chip</th>
            <th scope="col">Announces itself as</th>
            <th scope="col">Peak</th>
            <th scope="col">Power</th>
            <th scope="col">Memory</th>
            <th scope="col">Cores</th>
          </tr>
        </thead>
        <tbody>
          {family.chips.map((chip) => (
            <tr key={chip.id}>
              <th scope="row">
                {chip.name} <Ref notes={notes} at={chip.source} />
              </th>
              <td>
                {chip.matches.map((match) => (
                  <code key={matchWord(match)} class="match">
                    {matchWord(match)}
                  </code>
                ))}
              </td>
              <td>
                {chip.peak?.map(({ ops, precision, watts, source }) => (
                  <div key={precision}>
                    {opsWord(ops)} {precision} <Ref notes={notes} at={source} />
                    {watts !== undefined && (
                      <>
                        {" "}
                        at {watts.value} W <Ref notes={notes} at={watts.source} />
                      </>
                    )}
                  </div>
                ))}
              </td>
              <FactCell fact={chip.watts} notes={notes} unit=" W" />
              <FactCell fact={chip.memory} notes={notes} />
              <FactCell fact={chip.cores} notes={notes} />
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface FactCellProps {
  readonly fact: { readonly value: string | number; readonly source: number } | undefined;
  readonly notes: Notes;
  readonly unit?: string;
}

function FactCell({ fact, notes, unit = "" }: FactCellProps) {
  return (
    <td>
      {fact !== undefined && (
        <>
          {fact.value}
          {unit} <Ref notes={notes} at={fact.source} />
        </>
      )}
    </td>
  );
}

interface Cell {
  readonly is: ComponentChildren;
  readonly openness: Openness;
  readonly sources: readonly number[];
}
type Route = AtlasFamily["routes"][number];

/** From what a program brings down to the silicon. */
const rows: readonly { readonly name: string; readonly of: (route: Route, family: AtlasFamily) => Cell }[] = [
  {
    name: "Model",
    of: ({ models }) => ({
      is:
        models.length === 0
          ? "not known"
          : models
              .map(({ format, compiler }) => `${format}${compiler === undefined ? "" : ` by ${compiler}`}`)
              .join(", "),
      openness: models[0]?.openness ?? "unknown",
      sources: [],
    }),
  },
  {
    name: "Delegate",
    of: ({ delegate }) => ({ is: delegate.name, openness: delegate.openness, sources: [delegate.source] }),
  },
  {
    name: "Runtime",
    of: ({ runtime }) => ({
      is: (
        <>
          {runtime.name}
          {runtime.libraries.length > 0 && <code>{runtime.libraries.join(", ")}</code>}
        </>
      ),
      openness: runtime.openness,
      sources: [runtime.source],
    }),
  },
  {
    name: "Node",
    of: ({ node }) => ({
      is: node === undefined ? "none" : <code>{[...node.paths, ...(node.also ?? [])].join(", ")}</code>,
      openness: "none",
      sources: node === undefined ? [] : [node.source],
    }),
  },
  {
    name: "Firmware",
    of: ({ firmware }) => ({
      is:
        firmware === undefined ? (
          "none needed"
        ) : firmware.files.length === 0 ? (
          (firmware.elsewhere ?? "not known")
        ) : (
          <code>
            {firmware.files
              .slice(0, 3)
              .map(({ path }) => path)
              .join(", ")}
            {firmware.files.length > 3 && ` and ${plural(firmware.files.length - 3, "more file")}`}
          </code>
        ),
      openness: firmware?.openness ?? "none",
      sources: [...new Set(firmware?.files.map(({ source }) => source))],
    }),
  },
  {
    name: "Driver",
    of: ({ driver }) => ({
      is:
        driver.origin === "none" ? (
          "none needed"
        ) : (
          <>
            {driver.module === undefined ? "not named" : <code>{driver.module}</code>}
            {[
              originWord[driver.origin],
              driver.since === undefined ? "" : `since Linux ${driver.since}`,
              driver.until === undefined ? "" : `gone in ${driver.until}`,
              driver.config === undefined ? "" : `CONFIG_${driver.config.symbol}`,
              driver.licence ?? "",
            ]
              .filter(Boolean)
              .join(", ")}
          </>
        ),
      openness: driver.origin === "none" ? "none" : driver.openness,
      sources: [driver.source],
    }),
  },
  {
    name: "Silicon",
    of: ({ chips }, family) => ({
      is:
        chips === undefined
          ? "all chips"
          : chips.map((chip) => family.chips.find(({ id }) => id === chip)?.name ?? chip).join(", "),
      openness: "none",
      sources: [],
    }),
  },
];

function Stacks({ family, notes }: { readonly family: AtlasFamily; readonly notes: Notes }) {
  return (
    <div class="scroll" role="region" aria-label={`Routes of ${family.name}`} tabIndex={0}>
      <table class="atlas-stacks">
        <thead>
          <tr>
            <td />
            {family.routes.map(({ name, says }) => (
              <th key={name} scope="col">
                {name} <span class="soft">{says}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, of }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {family.routes.map((route) => {
                const { is, openness, sources } = of(route, family);
                return (
                  <td key={route.name} class={`o-${openness}`}>
                    <div class="is">{is}</div>
                    <div class="how">
                      {openness !== "none" && <span>{opennessWord[openness]}</span>}{" "}
                      {sources.map((at) => (
                        <Ref key={at} notes={notes} at={at} />
                      ))}
                      {name === "Driver" && route.driver.repository !== undefined && (
                        <OutLink to={route.driver.repository}>repository</OutLink>
                      )}
                    </div>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
