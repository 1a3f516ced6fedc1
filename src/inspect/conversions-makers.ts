/**
 * Conversions that one maker's tool does for its own devices, in the form of conversions.ts, and in words why there is none for the
 * formats no tool makes of a file. Each command is spelled as the page beside it spells it; words in capitals are the user's to fill in.
 */

import type { Source } from "../base/source.ts";
import type { Conversion } from "./conversions.ts";

const seen = "2026-11-25";
const cited = (link: string): Source => ({ cited: link, seen });

const rkllmChips = Object.fromEntries(["rk3588", "rk3576", "rk3562", "rv1126b"].map((chip) => [chip, chip]));
const rkllmBuild =
  'r.build(do_quantization=True, optimization_level=1, quantized_dtype="w8a8", quantized_algorithm="normal", ' +
  'target_platform="{chip}", num_npu_core=CORES, dataset="data_quant.json"); r.export_rkllm({out})';

const myriadOptimizer = "pip install 'openvino-dev[onnx]==2022.3.*'";

export const makersConversions: readonly Conversion[] = [
  {
    from: ["gguf"],
    to: "rkllm",
    tool: "rkllm-toolkit",
    openness: "closed",
    commands: [`python3 -c 'from rkllm.api import RKLLM; r = RKLLM(); r.load_gguf(model={python}); ${rkllmBuild}'`],
    needs: ["calibration data", "x86-64"],
    chips: rkllmChips,
    placeholder: "CHIP",
    source: cited("https://github.com/airockchip/rknn-llm/blob/main/examples/rkllm_api_demo/export/export_rkllm.py"),
  },
  {
    from: ["safetensors"],
    to: "rkllm",
    tool: "rkllm-toolkit",
    openness: "closed",
    commands: [
      `python3 -c 'from rkllm.api import RKLLM; r = RKLLM(); r.load_huggingface(model={pythondir}, device="cpu"); ${rkllmBuild}'`,
    ],
    needs: ["whole folder", "calibration data", "x86-64"],
    chips: rkllmChips,
    placeholder: "CHIP",
    source: cited("https://github.com/airockchip/rknn-llm/blob/main/examples/rkllm_api_demo/export/export_rkllm.py"),
  },
  {
    from: ["safetensors"],
    to: "neff",
    tool: "optimum-neuron with neuronx-cc",
    openness: "mixed",
    commands: ["optimum-cli export neuron --model {dir} --sequence_length 128 --batch_size 1 {stem}_neuron/"],
    needs: ["whole folder", "x86-64"],
    source: cited("https://huggingface.co/docs/optimum-neuron/guides/export_model"),
  },
  {
    from: ["safetensors"],
    to: "rbln",
    tool: "optimum-rbln with RBLN compiler",
    openness: "mixed",
    commands: [
      `python3 -c 'from optimum.rbln import RBLNAutoModelForCausalLM; m = RBLNAutoModelForCausalLM.from_pretrained({pythondir}, export=True, rbln_create_runtimes=False, rbln_npu="NPU"); m.save_pretrained("{stem}_rbln")'`,
    ],
    needs: ["whole folder", "free account"],
    source: cited("https://docs.rbln.ai/software/optimum/model_api.html"),
  },
  {
    from: ["safetensors"],
    to: "bmodel",
    tool: "TPU-MLIR",
    openness: "open",
    commands: ["llm_convert.py -m {dir} -s 2048 -q w4bf16 -g 128 -c {chip} -o {stem}_bmodel"],
    needs: ["whole folder"],
    chips: { bm1684x: "bm1684x" },
    placeholder: "PROCESSOR",
    source: cited("https://tpumlir.org/quick_start_en/01_introduction.html"),
  },
  {
    from: ["onnx"],
    to: "tidl",
    tool: "edgeai-tidlrunner",
    openness: "mixed",
    commands: ["tidlrunner-cli compile --model_path={model} --target_device {chip}"],
    needs: ["static shapes", "calibration data", "x86-64"],
    // am62a and j721s2 of the catalogue are several devices, and each has artifacts of its own.
    chips: { j721e: "TDA4VM" },
    placeholder: "DEVICE",
    source: cited("https://github.com/TexasInstruments/edgeai-tidlrunner/blob/main/tidlrunner/docs/user_guide.md"),
  },
  {
    from: ["onnx"],
    to: "drpai",
    tool: "DRP-AI TVM with the DRP-AI translator",
    openness: "mixed",
    commands: ["python3 compile_onnx_model.py {model} -o {stem}_drpai -s {shape} -i {input}"],
    needs: ["static shapes", "x86-64", "free account"],
    source: cited("https://github.com/renesas-rz/rzv_drp-ai_tvm/blob/main/tutorials/README.md"),
  },
  {
    from: ["tflite"],
    to: "drpai",
    tool: "DRP-AI TVM with the DRP-AI translator",
    openness: "mixed",
    commands: ["python3 compile_tflite_model.py {model} -o {stem}_drpai -s {shape}"],
    needs: ["static shapes", "x86-64", "free account"],
    source: cited("https://github.com/renesas-rz/rzv_drp-ai_tvm/blob/main/tutorials/README.md"),
  },
  {
    from: ["onnx", "tflite"],
    to: "nbg",
    tool: "ACUITY (pegasus)",
    openness: "closed",
    commands: [
      "pegasus import {loader} --model {model} --output-model {stem}.json --output-data {stem}.data",
      "pegasus generate inputmeta --model {stem}.json --input-meta-output {stem}_inputmeta.yml",
      "pegasus quantize --model {stem}.json --model-data {stem}.data --device CPU --with-input-meta {stem}_inputmeta.yml --rebuild --model-quantize {stem}.quantize --quantizer asymmetric_affine --qtype uint8",
      "pegasus export ovxlib --model {stem}.json --model-data {stem}.data --dtype quantized --model-quantize {stem}.quantize --with-input-meta {stem}_inputmeta.yml --target-ide-project linux64 --pack-nbg-unify --optimize {chip} --viv-sdk VIV_SDK --output-path {stem}_nbg",
    ],
    needs: ["static shapes", "calibration data", "configuration", "x86-64", "free account"],
    placeholder: "CONFIG",
    loaders: { onnx: "onnx", tflite: "tflite" },
    families: ["verisilicon"],
    source: cited("https://github.com/radxa-docs/docs common/ai: ACUITY usage, quantisation"),
  },
  {
    from: ["onnx"],
    to: "dxnn",
    tool: "DX-COM",
    openness: "closed",
    commands: ["pip install dx-com", "dxcom -m {model} -c {stem}.json -o {stem}_dxnn"],
    needs: ["static shapes", "configuration", "calibration data", "x86-64", "maker's licence"],
    source: cited("https://github.com/DEEPX-AI/dx-all-suite/blob/main/docs/source/02_Setting_Up_Environment.md"),
  },
  {
    from: ["onnx"],
    to: "nef",
    tool: "Kneron toolchain (ktc, in its container)",
    openness: "closed",
    commands: [
      `python3 -c 'import ktc, numpy, onnx; m = ktc.onnx_optimizer.onnx2onnx_flow(onnx.load({python})); k = ktc.ModelConfig(32769, "0001", "{chip}", onnx_model=m); k.analysis({{pythoninput}: list(numpy.load("calib.npy"))}); print(ktc.compile([k]))'`,
    ],
    needs: ["static shapes", "calibration data", "x86-64"],
    chips: { kl520: "520", kl720: "720" },
    placeholder: "PLATFORM",
    source: cited("https://doc.kneron.com/docs/toolchain/manual_5_nef/"),
  },
  {
    from: ["onnx"],
    to: "qpc",
    tool: "qaic-compile",
    openness: "closed",
    commands: [
      "/opt/qti-aic/exec/qaic-compile -aic-hw -m={model} -convert-to-fp16 -aic-num-cores=CORES -compile-only -aic-binary-dir={stem}_qpc",
    ],
    needs: ["static shapes", "x86-64", "free account"],
    source: cited("https://docs.qualcomm.com/doc/80-99100-3/topic/index_model-compilation.html"),
  },
  {
    from: ["coreml"],
    to: "hwx",
    tool: "tohwx over Apple's compiler",
    openness: "mixed",
    commands: ["tohwx {model}"],
    needs: ["macOS"],
    source: cited("https://github.com/eiln/anecc"),
  },
  {
    from: ["coreml"],
    to: "anec",
    tool: "anecc over Apple's compiler",
    openness: "mixed",
    commands: ["tohwx {model}", "anecc {dir}/{stem}.hwx -o {stem}.anec"],
    needs: ["macOS"],
    source: cited("https://github.com/eiln/anecc"),
  },
  {
    from: ["onnx"],
    to: "tensorrt",
    tool: "trtexec of TensorRT",
    openness: "closed",
    commands: ["trtexec --onnx={model} --saveEngine={stem}.engine --useDLACore=0 --fp16 --allowGPUFallback"],
    needs: ["TensorRT 10.7 or before"],
    families: ["nvdla"],
    source: cited("https://docs.nvidia.com/deeplearning/tensorrt/11.3.0/inference-library/dla-build-and-run.html"),
  },
  {
    from: ["onnx"],
    to: "nvdla-loadable",
    tool: "trtexec of TensorRT",
    openness: "closed",
    commands: [
      "trtexec --onnx={model} --saveEngine={stem}.bin --useDLACore=0 --fp16 --inputIOFormats=fp16:chw16 --outputIOFormats=fp16:chw16 --buildDLAStandalone",
    ],
    needs: ["static shapes", "TensorRT 10.7 or before"],
    families: ["nvdla"],
    source: cited("https://docs.nvidia.com/deeplearning/tensorrt/11.3.0/inference-library/dla-standalone-mode.html"),
  },
  {
    from: ["onnx", "tflite", "openvino-ir"],
    to: "openvino-npu-blob",
    tool: "OpenVINO",
    openness: "open",
    commands: [
      "pip install openvino",
      `python3 -c 'import openvino as ov; open("{stem}.blob", "wb").write(ov.Core().compile_model({python}, "NPU").export_model())'`,
    ],
    needs: ["static shapes", "the device itself"],
    source: cited("https://docs.openvino.ai/2024/api/ie_python_api/_autosummary/openvino.CompiledModel.html"),
  },
  // The last OpenVINO with a MYRIAD plugin: what newer ones write it may not read.
  {
    from: ["onnx"],
    to: "openvino-ir",
    tool: "Model Optimizer of OpenVINO 2022.3",
    openness: "open",
    commands: [myriadOptimizer, "mo --input_model {model} --model_name {stem} --output_dir ."],
    needs: ["static shapes"],
    families: ["movidius"],
    source: cited("https://docs.openvino.ai/2022.3/openvino_docs_MO_DG_Deep_Learning_Model_Optimizer_DevGuide.html"),
  },
  {
    from: ["onnx"],
    to: "myriad-blob",
    tool: "Model Optimizer and compile_tool of OpenVINO 2022.3",
    openness: "open",
    commands: [
      myriadOptimizer,
      "mo --input_model {model} --model_name {stem} --output_dir .",
      "compile_tool -m {stem}.xml -d MYRIAD -o {stem}.blob",
    ],
    needs: ["static shapes", "x86-64"],
    source: cited("https://docs.openvino.ai/2022.1/openvino_inference_engine_tools_compile_tool_README.html"),
  },
  {
    from: ["openvino-ir"],
    to: "myriad-blob",
    tool: "compile_tool of OpenVINO 2022.3",
    openness: "open",
    commands: ["compile_tool -m {model} -d MYRIAD -o {stem}.blob"],
    needs: ["static shapes", "x86-64"],
    source: cited("https://docs.openvino.ai/2022.1/openvino_inference_engine_tools_compile_tool_README.html"),
  },
  {
    from: ["stablehlo"],
    to: "ttnn",
    tool: "tt-mlir",
    openness: "open",
    commands: [
      "ttmlir-opt --stablehlo-to-ttir-pipeline {model} -o {stem}_ttir.mlir",
      "ttmlir-opt --ttir-to-ttnn-backend-pipeline {stem}_ttir.mlir -o {stem}_ttnn.mlir",
      "ttmlir-translate --ttnn-to-flatbuffer {stem}_ttnn.mlir -o {stem}.ttnn",
    ],
    needs: ["static shapes"],
    source: cited("https://docs.tenstorrent.com/tt-mlir/ttmlir-translate.html"),
  },
];

