"""Small GGUF files as gguf-py writes them, and what it says of them when it reads them, for test/formats/gguf.test.ts.

    python3 tools/gguf-oracle.py > test/formats/gguf-oracle.json

gguf 0.19.0 was used. "types" has a tensor of each type that has a size; quantised ones that gguf-py can quantise hold numbers, others zeros.
"""
import base64
import json
import os
import sys
import tempfile

import numpy as np
from gguf import GGMLQuantizationType, GGUFEndian, GGUFReader, GGUFWriter, quants
from gguf.constants import GGML_QUANT_SIZES

found = {}


def keep(name, fill, **options):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, name)
        w = GGUFWriter(path, "test", **options)
        fill(w)
        w.write_header_to_file()
        w.write_kv_data_to_file()
        w.write_tensors_to_file()
        w.close()
        with open(path, "rb") as f:
            raw = f.read()
        r = GGUFReader(path)
        found[name] = {
            "file": base64.b64encode(raw).decode(),
            "tensors": [f"{t.name} {t.tensor_type.name} [{','.join(map(str, t.shape))}] {t.data_offset} {t.n_bytes}" for t in r.tensors],
        }


def values(w):
    w.add_name("All sorts")
    w.add_file_type(7)
    for kind, value in [("uint8", 200), ("int8", -3), ("uint16", 65535), ("int16", -300), ("uint32", 2**32 - 1), ("int32", -(2**31)),
                        ("uint64", 2**63), ("int64", -(2**40)), ("float32", 0.5), ("float64", 0.1), ("bool", True), ("string", "näm")]:
        getattr(w, "add_" + kind)("test." + kind, value)
    w.add_array("test.ints", [1, -2, 3])
    w.add_array("test.floats", [0.5, 1.5])
    w.add_array("test.bools", [True, False])
    w.add_array("test.strings", ["a", "b"])
    w.add_array("test.nested", [[1, 2], [3]])


def types(w):
    for kind, (block, size) in GGML_QUANT_SIZES.items():
        data = np.linspace(-1, 1, 2 * block, dtype=np.float32).reshape(2, block)
        try:
            packed = quants.quantize(data, kind)
        except NotImplementedError:
            packed = np.zeros((2, size), np.uint8)
        if kind in (GGMLQuantizationType.F32, GGMLQuantizationType.F16):
            w.add_tensor(kind.name, packed)
        else:
            w.add_tensor(kind.name, packed.view(np.uint8).reshape(2, size), raw_dtype=kind)
    w.add_tensor("deep", np.zeros((2, 3, 4, 5), np.float32))


def both(w):
    values(w)
    types(w)


keep("types.gguf", both)
keep("aligned.gguf", lambda w: (w.add_custom_alignment(256), w.add_tensor("a", np.zeros(3, np.float32)), w.add_tensor("b", np.zeros((1, 5), np.float16))))
keep("big.gguf", lambda w: (values(w), w.add_tensor("a", np.arange(6, dtype=np.float32).reshape(2, 3))), endianess=GGUFEndian.BIG)
keep("vocabulary.gguf", lambda w: w.add_array("tokenizer.ggml.tokens", ["x"] * 50))
json.dump(found, sys.stdout, indent=2)
print()
