import { describe, expect, it } from "vitest";
import { valueOf } from "../../src/base/reading.ts";
import { readNode, readNodes, type DeviceNode } from "../../src/facts/nodes.ts";
import { TreeBuilder } from "../../src/root/memory.ts";
import type { Root, Stat } from "../../src/root/root.ts";
import { machines } from "./machines.ts";
import { smallRoot } from "./small-root.ts";

const patterns = [
  "/dev/accel/accel*",
  "/dev/accel[0-9]*",
  "/dev/apex_*",
  "/dev/tenstorrent/*",
  "/dev/fastrpc-*",
  "/dev/kfd",
  "/dev/vfio/*",
  "/dev/nvidia[0-9]*",
];

function nodes(root: Root): readonly DeviceNode[] {
  const reading = readNodes(root, patterns);
  if (reading.state !== "read") throw new Error(reading.state);
  return reading.value;
}

/** A machine of class devices (with the device behind) and of nodes in /dev. */
function machine(
  classes: Readonly<Record<string, string>>,
  dev: Readonly<Record<string, Partial<Stat>>>,
  files: Readonly<Record<string, string>> = {},
): TreeBuilder {
  const tree = new TreeBuilder().covers("/");
  for (const [member, uevent] of Object.entries(classes)) {
    tree.link(`/sys/class/${member}`, `../../devices/pci0000:00/0000:00:08.0/${member}`);
    tree.file(`/sys/devices/pci0000:00/0000:00:08.0/${member}/uevent`, uevent);
    if (!uevent.includes("VIRTUAL")) {
      tree.link(`/sys/devices/pci0000:00/0000:00:08.0/${member}/device`, "../../../0000:00:08.0");
    }
  }
  for (const [path, stat] of Object.entries(dev)) tree.node(path, { type: "char", mode: 0o660, ...stat });
  for (const [path, text] of Object.entries(files)) tree.file(path, text);
  return tree;
}

