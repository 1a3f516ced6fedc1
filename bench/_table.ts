/** What benches share: medians, a table, side-by-side runs. */

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? NaN)
    : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}

export function table(title: string, head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((cell, i) => Math.max(cell.length, ...rows.map((row) => (row[i] ?? "").length)));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("  ");
  process.stdout.write(
    [`\n${title}`, line(head), line(widths.map((w) => "-".repeat(w))), ...rows.map(line), ""].join("\n"),
  );
}

/** Runs the candidates in turn, `rounds` times, so that noise falls on all alike. Milliseconds per candidate. */
export function sideBySide(
  candidates: readonly { readonly name: string; readonly run: () => void }[],
  rounds: number,
): Map<string, number[]> {
  const times = new Map<string, number[]>(candidates.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const { name, run } of candidates) {
      const start = performance.now();
      run();
      times.get(name)?.push(performance.now() - start);
    }
  }
  return times;
}

export const ms = (value: number): string => value.toFixed(1);
