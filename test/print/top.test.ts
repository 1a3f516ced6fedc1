/** Frames of `accelctl top`, and what keys do to them. */

import { beforeAll, describe, expect, it } from "vitest";
import type { Terminal } from "../../src/print/terminal.ts";
import { renderOnce, renderTop } from "../../src/print/top.ts";
import { cellsOf, clip, fit } from "../../src/print/top-cells.ts";
import { chart, History, rangeOf, sparkline } from "../../src/print/top-history.ts";
import {
  boundKeys,
  firstState,
  keyHelp,
  shownDevices,
  withKey,
  withSample,
  type TopState,
} from "../../src/print/top-state.ts";
import type { DeviceSample } from "../../src/watch/sample.ts";
import { device, known, processUse, sample, unknown } from "../support/samples.ts";

const unicode: Terminal = { isTerminal: true, columns: 80, colour: false, unicode: true };
const ascii: Terminal = { ...unicode, unicode: false };
const size = { columns: 80, rows: 24 };

/** The clock in the title is the reader's own. */
beforeAll(() => {
  process.env["TZ"] = "UTC";
});

const npu = device("pci:0000:00:0b.0", {
  name: "Intel NPU of Lunar Lake",
  family: "intel-npu",
  driver: "intel_vpu",
  power_state: "active",
  metrics: [
    known("busy_ratio", 0.42),
    known("memory_bytes", 3 * 2 ** 28),
    known("clock_hertz", 1.4e9),
    known("temperature_celsius", 91, "package"),
    known("temperature_celsius", 55, "tile"),
    known("temperature_limit_celsius", 90),
    unknown("power_watts", "absent", "its driver (intel_vpu) does not tell it"),
  ],
  processes: [
    processUse(4711, "python3", [known("busy_ratio", 0.4), known("memory_bytes", 2 ** 28)]),
    processUse(12, "ollama"),
  ],
});
const coral = device("pci:0000:05:00.0", {
  name: "Coral Edge TPU",
  family: "coral",
  power_state: "suspended",
  metrics: [unknown("busy_ratio", "asleep", "it sleeps, and reading would wake it: --query asks all the same")],
  processes_because: "only root sees the processes of others",
});
const gaudi = device("pci:0000:09:00.0", {
  name: "Intel Gaudi 2",
  family: "intel-gaudi",
  metrics: [known("busy_ratio", 0), known("power_watts", 612.25), known("memory_bytes", 96 * 2 ** 30)],
  processes: [],
});

const stateOf = (devices: readonly DeviceSample[], samples = 1): TopState => {
  let state = firstState({ interval: 1 });
  for (let i = 0; i < samples; i++) state = withSample(state, sample(devices, i));
  return state;
};
const after = (state: TopState, ...keys: readonly string[]): TopState => keys.reduce(withKey, state);
const machine = (): TopState => stateOf([npu, coral, gaudi], 4);
const ids = (state: TopState): readonly string[] => shownDevices(state).map(({ id }) => id);

