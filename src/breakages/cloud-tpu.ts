/** Google Cloud TPU: chips of vendor 1ae0, libtpu. */

import { says, type Breakage } from "./breakage.ts";

export const cloudTpu: readonly Breakage[] = [
  {
    id: "tpu-lock",
    family: "cloud-tpu",
    kind: "busy",
    title: "another process holds the TPU, or left its lock file",
    patterns: [
      says("tpu is already in use", /the TPU is already in use by( another)? process/i),
      says("libtpu", /libtpu(\.so)? (is )?already in use|libtpu_lockfile/i),
    ],
    mentions: ["tpu already in use|busy|process|lock", "libtpu lock|lockfile|use"],
    cause: "One process at a time may hold the chips. Either one does, or /tmp/libtpu_lockfile outlived its owner.",
    cure: ["Find the process that holds the nodes and end it.", "Only then remove the lock file if it is still there."],
    commands: ["sudo lsof -w /dev/accel0 /dev/vfio/*", "rm -f /tmp/libtpu_lockfile"],
    links: ["https://github.com/jax-ml/jax/issues/10192"],
    seenIn: "JAX",
    layer: "runtime",
    severity: "error",
    checked: true,
    visible: ["text", "facts"],
  },
  {
    id: "tpu-eperm",
    family: "cloud-tpu",
    kind: "container",
    title: "the container may not open the TPU's node",
    patterns: [says("/dev/accel", /couldn.?t open device: ?\/dev\/accel\d+ \(operation not permitted\)/i)],
    mentions: [
      "/dev/accel0|accel0 tpu|container|docker permitted|permission",
      "tpu container|docker operation|not permitted|see|find|device",
    ],
    cause: "The node was not passed to the container, so its device cgroup refuses the open.",
    cure: [
      "Run the container with --privileged, or pass every node the host has: /dev/accel* on v4, /dev/vfio on v5p and v6e.",
    ],
    commands: ["docker run --privileged IMAGE", "docker run --device /dev/accel0 --device /dev/accel1 IMAGE"],
    links: [
      "https://github.com/pytorch/xla/issues/3165",
      "https://github.com/marin-community/marin/pull/3751",
      "https://github.com/marin-community/marin/pull/3871",
    ],
    seenIn: "container",
    layer: "node",
    severity: "error",
    checked: true,
    visible: ["text", "facts"],
    sameAs: ["node/not-in-dev"],
  },
  {
    id: "tpu-no-accel0",
    family: "cloud-tpu",
    kind: "driver-missing",
    title: "there is no /dev/accel0: not every TPU machine has one",
    patterns: [
      says(
        "/dev/accel0",
        /(no such file or directory|not found|does not exist).{0,20}\/dev\/accel0\b|\/dev\/accel0\b.{0,20}(no such file|not found|does not exist)/i,
      ),
    ],
    mentions: ["no|missing|without|not /dev/accel0", "tpu no|missing|not accel0|/dev/accel0|node"],
    cause: "This machine type has no TPU, or it is v5p or later, where the chips are reached through /dev/vfio.",
    cure: [
      "Look for vendor 1ae0 on PCI.",
      "On v5p and v6e look for /dev/vfio/*, and use a libtpu as new as the machine.",
      "A VM that lost its TPU came back by being created anew.",
    ],
    commands: ["lspci -nn -d 1ae0:", "ls -l /dev/accel* /dev/vfio/"],
    links: ["https://github.com/jax-ml/jax/issues/13260", "https://github.com/marin-community/marin/pull/3751"],
    seenIn: "JAX",
    layer: "node",
    severity: "error",
    checked: true,
    visible: ["text", "facts"],
  },
];
