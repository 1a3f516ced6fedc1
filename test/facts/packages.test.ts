import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readDistro, readPackageVersion, readWheels } from "../../src/facts/packages.ts";
import { openLive } from "../../src/root/directory.ts";
import { smallRoot } from "./small-root.ts";

describe("the distribution", () => {
  it("is what os-release says, quotes and escapes undone", () => {
    const text = `# comment\nNAME="Ubuntu"\nID=ubuntu\nID_LIKE='debian  linux'\nVERSION_ID="24.04"\nPRETTY_NAME="Ubuntu \\"Noble\\" 24.04"\n`;
    expect(readDistro(smallRoot({ "/etc/os-release": text }))).toMatchObject({
      state: "read",
      value: { id: "ubuntu", like: ["debian", "linux"], version: { value: "24.04" }, name: 'Ubuntu "Noble" 24.04' },
    });
  });

  it("is found in /usr/lib, through the usual link too", () => {
    const files = { "/etc/os-release": "-> ../usr/lib/os-release", "/usr/lib/os-release": "ID=arch\nNAME=Arch\n" };
    expect(readDistro(smallRoot(files))).toMatchObject({
      value: { id: "arch", version: { state: "absent" }, name: "Arch" },
    });
    expect(readDistro(smallRoot({ "/usr/lib/os-release": "ID=fedora" }))).toMatchObject({ value: { id: "fedora" } });
    expect(readDistro(smallRoot({}, { uncaptured: ["/"] })).state).toBe("uncaptured");
  });
});

describe("the version of a package", () => {
  const status = [
    "Package: mesa-teflon-delegate\nStatus: install ok installed\nArchitecture: arm64\nVersion: 25.0.7-2",
    "Package: removed\nStatus: deinstall ok config-files\nVersion: 1.0",
    "Package: twice\nStatus: deinstall ok config-files\nArchitecture: i386\nVersion: 1.0",
    "Package: twice\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2:2.0~rc1",
    "Package: last\nStatus: install ok installed\nVersion: 9",
  ].join("\n\n");
  it.each([
    ["mesa-teflon-delegate", "25.0.7-2"],
    ["twice", "2:2.0~rc1"],
    ["last", "9"],
  ])("of dpkg: %s", (name, version) => {
    expect(readPackageVersion(smallRoot({ "/var/lib/dpkg/status": status }), name)).toMatchObject({
      state: "read",
      value: version,
    });
  });

  it("of dpkg is absent once removed, and a name is not a beginning of a name", () => {
    const root = smallRoot({ "/var/lib/dpkg/status": status });
    expect(readPackageVersion(root, "removed").state).toBe("absent");
    expect(readPackageVersion(root, "mesa-teflon").state).toBe("absent");
    expect(readPackageVersion(smallRoot({ "/var/lib/dpkg/status": null }), "last").state).toBe("denied");
  });

  it("of apk and pacman", () => {
    const apk = "C:Q1x\nP:musl\nV:1.2.5-r0\nA:x86_64\n\nC:Q1y\nP:mesa\nV:24.2-r1\n\n";
    expect(readPackageVersion(smallRoot({ "/lib/apk/db/installed": apk }), "mesa")).toMatchObject({ value: "24.2-r1" });
    expect(readPackageVersion(smallRoot({ "/lib/apk/db/installed": apk }), "mes").state).toBe("absent");
    const pacman = { "/var/lib/pacman/local/rocm-core-7.2.0-2/desc": "", "/var/lib/pacman/local/rocm-1.0-1/desc": "" };
    expect(readPackageVersion(smallRoot(pacman), "rocm-core")).toMatchObject({ value: "7.2.0-2" });
    expect(readPackageVersion(smallRoot(pacman), "rocm")).toMatchObject({ value: "1.0-1" });
  });

  it("on a machine with rpm is unknown, never missing", () => {
    expect(readPackageVersion(smallRoot({ "/var/lib/rpm/rpmdb.sqlite": "SQLite" }), "mesa").state).toBe("uncaptured");
  });

  it.skipIf(!existsSync("/var/lib/dpkg/status"))("of this machine's libc is what dpkg-query says", () => {
    const says = execFileSync("dpkg-query", ["-W", "-f", "${Version}", "libc6"], { encoding: "utf8" });
    expect(readPackageVersion(openLive(), "libc6")).toMatchObject({ state: "read", value: says });
  });
});

describe("Python wheels", () => {
  const files = {
    "/usr/lib/python3/dist-packages/PyYAML-6.0.egg-info/PKG-INFO": "",
    "/usr/lib/python3.12/site-packages/six-1.16.0-py3.12.egg-info": "",
    "/usr/local/lib/python3.11/dist-packages/tflite_runtime-2.14.0.dist-info/METADATA": "",
    "/home/u/venv/lib/python3.11/site-packages/ai_edge_litert-1.0.1.dist-info/METADATA": "",
    "/home/u/venv/lib/python3.11/site-packages/ai_edge_litert/x.py": "",
    "/home/u/venv/lib64": "-> lib",
  };
  const names = (environments?: readonly string[]): string[] => {
    const wheels = readWheels(smallRoot(files), environments);
    return wheels.state === "read" ? wheels.value.map((wheel) => `${wheel.name} ${wheel.version}`) : [wheels.state];
  };

  it("of the system are found by their dist-info or egg-info, names normalised", () => {
    expect(names()).toStrictEqual(["pyyaml 6.0", "six 1.16.0", "tflite-runtime 2.14.0"]);
  });

  it("of an environment are found once, however it is named", () => {
    expect(names(["/home/u/venv/"])).toContain("ai-edge-litert 1.0.1");
    expect(names(["/home/u/venv", "/home/u/venv/lib/python3.11/site-packages"])).toHaveLength(4);
  });

  it("are unknown where nobody looked", () => {
    expect(readWheels(smallRoot({}, { uncaptured: ["/"] })).state).toBe("uncaptured");
    expect(readWheels(smallRoot({ "/usr/lib/x": "" }))).toMatchObject({ state: "read", value: [] });
  });
});
