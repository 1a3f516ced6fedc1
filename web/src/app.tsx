/** The frame around the four views: where one is (the part after #), and how one goes elsewhere. A view is loaded when it is first seen. */

import { signal, useSignalEffect } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { needsToken, session, setToken } from "./api.ts";
import { Announcer, ErrorBox, Spinner } from "./parts/index.ts";
import { whereNow } from "./shell/address.ts";
import { DropZone } from "./shell/drop-zone.tsx";
import { Brand } from "./shell/brand.tsx";
import { ThemeButton } from "./shell/theme-button.tsx";
import { TokenForm } from "./shell/token-form.tsx";
import { dropBusy, dropFailed } from "./report.ts";

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

const loaded = signal<Partial<Record<ViewName, ComponentType<ViewProps>>>>({});
const failed = signal<{ readonly name: ViewName; readonly says: string } | undefined>(undefined);

export function App() {
  const { view, path } = whereNow();
  const name: ViewName = Object.hasOwn(views, view) ? (view as ViewName) : "machine";
  const main = useRef<HTMLElement>(null);
  const before = useRef(name);
  const View = loaded.value[name];
  const broken = failed.value?.name === name ? failed.value : undefined;
  useEffect(() => {
    document.title = `${views[name].title} · accelctl`;
    if (loaded.value[name] === undefined) void show(name);
    // Whoever goes to another view by keyboard or reader goes on there, and at its top.
    if (before.current !== name) {
      before.current = name;
      window.scrollTo(0, 0);
      main.current?.focus({ preventScroll: true });
    }
  }, [name]);
  useSignalEffect(() => {
    // What failed to load while there was no token is loaded again with it.
    if (session.value > 0) failed.value = undefined;
  });
  const skip = (event: Event): void => {
    event.preventDefault(); // the address after # says where one is in the page's views
    main.current?.focus();
  };
  return (
    <>
      <a class="skip" href={`#/${name}`} onClick={skip}>
        Skip to content
      </a>
      <header class="bar">
        <a class="brand" href="#/machine">
          <Brand />
          accelctl
        </a>
        <nav aria-label="Views">
          {Object.entries(views).map(([id, { title }]) => (
            <a key={id} href={`#/${id}`} aria-current={id === name ? "page" : undefined}>
              {title}
            </a>
          ))}
        </nav>
        <ThemeButton />
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        {dropBusy.value !== undefined && <Spinner says={`Looking at ${dropBusy.value}`} />}
        {dropFailed.value !== undefined && (
          <ErrorBox
            title="This file cannot be shown."
            says={dropFailed.value}
            onDismiss={() => (dropFailed.value = undefined)}
          />
        )}
        {needsToken.value !== undefined ? (
          <TokenForm says={needsToken.value} onToken={setToken} />
        ) : broken !== undefined ? (
          <ErrorBox says={broken.says} onRetry={() => void show(name)} />
        ) : View === undefined ? (
          <Spinner />
        ) : (
          <View key={session.value} path={path} />
        )}
      </main>
      <DropZone onMachine={() => (location.hash = "#/machine")} />
      <Announcer />
    </>
  );
}

async function show(name: ViewName): Promise<void> {
  failed.value = undefined;
  try {
    const { default: component } = await views[name].load();
    loaded.value = { ...loaded.value, [name]: component };
  } catch {
    failed.value = { name, says: `${views[name].title} could not be loaded; is accelctl still running?` };
  }
}