describe("the list of devices", () => {
  it("80 columns by 24 rows hold it, and what is not known is a dash", () => {
    expect(renderTop(machine(), { columns: 80, rows: 6 }, unicode)).toEqual([
      "accelctl top · 3 devices · 12:00:03 · every 1.0 s · read in 4.0 ms",
      " DEVICE                    BUSY HISTORY         MEM   POWER    TEMP   CLOCK PROC",
      ">Intel NPU of Lunar Lake   42 %       ▄▄▄▄  768 MiB       – 91.0 °C 1.4 GHz    2",
      " Coral Edge TPU               –                   –       –       –       –    –",
      " Intel Gaudi 2              0 %       ▁▁▁▁   96 GiB 612.3 W       –       –    0",
      "q quit  enter detail  s sort  / filter  p processes  space freeze  ? help",
    ]);
  });

  it("is ASCII where the terminal has no more", () => {
    const lines = renderTop(stateOf([{ ...npu, name: "Beschleuniger für KI 漢" }, coral]), size, ascii);
    expect(lines.join("\n")).toMatch(/^[\n\u0020-\u007e]*$/);
    expect(lines[2]).toBe(">Beschleuniger f?r KI ?    42 %          -  768 MiB       -  91.0 C 1.4 GHz    2");
  });

  it("two devices of one name are told apart by their address", () => {
    const lines = renderTop(stateOf([gaudi, { ...gaudi, id: "x", address: "0000:0a:00.0" }]), size, unicode);
    expect(lines.slice(2, 4).map((line) => line.slice(0, 24))).toEqual([
      ">Intel Gaudi 2   09:00.0",
      " Intel Gaudi 2   0a:00.0",
    ]);
  });

  it.each(["\u001b[31mred\u001b[0m", "a\nb\rc", "\u202egnp.exe", "\u009b2J"])(
    "%j as a name writes no control character",
    (name) => {
      const evil = { ...npu, name, address: name, driver: name, processes_because: name, power_state: name };
      const state = stateOf([
        { ...evil, processes: [processUse(1, name)], metrics: [unknown("busy_ratio", "denied", name, name)] },
      ]);
      for (const keys of [[], ["p"], ["enter"]]) {
        const text = renderTop(after(state, ...keys), { columns: 160, rows: 24 }, unicode).join("\n");
        expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
      }
    },
  );

  it("every size gives as many lines as there are rows, none too wide, in every view", () => {
    const crowd = Array.from({ length: 30 }, (_, i) => ({ ...npu, id: `n${i}`, name: `漢字 device ${i}` }));
    const base = stateOf([...crowd, coral], 30);
    const views = [
      [],
      ["p"],
      ["enter"],
      ["down", "enter", "end"],
      ["?"],
      ["/", "z"],
      ["/", "n", "p", "u"],
      ["space", "s"],
    ];
    for (const keys of views) {
      const state = after(base, ...keys);
      for (const columns of [1, 2, 5, 11, 16, 25, 40, 60, 79, 80, 81, 100, 132, 200, 500]) {
        for (const rows of [1, 2, 3, 4, 10, 24, 50]) {
          for (const terminal of [unicode, ascii]) {
            const lines = renderTop(state, { columns, rows }, terminal);
            expect(lines).toHaveLength(rows);
            const widest = Math.max(...lines.map(cellsOf));
            expect(
              widest,
              `${keys.join()} at ${columns} x ${rows}: ${lines.find((line) => cellsOf(line) === widest) ?? ""}`,
            ).toBeLessThanOrEqual(columns);
          }
        }
      }
    }
  });

  it("colours stand beside numbers and take no room", () => {
    const colour = renderTop(machine(), size, { ...unicode, colour: true });
    expect(colour.some((line) => line.includes("\u001b[31m91.0 °C\u001b[39m"))).toBe(true);
    expect(colour.map((line) => line.replace(/\u001b\[\d+m/g, ""))).toEqual(renderTop(machine(), size, unicode));
  });

  it("a machine without accelerators says so, and one that was not read yet too", () => {
    expect(renderTop(stateOf([]), size, unicode)[2]).toBe("no accelerator here; accelctl review says more");
    expect(renderTop(firstState({ interval: 1 }), size, unicode)[0]).toBe(
      "accelctl top · waiting for the first sample · every 1.0 s",
    );
  });
});

describe("keys", () => {
  it("sort by columns, highest first, with unknown ones last either way round", () => {
    const [a, b, c] = [npu.id, coral.id, gaudi.id];
    expect(ids(machine())).toEqual([a, b, c]);
    expect(ids(after(machine(), "s"))).toEqual([a, c, b]);
    expect(ids(after(machine(), "s", "r"))).toEqual([c, a, b]);
    expect(ids(after(machine(), "s", "s"))).toEqual([c, a, b]);
    expect(ids(after(machine(), "S"))).toEqual([b, c, a]);
    expect(renderTop(after(machine(), "s"), size, unicode)[1]).toContain("vBUSY");
  });

  it("filter by words that stand in names, drivers and processes", () => {
    const typing = after(machine(), "/", "o", "l", "l", "a", "m", "a");
    expect(ids(typing)).toEqual([npu.id]);
    expect(renderTop(typing, size, unicode).at(-1)).toContain("/ollama_");
    // While typing, keys are letters.
    expect(ids(after(machine(), "/", "q"))).toEqual([]);
    expect(ids(after(typing, "backspace", "backspace", "enter"))).toEqual([npu.id]);
    expect(ids(after(typing, "enter", "escape"))).toHaveLength(3);
    expect(ids(after(machine(), "/", "i", "n", "t", "e", "l", "space", "g", "a"))).toEqual([gaudi.id]);
  });

  it("freeze what is shown while samples are taken", () => {
    const frozen = after(machine(), "space");
    const later = withSample(frozen, sample([{ ...npu, metrics: [known("busy_ratio", 1)] }], 9));
    expect(renderTop(later, size, unicode).join("\n")).toContain("FROZEN");
    expect(renderTop(later, size, unicode)[2]).toContain("42 %");
    expect(renderTop(after(later, "space"), size, unicode)[2]).toContain("100 %");
    expect(later.history.of(npu.id, "busy_ratio", undefined)?.last(2)).toEqual([0.42, 1]);
  });

  it("list processes, busiest first, and how much room they have follows from the devices", () => {
    const lines = renderTop(after(machine(), "p"), { columns: 80, rows: 12 }, unicode);
    expect(lines.slice(6, 9)).toEqual([
      "     PID USER       DEVICE           BUSY       MEM COMMAND",
      "    4711 –          0000:00:0b.0     40 %   256 MiB python3",
      "      12 –          0000:00:0b.0        –         – ollama",
    ]);
    const crowd = Array.from({ length: 40 }, (_, i) => ({ ...npu, id: `n${i}` }));
    const full = renderTop(after(stateOf(crowd), "p", "end"), size, unicode);
    expect(full.filter((line) => line.includes("python3"))).toHaveLength(6);
    expect(full.filter((line) => line.startsWith(">"))).toHaveLength(1);
  });

  it("show a device's every metric and why some have no value", () => {
    const lines = renderTop(after(machine(), "enter"), size, unicode);
    expect(lines).toContain("  power_watts                    – absent: its driver (intel_vpu) does not tell");
    expect(lines.find((line) => line.includes("temperature_celsius (tile)"))).toContain("55.0 °C");
    const other = renderTop(after(machine(), "enter", "right"), size, unicode).join("\n");
    expect(other).toContain("– asleep: it sleeps, and reading would wake it:");
    expect(other).toContain("only root sees the processes of others");
    expect(after(machine(), "enter", "q").view).toBe("devices");
    expect(after(machine(), "enter", "enter").view).toBe("devices");
  });

  it("the selection stays with its device when others come before it, and moves to one that is there when it goes", () => {
    const second = after(machine(), "down");
    expect(second.selected).toBe(coral.id);
    expect(withSample(second, sample([gaudi, coral], 9)).selected).toBe(coral.id);
    expect(withSample(second, sample([gaudi], 9)).selected).toBe(gaudi.id);
    expect(renderTop(withSample(after(second, "enter"), sample([], 9)), size, unicode)[2]).toBe("it is gone");
  });

  it("the help tells of every key, and of no other", () => {
    const told = keyHelp.flatMap(([names]) => names.split(", "));
    expect([...told].sort()).toEqual([...boundKeys()].sort());
    expect(after(machine(), "?").view).toBe("help");
    expect(after(machine(), "?", "x").view).toBe("devices");
  });

  it("q and ctrl-c leave, ctrl-c also while typing", () => {
    expect(after(machine(), "q").done).toBe(true);
    expect(after(machine(), "/", "ctrl-c").done).toBe(true);
    const before = machine();
    expect(after(before, "constructor", "__proto__")).toBe(before);
  });
});

describe("history", () => {
  it("a sample without a value, one that was missed and one before the device came are gaps", () => {
    const history = new History();
    const one = (value: number | null) => [
      device("a", {
        metrics: [value === null ? unknown("busy_ratio", "denied", "needs root") : known("busy_ratio", value)],
      }),
    ];
    history.add(sample([], 0));
    history.add(sample(one(0), 1));
    history.add(sample(one(null), 2));
    history.add(sample(one(1), 3), 2);
    history.add(sample([], 4));
    const values = history.of("a", "busy_ratio", undefined)?.last(7) ?? [];
    expect(values).toEqual([NaN, 0, NaN, NaN, NaN, 1, NaN]);
    expect(sparkline(values, [0, 1], true)).toBe(" ▁   █ ");
    expect(sparkline(values, [0, 1], false)).toBe(" _   # ");
  });

  it("a machine that slept has a gap as long as its sleep", () => {
    const slept = withSample(machine(), { ...sample([npu], 4), elapsed_seconds: 3.1 });
    expect(slept.history.of(npu.id, "busy_ratio", undefined)?.last(5)).toEqual([0.42, 0.42, NaN, NaN, 0.42]);
  });

  it("keeps the last ten minutes", () => {
    const history = new History();
    for (let i = 0; i < 1500; i++) history.add(sample([device("a", { metrics: [known("power_watts", i)] })], i));
    const values = history.of("a", "power_watts", undefined)?.last(10_000) ?? [];
    expect(values).toHaveLength(600);
    expect(values.at(-1)).toBe(1499);
    expect(rangeOf("power_watts", values)).toEqual([749.5, 1499]);
  });

  it("a curve has two values a cell in braille, and a line of dots for 0", () => {
    const history = new History();
    for (const value of [0, 1, 0.5]) history.add(sample([device("a", { metrics: [known("busy_ratio", value)] })]));
    const series = history.of("a", "busy_ratio", undefined);
    if (series === undefined) throw new Error("it was added");
    expect(chart(series, "busy_ratio", { columns: 2, rows: 2 }, true).lines).toEqual([" ⡇", "⢀⣿"]);
    expect(chart(series, "busy_ratio", { columns: 4, rows: 2 }, false).lines).toEqual(["  # ", " ###"]);
  });
});

describe("cells", () => {
  it("wide characters take two, marks none, and clipping tells of itself", () => {
    expect(cellsOf("漢字ab")).toBe(6);
    expect(cellsOf("e\u0301")).toBe(1);
    expect(clip("漢字ab", 4, unicode)).toBe("漢…");
    expect(fit("漢", 4, "right", unicode)).toBe("  漢");
    expect(clip("abc", 0, unicode)).toBe("");
  });
});

it("one frame for scripts has every device, and no more lines than that", () => {
  const crowd = Array.from({ length: 30 }, (_, i) => ({ ...npu, id: `n${i}` }));
  const text = renderOnce(stateOf(crowd), 80, { ...unicode, isTerminal: false });
  expect(text.split("\n")).toHaveLength(33);
  expect(text).not.toContain(">");
});
