/** Asks when a component comes into sight or what it asks about changes; what comes too late is dropped. */

import { useEffect, useState } from "preact/hooks";
import { sentence } from "../api.ts";

export type Loaded<T> =
  | { readonly state: "loading"; readonly value?: T }
  | { readonly state: "ready"; readonly value: T }
  | { readonly state: "failed"; readonly says: string; readonly value?: T };

/** `ask` is called anew when one of `of` changes; until it is answered the last value stays. */
export function useLoaded<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  of: readonly unknown[],
): readonly [Loaded<T>, () => void] {
  const [now, setNow] = useState<Loaded<T>>({ state: "loading" });
  const [again, setAgain] = useState(0);
  useEffect(() => {
    const leaving = new AbortController();
    setNow((before) => ({ state: "loading", ...(before.value === undefined ? {} : { value: before.value }) }));
    ask(leaving.signal).then(
      (value) => {
        if (!leaving.signal.aborted) setNow({ state: "ready", value });
      },
      (error: unknown) => {
        if (!leaving.signal.aborted)
          setNow(({ value }) => ({
            state: "failed",
            says: sentence(error),
            ...(value === undefined ? {} : { value }),
          }));
      },
    );
    return () => leaving.abort();
  }, [...of, again]);
  return [now, () => setAgain((n) => n + 1)];
}
