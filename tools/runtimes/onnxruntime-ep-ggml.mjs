// An execution provider over ggml, to be registered: it takes whole models or nothing (MIT).
export default { pypi: "onnxruntime-ggml==0.2.0", mb: 23, on: ["linux-x64"] };
