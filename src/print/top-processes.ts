/** The list of processes in `accelctl top`, under the devices and in a device's detail. */

import { percent } from "../base/units.ts";
import { paint, type Terminal } from "./terminal.ts";
import { clip, fit, safe } from "./top-cells.ts";
import { headMetric, valueWords, type Use } from "./top-columns.ts";

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export const dashOf = (terminal: Terminal): string => (terminal.unicode ? "–" : "-");

/** A header and a line each; why there may be more than are seen is told in the detail. */
export function processTable(uses: readonly Use[], width: number, terminal: Terminal): readonly string[] {
  const dash = dashOf(terminal);
  const wide = width >= 70;
  const row = (pid: string, user: string, device: string, busy: string, memory: string, command: string): string => {
    const cells = [
      fit(pid, 8, "right", terminal),
      ...(wide ? [fit(user, 10, "left", terminal), fit(device, 14, "left", terminal)] : []),
      fit(busy, 6, "right", terminal),
      fit(memory, 9, "right", terminal),
    ].join(" ");
    return clip(`${cells} ${command}`, width, terminal);
  };
  const head = paint(terminal, "bold", row("PID", "USER", "DEVICE", "BUSY", "MEM", "COMMAND"));
  if (uses.length === 0) return [head, paint(terminal, "dim", clip("none that this user may see", width, terminal))];
  return [
    head,
    ...uses.map(({ device, use }) => {
      const busy = headMetric(use.metrics, "busy_ratio");
      const memory = headMetric(use.metrics, "memory_bytes");
      return row(
        String(use.pid),
        safe(use.user ?? dash, terminal),
        safe(device.address, terminal),
        busy === undefined ? dash : percent(busy.value),
        memory === undefined ? dash : valueWords(memory),
        safe(use.command, terminal),
      );
    }),
  ];
}
