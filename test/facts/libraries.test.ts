import { realpathSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readLibraries, type Library } from "../../src/facts/libraries.ts";
import { expand, loaderDirectories, vendorPlaces } from "../../src/facts/library-places.ts";
import { openLive } from "../../src/root/directory.ts";
import type { Root } from "../../src/root/root.ts";
import { ldCache } from "./ld-cache-bytes.ts";
import { smallRoot } from "./small-root.ts";

function find(root: Root, pattern: string, extra?: readonly string[]): readonly Library[] {
  const libraries = readLibraries(root, extra);
  if (libraries.state !== "read") throw new Error(`${libraries.from} is ${libraries.state}`);
  const found = libraries.value.find(pattern);
  if (found.state !== "read") throw new Error(found.state);
  return found.value;
}

const multiarch = "/usr/lib/x86_64-linux-gnu";
const cached = {
  "/etc/ld.so.cache": ldCache([
    ["libedgetpu.so.1", `${multiarch}/libedgetpu.so.1`],
    ["libgone.so.1", `${multiarch}/libgone.so.1`],
    ["libhailort.so.4.20.0", "/usr/lib/libhailort.so.4.20.0"],
    ["libhailort.so", "/usr/lib/libhailort.so"],
  ]),
  [`${multiarch}/libedgetpu.so.1`]: "-> libedgetpu.so.1.0",
  [`${multiarch}/libedgetpu.so.1.0`]: "",
  "/usr/lib/libhailort.so": "-> libhailort.so.4.20.0",
  "/usr/lib/libhailort.so.4.20.0": "",
  "/usr/lib/librknnrt.so": "",
};

describe("a library in the loader's cache", () => {
  const root = smallRoot(cached);

  it("is found with the version its file has, not the one its name has", () => {
    expect(find(root, "libedgetpu.so.1")).toMatchObject([
      {
        name: "libedgetpu.so.1",
        path: `${multiarch}/libedgetpu.so.1.0`,
        version: { value: "1.0" },
        via: "ld.so.cache",
      },
    ]);
  });

  it("is one library however many names lead to it", () => {
    expect(find(root, "libhailort.so*")).toMatchObject([{ name: "libhailort.so", version: { value: "4.20.0" } }]);
  });

  it("is not there once its file is gone", () => {
    expect(find(root, "libgone.so.1")).toStrictEqual([]);
  });

  it("or else in the loader's own directories, ldconfig run or not", () => {
    expect(find(root, "librknnrt.so")).toMatchObject([
      { path: "/usr/lib/librknnrt.so", version: { state: "absent" }, via: "directory" },
    ]);
    expect(find(root, "librknnrt.so*")).toHaveLength(1);
    expect(find(root, "../lib/librknnrt.so")).toStrictEqual([]);
  });
});

describe("a machine without a cache", () => {
  it("is searched where ld.so.conf says, included files and all", () => {
    const root = smallRoot({
      "/etc/ld.so.conf": "include ld.so.conf.d/*.conf\n/opt/own/lib/  # mine\n",
      "/etc/ld.so.conf.d/a.conf": "/opt/a\ninclude /etc/ld.so.conf\n",
      "/opt/own/lib/libown.so.2": "",
      "/opt/a/liba.so": "",
      [`${multiarch}/libze_intel_npu.so.1`]: "-> libze_intel_npu.so.1.13.0",
      [`${multiarch}/libze_intel_npu.so.1.13.0`]: "",
    });
    expect(loaderDirectories(root)).toContain("/opt/own/lib");
    expect(find(root, "libown.so.*")).toHaveLength(1);
    expect(find(root, "liba.so")).toHaveLength(1);
    expect(find(root, "libze_intel_npu.so.1")).toMatchObject([{ version: { value: "1.13.0" }, via: "directory" }]);
  });

  it("of musl is searched where its path file says", () => {
    const root = smallRoot({ "/etc/ld-musl-aarch64.path": "/lib:/opt/m\n", "/opt/m/libm.so.9": "", "/lib/x": "" });
    expect(find(root, "libm.so.9")).toMatchObject([{ path: "/opt/m/libm.so.9" }]);
  });

  it("whose cache is broken is searched the same way, as the loader does", () => {
    const root = smallRoot({ ...cached, "/etc/ld.so.cache": "glibc-ld.so.cache1.1 and then nothing" });
    expect(find(root, "libedgetpu.so.1")).toMatchObject([{ version: { value: "1.0" }, via: "directory" }]);
  });

  it("of which nobody captured libraries is unknown", () => {
    expect(readLibraries(smallRoot({ "/etc/hostname": "x" }, { uncaptured: ["/"] })).state).toBe("uncaptured");
    expect(readLibraries(smallRoot({ "/etc/x": "" }, { uncaptured: ["/usr", "/lib"] })).state).toBe("uncaptured");
  });

  it("but with an environment named has what is in that, and the rest unknown", () => {
    const root = smallRoot({ "/sdk/lib/libsdk.so.3": "" }, { uncaptured: ["/usr", "/lib", "/etc"] });
    expect(find(root, "libsdk.so.3", ["/sdk"])).toHaveLength(1);
    const libraries = readLibraries(root, ["/sdk"]);
    expect(libraries.state === "read" && libraries.value.find("libc.so.6").state).toBe("uncaptured");
  });
});

