import { expect, test } from "vitest";
import { Bag } from "../../src/serve/bag.ts";

const placed = (name: string): { name: string; place: number } => ({ name, place: -1 });

test("a bag holds what was added and not taken out, whatever the order", () => {
  const bag = new Bag<ReturnType<typeof placed>>();
  const set = new Set<ReturnType<typeof placed>>();
  const all = Array.from({ length: 40 }, (_, at) => placed(`item ${at}`));
  let seed = 7;
  for (let step = 0; step < 4000; step++) {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff;
    const one = all[(seed >> 8) % all.length];
    if (one === undefined) continue;
    if (set.has(one)) {
      bag.delete(one);
      set.delete(one);
      expect(one.place).toBe(-1);
    } else {
      bag.add(one);
      set.add(one);
    }
    expect(bag.size).toBe(set.size);
  }
  expect(new Set(bag.all())).toEqual(set);
  expect(bag.find(({ name }) => name === "none")).toBeUndefined();
});

test("to take out what is in no bag changes nothing", () => {
  const bag = new Bag<ReturnType<typeof placed>>();
  const [one, other] = [placed("one"), placed("other")];
  bag.add(one);
  bag.delete(other);
  bag.delete(one);
  bag.delete(one);
  expect(bag.size).toBe(0);
});
