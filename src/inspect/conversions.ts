/**
 * Conversions: from a model one can see into to what a device takes, as data: the tool, the exact commands, what it wants of the
 * model. Commands name the user's file; words in capitals are the user's to fill in. Nothing is ever run.
 */

import type { Openness } from "../base/finding.ts";
import type { Source } from "../base/source.ts";
import { makersConversions } from "./conversions-makers.ts";

/** What a tool wants of the model; each is held against the model by needs.ts. */
export type Need =
  | "static shapes"
  | "full integer"
  | "calibration data"
  | "x86-64"
  | "chip name"
  | "free account"
  | "maker's licence"
  | "configuration"
  | "whole folder"
  | "the device itself"
  | "macOS"
  | "TensorRT 10.7 or before";

export interface Conversion {
  readonly from: readonly string[];
  readonly to: string;
  readonly tool: string;
  readonly openness: Openness;
  /**
   * {model}: the file; {dir}: its folder; {stem}: its name without ending; {chip}: the tool's word for the chip; {loader}: how the tool
   * names the format; {input}, {shape}: name and sizes of the first input; {python}, {pythondir}, {pythoninput}, {out}: as Python's text.
   */
  readonly commands: readonly string[];
  readonly needs: readonly Need[];
  /** The tool's word for a chip of the catalogue; `placeholder` where the chip is not known. */
  readonly chips?: Readonly<Record<string, string>>;
  readonly placeholder?: string;
  /** What stands in place of it, where the words of `chips` are not all. */
  readonly words?: string;
  /** Word for {loader} by format. */
  readonly loaders?: Readonly<Record<string, string>>;
  /** Only for these families, where one format serves several. */
  readonly families?: readonly string[];
  readonly source: Source;
}

const seen = "2026-11-25";
const cited = (link: string): Source => ({ cited: link, seen });

const rknnChips = ["rk3588", "rk3576", "rk3568", "rk3562", "rv1126b", "rv1106"];

