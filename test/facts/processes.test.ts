import { closeSync, openSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readHolders } from "../../src/facts/processes.ts";
import { openLive } from "../../src/root/directory.ts";
import { smallRoot } from "./small-root.ts";

const node = "/dev/accel/accel0";

describe("who holds a node", () => {
  const files = {
    "/proc/1/comm": "systemd\n",
    "/proc/1/fd/0": "-> /dev/null",
    "/proc/42/comm": "python3\n",
    "/proc/42/fd/7": `-> ${node}`,
    "/proc/42/fd/8": "-> socket:[1234]",
    "/proc/42/fdinfo/7": "pos:\t0\nflags:\t02100002\ndrm-driver:\tintel_vpu\ndrm-total-memory:\t64 KiB\n",
    "/proc/9/fd/3": `-> ${node}`,
    "/proc/self/fd/0": `-> ${node}`,
  };

  it("is each process with a link to it, with what the driver counts", () => {
    expect(readHolders(smallRoot(files), [node, "/dev/accel/accel1"])).toMatchObject({
      state: "read",
      value: {
        blind: 0,
        holders: [
          { pid: 9, command: "", node, fd: 3, usage: new Map() },
          {
            pid: 42,
            command: "python3",
            fd: 7,
            usage: new Map([
              ["drm-driver", "intel_vpu"],
              ["drm-total-memory", "64 KiB"],
            ]),
          },
        ],
      },
    });
  });

  it("is not looked for when there is no node", () => {
    expect(readHolders(smallRoot({}), [])).toMatchObject({ state: "read", value: { holders: [], blind: 0 } });
  });

  it("is not known of processes that may not be looked into", () => {
    const root = smallRoot({ "/proc/1/comm": "systemd", "/proc/1/fd/": "", "/proc/2/comm": "x" });
    const closed = {
      ...root,
      list: (path: string) => (path.endsWith("/fd") ? ({ state: "denied", from: path } as const) : root.list(path)),
    };
    expect(readHolders(closed, [node])).toMatchObject({ state: "read", value: { holders: [], blind: 2 } });
  });

  it("is unknown of a saved machine without its processes", () => {
    expect(readHolders(smallRoot({ "/proc/modules": "" }), [node]).state).toBe("uncaptured");
    expect(readHolders(smallRoot({}, { uncaptured: ["/proc"] }), [node]).state).toBe("uncaptured");
  });

  it("on this machine includes this very process", () => {
    const fd = openSync("/dev/zero", "r");
    try {
      const here = readHolders(openLive(), ["/dev/zero"]);
      if (here.state !== "read") throw new Error(here.state);
      const own = here.value.holders.find((holder) => holder.pid === process.pid && holder.fd === fd);
      expect(own).toMatchObject({ node: "/dev/zero" });
      expect(own?.command).not.toBe("");
    } finally {
      closeSync(fd);
    }
  });
});
