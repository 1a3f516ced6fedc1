/** The graph of a model: a canvas to move about in, a search, what is known of an operator, and all operators as a table. */

import { useEffect, useRef, useState } from "preact/hooks";
import { announce, Empty, ErrorBox, plural, Spinner } from "../parts/index.ts";
import { theme } from "../parts/theme.ts";
import { askGraph, type GraphAnswer } from "./api.ts";
import { graphCanvas, type Anchor, type GraphCanvas } from "./graph-canvas.ts";
import { colourGroups, groupOf } from "./graph-draw.ts";
import { boxOfNode, sceneOf, type Scene } from "./graph-scene.ts";
import { GraphSearch } from "./graph-search.tsx";
import { stateWords } from "./fit-words.ts";
import "./fit.css";
import { useLoaded } from "./load.ts";
import type { TabProps } from "./model-page.tsx";
import { OperatorPanel } from "./operator-panel.tsx";
import { OperatorTable } from "./operator-table.tsx";

/** What the canvas does once another graph has come. */
type Next = { readonly keep: Anchor } | { readonly node: number } | undefined;

export default function GraphTab({ model, more }: TabProps) {
  const graphs = model.inspection?.graphs ?? [];
  if (!graphs.some(({ operators }) => operators > 0)) {
    return (
      <Empty title="No graph can be seen in this file.">
        <p>
          {model.inspection?.sealed === true
            ? "It was compiled for one chip: its operators are no longer in it."
            : "It holds weights, and nothing that says how they are used."}
        </p>
      </Empty>
    );
  }
  return <GraphView model={model} by={more === undefined || more === "" ? undefined : decodeURIComponent(more)} />;
}

function GraphView({ model, by }: Pick<TabProps, "model"> & { readonly by: string | undefined }) {
  const [wish, setWish] = useState<{ graph: number | undefined; open: readonly string[] | undefined; whole: boolean }>({
    graph: undefined,
    open: undefined,
    whole: false,
  });
  const [node, setNode] = useState<number | undefined>(undefined);
  const next = useRef<Next>(undefined);
  const [loaded, again] = useLoaded((signal) => askGraph(model.id, { ...wish, by }, signal), [model.id, wish, by]);
  const answer = loaded.value;
  const change = (to: Partial<typeof wish>, then: Next): void => {
    next.current = then;
    setWish((now) => ({ ...now, ...to }));
  };
  const opened = wish.open ?? answer?.opened.map(({ block }) => block) ?? [];
  const open = (block: string, keep: Anchor | undefined): void => {
    change({ open: [...opened, block] }, keep === undefined ? undefined : { keep });
    announce("block unfolded");
  };
  const fold = (block: string, keep: Anchor | undefined): void => {
    const left = opened.filter((other) => other !== block && !liesIn(other, block));
    change({ open: left, whole: false }, keep === undefined ? undefined : { keep });
    announce("block folded");
  };
  const reach = (to: number, blocks: readonly string[]): void => {
    setNode(to);
    change({ open: [...new Set([...opened, ...blocks])] }, { node: to });
  };
  const graphIndex = answer?.graph ?? 0;
  return (
    <div class="graph-tab">
      <p class="soft graph-says">{answer === undefined ? " " : saysOf(answer)}</p>
      <div class={node === undefined ? "graph-row" : "graph-row with-panel"}>
        <div class="graph-main">
          <div class="graph-bar">
            <GraphSearch id={model.id} graph={graphIndex} onReach={reach} />
            {by !== undefined && (
              <span class="graph-by">
                Coloured by what <b>{by}</b> takes{" "}
                <a href={`#/models/${model.id}/graph`}>by kind of operator instead</a>
              </span>
            )}
            {answer !== undefined && answer.graphs.length > 1 && (
              <label>
                Graph{" "}
                <select
                  value={String(graphIndex)}
                  onChange={(event) => {
                    setNode(undefined);
                    change({ graph: Number(event.currentTarget.value), open: undefined, whole: false }, undefined);
                  }}
                >
                  {answer.graphs.map(({ name, operators }, index) => (
                    <option key={index} value={String(index)}>
                      {name === "" ? `graph ${index}` : name} ({operators})
                    </option>
                  ))}
                </select>
              </label>
            )}
            {answer?.folded === true && (
              <span class="graph-levels" role="group" aria-label="How much is unfolded">
                <button
                  type="button"
                  class="small"
                  aria-pressed={!wish.whole && wish.open === undefined}
                  onClick={() => change({ open: undefined, whole: false }, undefined)}
                >
                  Blocks
                </button>
                <button
                  type="button"
                  class="small"
                  aria-pressed={wish.whole}
                  disabled={!answer.can_be_whole}
                  title={answer.can_be_whole ? undefined : "too many operators to be drawn one by one: unfold blocks"}
                  onClick={() => change({ whole: true }, undefined)}
                >
                  Every operator
                </button>
              </span>
            )}
          </div>
          {loaded.state === "failed" && <ErrorBox says={loaded.says} onRetry={again} />}
          {answer === undefined ? (
            <div class="graph-canvas-box">
              <Spinner says="Laying out the graph" />
            </div>
          ) : (
            <Drawn
              answer={answer}
              name={model.name}
              node={node}
              next={next}
              onNode={setNode}
              onOpen={open}
              onFold={fold}
            />
          )}
        </div>
        {node !== undefined && (
          <OperatorPanel
            id={model.id}
            graph={graphIndex}
            node={node}
            by={answer?.by}
            onReach={reach}
            onGraph={(graph) => {
              setNode(undefined);
              change({ graph, open: undefined, whole: false }, undefined);
            }}
            onClose={() => setNode(undefined)}
          />
        )}
      </div>
      <OperatorTable key={graphIndex} id={model.id} graph={graphIndex} onReach={reach} />
    </div>
  );
}

