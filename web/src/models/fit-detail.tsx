/** One device: its estimate with what it rests on, and by each compiler or delegate what is taken, refused and lacking. */

import { Badge, harmless, plural } from "../parts/index.ts";
import {
  askPlaced,
  type FitAnswer,
  type FitPlacementAnswer,
  type FitRowAnswer,
  type ModelAnswer,
  type WhatIf,
} from "./api.ts";
import { boundWords, fitMarks, milliseconds, shareWords } from "./fit-words.ts";
import { useLoaded } from "./load.ts";

export interface FitDetailProps {
  readonly model: ModelAnswer;
  readonly answer: FitAnswer;
  readonly row: FitRowAnswer;
  readonly asked: WhatIf;
}

export function FitDetail({ model, answer, row, asked }: FitDetailProps) {
  return (
    <>
      <h2 id="fit-one">{row.name}</h2>
      <p class="soft small">
        {[
          row.family,
          row.chip,
          row.watts === undefined ? undefined : `${row.watts.value} W`,
          row.here ? "in this machine" : undefined,
        ]
          .filter((word) => word !== undefined)
          .join(" · ")}
      </p>
      <Estimate row={row} />
      {row.placements.length === 0 && <p>No compiler or delegate of it is described: what it takes is not known.</p>}
      {row.placements.map((placement) => (
        <Placement key={placement.target} model={model} answer={answer} placement={placement} asked={asked} />
      ))}
    </>
  );
}

