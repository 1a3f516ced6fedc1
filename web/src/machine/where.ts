/** Addresses within the view: #/machine/DEVICE/ROUTE/LAYER. */

export const addressOf = (...path: readonly string[]): string =>
  ["#/machine", ...path.map(encodeURIComponent)].join("/");

export function go(...path: readonly string[]): void {
  location.hash = addressOf(...path);
}