function saysOf({ boxes, graphs, graph, folded, whole }: GraphAnswer): string {
  const operators = graphs[graph]?.operators ?? 0;
  const drawn = boxes.filter((box) => box.operators > 0).length;
  const all = `${operators.toLocaleString("en")} ${operators === 1 ? "operator" : "operators"}`;
  return !folded || whole
    ? all
    : `${all} in ${plural(drawn, "box", "boxes")}: a box with a second edge unfolds when it is pressed`;
}

/** Blocks are stretches, "from-to". */
function liesIn(inner: string, outer: string): boolean {
  const [a = 0, b = 0] = inner.split("-").map(Number);
  const [from = 0, to = 0] = outer.split("-").map(Number);
  return from <= a && b <= to;
}

interface DrawnProps {
  readonly answer: GraphAnswer;
  readonly name: string;
  readonly node: number | undefined;
  readonly next: { current: Next };
  readonly onNode: (node: number | undefined) => void;
  readonly onOpen: (block: string, keep: Anchor | undefined) => void;
  readonly onFold: (block: string, keep: Anchor | undefined) => void;
}

const groupWords: Readonly<Partial<Record<(typeof colourGroups)[number], string>>> = {
  compute: "convolution, matrix",
  activation: "activation, norm",
  reduce: "pool, reduce",
  shape: "shape",
  quantise: "quantise",
  other: "elementwise, other",
  custom: "custom",
  block: "block",
};

