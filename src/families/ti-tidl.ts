/** TI C7x DSP with matrix unit (TIDL): a DSP core that Linux boots by remoteproc; AM62A, AM67A, AM68A, AM69A, TDA4. */

import { fact, type Source } from "../base/source.ts";
import { of, type Family } from "./family.ts";

const bindings: Source = {
  kernel: "Documentation/devicetree/bindings/remoteproc/ti,k3-dsp-rproc.yaml",
  release: "7.3.4",
};
const kernel: Source = {
  kernel: "drivers/remoteproc/ti_k3_dsp_remoteproc.c",
  module: "ti_k3_dsp_remoteproc",
  release: "7.3.4",
};
const trees: Source = {
  cited: "device trees of Debian 7.3.4 arm64, ti/: firmware-name of the dsp nodes",
  seen: "2026-11-25",
};
const tidl: Source = { cited: "https://github.com/TexasInstruments/edgeai-tidl-tools", seen: "2026-11-22" };
const spradd2: Source = {
  cited: "https://ti.com/document-viewer/ja-jp/lit/html/SPRADD2/GUID-7DD68DFB-8C08-4BDB-9C3F-050AD0D068A3",
  says: "8-bit vectors of length 32: 2x32x32x1GHz=2 Tera Operations per second",
  seen: "2026-11-25",
};
const am68a: Source = {
  cited: "https://ti.com/tool/PROCESSOR-SDK-AM68A",
  says: "AM68A 8 TOPS vision SoC",
  seen: "2026-11-25",
};

export default {
  id: "ti-tidl",
  vendor: "Texas Instruments",
  name: "TI C7x with MMA (TIDL)",
  aliases: ["tidl", "c7x"],
  says:
    "DSP with a matrix multiplier inside TI's vision processors. Linux loads its image by remoteproc; models run through TI's " +
    "delegates, locked to one SDK version.",
  architecture: "VLIW DSP",
  architectureDetail: fact("C7x VLIW DSP with a matrix multiply accelerator", tidl),
  use: "inference",
  chips: [
    {
      id: "am62a",
      name: "AM62A, AM67A, J722S: C7x with MMA",
      matches: [of("ti,am62a-c7xv-dsp")],
      peak: [{ ops: 2e12, precision: "int8 (AM62A)", source: spradd2 }],
      source: bindings,
    },
    { id: "j721e", name: "TDA4VM (J721E): C71x with MMA", matches: [of("ti,j721e-c71-dsp")], source: bindings },
    {
      id: "j721s2",
      name: "AM68A, AM69A, TDA4 (J721S2, J784S4): C71x with MMA",
      matches: [of("ti,j721s2-c71-dsp")],
      peak: [{ ops: 8e12, precision: "unstated (AM68A)", source: am68a }],
      source: bindings,
    },
  ],
  routes: [
    {
      name: "tidl",
      says: "remoteproc driver, TI's DSP image, TIDL delegates",
      driver: {
        module: "ti_k3_dsp_remoteproc",
        binds: ["k3-dsp-rproc"],
        origin: "mainline",
        config: { symbol: "TI_K3_DSP_REMOTEPROC", needs: ["REMOTEPROC"] },
        openness: "open",
        licence: "GPL-2.0",
        source: kernel,
      },
      firmware: {
        files: [
          { path: "am62a-c71_0-fw", chips: ["am62a"], oneOf: "c7x", source: trees },
          { path: "j722s-c71_*-fw", chips: ["am62a"], oneOf: "c7x", source: trees },
          { path: "j7-c71_0-fw", chips: ["j721e"], source: trees },
          { path: "j721s2-c71_*-fw", chips: ["j721s2"], oneOf: "c71", source: trees },
          { path: "j784s4-c71_*-fw", chips: ["j721s2"], oneOf: "c71", source: trees },
        ],
        elsewhere: "the vision_apps images of TI's SDK; the device tree's firmware-name says which file is asked for",
        openness: "closed",
      },
      node: { paths: ["/dev/rpmsg*"], class: "rpmsg", source: kernel },
      runtime: {
        libraries: ["libtidl_tfl_delegate.so", "libtidl_onnxrt_EP.so"],
        name: "TIDL",
        openness: "closed",
        licence: "TI licence",
        packages: { vendor: { says: "in TI's Processor SDK image; every part of one SDK version", link: tidl.cited } },
        source: tidl,
      },
      delegate: {
        id: "tflite",
        name: "TIDL delegate (also an ONNX Runtime provider)",
        libraries: ["libtidl_tfl_delegate.so", "libtidl_onnxrt_EP.so"],
        openness: "closed",
        source: tidl,
      },
      models: [{ format: "tidl", compiler: "TIDL import tools", openness: "closed" }],
    },
  ],
  traps: [
    "Debian's arm64 kernels have TI_K3_DSP_REMOTEPROC off: the node is in the tree and no driver binds",
    "ti,j721e-c66-dsp is an older DSP without matrix unit, no NPU",
    "ti,*-r5fss and ti,*-pru are controllers",
  ],
  openness: {
    kernel: "open",
    firmware: "closed",
    runtime: "closed",
    compiler: "closed",
    says: "driver in mainline, all above it closed and locked to an SDK version",
  },
  maintained: "yes",
  verified: [{ how: "documents", says: "bindings and device trees of Debian 7.3.4; never run" }],
  sources: [bindings, kernel, trees, tidl],
  unknown: [
    "throughput of AM67A, AM69A and TDA4VM",
    "power",
    "first mainline release of the driver for C7x",
    "a compatible ti,j722s-c7xv-dsp has been posted and is in no kernel yet",
  ],
} as const satisfies Family;
