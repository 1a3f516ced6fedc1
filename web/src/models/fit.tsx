/** Where the model would run on every accelerator that is known: times with their bounds, and of the one that is chosen all that is said. */

import { useMemo, useState } from "preact/hooks";
import { Empty, ErrorBox, plural, Spinner } from "../parts/index.ts";
import { askFit, type FitAnswer, type FitRowAnswer, type WhatIf } from "./api.ts";
import { FitDetail } from "./fit-detail.tsx";
import { FitPlot, type Plotted } from "./fit-plot.tsx";
import "./fit.css";
import { useLoaded } from "./load.ts";
import type { TabProps } from "./model-page.tsx";

const AS_IT_IS: WhatIf = { precision: "", batch: "", input: "" };
/** Devices shown at first; the rest by a button. */
const SHOWN = 30;

export default function FitTab({ model }: TabProps) {
  const graphs = model.inspection?.graphs ?? [];
  if (!graphs.some(({ operators }) => operators > 0)) {
    return (
      <Empty title="Nothing of it can be placed.">
        <p>
          {model.inspection?.sealed === true
            ? "It was compiled for one chip. Upload the model it was made from."
            : "It holds weights, and no graph that says how they are used."}
        </p>
      </Empty>
    );
  }
  return <Fits model={model} />;
}

function Fits({ model }: Pick<TabProps, "model">) {
  const [asked, setAsked] = useState(AS_IT_IS);
  const [hereOnly, setHereOnly] = useState(false);
  const [wholeOnly, setWholeOnly] = useState(false);
  const [all, setAll] = useState(false);
  const [chosen, setChosen] = useState<string | undefined>(undefined);
  const [loaded, again] = useLoaded((signal) => askFit(model.id, asked, signal), [model.id, asked]);
  const answer = loaded.value;
  const { told, untold } = useMemo(() => sorted(answer), [answer]);
  const matches = ({ here, placements }: FitRowAnswer): boolean =>
    (!hereOnly || here) && (!wholeOnly || placements[0]?.fits === "whole");
  const rows = told.filter(({ row }) => matches(row));
  const rest = untold.filter(matches);
  const shown = all ? rows : rows.slice(0, SHOWN);
  const first = rows.find(({ row: { here } }) => here) ?? rows[0];
  const row = answer?.rows.find(({ device }) => device === chosen) ?? first?.row ?? rest[0];
  return (
    <div class="fit-tab">
      <p class="soft fit-intro">
        What compilers and delegates would take of this model, by their own rules, and how long one inference would
        take: a median, and the bounds between which 80 of 100 models lie. Nothing was run, and no device is needed.
      </p>
      <Controls asked={asked} onAsk={setAsked}>
        <label>
          <input type="checkbox" checked={hereOnly} onChange={(event) => setHereOnly(event.currentTarget.checked)} />{" "}
          only what is in this machine
        </label>
        <label>
          <input type="checkbox" checked={wholeOnly} onChange={(event) => setWholeOnly(event.currentTarget.checked)} />{" "}
          only what takes all of it
        </label>
      </Controls>
      {loaded.state === "failed" && <ErrorBox says={loaded.says} onRetry={again} />}
      {answer === undefined ? (
        loaded.state === "failed" ? null : (
          <Spinner says="Asking every compiler's rules" />
        )
      ) : (
        <>
          <Careful answer={answer} />
          <div class="fit-columns">
            <section aria-labelledby="fit-order">
              <h2 id="fit-order">How fast, the quickest first</h2>
              {rows.length === 0 ? (
                <p class="soft">
                  {hereOnly
                    ? "No accelerator of this machine has an estimate."
                    : "No published measurement carries an estimate for this model."}
                </p>
              ) : (
                <FitPlot rows={shown} chosen={row?.device} onChoose={setChosen} />
              )}
              {rows.length > shown.length && (
                <button type="button" class="small" onClick={() => setAll(true)}>
                  {plural(rows.length - shown.length, "slower one")}
                </button>
              )}
              {rest.length > 0 && <Untold rows={rest} chosen={row?.device} onChoose={setChosen} />}
            </section>
            <section aria-labelledby="fit-one" class="fit-one">
              {row === undefined ? (
                <h2 id="fit-one">Nothing is left to show</h2>
              ) : (
                <FitDetail key={row.device} model={model} answer={answer} row={row} asked={asked} />
              )}
            </section>
          </div>
        </>
      )}
    </div>
  );
}

