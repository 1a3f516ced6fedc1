import { describe, expect, it } from "vitest";
import { valueOf } from "../../src/base/reading.ts";
import { readUsb, type UsbDevice } from "../../src/facts/usb.ts";
import type { Root } from "../../src/root/root.ts";
import { machines } from "./machines.ts";
import { smallRoot } from "./small-root.ts";

const bus = "/sys/bus/usb/devices";

function devices(root: Root): readonly UsbDevice[] {
  const reading = readUsb(root);
  if (reading.state !== "read") throw new Error(reading.state);
  return reading.value;
}

const coral = {
  [`${bus}/usb4/uevent`]: "PRODUCT=1d6b/3/703\n",
  [`${bus}/4-0:1.0/uevent`]: "INTERFACE=9/0/0\n",
  [`${bus}/4-1/uevent`]:
    "DEVNAME=bus/usb/004/002\nDRIVER=usb\nPRODUCT=18d1/9302/100\nTYPE=0/0/0\nBUSNUM=004\nDEVNUM=002\n",
  [`${bus}/4-1/speed`]: "5000\n",
  [`${bus}/4-1/bMaxPower`]: "896mA\n",
  [`${bus}/4-1/manufacturer`]: "Google Inc.\n",
  [`${bus}/4-1:1.0/uevent`]: "INTERFACE=255/0/0\n",
};

describe("USB devices", () => {
  it("are those below the root hubs, with their interfaces", () => {
    const [one, ...more] = devices(smallRoot({ ...coral, "/dev/bus/usb/004/002": "" }));
    expect(more).toEqual([]);
    expect(one).toMatchObject({ name: "4-1", vendor: 0x18d1, product: 0x9302 });
    expect(one?.interfaces).toMatchObject([{ name: "4-1:1.0", class: 255, driver: { state: "absent" } }]);
    expect(one && valueOf(one.node)).toBe("/dev/bus/usb/004/002");
    expect(one && [one.speed, one.maxPowerMilliamps, one.busNumber, one.deviceNumber].map(valueOf)).toEqual([
      5e9, 896, 4, 2,
    ]);
    expect(one && valueOf(one.manufacturer)).toBe("Google Inc.");
    expect(one?.product_name.state).toBe("absent");
  });

  it("have no node in a container that was not given one", () => {
    expect(devices(smallRoot(coral))[0]?.node.state).toBe("absent");
  });

  it("keep their node's name where /dev was not captured", () => {
    expect(devices(smallRoot(coral, { uncaptured: ["/dev"] }))[0]?.node.state).toBe("read");
  });

  it("are told by attributes where no uevent was captured", () => {
    const at = `${bus}/3-4.2`;
    const [one] = devices(
      smallRoot({
        [`${at}/idVendor`]: "03e7\n",
        [`${at}/idProduct`]: "2485\n",
        [`${at}/busnum`]: "3\n",
        [`${at}/devnum`]: "11\n",
        [`${at}/speed`]: "1.5\n",
        "/dev/bus/usb/003/011": "",
        [`${at}:1.0`]: "-> nowhere",
        [`${bus}/3-4.2:1.1/bInterfaceClass`]: "0e\n",
        [`${bus}/3-4.2:1.1/bInterfaceSubClass`]: "01\n",
        [`${bus}/3-4.2:1.1/bInterfaceProtocol`]: "00\n",
        [`${bus}/3-4.2:1.1/driver`]: "-> ../../../bus/usb/drivers/uvcvideo",
      }),
    );
    expect(one).toMatchObject({ name: "3-4.2", vendor: 0x3e7, product: 0x2485 });
    expect(one && valueOf(one.node)).toBe("/dev/bus/usb/003/011");
    expect(one && valueOf(one.speed)).toBe(1.5e6);
    expect(one?.interfaces).toMatchObject([{ class: 14, subclass: 1, driver: { value: "uvcvideo" } }]);
    expect(one?.driver.state).toBe("uncaptured");
  });

  it("with ids that make no sense are left out", () => {
    expect(devices(smallRoot({ [`${bus}/1-1/uevent`]: "PRODUCT=x/y/z\n", [`${bus}/1-1/idVendor`]: "zz\n" }))).toEqual(
      [],
    );
  });
});

describe.skipIf(machines.length === 0)("a captured machine with Coral and Movidius sticks (../shared/machines)", () => {
  it.each(machines.filter(({ devices: all }) => all.some(({ bus: name }) => name === "usb")))(
    "$name: names, ids, nodes and drivers as they were",
    ({ devices: all, open }) => {
      const found = devices(open()).map((one) => ({
        name: one.name,
        id: [one.vendor, one.product].map((id) => id.toString(16).padStart(4, "0")),
        node: valueOf(one.node),
        driver: valueOf(one.driver),
        interfaceDrivers: one.interfaces.map(({ driver }) => driver.state),
      }));
      expect(found).toEqual(
        all.map((truth) => ({
          name: truth.name,
          id: [truth.vendor, truth.product],
          node: truth.node,
          driver: truth.bound_driver,
          interfaceDrivers: ["absent"],
        })),
      );
    },
  );
});
