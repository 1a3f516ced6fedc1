/** What was read from outputs, for people: a table of boxes, points or classes, and why they were read so. */

import type { BoxReport, PoseReport } from "../session/interpret.ts";
import type { RunResult } from "../session/result.ts";
import { harmless, padEnd, wrapText, type Terminal } from "./terminal.ts";

/** Lines of one table; the rest is in --json. */
const ROWS = 24;

export function readLines({ read, maybe, annotated }: RunResult, terminal: Terminal): string[] {
  const lines: string[] = [];
  const add = (text: string, head = "  "): void => void lines.push(...wrapText(text, terminal.columns, head));
  if (read !== undefined) {
    const { of, width, height } = read.coordinates;
    const where =
      width === 1 && height === 1 ? "in shares of the input" : `in pixels of the ${of} (${width} x ${height})`;
    const { boxes, poses, classes } = read;
    if (boxes !== undefined) {
      add(boxes.length === 0 ? "no boxes" : `${boxes.length} ${boxes.length === 1 ? "box" : "boxes"} ${where}`);
      lines.push(
        ...table([["score", "left", "top", "right", "bottom", ""], ...boxes.slice(0, ROWS).map(boxCells)], terminal),
      );
      if (boxes.length > ROWS) add(`and ${boxes.length - ROWS} more in --json`, "    ");
    }
    for (const pose of poses ?? []) {
      add(`${pose.points.length} points ${where}`);
      lines.push(...table([["score", "x", "y", ""], ...pose.points.slice(0, ROWS).map(pointCells)], terminal));
      if (pose.points.length > ROWS) add(`and ${pose.points.length - ROWS} more in --json`, "    ");
    }
    if (classes !== undefined) {
      add("classes of pixels, by their share");
      const rows = classes
        .slice(0, ROWS)
        .map(({ index, label, ratio }) => [`${(ratio * 100).toFixed(1)} %`, nameOf(index, label)]);
      lines.push(...table(rows, terminal));
    }
    add(`read as ${read.name}, because ${read.because}`);
    for (const what of read.assumed) add(`assumed ${what}`);
  }
  if (maybe !== undefined) {
    add(
      `not read: the shapes would fit ${maybe.join(" or ")}, and nothing says which; --head ${maybe[0] ?? "ID"} reads it so`,
    );
  }
  if (annotated !== undefined) add(`drawn: ${annotated}`);
  return lines;
}

const boxCells = ({ score, left, top, right, bottom, class: index, label }: BoxReport): string[] => [
  score.toFixed(3),
  ...[left, top, right, bottom].map(place),
  index === undefined ? "" : nameOf(index, label),
];

const pointCells = ({ score, x, y, name }: PoseReport["points"][number]): string[] => [
  score === undefined ? "" : score.toFixed(3),
  place(x),
  place(y),
  name ?? "",
];

const nameOf = (index: number, label: string | undefined): string =>
  label === undefined || label === "" ? `#${index}` : label;
const place = (value: number): string =>
  Number.isInteger(value) ? String(value) : value.toFixed(value < 2 && value > -2 ? 3 : 1);

/** Numbers to the right, the last column to the left; lines end with the terminal. */
function table(rows: readonly (readonly string[])[], { columns }: Terminal): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === row.length - 1 ? harmless(cell) : cell.padStart(widths[column] ?? 0)))
        .join("  "),
    )
    .map((line) => `    ${padEnd(line, 0)}`.trimEnd().slice(0, columns))
    .filter((line) => line.trim() !== "");
}
