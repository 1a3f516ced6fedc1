/** Where one is in the page: what follows # in its address, taken apart. */

import { signal } from "@preact/signals";
import { unescaped } from "../api.ts";

const hash = signal(location.hash);
window.addEventListener("hashchange", () => (hash.value = location.hash));

/** "#/machine/0000%3A00%3A0b.0" is the view "machine" with the path ["0000:00:0b.0"]. */
export function whereNow(): { readonly view: string; readonly path: readonly string[] } {
  const [, view = "", ...path] = hash.value.split("/");
  return { view, path: path.map(unescaped) };
}
