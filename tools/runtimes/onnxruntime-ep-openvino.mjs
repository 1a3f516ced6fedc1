// OpenVINO's execution provider as a library to be registered with any ONNX Runtime ("plugin EP"; Apache-2.0).
export default { pypi: "onnxruntime-ep-openvino==1.8.1", mb: 53, on: ["linux-x64"] };
