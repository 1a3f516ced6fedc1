/** Live: what the accelerators do, as charts over one axis of time; models that are served; recordings. */

import { signal } from "@preact/signals";
import { useEffect, useMemo, useState } from "preact/hooks";
import { sentence } from "../api.ts";
import { Empty, ErrorBox, Spinner, Tabs, useDrop, type DropTaker } from "../parts/index.ts";
import { shown } from "../report.ts";
import { Device, tells, Values } from "./device.tsx";
import { Silent, Still } from "./still.tsx";
import { follow, follows, forget, history, interval, paused, retryNow, showRecording, state, tick } from "./feed.ts";
import { parseRecording } from "./history.ts";
import { ServedModels } from "./serving.tsx";
import { clockOf, inSight, range, ranges, zoom } from "./window.ts";
import "./view.css";

/** Samples of a server with 16 devices for an hour have some 70 MB. */
const RECORDING_LIMIT = 256 * 1024 * 1024;
const intervals = [0.5, 1, 2, 5, 10] as const;

const failed = signal<string | undefined>(undefined);
const only = signal("");

async function open(file: File): Promise<void> {
  failed.value = undefined;
  try {
    if (file.size > RECORDING_LIMIT) throw new Error("larger than a browser can hold");
    showRecording(file.name, parseRecording(await file.text()));
    range.value = Infinity;
    zoom.value = undefined;
  } catch (error) {
    failed.value = `${file.name} cannot be shown: ${sentence(error)}`;
  }
}

