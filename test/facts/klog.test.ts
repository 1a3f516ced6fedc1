import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseKernelLog, readKernelLog } from "../../src/facts/klog.ts";
import { machines } from "./machines.ts";
import { smallRoot } from "./small-root.ts";

const text = "amdxdna 0000:c6:00.1: [drm] *ERROR* aie2_hw_start: firmware is not alive";

describe("one line of a kernel log", () => {
  const stamped: [form: string, line: string, seconds: number | undefined, level?: number][] = [
    ["dmesg", `[    5.573807] ${text}`, 5.573807],
    ["dmesg with a caller", `[    5.573807] [  T123] ${text}`, 5.573807],
    ["console with a caller", `[    5.573807][  C2] ${text}`, 5.573807],
    ["dmesg -d", `[    5.573807 <    0.000012>] ${text}`, 5.573807],
    ["dmesg -r", `<3>[    5.573807] ${text}`, 5.573807, 3],
    ["dmesg -x", `kern  :err   : [    5.573807] ${text}`, 5.573807, 3],
    ["dmesg -x -T", `kern  :warn  : [Tue Mar  5 10:11:12 2024] ${text}`, undefined, 4],
    ["dmesg -T", `[Tue Mar  5 10:11:12 2024] ${text}`, undefined],
    ["dmesg -T in another language", `[二 3月  5 10:11:12 2024] ${text}`, undefined],
    ["dmesg -e", `[Mar 5 10:11] ${text}`, undefined],
    ["dmesg -e, the lines after", `[  +0.000007] ${text}`, undefined],
    ["dmesg --time-format=iso", `2024-03-05T10:11:12,123456+01:00 ${text}`, undefined],
    ["dmesg -L=always", `\x1b[32m[    5.573807] \x1b[0m${text}`, 5.573807],
    ["indented in a report", `    [    5.573807] ${text}`, 5.573807],
    ["journalctl -k", `Mar 05 10:11:12 box kernel: ${text}`, undefined],
    ["journalctl -k --no-hostname", `Mar 05 10:11:12 kernel: ${text}`, undefined],
    ["short-precise", `Mar 05 10:11:12.123456 box kernel: ${text}`, undefined],
    ["short-iso", `2024-03-05T10:11:12+01:00 box kernel: ${text}`, undefined],
    ["short-iso-precise", `2024-03-05T10:11:12.123456+0100 box kernel: ${text}`, undefined],
    ["short-full", `Tue 2024-03-05 10:11:12 CET box kernel: ${text}`, undefined],
    ["short-unix", `1709633472.123456 box kernel: ${text}`, undefined],
    ["short-monotonic", `[    5.573807] box kernel: ${text}`, 5.573807],
    ["syslog", `Mar  5 10:11:12 box kernel: [    5.573807] ${text}`, 5.573807],
    ["kmsg", `3,339,5573807,-;${text}`, 5.573807, 3],
    ["kmsg with a facility", `11,339,5573807,-,caller=T1;${text}`, 5.573807, 3],
    [
      "journalctl -o json",
      JSON.stringify({ _TRANSPORT: "kernel", PRIORITY: "3", __MONOTONIC_TIMESTAMP: "5573807", MESSAGE: text }),
      5.573807,
      3,
    ],
  ];
  it.each(stamped)("of the form %s loses its prefix and nothing else", (_, line, seconds, level) => {
    const expected = level === undefined ? { seconds, text, number: 1 } : { seconds, text, number: 1, level };
    expect(parseKernelLog(line)).toStrictEqual([expected]);
  });

  it.each([
    text,
    "[drm] Initialized rocket 0.0.0 for rknn on minor 0",
    "  intel_vpu 0000:00:0b.0: enabling device (0000 -> 0002)",
    "['CPU', 'GPU']",
    "[root@localhost ~]# npu-smi info",
    "kernel:   7.0.0-34-generic (modinfo: version)",
    "0001:06:00.0 System peripheral: Global Unichip Corp. Coral Edge TPU",
    "Mar 05 10:11:12 box systemd[1]: Started foo.",
    "{not json, only like it: MESSAGE}",
    '{"MESSAGE": broken',
  ])("that is no log line keeps its text: %s", (line) => {
    expect(parseKernelLog(line)).toStrictEqual([{ seconds: undefined, text: line, number: 1 }]);
  });
});

