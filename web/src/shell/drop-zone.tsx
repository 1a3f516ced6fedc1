/** The whole page takes files: dropped, or chosen by openFile(). */

import { signal } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";
import { dropTakers } from "../parts/drop.ts";
import { showFile } from "../report.ts";

const over = signal(false);

export interface DropZoneProps {
  /** A machine was dropped while another view was in sight. */
  readonly onMachine: () => void;
}

export function DropZone({ onMachine }: DropZoneProps) {
  useLayoutEffect(() => {
    // Leaving one element for another within the page is no leaving: counted in and out.
    let depth = 0;
    const holdsFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") === true;
    const on = {
      dragenter: (event: DragEvent) => {
        if (!holdsFiles(event)) return;
        event.preventDefault();
        depth++;
        over.value = true;
      },
      dragover: (event: DragEvent) => {
        if (holdsFiles(event)) event.preventDefault();
      },
      dragleave: (event: DragEvent) => {
        if (holdsFiles(event) && --depth <= 0) over.value = false;
      },
      drop: (event: DragEvent) => {
        if (!holdsFiles(event)) return;
        event.preventDefault();
        depth = 0;
        over.value = false;
        void take([...(event.dataTransfer?.files ?? [])], onMachine);
      },
    };
    for (const [name, listener] of Object.entries(on)) window.addEventListener(name, listener as EventListener);
    return () => {
      for (const [name, listener] of Object.entries(on)) window.removeEventListener(name, listener as EventListener);
    };
  }, [onMachine]);
  if (!over.value) return null;
  const says = dropTakers()[0]?.says ?? "Drop a report, a capture, an archive or a pasted log";
  return (
    <div class="drop-over" aria-hidden="true">
      <p>{says}</p>
    </div>
  );
}

async function take(files: readonly File[], onMachine: () => void): Promise<void> {
  if (files.length === 0) return;
  for (const taker of dropTakers()) {
    if (await taker.take(files)) return;
  }
  const [first] = files;
  if (first === undefined) return;
  await showFile(first);
  onMachine();
}
