// libopenvino_c.so with the CPU, GPU and NPU plugins (Apache-2.0).
export default { pypi: "openvino==2026.4.1", mb: 59, on: ["linux-x64", "linux-arm64"] };