describe("a kernel log", () => {
  it("of kmsg records leaves out their properties and undoes the escapes", () => {
    const log = `6,1,1000,-;pci 0000:00:0b.0: a\\x0ab\n SUBSYSTEM=pci\n DEVICE=+pci:0000:00:0b.0\n6,2,2000,-;next\n`;
    expect(parseKernelLog(log).map((line) => [line.number, line.text])).toStrictEqual([
      [1, "pci 0000:00:0b.0: a\nb"],
      [4, "next"],
    ]);
  });

  it("exported by the journal keeps the kernel's entries, binary ones too", () => {
    const binary = Buffer.concat([
      Buffer.from("MESSAGE\n"),
      Buffer.from([6, 0, 0, 0, 0, 0, 0, 0]),
      Buffer.from("x\ty\x1bz\n"),
    ]);
    const log = [
      `__CURSOR=s=1\n__MONOTONIC_TIMESTAMP=900\n_TRANSPORT=kernel\nPRIORITY=6\n_SOURCE_MONOTONIC_TIMESTAMP=500000\nMESSAGE=${text}\n\n`,
      `__CURSOR=s=2\n_TRANSPORT=syslog\nMESSAGE=from elsewhere\n\n`,
      `__CURSOR=s=3\n_TRANSPORT=kernel\n${binary.toString()}PRIORITY=4\n`,
    ].join("");
    expect(parseKernelLog(log)).toStrictEqual([
      { seconds: 0.5, level: 6, text, number: 6 },
      { seconds: undefined, level: 4, text: "x\ty\x1bz", number: 14 },
    ]);
  });

  it("with other text around it keeps both, with the line numbers of the file", () => {
    const log = `$ dmesg | grep npu\r\n\r\n[    1.5] rocket fdab0000.npu: hello\r\nBus 002 Device 002: ID 1a6e:089a\r\n`;
    expect(parseKernelLog(log)).toStrictEqual([
      { seconds: undefined, text: "$ dmesg | grep npu", number: 1 },
      { seconds: 1.5, text: "rocket fdab0000.npu: hello", number: 3 },
      { seconds: undefined, text: "Bus 002 Device 002: ID 1a6e:089a", number: 4 },
    ]);
  });

  it("that floods keeps its first 5,000 and last 15,000 lines", () => {
    const log = Array.from({ length: 50_000 }, (_, i) => `[    1.0] line ${i + 1}`).join("\n");
    const lines = parseKernelLog(log);
    expect(lines).toHaveLength(20_000);
    expect(lines[4_999]).toMatchObject({ number: 5_000, text: "line 5000" });
    expect(lines[5_000]).toMatchObject({ number: 35_001, text: "line 35001" });
    expect(lines.at(-1)).toMatchObject({ number: 50_000, text: "line 50000" });
    expect(parseKernelLog(log.slice(0, log.indexOf("[    1.0] line 20001")))).toHaveLength(20_000);
  });

  it("of 10,000 kmsg records with properties is kept whole", () => {
    const record = (i: number): string =>
      `6,${i},${i},-;pci 0000:00:0b.0: ${i}\n SUBSYSTEM=pci\n DEVICE=+pci:0000:00:0b.0\n`;
    expect(parseKernelLog(Array.from({ length: 10_000 }, (_, i) => record(i)).join(""))).toHaveLength(10_000);
  });

  it("of one endless line or of nothing but line ends is bounded and quick", () => {
    const before = performance.now();
    expect(parseKernelLog("a ".repeat(8_000_000))[0]?.text.length).toBe(16 * 1024);
    expect(parseKernelLog("[".repeat(1_000_000))).toHaveLength(1);
    expect(parseKernelLog("\n".repeat(16_000_000))).toStrictEqual([]);
    expect(parseKernelLog(`${" ".repeat(16_000)}x\n`.repeat(500))).toHaveLength(500);
    expect(performance.now() - before).toBeLessThan(3_000);
  });
});

