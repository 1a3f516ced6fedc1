/** Google Cloud TPU as a virtual machine sees it: /dev/accelN of a closed driver up to v4, VFIO afterwards, and libtpu. */

import { fact, type Source } from "../base/source.ts";
import { pci, type DelegateSpec, type Family, type RuntimeSpec } from "./family.ts";

const ids: Source = {
  cited: "https://github.com/jax-ml/jax",
  says: "@167d72dc jax/_src/hardware_utils.py",
  seen: "2026-11-22",
};
const vfio: Source = { kernel: "drivers/vfio/pci/vfio_pci.c", module: "vfio_pci", release: "7.3.4" };
const nodes: Source = { cited: "https://github.com/marin-community/marin/pull/3751", seen: "2026-11-22" };
const v5e: Source = { cited: "https://docs.cloud.google.com/tpu/docs/v5e", seen: "2026-11-22" };
const v6e: Source = { cited: "https://docs.cloud.google.com/tpu/docs/v6e", seen: "2026-11-22" };
const tpu7x: Source = { cited: "https://docs.cloud.google.com/tpu/docs/tpu7x", seen: "2026-11-25" };
const libtpu: Source = { cited: "https://pypi.org/project/libtpu/", seen: "2026-11-25" };
const v4: Source = {
  cited: "https://glennklockwood.com/garden/tpuv4",
  says: "BF16 275, INT8 275; 32 GB HBM2, 1.2 TB/s; 192 W maximum (after Google's TPU v4 page)",
  seen: "2026-11-25",
};

const runtime: RuntimeSpec = {
  name: "libtpu",
  libraries: ["libtpu.so"],
  openness: "closed",
  licence: "proprietary",
  wheels: ["libtpu"],
  packages: {
    pypi: [{ name: "libtpu" }, { name: "tpu-info", gives: "a command that shows load and memory" }],
    vendor: { says: "in Google's TPU VM images", link: "https://docs.cloud.google.com/tpu/docs" },
  },
  source: libtpu,
};

const delegate: DelegateSpec = {
  id: "pjrt",
  name: "PJRT plug-in of libtpu (JAX, PyTorch/XLA, TensorFlow)",
  libraries: ["libtpu.so"],
  openness: "closed",
  packages: { pypi: [{ name: "libtpu" }] },
  source: libtpu,
};

