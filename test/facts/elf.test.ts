import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { read } from "../../src/base/reading.ts";
import { readElf } from "../../src/facts/elf.ts";
import { openLive } from "../../src/root/directory.ts";
import { elf, mutate, seeded } from "./ld-cache-bytes.ts";
import { smallRoot } from "./small-root.ts";

const whole = {
  soname: "libedgetpu.so.1",
  needed: ["libusb-1.0.so.0", "libc.so.6"],
  versions: ["GLIBC_2.4", "GLIBC_2.34", "GLIBC_2.17", "GLIBC_PRIVATE", "GLIBCXX_3.4.30"],
};

describe("an ELF file", () => {
  it.each([
    [true, false, 62, "x86_64"],
    [true, true, 22, "s390x"],
    [false, false, 40, "arm"],
    [false, true, 20, "ppc"],
    [true, false, 0x1234, "machine 0x1234"],
  ])("wide %s, big endian %s, machine %i says what it is and needs", (wide, bigEndian, machine, name) => {
    const root = smallRoot({ "/lib/x.so": elf({ ...whole, wide, bigEndian, machine }) });
    expect(readElf(root, "/lib/x.so")).toStrictEqual(
      read(
        { machine: name, class: wide ? 64 : 32, soname: "libedgetpu.so.1", needed: whole.needed, glibc: "2.34" },
        "/lib/x.so",
      ),
    );
  });

  it("without soname and versions leaves them out", () => {
    const root = smallRoot({ "/x": elf({ needed: ["libm.so.6"] }) });
    expect(readElf(root, "/x")).toStrictEqual(read({ machine: "x86_64", class: 64, needed: ["libm.so.6"] }, "/x"));
  });

  it("that is none, or not there, or denied, says so", () => {
    expect(readElf(smallRoot({ "/x": "/* GNU ld script */" }), "/x")).toMatchObject({
      state: "malformed",
      why: "offset 0x0: not an ELF file",
    });
    expect(readElf(smallRoot({ "/x": "" }), "/x").state).toBe("malformed");
    expect(readElf(smallRoot({}), "/x").state).toBe("absent");
    expect(readElf(smallRoot({ "/x": null }), "/x").state).toBe("denied");
  });

  it("cut off anywhere is malformed or loses only its versions' tail, never a crash", () => {
    const bytes = elf(whole);
    for (let length = 0; length < bytes.length; length++) {
      const reading = readElf(smallRoot({ "/x": bytes.subarray(0, length) }), "/x");
      expect(reading.state).toBe("malformed");
    }
  });

  it("changed anywhere is read or malformed, and is quick", () => {
    const random = seeded(7);
    const before = performance.now();
    for (let i = 0; i < 3_000; i++) {
      const bytes = mutate(elf({ ...whole, wide: i % 2 === 0, bigEndian: i % 3 === 0 }), random);
      expect(["read", "malformed"]).toContain(readElf(smallRoot({ "/x": bytes }), "/x").state);
    }
    expect(performance.now() - before).toBeLessThan(10_000);
  });

  it("of this machine agrees with readelf", () => {
    const root = openLive();
    const path = process.execPath;
    const facts = readElf(root, path);
    if (facts.state !== "read") throw new Error(facts.state);
    expect(facts.value.machine).toBe(execFileSync("uname", ["-m"], { encoding: "utf8" }).trim());
    let says: string;
    try {
      says = execFileSync("readelf", ["-dVW", path], { encoding: "utf8", maxBuffer: 64 << 20 });
    } catch {
      return; // no binutils here
    }
    const needed = [...says.matchAll(/\(NEEDED\).*\[(.+)\]/g)].map((match) => match[1]);
    expect(facts.value.needed).toStrictEqual(needed);
    const minors = [...says.matchAll(/Name: GLIBC_2\.(\d+)/g)].map((match) => Number(match[1]));
    expect(facts.value.glibc).toBe(`2.${Math.max(...minors)}`);
  });
});
