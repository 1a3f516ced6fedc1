"""Small ONNX files as the onnx package writes them, for test/formats/samples/onnx.ts: what published files have too little of.

    python3 tools/onnx-samples.py > test/formats/onnx-samples.json

onnx 1.23.2 was used. Names that begin with "broken-" are of files the package's own checker refuses.
"""
import base64
import json
import sys

import numpy as np
from onnx import (
    AttributeProto, GraphProto, ModelProto, SparseTensorProto, StringStringEntryProto, TensorAnnotation, TensorProto, TrainingInfoProto,
    helper as h, numpy_helper,
)

F, I64, B, U8, I8 = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL, TensorProto.UINT8, TensorProto.INT8
value = h.make_tensor_value_info
found = {}


def keep(name, nodes, inputs, outputs, initializers=(), opsets=None, ir=11, functions=(), graph=None, model=None, **more):
    g = h.make_graph(nodes, name, inputs, outputs, list(initializers), **more)
    if graph:
        graph(g)
    ids = [h.make_opsetid(d, v) for d, v in (opsets or {"": 24}).items()]
    m = h.make_model(g, opset_imports=ids, ir_version=ir, producer_name="onnx-samples", functions=list(functions))
    if model:
        model(m)
    written = m.SerializeToString(deterministic=True)
    while any(len(written) * part // 64 in boundaries(written) for part in range(64)):
        m.graph.doc_string += "."
        written = m.SerializeToString(deterministic=True)
    found[name + ".onnx"] = base64.b64encode(written).decode()


def boundaries(written):
    """Ends of the outermost fields: cut there, a protobuf is whole to any reader, so no 64th that tests cut at may be one."""
    ends, at = set(), 0
    while at < len(written):
        wire, at = written[at] & 7, at + (2 if written[at] & 0x80 else 1)
        length, shift = 0, 0
        while True:
            byte, at = written[at], at + 1
            length, shift = length | (byte & 0x7F) << shift, shift + 7
            if byte < 0x80:
                break
        at += length if wire == 2 else 0
        ends.add(at)
    return ends


def raw(name, array):
    return numpy_helper.from_array(np.asarray(array), name)


def packed(name, type, dims, data):
    return TensorProto(name=name, data_type=type, dims=dims, raw_data=bytes(data))


f32 = lambda *shape: np.arange(int(np.prod(shape)), dtype=np.float32).reshape(shape) / 8

# Quantised the way exporters do: QDQ around a convolution, per tensor, per channel, in blocks, of 4 bits, of 8-bit floats.
keep(
    "qdq",
    [
        h.make_node("QuantizeLinear", ["x", "xs", "xz"], ["xq"]),
        h.make_node("DequantizeLinear", ["xq", "xs", "xz"], ["xf"]),
        h.make_node("DequantizeLinear", ["w", "ws", "wz"], ["wf"], axis=0),
        h.make_node("Conv", ["xf", "wf"], ["c"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        h.make_node("DequantizeLinear", ["w4", "w4s"], ["w4f"], axis=0, block_size=2),
        h.make_node("DequantizeLinear", ["w8", "w8s"], ["w8f"]),
        h.make_node("DequantizeLinear", ["k", "ks", "kz"], ["kf"], axis=0),
        h.make_node("DequantizeLinear", ["u", "us", "uz"], ["uf"], axis=1),
        h.make_node("Flatten", ["c"], ["f"]),
        h.make_node("MatMul", ["f", "w4f"], ["m"]),
        h.make_node("MatMul", ["m", "w8f"], ["y"]),
    ],
    [value("x", F, ["batch", 2, 2, 2])],
    [value("y", F, ["batch", 2]), value("kf", TensorProto.FLOAT16, [3, 2]), value("uf", F, [2, 5])],
    [
        raw("xs", np.float32(0.02)), raw("xz", np.uint8(128)),
        raw("w", np.arange(72, dtype=np.int8).reshape(4, 2, 3, 3)), raw("ws", np.float32([0.1, 0.2, 0.3, 0.4])), raw("wz", np.zeros(4, np.int8)),
        packed("w4", TensorProto.INT4, [16, 3], range(24)), raw("w4s", f32(8, 3) + 1),
        packed("w8", TensorProto.FLOAT8E4M3FN, [3, 2], range(6)), raw("w8s", np.float32(0.5)),
        packed("k", TensorProto.INT4, [3, 2], range(3)), raw("ks", np.float16([1, 2, 0.5])), h.make_tensor("kz", TensorProto.INT4, [3], [-8, 7, -1]),
        packed("u", TensorProto.UINT2, [2, 5], range(3)), raw("us", np.ones(5, np.float32)),
        TensorProto(name="uz", data_type=TensorProto.UINT2, dims=[5], int32_data=[0b11100100, 0b10]),
    ],
)
keep(
    "qlinear",
    [
        h.make_node("QLinearConv", "x xs xz w ws wz ys yz".split(), ["c"]),
        h.make_node("Flatten", ["c"], ["f"]),
        h.make_node("QLinearMatMul", "f ys yz m ms mz os oz".split(), ["y"]),
    ],
    [value("x", U8, [1, 1, 2, 2])],
    [value("y", U8, [1, 3])],
    [
        raw("xs", np.float32(0.25)), raw("xz", np.uint8(7)),
        raw("w", np.ones((2, 1, 1, 1), np.int8)), raw("ws", np.float32([0.5, 0.75])), raw("wz", np.int8([0, 0])),
        raw("ys", np.float32(0.125)), raw("yz", np.uint8(3)),
        raw("m", np.ones((8, 3), np.uint8)), h.make_tensor("ms", F, [3], [0.1, 0.2, 0.3]), h.make_tensor("mz", U8, [3], [1, 2, 3]),
        raw("os", np.float32(1.5)), raw("oz", np.uint8(255)),
    ],
)


def annotate(g):
    entries = [StringStringEntryProto(key="SCALE_TENSOR", value="s"), StringStringEntryProto(key="ZERO_POINT_TENSOR", value="z")]
    g.quantization_annotation.append(TensorAnnotation(tensor_name="y", quant_parameter_tensor_names=entries))
    g.metadata_props.append(StringStringEntryProto(key="made", value="by hand"))
    g.node[0].metadata_props.append(StringStringEntryProto(key="namespace", value="a/b"))


def trained(m):
    t = m.training_info.add()
    t.algorithm.CopyFrom(h.make_graph([h.make_node("Neg", ["y"], ["y2"])], "step", [], [value("y2", F, [2])]))
    m.metadata_props.append(StringStringEntryProto(key="names", value="{0: 'cat', 1: \"dog's\"}"))
    m.domain, m.model_version, m.doc_string = "org.example", 7, "a model\nof two lines"
    device = m.configuration.add()
    device.name, device.num_devices = "two", 2


keep(
    "annotated", [h.make_node("Relu", ["x"], ["y"])], [value("x", F, [2])], [value("y", F, [2])],
    [raw("s", np.float32(0.5)), raw("z", np.uint8(9))], graph=annotate, model=trained,
)

# A constant of each type, its data raw and, where the schema lays down a field for it, in that field.
names = {n: k for k, n in TensorProto.DataType.items()}
bits = {"4": [n for n, k in names.items() if k in ("INT4", "UINT4", "FLOAT4E2M1")], "2": [n for n, k in names.items() if k in ("INT2", "UINT2")]}
sixes = [n for n, k in names.items() if k.startswith("FLOAT6")]
wide = {F: 4, TensorProto.DOUBLE: 8, TensorProto.COMPLEX64: 8, TensorProto.COMPLEX128: 16, TensorProto.FLOAT16: 2, TensorProto.BFLOAT16: 2}
wide |= {n: int(k.strip("UINT")) // 8 for n, k in names.items() if k in "INT8 INT16 INT32 INT64 UINT8 UINT16 UINT32 UINT64".split()}
tensors = []
for n, k in sorted(names.items()):
    if k in ("UNDEFINED", "STRING"):
        continue
    size = 3 if n in bits["4"] else 2 if n in bits["2"] else 4 if n in sixes else 5 * wide.get(n, 1)
    tensors.append(packed("raw " + k, n, [5], bytes(i % 2 for i in range(size))))
for n, field, count in [
    (F, "float_data", 2), (TensorProto.COMPLEX64, "float_data", 4), (TensorProto.DOUBLE, "double_data", 2), (TensorProto.COMPLEX128, "double_data", 4),
    (I64, "int64_data", 2), (TensorProto.UINT64, "uint64_data", 2), (TensorProto.UINT32, "uint64_data", 2), (TensorProto.INT32, "int32_data", 2),
    (TensorProto.FLOAT16, "int32_data", 2), (TensorProto.BFLOAT16, "int32_data", 2), (B, "int32_data", 2), (U8, "int32_data", 2),
    (TensorProto.FLOAT8E5M2, "int32_data", 2), (TensorProto.INT4, "int32_data", 1), (TensorProto.FLOAT4E2M1, "int32_data", 1),
]:
    t = TensorProto(name="typed " + names[n], data_type=n, dims=[2])
    getattr(t, field).extend([1] * count)
    tensors.append(t)
words = TensorProto(name="words", data_type=TensorProto.STRING, dims=[2], string_data=[b"eins", "zw\u00f6lf".encode()])
keep("types", [h.make_node("Identity", ["words"], ["y"])], [], [value("y", TensorProto.STRING, [2])], [*tensors, words], ir=14, opsets={"": 26})

# Data beside the file: named, never opened.
weights = TensorProto(name="w", data_type=F, dims=[4, 3], data_location=TensorProto.EXTERNAL)
for k, v in {"location": "weights/w.bin", "offset": "4096", "length": "48", "checksum": "00"}.items():
    weights.external_data.append(StringStringEntryProto(key=k, value=v))
product = [h.make_node("MatMul", ["x", "w"], ["y"])]
ends = [value("x", F, [1, 4])], [value("y", F, [1, 3])]
keep("external", product, *ends, [weights])
for name, location in {"parent": "../w.bin", "inner-parent": "a/../../w.bin", "absolute": "/etc/passwd", "drive": "C:\\w.bin", "share": "\\\\host\\w.bin"}.items():
    outside = TensorProto()
    outside.CopyFrom(weights)
    outside.external_data[0].value = location
    keep("broken-external-" + name, product, *ends, [outside])

# Functions: with overloads, attributes handed through, one inside the other, a branch within.
opset = [h.make_opsetid("", 24)]
own = [*opset, h.make_opsetid("org.example", 1)]
branch = lambda op, name: h.make_graph([h.make_node(op, ["a"], [name])], name + " graph", [], [value(name, F, None)])
leaky = h.make_node("LeakyRelu", ["a"], ["b"])
leaky.attribute.append(AttributeProto(name="alpha", type=AttributeProto.FLOAT, ref_attr_name="slope"))
scaled = h.make_function("org.example", "Scaled", ["a"], ["b"], [leaky], opset, attributes=["slope"])
other = h.make_function("org.example", "Scaled", ["a"], ["b"], [h.make_node("Neg", ["a"], ["b"])], opset, overload="negated")
chosen = h.make_function(
    "org.example", "Chosen", ["c", "a"], ["d"],
    [
        h.make_node("If", ["c"], ["b"], then_branch=branch("Relu", "t"), else_branch=branch("Abs", "e")),
        h.make_node("Scaled", ["b"], ["d"], domain="org.example", slope=0.25),
    ],
    own, attribute_protos=[h.make_attribute("kept", 3)],
)
keep(
    "functions",
    [
        h.make_node("Chosen", ["c", "x"], ["m"], domain="org.example"),
        h.make_node("Scaled", ["m"], ["y"], domain="org.example", overload="negated"),
    ],
    [value("c", B, []), value("x", F, [3])], [value("y", F, [3])], opsets={"": 24, "org.example": 1}, functions=[scaled, other, chosen],
)

# Bodies of Loop, Scan and If, which take values from around them, constants too.
inner = h.make_graph(
    [h.make_node("DequantizeLinear", ["q", "qs", "qz"], ["one"]), h.make_node("Add", ["v", "one"], ["v1"])],
    "then", [], [value("v1", F, [2])], [raw("q", np.int8([5, 6]))],
)
outer = h.make_graph([h.make_node("Mul", ["v", "x"], ["v2"])], "else", [], [value("v2", F, [2])])
body = h.make_graph(
    [
        h.make_node("If", ["go"], ["w"], then_branch=inner, else_branch=outer),
        h.make_node("Identity", ["go"], ["on"]),
        h.make_node("Constant", [], ["k"], value_floats=[1.0, 2.5]),
        h.make_node("Mul", ["w", "k"], ["s"]),
    ],
    "body", [value("i", I64, []), value("go", B, []), value("v", F, [2])], [value("on", B, []), value("w", F, [2]), value("s", F, [2])],
)
scan = h.make_graph(
    [h.make_node("Add", ["p", "q"], ["r"]), h.make_node("Identity", ["r"], ["t"])],
    "scan", [value("p", F, [2]), value("q", F, [2])], [value("r", F, [2]), value("t", F, [2])],
)
keep(
    "loops",
    [
        h.make_node("Constant", [], ["n"], value_int=3),
        h.make_node("Loop", ["n", "", "x"], ["last", "all"], body=body),
        h.make_node("Scan", ["last", "all"], ["sum", "sums"], body=scan, num_scan_inputs=1),
    ],
    [value("x", F, [2])], [value("sum", F, [2]), value("sums", F, [None, 2])], [raw("qs", np.float32(0.25)), raw("qz", np.int8(1))],
)

# Sparse constants, as initializer and as attribute.
sparse = h.make_sparse_tensor(raw("s", np.float32([1, 2, 3])), raw("s_idx", np.int64([0, 5, 11])), [3, 4])
sparse2 = h.make_sparse_tensor(raw("", np.float32([4])), raw("", np.int64([[2, 3]])), [3, 4])
keep(
    "sparse",
    [h.make_node("Constant", [], ["k"], sparse_value=sparse2), h.make_node("Add", ["k", "x"], ["z"]), h.make_node("Add", ["z", "s"], ["y"])],
    [value("x", F, [3, 4])], [value("y", F, [3, 4])], sparse_initializer=[sparse],
)

# Types that are no tensors.
tensor = h.make_tensor_type_proto(F, ["n", None, 3])
keep(
    "containers",
    [
        h.make_node("SequenceConstruct", ["x", "x"], ["s"]),
        h.make_node("Optional", ["s"], ["o"]),
        h.make_node("Scores", ["x"], ["m"], domain="org.example"),
    ],
    [h.make_value_info("x", tensor)],
    [
        h.make_value_info("o", h.make_optional_type_proto(h.make_sequence_type_proto(tensor))),
        h.make_value_info("m", h.make_sequence_type_proto(h.make_map_type_proto(I64, h.make_tensor_type_proto(TensorProto.DOUBLE, [])))),
    ],
    opsets={"": 24, "org.example": 2},
    value_info=[h.make_value_info("s", h.make_sequence_type_proto(tensor))],
)

# Every kind of attribute, at its limits.
strange = h.make_node(
    "Strange", ["x", "", "x"], ["y", "", "z"], name="odd", domain="org.example",
    f=0.1, f0=0.0, big=3.0e38, nan=float("nan"), i=-(2**63), most=2**63 - 1, zero=0, s="\u00e4\u2028", bytes=b"\xff\x00", blob="b" * 5000,
    floats=[0.5, -1e-40, 2.0], ints=[0, -1, 2**40], strings=["a", "", "\u00f6"], t=h.make_tensor("t", I64, [2], [1, 2]),
    tensors=[h.make_tensor("a", F, [], [1.0]), h.make_tensor("b", F, [1], [1.0])],
    graphs=[branch("Relu", "g1"), branch("Abs", "g2")], tp=h.make_tensor_type_proto(I8, [1]), sp=sparse2,
)
strange.attribute.append(h.make_attribute("none", [], attr_type=AttributeProto.INTS))
for g in [a for a in strange.attribute if a.name == "graphs"][0].graphs:
    g.node[0].input[0] = "x"
keep("attributes", [strange], [value("x", F, [2])], [value("y", F, [2]), value("z", F, [2])], opsets={"": 24, "org.example": 3})

# Refused by the checker.
relu = lambda a, b: h.make_node("Relu", [a], [b])
x, y = [value("x", F, [2])], [value("y", F, [2])]
keep("broken-order", [relu("m", "y"), relu("x", "m")], x, y)
keep("broken-dangling", [relu("nowhere", "y")], x, y)
keep("broken-twice", [relu("x", "y"), relu("x", "y")], x, y)
keep("broken-shadow", [relu("x", "x")], x, [value("x", F, [2])])
keep("broken-no-data", product, *ends, [TensorProto(name="w", data_type=F, dims=[4, 3])])
keep("broken-data-twice", product, *ends, [TensorProto(name="w", data_type=F, dims=[1], raw_data=bytes(4), float_data=[1.0])])
keep("broken-field", product, *ends, [TensorProto(name="w", data_type=F, dims=[1], int64_data=[1])])
keep("broken-size", product, *ends, [packed("w", F, [4, 3], bytes(44))])
keep("broken-type", product, *ends, [packed("w", 99, [4], bytes(4))])
keep("broken-opset", [h.make_node("Strange", ["x"], ["y"], domain="org.example")], x, y)
wrong = relu("x", "y")
wrong.attribute.append(AttributeProto(name="alpha", type=AttributeProto.INT, f=1.0))
keep("broken-attribute", [wrong], x, y)
short = SparseTensorProto()
short.CopyFrom(sparse)
short.dims[:] = [3, 3]
keep("broken-sparse", [h.make_node("Add", ["x", "s"], ["y"])], [value("x", F, [3, 3])], [value("y", F, [3, 3])], sparse_initializer=[short])


def no_version(m):
    m.ClearField("ir_version")


keep("broken-version", [relu("x", "y")], x, y, model=no_version)
json.dump(found, sys.stdout, indent=2)
print()
