/** Finds operators by name, kind or output, and brings one into sight. */

import { useEffect, useState } from "preact/hooks";
import { harmless } from "../parts/index.ts";
import { sentence } from "../api.ts";
import { askOperators, type OperatorsAnswer } from "./api.ts";

const SHOWN = 12;
/** After the last key, milliseconds. */
const PAUSE = 150;

export interface GraphSearchProps {
  readonly id: string;
  readonly graph: number;
  readonly onReach: (node: number, blocks: readonly string[]) => void;
}

export function GraphSearch({ id, graph, onReach }: GraphSearchProps) {
  const [typed, setTyped] = useState("");
  const [found, setFound] = useState<OperatorsAnswer | undefined>(undefined);
  const [failed, setFailed] = useState<string | undefined>(undefined);
  useEffect(() => {
    if (typed.trim() === "") {
      setFound(undefined);
      return;
    }
    const leaving = new AbortController();
    const timer = setTimeout(() => {
      askOperators(id, { graph, find: typed, most: SHOWN }, leaving.signal).then(
        (answer) => {
          setFound(answer);
          setFailed(undefined);
        },
        (error: unknown) => {
          if (!leaving.signal.aborted) setFailed(sentence(error));
        },
      );
    }, PAUSE);
    return () => {
      clearTimeout(timer);
      leaving.abort();
    };
  }, [id, graph, typed]);
  const close = (): void => {
    setTyped("");
    setFound(undefined);
  };
  return (
    <div
      class="graph-search"
      onKeyDown={(event) => {
        if (event.key === "Escape") close();
      }}
    >
      <input
        type="search"
        aria-label="Find an operator"
        placeholder="Find an operator"
        value={typed}
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
      {failed !== undefined && <span role="alert">{failed}</span>}
      {found !== undefined && (
        <div class="graph-found">
          <p class="soft small" role="status">
            {found.total === 0
              ? "none"
              : found.total > found.operators.length
                ? `the first ${found.operators.length} of ${found.total}`
                : `${found.total} found`}
          </p>
          <ul>
            {found.operators.map(({ node, operator, name, output, blocks }) => (
              <li key={node}>
                <button
                  type="button"
                  onClick={() => {
                    close();
                    onReach(node, blocks);
                  }}
                >
                  <b>{harmless(operator)}</b> <span class="mono">{harmless(name ?? `#${node}`)}</span>{" "}
                  <span class="soft">{output}</span>
                </button>
              </li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}
