import { describe, expect, it } from "vitest";
import { valueOf } from "../../src/base/reading.ts";
import { readGroups, readUser, readUserNames } from "../../src/facts/user.ts";
import { smallRoot } from "./small-root.ts";

const status =
  "Name:\tcat\nUid:\t1000\t1001\t1002\t1003\nGid:\t100\t101\t102\t103\nGroups:\t4 44 105 \nCapEff:\t000001ffffffffff\n";

describe("who asks", () => {
  it("is told by the ids that files are opened with", () => {
    const root = smallRoot({ "/proc/self/status": status, "/proc/self/uid_map": "0 0 4294967295\n" });
    expect(valueOf(readUser(root))).toEqual({ uid: 1003, gid: 103, groups: [4, 44, 105], overrides: true });
  });

  it("overrides nothing outside of its user namespace", () => {
    const root = smallRoot({ "/proc/self/status": status, "/proc/self/uid_map": "0 100000 65536\n" });
    expect(valueOf(readUser(root))?.overrides).toBe(false);
  });

  it("is malformed when the file makes no sense, and uncaptured when there is none", () => {
    expect(readUser(smallRoot({ "/proc/self/status": "Uid:\tx\n" })).state).toBe("malformed");
    expect(readUser(smallRoot({}, { uncaptured: ["/proc"] })).state).toBe("uncaptured");
  });
});

describe("names", () => {
  it("are read by id, the first line of an id wins, an image's own group file adds", () => {
    const root = smallRoot({
      "/etc/group": "root:x:0:\nrender:x:105:a,b\nother:x:105:\nbroken\n::\nbad:x:y:\n",
      "/usr/lib/group": "render:x:999:\nvideo:x:39:\n",
      "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
    });
    expect([...(valueOf(readGroups(root)) ?? [])]).toEqual([
      [0, "root"],
      [105, "render"],
      [999, "render"],
      [39, "video"],
    ]);
    expect(valueOf(readUserNames(root))?.get(0)).toBe("root");
  });

  it("are uncaptured where nobody took the file", () => {
    expect(readGroups(smallRoot({}, { uncaptured: ["/etc", "/usr"] })).state).toBe("uncaptured");
  });
});
