/** Machine: what is here, what works, and what to do about what does not. */

import { useEffect } from "preact/hooks";
import type { ViewProps } from "../app.tsx";
import { ErrorBox, Spinner } from "../parts/index.ts";
import { loadReport, shown } from "../report.ts";
import { MachinePage } from "./page.tsx";
import { SourceBar } from "./source-bar.tsx";
import "./machine.css";

export default function MachineView({ path }: ViewProps) {
  useEffect(() => {
    const { state, source } = shown.value;
    if (state !== "ready" && source.kind === "server") void loadReport();
  }, []);
  const now = shown.value;
  if (now.state === "failed") {
    return (
      <>
        <h1>Machine</h1>
        <ErrorBox title="The machine could not be shown:" says={now.says} onRetry={() => void loadReport()} />
        <SourceBar />
      </>
    );
  }
  if (now.state === "loading") {
    return (
      <>
        <h1 class="unseen">Machine</h1>
        <Spinner says="Looking at the machine" />
      </>
    );
  }
  return <MachinePage report={now.report} source={now.source} path={path} />;
}