describe("device nodes", () => {
  it("are found by class, with the device behind them", () => {
    const [accel, apex, render, tenstorrent] = nodes(
      machine(
        {
          "accel/accel0": "MAJOR=261\nMINOR=0\nDEVNAME=accel/accel0\n",
          "apex/apex_0": "MAJOR=120\nMINOR=0\nDEVNAME=apex_0\n",
          "drm/renderD128": "MAJOR=226\nMINOR=128\nDEVNAME=dri/renderD128\n",
          "drm/card0-HDMI-A-1": "",
          "tenstorrent/tenstorrent!0": "MAJOR=244\nMINOR=0\nDEVNAME=tenstorrent/0\n",
          "misc/hpet": "MAJOR=10\nMINOR=228\nDEVNAME=hpet\n",
          "tty/tty0": "MAJOR=4\nMINOR=0\nDEVNAME=tty0\n",
        },
        { "/dev/accel/accel0": { major: 261, minor: 0 } },
      ).build("capture", "test"),
    );
    expect(accel).toMatchObject({ path: "/dev/accel/accel0", class: "accel", name: "accel0" });
    expect(apex).toMatchObject({ path: "/dev/apex_0", class: "apex" });
    expect(render).toMatchObject({ path: "/dev/dri/renderD128", class: "drm" });
    expect(tenstorrent).toMatchObject({ path: "/dev/tenstorrent/0", name: "tenstorrent/0" });
    expect(accel && valueOf(accel.device)).toBe("/sys/devices/pci0000:00/0000:00:08.0");
    expect(accel && [accel.major, accel.minor].map(valueOf)).toEqual([261, 0]);
  });

  it("of a container that was given none are known to the kernel and absent in /dev", () => {
    const [accel] = nodes(machine({ "accel/accel0": "DEVNAME=accel/accel0\n" }, {}).build("live", "test"));
    expect(accel).toMatchObject({ stat: { state: "absent" }, access: { state: "absent" } });
  });

  it("that no class shows are found in /dev, directories and files are not", () => {
    const tree = machine(
      {},
      { "/dev/accel0": { major: 240, minor: 0 }, "/dev/kfd": {}, "/dev/apex_1": { type: "file" } },
    );
    tree.directory("/dev/accel");
    const found = nodes(tree.build("capture", "test"));
    expect(found.map(({ path, class: name }) => [path, name])).toEqual([
      ["/dev/accel0", ""],
      ["/dev/kfd", ""],
    ]);
  });

  it("/dev/accel0 and /dev/accel/accel0 are two", () => {
    const found = nodes(
      machine({ "accel/accel0": "DEVNAME=accel/accel0\n" }, { "/dev/accel0": {}, "/dev/accel/accel0": {} }).build(
        "capture",
        "test",
      ),
    );
    expect(found.map(({ path }) => path)).toEqual(["/dev/accel/accel0", "/dev/accel0"]);
  });

  it("of NVIDIA's driver belong to the card whose minor they have", () => {
    const information = (minor: number): string => `Model: \t NVIDIA L4\nDevice Minor: \t ${minor}\n`;
    const tree = machine(
      {},
      { "/dev/nvidia1": { major: 195, minor: 1 } },
      {
        "/proc/driver/nvidia/gpus/0000:01:00.0/information": information(0),
        "/proc/driver/nvidia/gpus/0000:41:00.0/information": information(1),
        "/sys/devices/pci0000:40/0000:41:00.0/vendor": "0x10de",
      },
    ).link("/sys/bus/pci/devices/0000:41:00.0", "../../../devices/pci0000:40/0000:41:00.0");
    const [node] = nodes(tree.build("capture", "test"));
    expect(node && valueOf(node.device)).toBe("/sys/devices/pci0000:40/0000:41:00.0");
  });

  it("cannot be named outside of /dev", () => {
    const names = ["../etc/shadow", "a//b", "/etc/shadow", ""];
    const classes = Object.fromEntries(names.map((name, i) => [`accel/accel${i}`, `DEVNAME=${name}\n`]));
    expect(nodes(machine(classes, {}).build("capture", "test"))).toEqual([]);
  });

  it("are uncaptured where neither classes nor /dev were captured", () => {
    expect(readNodes(smallRoot({}, { uncaptured: ["/sys", "/dev"] }), patterns).state).toBe("uncaptured");
  });
});