describe("reading the kernel log", () => {
  const banner = (release: string): string => `Linux version ${release} (builder@host) (gcc) #1 SMP`;

  it("prefers /dev/kmsg", () => {
    const root = smallRoot({ "/dev/kmsg": `[    0.0] ${banner("7.3")}\n`, "/var/log/dmesg": "[    1.0] other\n" });
    expect(readKernelLog(root)).toMatchObject({ state: "read", from: "/dev/kmsg", value: [{ text: banner("7.3") }] });
  });

  it("that may not be read is denied, not empty", () => {
    expect(readKernelLog(smallRoot({ "/dev/kmsg": null }))).toMatchObject({ state: "denied", from: "/dev/kmsg" });
    expect(readKernelLog(smallRoot({ "/var/log/kern.log": null }))).toMatchObject({ state: "denied" });
    expect(readKernelLog(smallRoot({}))).toMatchObject({ state: "absent" });
  });

  it("falls back on the last boot of kern.log", () => {
    const log = [
      `Mar  4 10:00:00 box kernel: [    0.000000] ${banner("6.1")}`,
      "Mar  4 10:00:01 box kernel: [    1.000000] old",
      `Mar  5 10:00:00 box kernel: [    0.000000] ${banner("7.3")}`,
      "Mar  5 10:00:01 box kernel: [    1.000000] new",
    ].join("\n");
    const files = { "/dev/kmsg": null, "/var/log/kern.log": log };
    expect(readKernelLog(smallRoot(files))).toMatchObject({
      state: "read",
      from: "/var/log/kern.log",
      value: [{ text: banner("7.3") }, { text: "new" }],
    });
    expect(readKernelLog(smallRoot({ ...files, "/proc/sys/kernel/osrelease": "7.3\n" })).state).toBe("read");
  });

  it("does not take a file left over from another kernel", () => {
    const files = {
      "/dev/kmsg": null,
      "/proc/sys/kernel/osrelease": "7.3\n",
      "/var/log/dmesg": `[ 0.0] ${banner("6.1")}`,
    };
    expect(readKernelLog(smallRoot(files)).state).toBe("denied");
  });
});

const texts = new URL("../../../shared/machines/text/", import.meta.url);

describe.skipIf(!existsSync(texts))("pasted logs (../shared/machines/text)", () => {
  const files = existsSync(texts) ? readdirSync(texts).filter((name) => name.endsWith(".txt")) : [];
  it.each(files)("%s: every stamp and syslog prefix is off, and no word is lost", (name) => {
    const paste = readFileSync(new URL(name, texts), "utf8");
    const originals = paste.split(/\r?\n/);
    for (const line of parseKernelLog(paste)) {
      expect(originals[line.number - 1]).toContain(line.text);
      expect(line.text).not.toMatch(/^\[ *\d+\.\d+\]|^[A-Z][a-z]{2} +\d+ \S+ \S+ kernel:/);
    }
  });
});

describe.skipIf(machines.length === 0)("the log of a captured machine (../shared/machines/kernel)", () => {
  it.each(machines.map((machine) => [machine.name, machine] as const))(
    "%s has its banner and a stamp on every line",
    (_, machine) => {
      const log = readKernelLog(machine.open());
      if (log.state !== "read") throw new Error(log.state);
      expect(log.value.slice(0, 3).some((line) => line.text.startsWith("Linux version "))).toBe(true);
      expect(log.value.length).toBeGreaterThan(100);
      const unstamped = log.value.filter((line) => line.seconds === undefined);
      expect(unstamped).toStrictEqual([]);
    },
  );
});
