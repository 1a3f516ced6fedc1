/** One live region for the page: what changed without being seen is said to screen readers. */

import { signal } from "@preact/signals";

const said = signal("");
let timer: ReturnType<typeof setTimeout> | undefined;

/** Says it once. The same words said again are said again. */
export function announce(text: string): void {
  clearTimeout(timer);
  said.value = "";
  timer = setTimeout(() => (said.value = text), 30);
}

export function Announcer() {
  return (
    <div class="unseen" role="status" aria-live="polite">
      {said.value}
    </div>
  );
}
