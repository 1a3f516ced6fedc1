/** One operator: attributes, inputs and outputs with shapes, and the way to its neighbours. */

import { useEffect, useRef } from "preact/hooks";
import { Badge, bytes, count, ErrorBox, harmless, plural, Spinner } from "../parts/index.ts";
import { askOperator, type OperatorAnswer, type TensorRow } from "./api.ts";
import { fitMarks } from "./fit-words.ts";
import { useLoaded } from "./load.ts";

export interface OperatorPanelProps {
  readonly id: string;
  readonly graph: number;
  readonly node: number;
  /** Target that is asked about it. */
  readonly by: string | undefined;
  readonly onReach: (node: number, blocks: readonly string[]) => void;
  readonly onGraph: (graph: number) => void;
  readonly onClose: () => void;
}

export function OperatorPanel({ id, graph, node, by, onReach, onGraph, onClose }: OperatorPanelProps) {
  const [loaded, again] = useLoaded((signal) => askOperator(id, { graph, node, by }, signal), [id, graph, node, by]);
  const heading = useRef<HTMLHeadingElement>(null);
  const one = loaded.value;
  // Whoever pressed a box by keyboard reads on here; on a phone it would otherwise stay below the canvas.
  useEffect(() => heading.current?.scrollIntoView({ block: "nearest" }), [one?.node]);
  /** A neighbour may lie in a block that is folded: its blocks are asked for first. */
  const reach = async (to: number): Promise<void> => {
    const { blocks } = await askOperator(id, { graph, node: to, by });
    onReach(to, blocks);
  };
  return (
    <aside
      class="operator-panel"
      aria-label="Operator"
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
      }}
    >
      <div class="operator-head">
        <h2 ref={heading}>{one === undefined ? "Operator" : harmless(one.operator)}</h2>
        <button type="button" class="close" aria-label="Close" onClick={onClose}>
          ✕
        </button>
      </div>
      {loaded.state === "failed" && <ErrorBox says={loaded.says} onRetry={again} />}
      {one === undefined ? (
        loaded.state === "loading" && <Spinner />
      ) : (
        <Told one={one} onReach={reach} onGraph={onGraph} />
      )}
    </aside>
  );
}

interface ToldProps {
  readonly one: OperatorAnswer;
  readonly onReach: (node: number) => Promise<void>;
  readonly onGraph: (graph: number) => void;
}

function Told({ one, onReach, onGraph }: ToldProps) {
  return (
    <>
      {one.fit !== undefined && <Placed fit={one.fit} />}
      <p class="soft">
        {one.name !== undefined && <span class="mono">{harmless(one.name)} </span>}
        {[
          one.spelled === one.operator ? "" : harmless(one.spelled),
          harmless(one.domain ?? ""),
          one.version === undefined ? "" : `version ${one.version}`,
          one.macs === undefined ? "" : `${count(one.macs)} MACs`,
          `#${one.node}`,
        ]
          .filter(Boolean)
          .join(" · ")}
      </p>
      {one.graphs.length > 0 && (
        <p>
          Runs{" "}
          {one.graphs.map(({ graph, name }) => (
            <button key={graph} type="button" class="small" onClick={() => onGraph(graph)}>
              {name === "" ? `graph ${graph}` : harmless(name)}
            </button>
          ))}
        </p>
      )}
      <Tensors title="Inputs" way="from" rows={one.inputs} onReach={onReach} />
      <Tensors title="Outputs" way="to" rows={one.outputs} onReach={onReach} />
      <h3>Attributes</h3>
      {one.attributes.length === 0 ? (
        <p class="soft">None.</p>
      ) : (
        <dl class="attributes">
          {one.attributes.map(({ name, value, more }) => (
            <div key={name}>
              <dt>{harmless(name)}</dt>
              <dd class="mono">
                {harmless(value)}
                {more !== undefined && <span class="soft"> and {more} more</span>}
              </dd>
            </div>
          ))}
        </dl>
      )}
    </>
  );
}

interface TensorsProps {
  readonly title: string;
  readonly way: "from" | "to";
  readonly rows: readonly TensorRow[];
  readonly onReach: (node: number) => Promise<void>;
}

function Tensors({ title, way, rows, onReach }: TensorsProps) {
  return (
    <>
      <h3>{title}</h3>
      {rows.length === 0 && <p class="soft">None.</p>}
      <ul class="tensor-rows">
        {rows.map(({ name, type, shape, quantization, bytes: size, others }, index) => (
          <li key={index}>
            <span class="mono tensor-name">{harmless(name)}</span>
            <span>
              {type} {shape === "" ? "" : shape}
              {size !== undefined && <span class="soft"> · constant, {bytes(size)}</span>}
              {quantization !== undefined && (
                <span class="soft">
                  {" "}
                  · {quantization.scheme ?? ""}
                  {quantization.scales === 1
                    ? ` ${Number(quantization.scale[0]?.toPrecision(5))} × (q − ${quantization.zeroPoint[0] ?? 0})`
                    : quantization.scales > 1
                      ? ` ${plural(quantization.scales, "scale")} along axis ${quantization.axis ?? "?"}`
                      : ""}
                </span>
              )}
            </span>
            {others.length > 0 && (
              <span class="neighbours">
                {way}{" "}
                {others.slice(0, 6).map((other) => (
                  <button key={other.node} type="button" class="small" onClick={() => void onReach(other.node)}>
                    {harmless(other.operator)} #{other.node}
                  </button>
                ))}
                {others.length > 6 && <span class="soft">and {others.length - 6} more</span>}
              </span>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}

function Placed({ fit }: { readonly fit: NonNullable<OperatorAnswer["fit"]> }) {
  const { target, takes, where, because, left, rule } = fit;
  const place =
    typeof where === "number"
      ? `in partition ${where}`
      : where === "melted"
        ? "it melts into its neighbour"
        : "it stays on the CPU";
  const mark = takes === "yes" ? fitMarks.whole : takes === "no" ? fitMarks.none : fitMarks.unsure;
  const word = { yes: "taken", no: "refused", unsure: "not documented" }[takes];
  return (
    <p class="fit-said">
      <Badge symbol={mark.symbol} tone={mark.tone} word={`${word} by ${target}`} /> {place}
      {(because ?? left) !== undefined && <>: {harmless(because ?? left ?? "")}</>}
      {rule !== undefined && <span class="soft"> ({rule})</span>}
    </p>
  );
}
