/**
 * Files dropped anywhere on the page. The view in sight is asked first; what it does not take is looked at as a machine (a report, a
 * capture, an archive, a pasted log) and shown in the Machine view.
 */

import { useEffect } from "preact/hooks";

export interface DropTaker {
  /** What the page says while a file hangs over it: "Drop a model, or a machine". */
  readonly says: string;
  /** True: it was taken. */
  readonly take: (files: readonly File[]) => boolean | Promise<boolean>;
}

const takers: DropTaker[] = [];

/** The taker mounted last is asked first. */
export const dropTakers = (): readonly DropTaker[] => [...takers].reverse();

/** For as long as the component is there. Keep `taker` the same object between renders (useMemo). */
export function useDrop(taker: DropTaker): void {
  useEffect(() => {
    takers.push(taker);
    return () => {
      takers.splice(takers.indexOf(taker), 1);
    };
  }, [taker]);
}
