"""Digests of what the schema's own generated reader says of TFLite files, for test/formats/tflite.test.ts.

    python3 tools/tflite-oracle.py SCHEMA_PY_GENERATED MODELS_DIR test/formats/tflite-samples.json > test/formats/tflite-oracle.json

SCHEMA_PY_GENERATED is schema_py_generated.py of the PyPI package ai-edge-litert (2.3.0 was used); it needs flatbuffers and numpy.
The digest of each aspect is told apart, so that a test that fails names it. The last argument holds the small files of
tools/tflite-samples.py.
"""
import base64
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
    "type": names(S.LSHProjectionType),
    "combiner": names(S.CombinerType),
    "precision_config": names(S.StablehloPrecisionConfig),
    "comparison_direction": names(S.StablehloComparisonDirection),
    "compare_type": names(S.StablehloComparisonType),
    "algorithm": names(S.RngAlgorithm),
    "reduce_function": names(S.ReduceWindowFunction),
    "composite_attributes_format": names(S.CustomOptionsFormat),
    **{k: TYPES for k in "in_data_type out_data_type output_type out_type idx_out_type key_dtype value_dtype quantized_bias_type".split()},
}
# Bytes of a format of their own: their number is told.
BLOBS = ("custom_attributes", "composite_attributes")
# Fields the schema keeps and nobody uses, and one the package has and the published schema has not yet.
UNUSED = ("new_height", "new_width", "quant_spec")
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


def number(x):
    """Integers as such, what is none by its float32 bits: text would round."""
    if isinstance(x, float) and not x.is_integer():
        return "%08x" % struct.unpack("<I", struct.pack("<f", x))
    return str(int(x))


def options(o):
    if o is None:
        return ""
    out = []
    for key, value in vars(o).items():
        name = re.sub("([A-Z])", r"_\1", key).lower()
        many = hasattr(value, "__len__") and not isinstance(value, (str, bytes))
        if name in UNUSED or (name == "quantized_bias_type" and value == 0):
            continue
        if name in BLOBS:
            value = None if value is None else f"{len(value)} bytes"
        elif many:
            value = "[" + ",".join(ENUMS[name][int(v)] if name == "precision_config" else number(v.item() if hasattr(v, "item") else v) for v in value) + "]"
        elif name in ENUMS and value is not None:
            value = ENUMS[name].get(value, str(value))
        elif isinstance(value, bool):
            value = str(value).lower()
        elif isinstance(value, (int, float)):
            value = number(value)
        if value is None or value == "NONE":
            continue
        out.append(f"{SHARED.get(name, name)}={text(value) if isinstance(value, bytes) else value}")
    return " ".join(sorted(out))


def signature(d, g):
    """As a call: names, and of which tensor where that is called otherwise."""
    row = lambda t: text(t.name) if text(g.tensors[t.tensorIndex].name) == text(t.name) else f"{text(t.name)} = {text(g.tensors[t.tensorIndex].name)}"
    says = " -> ".join("(" + ", ".join(row(t) for t in side or []) + ")" for side in (d.inputs, d.outputs))
    return f"{text(d.signatureKey)}: {says if len(says) <= 4096 else says[:4095] + '…'}"


def digest(rows):
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()[:16]


def constant(m, t, data):
    """Bytes of a constant and a digest of them, wherever they lie; of another file its name and the place there."""
    if t.externalBuffer:
        e = next(e for e in m.externalBuffers if e.id == t.externalBuffer)
        return f"{text(m.externalBufferGroups[e.group].name)} {e.offset} {e.length}"
    b = m.buffers[t.buffer] if m.buffers and t.buffer < len(m.buffers) else None
    raw = bytes(b.data) if b is not None and b.data is not None else data[b.offset : b.offset + b.size] if b is not None and b.offset > 1 else b""
    return f"{len(raw)} {hashlib.sha256(raw).hexdigest()[:8]}" if raw else "0"


def describe(data):
    m = S.ModelT.InitFromObj(S.Model.GetRootAs(bytearray(data), 0))
    aspects = {k: [] for k in "names types shapes scales zeros axes sparse bytes operators wiring options ends signatures".split()}
    for g in m.subgraphs:
        for t in g.tensors or []:
            q = t.quantization
            scale = q.scale if q and q.scale is not None else []
            sig = t.shapeSignature if t.shapeSignature is not None else []
            shape = [d if len(sig) == 0 or sig[i] >= 0 else -1 for i, d in enumerate(t.shape if t.shape is not None else [])]
            aspects["names"].append(text(t.name))
            aspects["types"].append(TYPES[t.type])
            aspects["shapes"].append(ints(shape))
            aspects["scales"].append(bits(scale))
            aspects["zeros"].append(ints(q.zeroPoint if len(scale) else []))
            aspects["axes"].append(str(q.quantizedDimension if len(scale) > 1 else ""))
            aspects["sparse"].append("sparse" if t.sparsity is not None else "")
            aspects["bytes"].append(constant(m, t, data))
        for o in g.operators or []:
            c = m.operatorCodes[o.opcodeIndex]
            name = OPS[max(c.builtinCode, c.deprecatedBuiltinCode)]
            aspects["operators"].append(f"{text(c.customCode) if name == 'CUSTOM' else name} {c.version}")
            aspects["wiring"].append(ints(o.inputs) + ints(o.outputs))
            aspects["options"].append("" if name == "CUSTOM" else options(o.builtinOptions or o.builtinOptions2))
        aspects["ends"].append(text(g.name) + ints(g.inputs) + ints(g.outputs))
    for d in m.signatureDefs or []:
        aspects["signatures"].append(signature(d, m.subgraphs[d.subgraphIndex]))
    aspects["signatures"].sort()
    return {k: digest(v) for k, v in aspects.items()}


found = {}
for path in sorted(glob.glob(top + "/**/*.tflite", recursive=True)):
    with open(path, "rb") as f:
        data = f.read()
    if data[4:8] == b"TFL3":
        found[os.path.relpath(path, top)] = describe(data)
with open(sys.argv[3]) as f:
    for name, raw in json.load(f).items():
        if not name.startswith("broken-"):
            found["samples/" + name] = describe(base64.b64decode(raw))
json.dump(found, sys.stdout, indent=2)
print()
