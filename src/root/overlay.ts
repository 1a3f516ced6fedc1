/**
 * Several roots as one: what the first does not have, the next may. A kernel comes in more than one package (its modules in one,
 * its configuration in another); together they are the machine they would be installed on.
 */

import { read, type Reading } from "../base/reading.ts";
import type { Root } from "./root.ts";

/** Questions go to each root in turn until one has read an answer; a directory's names are those of all. */
export function overlayRoots(roots: readonly [Root, ...Root[]], name: string): Root {
  const [first, ...others] = roots;
  if (others.length === 0) return first;
  const ask = <T>(question: (root: Root) => Reading<T>): Reading<T> => {
    let best = question(first);
    for (const root of others) {
      if (best.state === "read") return best;
      const next = question(root);
      // "absent" of the one that covers a place says more than "uncaptured" of the one that does not.
      if (next.state === "read" || best.state === "uncaptured") best = next;
    }
    return best;
  };
  return {
    kind: first.kind,
    name,
    text: (path) => ask((root) => root.text(path)),
    bytes: (path) => ask((root) => root.bytes(path)),
    slice: (path, offset, length) => ask((root) => root.slice(path, offset, length)),
    list: (path) => {
      const lists = roots.map((root) => root.list(path));
      const names = lists.flatMap((list) => (list.state === "read" ? list.value : []));
      return lists.some((list) => list.state === "read")
        ? read([...new Set(names)].sort(), path)
        : ask((root) => root.list(path));
    },
    link: (path) => ask((root) => root.link(path)),
    real: (path) => ask((root) => root.real(path)),
    stat: (path) => ask((root) => root.stat(path)),
    access: (path) => ask((root) => root.access(path)),
    ask: (node, question) => ask((root) => root.ask(node, question)),
  };
}
