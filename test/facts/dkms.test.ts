import { expect, it } from "vitest";
import { readDkms } from "../../src/facts/dkms.ts";
import { smallRoot } from "./small-root.ts";

const base = "/var/lib/dkms";
const conf = `PACKAGE_NAME="gasket"
PACKAGE_VERSION="1.0"
BUILT_MODULE_NAME[0]="gasket"
BUILT_MODULE_NAME[1]='apex-pci' # second
BUILT_MODULE_NAME[2]="$(uname -r)"
BUILT_MODULE_NAME[3]=$PACKAGE_NAME-extra
`;

it("a module is built for some kernels, installed into some and failed for another", () => {
  const root = smallRoot({
    [`${base}/dkms_dbversion`]: "2.0",
    [`${base}/gasket/1.0/source`]: "-> /usr/src/gasket-1.0",
    [`${base}/gasket/1.0/6.1.0-18-amd64/x86_64/module/gasket.ko`]: "",
    [`${base}/gasket/1.0/6.5.0-1/x86_64/module/gasket.ko.xz`]: "",
    [`${base}/gasket/1.0/6.5.0-1/x86_64/log/make.log`]: "DKMS make.log for gasket-1.0 for kernel 6.5.0-1 (x86_64)\n",
    [`${base}/gasket/1.0/build/make.log`]:
      "DKMS make.log for gasket-1.0 for kernel 6.8.0-31-generic (x86_64)\nerror: x\n",
    [`${base}/gasket/kernel-6.1.0-18-amd64-x86_64`]: "-> 1.0/6.1.0-18-amd64/x86_64",
    "/usr/src/gasket-1.0/dkms.conf": conf,
  });
  expect(readDkms(root)).toMatchObject({
    state: "read",
    value: [
      {
        name: "gasket",
        version: "1.0",
        built: ["6.1.0-18-amd64", "6.5.0-1"],
        installed: ["6.1.0-18-amd64"],
        modules: ["gasket", "apex_pci", "gasket_extra"],
        log: { state: "read", value: `${base}/gasket/1.0/build/make.log` },
        failedFor: "6.8.0-31-generic",
      },
    ],
  });
});

it("a module that is only added has been built for no kernel", () => {
  const root = smallRoot({ [`${base}/hailo_pci/4.20.0/source`]: "-> /usr/src/hailo_pci-4.20.0" });
  expect(readDkms(root)).toMatchObject({
    value: [{ name: "hailo_pci", built: [], installed: [], modules: [], log: { state: "absent" } }],
  });
});

it("a module whose source is gone is known by the files that were built", () => {
  const root = smallRoot({ [`${base}/tenstorrent/2.0/6.8.0/x86_64/module/tenstorrent.ko.zst`]: "" });
  expect(readDkms(root)).toMatchObject({ value: [{ modules: ["tenstorrent"], built: ["6.8.0"] }] });
});

it("no DKMS is absent, an uncaptured one uncaptured, a denied one denied", () => {
  expect(readDkms(smallRoot({})).state).toBe("absent");
  expect(readDkms(smallRoot({}, { uncaptured: ["/var"] })).state).toBe("uncaptured");
});
