/** A bench for people: a row for each contestant, then of each what its row does not hold. */

import { bytes } from "../base/units.ts";
import type { BenchResult } from "../session/bench-result.ts";
import type { Parity } from "../session/parity.ts";
import { proofLines } from "./proof.ts";
import { harmless, marksOf, paint, wrapText, type Terminal } from "./terminal.ts";

type Row = BenchResult["contestants"][number];

export function benchText(result: BenchResult, terminal: Terminal): string {
  const { dot } = marksOf(terminal);
  const { model, machine, contestants, settings, rounds } = result;
  const how = settings.runs === undefined ? `${settings.seconds ?? 0} s` : `${settings.runs} runs each`;
  const head = `${harmless(model.name)} ${dot} ${machine.cpu === "" ? "unknown processor" : harmless(machine.cpu)}, ${machine.cores} threads ${dot} ${how} in ${rounds} rounds`;
  const lines = wrapText(head, terminal.columns).map((line) => paint(terminal, "bold", line));
  const add = (text: string, first = "  ", rest?: string): void =>
    void lines.push(...wrapText(text, terminal.columns, first, rest));
  lines.push(...table(contestants, terminal));
  for (const one of contestants) {
    add(`${nameOf(one)}${one.delegate === undefined ? "" : ` ${one.delegate.version}`}`);
    for (const text of detailsOf(one)) add(text, "    ");
  }
  if ((result.load ?? 0) > machine.cores / 2) {
    add(
      `the machine was busy: ${(result.load ?? 0).toFixed(1)} processes wanted its ${machine.cores} threads, so trust ratios more than times`,
    );
  }
  for (const sign of result.throttling ?? []) add(`throttling: ${sign}`);
  if (result.throttling?.length === 0) add("no throttling was seen");
  const { sources, rest_watts: rest, says } = result.energy;
  if (sources.length > 0) {
    const at = rest === undefined ? "" : `; at rest ${rest.toFixed(1)} W`;
    add(`energy of ${[...new Set(sources.map(({ name }) => harmless(name)))].join(", ")}${at}`);
  }
  if (says !== undefined) add(`energy: ${says}`);
  for (const what of result.assumed) add(`assumed ${harmless(what)}`);
  if (result.history !== undefined) add(result.history);
  return `${lines.join("\n")}\n`;
}

const nameOf = ({ asked, delegate, device }: Row): string =>
  delegate === undefined ? harmless(asked) : `${delegate.id} on ${device ?? "?"}`;

function table(rows: readonly Row[], terminal: Terminal): string[] {
  const ratios = rows.some(({ ratio }) => ratio !== undefined);
  const head = ["", "p50", "p90", "p99", "least", "first", ...(ratios ? ["ratio"] : [])];
  const cells = rows.flatMap((row): string[][] => {
    const { warm_ms: warm, cold, ratio } = row;
    if (warm === undefined) return [];
    const times = [warm.p50, warm.p90, warm.p99, warm.min, cold?.first_run_ms].map((time) =>
      time === undefined ? "-" : ms(time),
    );
    return [[nameOf(row), ...times, ...(ratios ? [ratio === undefined ? "1" : `${times3(ratio.median)} x`] : [])]];
  });
  if (cells.length === 0) return [];
  const all = [head, ...cells];
  const widths = head.map((_, column) => Math.max(...all.map((line) => (line[column] ?? "").length)));
  return all.map((line, at) => {
    const text = line
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ");
    const cut = `  ${text}`.slice(0, terminal.columns);
    return at === 0 ? paint(terminal, "dim", cut) : cut;
  });
}

function detailsOf(one: Row): string[] {
  const { error, cold, warm_ms: warm, ratio, throughput, memory, energy, parity, last, figures, proof } = one;
  if (error !== undefined) return [`did not run: ${error}`];
  const out: string[] = [];
  if (cold !== undefined) {
    const loaded = cold.loaded_before ? " (its library was loaded already)" : "";
    out.push(
      `${ms(cold.open_ms)} to open${loaded}, ${ms(cold.first_run_ms)} for the first run, then ${warm?.count ?? 0} runs`,
    );
  }
  if (proof !== undefined) out.push(...proofLines(proof).slice(0, 1));
  if (ratio !== undefined)
    out.push(
      `takes ${times3(ratio.median)} times as long as the first, ${times3(ratio.low)} to ${times3(ratio.high)} in the rounds`,
    );
  if (throughput !== undefined) {
    const { concurrency, runs_per_second: rate, latency_ms: latency } = throughput;
    out.push(
      `${rate.toPrecision(4)} runs a second with ${concurrency} under way${latency === undefined ? "" : `, each ${ms(latency.p50)}`}`,
    );
  }
  if (memory !== undefined) {
    const { resident_bytes: resident, grown_bytes: grown, peak_bytes: peak } = memory;
    const more = grown === undefined ? "" : ` of this process, ${bytes(grown)} more than before`;
    out.push(
      `${bytes(resident)} of memory${one.own_process === true ? " of its own process" : more}${peak === undefined ? "" : `, at most ${bytes(peak)}`}`,
    );
  }
  if (energy !== undefined) {
    const over = energy.over_rest === undefined ? "" : `, ${joules(energy.over_rest)} over rest`;
    out.push(`${joules(energy.joules_per_run)} a run${over}${energy.estimated ? " (estimated from watts)" : ""}`);
  }
  for (const [name, value] of Object.entries(figures ?? {}))
    out.push(`${name.replaceAll("_", " ")}: ${value.toPrecision(4)}`);
  if (parity !== undefined) {
    out.push(...parityWords(parity.outputs, parity.to), ...parity.not.map((text) => `not compared: ${text}`));
  }
  if (last !== undefined) {
    out.push(
      `${times3(last.ratio)} times the last bench's ${ms(last.p50_ms)} (${last.when.slice(0, 16).replace("T", " ")} UTC)`,
    );
  }
  return out;
}

function parityWords(outputs: readonly Parity[], to: string): string[] {
  if (outputs.length > 0 && outputs.every(({ identical }) => identical)) {
    return [`the outputs equal those of ${to}`];
  }
  return outputs.map(({ output, max_abs: abs, max_rel: rel, snr_db: snr, cosine, identical, not_finite: odd, top }) => {
    if (identical) return `${output}: as ${to}`;
    const parts = [
      `off by ${short(abs)} at most (${percent(rel)} of the largest)`,
      ...(snr === undefined ? [] : [`${snr.toFixed(1)} dB`]),
      ...(cosine === undefined ? [] : [`cosine ${cosine.toFixed(6)}`]),
      ...(top === undefined
        ? []
        : [`${top.first ? "the same first" : "ANOTHER FIRST"}, ${top.shared} of ${top.of} of the first`]),
      ...(odd === 0 ? [] : [`${odd} are no number on one side`]),
    ];
    return `${output} against ${to}: ${parts.join(", ")}`;
  });
}

function ms(value: number): string {
  if (value < 1) return `${(value * 1000).toFixed(0)} µs`;
  return `${value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0)} ms`;
}

const joules = (value: number): string =>
  value < 1 ? `${(value * 1000).toPrecision(3)} mJ` : `${value.toPrecision(3)} J`;
const times3 = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
const short = (value: number): string => String(Number(value.toPrecision(3)));
const percent = (share: number): string => `${short(share * 100)} %`;