function Estimate({ row: { estimate } }: { readonly row: FitRowAnswer }) {
  const { median_ms: median, low_ms: low, high_ms: high, bound, basis, costly, nearest, says, kind, from } = estimate;
  const told = median !== undefined && low !== undefined && high !== undefined;
  return (
    <div class="card fit-estimate">
      {told ? (
        <>
          <p class="fit-big">
            {milliseconds(median)} ms{" "}
            <span class="soft">
              {milliseconds(low)} to {milliseconds(high)} ms
            </span>
          </p>
          <p>
            {from === "class"
              ? "Not from measurements of it"
              : kind === "maker"
                ? "As its maker would publish it"
                : "As others would measure it"}
            {bound !== undefined && <>; bound by {boundWords[bound]}</>}.
          </p>
        </>
      ) : (
        <p>
          <b>No estimate:</b> {harmless(says[0] ?? "nothing carries one")}
        </p>
      )}
      {costly.length > 0 && (
        <ul class="fit-costly" aria-label="What costs most">
          {costly.map(({ node, op, share }) => (
            <li key={node}>
              <span>
                {harmless(op)} <span class="soft">#{node}</span>
              </span>
              <span class="fit-bar" aria-hidden="true">
                <i style={{ width: `${Math.round(share * 100)}%` }} />
              </span>
              <span>{shareWords(share)}</span>
            </li>
          ))}
        </ul>
      )}
      {basis !== undefined && from === "class" && (
        <p class="soft small">
          Of chips left out like this half were missed by less than {shareWords(basis.median_error)}, nine of ten by
          less than {shareWords(basis.p90_error)}; {shareWords(basis.held)} lay between the bounds.
        </p>
      )}
      {basis !== undefined && from !== "class" && (
        <p class="soft small">
          From {plural(basis.rows, "measurement")} of this device
          {basis.rows >= 8 &&
            `: left out one model at a time, half were missed by less than ${shareWords(basis.median_error)}, nine of ten by less than ${shareWords(basis.p90_error)}`}
          .
        </p>
      )}
      {(told ? says : says.slice(1)).map((text) => (
        <p key={text} class="soft small">
          {harmless(text)}
        </p>
      ))}
      {nearest.length > 0 && (
        <>
          <h3>Measured</h3>
          <ul class="fit-nearest">
            {nearest.map(({ model, device, ms, says: how, source }) => (
              <li key={`${model} ${device} ${ms}`}>
                {harmless(model)} on {harmless(device)}: <b>{milliseconds(ms)} ms</b>
                {how !== "" && `, ${harmless(how)}`} <span class="soft small">{harmless(source)}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

function Placement({
  model,
  answer,
  placement,
  asked,
}: Omit<FitDetailProps, "row"> & { readonly placement: FitPlacementAnswer }) {
  const { target, fits, taken, total, cpu, unsure, partitions, share, once, prerequisites, refusals, more } = placement;
  const rules = answer.targets.find(({ id }) => id === target);
  const rest = [cpu > 0 ? `${cpu} on the CPU` : "", unsure > 0 ? `${unsure} not documented` : ""].filter(Boolean);
  return (
    <article class="card fit-placement" aria-label={target}>
      <h3>
        {rules === undefined ? target : `${rules.tool} ${rules.version}`} <Badge {...fitMarks[fits]} />
      </h3>
      <p>
        {taken} of {plural(total, "operator")}
        {taken > 0 && ` in ${plural(partitions, "partition")}`}
        {share !== undefined && taken > 0 && `, ${shareWords(share)} of the multiply-accumulates`}
        {rest.length > 0 && `; ${rest.join(", ")}`}
        {once !== undefined && (
          <>
            {" "}
            – <b>once {once}</b>
          </>
        )}
        .
      </p>
      <Ribbon model={model} target={target} asked={asked} />
      {prerequisites.some(({ met }) => met !== "yes") && (
        <ul class="fit-needs">
          {prerequisites
            .filter(({ met }) => met !== "yes")
            .map(({ says, met, cure }) => (
              <li key={says}>
                <Badge
                  symbol={met === "no" ? "✗" : "?"}
                  word={met === "no" ? "lacks" : "not known"}
                  tone={met === "no" ? "bad" : "unknown"}
                  bare
                />{" "}
                {harmless(says)}
                {met === "no" && cure !== undefined && <> → {harmless(cure)}</>}
              </li>
            ))}
        </ul>
      )}
      {refusals.length > 0 && (
        <table class="fit-refusals">
          <caption class="unseen">What {target} does not take</caption>
          <thead>
            <tr>
              <th scope="col">Operators</th>
              <th scope="col">Why</th>
            </tr>
          </thead>
          <tbody>
            {refusals.map(({ op, because, rule, count, nodes, unsure: open }) => (
              <tr key={`${op} ${rule} ${because}`}>
                <td>
                  {op === "*" ? "all" : `${count} ${harmless(op)}`}
                  {op !== "*" && (
                    <div class="soft small">
                      {nodes.map((node) => `#${node}`).join(" ")}
                      {count > nodes.length && " …"}
                    </div>
                  )}
                </td>
                <td>
                  {open === true && <span class="soft">not documented: </span>}
                  {harmless(because)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {more !== undefined && <p class="soft small">and {plural(more, "more reason")}: accelctl fit --json has all</p>}
      <p>
        <a href={`#/models/${model.id}/graph/${encodeURIComponent(target)}`}>See it in the graph →</a>
      </p>
    </article>
  );
}

/** All operators in the order they run, in the colours of their partitions. */
function Ribbon({
  model,
  target,
  asked,
}: {
  readonly model: ModelAnswer;
  readonly target: string;
  readonly asked: WhatIf;
}) {
  const [loaded] = useLoaded((signal) => askPlaced(model.id, target, asked, signal), [model.id, target, asked]);
  const stretches = loaded.value?.stretches ?? [];
  const total = stretches.reduce((sum, [, many]) => sum + many, 0);
  if (total === 0) return null;
  let at = 0;
  return (
    <svg
      class="fit-ribbon"
      viewBox={`0 0 ${total} 10`}
      preserveAspectRatio="none"
      role="img"
      aria-label={ribbonWords(stretches)}
    >
      {stretches.map(([state, many]) => {
        const x = at;
        at += many;
        return <rect key={x} class={`fit-${state}`} x={x} y={0} width={many} height={10} />;
      })}
    </svg>
  );
}

function ribbonWords(stretches: readonly (readonly [string, number])[]): string {
  const parts = stretches
    .slice(0, 12)
    .map(
      ([state, many]) =>
        `${many} ${state.startsWith("p") ? "taken" : state === "no" ? "refused" : state === "cpu" ? "on the CPU" : state}`,
    );
  return `In the order they run: ${parts.join(", ")}${stretches.length > 12 ? " and on" : ""}`;
}
