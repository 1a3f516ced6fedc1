"""Reads Prometheus text or OpenMetrics (first argument) on standard input by the Python client's parser; prints what it holds as JSON."""

import json
import sys

if sys.argv[1] == "openmetrics":
    from prometheus_client.openmetrics.parser import text_string_to_metric_families
else:
    from prometheus_client.parser import text_string_to_metric_families

text = sys.stdin.buffer.read().decode("utf-8")
print(
    json.dumps(
        [
            {"name": family.name, "type": family.type, "samples": [[s.name, s.labels, s.value] for s in family.samples]}
            for family in text_string_to_metric_families(text)
        ]
    )
)