/** Formats that no tool makes of an ONNX, a TFLite or a language model's file, and what is done instead. */
export const unconverted: Readonly<Record<string, { readonly says: string; readonly source: Source }>> = {
  neff: {
    says: "neuronx-cc reads XLA HLO, which PyTorch and JAX write while they trace a model: start from the model's program",
    source: cited(
      "https://awsdocs-neuron.readthedocs-hosted.com/en/latest/compiler/neuronx-cc/how-to-generate-neff.html",
    ),
  },
  stablehlo: {
    says: "JAX and PyTorch/XLA export one from a program (jax.export, torch_xla.stablehlo): no command makes one of a file",
    source: cited("https://openxla.org/stablehlo/tutorials/jax-export"),
  },
  rbln: {
    says: "its compiler starts from PyTorch or TensorFlow programs; no command for a file is documented",
    source: cited("https://docs.rbln.ai/v0.7.3/software/api/python/python_api.html"),
  },
  pte: {
    says: "ExecuTorch exports one from a PyTorch program, for each back end anew: no command makes one of a file",
    source: cited("https://github.com/pytorch/executorch/blob/main/docs/source/using-executorch-export.md"),
  },
  rkllm: {
    says: "only language models become one: a Hugging Face folder or a GGUF",
    source: cited("https://github.com/airockchip/rknn-llm"),
  },
  ttnn: {
    says: "TT-Forge compiles an ONNX inside the program that runs it (forge.compile), so no file is needed first",
    source: cited("https://docs.tenstorrent.com/tt-forge-onnx/getting-started.html"),
  },
  "rknn-encrypted": {
    says: "rknn-toolkit2 makes it of a finished .rknn (export_encrypted_rknn_model); make that first",
    source: cited("https://github.com/airockchip/rknn-toolkit2"),
  },
  "hl-recipe": {
    says: "SynapseAI writes recipes while PyTorch runs the model (PT_HPU_RECIPE_CACHE_CONFIG keeps them); no tool makes one of a file",
    source: cited("https://docs.habana.ai/"),
  },
  cambricon: {
    says: "MagicMind comes with the maker's NeuWare; no public page of its commands was found",
    source: cited("https://github.com/lutzroeder/netron/blob/main/source/view.js"),
  },
  xmodel: {
    says: "the compiler takes a network that Vitis AI's quantiser wrote from PyTorch or TensorFlow (vai_c_xir, vai_c_tensorflow2), not an ONNX or a TFLite",
    source: cited("https://github.com/Xilinx/Vitis-AI"),
  },
  xclbin: {
    says: "it configures the device and holds no network; the maker's runtimes bring theirs",
    source: cited("https://github.com/Xilinx/XRT"),
  },
  hwx: {
    says: "Apple's compiler writes it, on macOS only, from a Core ML model, which coremltools makes of PyTorch or TensorFlow programs",
    source: cited("https://github.com/eiln/anecc"),
  },
  anec: {
    says: "anecc makes it of an .hwx, which Apple's compiler writes on macOS only",
    source: cited("https://github.com/eiln/anecc"),
  },
  "et-elf": {
    says: "a kernel of its own, written and compiled for the device; networks run as GGUF through llama.cpp's back end",
    source: cited("https://github.com/aifoundry-org/et-platform"),
  },
};
