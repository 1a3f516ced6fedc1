/** What came out of one run, or of two side by side. */

import { Badge, ErrorBox, harmless, percent, plural, seconds, type Mark } from "../parts/index.ts";
import type { Parity } from "../../../src/session/parity.ts";
import type { Proof } from "../../../src/proof/verdict.ts";
import type { RunAnswer, RunOutcome } from "./api.ts";
import { Output } from "./output.tsx";
import { Overlay } from "./overlay.tsx";
import { Spans } from "./spans.tsx";

export interface ResultsProps {
  readonly answer: RunAnswer;
  readonly picture: Blob | undefined;
}

export function Results({ answer, picture }: ResultsProps) {
  const [first, second] = answer.runs;
  return (
    <>
      {first !== undefined && second !== undefined && (
        <Comparison first={first} second={second} parity={answer.parity} />
      )}
      <div class={answer.runs.length > 1 ? "run-outcomes two" : "run-outcomes"}>
        {answer.runs.map((run, index) => (
          <Outcome key={index} run={run} picture={picture} />
        ))}
      </div>
    </>
  );
}

const verdicts: Readonly<Record<Proof["verdict"], Omit<Mark, "word">>> = {
  worked: { symbol: "✓", tone: "ok" },
  "did-not-move": { symbol: "✗", tone: "bad" },
  "cannot-tell": { symbol: "?", tone: "unknown" },
};

