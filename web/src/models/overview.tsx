/** What `accelctl inspect` says of the file, and where it runs on this machine. */

import type { ComponentChildren } from "preact";
import type { DeviceFit, Inspection, TensorReport } from "../../../src/inspect/inspection.ts";
import {
  Badge,
  bytes,
  Command,
  Commands,
  count,
  DataTable,
  EvidenceList,
  Facts,
  harmless,
  plural,
  severity,
  Source,
  works,
  type Fact,
  type Mark,
} from "../parts/index.ts";
import type { ModelAnswer } from "./api.ts";

export function Overview({ model }: { readonly model: ModelAnswer }) {
  const { inspection } = model;
  if (inspection === undefined) return null;
  return (
    <div class="overview">
      {model.missing.length > 0 && (
        <div class="callout" role="note">
          <b>It needs {plural(model.missing.length, "more file")}:</b>{" "}
          {model.missing.slice(0, 8).map((name) => (
            <code key={name}>{harmless(name)} </code>
          ))}
          Drop {model.missing.length === 1 ? "it" : "them"} here to run the model.
        </div>
      )}
      <Costs inspection={inspection} />
      <Findings inspection={inspection} />
      <div class="overview-columns">
        <section aria-labelledby="where-title">
          <h2 id="where-title">Where it runs here</h2>
          <Where model={model} />
        </section>
        <div>
          <section aria-labelledby="io-title">
            <h2 id="io-title">Inputs and outputs</h2>
            <Ports title="Inputs" ports={inspection.inputs} />
            <Ports title="Outputs" ports={inspection.outputs} />
          </section>
          <Operators inspection={inspection} />
        </div>
      </div>
      <Conversions inspection={inspection} />
      <Metadata inspection={inspection} />
    </div>
  );
}

const notTold = (why: string): ComponentChildren => <span class="not-read">{why}</span>;

function Costs({ inspection }: { readonly inspection: Inspection }) {
  const { cost, quantization, graphs, sealed } = inspection;
  const unseen = sealed ? "cannot be seen: compiled" : "shapes leave it open";
  const facts: Fact[] = [
    {
      name: "Multiply-accumulates a run",
      value:
        cost.macs !== undefined
          ? count(cost.macs)
          : cost.macs_at_least !== undefined && cost.macs_at_least > 0
            ? `at least ${count(cost.macs_at_least)}`
            : notTold(unseen),
    },
    {
      name: "Parameters",
      value: cost.parameters === undefined ? notTold("no weights can be seen") : count(cost.parameters),
    },
    {
      name: "Weights",
      value:
        cost.weight_bytes === undefined
          ? notTold("no weights can be seen")
          : `${bytes(cost.weight_bytes)}${
              cost.weights.length > 0
                ? ` · ${cost.weights
                    .map(({ type }) => type)
                    .slice(0, 3)
                    .join(", ")}`
                : ""
            }`,
    },
    {
      name: "Activations at their peak",
      value: cost.peak_activation_bytes === undefined ? notTold(unseen) : bytes(cost.peak_activation_bytes),
    },
    { name: "Quantisation", value: quantization?.says ?? notTold("cannot be told") },
    {
      name: "Operators",
      value:
        graphs.length === 0 || sealed
          ? notTold("cannot be seen")
          : String(graphs.reduce((sum, one) => sum + one.operators, 0)),
    },
  ];
  return (
    <div class="card costs">
      <Facts facts={facts} />
      {(cost.assumes !== undefined || cost.open > 0 || cost.custom > 0) && (
        <p class="soft small">
          {[
            cost.assumes === undefined ? "" : `For a ${cost.assumes}.`,
            cost.open === 0 ? "" : `Of ${plural(cost.open, "operator")} the file leaves the cost open.`,
            cost.custom === 0 ? "" : `Into ${plural(cost.custom, "operator")} nobody can see.`,
          ]
            .filter(Boolean)
            .join(" ")}
        </p>
      )}
    </div>
  );
}

