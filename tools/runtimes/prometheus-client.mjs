// The Python client's parsers of Prometheus text and OpenMetrics (Apache-2.0), which hold what /metrics tells against both specifications.
export default { pypi: "prometheus-client==0.26.0", mb: 1, on: ["linux-x64", "linux-arm64"] };
