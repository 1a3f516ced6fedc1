// The oldest ONNX Runtime that is taken (MIT).
export default { pypi: "onnxruntime==1.19.2", mb: 13, on: ["linux-x64", "linux-arm64"] };