describe("who may open a node", () => {
  const group = {
    "/etc/group": "root:x:0:\nrender:x:105:\nvideo:x:44:\n",
    "/etc/passwd": "tpu:x:990:990::/:/bin/sh\n",
  };
  const status = (uid: number, groups: string, capabilities = "0000000000000000"): Record<string, string> => ({
    "/proc/self/status": `Name:\tnode\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\nGid:\t${uid}\t${uid}\t${uid}\t${uid}\nGroups:\t${groups} \nCapEff:\t${capabilities}\n`,
  });
  const allUsers = { "/proc/self/uid_map": "         0          0 4294967295\n" };
  const override = "00000000000001ff";

  const cases: [
    what: string,
    stat: Partial<Stat>,
    who: Record<string, string>,
    opens: boolean,
    because: string,
    join?: string,
  ][] = [
    ["a member of its group", { gid: 105 }, status(1000, "4 105"), true, "mode 0660 root:render, user is in render"],
    ["a stranger", { gid: 105 }, status(1000, "4"), false, "mode 0660 root:render, user is not in render", "render"],
    [
      "a stranger to root's group",
      { mode: 0o660 },
      status(1000, "4"),
      false,
      "mode 0660 root:root, user is not in root",
    ],
    ["anyone but root", { mode: 0o600 }, status(1000, "4"), false, "mode 0600 root:root, only root may"],
    ["everyone", { mode: 0o666, gid: 44 }, status(1000, ""), true, "mode 0666 root:video, everyone may"],
    ["its owner", { mode: 0o600, uid: 990 }, status(990, ""), true, "mode 0600 tpu:root, user owns it"],
    ["a group nobody named", { gid: 777 }, status(1000, ""), false, "mode 0660 root:777, user is not in 777", "777"],
    [
      "root",
      { mode: 0o600 },
      { ...status(0, "", override), ...allUsers },
      true,
      "mode 0600 root:root, user is root or may override permissions",
    ],
    ["readers only", { mode: 0o640, gid: 105 }, status(1000, "105"), false, "mode 0640 root:render, user is in render"],
    [
      "a namespace's root",
      { mode: 0o600, uid: 65534, gid: 65534 },
      { ...status(0, "65534", override), "/proc/self/uid_map": "0 1000 1\n" },
      false,
      "mode 0600 65534:65534, user is in 65534",
    ],
  ];
  it.each(cases)("%s", (_, stat, who, opens, because, join) => {
    const root = machine(
      { "accel/accel0": "DEVNAME=accel/accel0\n" },
      { "/dev/accel/accel0": stat },
      { ...group, ...who },
    );
    const [node] = nodes(root.build("capture", "test"));
    expect(node && valueOf(node.access)).toEqual(join === undefined ? { opens, because } : { opens, because, join });
  });

  it("follows the system's own answer, which knows access lists and containers", () => {
    const root = machine(
      { "accel/accel0": "DEVNAME=accel/accel0\n" },
      { "/dev/accel/accel0": { gid: 105 } },
      {
        ...group,
        ...status(1000, "4"),
      },
    ).build("capture", "test");
    const withAnswer = (opens: boolean): DeviceNode | undefined =>
      nodes({ ...root, access: (path) => ({ state: "read", value: opens, from: path }) })[0];
    const granted = withAnswer(true);
    expect(granted && valueOf(granted.access)).toEqual({
      opens: true,
      because: "mode 0660 root:render; an access list lets this user in",
    });
    const refused = withAnswer(false);
    expect(refused && valueOf(refused.access)).toMatchObject({ opens: false, join: "render" });
  });

  it("is uncaptured when nobody recorded who asked", () => {
    const root = machine({}, { "/dev/kfd": {} }, group).gap("/proc/self").build("capture", "test");
    expect(nodes(root)[0]?.access.state).toBe("uncaptured");
  });

  it("can be asked of any node: a USB stick's", () => {
    const root = machine(
      {},
      { "/dev/bus/usb/004/002": { mode: 0o664, gid: 46 } },
      {
        "/etc/group": "plugdev:x:46:\n",
        ...status(1000, "1000"),
      },
    ).build("capture", "test");
    const node = readNode(root, "/dev/bus/usb/004/002");
    expect(valueOf(node.access)).toMatchObject({ opens: false, join: "plugdev" });
    expect(valueOf(node.group)).toBe("plugdev");
  });
});

describe.skipIf(machines.length === 0)("captured machines (../shared/machines)", () => {
  it.each(machines)("$name: every node of a device is found, and the device behind it", ({ devices, open }) => {
    const root = open();
    const found = new Map(nodes(root).map((node) => [node.path, node]));
    for (const { bus, address, name, nodes: own } of devices) {
      for (const truth of own ?? []) {
        const node = found.get(truth.node);
        if (node === undefined) throw new Error(`${truth.node} was not found`);
        expect(node.class).toBe(truth.class ?? node.class);
        expect(`${valueOf(node.major) ?? ""}:${valueOf(node.minor) ?? ""}`).toBe(truth.dev);
        expect(valueOf(node.stat)).toMatchObject({ type: "char", mode: 0o600 });
        const device = root.real(`/sys/bus/${bus}/devices/${address ?? name ?? ""}`);
        expect(`${valueOf(node.device) ?? ""}/`).toContain(`${valueOf(device) ?? "?"}/`);
      }
    }
  });

  it("vfio groups are nodes too", () => {
    const rack = machines.find(({ name }) => name === "rack-vfio-7.3");
    const paths = rack ? nodes(rack.open()).map(({ path }) => path) : [];
    expect(paths).toEqual(expect.arrayContaining(["/dev/vfio/1", "/dev/vfio/10", "/dev/vfio/vfio"]));
  });
});
