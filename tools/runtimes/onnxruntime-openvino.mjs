// A build of ONNX Runtime with its OpenVINO execution provider and OpenVINO's CPU, GPU and NPU plugins (MIT, Apache-2.0).
export default { pypi: "onnxruntime-openvino==1.24.1", mb: 84, on: ["linux-x64"] };
