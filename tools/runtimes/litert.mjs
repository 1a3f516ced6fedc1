// libLiteRt.so of Google's package (Apache-2.0). Its wheels are each for one Python: pip takes that of the Python it is.
export default { pypi: "ai-edge-litert==2.3.0", mb: 22, on: ["linux-x64", "linux-arm64"] };
