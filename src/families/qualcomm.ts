/** Qualcomm Hexagon compute DSP (the "NPU" of Snapdragon): booted by remoteproc, reached by FastRPC. Documentation/devicetree/bindings/misc/qcom,fastrpc.yaml */

import { fact, type Source } from "../base/source.ts";
import { of, type Family, type OfMatch } from "./family.ts";

const fastrpc: Source = { kernel: "drivers/misc/fastrpc.c", module: "fastrpc", release: "7.3.4" };
const pas: Source = { kernel: "drivers/remoteproc/qcom_q6v5_pas.c", module: "qcom_q6v5_pas", release: "7.3.4" };
const pil: Source = { kernel: "drivers/remoteproc/qcom_q6v5_adsp.c", module: "qcom_q6v5_adsp", release: "7.3.4" };
const boards: Source = { kernel: "arch/arm64/boot/dts/qcom", release: "7.3.4" };
const library: Source = {
  cited: "https://github.com/qualcomm/fastrpc",
  says: "@29851fde (2026-05-04)",
  seen: "2026-11-22",
};
const debian: Source = {
  cited:
    "Debian packages fastrpc-support, libfastrpc1 1.0.8-1, hexagonrpcd 0.3.2-2 and 0.4.0-2, firmware-qcom-dsp, firmware-qcom-soc (file lists, rules)",
  seen: "2026-11-22",
};
const qnn: Source = { cited: "https://pypi.org/project/onnxruntime-qnn/", seen: "2026-11-25" };
const aiHub: Source = { cited: "https://github.com/quic/ai-hub-apps/issues/158", seen: "2026-11-22" };
const ggml: Source = {
  cited: "https://github.com/ggml-org/llama.cpp",
  says: "ggml/src/ggml-hexagon",
  seen: "2026-11-25",
};
const msm: Source = {
  cited: "public copies of Qualcomm's msm kernels: drivers/media/platform/msm/npu/npu_dev.c, drivers/char/adsprpc.c",
  seen: "2026-11-25",
};
const xElite: Source = {
  cited: "https://simmtester.com/News/IndustryArticle/25650",
  says: "The Hexagon processor is capable of up to 45 TOPS of INT8 AI performance",
  seen: "2026-11-25",
};
const x2Elite: Source = {
  cited:
    "https://www.notebookcheck.net/Hexagon-NPU-6-in-the-Snapdragon-X2-Elite-Extreme-80-TOPS-performance-that-is-up-to-95-faster-than-Apple-M4-and-122-faster-than-Intel-Lunar-Lake.1166576.0.html",
  says: "up to 80 TOPS of AI processing power",
  seen: "2026-11-25",
};

/** Compatibles of the compute DSP's remote processor, one row per SoC. All are claimed by qcom_q6v5_pas unless noted. */
const cdsp = (...compatibles: string[]): readonly OfMatch[] => compatibles.map((compatible) => of(compatible));

/** Chips of this family that are a compute DSP; the separate NPU block of older Snapdragons is none. */
const computeDsps = [
  "x1e80100",
  "glymur",
  "kaanapali",
  "sm8750",
  "sm8650",
  "sm8550",
  "sm8450",
  "sm8350",
  "sm8250",
  "sm8150",
  "qcs615",
  "sm6375",
  "sm6350",
  "sm6115",
  "shikra",
  "sdm845",
  "sdm660",
  "sc8280xp",
  "sc8180x",
  "sc7280",
  "sa8775p",
  "qcs8300",
  "qcs404",
  "nord",
  "milos",
  "eliza",
  "fastrpc",
];

