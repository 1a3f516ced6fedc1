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
      ({ yes: "green", no: "red", unknown: "yellow" } as const)[device.verdict.works],
      { yes: marks.ok, no: marks.bad, unknown: marks.unknown }[device.verdict.works],
    ),
    name: harmless(device.name),
    family: device.family ?? "unrecognised",
    address: harmless(device.address),
    driver: harmless(driverWord(device)),
    nodes: harmless(device.nodes.map((node) => node.path).join(",")),
  }));
  const columns = ["family", "address", "driver", "nodes"] as const;
  const widths = columns.map((column) => Math.max(...rows.map((row) => widthOf(row[column]))));
  const rest = widths.reduce((sum, width) => sum + width + 2, 0);
  const longest = Math.max(...rows.map((row) => widthOf(row.name)));
  const room = Math.max(12, Math.min(longest, terminal.columns - rest - 2));
  return rows
    .map((row) => {
      const cells = columns.map((column, i) => padEnd(row[column], widths[i] ?? 0));
      return `${row.mark} ${padEnd(cut(row.name, room), room)}  ${cells.join("  ")}`.trimEnd() + "\n";
    })
    .join("");
}

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
