/** A table that sorts by its headings, narrows by what is typed, and draws only the rows in sight where there are many. */

import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { plural } from "./format.ts";

export interface Column<Row> {
  readonly key: string;
  readonly title: string;
  /** Sorted and filtered by; undefined sorts last, whichever way. */
  readonly value: (row: Row) => string | number | undefined;
  /** Shown; the value when absent. */
  readonly cell?: (row: Row) => ComponentChildren;
  readonly align?: "end";
  readonly mono?: boolean;
}

export interface DataTableProps<Row> {
  /** What the table holds; it is its caption. */
  readonly label: string;
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  readonly rowKey: (row: Row) => string;
  /** Word of what a row is: "tensor", for "12 of 340 tensors". */
  readonly noun?: string;
  /** Shows the box to type into. */
  readonly filter?: boolean;
  readonly sort?: { readonly key: string; readonly down?: boolean };
  readonly onOpen?: (row: Row) => void;
}

/** More rows than this are drawn as they come into sight; all of them then have one height. */
export const MANY = 500;
/** Pixels; as table.css has it. */
const ROW = 33;
const IN_SIGHT = 560;
const BEYOND = 12;

export function DataTable<Row>(props: DataTableProps<Row>) {
  const { label, rows, columns, rowKey, noun = "row", filter = false, onOpen } = props;
  const [sort, setSort] = useState(props.sort);
  const [typed, setTyped] = useState("");
  const shown = useMemo(() => arrange(rows, columns, typed, sort), [rows, columns, typed, sort]);
  const many = shown.length > MANY;
  const [from, setFrom] = useState(0);
  const scroll = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (scroll.current !== null) scroll.current.scrollTop = 0;
    setFrom(0);
  }, [typed, sort]);
  const until = many ? Math.min(shown.length, from + Math.ceil(IN_SIGHT / ROW) + 2 * BEYOND) : shown.length;
  const start = many ? from : 0;
  return (
    <div class="data-table">
      {filter && (
        <div class="data-table-bar">
          <input
            type="search"
            aria-label={`Filter ${label}`}
            placeholder="Filter"
            value={typed}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
          <span class="soft" role="status">
            {shown.length === rows.length
              ? plural(rows.length, noun)
              : `${shown.length} of ${plural(rows.length, noun)}`}
          </span>
        </div>
      )}
      <div
        class={many ? "scroll many" : "scroll"}
        ref={scroll}
        role="region"
        aria-label={label}
        tabIndex={0}
        onScroll={(event) => {
          if (many) setFrom(Math.max(0, Math.floor(event.currentTarget.scrollTop / ROW) - BEYOND));
        }}
      >
        <table aria-rowcount={shown.length + 1}>
          <caption class="unseen">{label}</caption>
          <thead>
            <tr>
              {columns.map(({ key, title, align }) => {
                const own = sort?.key === key ? sort : undefined;
                const down = own?.down === true;
                return (
                  <th
                    key={key}
                    scope="col"
                    class={align}
                    aria-sort={own === undefined ? undefined : down ? "descending" : "ascending"}
                  >
                    <button type="button" onClick={() => setSort({ key, down: own !== undefined && !down })}>
                      {title}
                      <span class="way" aria-hidden="true">
                        {own === undefined ? "" : down ? "▾" : "▴"}
                      </span>
                    </button>
                  </th>
                );
              })}
            </tr>
          </thead>
          <tbody>
            {start > 0 && <Space rows={start} columns={columns.length} />}
            {shown.slice(start, until).map((row, i) => (
              <tr
                key={rowKey(row)}
                aria-rowindex={start + i + 2}
                class={onOpen === undefined ? undefined : "opens"}
                onClick={onOpen === undefined ? undefined : () => onOpen(row)}
              >
                {columns.map((column) => (
                  <td key={column.key} class={[column.align, column.mono === true ? "mono" : ""].join(" ")}>
                    {column.cell === undefined ? column.value(row) : column.cell(row)}
                  </td>
                ))}
              </tr>
            ))}
            {until < shown.length && <Space rows={shown.length - until} columns={columns.length} />}
          </tbody>
        </table>
      </div>
      {shown.length === 0 && rows.length > 0 && <p class="soft">Nothing here holds “{typed}”.</p>}
    </div>
  );
}

/** Stands for rows that are not drawn. */
function Space({ rows, columns }: { readonly rows: number; readonly columns: number }) {
  return (
    <tr aria-hidden="true">
      <td class="space" colSpan={columns} style={{ height: `${rows * ROW}px` }} />
    </tr>
  );
}

/** Every word that was typed is in some column; then sorted, numbers as numbers. */
export function arrange<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  typed: string,
  sort: DataTableProps<Row>["sort"],
): readonly Row[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const text = (row: Row): string =>
    columns
      .map(({ value }) => value(row) ?? "")
      .join(" ")
      .toLowerCase();
  const left = words.length === 0 ? rows : rows.filter((row) => words.every((word) => text(row).includes(word)));
  const column = columns.find(({ key }) => key === sort?.key);
  if (column === undefined) return left;
  const way = sort?.down === true ? -1 : 1;
  return left
    .map((row) => ({ row, value: column.value(row) }))
    .sort((a, b) => {
      if (a.value === undefined || b.value === undefined)
        return Number(a.value === undefined) - Number(b.value === undefined);
      if (typeof a.value === "number" && typeof b.value === "number") return way * (a.value - b.value);
      return way * String(a.value).localeCompare(String(b.value), "en", { numeric: true });
    })
    .map(({ row }) => row);
}