export default {
  id: "cloud-tpu",
  vendor: "Google",
  name: "Google Cloud TPU",
  aliases: ["tpu"],
  says: "Google's data-centre TPU, met in Google Cloud's virtual machines only. Everything below the PJRT interface is closed.",
  architecture: "systolic array",
  use: "both",
  chips: [
    { id: "v2-v3", name: "Cloud TPU v2 or v3", matches: [pci("1ae0:0027")], source: ids },
    { id: "plc", name: "Cloud TPU (plc)", matches: [pci("1ae0:0056")], source: ids },
    {
      id: "v4",
      name: "Cloud TPU v4",
      matches: [pci("1ae0:005e")],
      peak: [
        { ops: 275e12, precision: "bf16", source: v4 },
        { ops: 275e12, precision: "int8", source: v4 },
      ],
      memory: fact("32 GB HBM2, 1.2 TB/s", v4),
      watts: fact(192, v4),
      source: ids,
    },
    {
      id: "v5p",
      name: "Cloud TPU v5p",
      matches: [pci("1ae0:0062")],
      peak: [{ ops: 459e12, precision: "bf16", source: tpu7x }],
      memory: fact("95 GiB HBM", tpu7x),
      source: ids,
    },
    {
      id: "v5e",
      name: "Cloud TPU v5e",
      matches: [pci("1ae0:0063")],
      peak: [
        { ops: 197e12, precision: "bf16", source: v5e },
        { ops: 393e12, precision: "int8", source: v5e },
      ],
      memory: fact("16 GB HBM, 800 GB/s", v5e),
      source: ids,
    },
    {
      id: "v6e",
      name: "Cloud TPU v6e (Trillium)",
      matches: [pci("1ae0:006f")],
      peak: [
        { ops: 918e12, precision: "bf16", source: v6e },
        { ops: 1836e12, precision: "int8", source: v6e },
      ],
      memory: fact("32 GB HBM, 1638 GB/s", v6e),
      source: ids,
    },
    {
      id: "v7x",
      name: "Cloud TPU v7x (Ironwood)",
      matches: [pci("1ae0:0076")],
      peak: [
        { ops: 2307e12, precision: "bf16", source: tpu7x },
        { ops: 4614e12, precision: "fp8", source: tpu7x },
      ],
      memory: fact("192 GiB HBM", tpu7x),
      source: ids,
    },
  ],
  routes: [
    {
      name: "vfio",
      says: "mainline vfio-pci and libtpu (v5e, v5p, v6e and later)",
      chips: ["v5p", "v5e", "v6e", "v7x"],
      driver: {
        module: "vfio_pci",
        binds: ["vfio-pci"],
        origin: "mainline",
        config: { symbol: "VFIO_PCI", needs: ["VFIO"] },
        openness: "open",
        licence: "GPL-2.0",
        packages: { debian: [{ name: "linux-image-amd64" }] },
        source: vfio,
      },
      firmware: { files: [], elsewhere: "not visible to the virtual machine", openness: "closed" },
      node: {
        // A group's number; /dev/vfio/vfio beside it is the container interface.
        paths: ["/dev/vfio/?", "/dev/vfio/??", "/dev/vfio/???"],
        class: "vfio",
        also: ["/dev/vfio/vfio"],
        source: nodes,
      },
      runtime,
      delegate,
      models: [{ format: "stablehlo", compiler: "libtpu", openness: "closed" }],
    },
    {
      name: "vendor",
      says: "Google's own driver of its VM image and libtpu (v2 to v4)",
      chips: ["v2-v3", "plc", "v4"],
      driver: {
        // Its module's name is not public, so none is given.
        origin: "vendor-kernel",
        openness: "closed",
        packages: {
          vendor: {
            says: "in Google's TPU VM images; no source is public",
            link: "https://docs.cloud.google.com/tpu/docs",
          },
        },
        source: nodes,
      },
      firmware: { files: [], elsewhere: "not visible to the virtual machine", openness: "closed" },
      node: { paths: ["/dev/accel?", "/dev/accel??"], class: "", source: nodes },
      runtime,
      delegate,
      models: [{ format: "stablehlo", compiler: "libtpu", openness: "closed" }],
    },
  ],
  traps: [
    "/dev/accel0 (Google's driver) is not /dev/accel/accel0 (the kernel's accel class).",
    "v5e and later have no /dev/accel*: they are /dev/vfio/N; vfio-pci bound is right here and means 'given away' elsewhere.",
    "1ae0:0042 is gVNIC, the network card, and 1ae0:001f an NVMe device.",
    "One process at a time: 'already in use' may be a stale lock file.",
    "A container needs every node of the host's TPU (or --privileged).",
    "Models are XLA programs made at run time: no file format.",
  ],
  openness: {
    kernel: "mixed",
    firmware: "closed",
    runtime: "closed",
    compiler: "mixed",
    says: "closed below PJRT; the kernel side is mainline VFIO from v5e on, XLA's front end is open and its TPU backend is not",
  },
  maintained: "yes",
  verified: [
    {
      how: "documents",
      says: "read only; emulated ids on Debian kernels without a driver, and a user's log of a v3, are read by our tests",
    },
  ],
  sources: [ids, vfio, nodes, v5e, v6e, tpu7x, libtpu],
  unknown: [
    "name, source and licence of the driver for v2 to v4",
    "which generation has which nodes, from a Google document (users and one project agree)",
    "power",
  ],
} as const satisfies Family;