describe("vendors' places", () => {
  it("are found by pattern", () => {
    const root = smallRoot({
      ...cached,
      "/opt/rocm-6.2.0/lib/libamdhip64.so.6": "-> libamdhip64.so.6.2.60200",
      "/opt/rocm-6.2.0/lib/libamdhip64.so.6.2.60200": "",
      "/opt/rocm": "-> rocm-6.2.0",
      "/opt/intel/openvino_2025/runtime/lib/intel64/libopenvino.so.2520": "",
      "/usr/lib/teflon/libteflon.so": "",
    });
    expect(find(root, "libamdhip64.so.*")).toMatchObject([{ version: { value: "6.2.60200" }, via: "directory" }]);
    expect(find(root, "libopenvino.so.*")).toHaveLength(1);
    expect(find(root, "libteflon.so")).toMatchObject([{ path: "/usr/lib/teflon/libteflon.so" }]);
  });

  it("are each once in the table, absolute, with a reason", () => {
    expect(new Set(vendorPlaces.map((place) => place.path)).size).toBe(vendorPlaces.length);
    for (const place of vendorPlaces) {
      expect(place.path).toMatch(/^(\/[\w.*-]+)+$/);
      expect(place.because).toMatch(/^\S.+: .{5,}/);
    }
  });

  it("are expanded within a limit", () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`/opt/rocm${i}/lib/x`, ""]));
    expect(expand(smallRoot(many), "/opt/rocm*/lib")).toHaveLength(64);
    expect(expand(smallRoot({}), "/opt/rocm*/lib")).toStrictEqual([]);
  });
});

describe("what the user named", () => {
  const site = "/home/u/venv/lib/python3.11/site-packages";
  const root = smallRoot({
    ...cached,
    [`${site}/openvino/libs/libopenvino.so.2520`]: "",
    [`${site}/nvidia/cuda_runtime/lib/libcudart.so.12`]: "",
    [`${site}/numpy.libs/libscipy_openblas64_-ff651d7f.so`]: "",
    [`${site}/openvino/__pycache__/libno.so`]: "",
    [`${site}/loop`]: "-> ..",
    "/app/node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime.so.1.22.0": "",
    "/app/node_modules/@img/sharp-libvips-linux-x64/lib/libvips-cpp.so.8.17.3": "",
    "/pnpm/node_modules/.pnpm/a@1/node_modules/a/bin/liba.so.1": "",
    "/pnpm/node_modules/a": "-> .pnpm/a@1/node_modules/a",
  });

  it("as a Python environment is searched through its packages", () => {
    expect(find(root, "libopenvino.so.*", ["/home/u/venv"])).toMatchObject([
      { via: "python", version: { value: "2520" } },
    ]);
    expect(find(root, "libcudart.so.12", ["/home/u/venv/"])).toHaveLength(1);
    expect(find(root, "libscipy_openblas64_*", [site])).toHaveLength(1);
    expect(find(root, "libno.so", ["/home/u/venv"])).toStrictEqual([]);
  });

  it("as a node_modules or the project around one", () => {
    for (const named of ["/app", "/app/node_modules"]) {
      expect(find(root, "libonnxruntime.so.*", [named])).toMatchObject([
        { via: "node_modules", version: { value: "1.22.0" } },
      ]);
      expect(find(root, "libvips-cpp.so.*", [named])).toHaveLength(1);
    }
    expect(find(root, "liba.so.1", ["/pnpm"])).toHaveLength(1);
  });

  it("is searched only when it was named, and need not exist", () => {
    expect(find(root, "libopenvino.so.*")).toStrictEqual([]);
    expect(find(root, "libopenvino.so.*", ["/nowhere"])).toStrictEqual([]);
  });
});

describe("this machine", () => {
  it("has a C library where the loader says, of the version in its file name", () => {
    const [libc] =
      find(openLive(), "libc.so.6").length > 0 ? find(openLive(), "libc.so.6") : find(openLive(), "libc.*");
    if (libc === undefined) throw new Error("no C library");
    expect(realpathSync(libc.path)).toBe(libc.path);
    const version = /\.so\.(\d\S*)$/.exec(libc.path)?.[1];
    expect(libc.version).toMatchObject(version === undefined ? { state: "absent" } : { state: "read", value: version });
  });

  it("answers a review's worth of questions in no time", () => {
    const root = openLive();
    const before = performance.now();
    const libraries = readLibraries(root);
    if (libraries.state !== "read") throw new Error(libraries.state);
    for (let i = 0; i < 150; i++) libraries.value.find(`libnothing${i}.so${i % 2 === 0 ? "" : ".*"}`);
    expect(performance.now() - before).toBeLessThan(250);
  });
});
