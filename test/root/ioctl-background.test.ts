/** Questions put again and again by one child: real ones, to nodes that answer none. */

import { afterEach, expect, it } from "vitest";
import { openBackgroundAsker, type BackgroundAsker } from "../../src/root/ioctl-background.ts";

let asker: BackgroundAsker | undefined;
afterEach(() => asker?.close());

const ASK = { name: "TEST", code: 0xc0086440, input: new Uint8Array(8), wakes: true };
const until = async <T>(get: () => T | undefined): Promise<T> => {
  for (let i = 0; i < 200; i++) {
    const got = get();
    if (got !== undefined) return got;
    await new Promise((done) => setTimeout(done, 25));
  }
  throw new Error("no answer within 5 s");
};

it("the first question has no answer yet and holds nobody up; the next has the driver's", async () => {
  const opened = openBackgroundAsker();
  asker = opened;
  const begun = performance.now();
  expect(opened.ask("/dev/null", ASK)).toBe(undefined);
  expect(performance.now() - begun).toBeLessThan(1000);
  const answer = await until(() => opened.ask("/dev/null", ASK));
  expect(answer).toMatchObject({
    state: "absent",
    from: "/dev/null TEST",
    why: expect.stringContaining("ENOTTY") as string,
  });
});

it("what is no device is said to be none, and what is not there is absent", async () => {
  const opened = openBackgroundAsker();
  asker = opened;
  expect(await until(() => opened.ask("/etc/passwd", ASK))).toMatchObject({ state: "malformed" });
  expect(await until(() => opened.ask("/dev/no-such-node", ASK))).toMatchObject({ state: "absent" });
});

it("who asks seldom asks for himself: no child is begun for him", async () => {
  let now = 0;
  const opened = openBackgroundAsker(() => now);
  asker = opened;
  for (let i = 0; i < 3; i++) {
    expect(opened.ask("/dev/null", ASK)).toBe(undefined);
    await new Promise((done) => setTimeout(done, 150));
    now += 10_000;
  }
});

it("a child that hangs is left behind, and said to have hung", async () => {
  let now = 0;
  const opened = openBackgroundAsker(() => now);
  asker = opened;
  opened.ask("/dev/null", ASK);
  opened.ask("/dev/null", ASK);
  now += 6000;
  expect(opened.ask("/dev/null", ASK)).toMatchObject({ state: "uncaptured", why: "no answer within 5 s" });
  now += 100;
  expect(await until(() => opened.ask("/dev/null", ASK))).toMatchObject({ state: "absent" });
});

it("an answer of long ago is none", async () => {
  let now = 0;
  const opened = openBackgroundAsker(() => now);
  asker = opened;
  await until(() => opened.ask("/dev/null", ASK));
  now += 3000;
  expect(opened.ask("/dev/null", ASK)).toBe(undefined);
});

it("closed, it starts anew with the next question", async () => {
  const opened = openBackgroundAsker();
  asker = opened;
  await until(() => opened.ask("/dev/null", ASK));
  opened.close();
  expect(await until(() => opened.ask("/dev/null", ASK))).toMatchObject({ state: "absent" });
});