function Controls({
  asked,
  onAsk,
  children,
}: {
  readonly asked: WhatIf;
  readonly onAsk: (what: WhatIf) => void;
  readonly children: preact.ComponentChildren;
}) {
  const [typed, setTyped] = useState(asked);
  return (
    <form
      class="fit-controls"
      aria-label="What if"
      onSubmit={(event) => {
        event.preventDefault();
        onAsk(typed);
      }}
    >
      <label>
        Types{" "}
        <select
          value={typed.precision}
          onChange={(event) => {
            const next = { ...typed, precision: event.currentTarget.value as WhatIf["precision"] }; // its own options
            setTyped(next);
            onAsk(next);
          }}
        >
          <option value="">as in the file</option>
          <option value="int8">int8</option>
          <option value="float16">float16</option>
          <option value="float32">float32</option>
        </select>
      </label>
      <label>
        Input{" "}
        <input
          type="text"
          size={8}
          inputMode="text"
          pattern="[0-9]+(x[0-9]+)?"
          placeholder="320x320"
          value={typed.input}
          onInput={(event) => setTyped({ ...typed, input: event.currentTarget.value.trim() })}
        />
      </label>
      <label>
        Batch{" "}
        <input
          type="number"
          min={1}
          max={4096}
          placeholder="1"
          value={typed.batch}
          onInput={(event) => setTyped({ ...typed, batch: event.currentTarget.value })}
        />
      </label>
      <button type="submit">What if</button>
      <span class="fit-filters">{children}</span>
    </form>
  );
}

function Careful({ answer }: { readonly answer: FitAnswer }) {
  const { findings, model } = answer;
  if (findings.length === 0 && model.assumed.length === 0) return null;
  return (
    <ul class="fit-careful">
      {model.assumed.map((text) => (
        <li key={text}>Assumed: {text}</li>
      ))}
      {findings.slice(0, 8).map((text) => (
        <li key={text}>Careful: {text}</li>
      ))}
    </ul>
  );
}

/** Those with an estimate by it; the others by name. */
function sorted(answer: FitAnswer | undefined): {
  readonly told: readonly Plotted[];
  readonly untold: readonly FitRowAnswer[];
} {
  const told: Plotted[] = [];
  const untold: FitRowAnswer[] = [];
  for (const row of answer?.rows ?? []) {
    const { median_ms: median, low_ms: low, high_ms: high } = row.estimate;
    if (median === undefined || low === undefined || high === undefined) untold.push(row);
    else told.push({ row, median, low, high });
  }
  const better = { whole: 0, part: 1, unsure: 2, none: 3 };
  const standing = ({ placements }: FitRowAnswer): number => better[placements[0]?.fits ?? "none"];
  return {
    told: told.sort((a, b) => a.median - b.median),
    untold: untold.sort(
      (a, b) => Number(b.here) - Number(a.here) || standing(a) - standing(b) || (a.name < b.name ? -1 : 1),
    ),
  };
}

function Untold({
  rows,
  chosen,
  onChoose,
}: {
  readonly rows: readonly FitRowAnswer[];
  readonly chosen: string | undefined;
  readonly onChoose: (device: string) => void;
}) {
  return (
    <details class="fit-untold" open={rows.some(({ here }) => here)}>
      <summary>Without an estimate: {plural(rows.length, "device")}</summary>
      <ul>
        {rows.map(({ device, name, placements, here }) => {
          const [best] = placements;
          return (
            <li key={device}>
              <button type="button" class="fit-name" aria-pressed={device === chosen} onClick={() => onChoose(device)}>
                {name}
              </button>{" "}
              <span class="soft">
                {here && "here; "}
                {best === undefined
                  ? "no rules of its compiler are known"
                  : `${best.taken} of ${best.total} operators by ${best.target}`}
              </span>
            </li>
          );
        })}
      </ul>
    </details>
  );
}
