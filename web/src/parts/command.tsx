/** Commands to be read, copied and typed by people; the page runs nothing. */

import { useState } from "preact/hooks";
import { announce } from "./announce.tsx";
import { harmless } from "./format.ts";

/** How long a button says that it did. */
const SAID_MS = 1600;

/** The clipboard of a page that came over plain HTTP from elsewhere than loopback is closed: then by way of a selection. */
export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "unseen";
    // Within an open dialog, as the rest of the page takes no focus.
    (document.querySelector("dialog[open]") ?? document.body).append(area);
    area.select();
    try {
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- nothing else works without a secure context
      return document.execCommand("copy");
    } finally {
      area.remove();
    }
  }
}

export interface CopyButtonProps {
  readonly text: string;
  /** What is copied, for screen readers: "command", "JSON". */
  readonly what?: string;
}

export function CopyButton({ text, what = "command" }: CopyButtonProps) {
  const [said, setSaid] = useState<string | undefined>(undefined);
  const press = async (): Promise<void> => {
    const word = (await copy(text)) ? "copied" : "not copied";
    setSaid(word);
    announce(word);
    setTimeout(() => setSaid(undefined), SAID_MS);
  };
  return (
    <button type="button" class="copy" aria-label={`Copy ${what}: ${text}`} onClick={() => void press()}>
      {said ?? "Copy"}
    </button>
  );
}

export function Command({ text }: { readonly text: string }) {
  const shown = harmless(text);
  return (
    <div class="command">
      <code>{shown}</code>
      <CopyButton text={shown} />
    </div>
  );
}

/** Several, each to be copied by itself, and all at once. */
export function Commands({ commands }: { readonly commands: readonly string[] }) {
  if (commands.length === 0) return null;
  return (
    <div class="commands">
      {commands.map((text) => (
        <Command key={text} text={text} />
      ))}
    </div>
  );
}
