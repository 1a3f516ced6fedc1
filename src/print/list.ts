/** The inventory as a table that fits its terminal: what does not fit is cut in the name, never in an address. */

import { valueOf } from "../base/reading.ts";
import type { DeviceReport } from "../review/report.ts";
import { harmless, marksOf, padEnd, paint, widthOf, type Terminal } from "./terminal.ts";

export function listText(devices: readonly DeviceReport[], terminal: Terminal): string {
  if (devices.length === 0) return "no accelerator seen\n";
  const marks = marksOf(terminal);
  const rows = devices.map((device) => ({
    mark: paint(
      terminal,
      ({ yes: "green", no: isIdle(device) ? "dim" : "red", unknown: "yellow" } as const)[device.verdict.works],
      { yes: marks.ok, no: isIdle(device) ? marks.unneeded : marks.bad, unknown: marks.unknown }[device.verdict.works],
    ),
    name: harmless(device.name),
    family: device.family ?? "unrecognised",
    address: harmless(device.address),
    driver: harmless(driverWord(device)),
    nodes: harmless(device.nodes.map((node) => node.path).join(",")),
  }));
  const longest = Math.max(...rows.map((row) => widthOf(row.name)));
  const layout = (columns: readonly Column[]): { columns: readonly Column[]; widths: number[]; room: number } => {
    const widths = columns.map((column) => Math.max(...rows.map((row) => widthOf(row[column]))));
    const rest = widths.reduce((sum, width) => sum + width + 2, 0);
    return { columns, widths, room: Math.min(longest, terminal.columns - rest - 2) };
  };
  // The name says the family too: where both do not fit, the id gives way.
  const whole = layout(["family", "address", "driver", "nodes"]);
  const { columns, widths, room } =
    whole.room >= Math.min(longest, 24) ? whole : layout(["address", "driver", "nodes"]);
  const space = Math.max(12, room);
  return rows
    .map((row) => {
      const cells = columns.map((column, i) => padEnd(row[column], widths[i] ?? 0));
      return `${row.mark} ${padEnd(cut(row.name, space), space)}  ${cells.join("  ")}`.trimEnd() + "\n";
    })
    .join("");
}

/** A processor without a runtime is not broken. */
const isIdle = (device: DeviceReport): boolean => device.bus === "cpu";

type Column = "family" | "address" | "driver" | "nodes";

function driverWord(device: DeviceReport): string {
  if (device.bus === "cpu") return "-";
  return (
    valueOf(device.driver) ??
    { absent: "no driver", denied: "denied", uncaptured: "?", malformed: "?", read: "" }[device.driver.state]
  );
}

function cut(text: string, room: number): string {
  return widthOf(text) <= room
    ? text
    : `${Array.from(text)
        .slice(0, room - 1)
        .join("")}…`;
}
