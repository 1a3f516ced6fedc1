/** A button that asks for files: the browser's own input is out of sight and out of the order of tabs. */

import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";

export interface FileButtonProps {
  readonly onFiles: (files: readonly File[]) => void;
  readonly many?: boolean;
  /** As <input accept>. */
  readonly accept?: string;
  readonly class?: string;
  readonly label?: string;
  readonly children: ComponentChildren;
}

export function FileButton({ onFiles, many = false, accept, class: kind, label, children }: FileButtonProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" class={kind} aria-label={label} onClick={() => input.current?.click()}>
        {children}
      </button>
      <input
        ref={input}
        type="file"
        hidden
        multiple={many}
        accept={accept}
        onChange={(event) => {
          const files = [...(event.currentTarget.files ?? [])];
          // The same file may be chosen again.
          event.currentTarget.value = "";
          if (files.length > 0) onFiles(files);
        }}
      />
    </>
  );
}
