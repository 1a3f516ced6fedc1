# Drives a server by NVIDIA's tritonclient over gRPC and prints what came of it; test/serve/grpc.test.ts holds that against what it should be.
import json
import queue
import sys

import numpy as np
import tritonclient.grpc as client
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

server = client.InferenceServerClient(sys.argv[1])
said = {"live": server.is_server_live(), "ready": [server.is_model_ready("identity"), server.is_model_ready("nobody")]}
config = server.get_model_config("text").config
said["metadata"] = [
    server.get_server_metadata().name,
    server.get_model_metadata("text").inputs[0].datatype,
    config.model_transaction_policy.decoupled,
]
server.get_inference_statistics()


def given(name, array):
    tensor = client.InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
    tensor.set_data_from_numpy(array)
    return tensor


said["datatypes"] = []
texts = np.array([["a", "ü"], ["", "xyz"]], dtype=object)
kinds = [np.float32, np.float64, np.float16, np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64, np.bool_]
for array in [np.arange(4).reshape(2, 2).astype(kind) for kind in kinds] + [texts]:
    came = server.infer("identity", [given("x", array)], outputs=[client.InferRequestedOutput("x")], request_id="r").as_numpy("x")
    same = [[one.decode() for one in row] for row in came.tolist()] if array is texts else came.tolist()
    assert same == array.tolist() and came.dtype == array.dtype
    said["datatypes"].append(np_to_triton_dtype(array.dtype))

answers = queue.Queue()
server.start_stream(lambda result, error: answers.put((result, error)))
prompt = given("prompt", np.array(["hi"], dtype=object))
server.async_stream_infer("text", [prompt], parameters={"max_tokens": 7})
said["pieces"] = []
while True:
    result, error = answers.get(timeout=20)
    assert error is None, error
    if result.get_response().parameters["triton_final_response"].bool_param:
        said["final"] = result.as_numpy("finish_reason")[0].decode()
        break
    said["pieces"].append(result.as_numpy("text")[0].decode())
server.stop_stream()

said["errors"] = []


def refused(act):
    try:
        act()
    except InferenceServerException as error:
        said["errors"].append(error.status())


x = given("x", np.zeros(1, dtype=np.float32))
refused(lambda: server.infer("nobody", [x]))
refused(lambda: server.infer("slow", [x], client_timeout=0.2))
server.unload_model("identity")
refused(lambda: server.infer("identity", [x]))
refused(lambda: server.infer("full", [x]))
server.load_model("identity")
said["loaded"] = server.is_model_ready("identity")
print(json.dumps(said))
