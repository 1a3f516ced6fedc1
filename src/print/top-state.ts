/** What `accelctl top` shows, and how keys and samples change it. Nothing here knows of a terminal. */

import type { DeviceSample, Sample } from "../watch/sample.ts";
import { sortable, sorted } from "./top-columns.ts";
import { History } from "./top-history.ts";

export interface TopState {
  readonly view: "devices" | "device" | "help";
  /** What is drawn; while frozen, later samples only enter the history. */
  readonly sample: Sample | undefined;
  readonly newest: Sample | undefined;
  readonly history: History;
  readonly frozen: boolean;
  readonly processes: boolean;
  /** A column's key; undefined: as the machine lists them. */
  readonly sort: string | undefined;
  readonly reversed: boolean;
  readonly filter: string;
  /** A filter is being typed. */
  readonly typing: boolean;
  /** Id of the device that keys are about. */
  readonly selected: string | undefined;
  /** Lines scrolled down in the detail. */
  readonly scroll: number;
  /** Seconds between samples; 0 until the samples tell it. */
  readonly interval: number;
  /** Where samples come from, when not from this machine: shown in the title. */
  readonly from: string | undefined;
  readonly done: boolean;
}

export function firstState(options: { readonly interval: number; readonly from?: string }): TopState {
  return {
    view: "devices",
    sample: undefined,
    newest: undefined,
    history: new History(),
    frozen: false,
    processes: false,
    sort: undefined,
    reversed: false,
    filter: "",
    typing: false,
    selected: undefined,
    scroll: 0,
    interval: options.interval,
    from: options.from,
    done: false,
  };
}

/** Samples that should have come in between are gaps: a machine that slept, a process that was stopped. */
export function withSample(state: TopState, sample: Sample): TopState {
  const elapsed = sample.elapsed_seconds ?? 0;
  const interval = state.interval > 0 ? state.interval : elapsed;
  const late = interval > 0 ? Math.round(elapsed / interval) - 1 : 0;
  state.history.add(sample, Math.max(0, late));
  const next = { ...state, interval, newest: sample, sample: state.frozen ? state.sample : sample };
  return withSelection(next, 0);
}

/** Devices in the order they are shown. */
export function shownDevices({ sample, filter, sort, reversed }: TopState): readonly DeviceSample[] {
  return sorted((sample?.devices ?? []).filter(matcherOf(filter)), sort, reversed);
}

/** Every word of the filter stands somewhere in what is told of the device or of who uses it. */
function matcherOf(filter: string): (device: DeviceSample) => boolean {
  const words = filter
    .toLowerCase()
    .split(" ")
    .filter((word) => word !== "");
  if (words.length === 0) return () => true;
  return ({ id, name, family = "", address, driver = "", power_state, processes }) => {
    const users = (processes ?? []).map(({ command, user = "", pid }) => `${command} ${user} ${pid}`).join(" ");
    const text = `${id} ${name} ${family} ${address} ${driver} ${power_state ?? ""} ${users}`.toLowerCase();
    return words.every((word) => text.includes(word));
  };
}

/** A filter is typed by hand. */
const FILTER_LIMIT = 80;

export function withKey(state: TopState, key: string): TopState {
  if (key === "ctrl-c") return { ...state, done: true };
  if (state.typing) return typed(state, key);
  if (state.view === "help") return { ...state, view: "devices" };
  const action = Object.hasOwn(keys, key) ? keys[key] : undefined;
  return action === undefined ? state : action(state);
}

function typed(state: TopState, key: string): TopState {
  if (key === "enter") return { ...state, typing: false };
  if (key === "escape") return withSelection({ ...state, typing: false, filter: "" }, 0);
  if (key === "backspace")
    return withSelection({ ...state, filter: Array.from(state.filter).slice(0, -1).join("") }, 0);
  const added = key === "space" ? " " : key;
  if (Array.from(added).length !== 1 || state.filter.length >= FILTER_LIMIT) return state;
  return withSelection({ ...state, filter: state.filter + added }, 0);
}

type Action = (state: TopState) => TopState;

const move =
  (by: number): Action =>
  (state) =>
    state.view === "device" ? { ...state, scroll: Math.max(0, state.scroll + by) } : withSelection(state, by);

const back: Action = (state) =>
  state.view === "device"
    ? { ...state, view: "devices", scroll: 0 }
    : state.filter !== ""
      ? withSelection({ ...state, filter: "" }, 0)
      : state;

const detail: Action = (state) =>
  state.view === "device"
    ? back(state)
    : state.selected === undefined
      ? state
      : { ...state, view: "device", scroll: 0 };

const sortBy =
  (step: number): Action =>
  (state) => {
    const all = [undefined, ...sortable];
    const at = all.indexOf(state.sort) + step + all.length;
    return { ...state, sort: all[at % all.length], reversed: false };
  };

/** To the device before or after, without leaving the detail. */
const neighbour =
  (by: number): Action =>
  (state) =>
    state.view === "device" ? { ...withSelection(state, by), scroll: 0 } : sortBy(by)(state);

const keys: Readonly<Record<string, Action>> = {
  q: (state) => (state.view === "device" ? back(state) : { ...state, done: true }),
  "?": (state) => ({ ...state, view: "help" }),
  h: (state) => ({ ...state, view: "help" }),
  up: move(-1),
  k: move(-1),
  down: move(1),
  j: move(1),
  "page-up": move(-10),
  "page-down": move(10),
  home: move(-Infinity),
  end: move(1000),
  enter: detail,
  escape: back,
  backspace: back,
  left: neighbour(-1),
  right: neighbour(1),
  s: sortBy(1),
  S: sortBy(-1),
  r: (state) => ({ ...state, reversed: !state.reversed }),
  p: (state) => ({ ...state, processes: !state.processes }),
  "/": (state) => ({ ...state, typing: true, view: "devices" }),
  space: (state) =>
    withSelection(state.frozen ? { ...state, frozen: false, sample: state.newest } : { ...state, frozen: true }, 0),
};

/** Keeps the selection on a device that is shown, moved by so many. */
function withSelection(state: TopState, by: number): TopState {
  const shown = shownDevices(state);
  const at = shown.findIndex(({ id }) => id === state.selected);
  const wanted = Math.max(0, Math.min(shown.length - 1, Math.max(0, at) + by));
  return { ...state, selected: shown[wanted]?.id };
}

/** What the help shows; a test holds it against the keys above. */
export const keyHelp: readonly (readonly [keys: string, says: string])[] = [
  ["up, down, k, j", "choose a device; in its detail, scroll"],
  ["enter", "all metrics of the device, and why some have no value; again: back"],
  ["left, right", "sort by the column before or after; in the detail, the device before or after"],
  ["s, S", "sort by the next column, the one before"],
  ["r", "reverse the order"],
  ["/", "show what has these words in its name, family, driver, address or processes; escape ends it"],
  ["p", "show the processes that use the devices"],
  ["space", "freeze what is shown; samples are still taken"],
  ["home, end, page-up, page-down", "far up and down"],
  ["escape, backspace", "back"],
  ["?, h", "this help"],
  ["q", "back, and at the end leave"],
];
export const boundKeys = (): readonly string[] => Object.keys(keys);
