// The oldest ONNX Runtime that is taken (MIT).
export default { pypi: "onnxruntime==1.19.2", on: ["linux-x64", "linux-arm64"] };
