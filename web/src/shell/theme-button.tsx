/** Goes round: as the system, light, dark. */

import { announce } from "../parts/announce.tsx";
import { choose, wish, type Wish } from "../parts/theme.ts";

const order: Readonly<Record<Wish, { readonly next: Wish; readonly word: string; readonly symbol: string }>> = {
  auto: { next: "light", word: "as the system", symbol: "◐" },
  light: { next: "dark", word: "light", symbol: "☀" },
  dark: { next: "auto", word: "dark", symbol: "☾" },
};

export function ThemeButton() {
  const { next, word, symbol } = order[wish.value];
  const press = (): void => {
    choose(next);
    announce(`colours: ${order[next].word}`);
  };
  return (
    <button type="button" class="theme" aria-label={`Colours: ${word}`} title={`Colours: ${word}`} onClick={press}>
      <span aria-hidden="true">{symbol}</span>
    </button>
  );
}