function Drawn({ answer, name, node, next, onNode, onOpen, onFold }: DrawnProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const drawing = useRef<GraphCanvas | undefined>(undefined);
  const scene = useRef<Scene | undefined>(undefined);
  const [scale, setScale] = useState(1);
  const [said, setSaid] = useState("");
  const act = useRef({ onNode, onOpen, onFold });
  act.current = { onNode, onOpen, onFold };

  useEffect(() => {
    const at = canvas.current;
    if (at === null) return;
    const own = graphCanvas(at, {
      onBox(index) {
        const box = scene.current?.answer.boxes[index];
        if (box?.block !== undefined) act.current.onOpen(box.block, own.anchorOf(index));
        else {
          own.select(index);
          act.current.onNode(box?.node);
        }
      },
      onFrame(block) {
        const start = Number(block.split("-")[0]);
        const first = scene.current?.answer.boxes.findIndex((box) => box.start === start) ?? -1;
        act.current.onFold(block, own.anchorOf(first));
      },
      onStep(index) {
        const box = scene.current?.answer.boxes[index];
        if (box === undefined) return;
        const more =
          box.block !== undefined ? "; Enter unfolds it" : box.node === undefined ? "" : "; Enter tells more";
        setSaid(`${box.title}, ${box.detail}${more}`);
      },
      onScale: setScale,
    });
    drawing.current = own;
    return () => own.close();
  }, []);

  useEffect(() => {
    const made = sceneOf(answer);
    scene.current = made;
    const then = next.current;
    next.current = undefined;
    drawing.current?.show(made, then !== undefined && "keep" in then ? then.keep : undefined);
    if (then === undefined || !("node" in then)) return;
    const box = boxOfNode(made, then.node);
    if (box === undefined) return;
    drawing.current?.select(box.index);
    drawing.current?.reach(box.index);
  }, [answer]);

  useEffect(() => {
    const made = scene.current;
    if (node === undefined) drawing.current?.select(undefined);
    else if (made !== undefined) drawing.current?.select(boxOfNode(made, node)?.index);
  }, [node]);

  // Read while rendering, so that another theme renders anew.
  const colours = theme.value;
  useEffect(() => drawing.current?.readColours(), [colours]);

  const has = new Set(answer.boxes.map(({ kind }) => kind));
  return (
    <>
      <div class="graph-canvas-box">
        <canvas
          ref={canvas}
          class="graph-canvas"
          tabIndex={0}
          role="application"
          aria-label={`Graph of ${name}`}
          aria-describedby="graph-keys"
          data-boxes={answer.boxes.length}
          data-scale={scale.toFixed(3)}
        />
        <span class="unseen" role="status">
          {said}
        </span>
        <div class="graph-zoom" role="group" aria-label="Zoom">
          <button type="button" aria-label="Zoom in" title="Zoom in" onClick={() => drawing.current?.zoom(1.3)}>
            <span aria-hidden="true">+</span>
          </button>
          <button type="button" aria-label="Zoom out" title="Zoom out" onClick={() => drawing.current?.zoom(1 / 1.3)}>
            <span aria-hidden="true">−</span>
          </button>
          <button
            type="button"
            aria-label="Show all of it"
            title="Show all of it"
            onClick={() => drawing.current?.fit()}
          >
            <span aria-hidden="true">⤢</span>
          </button>
        </div>
      </div>
      {answer.opened.length > 0 && !answer.whole && (
        <ul class="graph-opened" aria-label="Unfolded blocks">
          {answer.opened.map(({ block, title }) => (
            <li key={block}>
              <button type="button" class="small" onClick={() => onFold(block, undefined)} aria-label={`Fold ${title}`}>
                ▾ {title}
              </button>
            </li>
          ))}
        </ul>
      )}
      <div class="graph-legend">
        {answer.states !== undefined && <StateLegend states={answer.states} />}
        {answer.states === undefined &&
          colourGroups
            .filter((group) => groupWords[group] !== undefined && [...has].some((kind) => groupOf(kind) === group))
            .map((group) => (
              <span key={group}>
                <i class={`op-swatch op-${group}`} aria-hidden="true" /> {groupWords[group]}
              </span>
            ))}
      </div>
      <p id="graph-keys" class="soft small">
        Drag or arrow keys move, wheel or <kbd>+</kbd> <kbd>−</kbd> zoom, <kbd>0</kbd> shows all, <kbd>n</kbd>{" "}
        <kbd>p</kbd> go from box to box, <kbd>Enter</kbd> opens one.
      </p>
    </>
  );
}

/** Of those that are there. */
function StateLegend({ states }: { readonly states: NonNullable<GraphAnswer["states"]> }) {
  const has = new Set(states.map((state) => (state?.startsWith("p") === true ? "p" : state)));
  return (
    <>
      {(Object.keys(stateWords) as (keyof typeof stateWords)[]) // its own keys
        .filter((state) => has.has(state))
        .map((state) => (
          <span key={state}>
            <i class={`op-swatch fit-swatch-${state}`} aria-hidden="true" /> {stateWords[state]}
          </span>
        ))}
    </>
  );
}
