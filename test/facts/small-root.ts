/** A whole machine in a few lines of test: path to content. "-> x" is a link, null a file that may not be read, "/dir/" a directory. */

import type { Root, RootKind } from "../../src/root/root.ts";
import { TreeBuilder } from "../../src/root/memory.ts";

export function smallRoot(
  files: Readonly<Record<string, string | Uint8Array | null>>,
  options: { readonly kind?: RootKind; readonly uncaptured?: readonly string[] } = {},
): Root {
  const tree = new TreeBuilder().covers("/");
  for (const path of options.uncaptured ?? []) tree.gap(path);
  for (const [path, content] of Object.entries(files)) {
    if (content === null) tree.fails(path, "denied");
    else if (path.endsWith("/")) tree.directory(path.slice(0, -1));
    else if (typeof content === "string" && content.startsWith("-> ")) tree.link(path, content.slice(3));
    else tree.file(path, content);
  }
  return tree.build(options.kind ?? "capture", "small");
}
