// libpjrt_cpu.so: XLA's CPU plug-in of the PJRT C API (Apache-2.0), a build of zml/pjrt-artifacts as this package ships it.
export default { pypi: "fastatomstruct-xla-cpu==2026.6.23", mb: 63, on: ["linux-x64"] };
