import { expect, it } from "vitest";

import { row } from "../../src/base/table.ts";
import { main } from "../../src/cli.ts";
import { plainTerminal } from "../../src/print/terminal.ts";
import { openPaste } from "../../src/root/paste.ts";
import { review } from "../../src/review/review.ts";
import { smallRoot } from "../facts/small-root.ts";

it("a word that every object answers to is no row of a table", () => {
  expect(row({ a: 1 }, "a")).toBe(1);
  for (const word of ["constructor", "__proto__", "toString", "hasOwnProperty", ""]) {
    expect(row({ a: 1 }, word)).toBeUndefined();
  }
});

it("such words in a machine's files are words like others", () => {
  for (const word of ["constructor", "__proto__", "toString"]) {
    const root = smallRoot({
      "/etc/os-release": `ID=${word}\nID_LIKE=${word}\n`,
      "/proc/1/environ": `container=${word}\0`,
      "/proc/cpuinfo": `processor: 0\nCPU implementer: ${word}\nCPU part: ${word}\n`,
      [`/sys/class/${word}/x/dev`]: "1:2\n",
      "/sys/bus/usb/devices/4-2/uevent": "DEVTYPE=usb_device\nPRODUCT=1a6e/89a/100\nBUSNUM=004\nDEVNUM=002\n",
    });
    const report = review(root);
    expect(report.devices.map(({ family }) => family)).toContain("coral");
    expect(JSON.parse(JSON.stringify(report.machine))).toEqual(report.machine);
    const pasted = openPaste(`01:00.0 Processing accelerators: Huawei Technologies Co., Ltd. ${word}\n`, "pasted");
    expect(pasted.list("/sys/bus/pci/devices")).toMatchObject({ state: "read", value: ["0000:01:00.0"] });
  }
});

it("such a word is no verb", async () => {
  let said = "";
  const code = await main(["constructor"], {
    out: () => undefined,
    err: (text) => (said += text),
    terminal: plainTerminal,
  });
  expect([code, said]).toEqual([2, 'accelctl: no verb "constructor"; see accelctl help for all verbs\n']);
});
