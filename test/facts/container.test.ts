import { describe, expect, it } from "vitest";
import { readConfinement, type Confinement } from "../../src/facts/container.ts";
import { openLive } from "../../src/root/directory.ts";
import { machines } from "./machines.ts";
import { smallRoot } from "./small-root.ts";

function confinement(...args: Parameters<typeof smallRoot>): Confinement {
  const reading = readConfinement(smallRoot(...args));
  if (reading.state !== "read") throw new Error(reading.state);
  return reading.value;
}

const overlay = (below: string): string =>
  `700 600 0:50 / / rw,relatime - overlay overlay rw,lowerdir=${below}/l/A,workdir=${below}/w\n`;
const host = { "/proc/self/ns/pid": "-> pid:[4026531836]", "/proc/self/ns/cgroup": "-> cgroup:[4026531835]" };
const inside = { "/proc/self/ns/pid": "-> pid:[4026532661]", "/proc/self/ns/cgroup": "-> cgroup:[4026532662]" };

describe("a container", () => {
  const machines: [what: string, files: Record<string, string | null>, container: string][] = [
    ["of Docker by its mark", { ...inside, "/.dockerenv": "", "/proc/1/cgroup": "0::/\n" }, "docker"],
    ["of Docker by its cgroup", { "/proc/1/cgroup": "4:memory:/docker/0123abc\n" }, "docker"],
    ["of Docker by systemd's slice", { "/proc/1/cgroup": "0::/system.slice/docker-0123.scope\n" }, "docker"],
    ["of Docker by its storage", { ...inside, "/proc/self/mountinfo": overlay("/var/lib/docker/overlay2") }, "docker"],
    ["of Podman by its mark", { ...inside, "/run/.containerenv": "" }, "podman"],
    ["of Podman by PID 1", { "/proc/1/environ": "PATH=/bin\0container=podman\0" }, "podman"],
    [
      "of Podman by its storage",
      { "/proc/self/mountinfo": overlay("/home/u/.local/share/containers/storage/overlay") },
      "podman",
    ],
    ["of LXC by PID 1", { "/proc/1/environ": "container=lxc\0TERM=x\0" }, "lxc"],
    ["of LXC by its cgroup", { "/proc/1/cgroup": "0::/lxc.payload.box\n" }, "lxc"],
    [
      "of Kubernetes",
      { "/proc/1/cgroup": "0::/kubepods.slice/kubepods-besteffort.slice/cri-containerd-1.scope\n" },
      "kubernetes",
    ],
    [
      "of Kubernetes on Docker",
      {
        "/.dockerenv": "",
        "/proc/self/mountinfo": "1 2 8:1 /var/lib/kubelet/pods/x/etc-hosts /etc/hosts rw - ext4 /dev/sda1 rw\n",
      },
      "kubernetes",
    ],
    ["of nspawn by systemd's word", { "/run/systemd/container": "systemd-nspawn\n" }, "systemd-nspawn"],
    ["of the kind OCI only", { "/run/systemd/container": "oci" }, "container"],
  ];
  it.each(machines)("%s", (_, files, container) => {
    expect(confinement(files).container).toMatchObject({ state: "read", value: container });
  });

  it("is not the host that runs containers, nor a machine made of an image", () => {
    const runs = { ...host, "/proc/1/cgroup": "0::/init.scope\n", "/proc/1/environ": null };
    expect(
      confinement({ ...runs, "/proc/self/mountinfo": "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n" }).container.state,
    ).toBe("absent");
    const mounted = `9 1 0:5 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l\n`;
    expect(confinement({ ...runs, "/proc/self/mountinfo": mounted }).container.state).toBe("absent");
    expect(confinement({ ...runs, "/.dockerenv": "" }).container.state).toBe("absent");
  });

  it("that shares the host's namespaces is known by where its root comes from", () => {
    const files = {
      ...host,
      "/proc/self/mountinfo": overlay("/var/lib/docker/overlay2"),
      "/proc/1/cgroup": "0::/init.scope\n",
    };
    expect(confinement(files).container).toMatchObject({
      state: "read",
      value: "docker",
      from: "/proc/self/mountinfo",
    });
  });

  it("is unknown where nobody looked", () => {
    expect(confinement({}, { uncaptured: ["/"] }).container.state).toBe("uncaptured");
  });
});

