/** What does not move: values of a machine that was saved, and devices of which nothing can be read. */

import { DataTable, Facts, harmless, plural, type Column } from "../parts/index.ts";
import { groupsOf, Head, mostOften, Unread } from "./device.tsx";
import { follows, history, state, tick } from "./feed.ts";
import type { Series } from "./history.ts";
import { show, titleOf } from "./names.ts";

/** A device of a saved machine: its values in words. */
export function Still({ id }: { readonly id: string }) {
  follows(tick);
  const from = history.value;
  const sample = from.devices.get(id)?.sample;
  if (sample === undefined) return null;
  const { charts, unread } = groupsOf(from, id);
  // A rate needs two samples, of which a saved machine has one.
  const all = charts.flatMap(({ series }) => series);
  const facts = charts.flatMap(({ name, series, most }) =>
    series.filter(hasValue).map((one) => ({
      name: [titleOf(name), one.part].filter(Boolean).join(", "),
      value: [show(name, one.values.at(-1) ?? NaN), most === undefined ? "" : `of ${show(name, most)}`].join(" "),
    })),
  );
  const left = [...unread, ...all.filter((one) => !hasValue(one))];
  return (
    <section class="live-device" aria-label={sample.name}>
      <Head sample={sample} />
      {facts.length > 0 && <Facts facts={facts} />}
      {facts.length === 0 && <p class="soft">Nothing of it can be read: {mostOften(from, left)}.</p>}
      {left.length > 0 && <Unread series={left} from={from} />}
    </section>
  );
}

const hasValue = ({ values }: Series): boolean => typeof values.at(-1) === "number";

interface Row {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly driver: string | undefined;
  readonly why: string;
  readonly metrics: number;
}

export interface SilentProps {
  readonly ids: readonly string[];
  /** No other device is shown. */
  readonly alone: boolean;
  readonly onChoose: (id: string) => void;
}

/** Devices of which no metric can be read, with the reason of most. */
export function Silent({ ids, alone, onChoose }: SilentProps) {
  follows(tick);
  const from = history.value;
  const rows = ids.flatMap((id): Row[] => {
    const sample = from.devices.get(id)?.sample;
    if (sample === undefined) return [];
    const { unread } = groupsOf(from, id);
    return [
      {
        id,
        name: harmless(sample.name),
        address: harmless(sample.address === "" ? sample.bus : `${sample.bus} ${sample.address}`),
        driver: sample.driver === undefined ? undefined : harmless(sample.driver),
        why: unread.length === 0 ? "nothing is told of it" : mostOften(from, unread),
        metrics: unread.length,
      },
    ];
  });
  const title = alone ? "Devices of which nothing can be read" : "Other devices, of which nothing can be read";
  return (
    <section class="silent" aria-labelledby="silent">
      <h3 id="silent">{title}</h3>
      <DataTable
        label="Devices and why"
        rows={rows}
        columns={columns(rows, onChoose)}
        rowKey={({ id }) => id}
        noun="device"
      />
      {state.value.is !== "saved" && <p class="soft">Charts come as soon as one of them tells something.</p>}
    </section>
  );
}

const columns = (rows: readonly Row[], onChoose: (id: string) => void): readonly Column<Row>[] => {
  const driver: Column<Row> = { key: "driver", title: "Driver", value: (row) => row.driver, mono: true };
  return [
    { key: "name", title: "Device", value: ({ name }) => name },
    { key: "why", title: "Why", value: ({ why }) => why, cell: ({ why }) => <span class="why">{why}</span> },
    {
      key: "metrics",
      title: "Not read",
      value: ({ metrics }) => metrics,
      cell: ({ id, name, metrics }) => (
        <button
          type="button"
          aria-label={`${plural(metrics, "metric")} of ${name}, and why`}
          onClick={() => onChoose(id)}
        >
          {plural(metrics, "metric")}
        </button>
      ),
    },
    ...(rows.some((row) => row.driver !== undefined) ? [driver] : []),
    { key: "address", title: "Address", value: ({ address }) => address, mono: true },
  ];
};
