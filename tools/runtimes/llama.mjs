// libllama.so and libggml's back ends for the CPU (MIT).
export default { npm: `@node-llama-cpp/linux-${process.arch}@3.22.1`, mb: 11, on: ["linux-x64", "linux-arm64"] };
