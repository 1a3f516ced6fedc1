/** Whose report this is, and what can be done with it: look again, open another, keep it. */

import { useRef } from "preact/hooks";
import { goHome, loadReport, showFile, shown } from "../report.ts";

export function SourceBar() {
  const { source, state } = shown.value;
  const input = useRef<HTMLInputElement>(null);
  const file = source.kind === "file" ? source.name : undefined;
  return (
    <div class={file === undefined ? "source-bar" : "source-bar elsewhere"}>
      <p>
        {file !== undefined ? (
          <>
            <span class="soft">from</span> <b>{file}</b>
          </>
        ) : source.kind === "static" ? (
          <span class="soft">a report, exported</span>
        ) : source.name !== undefined ? (
          <>
            <span class="soft">captured in</span> <b>{source.name}</b>
          </>
        ) : (
          <span class="soft">this machine, as accelctl sees it</span>
        )}
      </p>
      <div class="source-actions">
        {file !== undefined && (
          <button type="button" class="primary" onClick={goHome}>
            Back
          </button>
        )}
        {source.kind === "server" && source.name === undefined && (
          <>
            <button type="button" onClick={() => void loadReport()} disabled={state === "loading"}>
              Read again
            </button>
            <button
              type="button"
              title="Also ask drivers where the question wakes a sleeping device"
              onClick={() => void loadReport({ query: true })}
              disabled={state === "loading"}
            >
              Read again and ask drivers
            </button>
          </>
        )}
        <button
          type="button"
          title="A report, a capture, an archive of a machine, a device tree or a pasted log; or drop it anywhere"
          onClick={() => input.current?.click()}
        >
          Open a file
        </button>
        <input
          ref={input}
          class="unseen"
          type="file"
          tabIndex={-1}
          aria-hidden="true"
          onChange={(event) => {
            const [chosen] = event.currentTarget.files ?? [];
            if (chosen !== undefined) void showFile(chosen);
            event.currentTarget.value = "";
          }}
        />
        {state === "ready" && (
          <button type="button" onClick={save}>
            Save report.json
          </button>
        )}
      </div>
    </div>
  );
}

function save(): void {
  const now = shown.value;
  if (now.state !== "ready") return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(
    new Blob([`${JSON.stringify(now.report, undefined, 2)}\n`], { type: "application/json" }),
  );
  link.download = "report.json";
  link.click();
  // The download has begun by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
