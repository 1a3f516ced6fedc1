/** Who has a node open, when processes have very many files open. */

import { expect, it } from "vitest";
import { HolderScan } from "../../src/watch/holders.ts";
import { makeMachine, process } from "./machine.ts";

const NODE = "/dev/accel/accel0";

it("a process with thousands of open files is looked through over several samples, and what it opens is found", () => {
  const open = Object.fromEntries(Array.from({ length: 3000 }, (_, fd) => [String(fd), ["/dev/null"] as const]));
  const made = makeMachine({ ...process(7, "server", open), ...process(8, "shell", { "0": ["/dev/null"] }) });
  let links = 0;
  const root = {
    ...made.root,
    link: (path: string) => {
      links++;
      return made.root.link(path);
    },
  };
  let now = 0;
  // Each look at the clock takes half a millisecond: a sample has two.
  const time = (): number => (now += 0.5);
  const scan = new HolderScan(root, new Set([NODE]));
  expect(scan.read(time)).toMatchObject({ holdings: [], whole: true });
  expect(links).toBe(3001);
  made.change({ "/proc/7/fd/2999": `-> ${NODE}` });
  const found: number[] = [];
  for (let sample = 1; sample <= 60 && found.length === 0; sample++) {
    links = 0;
    const held = scan.read(time);
    if ("state" in held) throw new Error(held.state);
    if (held.holdings.length > 0) found.push(sample);
    else expect(links).toBeLessThan(1000);
  }
  expect(found[0]).toBeGreaterThan(1);
  const last = scan.read(time);
  expect(last).toMatchObject({ holdings: [{ pid: 7, opens: [{ fd: "2999", node: NODE }] }] });
  // It is held: looked at first in each sample, and gone as soon as it is closed.
  made.change({ "/proc/7/fd/2999": "-> /dev/null" });
  expect(scan.read(time)).toMatchObject({ holdings: [] });
});
