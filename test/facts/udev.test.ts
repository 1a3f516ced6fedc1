import { describe, expect, it } from "vitest";
import { findUdevRules, type UdevRule } from "../../src/facts/udev.ts";
import { smallRoot } from "./small-root.ts";

function rules(files: Record<string, string>, ...words: string[]): readonly UdevRule[] {
  const found = findUdevRules(smallRoot(files), words);
  if (found.state !== "read") throw new Error(found.state);
  return found.value;
}

const system = "/usr/lib/udev/rules.d";

describe("udev rules", () => {
  it("for a subsystem are found with what they set and where", () => {
    const files = {
      [`${system}/50-udev-default.rules`]: `# accel\nSUBSYSTEM!="accel", GOTO="end"\nSUBSYSTEM=="drm", KERNEL=="renderD*", GROUP="render", MODE="0666"\nSUBSYSTEM=="accel", \\\n  KERNEL=="accel*", GROUP="render"\n`,
    };
    expect(rules(files, "accel")).toStrictEqual([
      {
        file: `${system}/50-udev-default.rules`,
        line: 4,
        text: 'SUBSYSTEM=="accel",   KERNEL=="accel*", GROUP="render"',
        group: "render",
        uaccess: false,
      },
    ]);
    expect(rules(files, "renderD128")).toMatchObject([{ group: "render", mode: "0666" }]);
  });

  it("for a USB id, a glob and an alternative are found; a part of a word is not enough", () => {
    const files = {
      [`${system}/60-coral.rules`]: 'SUBSYSTEM=="usb", ATTRS{idVendor}=="1a6e", GROUP="plugdev", TAG+="uaccess"\n',
      [`${system}/65-apex.rules`]: 'KERNEL=="apex_0|apex_1", MODE:="0660"\n',
      [`${system}/70-x.rules`]:
        'KERNEL=="*", GROUP="all"\nENV{x}=="accelerometer", GROUP="y"\nKERNEL!="apex_0", GROUP="z"\n',
    };
    expect(rules(files, "1a6e")).toMatchObject([{ group: "plugdev", uaccess: true }]);
    expect(rules(files, "apex_*")).toMatchObject([{ mode: "0660" }]);
    expect(rules(files, "accel")).toStrictEqual([]);
  });

  it("come in udev's order, and a file of /etc hides the system's", () => {
    const files = {
      "/etc/udev/rules.d/90-own.rules": 'SUBSYSTEM=="accel", GROUP="b"\n',
      "/etc/udev/rules.d/50-hidden.rules": 'SUBSYSTEM=="accel", GROUP="own"\n',
      [`${system}/50-hidden.rules`]: 'SUBSYSTEM=="accel", GROUP="hidden"\n',
      [`${system}/70-a.rules`]: 'SUBSYSTEM=="accel", GROUP="a"\n',
      [`${system}/README`]: 'SUBSYSTEM=="accel", GROUP="no"\n',
    };
    expect(rules(files, "accel").map((rule) => rule.group)).toStrictEqual(["own", "a", "b"]);
  });

  it("of nonsense are none, and quickly", () => {
    const before = performance.now();
    const nonsense = `KERNEL=="${"a".repeat(200_000)}\n${"\\\n".repeat(50_000)}SUBSYSTEM=="${"|".repeat(500)}", GROUP="x"\n`;
    expect(rules({ [`${system}/1.rules`]: nonsense }, "accel")).toStrictEqual([]);
    expect(performance.now() - before).toBeLessThan(2_000);
  });

  it("of a machine without any captured are unknown", () => {
    expect(findUdevRules(smallRoot({}, { uncaptured: ["/"] }), ["accel"]).state).toBe("uncaptured");
    expect(findUdevRules(smallRoot({}), ["accel"]).state).toBe("absent");
  });
});
