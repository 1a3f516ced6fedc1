/** One model: its overview, its graph, and running it. What is large is loaded when its tab is first opened. */

import type { ComponentType, RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Badge, bytes, ErrorBox, Spinner, Tabs, type Tab } from "../parts/index.ts";
import { askModel, upload, uploads, type ModelAnswer } from "./api.ts";
import { isInput } from "./files.ts";
import { useLoaded } from "./load.ts";
import { RemoveButton } from "./remove-button.tsx";
import { Overview } from "./overview.tsx";

/** True: they were taken. */
export type TakeFiles = (files: readonly File[]) => boolean;

export interface TabProps {
  readonly model: ModelAnswer;
  /** Files that were dropped for a run. */
  readonly dropped: readonly File[];
  /** What follows the tab's name in the address. */
  readonly more?: string | undefined;
}

const late: Readonly<Record<string, () => Promise<{ default: ComponentType<TabProps> }>>> = {
  graph: () => import("./graph.tsx"),
  fit: () => import("./fit.tsx"),
  run: () => import("./run.tsx"),
};
const titles: readonly Tab[] = [
  { id: "overview", title: "Overview" },
  { id: "graph", title: "Graph" },
  { id: "run", title: "Run" },
  { id: "fit", title: "Fit" },
];

export interface ModelPageProps {
  readonly id: string;
  readonly tab: string | undefined;
  readonly more: string | undefined;
  readonly taker: RefObject<TakeFiles | undefined>;
}

export function ModelPage({ id, tab, more, taker }: ModelPageProps) {
  const [loaded, again] = useLoaded((signal) => askModel(id, signal), [id, uploads.value]);
  const [dropped, setDropped] = useState<readonly File[]>([]);
  const model = loaded.value;
  useEffect(() => {
    taker.current = (files) => {
      if (model?.state !== "model") return false;
      if (files.some(({ name }) => model.missing.includes(name)) && model.demo !== true) {
        void upload(files, id);
        return true;
      }
      if (!files.every(isInput)) return false;
      setDropped(files);
      location.hash = `#/models/${id}/run`;
      return true;
    };
    return () => {
      taker.current = undefined;
    };
  }, [id, model]);
  const way = (
    <p class="way-back">
      <a href="#/models">← All models</a>
    </p>
  );
  if (model === undefined) {
    return (
      <>
        {way}
        <h1 class="unseen">Model</h1>
        {loaded.state === "failed" ? (
          <ErrorBox title="This model cannot be shown:" says={loaded.says} onRetry={again} />
        ) : (
          <Spinner says="Reading the model" />
        )}
      </>
    );
  }
  return (
    <>
      {way}
      <Head model={model} />
      {loaded.state === "failed" && <ErrorBox says={loaded.says} onRetry={again} />}
      {model.state === "model" ? (
        <Tabbed model={model} tab={tab} more={more} dropped={dropped} />
      ) : (
        <NoModel model={model} />
      )}
    </>
  );
}

function Head({ model }: { readonly model: ModelAnswer }) {
  const { inspection, name, demo, files } = model;
  const total = files.reduce((sum, file) => sum + file.bytes, 0);
  const producer = inspection?.producer;
  return (
    <div class="model-head">
      <div>
        <h1>{name}</h1>
        <p class="model-sub">
          {inspection === undefined ? (
            <Badge symbol="✗" word={model.state === "broken" ? "broken file" : "no model"} tone="bad" />
          ) : (
            <>
              <b>{inspection.format.name}</b>
              {inspection.format.version !== undefined && <span>version {inspection.format.version}</span>}
              {producer !== undefined && (
                <span>
                  by {producer.name} {producer.version}
                </span>
              )}
              {inspection.sealed && <Badge symbol="■" word="sealed: compiled for one chip" tone="maybe" />}
              {inspection.integrity.some(({ severity }) => severity === "error") && (
                <Badge symbol="✗" word="contradicts itself" tone="bad" />
              )}
            </>
          )}
          <span>{bytes(total)}</span>
        </p>
      </div>
      {demo !== true && <RemoveButton model={model} onRemoved={() => (location.hash = "#/models")} />}
    </div>
  );
}

function NoModel({ model }: { readonly model: ModelAnswer }) {
  return (
    <div class="card no-model" role="alert">
      <h2>{model.state === "broken" ? "This file is broken" : "This is no model"}</h2>
      <p class="says">{model.says}</p>
      {model.looks?.cure !== undefined && <p>What helps: {model.looks.cure}</p>}
      <p class="soft">
        {model.state === "broken"
          ? "The offset is where the file stops to make sense. Was it downloaded whole?"
          : "Nothing of it was run."}
      </p>
    </div>
  );
}

function Tabbed({ model, tab, more, dropped }: TabProps & { readonly tab: string | undefined }) {
  const chosen = titles.some(({ id }) => id === tab) ? (tab ?? "overview") : "overview";
  return (
    <Tabs
      label={`About ${model.name}`}
      tabs={titles}
      chosen={chosen}
      onChoose={(next) => (location.hash = `#/models/${model.id}${next === "overview" ? "" : `/${next}`}`)}
    >
      {chosen === "overview" ? (
        <Overview model={model} />
      ) : (
        <Late key={chosen} name={chosen} model={model} more={more} dropped={dropped} />
      )}
    </Tabs>
  );
}

function Late({ name, ...props }: TabProps & { readonly name: string }) {
  const part = useRef<ComponentType<TabProps> | undefined>(undefined);
  const [state, setState] = useState<"loading" | "ready" | "failed">("loading");
  const load = (): void => {
    setState("loading");
    late[name]?.().then(
      (loaded) => {
        part.current = loaded.default;
        setState("ready");
      },
      () => setState("failed"),
    );
  };
  useEffect(load, []);
  const Part = part.current;
  if (state === "failed")
    return <ErrorBox says="This part could not be loaded; is accelctl still running?" onRetry={load} />;
  return Part === undefined ? <Spinner /> : <Part {...props} />;
}
