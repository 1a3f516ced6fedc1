"""Digests of what the schema's own generated reader says of TFLite files, for test/formats/tflite.test.ts.

    python3 tools/tflite-oracle.py SCHEMA_PY_GENERATED MODELS_DIR > test/formats/tflite-oracle.json

SCHEMA_PY_GENERATED is schema_py_generated.py of the PyPI package ai-edge-litert (2.3.0 was used); it needs flatbuffers and numpy.
The digest of each aspect is told apart, so that a test that fails names it.
"""
import glob
import hashlib
import importlib.util
import json
import os
import re
import struct
import sys

spec = importlib.util.spec_from_file_location("schema", sys.argv[1])
S = importlib.util.module_from_spec(spec)
spec.loader.exec_module(S)
top = sys.argv[2]


def names(enum):
    return {v: k for k, v in vars(enum).items() if not k.startswith("_")}


TYPES, OPS = names(S.TensorType), names(S.BuiltinOperator)
ENUMS = {
    "padding": names(S.Padding),
    "fused_activation_function": names(S.ActivationFunctionType),
    "weights_format": names(S.FullyConnectedOptionsWeightsFormat),
    "kernel_type": names(S.LSTMKernelType),
    "mode": names(S.MirrorPadMode),
    **{k: TYPES for k in "in_data_type out_data_type output_type out_type idx_out_type key_dtype value_dtype quantized_bias_type".split()},
}
SHARED = {
    "stride_h": "strides_h", "stride_w": "strides_w", "stride_d": "strides_d",
    "dilation_h_factor": "dilations_h", "dilation_w_factor": "dilations_w", "dilation_d_factor": "dilations_d",
    "filter_height": "kernel_h", "filter_width": "kernel_w", "fused_activation_function": "activation",
}


def text(x):
    return x.decode("utf8", "replace").rstrip("\0") if isinstance(x, bytes) else (x or "")


def ints(x):
    return "[" + ",".join(str(int(v)) for v in (x if x is not None else [])) + "]"


def bits(x):
    return "[" + ",".join("%08x" % struct.unpack("<I", struct.pack("<f", v)) for v in (x if x is not None else [])) + "]"


def options(o):
    if o is None:
        return ""
    out = []
    for key, value in vars(o).items():
        name = re.sub("([A-Z])", r"_\1", key).lower()
        if name == "quantized_bias_type" and value == 0:
            continue
        if name in ENUMS:
            value = ENUMS[name][value]
        if value is None or (isinstance(value, str) and value == "NONE"):
            continue
        if isinstance(value, bool):
            value = str(value).lower()
        elif isinstance(value, float):
            value = bits([value])
        elif hasattr(value, "__len__") and not isinstance(value, (str, bytes)):
            value = ints(value)
        out.append(f"{SHARED.get(name, name)}={text(value) if isinstance(value, bytes) else value}")
    return " ".join(sorted(out))


def digest(rows):
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()[:16]


found = {}
for path in sorted(glob.glob(top + "/**/*.tflite", recursive=True)):
    with open(path, "rb") as f:
        data = f.read()
    if data[4:8] != b"TFL3":
        continue
    m = S.ModelT.InitFromObj(S.Model.GetRootAs(bytearray(data), 0))
    aspects = {k: [] for k in "names types shapes scales zeros axes bytes operators wiring options ends".split()}
    for g in m.subgraphs:
        for t in g.tensors or []:
            q = t.quantization
            scale = q.scale if q and q.scale is not None else []
            sig = t.shapeSignature if t.shapeSignature is not None else []
            shape = [d if len(sig) == 0 or sig[i] >= 0 else -1 for i, d in enumerate(t.shape if t.shape is not None else [])]
            buffer = m.buffers[t.buffer].data if m.buffers and t.buffer < len(m.buffers) else None
            aspects["names"].append(text(t.name))
            aspects["types"].append(TYPES[t.type])
            aspects["shapes"].append(ints(shape))
            aspects["scales"].append(bits(scale))
            aspects["zeros"].append(ints(q.zeroPoint if len(scale) else []))
            aspects["axes"].append(str(q.quantizedDimension if len(scale) > 1 else ""))
            aspects["bytes"].append(str(len(buffer) if buffer is not None else 0))
        for o in g.operators or []:
            c = m.operatorCodes[o.opcodeIndex]
            name = OPS[max(c.builtinCode, c.deprecatedBuiltinCode)]
            aspects["operators"].append(f"{text(c.customCode) if name == 'CUSTOM' else name} {c.version}")
            aspects["wiring"].append(ints(o.inputs) + ints(o.outputs))
            aspects["options"].append("" if name == "CUSTOM" else options(o.builtinOptions))
        aspects["ends"].append(text(g.name) + ints(g.inputs) + ints(g.outputs))
    found[os.path.relpath(path, top)] = {k: digest(v) for k, v in aspects.items()}
json.dump(found, sys.stdout, indent=1)
print()
