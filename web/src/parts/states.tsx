/** What is shown in the place of a view that has nothing to show. */

import type { ComponentChildren } from "preact";

/** `says` is read out; nothing is shown in the first moments, so that what is quick does not flicker. */
export function Spinner({ says = "Loading" }: { readonly says?: string }) {
  return (
    <p class="spinner" role="status">
      <span class="wheel" aria-hidden="true" />
      {says} …
    </p>
  );
}

export interface EmptyProps {
  readonly title: string;
  readonly children?: ComponentChildren;
}

export function Empty({ title, children }: EmptyProps) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children}
    </div>
  );
}

export interface ErrorBoxProps {
  readonly title?: string;
  /** One sentence: what went wrong, and what would be right. */
  readonly says: string;
  readonly onRetry?: () => void;
  readonly onDismiss?: () => void;
}

export function ErrorBox({ title, says, onRetry, onDismiss }: ErrorBoxProps) {
  return (
    <div class="error-box" role="alert">
      <span class="symbol" aria-hidden="true">
        ✗
      </span>
      <div>
        {title !== undefined && <b>{title} </b>}
        <span>{says}</span>
      </div>
      {onRetry !== undefined && (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
      {onDismiss !== undefined && (
        <button type="button" class="close" aria-label="Dismiss" onClick={onDismiss}>
          ✕
        </button>
      )}
    </div>
  );
}