export default {
  id: "qualcomm",
  vendor: "Qualcomm",
  name: "Qualcomm Hexagon NPU",
  aliases: ["hexagon", "cdsp", "htp", "fastrpc"],
  says: "Compute DSP of Snapdragon and Dragonwing SoCs, with vector (HVX) and, on newer ones, matrix units (HMX). Open transport from the kernel up to FastRPC, closed DSP images and graph runtime.",
  architecture: "VLIW DSP",
  architectureDetail: fact("VLIW DSP with HVX vectors and HMX matrix unit", library),
  use: "inference",
  chips: [
    {
      id: "x1e80100",
      name: "Hexagon NPU of Snapdragon X",
      matches: cdsp("qcom,x1e80100-cdsp-pas"),
      peak: [{ ops: 45e12, precision: "int8", source: xElite }],
      source: pas,
    },
    {
      id: "glymur",
      name: "Hexagon NPU of Snapdragon X2 (glymur)",
      matches: cdsp("qcom,glymur-cdsp-pas"),
      peak: [{ ops: 80e12, precision: "unstated", source: x2Elite }],
      source: boards,
    },
    { id: "kaanapali", name: "Hexagon NPU of kaanapali", matches: cdsp("qcom,kaanapali-cdsp-pas"), source: boards },
    { id: "sm8750", name: "Hexagon NPU of SM8750", matches: cdsp("qcom,sm8750-cdsp-pas"), source: boards },
    { id: "sm8650", name: "Hexagon NPU of SM8650", matches: cdsp("qcom,sm8650-cdsp-pas"), source: pas },
    { id: "sm8550", name: "Hexagon NPU of SM8550", matches: cdsp("qcom,sm8550-cdsp-pas"), source: pas },
    { id: "sm8450", name: "Hexagon NPU of SM8450", matches: cdsp("qcom,sm8450-cdsp-pas"), source: pas },
    { id: "sm8350", name: "Hexagon NPU of SM8350", matches: cdsp("qcom,sm8350-cdsp-pas"), source: pas },
    { id: "sm8250", name: "Hexagon NPU of SM8250 (RB5)", matches: cdsp("qcom,sm8250-cdsp-pas"), source: pas },
    { id: "sm8150", name: "Hexagon NPU of SM8150", matches: cdsp("qcom,sm8150-cdsp-pas"), source: pas },
    { id: "qcs615", name: "Hexagon NPU of QCS615", matches: cdsp("qcom,qcs615-cdsp-pas"), source: boards },
    { id: "sm6375", name: "Hexagon NPU of SM6375", matches: cdsp("qcom,sm6375-cdsp-pas"), source: pas },
    { id: "sm6350", name: "Hexagon NPU of SM6350", matches: cdsp("qcom,sm6350-cdsp-pas"), source: pas },
    { id: "sm6115", name: "Hexagon NPU of SM6115", matches: cdsp("qcom,sm6115-cdsp-pas"), source: pas },
    { id: "shikra", name: "Hexagon NPU of shikra", matches: cdsp("qcom,shikra-cdsp-pas"), source: pas },
    { id: "sdm845", name: "Hexagon NPU of SDM845 (RB3)", matches: cdsp("qcom,sdm845-cdsp-pas"), source: pas },
    { id: "sdm660", name: "Hexagon NPU of SDM660", matches: cdsp("qcom,sdm660-cdsp-pas"), source: pas },
    {
      id: "sc8280xp",
      name: "Hexagon NPU of SC8280XP",
      matches: cdsp("qcom,sc8280xp-nsp0-pas", "qcom,sc8280xp-nsp1-pas"),
      source: pas,
    },
    { id: "sc8180x", name: "Hexagon NPU of SC8180X", matches: cdsp("qcom,sc8180x-cdsp-pas"), source: pas },
    { id: "sc7280", name: "Hexagon NPU of SC7280/QCS6490", matches: cdsp("qcom,sc7280-cdsp-pas"), source: pas },
    {
      id: "sa8775p",
      name: "Hexagon NPU of SA8775P/QCS9075",
      matches: cdsp("qcom,sa8775p-cdsp0-pas", "qcom,sa8775p-cdsp1-pas"),
      source: pas,
    },
    { id: "qcs8300", name: "Hexagon NPU of QCS8300", matches: cdsp("qcom,qcs8300-cdsp-pas"), source: boards },
    {
      id: "qcs404",
      name: "Hexagon NPU of QCS404",
      matches: cdsp("qcom,qcs404-cdsp-pas", "qcom,qcs404-cdsp-pil"),
      source: pil,
    },
    {
      id: "nord",
      name: "Hexagon NPU of nord",
      matches: cdsp("qcom,nord-cdsp0-pas", "qcom,nord-cdsp1-pas", "qcom,nord-cdsp2-pas", "qcom,nord-cdsp3-pas"),
      source: pas,
    },
    { id: "milos", name: "Hexagon NPU of milos", matches: cdsp("qcom,milos-cdsp-pas"), source: pas },
    { id: "eliza", name: "Hexagon NPU of eliza", matches: cdsp("qcom,eliza-cdsp-pas"), source: pas },
    {
      // Which DSP this reaches only its label property says: cdsp is the compute DSP, adsp and sdsp are sound and sensors.
      id: "fastrpc",
      name: "Hexagon DSP behind FastRPC",
      matches: [of("qcom,fastrpc"), of("qcom,kaanapali-fastrpc")],
      source: fastrpc,
    },
    { id: "msm-npu", name: "Qualcomm NPU block of older Snapdragons", matches: [of("qcom,msm-npu")], source: msm },
  ],
  routes: [
    {
      name: "qnn",
      says: "mainline FastRPC, Qualcomm's open user library, closed QNN (QAIRT) on top",
      chips: computeDsps,
      driver: {
        module: "fastrpc",
        with: ["qcom_q6v5_pas"],
        binds: ["qcom_q6v5_pas", "qcom_q6v5_adsp", "qcom,fastrpc"],
        origin: "mainline",
        since: "5.1",
        config: { symbol: "QCOM_FASTRPC", needs: ["QCOM_Q6V5_PAS", "RPMSG_QCOM_GLINK", "DMABUF_HEAPS_SYSTEM"] },
        openness: "open",
        licence: "GPL-2.0",
        repository: "https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git",
        packages: { debian: [{ name: "linux-image-arm64", from: "trixie 6.12 and later" }] },
        source: fastrpc,
      },
      firmware: {
        // The exact name is firmware-name in the device tree: qcom/x1e80100/LENOVO/21N1/qccdsp8380.mbn
        files: [
          { path: "qcom/*/cdsp.mbn", oneOf: "cdsp", source: debian },
          { path: "qcom/*/cdsp0.mbn", oneOf: "cdsp", source: debian },
          { path: "qcom/*/*/*/cdsp.mbn", oneOf: "cdsp", source: debian },
          { path: "qcom/*/*/*/qccdsp*.mbn", oneOf: "cdsp", source: debian },
        ],
        elsewhere:
          "besides the image, DSP-side shells and libraries (fastrpc_shell_*, *_skel.so) below /usr/share/hexagon-dsp",
        openness: "closed",
        packages: {
          debian: [
            { name: "firmware-qcom-dsp", from: "non-free-firmware: sid 0~20261019-1" },
            { name: "firmware-qcom-soc", from: "non-free-firmware: trixie 20250410-2 still holds the DSP images" },
            { name: "hexagon-dsp-binaries", from: "non-free-firmware: sid 0~20261019-1", gives: "DSP-side libraries" },
          ],
        },
      },
      node: {
        paths: ["/dev/fastrpc-cdsp*"],
        class: "misc",
        group: "fastrpc",
        mode: "0640",
        rule: 'KERNEL=="fastrpc-*"',
        also: ["/dev/dma_heap/system"],
        source: fastrpc,
      },
      runtime: {
        name: "FastRPC library",
        libraries: ["libcdsprpc.so.1"],
        openness: "open",
        licence: "BSD-3-Clause",
        packages: {
          debian: [
            { name: "libfastrpc1", from: "contrib: sid 1.0.8-1 (arm64)", gives: "libcdsprpc.so.1" },
            {
              name: "fastrpc-support",
              from: "contrib: sid 1.0.8-1 (arm64)",
              gives: "daemons, udev rules, group fastrpc",
            },
            { name: "hexagonrpcd", from: "trixie 0.3.2-2, sid 0.4.0-2", gives: "another daemon" },
          ],
          ubuntu: [{ name: "hexagonrpcd", from: "25.10 0.3.2-2, 26.04 0.4.0-1" }],
          vendor: { says: "built from Qualcomm's repository", link: "https://github.com/qualcomm/fastrpc" },
        },
        source: library,
      },
      delegate: {
        id: "onnxruntime",
        name: "ONNX Runtime QNN execution provider",
        libraries: ["libQnnHtp.so"],
        openness: "closed",
        packages: {
          pypi: [{ name: "onnxruntime-qnn" }],
          vendor: {
            says: "Qualcomm AI Runtime (QAIRT) SDK; in no distribution",
            link: "https://www.qualcomm.com/developer/software/qualcomm-ai-engine-direct-sdk",
          },
        },
        source: qnn,
      },
      models: [
        { format: "onnx", compiler: "QNN", openness: "closed" },
        { format: "qnn-context", compiler: "QNN", openness: "closed" },
        { format: "dlc", compiler: "QAIRT converter", openness: "closed" },
        { format: "pte", compiler: "ExecuTorch with QNN", openness: "closed" },
      ],
    },
    {
      name: "ggml",
      says: "mainline FastRPC and llama.cpp's Hexagon backend, whose DSP kernels are open",
      chips: ["x1e80100", "glymur", "kaanapali", "sm8750", "sm8650", "sm8550"],
      driver: {
        module: "fastrpc",
        with: ["qcom_q6v5_pas"],
        binds: ["qcom_q6v5_pas", "qcom,fastrpc"],
        origin: "mainline",
        since: "5.1",
        config: { symbol: "QCOM_FASTRPC", needs: ["QCOM_Q6V5_PAS", "RPMSG_QCOM_GLINK", "DMABUF_HEAPS_SYSTEM"] },
        openness: "open",
        licence: "GPL-2.0",
        source: fastrpc,
      },
      firmware: {
        files: [
          { path: "qcom/*/cdsp.mbn", oneOf: "cdsp", source: debian },
          { path: "qcom/*/*/*/cdsp.mbn", oneOf: "cdsp", source: debian },
          { path: "qcom/*/*/*/qccdsp*.mbn", oneOf: "cdsp", source: debian },
        ],
        openness: "closed",
      },
      node: {
        paths: ["/dev/fastrpc-cdsp*"],
        class: "misc",
        group: "fastrpc",
        mode: "0640",
        also: ["/dev/dma_heap/system"],
        source: fastrpc,
      },
      runtime: {
        name: "FastRPC library",
        libraries: ["libcdsprpc.so.1"],
        openness: "open",
        licence: "BSD-3-Clause",
        source: library,
      },
      delegate: { id: "ggml", name: "ggml-hexagon", libraries: ["libggml-hexagon.so"], openness: "open", source: ggml },
      models: [{ format: "gguf", compiler: "Hexagon LLVM", openness: "open" }],
    },
    {
      name: "adsprpc",
      says: "the vendor kernel's adsprpc (Android), QNN on top",
      chips: computeDsps,
      driver: {
        module: "adsprpc",
        origin: "vendor-kernel",
        openness: "open",
        licence: "GPL-2.0",
        source: msm,
      },
      node: { paths: ["/dev/adsprpc-smd", "/dev/adsprpc-smd-secure"], class: "", source: msm },
      runtime: {
        name: "FastRPC library",
        libraries: ["libcdsprpc.so", "libcdsprpc.so.1"],
        openness: "open",
        source: library,
      },
      delegate: { id: "vendor", name: "QNN", libraries: ["libQnnHtp.so"], openness: "closed", source: aiHub },
      models: [
        { format: "qnn-context", compiler: "QNN", openness: "closed" },
        { format: "dlc", compiler: "QAIRT converter", openness: "closed" },
        { format: "pte", compiler: "ExecuTorch with QNN", openness: "closed" },
      ],
    },
    {
      name: "msm-npu",
      says: "the separate NPU block of older Snapdragons, vendor kernels only",
      chips: ["msm-npu"],
      driver: { module: "msm_npu", origin: "vendor-kernel", openness: "open", licence: "GPL-2.0", source: msm },
      node: { paths: ["/dev/msm_npu"], class: "", source: msm },
      runtime: { name: "unknown (Android vendor image)", libraries: [], openness: "closed", source: msm },
      delegate: { id: "vendor", name: "SNPE", openness: "closed", source: msm },
      models: [{ format: "dlc", compiler: "SNPE", openness: "closed" }],
    },
  ],
  metrics: [
    // Words, not numbers: offline, running, crashed; the processor's own name is adsp, cdsp, cdsp1, gpdsp0, slpi.
    { name: "state", read: "device:remoteproc/*/state", form: "word", source: pas },
  ],
  traps: [
    "The remote processor (…-cdsp-pas) and the qcom,fastrpc node below it are one accelerator.",
    "A qcom,fastrpc node below an adsp or slpi is the sound or sensor DSP: alone it is no NPU; its label property says which.",
    "qcom,fastrpc-compute-cb nodes are context banks, no devices.",
    "No /dev/fastrpc-* exists until the DSP runs: look at /sys/class/remoteproc first.",
    "adsp, mdsp and sdsp get one node (-secure unless qcom,non-secure-domain), cdsp and gdsp get both; unsigned code runs on cdsp and gdsp only.",
    "The firmware's name comes from the device tree (firmware-name) and holds the board's maker; misses in further directories are harmless when one loads.",
    "udev has no rule: without fastrpc-support or hexagonrpcd the node is root only. The secure node stays root's.",
    "The DSP needs its own libraries (fastrpc_shell_*, *_skel.so) from the same board; QNN's stub, skel and library must be of one release.",
    "Buffers come from /dev/dma_heap/system: its permission is needed too.",
    "slpi is fastrpc's sdsp; gpdsp is a general-purpose DSP.",
    "Several compute DSPs (SA8775P two, nord four) are several accelerators.",
  ],
  openness: {
    kernel: "open",
    firmware: "closed",
    runtime: "mixed",
    compiler: "mixed",
    says: "open transport, closed signed DSP image and graph runtime; Hexagon LLVM is open for hand-written kernels",
  },
  maintained: "yes, active",
  verified: [
    {
      how: "documents",
      says: "device trees of 322 boards of Debian 7.3 and a device-tree node without driver, read by our tests; no driver was bound here",
    },
  ],
  sources: [fastrpc, pas, pil, boards, library, debian, qnn, aiHub, ggml, msm],
  unknown: [
    "peak operations per SoC from a primary source",
    "memory",
    "power",
    "packages of Fedora",
    "mode of /dev/msm_npu on Linux",
  ],
} as const satisfies Family;
