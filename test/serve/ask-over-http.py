"""Drives a server through NVIDIA's tritonclient over HTTP; arguments: HOST:PORT. Prints "ok" when all came back as it was sent."""

import sys

import numpy as np
import tritonclient.http as http
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

client = http.InferenceServerClient(sys.argv[1], concurrency=4)
assert client.is_server_live()
assert client.is_server_ready()
assert client.is_model_ready("echo")
assert client.is_model_ready("echo", "1")
assert not client.is_model_ready("slow one")
assert client.get_server_metadata()["name"] == "accelctl"
assert client.get_model_metadata("echo")["inputs"] == [{"name": "x", "datatype": "FP32", "shape": [-1, 4]}]
assert client.get_model_config("echo")["max_batch_size"] == 8
assert {"name": "echo", "version": "1", "state": "READY", "reason": ""} in client.get_model_repository_index()
assert client.get_inference_statistics("echo")["model_stats"][0]["inference_count"] == 3
client.load_model("echo")
client.unload_model("echo")


def given(array, binary, name="x"):
    one = http.InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
    one.set_data_from_numpy(array, binary_data=binary)
    return one


arrays = {
    "BOOL": np.array([True, False]),
    "UINT8": np.array([0, 255], np.uint8),
    "UINT16": np.array([0, 65535], np.uint16),
    "UINT32": np.array([0, 2**32 - 1], np.uint32),
    "UINT64": np.array([0, 2**64 - 1], np.uint64),
    "INT8": np.array([-128, 127], np.int8),
    "INT16": np.array([-32768, 32767], np.int16),
    "INT32": np.array([-(2**31), 2**31 - 1], np.int32),
    "INT64": np.array([-(2**63), 2**53 + 1], np.int64),
    "FP16": np.array([0.5, -65504], np.float16),
    "FP32": np.array([0.1, -3e38], np.float32),
    "FP64": np.array([0.1, 1e308], np.float64),
    "BYTES": np.array(["", "ü€😀"], dtype=object),
}
for name, array in arrays.items():
    for binary_in in [True, False]:
        for binary_out in [True, False]:
            if name == "FP16" and not (binary_in and binary_out):
                continue  # the client itself refuses FP16 as JSON
            wanted = [http.InferRequestedOutput("x_out", binary_data=binary_out)]
            answer = client.infer(name, [given(array, binary_in)], outputs=wanted, request_id="7")
            back = answer.as_numpy("x_out")
            if name == "BYTES":
                back = np.array([one.decode() if isinstance(one, bytes) else one for one in back], dtype=object)
            assert (back == array).all() and back.shape == array.shape, (name, binary_in, binary_out, back)
            assert answer.get_response()["id"] == "7"

special = np.array([np.nan, np.inf, -np.inf, -0.0], np.float32)
for binary_out in [True, False]:
    wanted = [http.InferRequestedOutput("x_out", binary_data=binary_out)]
    back = client.infer("FP32", [given(special, True)], outputs=wanted).as_numpy("x_out")
    assert np.array_equal(back, special, equal_nan=True), back

large = np.arange(400_000, dtype=np.float32).reshape(-1, 4)
for algorithm in [None, "gzip", "deflate"]:
    answer = client.infer("echo", [given(large, True)], request_compression_algorithm=algorithm, response_compression_algorithm=algorithm)
    assert (answer.as_numpy("x_out") == large).all()

two = [
    given(np.array([[1, 2], [3, 4]], np.uint32), True, "input0"),
    given(np.array([True, False, True]), False, "input1"),
]
mixed = client.infer("pair", two, outputs=[http.InferRequestedOutput("input1_out"), http.InferRequestedOutput("input0_out", binary_data=False)])
assert mixed.as_numpy("input0_out").tolist() == [[1, 2], [3, 4]]
assert mixed.as_numpy("input1_out").tolist() == [True, False, True]

wanted = [http.InferRequestedOutput("x_out", class_count=2)]
classes = client.infer("echo", [given(np.array([[1, 5, 10, 4]], np.float32), True)], outputs=wanted)
assert [one.decode() for one in classes.as_numpy("x_out")[0]] == ["10:2", "5:1"], classes.as_numpy("x_out")

pending = [client.async_infer("echo", [given(large[at : at + 1], True)], priority=1, timeout=5_000_000) for at in range(64)]
for at, one in enumerate(pending):
    assert (one.get_result().as_numpy("x_out") == large[at : at + 1]).all()

for ask, says in [
    (lambda: client.infer("none", two), 'there is no model "none"'),
    (lambda: client.infer("pair", two, sequence_id=4), "sequences are not served"),
    (lambda: client.load_model("none"), 'there is no model "none"'),
]:
    try:
        ask()
    except InferenceServerException as error:
        assert says in str(error), error
    else:
        raise AssertionError(says)
print("ok")
