/** Starts the exported page: one file, one report and the atlas, no server. tools/web.mjs makes it; accelctl report --html fills it. */

import { render } from "preact";
import { sentence } from "./api.ts";
import { Announcer, ErrorBox } from "./parts/index.ts";
import { checkReport, dropFailed, showStatic, shown } from "./report.ts";
import { whereNow } from "./shell/address.ts";
import { Brand } from "./shell/brand.tsx";
import { DropZone } from "./shell/drop-zone.tsx";
import { ThemeButton } from "./shell/theme-button.tsx";
import AtlasView from "./atlas/view.tsx";
import { MachinePage } from "./machine/page.tsx";
import "./style.css";
import "./parts/parts.css";
import "./machine/machine.css";

function StaticPage() {
  const now = shown.value;
  const { view, path } = whereNow();
  const isAtlas = view === "atlas";
  return (
    <>
      <header class="bar">
        <span class="brand">
          <Brand />
          accelctl
        </span>
        <nav aria-label="Views">
          <a href="#/machine" aria-current={isAtlas ? undefined : "page"}>
            Machine
          </a>
          <a href="#/atlas" aria-current={isAtlas ? "page" : undefined}>
            Atlas
          </a>
        </nav>
        <ThemeButton />
      </header>
      <main id="main" tabIndex={-1}>
        {dropFailed.value !== undefined && (
          <ErrorBox
            title="This file cannot be shown."
            says={dropFailed.value}
            onDismiss={() => (dropFailed.value = undefined)}
          />
        )}
        {isAtlas && <AtlasView />}
        {!isAtlas && now.state === "ready" && <MachinePage report={now.report} source={now.source} path={path} />}
        {!isAtlas && now.state === "failed" && (
          <ErrorBox title="The report in this file cannot be shown:" says={now.says} />
        )}
      </main>
      <DropZone onMachine={() => (location.hash = "#/machine")} />
      <Announcer />
    </>
  );
}

try {
  showStatic(checkReport(JSON.parse(document.getElementById("report")?.textContent ?? "")));
} catch (error) {
  const says = sentence(error);
  shown.value = { state: "failed", source: { kind: "static" }, says };
}
const at = document.getElementById("app");
if (at !== null) render(<StaticPage />, at);
