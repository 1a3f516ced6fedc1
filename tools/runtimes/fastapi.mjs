// What `npm run bench serve` holds the server against: FastAPI (MIT) on uvicorn (BSD-3-Clause) with ONNX Runtime (MIT).
export default {
  python: ["fastapi==0.121.0", "uvicorn[standard]==0.38.0", "onnxruntime==1.23.2", "numpy"],
  mb: 120,
  on: ["linux-x64", "linux-arm64"],
};
