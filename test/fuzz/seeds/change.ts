/** Changes a machine of items: contents, kinds of entries, links, names, numbers of siblings. And makes a root of the result. */

import { TreeBuilder } from "../../../src/root/memory.ts";
import type { Root, RootKind } from "../../../src/root/root.ts";
import { below, mutateBytes, mutateText, oddities, pick, type Random } from "../mutate.ts";
import type { Item } from "./machine.ts";

/** What was changed is told beside the machine, for the file of a failed case. */
export interface Changed {
  readonly items: readonly Item[];
  readonly notes: string;
}

export function changeItems(seed: readonly Item[], random: Random): Changed {
  const items = [...seed];
  const notes: string[] = [];
  const rounds = 1 + below(random, 8);
  for (let i = 0; i < rounds; i++) {
    const at = below(random, items.length);
    const item = items[at];
    if (item === undefined) continue;
    const change = changeItem(item, items, random);
    items.splice(at, 1, ...change);
    notes.push(
      `${item.path} -> ${change.length > 3 ? `${change.length} items like ` : ""}${describe(change.slice(0, 3))}`,
    );
  }
  return { items, notes: notes.join("\n") };
}

const describe = (items: readonly Item[]): string =>
  JSON.stringify(items, (key, value: unknown) =>
    key === "content" && typeof value !== "string"
      ? `base64:${Buffer.from(value as Uint8Array).toString("base64")}`
      : value,
  ).slice(0, 20_000);

function changeItem(item: Item, items: readonly Item[], random: Random): Item[] {
  const { path } = item;
  switch (below(random, 16)) {
    case 0:
      return [];
    case 1:
      return [{ path, target: linkTarget(path, random) }];
    case 2:
      return [{ path, directory: true }];
    case 3:
      return [{ path, node: pick(random, ["char", "block", "fifo", "socket"]), numbers: [below(random, 512), 0] }];
    case 4:
      return [{ path, content: "content" in item ? item.content : "", denied: true }];
    case 5: {
      const other = pick(random, items);
      return "content" in other ? [{ path, content: other.content }] : [item];
    }
    case 6:
      return [item, { ...item, path: renamed(path, random) }];
    case 7: {
      // Many siblings: two hundred functions, a thousand nodes.
      if (random() > 0.1) return [item];
      return Array.from({ length: 1 + below(random, 300) }, (_, n) => ({ ...item, path: `${path}${n}` }));
    }
    default:
  }
  if ("content" in item) {
    const content =
      typeof item.content === "string" ? mutateText(item.content, random) : mutateBytes(item.content, random);
    return [{ ...item, content }];
  }
  if ("target" in item) return [{ path, target: mutateText(item.target, random) }];
  if ("node" in item) return [{ ...item, numbers: [below(random, 2 ** 32), below(random, 2 ** 32)] }];
  return [item];
}

function linkTarget(path: string, random: Random): string {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return pick(random, [
    name,
    ".",
    "..",
    "/",
    "",
    path,
    `${"../".repeat(60)}etc/passwd`,
    "/sys",
    "x".repeat(5000),
    "\0",
    "../\u001b[1m",
  ]);
}

/** One element of the path replaced. */
function renamed(path: string, random: Random): string {
  const parts = path.split("/");
  const at = 1 + below(random, parts.length - 1);
  const odd = mutateText(random() < 0.5 ? (parts[at] ?? "") : pick(random, oddities), random);
  const name = odd.replace(/[/\0]/g, "_").slice(0, 255);
  parts[at] = name === "" || name === "." || name === ".." ? "_" : name;
  return parts.join("/");
}

export function buildRoot({ items }: Changed, kind: RootKind, covered: boolean): Root {
  const builder = new TreeBuilder();
  if (covered) builder.covers("/");
  for (const item of items) {
    if ("content" in item) {
      builder.file(item.path, item.content);
      if (item.denied === true) builder.fails(item.path, "denied");
    } else if ("target" in item) builder.link(item.path, item.target);
    else if ("node" in item) {
      const [major = 0, minor = 0] = item.numbers;
      builder.node(item.path, { type: item.node, mode: 0o660, gid: 105, major, minor });
      if (item.path.startsWith("/dev/accel"))
        builder.access(item.path, { state: "read", value: false, from: item.path });
    } else builder.directory(item.path);
  }
  return builder.build(kind, "fuzzed machine");
}
