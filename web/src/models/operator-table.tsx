/** All operators in the order in which they run, page by page: the graph for whoever cannot see it, or wants to read it. */

import { useState } from "preact/hooks";
import { count, ErrorBox, harmless, Spinner } from "../parts/index.ts";
import { askOperators } from "./api.ts";
import { useLoaded } from "./load.ts";

const PAGE = 100;

export interface OperatorTableProps {
  readonly id: string;
  readonly graph: number;
  readonly onReach: (node: number, blocks: readonly string[]) => void;
}

export function OperatorTable(props: OperatorTableProps) {
  const [open, setOpen] = useState(false);
  return (
    <details class="operator-table" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>All operators as a table</summary>
      {open && <Pages {...props} />}
    </details>
  );
}

function Pages({ id, graph, onReach }: OperatorTableProps) {
  const [from, setFrom] = useState(0);
  const [loaded, again] = useLoaded(
    (signal) => askOperators(id, { graph, from, most: PAGE }, signal),
    [id, graph, from],
  );
  const answer = loaded.value;
  if (answer === undefined) {
    return loaded.state === "failed" ? <ErrorBox says={loaded.says} onRetry={again} /> : <Spinner />;
  }
  const last = Math.min(answer.total, from + PAGE);
  return (
    <>
      <p class="pages">
        <button type="button" disabled={from === 0} onClick={() => setFrom(Math.max(0, from - PAGE))}>
          Before
        </button>
        <span role="status">
          {from + 1} to {last} of {answer.total}
        </span>
        <button type="button" disabled={last >= answer.total} onClick={() => setFrom(from + PAGE)}>
          After
        </button>
      </p>
      <div class="scroll data-table" role="region" aria-label="Operators" tabIndex={0}>
        <table>
          <caption class="unseen">
            Operators {from + 1} to {last} of {answer.total}
          </caption>
          <thead>
            <tr>
              <th scope="col">#</th>
              <th scope="col">Operator</th>
              <th scope="col">Name</th>
              <th scope="col">Output</th>
              <th scope="col" class="end">
                MACs
              </th>
            </tr>
          </thead>
          <tbody>
            {answer.operators.map((row) => (
              <tr key={row.node}>
                <td>{row.node}</td>
                <td>
                  <button type="button" class="linkish" onClick={() => onReach(row.node, row.blocks)}>
                    {harmless(row.operator)}
                  </button>
                </td>
                <td class="mono">{harmless(row.name ?? "")}</td>
                <td>{row.output}</td>
                <td class="end">{row.macs === undefined ? "" : count(row.macs)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
