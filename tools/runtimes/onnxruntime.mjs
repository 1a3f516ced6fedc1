// libonnxruntime.so of a newer release than the one that is embedded (MIT).
export default { pypi: "onnxruntime==1.32.0", mb: 28, on: ["linux-x64", "linux-arm64"] };
