import { expect, test } from "vitest";

import { valueOf } from "../../src/base/reading.ts";
import { findFirmware, findFirmwareLike, firmwareDirectories } from "../../src/facts/firmware.ts";
import { smallRoot } from "./small-root.ts";

const R = "6.18.1";

test("directories are searched in the kernel's order, with the one the user set first", () => {
  const root = smallRoot({ "/sys/module/firmware_class/parameters/path": "/opt/fw\n" });
  expect(firmwareDirectories(root, R)).toEqual([
    "/opt/fw",
    `/lib/firmware/updates/${R}`,
    "/lib/firmware/updates",
    `/lib/firmware/${R}`,
    "/lib/firmware",
  ]);
  expect(
    firmwareDirectories(smallRoot({ "/proc/cmdline": "ro firmware_class.path=/srv/fw quiet" }), undefined),
  ).toEqual(["/srv/fw", "/lib/firmware/updates", "/lib/firmware"]);
});

test("a plain file anywhere counts before a packed one, as in the loader", () => {
  const root = smallRoot({
    "/lib/firmware/updates/intel/vpu/a.bin.zst": "packed",
    "/lib/firmware/intel/vpu/a.bin": "plain",
    "/lib/firmware/intel/vpu/b.bin.xz": "12345",
  });
  expect(valueOf(findFirmware(root, "intel/vpu/a.bin", R))?.path).toBe("/lib/firmware/intel/vpu/a.bin");
  expect(valueOf(findFirmware(root, "intel/vpu/b.bin", R))).toMatchObject({
    name: "intel/vpu/b.bin",
    path: "/lib/firmware/intel/vpu/b.bin.xz",
    bytes: { state: "read", value: 5 },
  });
});

test("a name that is nowhere is absent; where nobody looked it is uncaptured", () => {
  expect(findFirmware(smallRoot({}), "a.bin", R).state).toBe("absent");
  expect(findFirmware(smallRoot({}, { uncaptured: ["/lib"] }), "a.bin", R).state).toBe("uncaptured");
  expect(findFirmwareLike(smallRoot({}, { uncaptured: ["/lib"] }), "a/*.bin", R).state).toBe("uncaptured");
});

test("a link to nowhere is no firmware, a directory of that name neither", () => {
  const root = smallRoot({ "/lib/firmware/a.bin": "-> b.bin", "/lib/firmware/c.bin/": "" });
  expect(findFirmware(root, "a.bin", R).state).toBe("absent");
  expect(findFirmware(root, "c.bin", R).state).toBe("absent");
});

test("a pattern stands for one path element each, over all directories, without the packed suffix", () => {
  const root = smallRoot({
    "/lib/firmware/qcom/sm8250/cdsp.mbn.zst": "",
    "/lib/firmware/qcom/x1e80100/cdsp.mbn": "",
    "/lib/firmware/updates/qcom/x1e80100/cdsp.mbn": "",
    "/lib/firmware/qcom/deep/er/cdsp.mbn": "",
    "/lib/firmware/qcom/sm8250/adsp.mbn": "",
  });
  const names = (pattern: string) => valueOf(findFirmwareLike(root, pattern, R))?.map((file) => file.path);
  expect(names("qcom/*/cdsp.mbn")).toEqual([
    "/lib/firmware/qcom/sm8250/cdsp.mbn.zst",
    "/lib/firmware/updates/qcom/x1e80100/cdsp.mbn",
  ]);
  expect(names("qcom/sm*/?dsp.mbn")).toBeUndefined();
  expect(names("qcom/*/*.mbn")).toHaveLength(3);
  expect(names("qcom/sm8250/adsp.mbn")).toEqual(["/lib/firmware/qcom/sm8250/adsp.mbn"]);
  expect(findFirmwareLike(root, "qcom/*/modem.mbn", R).state).toBe("absent");
});

test.each(["../../etc/passwd", "/etc/passwd", "a//b", ""])("%j is no firmware name and is not looked for", (name) => {
  const root = smallRoot({ "/etc/passwd": "root", "/lib/firmware/": "" });
  expect(findFirmware(root, name, R).state).toBe("malformed");
  expect(findFirmwareLike(root, name, R).state).toBe("malformed");
});

test("links inside the root are followed, as distributions have them", () => {
  const root = smallRoot({
    "/lib": "-> usr/lib",
    "/usr/lib/firmware/nvidia/ad102/gsp.bin": "-> ../tu102/gsp.bin",
    "/usr/lib/firmware/nvidia/tu102/gsp.bin": "gsp",
  });
  expect(valueOf(findFirmware(root, "nvidia/ad102/gsp.bin", R))?.path).toBe("/lib/firmware/nvidia/ad102/gsp.bin");
});

test("a plain file beside the directories a star stands for hides none of them", () => {
  const root = smallRoot({ "/lib/firmware/qcom/a300_pfp.fw": "x", "/lib/firmware/qcom/sm8550/cdsp.mbn": "x" });
  const found = valueOf(findFirmwareLike(root, "qcom/*/cdsp.mbn", R)) ?? [];
  expect(found.map(({ name }) => name)).toEqual(["qcom/sm8550/cdsp.mbn"]);
});

test("stars over links that lead in a circle come to an end", () => {
  const links = Array.from({ length: 40 }, (_, i) => [`/lib/firmware/l${i}`, "-> ."] as const);
  const root = smallRoot({ ...Object.fromEntries(links), "/lib/firmware/x": "x" });
  const start = performance.now();
  expect(findFirmwareLike(root, "*/*/*/*/*/*/*/*/nothing", R).state).toBe("absent");
  expect(performance.now() - start).toBeLessThan(2000);
});
