/** Atlas: the landscape of accelerators as data, what they can do at most, when they came and went, and each family by itself. */

import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import { ErrorBox, Spinner, Tabs } from "../parts/index.ts";
import { loadReport, shown } from "../report.ts";
import { choose, familiesHere, hashOf, loadAtlas, loaded, placeOf, type Atlas, type Place } from "./data.ts";
import { FacetPanel } from "./facets.tsx";
import { FamilyPage } from "./family.tsx";
import { Landscape } from "./landscape.tsx";
import { Peaks } from "./peaks.tsx";
import { Timeline } from "./timeline.tsx";
import "./view.css";

const tabs = [
  { id: "landscape", title: "Landscape" },
  { id: "peaks", title: "Peak throughput" },
  { id: "timeline", title: "Timeline" },
] as const;

export default function AtlasView() {
  useEffect(() => {
    void loadAtlas();
    // Which of them this machine has; the Machine view may have asked already.
    if (shown.peek().state === "loading") void loadReport();
  }, []);
  const now = loaded.value;
  return (
    <div class="atlas">
      {now.state === "ready" ? (
        <Ready atlas={now.atlas} />
      ) : (
        <>
          <h1>Atlas</h1>
          {now.state === "loading" ? <Spinner /> : <ErrorBox says={now.says} onRetry={() => void loadAtlas()} />}
        </>
      )}
    </div>
  );
}

function Ready({ atlas }: { readonly atlas: Atlas }) {
  // What is typed and chosen is in the address, but makes no step of its history.
  const [place, setPlace] = useState(() => placeOf(location.hash));
  // Before anything is seen: an address that changes right then is not missed.
  useLayoutEffect(() => {
    const onHash = (): void => setPlace(placeOf(location.hash));
    window.addEventListener("hashchange", onHash);
    return () => window.removeEventListener("hashchange", onHash);
  }, []);
  const go = (next: Place): void => {
    history.replaceState(null, "", hashOf(next));
    setPlace(next);
  };
  const report = shown.value.state === "ready" ? shown.value.report : undefined;
  const here = familiesHere(report);
  if (place.family !== undefined) {
    return <FamilyPage atlas={atlas} id={place.family} here={here.get(place.family)} />;
  }
  const ids = new Set(here.keys());
  const chosen = choose(atlas.families, place, ids);
  const machine = shown.value.source.kind === "file" ? shown.value.source.name : "this machine";
  const chips = atlas.families.reduce((sum, family) => sum + family.chips.length, 0);
  return (
    <>
      <h1>Atlas</h1>
      <p class="soft lead">
        {atlas.families.length} families of accelerators with {chips} chips as accelctl knows them, each fact with its
        source.
        {report !== undefined && ` Marked: what ${machine} has.`}
      </p>
      <div class="atlas-body">
        <FacetPanel atlas={atlas} place={place} here={ids} found={chosen.length} onPlace={go} />
        <div class="atlas-main">
          <Tabs
            label="Pictures of the atlas"
            tabs={tabs}
            chosen={place.tab}
            onChoose={(id) => go({ ...place, tab: tabs.find((tab) => tab.id === id)?.id ?? "landscape" })}
          >
            {place.tab === "landscape" && <Landscape families={chosen} place={place} here={here} onPlace={go} />}
            {place.tab === "peaks" && <Peaks atlas={atlas} families={chosen} here={ids} />}
            {place.tab === "timeline" && (
              <Timeline atlas={atlas} families={chosen} here={ids} all={chosen.length === atlas.families.length} />
            )}
          </Tabs>
        </div>
      </div>
    </>
  );
}
