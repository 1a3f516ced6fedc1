// NVIDIA's Python client of the Open Inference Protocol over HTTP and gRPC (BSD-3-Clause), which no one here wrote; with numpy and grpcio.
export default { python: ["tritonclient[grpc,http]==2.73.0"], mb: 45, on: ["linux-x64", "linux-arm64"] };
