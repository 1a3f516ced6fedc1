"""Small OpenVINO IR files as OpenVINO writes them, and what it says of them when it reads them back, for test/formats/openvino-ir.test.ts.

    python3 tools/openvino-oracle.py > test/formats/openvino-oracle.json

openvino 2026.4.1 was used. Rows of each graph: operator, its set, its name; type and shape of its outputs; makers of its inputs; bytes of
a constant.
"""
import json
import os
import sys
import tempfile

import numpy as np
import openvino as ov
from openvino import PartialShape, Type, op, opset15 as o
from openvino.op.util import InvariantInputDescription, MergedInputDescription, BodyOutputDescription  # noqa: F401

found = {}


def rows(nodes):
    out = []
    for n in nodes:
        outputs = [f"{x.get_element_type().get_type_name()}{x.get_partial_shape()}" for x in n.outputs()]
        inputs = [f"{x.get_source_output().get_node().get_friendly_name()}:{x.get_source_output().get_index()}" for x in n.inputs()]
        size = n.get_byte_size() if n.get_type_name() == "Constant" and n.get_element_type() != Type.string else 0
        out.append(f"{n.get_type_name()} {n.get_friendly_name()} ({' '.join(outputs)}) ({' '.join(inputs)}) {size}")
    return sorted(out)


def keep(name, model):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, name + ".xml")
        ov.serialize(model, path)
        with open(path) as f:
            xml = f.read()
        back = ov.Core().read_model(path)
        graphs = [rows(back.get_ordered_ops())]

        def inner(m):
            for n in m.get_ordered_ops():
                if n.get_type_name() == "If":
                    graphs.extend(rows(n.get_function(i).get_ordered_ops()) for i in (0, 1))
                elif n.get_type_name() in ("Loop", "TensorIterator"):
                    graphs.append(rows(n.get_function().get_ordered_ops() if hasattr(n, "get_function") else []))

        inner(back)
        found[name] = {"xml": xml, "bin": os.path.getsize(path[:-4] + ".bin"), "graphs": graphs}


c = o.constant
f32 = np.float32

# A network of an image of open height: weights of 16 bits that are converted, quantised activations, groups, a head.
x = o.parameter(PartialShape([-1, 3, ov.Dimension(16, 64), 16]), Type.f32, name="image")
w = o.convert(c(np.ones((8, 3, 3, 3), np.float16), name="weights"), "f32")
y = o.convolution(x, w, [2, 2], [1, 1], [1, 1], [1, 1], name="conv")
y = o.relu(y, name="relu")
y = o.fake_quantize(y, c(f32(0)), c(f32(6)), c(f32(0)), c(f32(6)), 256, name="quantised")
y = o.group_convolution(y, c(np.ones((8, 1, 1, 3, 3), f32)), [1, 1], [1, 1], [1, 1], [1, 1], name="depthwise")
y = o.reduce_mean(y, c(np.array([2, 3])), False, name="pooled")
y = o.matmul(y, c(np.ones((10, 8), f32)), False, True, name="fc")
split = o.split(y, c(1), 2, name="split")
a, b = o.softmax(split.output(0), 1, name="first"), o.topk(split.output(1), c(1), 1, "max", "value", name="second")
a.output(0).set_names({"scores", "a,b"})
m = ov.Model([o.result(a, name="out"), o.result(b.output(1), name="index")], [x], "network")
m.set_rt_info("cat dog", ["model_info", "labels"])
m.set_rt_info("a test", ["model_info", "description"])
keep("network", m)

# Weights of four bits, with zero points, as large language models have them.
x = o.parameter(PartialShape([-1, 64]), Type.f16, name="tokens")
packed = op.Constant(Type.u4, ov.Shape([32, 2, 32]), [1] * 2048)
packed.set_friendly_name("packed")
zero = o.convert(op.Constant(Type.u4, ov.Shape([32, 2, 1]), [8] * 64), "f16")
scale = c(np.ones((32, 2, 1), np.float16), name="scale")
w = o.reshape(o.multiply(o.subtract(o.convert(packed, "f16"), zero), scale), c(np.array([32, 64])), False)
keep("four-bits", ov.Model([o.result(o.matmul(x, w, False, True, name="fc"))], [x], "weights"))

# A constant of each type.
results = []
for t in "f64 f32 f16 bf16 f8e4m3 f8e5m2 f8e8m0 f4e2m1 i64 i32 i16 i8 i4 u64 u32 u16 u8 u6 u4 u3 u2 u1 nf4 boolean".split():
    if not hasattr(Type, t):
        continue
    try:
        k = op.Constant(getattr(Type, t), ov.Shape([16]), [1] * 16)
    except Exception as e:
        print(t, str(e)[:80], file=sys.stderr)
        continue
    k.set_friendly_name("of " + t)
    results.append(o.result(k, name="result " + t))
keep("types", ov.Model(results, [], "types"))

# Of a rank that is not known, and a constant without elements.
x, axes = o.parameter(PartialShape.dynamic(), Type.f32, name="any"), o.parameter([-1], Type.i64, name="axes")
known = o.parameter([2, 3], Type.f32, name="known")
y = o.relu(x, name="as it came")
z = o.reduce_sum(known, axes, False, name="by axes")
s = o.reduce_sum(known, c(np.array([0, 1])), False, name="scalar")
nothing = c(np.zeros((0, 3), f32), name="nothing")
outputs = [o.result(one) for one in (y, o.abs(z, name="open too"), s, nothing)]
keep("ranks", ov.Model(outputs, [x, axes, known], "ranks"))

# A branch and a loop: bodies are graphs of their own.
p, q = o.parameter([2], Type.f32, name="then in"), o.parameter([2], Type.f32, name="else in")
cond, x = o.parameter([], Type.boolean, name="cond"), o.parameter([2], Type.f32, name="x")
node = o.if_op(cond)
then, other = ov.Model([o.result(o.relu(p, name="then relu"))], [p], "then"), ov.Model([o.result(o.negative(q, name="else neg"))], [q], "else")
node.set_then_body(then)
node.set_else_body(other)
node.set_input(x.output(0), p, q)
chosen = node.set_output(then.results[0], other.results[0])
node.set_friendly_name("branch")
keep("branch", ov.Model([o.result(chosen)], [cond, x], "branch"))

body_in, body_on = o.parameter([2], Type.f32, name="state"), c(np.array(True), name="on")
added = o.add(body_in, c(np.ones(2, f32)), name="added")
body = ov.Model([o.result(added), o.result(body_on)], [body_in], "body")
x = o.parameter([2], Type.f32, name="x")
loop = o.loop(c(np.array(3)), c(np.array(True)))
loop.set_function(body)
loop.set_special_body_ports([-1, 1])
loop.set_merged_input(body_in, x.output(0), body.results[0].output(0) if False else added.output(0))
last = loop.get_iter_value(added.output(0), -1)
loop.set_friendly_name("loop")
keep("loop", ov.Model([o.result(last)], [x], "loop"))

json.dump(found, sys.stdout, indent=2, ensure_ascii=False)
print()
