/** Is this a container or a virtual machine, and what are its limits? cgroups(7), systemd-detect-virt(1) methods that are files */

import type { Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";

export interface Confinement {
  /** "docker", "podman", "lxc", "kubernetes", "container"; absent on the host. */
  readonly container: Reading<string>;
  /** DMI or device-tree hypervisor: "QEMU", "VMware", "Xen" ... absent on metal. */
  readonly virtual: Reading<string>;
  /** memory.max of the own cgroup, bytes; absent = no limit. */
  readonly memoryLimit: Reading<number>;
  readonly cpuQuota: Reading<number>;
  /** RLIMIT_MEMLOCK soft limit in bytes, absent = unlimited. */
  readonly memlock: Reading<number>;
}

export function readConfinement(root: Root): Reading<Confinement> {
  void root;
  throw new Error("facts/container");
}