/** The first line of a recording: a sample, or a head that names the recording. */
const looksRecorded = async (file: File): Promise<boolean> =>
  /^\s*\{[^\n]*"(?:devices|recording)"\s*:/.test(await file.slice(0, 65_536).text()) &&
  !/^\s*\{\s*"schema"\s*:\s*\d+\s*,\s*"machine"/.test(await file.slice(0, 256).text());

export default function LiveView() {
  const [tab, setTab] = useState("charts");
  const recorded = state.value.is === "recorded";
  const saved = state.value.is === "saved";
  const pace = interval.value;
  const source = shown.value.source.kind;
  useEffect(() => {
    if (state.peek().is === "recorded") return;
    if (source === "static") {
      state.value = { is: "none" };
      return;
    }
    const stop = new AbortController();
    void follow(stop.signal);
    return () => stop.abort();
  }, [pace, recorded, source]);
  const taker = useMemo(
    (): DropTaker => ({
      says: "Drop a recording, or a machine",
      async take([file]) {
        if (file === undefined || !(await looksRecorded(file))) return false;
        await open(file);
        return true;
      },
    }),
    [],
  );
  useDrop(taker);
  return (
    <div class="live">
      <div class="live-head">
        <h1>Live</h1>
        <Status />
        {saved && <Controls />}
      </div>
      {!saved && <Controls />}
      {failed.value !== undefined && <ErrorBox says={failed.value} onDismiss={() => (failed.value = undefined)} />}
      <Lost />
      <ServedModels />
      <h2 class={recorded ? undefined : "unseen"}>Devices</h2>
      <Tabs
        label="How values are shown"
        tabs={[
          { id: "charts", title: saved ? "Devices" : "Charts" },
          { id: "values", title: saved ? "Every metric" : "Table of values" },
        ]}
        chosen={tab}
        onChoose={setTab}
      >
        {tab === "charts" ? <Devices /> : <Values />}
      </Tabs>
    </div>
  );
}

function Devices() {
  follows(tick);
  const { devices } = history.value;
  const [wanted, setWanted] = [only.value, (id: string) => (only.value = id)];
  if (devices.size === 0) {
    if (state.value.is === "none")
      return (
        <Empty title="This page was exported: nothing is measured here">Drop a recording of accelctl watch.</Empty>
      );
    if (state.value.is === "lost") return null;
    if (history.value.last !== undefined)
      return <Empty title="No device to watch">This machine has no accelerator that accelctl knows.</Empty>;
    return <Spinner says="Waiting for the first sample" />;
  }
  const ids = [...devices.keys()];
  const one = wanted !== "" && devices.has(wanted) ? wanted : undefined;
  // Those of which nothing can be drawn share a table; chosen, one says of each metric why.
  const telling = one === undefined ? ids.filter((id) => tells(history.value, id)) : [one];
  const silent = one === undefined ? ids.filter((id) => !telling.includes(id)) : [];
  const isSaved = state.value.is === "saved";
  return (
    <>
      {ids.length > 1 && (
        <p class="choose">
          <label>
            Device{" "}
            <select
              value={devices.has(wanted) ? wanted : ""}
              onChange={(event) => setWanted(event.currentTarget.value)}
            >
              <option value="">all {ids.length}</option>
              {ids.map((id) => (
                <option key={id} value={id}>
                  {devices.get(id)?.sample.name} ({id})
                </option>
              ))}
            </select>
          </label>
        </p>
      )}
      {telling.map((id) => (isSaved ? <Still key={id} id={id} /> : <Device key={id} id={id} />))}
      {silent.length > 0 && <Silent ids={silent} alone={telling.length === 0} onChoose={setWanted} />}
    </>
  );
}

function Status() {
  follows(tick);
  const now = state.value;
  const last = history.value.times.at(-1);
  const taken = history.value.last?.took_seconds;
  const word = {
    connecting: "connecting",
    live: paused.value ? "paused" : "live",
    lost: "connection lost",
    recorded: "recording",
    saved: "saved machine",
    none: "no server",
  }[now.is];
  const tone = now.is === "lost" ? "bad" : now.is === "live" && !paused.value ? "ok" : "note";
  const symbol =
    now.is === "lost"
      ? "✗"
      : now.is === "live"
        ? paused.value
          ? "❚❚"
          : "●"
        : now.is === "recorded" || now.is === "saved"
          ? "▤"
          : "…";
  const [first] = history.value.times;
  return (
    <p class="status">
      <span class={`badge ${tone}`}>
        <span class="symbol" aria-hidden="true">
          {symbol}
        </span>
        {word}
      </span>{" "}
      <span class="soft">
        {now.is === "recorded"
          ? `${now.name}${first === undefined || last === undefined ? "" : `, ${clockOf(first)} to ${clockOf(last)}`}`
          : now.is === "saved"
            ? `${now.name === undefined ? "it" : now.name} does not move: values as they were saved`
            : last === undefined
              ? ""
              : `last sample ${clockOf(last)}${taken === undefined ? "" : `, read in ${(taken * 1000).toFixed(1)} ms`}`}
      </span>
    </p>
  );
}

function Controls() {
  const now = state.value;
  const recorded = now.is === "recorded";
  const moves = !recorded && now.is !== "saved" && now.is !== "none";
  const chosen = zoom.value === undefined ? range.value : undefined;
  return (
    <div class="controls" role="toolbar" aria-label="Time">
      {now.is !== "saved" && now.is !== "none" && (
        <div class="segments" role="group" aria-label="Range">
          {ranges.map(({ seconds, word }) => (
            <button
              key={seconds}
              type="button"
              aria-pressed={chosen === seconds}
              onClick={() => {
                range.value = seconds;
                zoom.value = undefined;
              }}
            >
              {word}
            </button>
          ))}
          {recorded && (
            <button
              type="button"
              aria-pressed={chosen === Infinity}
              onClick={() => {
                range.value = Infinity;
                zoom.value = undefined;
              }}
            >
              All
            </button>
          )}
        </div>
      )}
      {moves && (
        <>
          <button type="button" aria-pressed={paused.value} onClick={() => (paused.value = !paused.value)}>
            {paused.value ? "Go on" : "Pause"}
          </button>
          <label>
            every{" "}
            <select
              value={String(interval.value)}
              onChange={(event) => (interval.value = Number(event.currentTarget.value))}
            >
              {intervals.map((seconds) => (
                <option key={seconds} value={String(seconds)}>
                  {seconds} s
                </option>
              ))}
            </select>
          </label>
        </>
      )}
      {zoom.value !== undefined && (
        <button type="button" onClick={() => (zoom.value = undefined)}>
          {clockOf(inSight.value.from)} – {clockOf(inSight.value.to)} · whole range
        </button>
      )}
      <span class="end">
        <label class="file">
          <span class="like-button">Open a recording</span>
          <input
            type="file"
            class="unseen"
            onChange={(event) => {
              const [file] = event.currentTarget.files ?? [];
              event.currentTarget.value = "";
              if (file !== undefined) void open(file);
            }}
          />
        </label>
        {recorded && !now.home && shown.value.source.kind !== "static" && (
          <button
            type="button"
            onClick={() => {
              range.value = 300;
              forget();
            }}
          >
            Back
          </button>
        )}
      </span>
    </div>
  );
}

/** Counts down to the next try. */
function Lost() {
  const now = state.value;
  const [, again] = useState(0);
  useEffect(() => {
    if (now.is !== "lost") return;
    const timer = setInterval(() => again((n) => n + 1), 500);
    return () => clearInterval(timer);
  }, [now]);
  if (now.is !== "lost") return null;
  const left = Math.max(0, Math.ceil((now.until - performance.now()) / 1000));
  return (
    <div class="lost">
      <p>
        <b>Connection lost.</b> {now.says}. {left > 0 ? `Tried again in ${left} s.` : "Trying again …"} What was seen
        stays.
      </p>
      <button type="button" onClick={retryNow}>
        Try now
      </button>
    </div>
  );
}