function Findings({ inspection }: { readonly inspection: Inspection }) {
  const { integrity, unseen } = inspection;
  if (integrity.length === 0 && unseen.length === 0) return null;
  return (
    <section aria-labelledby="findings-title">
      <h2 id="findings-title">What was found in it</h2>
      <ul class="findings-list">
        {integrity.slice(0, 50).map(({ severity: how, says, offset, rule }) => (
          <li key={`${rule} ${offset ?? ""} ${says}`}>
            <Badge {...severity[how]} />
            <span>
              {harmless(says)}
              {offset !== undefined && <span class="soft"> at offset 0x{offset.toString(16)}</span>}
            </span>
          </li>
        ))}
        {integrity.length > 50 && <li class="soft">and {integrity.length - 50} more: accelctl inspect lists all</li>}
        {unseen.map((says) => (
          <li key={says}>
            <Badge symbol="?" word="not seen" tone="unknown" />
            <span>{harmless(says)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

const fits: Readonly<Record<DeviceFit["fits"], Mark>> = {
  yes: { symbol: "✓", word: "takes it", tone: "ok" },
  no: { symbol: "✗", word: "does not", tone: "bad" },
  unknown: { symbol: "?", word: "not known", tone: "unknown" },
  convert: { symbol: "→", word: "after conversion", tone: "maybe" },
};

function Where({ model }: { readonly model: ModelAnswer }) {
  const { inspection, offers, passed_over: passed } = model;
  // The catalogue's CPU is of libraries that are installed; where a package of ours runs it, its word would only confuse.
  const onCpu = offers.some(({ device }) => device === "cpu");
  const devices = (inspection?.machine?.devices ?? []).filter(({ family }) => family !== "cpu" || !onCpu);
  const locks = inspection?.machine?.locks ?? [];
  const [best] = offers;
  return (
    <>
      {best === undefined ? (
        <p>
          <Badge symbol="✗" word="nothing here runs it" tone="bad" />
        </p>
      ) : (
        <div class="card best">
          <p>
            <Badge symbol="✓" word="runs" tone="ok" /> best on <b>{best.name ?? best.device}</b> by {best.delegate.name}
            {best.route !== undefined && ` (route ${best.route})`}
          </p>
          <p class="soft small">{best.why}</p>
          <p>
            <a href={`#/models/${model.id}/run`}>Run it →</a>
          </p>
          {offers.length > 1 && (
            <p class="soft small">
              Also:{" "}
              {offers
                .slice(1)
                .map((offer) => `${offer.device} by ${offer.delegate.id}`)
                .join(", ")}
            </p>
          )}
        </div>
      )}
      {devices.map((device) => (
        <details key={device.device} class="fit">
          <summary>
            <Badge {...fits[device.fits]} />
            <b>{harmless(device.name)}</b>
            <span class="soft">{device.device}</span>
            <span class="fit-says">{harmless(device.says)}</span>
          </summary>
          {device.routes.length > 0 && (
            <ul class="fit-routes">
              {device.routes.map((route) => (
                <li key={route.route}>
                  <b>{route.route}</b>{" "}
                  <Badge
                    bare
                    {...(route.accepts
                      ? { symbol: "✓", word: "takes it", tone: "ok" as const }
                      : { symbol: "✗", word: "does not take it", tone: "bad" as const })}
                  />{" "}
                  <Badge bare {...works[route.works]} word={`route ${works[route.works].word}`} />
                  <span class="soft"> {harmless(route.says)}</span>
                </li>
              ))}
            </ul>
          )}
        </details>
      ))}
      {locks.length > 0 && (
        <>
          <h3>Versions that have to match</h3>
          <ul class="findings-list">
            {locks.map((lock) => (
              <li key={`${lock.lock} ${lock.needs}`}>
                <Badge
                  symbol={lock.state === "fits" ? "✓" : lock.state === "broken" ? "✗" : "?"}
                  word={lock.state === "unknown" ? "not known" : lock.state}
                  tone={lock.state === "fits" ? "ok" : lock.state === "broken" ? "bad" : "unknown"}
                />
                <span>
                  {harmless(lock.says)}
                  {lock.source !== undefined && (
                    <span class="soft small">
                      {" "}
                      <Source text={lock.source} />
                    </span>
                  )}
                </span>
              </li>
            ))}
          </ul>
        </>
      )}
      {passed.length > 0 && (
        <details class="passed">
          <summary>
            Passed over: {plural(passed.length, "way")} <span class="soft">and why</span>
          </summary>
          <ul>
            {passed.map(({ what, because, install }) => (
              <li key={`${what} ${because}`}>
                <b>{what}</b>: {harmless(because)}
                {install !== undefined && <Command text={`npm install ${install}`} />}
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

const shapeWords = (shape: TensorReport["shape"]): string =>
  shape === null
    ? "rank not known"
    : shape.length === 0
      ? "scalar"
      : shape.map((size) => String(size ?? "?")).join(" × ");

function scaleWords({ quantization }: TensorReport): string {
  if (quantization === undefined || quantization.scale.length === 0) return quantization?.scheme ?? "";
  const [scale] = quantization.scale;
  if (quantization.scale.length > 1)
    return `${quantization.scale.length} scales along axis ${quantization.axis ?? "?"}`;
  return `${Number(scale?.toPrecision(6))} × (q − ${quantization.zeroPoint[0] ?? 0})`;
}

function Ports({ title, ports }: { readonly title: string; readonly ports: readonly TensorReport[] }) {
  if (ports.length === 0) return <p class="soft">{title}: the file tells of none.</p>;
  return (
    <>
      <h3 class="ports-title">{title}</h3>
      <div class="tight">
        <DataTable
          label={title}
          rows={ports.map((port, index) => ({ ...port, index }))}
          rowKey={({ index }) => String(index)}
          columns={[
            { key: "name", title: "Name", value: ({ name }) => harmless(name), mono: true },
            { key: "type", title: "Type", value: ({ type }) => type },
            { key: "shape", title: "Shape", value: ({ shape }) => shapeWords(shape) },
            ...(ports.some(({ quantization }) => quantization !== undefined)
              ? [{ key: "real", title: "Real value", value: scaleWords }]
              : []),
          ]}
        />
      </div>
    </>
  );
}

function Operators({ inspection }: { readonly inspection: Inspection }) {
  const { operators, cost } = inspection;
  if (operators.length === 0) return null;
  const most = Math.max(1, ...operators.map(({ macs }) => macs ?? 0));
  return (
    <section aria-labelledby="operators-title">
      <h2 id="operators-title">Operators by kind</h2>
      <DataTable
        label="Operators by kind"
        noun="kind"
        filter={operators.length > 12}
        rows={operators}
        rowKey={({ spelled, domain }) => `${domain ?? ""} ${spelled}`}
        sort={{ key: "macs", down: true }}
        columns={[
          {
            key: "op",
            title: "Operator",
            value: ({ op, spelled }) => op ?? spelled,
            cell: ({ op, spelled, domain }) => (
              <>
                {harmless(op ?? spelled)}
                {op !== undefined && op !== spelled && <span class="soft small"> {harmless(spelled)}</span>}
                {op === undefined && <span class="soft small"> custom {domain}</span>}
              </>
            ),
          },
          { key: "count", title: "Count", value: (row) => row.count, align: "end" },
          {
            key: "macs",
            title: "MACs",
            value: ({ macs }) => macs,
            align: "end",
            cell: ({ macs }) => (macs === undefined ? "" : count(macs)),
          },
          {
            key: "share",
            title: "Share",
            value: ({ macs }) => macs,
            cell: ({ macs }) =>
              macs === undefined || macs === 0 || cost.macs === undefined ? null : (
                <meter class="share" min={0} max={most} value={macs}>
                  {Math.round((100 * macs) / cost.macs)} %
                </meter>
              ),
          },
        ]}
      />
    </section>
  );
}

function Conversions({ inspection }: { readonly inspection: Inspection }) {
  const conversions = inspection.machine?.conversions ?? [];
  if (conversions.length === 0) return null;
  return (
    <section aria-labelledby="conversions-title">
      <h2 id="conversions-title">What would convert it</h2>
      <div class="conversions">
        {conversions.map((conversion) => (
          <article class="card" key={`${conversion.family} ${conversion.to} ${conversion.tool}`}>
            <h3>
              {conversion.to} for {conversion.family}
            </h3>
            <p class="soft">
              by {conversion.tool}, {conversion.openness === "open" ? "open source" : conversion.openness}
            </p>
            <Commands commands={conversion.commands} />
            <ul class="needs">
              {conversion.needs.map(({ what, met, says }) => (
                <li key={what}>
                  <Badge
                    bare
                    symbol={met === "yes" ? "✓" : met === "no" ? "✗" : "?"}
                    word={what}
                    tone={met === "yes" ? "ok" : met === "no" ? "bad" : "unknown"}
                  />{" "}
                  <span class="soft">{harmless(says)}</span>
                </li>
              ))}
            </ul>
            <EvidenceList evidence={conversion.sources.map((source) => ({ known: "documented at", source }))} />
          </article>
        ))}
      </div>
    </section>
  );
}

function Metadata({ inspection }: { readonly inspection: Inspection }) {
  const { metadata, author, licence, description, labels, targets, requires } = inspection;
  const rows: Fact[] = [
    ...(description === undefined ? [] : [{ name: "Description", value: harmless(description) }]),
    ...(author === undefined ? [] : [{ name: "Author", value: harmless(author) }]),
    ...(licence === undefined ? [] : [{ name: "Licence", value: harmless(licence) }]),
    ...(targets.length === 0
      ? []
      : [{ name: "Made for", value: targets.map(({ says }) => harmless(says)).join(", ") }]),
    ...(requires.length === 0
      ? []
      : [
          {
            name: "Requires",
            value: requires.map(({ what, relation, version }) => `${what} ${relation} ${version}`).join(", "),
          },
        ]),
    ...(labels === undefined
      ? []
      : [
          {
            name: "Labels",
            value: `${labels.length}: ${labels.slice(0, 5).map(harmless).join(", ")}${labels.length > 5 ? " …" : ""}`,
          },
        ]),
    ...Object.entries(metadata).map(([name, value]) => ({ name: harmless(name), value: harmless(value) })),
  ];
  if (rows.length === 0) return null;
  return (
    <details class="metadata">
      <summary>
        <h2>What the file says of itself</h2>
      </summary>
      <Facts facts={rows} />
    </details>
  );
}
