/** A stack of layers, the lowest of them alight. */

export function Brand() {
  return (
    <svg class="brand-mark" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
      <rect x="2" y="2.5" width="16" height="3" rx="1" opacity=".35" />
      <rect x="2" y="8.5" width="16" height="3" rx="1" opacity=".65" />
      <rect class="lit" x="2" y="14.5" width="16" height="3" rx="1" />
    </svg>
  );
}