export const conversions: readonly Conversion[] = [
  {
    from: ["tflite"],
    to: "edgetpu-tflite",
    tool: "edgetpu_compiler",
    openness: "closed",
    commands: ["edgetpu_compiler {model}"],
    needs: ["full integer", "static shapes", "x86-64"],
    source: cited("https://coral.ai/docs/edgetpu/compiler/"),
  },
  {
    from: ["tflite"],
    to: "vela-tflite",
    tool: "Vela",
    openness: "open",
    commands: ["pip install ethos-u-vela", "vela {model} --accelerator-config {chip}"],
    needs: ["full integer", "static shapes"],
    // The number of MACs is the integrator's choice; i.MX 93's is known, and mainline names no other U65.
    chips: { u65: "ethos-u65-256" },
    placeholder: "ACCELERATOR",
    words: "the core and its number of MACs, ethos-u55-128 or ethos-u85-256",
    source: cited("https://pypi.org/project/ethos-u-vela/"),
  },
  {
    from: ["tflite"],
    to: "neutron-tflite",
    tool: "neutron-converter",
    openness: "closed",
    commands: ["neutron-converter --input {model} --output {stem}_neutron.tflite --target {chip}"],
    needs: ["full integer", "static shapes", "x86-64"],
    chips: { imx95: "imx95" },
    placeholder: "TARGET",
    source: cited("NXP i.MX Machine Learning User's Guide"),
  },
  {
    from: ["onnx", "tflite"],
    to: "rknn",
    tool: "rknn-toolkit2",
    openness: "closed",
    commands: [
      "pip install rknn-toolkit2",
      `python3 -c 'from rknn.api import RKNN; r = RKNN(); r.config(target_platform="{chip}"); r.load_{loader}(model={python}); r.build(do_quantization=True, dataset="dataset.txt"); r.export_rknn({out})'`,
    ],
    needs: ["static shapes", "calibration data"],
    chips: Object.fromEntries(rknnChips.map((chip) => [chip, chip])),
    placeholder: "CHIP",
    loaders: { onnx: "onnx", tflite: "tflite" },
    families: ["rockchip"],
    source: cited("https://github.com/airockchip/rknn-toolkit2"),
  },
  {
    from: ["onnx"],
    to: "hef",
    tool: "Hailo Dataflow Compiler",
    openness: "closed",
    commands: [
      "hailo parser onnx {model} --hw-arch {chip}",
      "hailo optimize {stem}.har --hw-arch {chip} --calib-set-path calib.npy",
      "hailo compiler {stem}_optimized.har --hw-arch {chip}",
    ],
    needs: ["static shapes", "calibration data", "x86-64", "free account"],
    // Hailo-8, 8R and 8L have one PCI id, and an 8L refuses what was compiled for an 8.
    chips: { hailo10h: "hailo10h", hailo15l: "hailo15l" },
    placeholder: "ARCH",
    words: "hailo8, hailo8l (hailortcli fw-control identify tells which it is), hailo10h, hailo15l",
    source: cited(
      "https://developer.ridgerun.com/wiki/index.php/Hailo/Hailo-8/AI_Software_and_Tools/Hailo_Model_Scripts",
    ),
  },
  {
    from: ["onnx", "tflite"],
    to: "openvino-ir",
    tool: "OpenVINO (ovc)",
    openness: "open",
    commands: ["pip install openvino", "ovc {model}"],
    needs: [],
    families: ["cpu", "intel-gpu", "intel-npu"],
    source: cited("https://docs.openvino.ai/2024/openvino-workflow/model-preparation/conversion-parameters.html"),
  },
  {
    from: ["onnx"],
    to: "qnn-context",
    tool: "QAIRT converter, quantizer and context generator",
    openness: "closed",
    commands: [
      "qairt-converter --input_network {model} --output_path {stem}.dlc",
      "qairt-quantizer --input_dlc {stem}.dlc --input_list input_list.txt --output_dlc {stem}_quantized.dlc",
      "qnn-context-binary-generator --model libQnnModelDlc.so --backend libQnnHtp.so --dlc_path {stem}_quantized.dlc --output_dir output --binary_file {stem}",
    ],
    needs: ["static shapes", "calibration data", "x86-64", "free account"],
    source: cited("https://github.com/quic/aimet (Docs: on-target inference)"),
  },
  {
    from: ["onnx", "tflite"],
    to: "dlc",
    tool: "QAIRT converter",
    openness: "closed",
    commands: ["qairt-converter --input_network {model} --output_path {stem}.dlc"],
    needs: ["x86-64", "free account"],
    source: cited("https://github.com/quic/aimet (Docs: on-target inference)"),
  },
  {
    from: ["onnx"],
    to: "tensorrt",
    tool: "trtexec of TensorRT",
    openness: "closed",
    // Release 11 knows no --fp16: types are the network's own.
    commands: ["trtexec --onnx={model} --saveEngine={stem}.engine"],
    needs: [],
    families: ["nvidia"],
    source: cited("https://github.com/NVIDIA/TensorRT/blob/main/samples/trtexec/README.md"),
  },
  {
    from: ["onnx", "tflite"],
    to: "cvimodel",
    tool: "TPU-MLIR",
    openness: "open",
    commands: [
      "model_transform.py --model_name {stem} --model_def {model} --mlir {stem}.mlir",
      "run_calibration.py {stem}.mlir --dataset IMAGES --input_num 100 -o {stem}_cali_table",
      "model_deploy.py --mlir {stem}.mlir --quantize INT8 --calibration_table {stem}_cali_table --processor {chip} --model {stem}.cvimodel",
    ],
    needs: ["static shapes", "calibration data"],
    placeholder: "PROCESSOR",
    source: cited("https://tpumlir.org/quick_start_en/01_introduction.html"),
  },
  {
    from: ["onnx", "tflite"],
    to: "bmodel",
    tool: "TPU-MLIR",
    openness: "open",
    commands: [
      "model_transform.py --model_name {stem} --model_def {model} --mlir {stem}.mlir",
      "run_calibration.py {stem}.mlir --dataset IMAGES --input_num 100 -o {stem}_cali_table",
      "model_deploy.py --mlir {stem}.mlir --quantize INT8 --calibration_table {stem}_cali_table --processor {chip} --model {stem}.bmodel",
    ],
    needs: ["static shapes", "calibration data"],
    chips: { bm1684: "bm1684", bm1684x: "bm1684x" },
    placeholder: "PROCESSOR",
    source: cited("https://tpumlir.org/quick_start_en/01_introduction.html"),
  },
  {
    from: ["onnx"],
    to: "axmodel",
    tool: "Pulsar2",
    openness: "closed",
    commands: ["pulsar2 build --input {model} --output_dir output --config config.json --target_hardware {chip}"],
    needs: ["static shapes", "calibration data", "configuration"],
    chips: { ax650: "AX650" },
    placeholder: "HARDWARE",
    source: cited("https://pulsar2-docs.readthedocs.io/en/latest/pulsar2/introduction.html"),
  },
  {
    from: ["onnx"],
    to: "om",
    tool: "ATC",
    openness: "closed",
    commands: ["atc --model={model} --framework=5 --output={stem} --soc_version={chip}"],
    needs: ["static shapes"],
    placeholder: "SOC",
    source: cited(
      "https://hiascend.com/document/detail/zh/canncommercial/800/devaids/devtools/atc/atlasatcparam_16_0014.html",
    ),
  },
  {
    from: ["onnx", "tflite"],
    to: "dfp",
    tool: "MemryX neural compiler",
    openness: "closed",
    commands: ["mx_nc -v -m {model}"],
    needs: ["static shapes"],
    source: cited("https://developer.memryx.com/tools/neural_compiler.html"),
  },
  {
    from: ["tflite"],
    to: "mtk-dla",
    tool: "ncc-tflite",
    openness: "closed",
    commands: ["ncc-tflite --arch={chip} -d {stem}.dla {model}"],
    needs: ["static shapes"],
    placeholder: "ARCH",
    source: cited("https://mediatek.gitlab.io/genio/doc/"),
  },
  ...makersConversions,
];

/** Between the formats that compilers read, so that a model in the other one gets there in two steps. */
export const bridges: readonly Conversion[] = [
  {
    from: ["onnx"],
    to: "tflite",
    tool: "onnx2tf",
    openness: "open",
    commands: ["pip install onnx2tf", "onnx2tf -i {model} -o {stem}_tflite -oiqt"],
    needs: ["static shapes", "calibration data"],
    source: cited("https://github.com/PINTO0309/onnx2tf"),
  },
  {
    from: ["tflite"],
    to: "onnx",
    tool: "tf2onnx",
    openness: "open",
    commands: ["pip install tf2onnx", "python3 -m tf2onnx.convert --tflite {model} --output {stem}.onnx"],
    needs: [],
    source: cited("https://github.com/onnx/tensorflow-onnx"),
  },
  {
    from: ["safetensors"],
    to: "gguf",
    tool: "llama.cpp (convert_hf_to_gguf.py)",
    openness: "open",
    commands: ["python3 convert_hf_to_gguf.py --outfile {stem}.gguf {dir}"],
    needs: ["whole folder"],
    source: cited("https://github.com/ggml-org/llama.cpp/blob/master/convert_hf_to_gguf.py"),
  },
];
