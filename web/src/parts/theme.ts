/** Light, dark, or as the system says. Kept on this machine only. */

import { effect, signal } from "@preact/signals";

export type Wish = "auto" | "light" | "dark";
const KEY = "accelctl-theme";
const system = window.matchMedia("(prefers-color-scheme: dark)");

export const wish = signal<Wish>(remembered());
/** What is drawn. For canvases: an effect that reads this runs again when colours change; take them by colourOf(). */
export const theme = signal<"light" | "dark">("light");

const systemDark = signal(system.matches);
system.addEventListener("change", () => (systemDark.value = system.matches));

effect(() => {
  document.documentElement.dataset["theme"] =
    wish.value === "auto" ? (systemDark.value ? "dark" : "light") : wish.value;
  theme.value = document.documentElement.dataset["theme"] === "dark" ? "dark" : "light";
});

export function choose(next: Wish): void {
  wish.value = next;
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // Storage is refused (a file opened from disk, a private window): it holds until the page is closed.
  }
}

/** The colour of a variable of style.css as it is now: colourOf("--ok"). */
export const colourOf = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function remembered(): Wish {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === "light" || kept === "dark" ? kept : "auto";
  } catch {
    return "auto";
  }
}
