/** The frame around the four views: where one is (the part after #), and how one goes elsewhere. A view is loaded when it is first seen. */

import { signal } from "@preact/signals";
import type { ComponentType } from "preact";

/** Views in the order of the navigation; each file's default export is its component. */
const views = {
  machine: { title: "Machine", load: () => import("./machine/view.tsx") },
  models: { title: "Models", load: () => import("./models/view.tsx") },
  live: { title: "Live", load: () => import("./live/view.tsx") },
  atlas: { title: "Atlas", load: () => import("./atlas/view.tsx") },
} as const satisfies Record<string, { title: string; load: () => Promise<{ default: ComponentType<ViewProps> }> }>;
type ViewName = keyof typeof views;

export interface ViewProps {
  /** What stands after the view's name in the address: "#/machine/0000:00:0b.0" gives ["0000:00:0b.0"]. */
  readonly path: readonly string[];
}

const address = signal(location.hash);
window.addEventListener("hashchange", () => (address.value = location.hash));

const loaded = signal<Partial<Record<ViewName, ComponentType<ViewProps>>>>({});
const failed = signal<string | undefined>(undefined);

export function App() {
  const [, first = "", ...path] = address.value.split("/");
  const name: ViewName = Object.hasOwn(views, first) ? (first as ViewName) : "machine";
  const View = loaded.value[name];
  if (View === undefined) void show(name);
  document.title = `${views[name].title} · accelctl`;
  return (
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <header class="bar">
        <a class="brand" href="#/machine">
          accelctl
        </a>
        <nav aria-label="Views">
          {Object.entries(views).map(([id, { title }]) => (
            <a key={id} href={`#/${id}`} aria-current={id === name ? "page" : undefined}>
              {title}
            </a>
          ))}
        </nav>
      </header>
      <main id="main" tabIndex={-1}>
        {failed.value !== undefined && <p role="alert">{failed.value}</p>}
        {View === undefined ? <p class="soft">Loading …</p> : <View path={path.map(decodeURIComponent)} />}
      </main>
    </>
  );
}

async function show(name: ViewName): Promise<void> {
  try {
    const { default: component } = await views[name].load();
    loaded.value = { ...loaded.value, [name]: component };
  } catch (error) {
    failed.value = `${views[name].title} could not be loaded: ${error instanceof Error ? error.message : String(error)}`;
  }
}