describe("a virtual machine", () => {
  const dmi = (vendor: string, product: string): Record<string, string> => ({
    "/sys/class/dmi/id/sys_vendor": `${vendor}\n`,
    "/sys/class/dmi/id/product_name": `${product}\n`,
  });
  it.each([
    ["QEMU", "Standard PC (Q35 + ICH9, 2009)", "QEMU"],
    ["VMware, Inc.", "VMware Virtual Platform", "VMware"],
    ["innotek GmbH", "VirtualBox", "VirtualBox"],
    ["Microsoft Corporation", "Virtual Machine", "Hyper-V"],
    ["Amazon EC2", "g4dn.xlarge", "Amazon EC2"],
    ["Google", "Google Compute Engine", "Google Compute Engine"],
    ["Xen", "HVM domU", "Xen"],
  ])("by DMI: %s, %s", (vendor, product, name) => {
    expect(confinement(dmi(vendor, product)).virtual).toMatchObject({ state: "read", value: name });
  });

  it.each([
    ["LENOVO", "21CB"],
    ["Amazon EC2", "g4dn.metal"],
    ["Microsoft Corporation", "Surface Laptop"],
  ])("is none by DMI: %s, %s", (vendor, product) => {
    const files = { ...dmi(vendor, product), "/proc/cpuinfo": "flags\t\t: fpu sse\n" };
    expect(confinement(files).virtual.state).toBe("absent");
  });

  it("by the hypervisor node of its device tree, by Xen's file, by the CPU's flag", () => {
    expect(confinement({ "/sys/firmware/devicetree/base/hypervisor/compatible": "linux,kvm\0" }).virtual).toMatchObject(
      { value: "KVM" },
    );
    const board = { "/proc/device-tree/compatible": "linux,dummy-virt\0", "/proc/cpuinfo": "CPU implementer : 0x41\n" };
    expect(confinement(board).virtual).toMatchObject({ value: "hypervisor" });
    expect(confinement({ ...board, "/proc/device-tree/compatible": "radxa,rock-5b\0" }).virtual.state).toBe("absent");
    expect(confinement({ "/proc/cpuinfo": "vendor_id : IBM/S390\n" }).virtual.state).toBe("uncaptured");
    expect(confinement({ "/sys/hypervisor/type": "xen\n" }).virtual).toMatchObject({ value: "Xen" });
    expect(
      confinement({ "/sys/hypervisor/type": "xen\n", "/proc/xen/capabilities": "control_d\n" }).virtual.state,
    ).toBe("absent");
    expect(confinement({ "/proc/cpuinfo": "flags\t\t: fpu hypervisor lm\n" }).virtual).toMatchObject({
      value: "hypervisor",
    });
    expect(confinement({}, { uncaptured: ["/"] }).virtual.state).toBe("uncaptured");
  });
});

describe.skipIf(machines.length === 0)("a captured machine (../shared/machines/kernel)", () => {
  it.each(
    machines.filter((machine) => !machine.name.startsWith("arm64")).map((machine) => [machine.name, machine] as const),
  )("%s is emulated, and nobody captured whether it is a container", (_, machine) => {
    const reading = readConfinement(machine.open());
    if (reading.state !== "read") throw new Error(reading.state);
    expect(reading.value.virtual).toMatchObject({ state: "read", value: "QEMU" });
    expect(reading.value.container.state).toBe("uncaptured");
  });
});

describe("limits", () => {
  it("of a unified cgroup count from the own one up, the smallest wins", () => {
    const found = confinement({
      "/proc/self/cgroup": "0::/a/b\n",
      "/sys/fs/cgroup/a/b/memory.max": "max\n",
      "/sys/fs/cgroup/a/memory.max": "1073741824\n",
      "/sys/fs/cgroup/a/b/cpu.max": "150000 100000\n",
      "/sys/fs/cgroup/a/cpu.max": "max 100000\n",
    });
    expect(found.memoryLimit).toMatchObject({ value: 1 << 30, from: "/sys/fs/cgroup/a/memory.max" });
    expect(found.cpuQuota).toMatchObject({ value: 1.5 });
  });

  it("of version 1 are found where the container's own mount has them", () => {
    const found = confinement({
      "/proc/self/cgroup": "4:memory:/docker/1\n2:cpu,cpuacct:/docker/1\n",
      "/sys/fs/cgroup/memory/memory.limit_in_bytes": "536870912\n",
      "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000\n",
      "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
    });
    expect(found.memoryLimit).toMatchObject({ value: 512 << 20 });
    expect(found.cpuQuota).toMatchObject({ value: 0.5 });
  });

  it("that are none are absent", () => {
    const found = confinement({
      "/proc/self/cgroup": "4:memory:/\n3:cpu:/\n0::/\n",
      "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
      "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
      "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
      "/proc/self/limits": "Max locked memory         unlimited            unlimited            bytes\n",
    });
    expect([found.memoryLimit.state, found.cpuQuota.state, found.memlock.state]).toStrictEqual([
      "absent",
      "absent",
      "absent",
    ]);
  });

  it("of locked memory are the soft ones", () => {
    const limits =
      "Limit   Soft Limit  Hard Limit  Units\nMax locked memory         8388608              67108864             bytes\n";
    expect(confinement({ "/proc/self/limits": limits }).memlock).toMatchObject({ value: 8 << 20 });
  });

  it("survive a cgroup file of nonsense", () => {
    const deep = `0::/${"x/".repeat(1_900)}\n${"9:memory:/../../etc\n".repeat(1_000)}`;
    expect(confinement({ "/proc/self/cgroup": deep }).memoryLimit.state).toBe("absent");
  });

  it("of this machine can be asked", () => {
    expect(readConfinement(openLive())).toMatchObject({ state: "read" });
  });
});