function Outcome({ run, picture }: { readonly run: RunOutcome; readonly picture: Blob | undefined }) {
  if ("error" in run) {
    return (
      <article class="card outcome">
        <h2>{run.device}</h2>
        <ErrorBox title="It did not run:" says={run.error} />
      </article>
    );
  }
  const { result, previews } = run;
  const { proof, read } = result;
  const showsPicture = picture !== undefined && run.picture !== undefined;
  return (
    <article class="card outcome" aria-label={`Run on ${result.device}`}>
      <h2>
        {result.device}{" "}
        <span class="soft">
          by {result.delegate.id} {result.delegate.version}
        </span>
      </h2>
      <p class="outcome-head">
        <b class="time">{seconds(median(result.runs_ms) / 1000)}</b>{" "}
        <span class="soft">
          {result.runs_ms.length > 1 ? `median of ${plural(result.runs_ms.length, "run")}` : "one run"}, opened in{" "}
          {seconds(result.opened_ms / 1000)}
        </span>
      </p>
      <p>
        <Badge {...verdicts[proof.verdict]} word={proof.says} />
      </p>
      {result.instead !== undefined && <p class="soft">{harmless(result.instead)}</p>}
      {result.runs_ms.length > 2 && <Runs runs={result.runs_ms} />}
      <div class="outcome-body">
        {showsPicture && <Overlay picture={picture} size={run.picture} read={read} map={run.map} />}
        <div class="outcome-words">
          {read !== undefined && <Read read={read} />}
          <h3>Outputs</h3>
          {result.outputs.map((output, index) => (
            <Output key={output.name} output={output} preview={previews[index]} brief={read !== undefined} />
          ))}
        </div>
      </div>
      {Object.keys(result.figures).length > 0 && (
        <>
          <h3>Measured by the runtime</h3>
          <ul class="figures">
            {Object.entries(result.figures).map(([name, value]) => (
              <li key={name}>
                {name.replaceAll("_", " ")} <b>{Number(value.toPrecision(4))}</b>
              </li>
            ))}
          </ul>
        </>
      )}
      {result.spans.length > 0 && <Spans spans={result.spans} />}
      <ProofBox proof={proof} placement={result.placement.says} />
      {result.assumed.length > 0 && (
        <details>
          <summary>What was assumed ({result.assumed.length})</summary>
          <ul>
            {result.assumed.map((says) => (
              <li key={says}>{harmless(says)}</li>
            ))}
          </ul>
        </details>
      )}
    </article>
  );
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** Bars of 2 pixels: many runs would make a picture wider than the page. */
const RUNS_SHOWN = 200;

function Runs({ runs }: { readonly runs: readonly number[] }) {
  const shown = runs.slice(-RUNS_SHOWN);
  const most = Math.max(...shown);
  const least = Math.min(...shown);
  const width = Math.max(3, Math.min(14, Math.floor(560 / shown.length)));
  const says = `${plural(runs.length, "run")}: fastest ${seconds(least / 1000)}, slowest ${seconds(most / 1000)}`;
  return (
    <figure class="runs">
      <svg
        viewBox={`0 0 ${shown.length * width} 40`}
        height="40"
        width={shown.length * width}
        role="img"
        aria-label={says}
      >
        {shown.map((ms, index) => {
          const height = Math.max(1, (38 * ms) / most);
          return <rect key={index} x={index * width} y={40 - height} width={width - 1} height={height} />;
        })}
      </svg>
      <figcaption class="soft small">{says}</figcaption>
    </figure>
  );
}

type ReadReport = NonNullable<Extract<RunOutcome, { result: unknown }>["result"]["read"]>;

/** The words of what is drawn. */
function Read({ read }: { readonly read: ReadReport }) {
  const { boxes = [], poses = [], classes = [] } = read;
  return (
    <div class="read">
      <p class="soft small">
        Read as {read.name}, because {harmless(read.because)}
        {read.assumed.length > 0 && `; assumed: ${read.assumed.map(harmless).join("; ")}`}
      </p>
      {boxes.length > 0 && (
        <ol class="read-list">
          {boxes.slice(0, 20).map((box, index) => (
            <li key={index}>
              <b>{harmless(box.label ?? (box.class === undefined ? "box" : `#${box.class}`))}</b> {percent(box.score)}{" "}
              <span class="soft small">
                {Math.round(box.left)}, {Math.round(box.top)} to {Math.round(box.right)}, {Math.round(box.bottom)}
              </span>
            </li>
          ))}
        </ol>
      )}
      {read.boxes?.length === 0 && <p>No box above the lowest score.</p>}
      {boxes.length > 20 && <p class="soft">and {boxes.length - 20} more boxes</p>}
      {poses.length > 0 && (
        <p>
          {plural(poses.length, "pose")} of {plural(poses[0]?.points.length ?? 0, "point")}
        </p>
      )}
      {classes.length > 0 && (
        <ul class="read-list">
          {classes.slice(0, 12).map(({ index, label, ratio }) => (
            <li key={index}>
              <b>{harmless(label ?? `class ${index}`)}</b> {percent(ratio)}{" "}
              <span class="soft small">of the picture</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function ProofBox({ proof, placement }: { readonly proof: Proof; readonly placement: string }) {
  return (
    <details class="proof">
      <summary>Which device worked, and how that is known</summary>
      <p>
        {proof.says}: {harmless(proof.because)}
      </p>
      <p class="soft">The runtime says: {harmless(placement)}</p>
      {proof.evidence.length > 0 && (
        <div class="scroll data-table" role="region" aria-label="Counters" tabIndex={0}>
          <table>
            <caption class="unseen">Counters before and after</caption>
            <thead>
              <tr>
                <th scope="col">Counts</th>
                <th scope="col" class="end">
                  Before
                </th>
                <th scope="col" class="end">
                  After
                </th>
                <th scope="col">Unit</th>
                <th scope="col">Where</th>
              </tr>
            </thead>
            <tbody>
              {proof.evidence.map(({ counter, counts, before, after, unit, path, moved }) => (
                <tr key={`${counter} ${path}`}>
                  <td>
                    <Badge
                      bare
                      symbol={moved === "yes" ? "✓" : moved === "no" ? "✗" : "?"}
                      word={moved === "yes" ? "moved" : moved === "no" ? "stood still" : "not known"}
                      tone={moved === "yes" ? "ok" : moved === "no" ? "bad" : "unknown"}
                    />{" "}
                    {harmless(counts)}
                  </td>
                  <td class="end">{before.toLocaleString("en")}</td>
                  <td class="end">{after.toLocaleString("en")}</td>
                  <td>{unit}</td>
                  <td class="mono">{harmless(path)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {proof.blind.length > 0 && (
        <ul>
          {proof.blind.map(({ path, because }) => (
            <li key={path}>
              <code>{harmless(path)}</code> {harmless(because)}
            </li>
          ))}
        </ul>
      )}
    </details>
  );
}

interface ComparisonProps {
  readonly first: RunOutcome;
  readonly second: RunOutcome;
  readonly parity: RunAnswer["parity"];
}

function Comparison({ first, second, parity }: ComparisonProps) {
  const times = [first, second].map((run) => ("error" in run ? undefined : median(run.result.runs_ms)));
  const most = Math.max(...times.map((time) => time ?? 0));
  return (
    <section class="card comparison" aria-labelledby="comparison-title">
      <h2 id="comparison-title">Side by side</h2>
      <dl class="bars">
        {[first, second].map((run, index) => {
          const time = times[index];
          return (
            <div key={index}>
              <dt>{"error" in run ? run.device : `${run.result.device} by ${run.result.delegate.id}`}</dt>
              <dd>
                {time === undefined ? (
                  <span class="not-read">did not run</span>
                ) : (
                  <>
                    <meter min={0} max={most} value={time} />
                    <b>{seconds(time / 1000)}</b>
                  </>
                )}
              </dd>
            </div>
          );
        })}
      </dl>
      <p>{verdictOf(first, second)}</p>
      {parity !== undefined && (
        <div class="scroll data-table" role="region" aria-label="Outputs held against each other" tabIndex={0}>
          <table>
            <caption class="unseen">Outputs of the second run held against the first</caption>
            <thead>
              <tr>
                <th scope="col">Output</th>
                <th scope="col">Alike</th>
                <th scope="col" class="end">
                  Largest difference
                </th>
                <th scope="col" class="end">
                  Cosine
                </th>
                <th scope="col" class="end">
                  Signal to noise
                </th>
                <th scope="col">First five</th>
              </tr>
            </thead>
            <tbody>
              {parity.map((one, index) =>
                typeof one === "string" ? (
                  <tr key={index}>
                    <td colSpan={6}>{harmless(one)}</td>
                  </tr>
                ) : (
                  <ParityRow key={index} parity={one} />
                ),
              )}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

/** Said only where the middle halves of both lie apart: the first runs of a process, and whatever else the machine does, spread them. */
function verdictOf(first: RunOutcome, second: RunOutcome): string {
  if ("error" in first || "error" in second) return "";
  const [a, b] = [quartiles(first.result.runs_ms), quartiles(second.result.runs_ms)];
  if (first.result.runs_ms.length < 5 || second.result.runs_ms.length < 5) {
    return "Too few runs to tell which is faster: five of each are needed.";
  }
  if (a.low > b.high) return `The second is ${(a.middle / b.middle).toFixed(1)} × as fast as the first.`;
  if (b.low > a.high) return `The first is ${(b.middle / a.middle).toFixed(1)} × as fast as the second.`;
  return "Their times overlap: no difference can be told from these runs. accelctl bench runs them in turns.";
}

function quartiles(values: readonly number[]): {
  readonly low: number;
  readonly middle: number;
  readonly high: number;
} {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { low: at(0.25), middle: median(values), high: at(0.75) };
}

function ParityRow({ parity }: { readonly parity: Parity }) {
  const { output, identical, max_abs, cosine, snr_db, top, not_finite } = parity;
  return (
    <tr>
      <td class="mono">{harmless(output)}</td>
      <td>
        {identical ? (
          <Badge bare symbol="✓" word="identical" tone="ok" />
        ) : (
          <Badge
            bare
            symbol={(cosine ?? 0) > 0.999 ? "≈" : "≠"}
            word={(cosine ?? 0) > 0.999 ? "close" : "differs"}
            tone={(cosine ?? 0) > 0.999 ? "plain" : "maybe"}
          />
        )}
        {not_finite > 0 && ` ${not_finite} no number on one side`}
      </td>
      <td class="end">{max_abs === 0 ? "0" : max_abs.toPrecision(3)}</td>
      <td class="end">{cosine === undefined ? "" : cosine.toFixed(6)}</td>
      <td class="end">{snr_db === undefined ? "" : `${snr_db.toFixed(1)} dB`}</td>
      <td>
        {top === undefined
          ? ""
          : `${top.first ? "the same first" : "another first"}, ${top.shared} of ${top.of} shared`}
      </td>
    </tr>
  );
}
