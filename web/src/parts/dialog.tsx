/** Dialogs and drawers by the browser's own <dialog>: focus stays within, Escape closes, the rest of the page is still. */

import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

export interface DialogProps {
  readonly title: ComponentChildren;
  /** A drawer comes from the side; on a phone from below. */
  readonly kind?: "dialog" | "drawer";
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

/** Shown for as long as it is rendered; focus goes back to where it was. */
export function Dialog({ title, kind = "dialog", onClose, children }: DialogProps) {
  const at = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = at.current;
    const before = document.activeElement;
    dialog?.showModal();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement || before instanceof SVGElement) before.focus();
    };
  }, []);
  return (
    // A press on the backdrop closes too; keys have Escape and the button.
    <dialog
      ref={at}
      class={kind}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => event.target === event.currentTarget && onClose()}
    >
      <div class="dialog-body">
        <div class="dialog-head">
          <h2 id={id}>{title}</h2>
          <button type="button" class="close" aria-label="Close" onClick={onClose}>
            ✕
          </button>
        </div>
        {children}
      </div>
    </dialog>
  );
}

export const Drawer = (props: Omit<DialogProps, "kind">) => <Dialog {...props} kind="drawer" />;
