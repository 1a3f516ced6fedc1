/** One small machine at several moments: the same paths with other contents. Made by hand in the layout the kernel documents. */

import type { Root } from "../../src/root/root.ts";
import { TreeBuilder } from "../../src/root/memory.ts";

/** Path to content; "-> x" is a link, "/dir/" a directory; null may not be read, file or directory. */
type Files = Readonly<Record<string, string | Uint8Array | null>>;

function build(files: Files): Root {
  const tree = new TreeBuilder().covers("/");
  for (const [path, content] of Object.entries(files)) {
    const plain = path.replace(/\/$/, "");
    if (plain !== path) tree.directory(plain);
    if (content === null) tree.fails(plain, "denied");
    else if (plain !== path) continue;
    else if (typeof content === "string" && content.startsWith("-> ")) tree.link(path, content.slice(3));
    else tree.file(path, content);
  }
  return tree.build("capture", "small");
}

export interface Moments extends Root {
  /** Lets time pass: from now on these files read so. */
  later(files: Files): void;
}

export function moments(first: Files): Moments {
  let files = first;
  let now = build(files);
  return {
    kind: "capture",
    name: "small, at a moment",
    text: (path) => now.text(path),
    bytes: (path) => now.bytes(path),
    slice: (path, offset, length) => now.slice(path, offset, length),
    list: (path) => now.list(path),
    link: (path) => now.link(path),
    real: (path) => now.real(path),
    stat: (path) => now.stat(path),
    access: (path) => now.access(path),
    ask: (node, ask) => now.ask(node, ask),
    later(changed) {
      files = { ...files, ...changed };
      now = build(files);
    },
  };
}

/** A process that runs: one thread with so much processor time (nanoseconds), and its open files. */
export function process(pid: number, ns: number, open: readonly { to: string; info?: string }[] = []): Files {
  const files: Record<string, string> = {
    [`/proc/${pid}/comm`]: `p${pid}\n`,
    [`/proc/${pid}/stat`]: `${pid} (a (b) c) S ${"1 ".repeat(10)}${Math.round(ns / 1e7)} 0 0 0\n`,
    [`/proc/${pid}/task/${pid}/schedstat`]: `${ns} 1000 5\n`,
    [`/proc/${pid}/fd/`]: "",
    [`/proc/${pid}/fdinfo/`]: "",
  };
  for (const [at, { to, info }] of open.entries()) {
    files[`/proc/${pid}/fd/${at + 3}`] = `-> ${to}`;
    files[`/proc/${pid}/fdinfo/${at + 3}`] = `pos:\t0\nflags:\t02100002\n${info ?? ""}`;
  }
  return files;
}

/** /proc/interrupts of two processors; each row: number, counts, the rest as the kernel writes it. */
export function interrupts(rows: readonly (readonly [irq: number, a: number, b: number, rest: string])[]): Files {
  const text = rows.map(([irq, a, b, rest]) => `${String(irq).padStart(4)}: ${a} ${b} ${rest}\n`).join("");
  return { "/proc/interrupts": `            CPU0       CPU1       \n${text} LOC:  12 34  Local timer interrupts\n` };
}
